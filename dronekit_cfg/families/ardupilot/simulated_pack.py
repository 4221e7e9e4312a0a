"""The packed parameter file of the simulated ArduCopter: `@PARAM/param.pck` made and parsed as the firmware does.

Format (`libraries/AP_Filesystem/AP_Filesystem_Param.cpp`): a header of three uint16 (magic, parameters in this file,
parameters in all), then records `type:4|flags:4, common:4|length-1:4, name tail, value, [default]`. Zero bytes stand
before a record whose last field would else cross a border between two read blocks, so the content depends on the read
size. An upload has no padding, no defaults, and its length in bytes in place of the third header field.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dronekit_cfg.families.ardupilot.simulated_data import FLOAT, INT8, INT16, INT32, Fact, single
from dronekit_cfg.families.ardupilot.simulated_params import ParameterStore, same_value

__all__ = ["PackQuery", "Uploaded", "pack", "parse_upload", "read_query"]

MAGIC, MAGIC_DEFAULTS = 0x671B, 0x671C
HEADER = struct.Struct("<HHH")
NAME_LIMIT = 16
_VALUES = {
    INT8: struct.Struct("<b"),
    INT16: struct.Struct("<h"),
    INT32: struct.Struct("<i"),
    FLOAT: struct.Struct("<f"),
}
FILE = "@PARAM/param.pck"


@dataclass(frozen=True, slots=True)
class PackQuery:
    """What the part of the file name behind the question mark asks for; `count` 0 means all."""

    start: int = 0
    count: int = 0
    with_defaults: bool = False


@dataclass(frozen=True, slots=True)
class Uploaded:
    """One record of an upload. `type` is what the file says, which need not be that of the parameter."""

    name: str
    type: int
    value: int | float


def _leading_number(text: str) -> int:
    digits = text[: len(text) - len(text.lstrip("0123456789"))]
    return int(digits or "0")


def read_query(name: str) -> PackQuery | None:
    """Read `@PARAM/param.pck?key=value&...`; None when the name is another file. Unknown keys are passed over.

    Raises ValueError for values that the firmware refuses.
    """
    path, mark, query = name.partition("?")
    if path != FILE:
        return None
    found = {"start": 0, "count": 0, "withdefaults": 0}
    for part in query.split("&") if mark else ():
        key, _, value = part.partition("=")
        if key in found:
            found[key] = _leading_number(value)
    if found["withdefaults"] > 1 or max(found.values()) >= 0xFFFF:
        raise ValueError(query)
    return PackQuery(found["start"], found["count"], bool(found["withdefaults"]))


def _shared(name: bytes, previous: bytes) -> int:
    shared = 0
    while shared < min(len(name), len(previous)) and name[shared] == previous[shared]:
        shared += 1
    return min(shared, len(name) - 1)


def _record(fact: Fact, value: float, previous: bytes, *, with_defaults: bool) -> bytes:
    name = fact.name.encode()
    shared = _shared(name, previous)
    packer = _VALUES[fact.type]
    shows_default = with_defaults and not same_value(single(float(value)), single(float(fact.default)))
    head = bytes((fact.type | shows_default << 4, shared | (len(name) - shared - 1) << 4))
    record = head + name[shared:] + packer.pack(value)
    if not shows_default:
        return record
    # A default outside the type is cut to its bits, as the firmware's cast does (SIM_OH_RELAY_MSK: int16 of 65535).
    return record + (packer.pack(fact.default) if fact.type == FLOAT else _bits(fact.default, packer.size))


def _bits(value: float, size: int) -> bytes:
    return (int(value) & ((1 << 8 * size) - 1)).to_bytes(size, "little")


def pack(store: ParameterStore, query: PackQuery, read_size: int) -> bytes:
    """Make the whole file for one read size. Raises ValueError when `start` is behind the end."""
    listed = store.listed()
    if len(listed) <= query.start:
        raise ValueError(query.start)
    chosen: Sequence[Fact] = listed[query.start :]
    if query.count:
        chosen = chosen[: query.count]
    magic = MAGIC_DEFAULTS if query.with_defaults else MAGIC
    content = bytearray(HEADER.pack(magic, len(chosen), len(listed)))
    previous = b""
    for fact in chosen:
        record = _record(fact, store.value(fact.name), previous, with_defaults=query.with_defaults)
        size = _VALUES[fact.type].size
        over = (len(content) + len(record)) % read_size
        if size > 1 and 0 < over < size:
            content += bytes(size - over)
        content += record
        previous = fact.name.encode()
    return bytes(content)


def parse_upload(content: bytes) -> Iterator[Uploaded]:
    """Give the records of an uploaded file one by one, as far as the firmware would take them.

    Like the firmware it believes the header and checks no borders: a file whose tail never arrived is zero-filled by
    the receiving side, and its leading records come out. Ends without a word where the firmware gives up.
    """
    if len(content) < HEADER.size:
        return
    magic, number, length = HEADER.unpack_from(content)
    if magic != MAGIC or length != len(content):
        return
    at, name = HEADER.size, b""
    for _ in range(number):
        record = _taken(content, at, name)
        if record is None:
            return
        at, name, kind, value = record
        yield Uploaded(name.decode("ascii", "replace"), kind, value)


def _taken(content: bytes, at: int, previous: bytes) -> tuple[int, bytes, int, int | float] | None:
    """Give (next offset, name, type, value) of the record at `at`, None where parsing ends.

    A type that is none (0 in zero-filled blocks) holds no value; the firmware skips four bytes for an unknown name.
    """
    if at + 2 > len(content):
        return None
    kind, flags = content[at] & 15, content[at] >> 4
    shared, length = content[at + 1] & 15, (content[at + 1] >> 4) + 1
    if flags or shared + length > NAME_LIMIT:
        return None
    end = at + 2 + length
    name = previous[:shared].ljust(shared, b"\0") + content[at + 2 : end]
    packer = _VALUES.get(kind)
    size = 4 if packer is None else packer.size
    raw = content[end : end + size].ljust(size, b"\0")
    value = 0 if packer is None else packer.unpack(raw)[0]
    return end + size, name.partition(b"\0")[0], kind, value
