"""What an active check may do: talk to the vehicle, ask the operator. And how evidence is gathered."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from dronekit_cfg.engine.connection import Connection
from dronekit_cfg.errors import LinkError, NoAnswer, Unsupported
from dronekit_cfg.events import Event, Progress, Stage, VehicleText
from dronekit_cfg.hil.evidence import Evidence, Sample
from dronekit_cfg.hil.operator import Operator
from dronekit_cfg.talk.flow import Flow
from dronekit_cfg.talk.mavlink_commands import command_bytes, fresh_heartbeat, request_message, run_command, uptime
from dronekit_cfg.talk.mavlink_conversation import Conversation
from dronekit_cfg.talk.mavlink_events import EventBook
from dronekit_cfg.text import t
from dronekit_cfg.wire.mavlink_layout import layout_of_name

__all__ = ["RUN_PREARM", "Bench", "keep_company", "mavlink"]

T = TypeVar("T")
SET_INTERVAL, RUN_PREARM = 511, 401
EVENT = "EVENT"
PX4_CHECKS_SECONDS = 45.0
"""Seconds after its start by which a sound PX4 is ready to arm (36 s measured)."""
COMPANY_SECONDS = 0.2
POSITION_SECONDS = 60.0
"""Seconds after its start by which a sound ArduPilot under the sky is ready to arm (some 40 s on its simulator)."""
READY, POSITION = 1 << 28, 1 << 4
PREARM_SECONDS = 2.0
"""How long after the request the vehicle's pre-arm texts come."""


def mavlink(connection: Connection) -> Conversation:
    """Give the MAVLink conversation of a connection. Raises Unsupported for a family that speaks none."""
    found = getattr(connection.driver, "conversation", None)
    if not isinstance(found, Conversation):
        raise Unsupported(
            t("this talks MAVLink, and {family} does not", family=connection.identity.family),
            hint=t("`dronekit-cfg hil list --checks` shows which checks are for which vehicle"),
        )
    return found


def keep_company(connection: Connection) -> None:
    """Let a fraction of a second pass while a person is asked: our heartbeats go on, and texts are heard in time.

    Raises Interrupted on a stop request, LinkError when the link is lost.
    """
    found = getattr(connection.driver, "conversation", None)
    if isinstance(found, Conversation):
        connection.run(_listen(found, COMPANY_SECONDS, None))
        return
    connection.stop.check()
    connection.runner.clock.sleep(COMPANY_SECONDS)


