"""CRSF frames and parameters of radio modules, without I/O.

``sync len type payload crc``, big endian; `len` counts what follows it, and the CRC-8 (0xD5) covers type and payload.
From type 0x28 on, a payload begins with destination and origin [CRSF specification, "Frame Details"; ExpressLRS
src/include/crsf_protocol.h].
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from enum import IntEnum

from dronekit_cfg.wire.decoder import FrameFinder
from dronekit_cfg.wire.msp import crc8_dvb_s2

__all__ = [
    "Address",
    "CrsfCodec",
    "CrsfFrame",
    "Device",
    "Entry",
    "EntryType",
    "Frame",
    "Step",
    "encode",
    "parse_device",
    "parse_entry",
]

_SYNC = frozenset({0xC8, 0xEA, 0xEC, 0xEE, 0x00})
_SHORTEST, _LONGEST = 2, 62
_WIDE_HEADER = 2
_HIDDEN = 0x80


class Address(IntEnum):
    """Who speaks. As USB we must be 0x10: the handset port owns 0xEA."""

    BROADCAST = 0x00
    USB = 0x10
    FLIGHT_CONTROLLER = 0xC8
    HANDSET = 0xEA
    RECEIVER = 0xEC
    MODULE = 0xEE


class Frame(IntEnum):
    """Types of frames."""

    PING = 0x28
    DEVICE = 0x29
    ENTRY = 0x2B
    READ = 0x2C
    WRITE = 0x2D
    STATUS = 0x2E


class Step(IntEnum):
    """Steps of a command."""

    IDLE = 0
    START = 1
    RUNNING = 2
    ASKS = 3
    CONFIRMED = 4
    CANCEL = 5
    QUERY = 6


class EntryType(IntEnum):
    """Kinds of parameters."""

    UINT8 = 0
    INT8 = 1
    UINT16 = 2
    INT16 = 3
    UINT32 = 4
    INT32 = 5
    FLOAT = 8
    SELECTION = 9
    STRING = 10
    FOLDER = 11
    INFO = 12
    COMMAND = 13
    OUT_OF_RANGE = 127


_NUMBERS = {
    EntryType.UINT8: ">B",
    EntryType.INT8: ">b",
    EntryType.UINT16: ">H",
    EntryType.INT16: ">h",
    EntryType.UINT32: ">I",
    EntryType.INT32: ">i",
    EntryType.FLOAT: ">i",
}


@dataclass(frozen=True, slots=True)
class CrsfFrame:
    """One frame with addresses; `body` is the payload behind them."""

    type: int
    destination: int
    origin: int
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Device:
    """What a device tells about itself."""

    name: str
    serial: bytes
    software: int
    count: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One parameter. `value` is a number (of a selection its index) or a text; `options` are a selection's labels.

    A FLOAT has `precision` digits behind the point; a COMMAND has its step as value, its text as unit.
    """

    number: int
    parent: int
    type: EntryType
    hidden: bool
    name: str
    value: int | str = ""
    options: tuple[str, ...] = ()
    low: int = 0
    high: int = 0
    unit: str = ""
    precision: int = 0

    @property
    def format(self) -> str:
        """How a number is packed; "" for what is no number."""
        return _NUMBERS.get(self.type, "")


def encode(frame: CrsfFrame) -> bytes:
    """Give a frame as bytes. ValueError when it is too long."""
    inner = bytes((frame.type, frame.destination, frame.origin)) + frame.body
    if len(inner) + 1 > _LONGEST:
        raise ValueError(f"a CRSF frame of {len(inner)} bytes is too long")
    return bytes((0xC8, len(inner) + 1)) + inner + bytes((crc8_dvb_s2(inner),))


class CrsfCodec(FrameFinder[CrsfFrame]):
    """A `talk.flow.Codec` of `CrsfFrame`; frames without addresses (telemetry) are checked and skipped."""

    def _skip(self) -> bool:
        self._drop(1)
        return True

    def _step(self) -> bool:
        if not self._buffer:
            return False
        if self._buffer[0] not in _SYNC:
            return self._skip()
        length = self._buffer[1] if len(self._buffer) > 1 else _SHORTEST
        if not _SHORTEST <= length <= _LONGEST:
            return self._skip()
        end = _WIDE_HEADER + length
        if len(self._buffer) < end:
            return False
        inner = bytes(self._buffer[_WIDE_HEADER : end - 1])
        if crc8_dvb_s2(inner) != self._buffer[end - 1]:
            return self._skip()
        del self._buffer[:end]
        self.heard = True
        if inner[0] >= Frame.PING and len(inner) > _WIDE_HEADER:
            self._events.append(CrsfFrame(inner[0], inner[1], inner[2], inner[3:]))
        return True


def _text(data: bytes) -> tuple[str, bytes]:
    """Split a text at its zero byte. ValueError when there is none."""
    text, zero, rest = data.partition(b"\0")
    if not zero:
        raise ValueError("a text without end")
    return text.decode("utf-8", "replace"), rest


def parse_device(body: bytes) -> Device:
    """Read DEVICE_INFO. ValueError when it is cut short."""
    name, rest = _text(body)
    if len(rest) < 13:
        raise ValueError("DEVICE_INFO is too short")
    return Device(name, rest[:4], int.from_bytes(rest[8:12], "big"), rest[12])


def parse_entry(number: int, data: bytes) -> Entry:
    """Read a parameter that was joined from its chunks. ValueError for one that is cut short or unknown."""
    if len(data) < _WIDE_HEADER:
        raise ValueError("an entry without its head")
    parent, kind = data[0], EntryType(data[1] & ~_HIDDEN)
    name, rest = _text(data[2:])
    entry = Entry(number, parent, kind, bool(data[1] & _HIDDEN), name)
    if kind is EntryType.SELECTION:
        options, rest = _text(rest)
        if len(rest) < 4:
            raise ValueError("a selection without its value")
        labels = tuple(options.split(";"))
        return Entry(number, parent, kind, entry.hidden, name, rest[0], labels, rest[1], rest[2], _text(rest[4:])[0])
    if entry.format:
        return _number(entry, rest)
    if kind is EntryType.COMMAND:
        if len(rest) < 2:
            raise ValueError("a command without its step")
        return Entry(number, parent, kind, entry.hidden, name, rest[0], unit=_text(rest[2:])[0])
    if kind in {EntryType.INFO, EntryType.STRING}:
        return Entry(number, parent, kind, entry.hidden, name, _text(rest)[0])
    return entry


def _number(entry: Entry, rest: bytes) -> Entry:
    """Read value, range and unit of a number; of a float the precision and the step stand before the unit."""
    size = struct.calcsize(entry.format)
    if len(rest) < 4 * size:
        raise ValueError("a number without its range")
    value, low, high = (struct.unpack_from(entry.format, rest, place * size)[0] for place in range(3))
    rest, precision = rest[4 * size :], 0
    if entry.type is EntryType.FLOAT:
        if len(rest) < 5:
            raise ValueError("a float without its precision")
        precision, rest = min(rest[0], 9), rest[5:]
    return replace(entry, value=value, low=low, high=high, unit=_text(rest)[0], precision=precision)
