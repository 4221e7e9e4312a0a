"""What the drivers of the text CLI families (Betaflight, INAV) share: MSP to identify, the CLI to read and write.

Everything is written inside one CLI session. The vehicle keeps nothing of it until `commit`, which saves and reboots;
`discard` leaves, which reboots too and drops it. Reading the whole configuration needs the CLI as well, and a vehicle
that was in its CLI does not arm before its next reboot: whoever is done with a vehicle calls `discard`.
"""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from dronekit_cfg.errors import Armed, LinkGarbage, LinkLost, NoAnswer, Unsupported, VehicleError, WriteRefused
from dronekit_cfg.events import Note
from dronekit_cfg.families.base import ArmState, Traits
from dronekit_cfg.families.betaflight.settings import Knowledge
from dronekit_cfg.formats.cli_dump import Dump, parse, told_defaults
from dronekit_cfg.formats.cli_dump_checks import problems
from dronekit_cfg.formats.cli_dump_dialect import load_dialect
from dronekit_cfg.formats.cli_dump_settings import address
from dronekit_cfg.formats.cli_version import pep440
from dronekit_cfg.model import Change, Identity, Outcome, Phase, Setting, Snapshot, Spec, Value, Verdict
from dronekit_cfg.talk.cli_batch import Written, write_settings
from dronekit_cfg.talk.cli_session import CliSession, Entry
from dronekit_cfg.talk.flow import Flow, Session, Wait
from dronekit_cfg.talk.msp_calls import MspCalls
from dronekit_cfg.talk.msp_identify import Answers, ask_in_cli, ask_who, guess_noise, hears_msp, is_cli_echo
from dronekit_cfg.text import t
from dronekit_cfg.wire.msp import Direction
from dronekit_cfg.wire.msp_messages import Code
from dronekit_cfg.wire.msp_port import PortCodec
from dronekit_cfg.wire.msp_sensors import SENSOR_MESSAGES, read_sensor

__all__ = ["CliDriver"]

SILENT_SECONDS = 2.1
"""How long a vehicle may be silent before it is given up; after a reboot the engine tries again."""
RESTART_SECONDS = 3.0
STEADY_READS = 8
"""How often the output of one command is read until two readings agree."""
PAUSE_SECONDS = 0.15
READS = 3
"""How often a reading that does not agree with another one is begun again."""


