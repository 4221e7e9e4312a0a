"""Talk to u-blox GNSS receivers: M8 by messages, M9, F9, M10 and later by configuration keys."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from dronekit_cfg.errors import LinkError, LinkGarbage, NoAnswer, Unsupported
from dronekit_cfg.families.base import ArmState, Traits
from dronekit_cfg.families.ublox.keys import BAUD, KEYS, choose
from dronekit_cfg.families.ublox.legacy import LegacyStore
from dronekit_cfg.families.ublox.speed import find_receiver, other_speed
from dronekit_cfg.families.ublox.store import KeyStore
from dronekit_cfg.model import Change, Identity, Kind, Outcome, Phase, Setting, Snapshot, Spec, Value
from dronekit_cfg.talk.flow import Flow, Session
from dronekit_cfg.talk.ubx_calls import UbxCalls
from dronekit_cfg.talk.ubx_signals import Heard, SignalCalls
from dronekit_cfg.text import t
from dronekit_cfg.wire.ubx import UbxCodec, UbxFrame
from dronekit_cfg.wire.ubx_messages import (
    CFG_RST,
    MON_VER,
    NAV_STATUS,
    SEC_UNIQID,
    Version,
    parse_status_uptime,
    parse_uniqid,
    parse_version,
    reset_payload,
)

__all__ = ["UbloxDriver"]

_KEYS_SINCE = 27.0
"""Protocol version from which on receivers have configuration keys."""
_LEGACY_SINCE = 15.0
"""The first M8 firmware; older receivers lack most of what profiles set."""


class _Store(Protocol):
    speeds: tuple[int, ...]

    def read(self, names: Collection[str] | None = None) -> Flow[tuple[Setting, ...]]:
        """Read all settings, or some."""

    def write(self, changes: Sequence[Change]) -> Flow[tuple[Outcome, ...]]:
        """Write, store, and read back."""


class UbloxDriver:
    """One connection to one receiver; implements `families.base.Driver`.

    `vehicle` of its identity is the generation ("m8", "m9", "f9", "m10"), `version` the protocol version. The baud rate
    of the port is written last, and the link follows.
    """

    family = "ublox"
    traits = Traits(staged=False, boot_seconds=10.0)
    restarting = False

    def __init__(self, session: Session) -> None:
        self.session = session
        self.codec = UbxCodec()
        self._calls = UbxCalls(session, self.codec)
        self._keys = KeyStore(session, self._calls)
        self._store: _Store = self._keys
        self._signals = SignalCalls(self._calls)
        self._identity: Identity | None = None

    def identify(self) -> Flow[Identity]:
        """Ask for version and unique id. Raises NoAnswer, LinkGarbage, Unsupported."""
        frame = yield from self._version()
        try:
            version = parse_version(frame.payload)
        except ValueError as error:
            raise LinkGarbage(
                t("the receiver's version cannot be read: {why}", why=error),
                hint=t("check the cable and the baud rate"),
            ) from None
        protocol = _protocol(version)
        if protocol < _LEGACY_SINCE:
            raise Unsupported(
                t("a u-blox receiver with protocol {protocol:g} is older than M8", protocol=protocol),
                hint=t("M8, M9, F9 and M10 receivers are supported"),
            )
        uid = yield from self._uid()
        self._store = self._keys if protocol >= _KEYS_SINCE else LegacyStore(self._calls)
        generation = version.generation or "gnss"
        self._identity = Identity(
            family="ublox",
            vehicle=generation,
            version=f"{protocol:.2f}",
            version_text=f"{version.firmware} (protocol {protocol:.2f})",
            board=version.module or generation.upper(),
            uid=uid,
            capabilities=("keys" if protocol >= _KEYS_SINCE else "legacy",),
        )
        return self._identity

    def _version(self) -> Flow[UbxFrame]:
        """Ask for MON-VER, at other speeds too: at all usual ones at first, later at those that the port may have."""
        try:
            return (yield from self._calls.poll(MON_VER, tries=2))
        except LinkError:
            for speed in self._store.speeds:
                if (yield from other_speed(self._calls, speed)):
                    return (yield from self._calls.poll(MON_VER))
            if self._identity is not None:
                raise
            found = yield from find_receiver(self.session, self.codec, self._calls)
            if found is None:
                raise
            return found

    def _uid(self) -> Flow[str]:
        try:
            frame = yield from self._calls.poll(SEC_UNIQID, size=9)
        except NoAnswer:
            return ""
        return parse_uniqid(frame.payload)

    def arm_state(self) -> Flow[ArmState]:
        """A receiver is never armed; whether it flies, the flight controller knows."""
        yield from ()
        return ArmState(armed=False)

    def snapshot(self, *, taken: str) -> Flow[Snapshot]:
        """Read every setting that profiles may set. Raises NoAnswer."""
        identity = self._identity or (yield from self.identify())
        settings = yield from self._store.read()
        return Snapshot(identity, taken, identity.capabilities[0], settings)

    def spec(self) -> Flow[Spec | None]:
        """Give the facts of the settings that this very receiver has."""
        identity = self._identity or (yield from self.identify())
        settings = yield from self._store.read()
        facts = {s.name: KEYS[s.name].spec(s.default) for s in settings}
        return Spec(self.family, identity.vehicle, identity.version, facts, t("the receiver itself"))

    def read(self, names: Collection[str]) -> Flow[Mapping[str, Setting | None]]:
        """Read some settings; None for those that it does not have. Raises NoAnswer."""
        found = {s.name: s for s in (yield from self._store.read(frozenset(names)))}
        return {name: found.get(name) for name in names}

    def write(self, changes: Sequence[Change]) -> Flow[tuple[Outcome, ...]]:
        """Write to everything that keeps settings, and judge by what is read back."""
        return (yield from self._store.write(changes))

    def signals(self) -> Flow[Heard]:
        """Ask what the receiver hears: jamming, spoofing, strength. Raises NoAnswer."""
        return (yield from self._signals.look())

    def commit(self) -> Flow[None]:
        """Nothing is staged."""
        yield from ()

    def discard(self) -> Flow[None]:
        """Nothing is staged."""
        yield from ()

    def reboot(self) -> Flow[None]:
        """Reset the receiver; it keeps its satellite data. The message is not answered by design."""
        yield from self._calls.tell(CFG_RST, reset_payload())

    def uptime(self) -> Flow[float | None]:
        """Give the seconds since its last start, from NAV-STATUS."""
        frame = yield from self._calls.poll(NAV_STATUS, size=16)
        return parse_status_uptime(frame.payload)

    def forget(self) -> None:
        """Drop half-received bytes."""
        self.codec.reset()

    def phase(self, name: str) -> Phase:
        """Nothing is hidden; the speed of the port comes last."""
        return Phase.LINK if name == BAUD else Phase.SET

    def protected(self, name: str) -> str:
        """Everything that is shown may be written."""
        del name
        return ""

    def coerce(self, name: str, value: Any, known: Setting | None) -> Value:
        """Turn a number or label into the stored value. ValueError says why it does not fit."""
        if name in KEYS:
            return choose(KEYS[name], value)
        del known
        return Value(Kind.TEXT, str(value))  # no receiver has it: the engine finds out and says so


def _protocol(version: Version) -> float:
    """Give the protocol version; ROM 2.01 of the first M8 does not tell it."""
    if re.fullmatch(r"\d+\.\d+", version.protocol):
        return float(version.protocol)
    return _LEGACY_SINCE if version.generation == "m8" else 0.0
