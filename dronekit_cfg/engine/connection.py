"""One open connection to one identified vehicle."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from dronekit_cfg.engine.interrupt import Stop
from dronekit_cfg.engine.leftovers import give_back_ports
from dronekit_cfg.engine.runner import Runner
from dronekit_cfg.engine.state import default_root
from dronekit_cfg.errors import Armed, DronekitError, LinkError, LinkLost, LinkOpenError, NoAnswer, WrongVehicle
from dronekit_cfg.events import Note, Reporter, Stage, silent
from dronekit_cfg.families.base import Driver, LooksOnly
from dronekit_cfg.families.registry import candidates, open_link
from dronekit_cfg.links.base import Clock, Link
from dronekit_cfg.links.clock import RealClock
from dronekit_cfg.links.url import parse
from dronekit_cfg.model import Identity, Setting, Snapshot, Value, Vault
from dronekit_cfg.planner.cost import Line
from dronekit_cfg.talk.flow import Flow, Session
from dronekit_cfg.text import t

__all__ = ["Connection", "LinkOptions", "connect", "describe", "utc_now"]

T = TypeVar("T")

RETRY_SECONDS = 0.2
"""Pause between two tries to reopen a link while a vehicle boots."""

REBOOT_SLACK = 0.5
"""How far, in seconds, the vehicle's uptime may run ahead of our own clock and still prove a reboot."""


LEAVE_SECONDS = 5.0
"""How long the port of a vehicle that restarts is waited for at the end of a command."""
REBOOT_TRIES = 3
USB_BAUD = 115_200
ENOUGH_BYTES = 2000
"""A transfer of fewer bytes says little about the speed of a line: most of its time are round trips."""
REBOOT_PATIENCE = 5.0
"""How many seconds a vehicle may answer after a reboot command before it is clear that it did not get it."""