@dataclass(slots=True)
class Bench:
    """One vehicle on a bench. `texts` collects what the vehicle says, with the time on the connection's clock."""

    connection: Connection
    operator: Operator
    texts: list[tuple[float, int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        session = self.connection.session
        pass_on = session.report

        def report(event: Event) -> None:
            if isinstance(event, VehicleText):
                self.texts.append((session.now(), event.severity, event.text))
            else:
                pass_on(event)

        session.report = report

    @property
    def conversation(self) -> Conversation:
        """The MAVLink conversation of the connection. Raises Unsupported for a family that speaks none."""
        return mavlink(self.connection)

    def run(self, flow: Flow[T]) -> T:
        """Run a conversation."""
        return self.connection.run(flow)

    def say(self, text: str) -> None:
        """Report a stage of the work."""
        self.connection.session.report(Stage(text))

    def command(self, number: int, *params: float) -> int:
        """Send a command and give its MAV_RESULT."""
        return self.run(run_command(self.conversation, number, *params))

    def message(self, name: str) -> Mapping[str, Any] | None:
        """Ask for one message and give its fields."""
        layout = layout_of_name(name)
        message = self.run(request_message(self.conversation, name, layout.id))
        return message.fields if message else None

    def numbers(self, names: Collection[str]) -> dict[str, float]:
        """Read settings; those that the vehicle does not have are left out."""
        return {n: v.number for n, v in self.connection.values(names).items() if v is not None}

    def listen(self, seconds: float, each: Callable[[str, Mapping[str, Any]], bool | None] | None = None) -> None:
        """Listen for so long; `each` is given every message and ends it by giving True."""
        self.run(_listen(self.conversation, seconds, each))

    def stream(
        self, watches: Mapping[str, float], seconds: float, each: Callable[[str, Mapping[str, Any]], bool | None]
    ) -> None:
        """Ask for messages at rates in Hz and give each to `each` for so many seconds; ask for the usual rates then."""
        with self.rates(watches):
            self.listen(seconds, each)

    @contextmanager
    def rates(self, watches: Mapping[str, float]) -> Iterator[None]:
        """Have messages at rates in Hz meanwhile, as far as the vehicle has them, and the usual rates after that."""
        asked = [n for n, hz in watches.items() if self._interval(n, 1e6 / hz)]
        try:
            yield
        finally:
            with self.connection.stop.shield(), suppress(LinkError):  # the error that ended it says more
                for name in asked:
                    self._interval(name, 0)

    def observe(
        self, watches: Mapping[str, float], settings: Collection[str], seconds: float, *, sky: bool = False
    ) -> Evidence:
        """Gather evidence: settings first, then pre-arm texts, then `seconds` of messages at the rates asked for.

        With `sky`, a vehicle that has just been switched on is given time to find its position.
        """
        from dronekit_cfg.hil.watch_msp import msp_driver, watch_msp
        from dronekit_cfg.talk.mavlink_commands import started

        if (driver := msp_driver(self.connection)) is not None:
            return watch_msp(self.connection, driver, watches, seconds)
        is_px4 = self.connection.identity.family == "px4"
        self.run(_checked(self.conversation) if is_px4 else started(self.conversation))
        if sky and not is_px4:
            self.run(_found_position(self.conversation))
        values = self.connection.values(settings) if settings else {}
        evidence = Evidence(self.connection.identity, values)
        book = self._book() if EVENT in watches else None
        events: list[Mapping[str, Any]] = []
        asked = {n: hz for n, hz in watches.items() if hz > 0 and self._interval(n, 1e6 / hz)}
        try:
            self.texts.clear()
            # What is against arming may come before the acknowledgement, so that is not waited for.
            self.run(self.conversation.next(command_bytes(self.conversation, RUN_PREARM)))
            self.listen(PREARM_SECONDS, lambda name, fields: events.append(fields) if name == EVENT else None)
            self.run(_collect(self.conversation, evidence, frozenset(watches), seconds))
        finally:
            for name in asked:
                self._interval(name, 0)
        evidence.texts = tuple(self.texts)
        evidence.asked = asked
        if book is not None:
            events += [s.fields for s in evidence.all(EVENT)]
            evidence.events = tuple(dict.fromkeys(said for e in events if (said := book.read(e)) is not None))
        return evidence

    def _book(self) -> EventBook | None:
        """Read what events mean, from a vehicle that has them."""
        events = getattr(self.connection.driver, "events", None)
        return self.run(events()) if events else None

    def _interval(self, name: str, microseconds: float) -> bool:
        return self.command(SET_INTERVAL, layout_of_name(name).id, microseconds) == 0


def _checked(conversation: Conversation) -> Flow[None]:
    """Give a PX4 that has just started the time of its own checks.

    Its heartbeat says "uninitialised" for as long as it would not arm, which may be forever: that is for the checks.
    """
    up = yield from uptime(conversation)
    end = conversation.now + (0.0 if up is None else PX4_CHECKS_SECONDS - up)
    told = False
    while conversation.now < end and not (yield from fresh_heartbeat(conversation))["system_status"]:
        if not told:
            conversation.session.report(Stage(t("wait for the vehicle's own checks after its start")))
            told = True
        pause = min(conversation.now + 0.5, end)
        while (yield from conversation.next(until=pause)) is not None:
            pass


def _found_position(conversation: Conversation) -> Flow[None]:
    """Give an ArduPilot that has just started the time to find its position, until it has one and is ready to arm."""
    up = yield from uptime(conversation)
    end = conversation.now + (0.0 if up is None else POSITION_SECONDS - up)
    told = False
    while conversation.now < end:
        status = yield from _asked(conversation, "SYS_STATUS")
        estimate = yield from _asked(conversation, "EKF_STATUS_REPORT")
        if status.get("onboard_control_sensors_health", 0) & READY and estimate.get("flags", 0) & POSITION:
            return
        if not told:
            conversation.session.report(Stage(t("wait for the vehicle's position after its start")))
            told = True
        pause = min(conversation.now + 0.5, end)
        while (yield from conversation.next(until=pause)) is not None:
            pass


def _asked(conversation: Conversation, name: str) -> Flow[Mapping[str, Any]]:
    """Ask once; {} when it does not come, as ArduPilot has no estimate to tell soon after its start."""
    try:
        message = yield from request_message(conversation, name, layout_of_name(name).id, tries=1)
    except NoAnswer:
        return {}
    return message.fields if message else {}


def _listen(
    conversation: Conversation, seconds: float, each: Callable[[str, Mapping[str, Any]], bool | None] | None
) -> Flow[None]:
    end = conversation.now + seconds
    while (message := (yield from conversation.next(until=end))) is not None:
        if each is not None and each(message.name, message.fields):
            return


def _collect(conversation: Conversation, evidence: Evidence, names: frozenset[str], seconds: float) -> Flow[None]:
    report = conversation.session.report
    report(Stage(t("watch the vehicle for {seconds:.0f} s: do not touch it", seconds=seconds)))
    start = conversation.now
    samples: dict[str, list[Sample]] = {name: [] for name in names}
    told = 0
    while (message := (yield from conversation.next(until=start + seconds))) is not None:
        at = conversation.now - start
        if message.name in names:
            samples[message.name].append(Sample(at, message.fields))
        if int(at) > told:
            told = int(at)
            report(Progress(t("seconds"), min(told, int(seconds)), int(seconds)))
    evidence.messages = samples
    evidence.seconds = conversation.now - start
