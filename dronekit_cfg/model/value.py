"""Values as the wire sees them: an integer of a width, a float32, or a text."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from enum import StrEnum

__all__ = ["INT_RANGES", "Kind", "Scalar", "Value", "float32", "shortest"]

Scalar = int | float | str


class Kind(StrEnum):
    """Storage type of a setting: the names of MAV_PARAM_TYPE without their prefix, and TEXT for CLI families.

    A SECRET holds a fingerprint and not the text itself, see `model.secret`.
    """

    UINT8 = "UINT8"
    INT8 = "INT8"
    UINT16 = "UINT16"
    INT16 = "INT16"
    UINT32 = "UINT32"
    INT32 = "INT32"
    REAL32 = "REAL32"
    TEXT = "TEXT"
    SECRET = "SECRET"  # noqa: S105  a kind of value, no password

    @property
    def is_integer(self) -> bool:
        """Whether values of this kind are whole numbers."""
        return self in INT_RANGES


_TEXTS = frozenset({Kind.TEXT, Kind.SECRET})

INT_RANGES: dict[Kind, tuple[int, int]] = {
    Kind.UINT8: (0, 255),
    Kind.INT8: (-128, 127),
    Kind.UINT16: (0, 65535),
    Kind.INT16: (-32768, 32767),
    Kind.UINT32: (0, 4294967295),
    Kind.INT32: (-2147483648, 2147483647),
}
"""Smallest and largest value that each integer kind stores."""


EXPONENT_FROM = 1e10
"""Whole numbers below this are shown without an exponent."""


def float32(x: float) -> float:
    """Round `x` to the nearest float32. Raises OverflowError when its magnitude is beyond float32."""
    return float(struct.unpack("<f", struct.pack("<f", x))[0])


def shortest(x: float) -> str:
    """Give the shortest decimal text (at most 9 significant digits) that reads back as the same float32."""
    if math.isnan(x) or math.isinf(x):
        return str(x)
    text = next((s for s in (f"{x:.{digits}g}" for digits in range(6, 9)) if float32(float(s)) == x), f"{x:.9g}")
    # 1250000 reads better than 1.25e+06; parameter files of other tools do not write exponents for it either.
    return str(int(x)) if "e+" in text and abs(x) < EXPONENT_FROM and x == int(x) else text


def _ordered(x: float) -> int:
    """Map a float32 to an integer so that neighbours differ by one; both zeros map to 0."""
    bits = int.from_bytes(struct.pack("<f", x), "little", signed=True)
    return bits if bits >= 0 else -(bits & 0x7FFFFFFF)


@dataclass(frozen=True, slots=True)
class Value:
    """One value: `raw` is an int for integer kinds, a float that fits float32 for REAL32, a str for TEXT and SECRET.

    Equality (`==`) is that of the dataclass; `same` is the comparison for verification.
    """

    kind: Kind
    raw: Scalar

    def __post_init__(self) -> None:
        if self.kind in _TEXTS:
            if not isinstance(self.raw, str):
                raise TypeError(f"{self.kind} value must be a str, not {self.raw!r}")
        elif self.kind is Kind.REAL32:
            if isinstance(self.raw, str):
                raise TypeError(f"REAL32 value must be a number, not {self.raw!r}")
            object.__setattr__(self, "raw", float32(self.raw))
        else:
            low, high = INT_RANGES[self.kind]
            if isinstance(self.raw, str) or int(self.raw) != self.raw or not low <= self.raw <= high:
                raise ValueError(f"{self.raw!r} does not fit {self.kind}")
            object.__setattr__(self, "raw", int(self.raw))

    @property
    def number(self) -> float:
        """The value as a number. Raises TypeError for TEXT."""
        if isinstance(self.raw, str):
            raise TypeError(f"{self.raw!r} is not a number")
        return self.raw

    def same(self, other: Value | None) -> bool:
        """Whether both are the same on the wire: float32 within 1 ULP, integers and texts exactly.

        An integer kind and REAL32 may be compared with each other (a list download does not tell true types): then the
        numbers must be equal as float32.
        """
        if other is None:
            return False
        if self.kind in _TEXTS or other.kind in _TEXTS:
            return self.kind == other.kind and _compared(self) == _compared(other)
        if self.kind.is_integer and other.kind.is_integer:
            return self.raw == other.raw
        a, b = float32(self.number), float32(other.number)
        if math.isnan(a) or math.isnan(b):
            return math.isnan(a) and math.isnan(b)
        if self.kind.is_integer or other.kind.is_integer:
            return a == b
        return abs(_ordered(a) - _ordered(b)) <= 1

    def __str__(self) -> str:
        if isinstance(self.raw, float):
            return shortest(self.raw)
        if self.kind is Kind.SECRET:
            return str(self.raw).partition("#")[0]
        return str(self.raw)


def _compared(value: Value) -> Scalar:
    """Give what counts when two texts are compared: of a secret its fingerprint, not its name."""
    return str(value.raw).partition("#")[2] if value.kind is Kind.SECRET else value.raw