def utc_now() -> str:
    """Give the time as ISO 8601 UTC with seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """How to reach a vehicle. `timeout` in seconds bounds the wait for a first answer; 0 is the family's own.

    `speed` is that of the slowest part of the line in bits per second, 0 when it is not known. `vault` holds the
    secrets of this run; without one, none is known. `look_only`: nothing may come of it but the identity, so a vehicle
    that sits in its CLI is asked there and not restarted.
    """

    url: str
    family: str = ""
    target: tuple[int, int | None] | None = None
    signing_key: Path | None = None
    timeout: float = 0.0
    record: Path | None = None
    speed: int = 0
    state_dir: Path | None = None
    vault: Vault | None = None
    look_only: bool = False


class Connection:
    """A link, the driver of the family that answered on it, and the identity that is pinned from then on.

    `speed_told` says that the user told how fast the line is; `rebooting` are the seconds spent on reboots so far.
    """

    def __init__(self, link: Link, driver: Driver, runner: Runner, session: Session, identity: Identity) -> None:
        self.link = link
        self.driver = driver
        self.runner = runner
        self.session = session
        self.identity = identity
        self.speed_told = False
        self.rebooting = 0.0
        self._stranger: WrongVehicle | None = None

    @property
    def stop(self) -> Stop:
        """The stop request that this connection honours."""
        return self.runner.stop

    def run(self, flow: Flow[T], *, limit: float | None = None) -> T:
        """Run a conversation with the vehicle that was identified; WrongVehicle while another one is on the link."""
        if self._stranger is not None:
            flow.close()
            raise self._stranger
        return self.runner.run(flow, limit=limit)

    def snapshot(self, also: Collection[str] = ()) -> Snapshot:
        """Read every listed setting, and those of `also` that are not listed but known to the vehicle by name."""
        started, before = self.runner.clock.now(), self.runner.received
        snapshot = self.run(self.driver.snapshot(taken=utc_now()))
        self._measured(self.runner.received - before, self.runner.clock.now() - started)
        hidden = [name for name in also if name not in snapshot.by_name]
        if not hidden:
            return snapshot
        found = self.run(self.driver.read(hidden))
        extra = tuple(setting for setting in found.values() if setting is not None)
        return replace(snapshot, settings=snapshot.settings + extra)

    def _measured(self, size: int, seconds: float) -> None:
        """Take the speed of the line from a transfer of this size, unless the user told it."""
        if not self.speed_told and size > ENOUGH_BYTES and seconds > 0:
            self.session.line = replace(self.session.line, bytes_per_second=size / seconds, known=True)

    def values(self, names: Collection[str]) -> dict[str, Value | None]:
        """Read some settings by name."""
        found: dict[str, Setting | None] = dict(self.run(self.driver.read(names)))
        return {name: setting.value if setting else None for name, setting in found.items()}

    def require_disarmed(self) -> None:
        """Ask for a fresh arm state; raises Armed."""
        state = self.run(self.driver.arm_state())
        if state.armed:
            raise Armed(
                t("the vehicle is armed; nothing is written while it is"),
                hint=t("disarm it, then run the command again"),
            )

    def reboot(self) -> None:
        """Reboot the vehicle, wait until it is back, and make sure that it did reboot and is the same vehicle.

        The command may be lost on a bad link while the silence looks like a reboot, so a vehicle that has plainly not
        rebooted is asked again.
        """
        started = self.runner.clock.now()
        try:
            self._reboot()
        finally:
            self.rebooting += self.runner.clock.now() - started

    def _reboot(self) -> None:
        self.session.report(Stage(t("reboot")))
        if self.driver.traits.settle_seconds:
            self.runner.clock.sleep(self.driver.traits.settle_seconds)
        before = self.run(self.driver.uptime())
        for _ in range(REBOOT_TRIES):
            asked = self.runner.clock.now()
            self.run(self.driver.reboot())
            if self.reconnect(rebooted_at=None if before is None else asked, was_up=before or 0.0):
                return
        raise NoAnswer(
            t("the vehicle answers but does not reboot"), hint=t("power-cycle it, then run `dronekit-cfg recover`")
        )

    def reconnect(self, *, rebooted_at: float | None = None, was_up: float = 0.0) -> bool:
        """Open the link again and identify; raises WrongVehicle when another vehicle answers.

        With `rebooted_at` (our clock), gives False when the vehicle is still up since before that moment and stays so;
        `was_up` is its uptime then, in seconds. NoAnswer after the family's boot time.
        """
        clock = self.runner.clock
        start = clock.now()
        last: Exception | None = None
        while clock.now() < start + self.driver.traits.boot_seconds:
            self.stop.check()
            try:
                self.link.reopen()
                self.driver.forget()
                self._require_same(self.runner.run(self.driver.identify()))
                booted = True if rebooted_at is None else self._booted_since(rebooted_at, was_up)
                if booted:
                    return True
                if booted is False and clock.now() > start + REBOOT_PATIENCE:
                    return False
            except LinkError as error:
                last = error
            clock.sleep(RETRY_SECONDS)
        raise NoAnswer(
            t(
                "the vehicle did not come back within {seconds:g} s: {last}",
                seconds=self.driver.traits.boot_seconds,
                last=last or t("it does not tell how long it has been up"),
            ),
            hint=t("check power and cable, then run `dronekit-cfg recover`"),
        )

    def _booted_since(self, moment: float, was_up: float) -> bool | None:
        """Whether the uptime fell, or is no longer than the time since then; None while the vehicle does not tell it.

        One that is still starting does not: an ArduCopter with DroneCAN on answers for 5 s before it tells the time.
        On a busy computer the clock of a simulator runs a little ahead of ours, so a quarter more is believed, where it
        is clear that the uptime did not just go on: then it would have grown by all of that time.
        """
        uptime = self.run(self.driver.uptime())
        if uptime is None:
            return None
        since = self.runner.clock.now() - moment
        went_on = uptime >= was_up + since / 2
        ahead = 0.0 if went_on else since / 4
        return uptime < was_up or uptime <= since + ahead + REBOOT_SLACK

    def _require_same(self, found: Identity) -> None:
        different = self.identity.differences(found)
        if different:
            pairs = ", ".join(f"{n} {getattr(self.identity, n)!r} -> {getattr(found, n)!r}" for n in different)
            self._stranger = WrongVehicle(
                t("another vehicle answers than before: {pairs}", pairs=pairs),
                hint=t("connect the vehicle that the work was begun on, then run `dronekit-cfg recover`"),
            )
            raise self._stranger
        self._stranger = None
        self.identity = found

    def leave(self) -> None:
        """Let go of the vehicle: a text CLI family is left without saving, so that it can arm again.

        That restarts it, and a port that went away with it is waited for: the next command shall find it.
        """
        with contextlib.suppress(DronekitError), self.stop.shield():
            self.run(self.driver.discard())
            if self.driver.traits.staged:
                try:
                    self.link.read(0)
                except LinkLost:
                    _open_again(self.link, self.runner.clock, self.runner.clock.now() + LEAVE_SECONDS)


def describe(identity: Identity) -> str:
    """Say in one line who the vehicle is."""
    facts = [f"{identity.family} {identity.vehicle}".strip() + f" {identity.version_text}"]
    if identity.board:
        facts.append(t("board {board}", board=identity.board))
    facts.append(t("uid {uid}", uid=identity.uid) if identity.uid else t("no uid"))
    return ", ".join(facts)


def _identify(link: Link, options: LinkOptions, clock: Clock, report: Reporter, stop: Stop, vault: Vault) -> Connection:
    """Try each family that may be behind the link, the passive ones first."""
    errors: list[LinkError] = []
    for make in candidates(options.url, options.family, state_dir=options.state_dir or default_root()):
        session = Session(clock.now, report, vault, _line(options, link), link.place)
        # Through a flight controller they are for it, not for the module behind it.
        through = parse(options.url).scheme == "via"
        driver = make(session, None if through else options.target, None if through else options.signing_key)
        if isinstance(driver, LooksOnly):
            driver.look_only = options.look_only
        runner = Runner(link, driver.codec, clock, stop)
        try:
            identity = _first_identity(link, driver, runner, options.timeout)
        except LinkError as error:
            if getattr(getattr(driver.codec, "counts", None), "frames", 0):
                raise  # this protocol is spoken here; what the others make of it would only mislead
            errors.append(error)
            continue
        report(Note(describe(identity)))
        connection = Connection(link, driver, runner, session, identity)
        connection.speed_told = bool(options.speed)
        return connection
    # What the first candidate saw says most: bytes that make no sense beat a later silence.
    first = min(errors, key=lambda e: isinstance(e, NoAnswer))
    if isinstance(first, NoAnswer) and parse(options.url).scheme.endswith("tcp"):
        raise _silent_program(options.url) from first
    raise first


def _silent_program(url: str) -> NoAnswer:
    """Say what a TCP port means that is there and silent; measured on the Betaflight 4.6.0 simulator, which ends so."""
    return NoAnswer(
        t("the program behind {url} took the connection and says nothing", url=url),
        hint=t(
            "a simulator that hangs has to be ended and started again: Betaflight's hangs for good when a client goes"
            " away amid a dump (`sitl:betaflight` starts one for each command); behind a serial server, check power,"
            " cable and baud rate"
        ),
    )


def _line(options: LinkOptions, link: Link) -> Line:
    """Give the line as far as it is known: a USB port is opened at 115200 baud and far faster than that."""
    return Line.of_baud(options.speed or (link.baud if link.baud < USB_BAUD else 0))


def _first_identity(link: Link, driver: Driver, runner: Runner, timeout: float) -> Identity:
    """Identify; a vehicle that first had to be restarted out of a forgotten session is waited for."""
    end = runner.clock.now() + driver.traits.boot_seconds
    while True:
        try:
            return runner.run(driver.identify(), limit=timeout or None)
        except LinkError:
            if not driver.restarting or runner.clock.now() > end:
                raise
        _open_again(link, runner.clock, end)
        driver.forget()


def _open_again(link: Link, clock: Clock, end: float) -> None:
    """Open a link that dropped, as soon as the port is back; raises LinkOpenError when it is not by `end`."""
    while True:
        clock.sleep(RETRY_SECONDS)
        try:
            link.reopen()
        except LinkOpenError:
            if clock.now() > end:
                raise
        else:
            return


@contextmanager
def connect(
    options: LinkOptions, *, clock: Clock | None = None, report: Reporter = silent, stop: Stop | None = None
) -> Iterator[Connection]:
    """Open a link, find out which family answers, and identify the vehicle.

    Raises LinkOpenError, NoAnswer, LinkGarbage, SeveralVehicles, Unsupported. The link is closed at the end.
    """
    clock = clock or RealClock()
    vault = options.vault or Vault()
    candidates(options.url, options.family)  # a URL or family that does not fit is said before anything is opened
    report(Stage(t("connect to {url}", url=options.url)))
    link = open_link(
        options.url,
        clock=clock,
        state_dir=options.state_dir or default_root(),
        record=options.record,
        report=report,
        hushed=lambda: vault.hushed,
        target=options.target,
        signing_key=options.signing_key,
    )
    try:
        link.open()
        connection = _identify(link, options, clock, report, stop or Stop(), vault)
        try:
            if not options.look_only:
                give_back_ports(connection, options.state_dir or default_root())
            yield connection
        finally:
            connection.leave()
    finally:
        link.close()
