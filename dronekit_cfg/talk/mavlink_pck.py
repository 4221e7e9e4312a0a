"""ArduPilot's packed parameter file `@PARAM/param.pck`: bytes to settings and back.

Layout (little endian; source: the comment in ArduPilot's AP_Filesystem_Param.cpp, checked against files recorded from
Copter 4.5.6 and 4.7-dev): u16 magic, u16 number of records, u16 total. A record is type and flags (4 bits each), length
shared with the name before and length of the rest minus one (4 bits each), the rest of the name, the value, and, with
flag 1, the default. A record without a default holds its default. Zero bytes between records are padding: they keep a
value from crossing a block of the download.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence

from dronekit_cfg.errors import LinkGarbage
from dronekit_cfg.model import Kind, Setting, Value
from dronekit_cfg.text import t

__all__ = ["PackedCountChanged", "decode_packed", "encode_packed"]

MAGIC, MAGIC_DEFAULTS = 0x671B, 0x671C
HEADER = struct.Struct("<HHH")
FLAG_DEFAULT = 1
MAX_NAME = 16
MAX_UPLOAD = 0xFFFF
"""An upload's total is its length in bytes, held in 16 bits."""
_KINDS = {
    1: (Kind.INT8, struct.Struct("<b")),
    2: (Kind.INT16, struct.Struct("<h")),
    3: (Kind.INT32, struct.Struct("<i")),
    4: (Kind.REAL32, struct.Struct("<f")),
}
_NUMBERS = {kind: (number, layout) for number, (kind, layout) in _KINDS.items()}


class PackedCountChanged(LinkGarbage):
    """The file holds another number of records than its header says: settings appeared meanwhile. Take it again."""


def _bad(why: str) -> LinkGarbage:
    return LinkGarbage(
        t("the packed settings are damaged: {why}", why=why), hint=t("read them again; if it persists, report it")
    )


def decode_packed(data: bytes) -> tuple[Setting, ...]:
    """Give the settings of a downloaded file, in its order, with true types.

    Where the file carries no defaults at all (magic 0x671b) the defaults are None. Raises PackedCountChanged when the
    number of records differs from the header, LinkGarbage for anything else that does not fit, never a partial result.
    """
    if len(data) < HEADER.size:
        raise _bad(t("{size} bytes are too few", size=len(data)))
    magic, count, total = HEADER.unpack_from(data)
    if magic not in (MAGIC, MAGIC_DEFAULTS):
        raise _bad(t("they begin with {magic:#06x}", magic=magic))
    settings: list[Setting] = []
    seen: set[str] = set()
    at, previous = HEADER.size, b""
    while (at := _next_record(data, at)) < len(data):
        try:
            name, value, default, at = _record(data, at, previous)
        except (struct.error, IndexError) as error:
            raise _bad(t("they end in the middle of setting {number}", number=len(settings) + 1)) from error
        text = name.decode("ascii", "replace")
        if text in seen or not text.isascii() or not text.isprintable():
            raise _bad(t("setting {number} is called {name!r}", number=len(settings) + 1, name=text))
        seen.add(text)
        known = default if default is not None else value if magic == MAGIC_DEFAULTS else None
        settings.append(Setting(text, value, known))
        previous = name
    if len(settings) != count or total < count:
        raise PackedCountChanged(
            t(
                "{found} packed settings arrived, {count} of {total} were announced",
                found=len(settings),
                count=count,
                total=total,
            ),
            hint=t("read them again"),
        )
    return tuple(settings)


def _next_record(data: bytes, at: int) -> int:
    while at < len(data) and data[at] == 0:
        at += 1
    return at


def _record(data: bytes, at: int, previous: bytes) -> tuple[bytes, Value, Value | None, int]:
    """Give name, value, default and the place behind the record at `at`."""
    head, lengths = data[at], data[at + 1]
    if head & 0x0F not in _KINDS or head >> 4 & ~FLAG_DEFAULT:
        raise _bad(t("byte {at} is {head:#04x}, no type of setting", at=at, head=head))
    shared, own = lengths & 0x0F, (lengths >> 4) + 1
    if shared > len(previous) or shared + own > MAX_NAME:
        raise _bad(t("the name at byte {at} has a wrong length", at=at))
    kind, layout = _KINDS[head & 0x0F]
    at += 2
    name = previous[:shared] + data[at : at + own]
    at += own
    value = Value(kind, layout.unpack_from(data, at)[0])
    at += layout.size
    if not head >> 4:
        return name, value, None, at
    return name, value, Value(kind, layout.unpack_from(data, at)[0]), at + layout.size


def encode_packed(values: Iterable[tuple[str, Value]]) -> bytes:
    """Give the file to upload for these names and values.

    An upload has magic 0x671b, no defaults, no padding, and its own length as total. ArduPilot checks hardly anything
    while it parses, so the result is decoded again here before it is given out. Raises ValueError for names longer
    than 16 characters, kinds that ArduPilot does not have, and files over 65535 bytes.
    """
    records: list[bytes] = []
    wanted: Sequence[tuple[str, Value]] = tuple(values)
    previous = b""
    for name, value in wanted:
        raw = name.encode("ascii")
        if not 0 < len(raw) <= MAX_NAME:
            raise ValueError(f"{name!r} is no name of a setting")
        if value.kind not in _NUMBERS:
            raise ValueError(f"{name}: ArduPilot has no settings of kind {value.kind}")
        number, layout = _NUMBERS[value.kind]
        shared = _shared(previous, raw)
        rest = raw[shared:]
        records.append(bytes((number, shared | len(rest) - 1 << 4)) + rest + layout.pack(value.raw))
        previous = raw
    body = b"".join(records)
    size = HEADER.size + len(body)
    if size > MAX_UPLOAD:
        raise ValueError(f"{size} bytes do not fit one upload")
    parsed = _parse_upload(body)
    if parsed != wanted:
        raise ValueError("the packed file does not read back as what was packed")
    return HEADER.pack(MAGIC, len(wanted), size) + body


def _shared(previous: bytes, name: bytes) -> int:
    """Length of the common beginning; at least one character of the name stays, and 15 is the most."""
    limit = min(len(previous), len(name) - 1, 15)
    return next((i for i in range(limit) if previous[i] != name[i]), limit)


def _parse_upload(body: bytes) -> tuple[tuple[str, Value], ...]:
    """Read records back as the vehicle does: no padding, each at once behind the other."""
    found: list[tuple[str, Value]] = []
    at, previous = 0, b""
    while at < len(body):
        previous, value, _, at = _record(body, at, previous)
        found.append((previous.decode("ascii"), value))
    return tuple(found)
