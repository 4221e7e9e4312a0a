"""Talk to a pair of SiK radios through the near one: its registers, and as `remote.NAME` those of the far one.

Writes are staged in the RAM of both ends, the far end first. `commit` saves the far end, then the near one, and
restarts nothing before both are saved: up to there both still run as before and hear each other. `discard` restarts
what has staged values, which drops them. The level of the encryption is set and saved before its key, because a radio
takes only a key of the right length; the key is a secret, and goes to the far end as the link is encrypted by then.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from dronekit_cfg.errors import LinkGarbage, NoAnswer, WriteRefused
from dronekit_cfg.events import Note
from dronekit_cfg.families.base import ArmState, Traits
from dronekit_cfg.families.places import known_by
from dronekit_cfg.families.sik.registers import KEY, LEVEL, PAIR, READ_ONLY, REMOTE, base, choose, key_text, spec
from dronekit_cfg.model import Change, Identity, Kind, Outcome, Phase, Setting, Snapshot, Spec, Value, Verdict
from dronekit_cfg.talk.flow import Flow, Session
from dronekit_cfg.talk.sik_at import SikAt, Table
from dronekit_cfg.talk.speeds import find_speed
from dronekit_cfg.text import t
from dronekit_cfg.wire.at import AtCodec, Rssi, parse_banner

__all__ = ["SikDriver"]

FIND_SECONDS = 2.0
BACK_SECONDS = 12.0
"""How long the far end is looked for: at first, and when it was there before the last restart."""
BOOT_SECONDS = 1.2


SPEEDS = (57600, 115200, 38400, 230400, 9600, 19200)
LISTEN_SECONDS = 1.2
"""An aircraft behind the pair sends a heartbeat each second."""


def _carries_mavlink(data: bytes) -> bool:
    from dronekit_cfg.wire.mavlink import MavlinkCodec

    codec = MavlinkCodec()
    codec.receive_data(data)
    return codec.next_event() is not None


class SikDriver:
    """One connection to one pair; implements `families.base.Driver`. A SiK radio has no serial number."""

    family = "sik"
    traits = Traits(staged=True, boot_seconds=20.0)
    restarting = False

    def __init__(self, session: Session) -> None:
        self.session = session
        self.codec = AtCodec()
        self.at = SikAt(session, self.codec)
        self._identity: Identity | None = None
        self._numbers: dict[str, int] = {}
        self._paired = False
        self._staged: dict[str, Value] = {}
        self._saved: dict[str, Value] = {}

    def identify(self) -> Flow[Identity]:
        """Enter AT mode and ask who the radio is, and whether the far end answers. Raises NoAnswer, LinkGarbage."""
        self.codec.reset()
        yield from self._enter()
        line = yield from self.at.line("I", lambda text: parse_banner(text) is not None)
        banner = parse_banner(line) if line else None
        if banner is None:
            raise NoAnswer(t("the radio does not say who it is"), hint=t("check the cable and the baud rate"))
        far = yield from self._far_end(BACK_SECONDS if self._paired else FIND_SECONDS)
        if self._paired and not far:
            self.session.report(
                Note(t("the far radio does not answer any more: it may hold other settings"), level="warning")
            )
        self._paired |= far
        self._identity = Identity(
            family="sik",
            vehicle="radio",
            version=banner.version,
            version_text=f"SiK {banner.version}",
            board=banner.board,
            uid=known_by(self.session, t("these radios"), again=self._identity is not None),
            capabilities=("pair",) if far else (),
        )
        return self._identity

    def _enter(self) -> Flow[None]:
        """Enter AT mode, at first also at other speeds than the port has. Raises NoAnswer, LinkGarbage."""
        try:
            yield from self.at.enter()
        except (NoAnswer, LinkGarbage):
            if self._identity is not None:
                raise
            self.session.report(Note(t("no radio answers at this speed: looking for it at others"), level="warning"))
            found = yield from find_speed(
                self.session,
                self.codec,
                SPEEDS,
                listen=LISTEN_SECONDS,
                sounds_right=lambda: _carries_mavlink(self.codec.noise),
                ask=self._asked,
            )
            if not found:
                raise

    def _asked(self) -> Flow[bool | None]:
        try:
            yield from self.at.enter()
        except (NoAnswer, LinkGarbage):
            return None
        return True

    def rssi(self, seconds: float) -> Flow[tuple[Rssi, ...]]:
        """Have the near radio report signal and noise of both ends. Raises NoAnswer."""
        yield from self._ready()
        return (yield from self.at.rssi(seconds))

    def _far_end(self, seconds: float) -> Flow[bool]:
        until = self.session.now() + seconds
        while True:
            if (yield from self.at.answers()):
                return True
            if self.session.now() >= until:
                return False

    def _ready(self) -> Flow[Identity]:
        if self._identity is None:
            return (yield from self.identify())
        if not self.at.open:
            yield from self.at.enter()
        return self._identity

    def arm_state(self) -> Flow[ArmState]:
        """A radio is never armed; whether its aircraft flies, the flight controller knows."""
        yield from ()
        return ArmState(armed=False)

    def _tables(self) -> Flow[dict[str, int]]:
        """Read both ends: value by setting name."""
        yield from self._ready()
        near = yield from self.at.table()
        far: Table | None = (yield from self.at.table(remote=True)) if self._paired else None
        found: dict[str, int] = {}
        for prefix, table in (("", near or {}), (REMOTE, far or {})):
            for name, (number, value) in table.items():
                found[prefix + name] = value
                self._numbers[prefix + name] = number
        return found

    def snapshot(self, *, taken: str) -> Flow[Snapshot]:
        """Read the registers of both ends. Raises NoAnswer."""
        values = yield from self._tables()
        assert self._identity is not None
        settings = [Setting(name, Value(Kind.UINT32, value)) for name, value in values.items()]
        settings += yield from self._keys(values)
        return Snapshot(self._identity, taken, "at", tuple(settings))

    def _keys(self, values: Mapping[str, int]) -> Flow[list[Setting]]:
        """Read the keys of the ends that can encrypt, as fingerprints."""
        found = []
        for prefix in ("", REMOTE):
            if prefix + LEVEL in values:
                key = yield from self.at.key(remote=bool(prefix))
                if key is not None:
                    found.append(Setting(prefix + KEY, self.session.vault.seal(key)))
        return found

    def spec(self) -> Flow[Spec | None]:
        """Give the facts about the registers that these radios have."""
        values = yield from self._tables()
        assert self._identity is not None
        names = [*values, *(n.replace(LEVEL, KEY) for n in values if base(n) == LEVEL)]
        facts = {name: spec(name) for name in names}
        return Spec(self.family, "radio", self._identity.version, facts, t("the radios themselves"))

    def read(self, names: Collection[str]) -> Flow[Mapping[str, Setting | None]]:
        """Read some registers; inside a session this shows what is staged. Raises NoAnswer."""
        values = yield from self._tables()
        secret: list[Setting] = []
        if any(base(name) == KEY for name in names):
            secret = yield from self._keys(values)
        found = {s.name: s for s in secret} | {n: Setting(n, Value(Kind.UINT32, v)) for n, v in values.items()}
        return {name: found.get(name) for name in names}

    def write(self, changes: Sequence[Change]) -> Flow[tuple[Outcome, ...]]:
        """Stage in RAM, the far end first."""
        yield from self._ready()
        if not self._numbers:
            yield from self._tables()
        found: dict[str, Outcome] = {}
        for change in sorted(changes, key=lambda c: not c.name.startswith(REMOTE)):
            found[change.name] = yield from self._write(change)
        return tuple(found[c.name] for c in changes)

    def _write(self, change: Change) -> Flow[Outcome]:
        name, wanted = change.name, change.wanted
        if base(name) == KEY:
            return (yield from self._write_key(change))
        if name not in self._numbers:
            return Outcome(name, wanted, None, Verdict.UNKNOWN)
        if name in self._saved and wanted.same(self._saved[name]):
            # It was saved once and came back as something else from the restart.
            return Outcome(
                name, wanted, change.old, Verdict.CLAMPED, t("it was saved and did not stay over the restart")
            )
        remote = name.startswith(REMOTE)
        self._staged[name] = wanted
        ok = yield from self.at.confirmed(f"S{self._numbers[name]}={wanted}", remote=remote)
        if ok is None:
            return Outcome(name, wanted, None, Verdict.LOST, t("no answer"))
        if not ok:
            return Outcome(name, wanted, change.old, Verdict.DENIED, t("the radio answers ERROR"))
        return Outcome(name, wanted, wanted, Verdict.WRITTEN)

    def _write_key(self, change: Change) -> Flow[Outcome]:
        """Stage a key and read it back, because a radio says OK to a key that it replaced by its default."""
        name, wanted, remote = change.name, change.wanted, change.name.startswith(REMOTE)
        self._staged[name] = wanted
        if not (yield from self.at.set_key(self.session.vault.open(wanted), remote=remote)):
            return Outcome(name, wanted, None, Verdict.LOST, t("no answer"))
        held = yield from self.at.key(remote=remote)
        echoed = self.session.vault.seal(held) if held is not None else None
        verdict = Verdict.WRITTEN if wanted.same(echoed) else Verdict.LOST if held is None else Verdict.CLAMPED
        detail = "" if verdict is Verdict.WRITTEN else t("its length must fit ENCRYPTION_LEVEL")
        return Outcome(name, wanted, echoed, verdict, detail)

    def commit(self) -> Flow[None]:
        """Save the far end, then the near one, then restart both. Raises WriteRefused with nothing restarted."""
        ends = [True] * any(n.startswith(REMOTE) for n in self._staged)
        ends += [False] * any(not n.startswith(REMOTE) for n in self._staged)
        for remote in ends:
            if not (yield from self.at.confirmed("&W", remote=remote)):
                raise WriteRefused(
                    t("the {end} radio does not confirm that it saved", end=t("far") if remote else t("near")),
                    hint=t("both still run as before; bring them closer together and apply again"),
                )
        self._saved, self._staged = self._staged, {}
        if True in ends:
            yield from self._restart_far({base(n) for n in self._saved if n.startswith(REMOTE)})
        yield from self.at.restart()
        yield from self.at.pause(BOOT_SECONDS)

    def _restart_far(self, changed: set[str]) -> Flow[None]:
        """Restart the far end; where it then hears us no more, see it gone, because the command may be lost."""
        for _ in range(3):
            yield from self.at.restart(remote=True)
            yield from self.at.pause(BOOT_SECONDS)
            if not changed & PAIR or not (yield from self.at.answers()):
                return

    def discard(self) -> Flow[None]:
        """Drop what is staged by restarting, and leave AT mode."""
        if not self._staged:
            yield from self.at.leave()
            return
        far = any(name.startswith(REMOTE) for name in self._staged)
        self._staged = {}
        if not self.at.open:
            yield from self.at.enter()
        if far:
            yield from self._restart_far(set())
        yield from self.at.restart()
        yield from self.at.pause(BOOT_SECONDS)

    def rejoin(self, held: Sequence[Mapping[str, Value]]) -> Flow[bool]:
        """Meet a far end that is not heard any more: it may hold other values than the near end runs with.

        `held` are sets of far settings that it may hold, the likeliest first. The near end is given each in turn, and
        its own values back when none is answered. Gives whether the far end answers now.
        """
        yield from self._ready()
        near = yield from self.at.table()
        assert near is not None
        own = {name: value for name, (_, value) in near.items() if name in PAIR}
        own_keys = [s.value for s in (yield from self._keys({n: v for n, (_, v) in near.items()}))]
        for values in held:
            far = {base(n): int(v.number) for n, v in values.items() if base(n) in PAIR and v.kind is not Kind.SECRET}
            keys = [v for n, v in values.items() if base(n) == KEY]
            if (yield from self._run_with({**own, **far}, near, keys)):
                self._paired = True
                return True
        yield from self._run_with(own, near, own_keys)
        return False

    def _run_with(self, values: Mapping[str, int], near: Table, keys: Sequence[Value]) -> Flow[bool]:
        """Store values in the near end and restart it; gives whether the far end answers then."""
        for name, value in values.items():
            yield from self.at.confirmed(f"S{near[name][0]}={value}")
        for key in keys:
            yield from self.at.set_key(self.session.vault.open(key))
        yield from self.at.confirmed("&W")
        yield from self.at.restart()
        yield from self.at.pause(BOOT_SECONDS)
        yield from self.at.enter()
        return (yield from self._far_end(FIND_SECONDS))

    def reboot(self) -> Flow[None]:
        """Restart the near end."""
        yield from self._ready()
        yield from self.at.restart()
        yield from self.at.pause(BOOT_SECONDS)

    def uptime(self) -> Flow[float | None]:
        """Give None: a radio does not tell it."""
        yield from ()
        return None

    def forget(self) -> None:
        """Drop half-received bytes and the AT mode; whether there was a far end stays."""
        self.at.forget()

    def phase(self, name: str) -> Phase:
        """The level of the encryption comes first: it says how long a key may be. What must agree comes last."""
        if base(name) == LEVEL:
            return Phase.ROOT
        return Phase.LINK if base(name) in PAIR else Phase.SET

    def protected(self, name: str) -> str:
        """Give "read-only" for what is not set by profiles."""
        return "read-only" if base(name) in READ_ONLY else ""

    def coerce(self, name: str, value: Any, known: Setting | None) -> Value:
        """Turn a number into the stored value. ValueError says what the radio would make of it."""
        del known
        if base(name) == KEY:
            return self.session.vault.wanted(value, key_text) if not isinstance(value, Value) else value
        return choose(name, value)
