"""Read and write the settings of M8 receivers, which have messages instead of keys, under the names of the keys.

Each message is read, changed in the fields that are asked for, sent back, and all is saved at the end (CFG-CFG). An M8
does not tell what is saved, only what runs: that it was saved is proved by the restart at the end of an apply.
Layouts from the u-blox 8 / M8 receiver description, protocol 18.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dronekit_cfg.families.ublox.keys import BAUD, KEYS
from dronekit_cfg.families.ublox.speed import answers, follow
from dronekit_cfg.families.ublox.store import RESTART_SECONDS, fixed_link, judged
from dronekit_cfg.model import Change, Outcome, Setting, Value, Verdict
from dronekit_cfg.talk.flow import Flow
from dronekit_cfg.talk.ubx_calls import UbxCalls
from dronekit_cfg.wire.ubx import encode
from dronekit_cfg.wire.ubx_messages import CFG_CFG, save_payload

__all__ = ["FIELDS", "MESSAGES", "Field", "LegacyStore", "Message", "patch", "places"]


@dataclass(frozen=True, slots=True)
class Message:
    """One configuration message: what a poll carries, and which bytes say on writing which parts count."""

    kind: tuple[int, int]
    size: int
    request: bytes = b""
    masks: tuple[tuple[int, bytes], ...] = ()
    restart: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """Where a setting is: `bits` bits from bit `shift` on of the `size` bytes at `offset`."""

    message: Message
    offset: int
    size: int
    shift: int = 0
    bits: int = 0

    def get(self, payload: bytes) -> int:
        """Give the raw unsigned value."""
        whole = int.from_bytes(payload[self.offset : self.offset + self.size], "little")
        return whole >> self.shift & self._mask

    def put(self, payload: bytearray, value: int) -> None:
        """Change the value in place."""
        part = slice(self.offset, self.offset + self.size)
        whole = int.from_bytes(payload[part], "little")
        whole = whole & ~(self._mask << self.shift) | (value & self._mask) << self.shift
        payload[part] = whole.to_bytes(self.size, "little")

    @property
    def _mask(self) -> int:
        return (1 << (self.bits or 8 * self.size)) - 1


_NAV5 = Message((0x06, 0x24), 36, masks=((0, b"\xff\x05"),))
_NAVX5 = Message((0x06, 0x23), 40, masks=((2, b"\x0c\x00\x00\x00\x00\x00"),))
_RATE = Message((0x06, 0x08), 6)
_ITFM = Message((0x06, 0x39), 8)
_ANT = Message((0x06, 0x13), 4)
_PRT = Message((0x06, 0x00), 20, request=b"\1")
_GNSS = Message((0x06, 0x3E), 4, restart=True)


def _rate(cls: int, id_: int) -> Field:
    return Field(Message((0x06, 0x01), 8, request=bytes((cls, id_))), 3, 1)


FIELDS: Mapping[str, Field] = {
    "CFG-NAVSPG-DYNMODEL": Field(_NAV5, 2, 1),
    "CFG-NAVSPG-FIXMODE": Field(_NAV5, 3, 1),
    "CFG-NAVSPG-INFIL_MINELEV": Field(_NAV5, 12, 1),
    "CFG-NAVSPG-OUTFIL_PDOP": Field(_NAV5, 14, 2),
    "CFG-NAVSPG-OUTFIL_TDOP": Field(_NAV5, 16, 2),
    "CFG-NAVSPG-OUTFIL_PACC": Field(_NAV5, 18, 2),
    "CFG-NAVSPG-OUTFIL_TACC": Field(_NAV5, 20, 2),
    "CFG-NAVSPG-INFIL_NCNOTHRS": Field(_NAV5, 24, 1),
    "CFG-NAVSPG-INFIL_CNOTHRS": Field(_NAV5, 25, 1),
    "CFG-NAVSPG-INFIL_MINSVS": Field(_NAVX5, 10, 1),
    "CFG-NAVSPG-INFIL_MAXSVS": Field(_NAVX5, 11, 1),
    "CFG-NAVSPG-INFIL_MINCNO": Field(_NAVX5, 12, 1),
    "CFG-RATE-MEAS": Field(_RATE, 0, 2),
    "CFG-RATE-NAV": Field(_RATE, 2, 2),
    "CFG-RATE-TIMEREF": Field(_RATE, 4, 2),
    "CFG-ITFM-BBTHRESHOLD": Field(_ITFM, 0, 4, 0, 4),
    "CFG-ITFM-CWTHRESHOLD": Field(_ITFM, 0, 4, 4, 5),
    "CFG-ITFM-ENABLE": Field(_ITFM, 0, 4, 31, 1),
    "CFG-ITFM-ANTSETTING": Field(_ITFM, 4, 4, 12, 2),
    "CFG-ITFM-ENABLE_AUX": Field(_ITFM, 4, 4, 14, 1),
    "CFG-HW-ANT_CFG_VOLTCTRL": Field(_ANT, 0, 2, 0, 1),
    "CFG-HW-ANT_CFG_SHORTDET": Field(_ANT, 0, 2, 1, 1),
    "CFG-HW-ANT_CFG_OPENDET": Field(_ANT, 0, 2, 2, 1),
    "CFG-HW-ANT_CFG_PWRDOWN": Field(_ANT, 0, 2, 3, 1),
    "CFG-HW-ANT_CFG_RECOVER": Field(_ANT, 0, 2, 4, 1),
    "CFG-MSGOUT-UBX_NAV_PVT_UART1": _rate(0x01, 0x07),
    "CFG-MSGOUT-UBX_NAV_DOP_UART1": _rate(0x01, 0x04),
    "CFG-MSGOUT-UBX_NAV_STATUS_UART1": _rate(0x01, 0x03),
    "CFG-MSGOUT-UBX_NAV_SAT_UART1": _rate(0x01, 0x35),
    "CFG-MSGOUT-UBX_MON_HW_UART1": _rate(0x0A, 0x09),
    BAUD: Field(_PRT, 8, 4),
}
"""By the name that the same setting has as a key."""
MESSAGES: tuple[Message, ...] = (
    *dict.fromkeys(f.message for f in FIELDS.values() if f.message != _PRT),
    _GNSS,
    _PRT,
)
"""In the order in which they are written: the speed of the port last."""
_CONSTELLATIONS = {0: "GPS", 1: "SBAS", 2: "GAL", 3: "BDS", 5: "QZSS", 6: "GLO"}
_BLOCK = 8


def places(message: Message, payload: bytes) -> Iterator[tuple[str, Field]]:
    """Give the settings that a message holds and where; in CFG-GNSS that depends on its blocks."""
    if message.kind == _GNSS.kind:
        for start in range(4, len(payload) - _BLOCK + 1, _BLOCK):
            if name := _CONSTELLATIONS.get(payload[start]):
                yield f"CFG-SIGNAL-{name}_ENA", Field(message, start + 4, 4, 0, 1)
        return
    yield from ((name, field) for name, field in FIELDS.items() if field.message == message)


def patch(message: Message, payload: bytes, values: Mapping[str, int]) -> bytes:
    """Give the message with some settings changed, as it is sent to the receiver."""
    changed = bytearray(payload)
    where = dict(places(message, payload))
    for name, value in values.items():
        where[name].put(changed, value)
    for offset, mask in message.masks:
        changed[offset : offset + len(mask)] = mask
    return bytes(changed)


class LegacyStore:
    """The settings of one receiver; the same use as `store.KeyStore`."""

    def __init__(self, calls: UbxCalls) -> None:
        self._calls = calls
        self._absent: set[Message] = set()
        self.speeds: tuple[int, ...] = ()
        """Speeds that the port may have after a restart, once it was changed."""

    def _payloads(self) -> Flow[dict[Message, bytes]]:
        """Read every message that this receiver has; one that it refuses it has not."""
        found: dict[Message, bytes] = {}
        for message in MESSAGES:
            if message in self._absent:
                continue
            frame = yield from self._calls.poll_if_known(message.kind, message.request, size=message.size)
            if frame is None:
                self._absent.add(message)
            else:
                found[message] = frame.payload
        return found

    def read(self, names: Collection[str] | None = None) -> Flow[tuple[Setting, ...]]:
        """Read all settings, or some; those that the receiver does not have are left out. Raises NoAnswer."""
        values = _values((yield from self._payloads()))
        return tuple(Setting(n, values[n]) for n in KEYS if n in values and (names is None or n in names))

    def write(self, changes: Sequence[Change]) -> Flow[tuple[Outcome, ...]]:
        """Write message by message, save, and judge by what is read back."""
        payloads = yield from self._payloads()
        wanted = {c.name: KEYS[c.name].encode(c.wanted) for c in changes if c.name in KEYS}
        restarts = stuck = False
        for message, payload in payloads.items():
            here = {name: wanted[name] for name, _ in places(message, payload) if name in wanted}
            if BAUD in here:
                old = FIELDS[BAUD].get(payload)
                self.speeds = (here[BAUD], old)
                order = encode(*message.kind, patch(message, payload, here))
                stuck = (yield from follow(self._calls, order, old, here[BAUD])) is None
            elif here:
                yield from self._calls.acknowledged(message.kind, patch(message, payload, here))
                restarts |= message.restart
        if restarts:
            yield from self._calls.pause(RESTART_SECONDS / 2)
            yield from answers(self._calls, tries=5)
        saved = yield from self._calls.acknowledged(CFG_CFG, save_payload(), patience=3.0)
        found = _values((yield from self._payloads()))
        outcomes = (self._outcome(c, found, saved=bool(saved)) for c in changes)
        return tuple(replace(o, detail=fixed_link()) if stuck and o.name == BAUD else o for o in outcomes)

    def _outcome(self, change: Change, found: Mapping[str, Value], *, saved: bool) -> Outcome:
        if change.name not in found:
            return Outcome(change.name, change.wanted, None, Verdict.UNKNOWN)
        if not saved:
            return Outcome(change.name, change.wanted, None, Verdict.LOST)
        return judged(change, found[change.name])


def _values(payloads: Mapping[Message, bytes]) -> dict[str, Value]:
    return {
        name: KEYS[name].decode(field.get(payload))
        for message, payload in payloads.items()
        for name, field in places(message, payload)
    }
