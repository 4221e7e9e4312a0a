"""Payload layouts of the MAVLink messages, taken from pymavlink's ardupilotmega dialect.

pymavlink's generated classes are used as a table only: ids, field names and order, struct formats and CRC seeds.
Framing, decoding and encoding are our own, because its parser drops a whole frame's worth of bytes after one bad CRC,
takes 280 bytes behind any stray start byte, and hands out untyped objects. Importing the dialect takes about 60 ms, so
it happens on first use.
"""

from __future__ import annotations

import inspect
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import Any

__all__ = ["FieldLayout", "Layout", "checksum", "layout_of_id", "layout_of_name"]


@dataclass(frozen=True, slots=True)
class FieldLayout:
    """One field: `count` struct items from `start`; `kind` is "text", "bytes", "array" or "number"."""

    name: str
    kind: str
    start: int
    count: int
    length: int
    extension: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """One message: fields in wire order, sizes in bytes (`base_size` is without MAVLink 2 extension fields)."""

    id: int
    name: str
    crc_extra: int
    packer: struct.Struct
    base_size: int
    fields: tuple[FieldLayout, ...]

    def decode(self, payload: bytes) -> dict[str, Any]:
        """Give the fields by name. A short payload is zero-filled (MAVLink 2 truncation), a long one cut.

        Texts end at the first NUL; arrays of uint8 are bytes, other arrays tuples.
        """
        size = self.packer.size
        items = self.packer.unpack(payload.ljust(size, b"\0")[:size])
        return {f.name: items[f.start] if f.kind == "number" else _decoded(f, items) for f in self.fields}

    def encode(self, values: Mapping[str, Any]) -> bytes:
        """Pack all fields, zero-filled to full length. Extension fields may be left out (0), base fields may not.

        Raises ValueError for unknown, missing, too long or out-of-range fields.
        """
        unknown = values.keys() - {f.name for f in self.fields}
        if unknown:
            raise ValueError(f"{self.name} has no field {', '.join(sorted(unknown))}")
        items: list[Any] = []
        for field in self.fields:
            if field.name not in values and not field.extension:
                raise ValueError(f"{self.name} needs the field {field.name}")
            items += _encoded(field, values.get(field.name))
        try:
            return self.packer.pack(*items)
        except struct.error as error:
            raise ValueError(f"{self.name}: {error}") from error


def _decoded(field: FieldLayout, items: tuple[Any, ...]) -> Any:
    if field.kind == "text":
        raw: bytes = items[field.start]
        return raw.split(b"\0", 1)[0].decode("utf-8", "replace")
    part = items[field.start : field.start + field.count]
    return bytes(part) if field.kind == "bytes" else part


def _encoded(field: FieldLayout, value: Any) -> list[Any]:
    if field.kind == "number":
        return [0 if value is None else value]
    if field.kind == "text":
        text = b"" if value is None else value.encode("utf-8") if isinstance(value, str) else bytes(value)
        if len(text) > field.length:
            raise ValueError(f"{field.name} holds {field.length} characters, not {len(text)}: {value!r}")
        return [text]
    part = list(value or ())
    if len(part) > field.count:
        raise ValueError(f"{field.name} holds {field.count} items, not {len(part)}")
    return part + [0] * (field.count - len(part))


@cache
def _dialect() -> ModuleType:
    from pymavlink.dialects.v20 import ardupilotmega

    module: ModuleType = ardupilotmega
    return module


@cache
def _ids() -> dict[str, int]:
    ids = {cls.msgname: number for number, cls in _dialect().mavlink_map.items()}
    return {layout.name: number for number, layout in _OWN.items()} | ids


def layout_of_name(name: str) -> Layout:
    """Give the layout of a message by name. Raises ValueError when the dialect does not have it."""
    found = layout_of_id(_ids().get(name, -1))
    if found is None:
        raise ValueError(f"no MAVLink message is called {name}")
    return found


