"""What every conversation with a MAVLink vehicle shares: its address, our heartbeat, and a watch on who else talks.

All flows send and wait through `Conversation.next`. So in each of them our ground station heartbeat goes out at 1 Hz,
texts of the vehicle become events, messages of others are dropped, and a second vehicle on the link is noticed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from dronekit_cfg.errors import SeveralVehicles
from dronekit_cfg.events import VehicleText
from dronekit_cfg.talk.flow import Flow, Session, Wait
from dronekit_cfg.talk.mavlink_heard import PartsHeard
from dronekit_cfg.talk.mavlink_texts import TextAssembler, VehicleSeen, vehicle_name
from dronekit_cfg.talk.mavlink_watch import LinkWatch
from dronekit_cfg.text import t
from dronekit_cfg.wire.mavlink import MavlinkCodec, Message

__all__ = ["STARTING", "Conversation", "RoundTrip", "several"]

BEAT_SECONDS = 1.0
STARTING = frozenset({0, 1, 2})
"""MAV_STATE_UNINIT, BOOT and CALIBRATING."""


def several(vehicles: list[VehicleSeen]) -> SeveralVehicles:
    """Make the error that lists the vehicles on a link."""
    named = ", ".join(str(v) for v in vehicles)
    first = vehicles[0]
    return SeveralVehicles(
        t("several vehicles answer on this link: {vehicles}", vehicles=named),
        hint=t("name one, for example --target {system}:{component}", system=first.system, component=first.component),
    )


@dataclass(slots=True)
class RoundTrip:
    """How long answers take (RFC 6298: smoothed mean and deviation), and from it how long to wait for one.

    A window that fills a slow line makes its own answers late. Those that are sent again are no samples, so a wait that
    is once too short would stay so, and each needless repeat would make the line slower: `expired` makes the waits
    longer until the next sample (RFC 6298, 5.5). `least` is the shortest sample: the line without what waits in it.
    """

    first: float = 0.7
    lowest: float = 0.05
    highest: float = 1.5
    least: float = math.inf
    _mean: float = 0.0
    _deviation: float = 0.0
    _stretch: float = 1.0
    _stretched: float = -math.inf

    def measured(self, seconds: float) -> None:
        """Take one sample. Give only those of requests that were sent once, as later answers are ambiguous."""
        self._stretch = 1.0
        self.least = min(self.least, seconds)
        if not self._mean:
            self._mean, self._deviation = seconds, seconds / 2
            return
        self._deviation += (abs(seconds - self._mean) - self._deviation) / 4
        self._mean += (seconds - self._mean) / 8

    def known(self, lowest: float, otherwise: float) -> float:
        """Give a first wait for another kind of answer: from what is known of the line, between the two."""
        return min(max(2 * self.wait(), lowest), otherwise) if self._mean else otherwise

    def expired(self, asked: float, now: float) -> None:
        """Wait longer after this, once for all requests that were under way together; `asked` is when this one went."""
        if asked >= self._stretched:
            self._stretch, self._stretched = min(self._stretch * 1.5, 10.0), now

    def wait(self, attempt: int = 0) -> float:
        """Seconds to wait for an answer; each further attempt waits half as long again."""
        margin = max(4 * self._deviation, self._mean / 2)
        base = max(self._mean + margin, self.lowest) if self._mean else self.first
        return min(base * self._stretch * 1.5**attempt, self.highest)


@dataclass(slots=True)
class Conversation:
    """One vehicle on one link.

    `system` is 0 until the vehicle is chosen; then only its messages are given out. With `named` the user chose it, and
    other vehicles on the link are no error. `speaking` starts our heartbeat. `heard` is when the vehicle was last
    heard. `moving_to` is the system number that a write is about to give the vehicle, 0 for none. Commands, reads and
    writes of settings are answered by different threads of the vehicle, so their times are kept apart. `bytewise` says
    that integers of settings travel as their bits in the float field (PX4), not as the float of the same number.
    `answers_first` says that a message that was asked for comes before its acknowledgement (PX4). `paused` are streams
    that we stopped, with their intervals in microseconds; they outlive a lost link, so that they are put back after it.
    `ready` says that the vehicle had finished starting when it was last asked. `parts` is what was said about fitted
    parts meanwhile.
    """

    session: Session
    codec: MavlinkCodec
    system: int = 0
    component: int = 0
    named: bool = False
    speaking: bool = False
    heard: float = -math.inf
    moving_to: int = 0
    bytewise: bool = False
    answers_first: bool = False
    round_trip: RoundTrip = field(default_factory=RoundTrip)
    reads: RoundTrip = field(default_factory=RoundTrip)
    writes: RoundTrip = field(default_factory=RoundTrip)
    self_seen: VehicleSeen | None = None
    ftp_sequence: int = 0
    watch: LinkWatch = field(default_factory=LinkWatch)
    parts: PartsHeard = field(default_factory=PartsHeard)
    paused: dict[int, int] = field(default_factory=dict)
    ready: bool = False
    _beat_due: float = -math.inf
    _texts: TextAssembler = field(default_factory=TextAssembler)

    @property
    def now(self) -> float:
        """The session's clock."""
        return self.session.now()

    @property
    def address(self) -> str:
        """Address of the vehicle as users write it."""
        return f"{self.system}:{self.component}"

    @property
    def target(self) -> dict[str, int]:
        """The fields that address a message to the vehicle."""
        return {"target_system": self.system, "target_component": self.component}

    def choose(self, vehicle: VehicleSeen) -> None:
        """Talk to this vehicle from now on."""
        self.system, self.component, self.self_seen = vehicle.system, vehicle.component, vehicle

    def forget(self) -> None:
        """Drop what a reboot or a reopened link makes stale; the address stays when the user named it."""
        self.codec.reset()
        self.system = self.component = self.moving_to = 0
        self.self_seen = None
        self.heard = self._beat_due = -math.inf
        self.speaking = self.ready = False
        self.round_trip, self.reads, self.writes = RoundTrip(), RoundTrip(), RoundTrip()
        self._texts = TextAssembler()
        self.watch.forget()

    def next(self, send: bytes = b"", until: float = -math.inf) -> Flow[Message | None]:
        """Send, and give the vehicle's next message, or None at `until` (absolute; the default only sends)."""
        while True:
            now = self.now
            if self.speaking and now >= self._beat_due:
                send += self.codec.station_heartbeat()
                self._beat_due = now + BEAT_SECONDS
            if until <= now and send:
                yield Wait(send)
                return None
            message: Message | None = yield Wait(send, min(until, self._beat_due) if self.speaking else until)
            send = b""
            if message is not None and self._is_ours(message):
                return message
            if self.now >= until:
                return None

    def drain(self, quiet: float = 0.01, limit: float = 0.05) -> Flow[None]:
        """Read and drop what already waits in buffers, so that a later answer is a fresh one."""
        end = self.now + limit
        while self.now < end:
            message = yield from self.next(until=min(self.now + quiet, end))
            if message is None:
                return

    def _is_ours(self, message: Message) -> bool:
        """Note who sent it; tell texts; whether it is for the flow. Raises SeveralVehicles."""
        if not self.system:
            return True
        if self.moving_to and message.system == self.moving_to:
            self.system, self.moving_to = self.moving_to, 0
        mine = message.system == self.system and message.component == self.component
        self.parts.message(message, mine=mine)
        if message.name == "HEARTBEAT":
            self.watch.heartbeat(message, (self.codec.system, self.codec.component), self.now)
            self._watch(VehicleSeen.of(message), mine=mine)
        if not mine:
            return False
        self.heard = self.now
        if message.name == "HEARTBEAT" and message["system_status"] in STARTING:
            self.ready = False
        self.watch.vehicle(message, self.heard)
        if message.name == "STATUSTEXT":
            for severity, text in self._texts.feed(message):
                self.parts.text(text)
                self.session.report(VehicleText(severity, text))
        return True

    def _watch(self, seen: VehicleSeen, *, mine: bool) -> None:
        me = self.self_seen
        if me is None or not seen.is_vehicle:
            return
        if not mine:
            if not self.named:
                raise several([me, seen])
            return
        # A quad that becomes a hexa is the same vehicle; a copter that becomes a plane is two of them.
        if (seen.autopilot, vehicle_name(seen.type)) != (me.autopilot, vehicle_name(me.type)):
            raise SeveralVehicles(
                t("two vehicles use the address {at}: {first} and {second}", at=self.address, first=me, second=seen),
                hint=t("disconnect one of them; each vehicle on a link needs its own system number"),
            )
