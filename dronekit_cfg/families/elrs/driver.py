"""Talk to an ExpressLRS transmitter module or receiver over its CRSF parameters.

A module has no serial number and cannot be restarted over CRSF: a person is asked to switch it off and on, and it is
waited for. Commands (bind, Wi-Fi) are given only where a person asks for one (`command`). MAVLink must not reach such a
port: it changes the link mode.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from dronekit_cfg.errors import Armed, LinkGarbage, LinkLost, NoAnswer, UsageError, VehicleError
from dronekit_cfg.events import Note
from dronekit_cfg.families.base import ArmState, Traits
from dronekit_cfg.families.elrs.tree import choose, commands, domain, packed, paths, setting, spec
from dronekit_cfg.families.places import known_by
from dronekit_cfg.model import (
    Change,
    Identity,
    Kind,
    Outcome,
    Phase,
    Setting,
    SettingSpec,
    Snapshot,
    Spec,
    Value,
    Verdict,
)
from dronekit_cfg.talk.crsf_calls import CrsfCalls
from dronekit_cfg.talk.flow import Flow, Session
from dronekit_cfg.talk.speeds import find_speed
from dronekit_cfg.text import t
from dronekit_cfg.wire.crsf import Address, CrsfCodec, Device, Entry, Step

__all__ = ["ElrsDriver"]

_SERIAL = b"ELRS"
DOMAIN = "Domain"
_ARMED = 1 << 3
SPEEDS = (460800, 420000, 115200, 921600, 400000, 1870000)
"""USB, a receiver's wire, slow handsets, some modules' USB, handsets."""
LISTEN_SECONDS = 0.3
SWITCH_OFF_SECONDS = 120.0
"""How long a person has to switch the module off."""
_MISSES = 4
"""Pings without an answer, two seconds in all: nobody switches off and on in less."""


class ElrsDriver:
    """One connection to one module; implements `families.base.Driver`."""

    family = "elrs"
    traits = Traits(staged=False, boot_seconds=60.0, settle_seconds=1.0)
    restarting = False

    def __init__(self, session: Session) -> None:
        self.session = session
        self.codec = CrsfCodec()
        self.calls = CrsfCalls(session, self.codec)
        self._identity: Identity | None = None
        self._count = 0
        self._entries: dict[str, Entry] = {}
        self._commands: dict[str, Entry] = {}
        self._domain = ""

    def identify(self) -> Flow[Identity]:
        """Find the module. Raises NoAnswer, LinkGarbage (also for CRSF devices that are no ExpressLRS)."""
        device = yield from self._find()
        if device.serial != _SERIAL:
            raise LinkGarbage(
                t("{name} is a CRSF device, but no ExpressLRS module", name=device.name),
                hint=t("its parameters are not known to this tool"),
            )
        self._count = device.count
        version = ".".join(str(device.software >> shift & 0xFF) for shift in (16, 8, 0))
        module = self.calls.device == Address.MODULE
        self._identity = Identity(
            family="elrs",
            vehicle="tx" if module else "rx",
            version=version,
            version_text=f"ExpressLRS {version}",
            board=device.name,
            uid=known_by(self.session, t("this module"), again=self._identity is not None),
        )
        return self._identity

    def _find(self) -> Flow[Device]:
        """Find the module; at first also at other speeds than the port has."""
        if self._identity is not None:
            return (yield from self.calls.ping())
        try:
            return (yield from self.calls.find())
        except (NoAnswer, LinkGarbage):
            found = yield from find_speed(
                self.session,
                self.codec,
                SPEEDS,
                listen=LISTEN_SECONDS,
                sounds_right=lambda: self.codec.heard,
                ask=self._asked,
            )
            if found is None:
                raise
            return found

    def _asked(self) -> Flow[Device | None]:
        try:
            return (yield from self.calls.ping(tries=2))
        except (NoAnswer, LinkGarbage):
            return None

    def commands(self) -> Flow[tuple[str, ...]]:
        """Give the paths of the commands that the module knows. Raises NoAnswer."""
        if not self._commands:
            yield from self._read()
        return tuple(self._commands)

    def command(self, path: str, *, confirmed: bool) -> Flow[str]:
        """Give a command, which a person asked for; gives its last words. Raises UsageError, VehicleError, NoAnswer."""
        known = yield from self.commands()
        if path not in self._commands:
            raise UsageError(
                t("the module has no command {path}", path=path), hint=t("it has {known}", known=", ".join(known))
            )
        if (yield from self.arm_state()).armed:
            raise Armed(
                t("the handset says that the vehicle is armed"), hint=t("disarm it, then run the command again")
            )
        state = yield from self.calls.run(self._commands[path].number, confirmed=confirmed)
        if state.value == Step.ASKS:
            raise VehicleError(
                t("the module asks: {question}", question=state.unit), hint=t("answer with --yes if it may go on")
            )
        return state.unit

    def _ready(self) -> Flow[Identity]:
        return self._identity or (yield from self.identify())

    def arm_state(self) -> Flow[ArmState]:
        """Ask a transmitter module whether its handset says armed. A receiver does not tell."""
        yield from self._ready()
        flags = yield from self.calls.status()
        return ArmState(armed=bool((flags or 0) & _ARMED))

    def _read(self) -> Flow[dict[str, Entry]]:
        yield from self._ready()
        entries = []
        for number in range(1, self._count + 1):
            entry = yield from self.calls.entry(number)
            entries.append(entry)
        self._entries = paths(entries)
        self._commands = commands(entries)
        self._domain = domain(entries)
        return self._entries

    def snapshot(self, *, taken: str) -> Flow[Snapshot]:
        """Read the whole tree of parameters. Raises NoAnswer."""
        identity = yield from self._ready()
        entries = yield from self._read()
        settings = [setting(path, entry) for path, entry in entries.items()]
        if self._domain:
            settings.append(Setting(DOMAIN, Value(Kind.TEXT, self._domain)))
        return Snapshot(identity, taken, "crsf", tuple(settings))

    def spec(self) -> Flow[Spec | None]:
        """Give what the module tells about its parameters, in the state that it is in."""
        identity = yield from self._ready()
        entries = self._entries or (yield from self._read())
        facts = {path: spec(path, entry) for path, entry in entries.items()}
        if self._domain:
            facts[DOMAIN] = SettingSpec(DOMAIN, Kind.TEXT, t("regulatory domain of the firmware"), read_only=True)
        return Spec(self.family, identity.vehicle, identity.version, facts, t("the module itself"))

    def read(self, names: Collection[str]) -> Flow[Mapping[str, Setting | None]]:
        """Read some parameters by path. Raises NoAnswer."""
        known = self._entries or (yield from self._read())
        found: dict[str, Setting | None] = dict.fromkeys(names)
        if DOMAIN in found and self._domain:
            found[DOMAIN] = Setting(DOMAIN, Value(Kind.TEXT, self._domain))
        for name in names:
            if name in known:
                self._entries[name] = yield from self.calls.entry(known[name].number)
                found[name] = setting(name, self._entries[name])
        return found

    def write(self, changes: Sequence[Change]) -> Flow[tuple[Outcome, ...]]:
        """Write one after the other and read each back: a value may change what the next one offers."""
        known = self._entries or (yield from self._read())
        outcomes = []
        for change in changes:
            outcome = Outcome(change.name, change.wanted, None, Verdict.UNKNOWN)
            if change.name in known:
                outcome = yield from self._write(change, known[change.name])
            outcomes.append(outcome)
        return tuple(outcomes)

    def _write(self, change: Change, known: Entry) -> Flow[Outcome]:
        name, wanted = change.name, change.wanted
        before = yield from self.calls.entry(known.number)
        try:
            data = packed(before, wanted)
        except ValueError:
            return Outcome(name, wanted, setting(name, before).value, Verdict.DENIED, t("it is not offered now"))
        for _ in range(2):
            yield from self.calls.write(known.number, data)
            after = yield from self.calls.entry(known.number)
            echoed = setting(name, after).value
            if wanted.same(echoed):
                return Outcome(name, wanted, echoed, Verdict.WRITTEN)
        kept = change.old is not None and change.old.same(echoed)
        return Outcome(name, wanted, echoed, Verdict.DENIED if kept else Verdict.CLAMPED)

    def commit(self) -> Flow[None]:
        """Nothing is staged."""
        yield from ()

    def discard(self) -> Flow[None]:
        """Nothing is staged."""
        yield from ()

    def reboot(self) -> Flow[None]:
        """Ask a person to switch the module off and on, and see it go. Raises NoAnswer when nobody does."""
        self.session.report(Note(t("switch the module off and on now: it cannot be restarted from here"), "warning"))
        until = self.session.now() + SWITCH_OFF_SECONDS
        missed = 0
        try:
            while missed < _MISSES:
                if self.session.now() > until:
                    raise NoAnswer(
                        t("the module was not switched off"),
                        hint=t("switch it off and on, then run `dronekit-cfg recover`"),
                    )
                missed = 0 if (yield from self.calls.present()) else missed + 1
        except LinkLost:
            return  # it was powered by this very port

    def uptime(self) -> Flow[float | None]:
        """Give None: a module does not tell it; `reboot` has seen it gone."""
        yield from ()
        return None

    def forget(self) -> None:
        """Drop half-received bytes."""
        self.codec.reset()

    def phase(self, name: str) -> Phase:
        """The link mode comes last: in MAVLink mode the module does not answer any more."""
        return Phase.LINK if name == "Link_Mode" else Phase.SET

    def protected(self, name: str) -> str:
        """Give "read-only" for the domain: it is set with the firmware or over the web page, not over CRSF."""
        return "read-only" if name == DOMAIN else ""

    def coerce(self, name: str, value: Any, known: Setting | None) -> Value:
        """Turn a label or number into the stored value. ValueError says what the module offers."""
        del known
        if name in self._entries:
            return choose(name, self._entries[name], value)
        return Value(Kind.TEXT, str(value))  # no module has it: the engine finds out and says so