@cache
def layout_of_id(number: int) -> Layout | None:
    """Give the layout of a message by id, or None when the dialect does not have it."""
    cls = _dialect().mavlink_map.get(number)
    if cls is None:
        return _OWN.get(number)
    optional = {p.name for p in inspect.signature(cls.__init__).parameters.values() if p.default is not p.empty}
    types = dict(zip(cls.fieldnames, cls.fieldtypes, strict=True))
    packer = struct.Struct(cls.unpacker.format)
    sample = packer.unpack(bytes(packer.size))
    fields: list[FieldLayout] = []
    base = start = 0
    for name, count, length in zip(cls.ordered_fieldnames, cls.lengths, cls.array_lengths, strict=True):
        is_text = isinstance(sample[start], bytes)
        extension = name in optional
        kind = "text" if is_text else "number" if not length else "bytes" if types[name] == "uint8_t" else "array"
        fields.append(FieldLayout(name, kind, start, count, length or 1, extension))
        if not extension:
            base += _SIZES[types[name]] * (length or 1)
        start += count
    return Layout(number, cls.msgname, cls.crc_extra, packer, base, tuple(fields))


_SIZES = {
    "char": 1,
    "uint8_t": 1,
    "int8_t": 1,
    "uint16_t": 2,
    "int16_t": 2,
    "uint32_t": 4,
    "int32_t": 4,
    "float": 4,
    "uint64_t": 8,
    "int64_t": 8,
    "double": 8,
}


_OWN = {
    290: Layout(
        id=290,
        name="ESC_INFO",
        crc_extra=251,
        packer=struct.Struct("<Q4IH4H4h4B"),
        base_size=46,
        fields=(
            FieldLayout("time_usec", "number", 0, 1, 1, extension=False),
            FieldLayout("error_count", "array", 1, 4, 4, extension=False),
            FieldLayout("counter", "number", 5, 1, 1, extension=False),
            FieldLayout("failure_flags", "array", 6, 4, 4, extension=False),
            FieldLayout("temperature", "array", 10, 4, 4, extension=False),
            FieldLayout("index", "number", 14, 1, 1, extension=False),
            FieldLayout("count", "number", 15, 1, 1, extension=False),
            FieldLayout("connection_type", "number", 16, 1, 1, extension=False),
            FieldLayout("info", "number", 17, 1, 1, extension=False),
        ),
    ),
    291: Layout(
        id=291,
        name="ESC_STATUS",
        crc_extra=10,
        packer=struct.Struct("<Q4i4f4fB"),
        base_size=57,
        fields=(
            FieldLayout("time_usec", "number", 0, 1, 1, extension=False),
            FieldLayout("rpm", "array", 1, 4, 4, extension=False),
            FieldLayout("voltage", "array", 5, 4, 4, extension=False),
            FieldLayout("current", "array", 9, 4, 4, extension=False),
            FieldLayout("index", "number", 13, 1, 1, extension=False),
        ),
    ),
    397: Layout(
        id=397,
        name="COMPONENT_METADATA",
        crc_extra=182,
        packer=struct.Struct("<II100s"),
        base_size=108,
        fields=(
            FieldLayout("time_boot_ms", "number", 0, 1, 1, extension=False),
            FieldLayout("file_crc", "number", 1, 1, 1, extension=False),
            FieldLayout("uri", "text", 2, 1, 100, extension=False),
        ),
    ),
    410: Layout(
        id=410,
        name="EVENT",
        crc_extra=160,
        packer=struct.Struct("<IIH3B40B"),
        base_size=53,
        fields=(
            FieldLayout("id", "number", 0, 1, 1, extension=False),
            FieldLayout("event_time_boot_ms", "number", 1, 1, 1, extension=False),
            FieldLayout("sequence", "number", 2, 1, 1, extension=False),
            FieldLayout("destination_component", "number", 3, 1, 1, extension=False),
            FieldLayout("destination_system", "number", 4, 1, 1, extension=False),
            FieldLayout("log_levels", "number", 5, 1, 1, extension=False),
            FieldLayout("arguments", "bytes", 6, 40, 40, extension=False),
        ),
    ),
}
"""Messages of MAVLink's common.xml that the dialect does not have; checked against frames of a real PX4, those of ESCs
against the seeds and lengths of MAVLink's own C headers."""


def checksum(data: bytes, extra: int) -> int:
    """Give the CRC-16/MCRF4XX of a frame's bytes behind the start byte, seeded with the layout's `crc_extra`."""
    crc: int = _dialect().x25crc(data + bytes((extra,))).crc
    return crc
