"""Read the reply to `get`: each setting with its value, and what the firmware allows it to be.

small_angle = 32                    value
profile 0                           only for settings of a profile: the active one [Betaflight]
Allowed range: 0 - 180              or `Allowed values: A, B`, `Array length: 3`, `String length: 1 - 16`
Default value: 25                   only where it differs [Betaflight 4.3 and later]
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from dronekit_cfg.model import INT_RANGES, Kind, Value

__all__ = ["Got", "parse_get", "typed"]


@dataclass(frozen=True, slots=True)
class Got:
    """One setting as `get` tells it. `default` is None where the firmware does not tell.

    `stored` is the true storage type where another way of asking tells it (INAV over MSP).
    """

    name: str
    value: str
    scope: str = ""
    number: int = 0
    minimum: float | None = None
    maximum: float | None = None
    options: tuple[str, ...] = ()
    array_length: int = 0
    longest: int = 0
    default: str | None = None
    real: bool = False
    stored: Kind | None = None

    @property
    def kind(self) -> Kind:
        """Smallest kind that holds the whole range; TEXT for labels, arrays and strings."""
        if self.minimum is None or self.maximum is None or self.array_length or self.options or self.longest:
            return Kind.TEXT
        if self.stored:
            return self.stored
        if self.real:
            return Kind.REAL32
        for kind in (Kind.UINT8, Kind.INT8, Kind.UINT16, Kind.INT16, Kind.UINT32, Kind.INT32):
            low, high = INT_RANGES[kind]
            if low <= self.minimum and self.maximum <= high:
                return kind
        return Kind.REAL32


_VALUE = re.compile(r"([A-Za-z0-9_]+) = ?(.*)")
_DETAILS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], dict[str, Any]]], ...] = (
    (
        re.compile(r"Allowed range: (-?[\d.]+) - (-?[\d.]+)"),
        lambda m: {"minimum": float(m[1]), "maximum": float(m[2])},
    ),
    (
        re.compile(r"Allowed values:(.*)"),
        lambda m: {"options": tuple(v.strip() for v in m[1].split(",") if v.strip())},
    ),
    (re.compile(r"(profile|rateprofile|battery_profile) (\d+)"), lambda m: {"scope": m[1], "number": int(m[2])}),
    (re.compile(r"Default value: ?(.*)"), lambda m: {"default": m[1].strip()}),
    (re.compile(r"Array length: (\d+)"), lambda m: {"array_length": int(m[1])}),
    (re.compile(r"(?:String length: \d+ -|Max\. length:) (\d+)"), lambda m: {"longest": int(m[1])}),
)


def parse_get(text: str, *, default_is_value: bool = True) -> dict[str, Got]:
    """Read a `get` reply by setting name. `default_is_value`: no default line means the value is the default."""
    return {got.name: got for got in _entries(text, default_is_value)}


def _entries(text: str, default_is_value: bool) -> Iterator[Got]:
    held: Got | None = None
    for raw in text.splitlines():
        line = raw.strip()
        # A string's value may look like any of the other lines, so a value line counts only where one can stand.
        if (match := _VALUE.fullmatch(line)) and not line.startswith(("Allowed", "Default")):
            if held:
                yield _finish(held, default_is_value)
            held = Got(match[1], match[2].strip())
        elif held:
            held = _detail(held, line)
    if held:
        yield _finish(held, default_is_value)


def _detail(got: Got, line: str) -> Got:
    for pattern, change in _DETAILS:
        if match := pattern.fullmatch(line):
            return replace(got, **change(match))
    return got


def _finish(got: Got, default_is_value: bool) -> Got:
    if got.default is None and default_is_value:
        got = replace(got, default=got.value)
    return replace(got, real="." in got.value and not got.options and not got.longest)


def typed(text: str, got: Got | None) -> Value:
    """Give `text` as a Value of the kind that `got` tells; TEXT where it is not known or does not fit.

    Labels come out in the firmware's own spelling.
    """
    if got is None:
        return Value(Kind.TEXT, text)
    if got.options:
        label = next((option for option in got.options if option.casefold() == text.casefold()), text)
        return Value(Kind.TEXT, label)
    if got.kind is Kind.TEXT:
        return Value(Kind.TEXT, text)
    try:
        return Value(got.kind, float(text) if got.kind is Kind.REAL32 else int(text))
    except (ValueError, OverflowError):
        return Value(Kind.TEXT, text)