class CliDriver(ABC):
    """One connection to one vehicle with a text CLI. See `families.base.Driver` for the methods."""

    family: str
    traits = Traits(staged=True, boot_seconds=20.0)
    motor_message = "MSP_MOTOR_TELEMETRY"
    """Name of the message that tells what the ESCs say."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.codec = PortCodec()
        self.dialect = load_dialect(self.family)
        self.calls = MspCalls(session, self.codec)
        self.cli = CliSession(session, self.codec, self.dialect)
        self.known = Knowledge(self.dialect)
        self.identity: Identity | None = None
        self.api_minor = 0
        self.restarting = False
        """Whether `identify` restarts a vehicle that was left in its CLI: after a LinkError open the link and retry."""
        self.look_only = self.left_in_cli = False
        """See `families.base.LooksOnly`."""
        self.start_over = False
        """Whether writing begins with a reset to defaults (see `families.base.StartsOver`)."""
        self.told_status: str | None = None
        """What `status` said last: the parts that were found at boot. None until it was asked."""
        self.told_motors: tuple[Mapping[str, Any], ...] | None = None
        """What the ESCs told before the CLI was entered; the CLI does not show it. None until that was asked."""

    def identify(self) -> Flow[Identity]:
        """Ask who the vehicle is, over MSP. A vehicle that was left in its CLI is made to leave it, which reboots it.

        What another session had staged there is dropped. Where the link breaks with the reboot, LinkLost passes
        through and `restarting` stays True until a later try succeeds. Raises LinkGarbage for another firmware, so
        that its family is tried.
        """
        self.codec.reset()
        self.cli.forget()
        api = yield from hears_msp(self.calls, seconds=SILENT_SECONDS)
        if api is None and self.look_only and is_cli_echo(self.calls.noise):
            return (yield from self._look_into_session())
        if api is None:
            yield from self._leave_foreign_session()
            api = yield from hears_msp(self.calls, seconds=self.traits.boot_seconds)
        if api is None:
            raise NoAnswer(t("the vehicle did not come back after it left its CLI"), hint=t("check its power"))
        who = yield from ask_who(self.calls, api)
        if not who.family:
            raise Unsupported(
                t("the vehicle runs {variant} {version}", variant=who.variant, version=who.version.text),
                hint=t("this tool knows Betaflight from 4.3 and INAV from 7 on"),
            )
        if who.family != self.family:
            raise LinkGarbage(
                t("the vehicle runs {variant} and not {ours}", variant=who.variant, ours=self.dialect.title),
                hint=t("choose its own family with --family"),
            )
        self.api_minor = api.minor
        self.identity = self._identity(who)
        self.restarting = False
        return self.identity

    def _look_into_session(self) -> Flow[Identity]:
        header = yield from ask_in_cli(self.cli)
        if header.family != self.family:
            raise LinkGarbage(t("the vehicle does not run {ours}", ours=self.dialect.title))
        self.left_in_cli = True
        revision = f" ({header.revision})" if header.revision else ""
        version = pep440(header.version)
        return Identity(self.family, "", version, f"{header.version}{revision}", header.target, uid="")

    def _leave_foreign_session(self) -> Flow[None]:
        noise = self.calls.noise
        entry = (yield from self.cli.enter(expect_open=True)) if is_cli_echo(noise) else Entry.NONE
        if entry is Entry.NONE:
            raise guess_noise(noise) or NoAnswer(
                t("neither MSP nor a CLI answers"),
                hint=t(
                    "check power, cable and baud rate (115200), and power-cycle a vehicle that was cut off amid work;"
                    " in DFU or mass storage mode it has no such port"
                ),
            )
        self.session.report(
            Note(t("the vehicle was left in its CLI; it is restarted and drops what was not saved"), level="warning")
        )
        self.restarting = True
        yield from self.cli.leave()

    @abstractmethod
    def _identity(self, who: Answers) -> Identity:
        """Make the identity; raises Unsupported for a version that is too old."""

    def arm_state(self) -> Flow[ArmState]:
        """Ask for the arm state: over MSP, or in the CLI, in which no vehicle is ever armed."""
        if not self.cli.open:
            return (yield from self._msp_arm_state())
        text = yield from self.status()
        found = next((line for line in text.splitlines() if line.lower().startswith("arming disable")), "")
        return ArmState(False, found.partition(":")[2].strip())

    @abstractmethod
    def _msp_arm_state(self) -> Flow[ArmState]:
        """Ask for the arm state over MSP."""

    def enter(self) -> Flow[None]:
        """Enter the CLI unless we are in it. Raises Armed, Unsupported, LinkLost."""
        if self.cli.open:
            return
        if self.told_motors is None:
            self.told_motors = yield from self._ask_motors()
        entry = yield from self.cli.enter()
        if entry is Entry.FRESH:
            return
        if entry is Entry.LEFT_OPEN:
            yield from self.cli.leave()
            raise LinkLost(t("the vehicle was still in a CLI session; it restarts"), hint=t("connect again"))
        state = yield from self._msp_arm_state()
        if state.armed:
            raise Armed(
                t("the vehicle is armed, so it refuses its CLI"), hint=t("disarm it, then run the command again")
            )
        raise Unsupported(
            t("the vehicle answers MSP but has no CLI"),
            hint=t("use another port of the vehicle, or firmware that was built with the CLI"),
        )

    def snapshot(self, *, taken: str) -> Flow[Snapshot]:
        """Read everything, twice and in two ways; nothing is taken that came only once."""
        dump, texts = yield from self._read_all()
        assert self.identity is not None
        settings = tuple(self._setting(name, text) for name, text in dump.settings.items())
        return Snapshot(self.identity, taken, "cli", settings, raw=texts)

    def _setting(self, name: str, text: str) -> Setting:
        return self.known.setting(name, text)

    def status(self) -> Flow[str]:
        """Give what the CLI's `status` says: the sensors that were found at boot among other things."""
        yield from self.enter()
        self.told_status = yield from self.cli.line(self.dialect.commands["status"])
        return self.told_status

    def _ask_motors(self) -> Flow[tuple[Mapping[str, Any], ...]]:
        """Ask what the ESCs tell of each motor; nothing where the firmware was built without that, or is silent."""
        name = self.motor_message
        try:
            reply = yield from self.calls.ask(SENSOR_MESSAGES[name][0], tries=1)
            if reply.direction is not Direction.REPLY:
                return ()
            return tuple(read_sensor(name, reply.payload, self.api_minor)["motors"])
        except (NoAnswer, ValueError):
            return ()

    def _read_all(self) -> Flow[tuple[Dump, dict[str, str]]]:
        differences: tuple[str, ...] = ()
        for _ in range(READS):
            second = yield from self._second_reading()
            yield from self.enter()
            dump = yield from self._dump()
            diff = yield from self._steady("diff")
            told = told_defaults((yield from self._steady("diff_defaults")), self.dialect)
            self.known.learn_dump(dump, parse(diff, self.dialect), told)
            if "features" in self.dialect.commands and self.known.unavailable is None:
                self.known.learn_features((yield from self._steady("features")))
            second = second or (yield from self._second_reading_in_cli())
            differences = self.known.disagreements(dump.settings, second)
            if not differences:
                return dump, {"dump all": str(dump), "diff all": diff}
        raise _damaged(", ".join(differences[:6]))

    def _steady(self, command: str) -> Flow[str]:
        """Read the output of a command until two readings are the same: a serial line has no checksum.

        After readings that differ the line is given time to run empty, more each time. A busy computer needs that: the
        simulator drops what its output buffer cannot hold (seen on Betaflight 4.6.0, six readings in a row).
        """
        before = None
        for attempt in range(STEADY_READS):
            text = yield from self.cli.line(self.dialect.commands[command])
            if text == before:
                return text
            if before is not None:
                pause = self.session.now() + PAUSE_SECONDS * attempt
                while (yield Wait(until=pause)) is not None:
                    pass
            before = text
        raise _damaged(self.dialect.commands[command])

    def _second_reading(self) -> Flow[dict[str, str]]:
        """Read values in another way before the CLI is entered; nothing where there is no other way."""
        yield from ()
        return {}

    @abstractmethod
    def _second_reading_in_cli(self) -> Flow[dict[str, str]]:
        """Read values in another way than by a dump, by full setting name; nothing where there is no need."""

    def _dump(self) -> Flow[Dump]:
        dump = parse((yield from self._steady("dump")) + "\n", self.dialect)
        if found := problems(dump):
            raise VehicleError(found[0].message, hint=found[0].hint)
        return dump

    def read(self, names: Collection[str]) -> Flow[Mapping[str, Setting | None]]:
        """Read some settings by name, from a dump: inside a session it shows what is staged."""
        if not self.known.complete:
            yield from self._read_all()
        yield from self.enter()
        found = (yield from self._dump()).settings
        return {name: self._setting(name, found[name]) if name in found else None for name in names}

    def write(self, changes: Sequence[Change]) -> Flow[tuple[Outcome, ...]]:
        """Write inside the session and judge each reply; what the CLI does not confirm itself is read back."""
        if not self.known.complete:
            yield from self._read_all()
        yield from self.enter()
        if self.start_over and not self.cli.started_over and not self.dialect.resets_stored:
            yield from self._start_over({change.name for change in changes})
        wanted = {change.name: self.known.text(change.wanted) for change in changes}
        found = yield from write_settings(self.cli, wanted, self.known.active)
        silent = [name for name, w in found.items() if w.echoed is None and not w.error and not w.lost]
        read: Mapping[str, str] = (yield from self._dump()).settings if silent else {}
        outcomes = tuple(self._outcome(change, found[change.name], read) for change in changes)
        if bad := [o.name for o in outcomes if not o.ok]:
            self.cli.damaged = t("{names} did not become as wanted", names=", ".join(bad[:6]))
        return outcomes

    def _start_over(self, coming: Collection[str]) -> Flow[None]:
        """Reset to defaults inside the session, then write back what was before, but for what is `coming`.

        Raises WriteRefused when something does not come back.
        """
        before = (yield from self._dump()).settings
        yield from self.cli.reset()
        now = (yield from self._dump()).settings
        # What this build lacks is on by default, cannot be switched off, and is off again after the reboot.
        fixed = self.known.unavailable or ()
        back = {n: text for n, text in before.items() if now.get(n) != text and n not in fixed}
        back = {n: text for n, text in back.items() if n not in coming and self.protected(n) != "read-only"}
        selected = {scope: int(now[scope]) for scope in self.known.active if now.get(scope, "").isdecimal()}
        found = yield from write_settings(self.cli, back, self.known.active, selected=selected)
        after = (yield from self._dump()).settings
        wrong = [n for n in back if after.get(n) != back[n]]
        if wrong:
            self.cli.damaged = t("{names} did not come back after the reset", names=", ".join(wrong[:6]))
            raise WriteRefused(
                t(
                    "{names} did not come back after the reset {why}",
                    names=", ".join(wrong[:6]),
                    why=next((f"({found[n].error})" for n in wrong if found[n].error), ""),
                ),
                hint=t("use --mode merge"),
            )

    def _outcome(self, change: Change, written: Written, read: Mapping[str, str]) -> Outcome:
        name, wanted = change.name, change.wanted
        if written.unknown:
            return Outcome(name, wanted, None, Verdict.UNKNOWN, written.error)
        if written.error:
            return Outcome(name, wanted, change.old, Verdict.DENIED, written.error)
        text = written.echoed if written.echoed is not None else read.get(name)
        if written.lost or text is None:
            return Outcome(name, wanted, None, Verdict.LOST, t("the reply came damaged or not at all"))
        echoed = self.known.echo(name, text, wanted)
        self._confirmed(name, echoed)
        if wanted.same(echoed):
            return Outcome(name, wanted, echoed, Verdict.WRITTEN)
        kept = change.old is not None and change.old.same(echoed)
        return Outcome(name, wanted, echoed, Verdict.DENIED if kept else Verdict.CLAMPED)

    def _confirmed(self, name: str, echoed: Value) -> None:  # noqa: B027  a hook: only rounding families need it
        """Take note of a value that the vehicle echoed (for families whose dump rounds)."""

    def commit(self) -> Flow[None]:
        """Save and see the vehicle reboot. Raises WriteRefused when anything in the session had gone wrong."""
        if not self.cli.open:
            raise NoAnswer(t("the CLI session is gone, so nothing was saved"), hint=t("apply again"))
        yield from self.cli.save()
        self.start_over = False

    def discard(self) -> Flow[None]:
        """Leave the CLI without saving, which reboots the vehicle; does nothing when it is not in its CLI.

        Ends when the link is gone or the vehicle answers MSP again, so that the next command does not meet a vehicle
        that is about to restart.
        """
        if self.cli.open:
            yield from self.cli.leave()
            with contextlib.suppress(LinkLost):
                yield from hears_msp(self.calls, seconds=RESTART_SECONDS)

    def reboot(self) -> Flow[None]:
        """Reboot; what is staged is dropped. Raises NoAnswer, and VehicleError for a refusal."""
        if self.cli.open:
            yield from self.cli.leave()
            return
        frame = yield from self.calls.ask(Code.REBOOT, b"\0")
        if frame.direction is not Direction.REPLY:
            raise VehicleError(t("the vehicle refuses to reboot"), hint=t("power it off and on"))

    def uptime(self) -> Flow[float | None]:
        """Give None: MSP does not tell it. A vehicle that answers MSP again has left its CLI by a reboot."""
        yield from ()
        return None

    def forget(self) -> None:
        """Drop half-received bytes and the session; the facts about settings stay."""
        self.codec.reset()
        self.cli.forget()

    def spec(self) -> Flow[Spec]:
        """Read ranges, allowed values and defaults from the vehicle itself."""
        if not self.known.complete:
            yield from self._read_all()
        assert self.identity is not None
        source = t("the vehicle itself")
        return Spec(self.family, self.identity.vehicle, self.identity.version, self.known.specs(), source)

    def phase(self, name: str) -> Phase:
        """Nothing is hidden in these families; only the ports can cut us off."""
        return Phase.LINK if self.dialect.is_own_link(name) else Phase.SET

    def protected(self, name: str) -> str:
        """Say why a setting is not written unless asked for."""
        if name.startswith("line."):
            return "read-only"
        try:
            return self.dialect.protected_kind(address(name, self.dialect).base)
        except ValueError:
            return ""

    def coerce(self, name: str, value: Any, known: Setting | None) -> Value:
        """Turn a profile's value into what the vehicle stores. ValueError says why it does not fit."""
        return self.known.coerce(name, value, known)


def _damaged(what: str) -> LinkGarbage:
    return LinkGarbage(
        t("two readings of the same differ: {what}", what=what),
        hint=t("bytes are lost or damaged on the way: check the cable, lower the baud rate, or use USB"),
    )
