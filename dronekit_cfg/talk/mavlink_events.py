"""Turns the events that a vehicle sends into texts, by the metadata that it carries itself.

Facts (MAVLink events interface; PX4 of 2024-10): an EVENT bears a number (component in the highest byte, event below),
a log level (low four bits for people, high four for the log; smaller is worse) and up to 40 bytes of arguments, packed
without gaps in little-endian order. The metadata file gives each event its name, its text with places such as `{2}`,
`{3:.1m}`, and the types of its arguments, some of them enums of the same file.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dronekit_cfg.errors import LinkGarbage
from dronekit_cfg.text import t

__all__ = ["EventBook", "Said", "read_book"]

_PACKED = {
    "uint8_t": "B", "int8_t": "b", "uint16_t": "H", "int16_t": "h", "uint32_t": "I", "int32_t": "i",
    "uint64_t": "Q", "int64_t": "q", "float": "f",
}  # fmt: skip
_PLACE = re.compile(r"\{(\d{1,3})(?::(?:\.(\d{1,2}))?([A-Za-z/^0-9_]*))?\}")
_UNITS = {"m_v": "m", "m^2": "m\N{SUPERSCRIPT TWO}", "C": "\N{DEGREE SIGN}C"}
_COMPONENT = 24
WORST_UNSEEN = 8
"""Log levels from here on are not meant for people."""


@dataclass(frozen=True, slots=True)
class Said:
    """One event in words. `severity` counts as in STATUSTEXT; `group` is "health", "arming_check" or "default"."""

    name: str
    group: str
    severity: int
    text: str


@dataclass(frozen=True, slots=True)
class _Enum:
    packed: str
    entries: Mapping[int, str]
    bits: bool


@dataclass(frozen=True, slots=True)
class _Event:
    name: str
    group: str
    message: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EventBook:
    """What the numbers of a vehicle's events mean."""

    events: Mapping[int, _Event] = field(default_factory=dict)
    enums: Mapping[str, _Enum] = field(default_factory=dict)

    def read(self, fields: Mapping[str, Any]) -> Said | None:
        """Put an EVENT into words; None for one that is not for people, or not in the book."""
        event, severity = self.events.get(fields["id"]), fields["log_levels"] & 0xF
        if event is None or severity >= WORST_UNSEEN:
            return None
        values = self._values(event, bytes(fields["arguments"]))
        text = _PLACE.sub(lambda match: _shown(match, values), event.message)
        return Said(event.name, event.group, severity, text.replace("\\", ""))

    def _values(self, event: _Event, data: bytes) -> list[float | str]:
        values: list[float | str] = []
        at = 0
        for kind in event.arguments:
            enum = self.enums.get(kind)
            packer = struct.Struct("<" + (enum.packed if enum else _PACKED[kind]))
            if at + packer.size > len(data):
                break
            (number,) = packer.unpack_from(data, at)
            at += packer.size
            values.append(_label(enum, number) if enum else number)
        return values


def read_book(content: Any) -> EventBook:
    """Read the metadata of events, as JSON gives it. Raises LinkGarbage when it is something else.

    Events with an argument of an unknown type are left out: their texts could not be filled in.
    """
    try:
        parts: Mapping[str, Any] = content["components"]
        enums = {
            name: enum
            for part in parts.values()
            for key, raw in part.get("enums", {}).items()
            for enum in [_enum(raw)]
            for name in (key, f"{part['namespace']}::{key}")
        }
        events = {
            int(number) | int(component) << _COMPONENT: _event(raw, group)
            for component, part in parts.items()
            for group, listed in part.get("event_groups", {}).items()
            for number, raw in listed.get("events", {}).items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise LinkGarbage(t("this is no metadata of events ({why})", why=error)) from error
    readable = {n: e for n, e in events.items() if all(a in enums or a in _PACKED for a in e.arguments)}
    return EventBook(readable, enums)


def _enum(raw: Mapping[str, Any]) -> _Enum:
    entries = {int(n): str(e.get("description") or e["name"]) for n, e in raw.get("entries", {}).items()}
    return _Enum(_PACKED[raw["type"]], entries, bool(raw.get("is_bitfield")))


def _event(raw: Mapping[str, Any], group: str) -> _Event:
    arguments = tuple(str(a["type"]) for a in raw.get("arguments", ()))
    return _Event(str(raw["name"]), group, str(raw["message"]), arguments)


def _label(enum: _Enum, number: int) -> str:
    if not enum.bits:
        return enum.entries.get(number, str(number))
    return _joined(label for bit, label in enum.entries.items() if bit and number & bit == bit) or str(number)


def _joined(labels: Iterable[str]) -> str:
    return ", ".join(labels)


def _shown(match: re.Match[str], values: list[float | str]) -> str:
    place, digits, unit = int(match[1]) - 1, match[2], match[3] or ""
    if not 0 <= place < len(values):
        return "?"
    value = values[place]
    if isinstance(value, str):
        return value
    number = f"{value:.{digits}f}" if digits else f"{value:g}"
    return f"{number} {_UNITS.get(unit, unit)}".rstrip()
