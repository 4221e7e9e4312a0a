"""What a rule expression may call: a fixed set, bound to one vehicle's settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dronekit_cfg.model import Scalar
from dronekit_cfg.rules.lookup import Missing, View
from dronekit_cfg.rules.version import at_least, release, same_release

__all__ = ["FUNCTIONS", "Argument", "Functions", "Signature", "UnknownVersion"]


class UnknownVersion(LookupError):
    """An expression asks for the firmware version and nobody knows it."""


class Argument:
    """What the first argument of a function is; it must then be a literal text, so that it can be checked at load."""

    SETTING = "setting"
    EXACT = "exact"
    PATTERN = "pattern"
    FEATURE = "feature"
    VERSION = "version"
    VALUE = "value"


@dataclass(frozen=True, slots=True)
class Signature:
    """How a function is called: kind of its first argument, fewest and most arguments, keywords, and what it does."""

    first: str
    fewest: int
    most: int
    does: str
    keywords: tuple[str, ...] = ()


_MANY = 40
FUNCTIONS: dict[str, Signature] = {
    "p": Signature(Argument.SETTING, 1, 2, "value of a setting under any of its names, in the unit of this name"),
    "has": Signature(Argument.SETTING, 1, 1, "whether the vehicle lists the setting under any of its names"),
    "listed": Signature(Argument.EXACT, 1, 1, "whether the vehicle lists exactly this name"),
    "b": Signature(Argument.SETTING, 2, 3, "whether a bit of a setting is on"),
    "feature": Signature(Argument.FEATURE, 1, 1, "whether a Betaflight or INAV feature is on"),
    "count_serial": Signature(
        Argument.VALUE, 1, _MANY, "how many serial ports speak one of these protocols", ("baud",)
    ),
    "any_p": Signature(Argument.PATTERN, 2, _MANY, "whether a setting that matches has one of these values"),
    "count_p": Signature(
        Argument.PATTERN, 2, _MANY, "how many settings that match have one of these values", ("none",)
    ),
    "sum_p": Signature(Argument.PATTERN, 1, 1, "sum of the settings that match", ("none",)),
    "count_names": Signature(Argument.PATTERN, 1, 1, "how many listed names match"),
    "fw_ge": Signature(Argument.VERSION, 1, 1, "whether the firmware is this version or later"),
    "fw_lt": Signature(Argument.VERSION, 1, 1, "whether the firmware is older than this version"),
    "fw_is": Signature(Argument.VERSION, 1, 1, "whether the firmware is exactly this version"),
    "one_of": Signature(Argument.VALUE, 2, _MANY, "whether the first value is among the others"),
    "rank": Signature(
        Argument.VALUE, 2, _MANY, "place of the first value in the list that follows, 0 when it is not in it"
    ),
    "pick": Signature(
        Argument.VALUE, 4, _MANY, "pick(x, k1, v1, k2, v2, ..., otherwise): the v behind the k that x is"
    ),
    "abs": Signature(Argument.VALUE, 1, 1, "magnitude"),
    "min": Signature(Argument.VALUE, 2, _MANY, "smallest"),
    "max": Signature(Argument.VALUE, 2, _MANY, "largest"),
    "round": Signature(Argument.VALUE, 1, 2, "rounded to a number of decimals"),
}
"""Every function of the expression language, for the check at load and for the documentation."""


class Functions:
    """The functions bound to one vehicle. `matches` collects the names that wildcard functions hit, for the message."""

    def __init__(self, view: View, version: str) -> None:
        self._view = view
        self._version = release(version) if version else None
        self.matches: list[str] = []

    def table(self) -> dict[str, Callable[..., Any]]:
        """Give the functions by name, as simpleeval wants them."""
        builtin: dict[str, Callable[..., Any]] = {"abs": abs, "min": min, "max": max, "round": round}
        return {name: builtin.get(name) or getattr(self, name) for name in FUNCTIONS}

    def p(self, name: str, default: Scalar | None = None) -> Scalar:
        """Give a value. Raises Missing when the setting is not listed and no default is given."""
        if default is not None and self._view.find(name) is None:
            return default
        return self._view.value(name)

    def has(self, name: str) -> bool:
        """Whether the setting is listed under any name."""
        return self._view.find(name) is not None

    def listed(self, name: str) -> bool:
        """Whether exactly this name is listed."""
        return self._view.listed(name)

    def b(self, name: str, bit: int, default: int | None = None) -> bool:
        """Whether a bit is on; a negative number has all its high bits on, as in two's complement.

        TypeError for what is no whole number.
        """
        if default is not None and self._view.find(name) is None:
            return bool(default)
        value = self._view.value(name)
        if isinstance(value, str) or value != int(value):
            raise TypeError(f"{name} is {value!r}, not a bitmask")
        return bool(int(value) >> int(bit) & 1)

    def feature(self, name: str) -> bool:
        """Whether a CLI feature is on."""
        return self._view.feature(name)

    def _names(self, pattern: str) -> tuple[str, ...]:
        names = self._view.matching(pattern)
        if not names:
            raise Missing(pattern)
        return names

    def _hits(self, pattern: str, values: tuple[Scalar, ...]) -> list[str]:
        hits = [n for n in self._names(pattern) if self._view.value(n) in values]
        self.matches.extend(n for n in hits if n not in self.matches)
        return hits

    def any_p(self, pattern: str, *values: Scalar) -> bool:
        """Whether any matching setting has one of the values. Raises Missing when nothing matches."""
        return bool(self._hits(pattern, values))

    def count_p(self, pattern: str, *values: Scalar, none: int | None = None) -> int:
        """Count matching settings with one of the values; `none` is the answer when no name matches."""
        if none is not None and not self._view.matching(pattern):
            return none
        return len(self._hits(pattern, values))

    def sum_p(self, pattern: str, *, none: int | None = None) -> float:
        """Add up the matching settings; `none` is the answer when no name matches."""
        if none is not None and not self._view.matching(pattern):
            return none
        return sum(_number(n, self._view.value(n)) for n in self._names(pattern))

    def count_names(self, pattern: str) -> int:
        """Count the listed names that match; never Missing."""
        names = self._view.matching(pattern)
        self.matches.extend(n for n in names if n not in self.matches)
        return len(names)

    def count_serial(self, *protocols: Scalar, baud: Scalar | None = None) -> int:
        """Count ArduPilot serial ports with one of the protocols, and with this SERIALn_BAUD code when given."""
        hits = self._hits("SERIAL*_PROTOCOL", protocols)
        if baud is None:
            return len(hits)
        return sum(1 for n in hits if self._view.value(n.replace("_PROTOCOL", "_BAUD")) == baud)

    def _release(self) -> tuple[int, ...]:
        if self._version is None:
            raise UnknownVersion
        return self._version

    def fw_ge(self, version: str) -> bool:
        """Whether the firmware is at least `version`."""
        return at_least(self._release(), release(version) or ())

    def fw_lt(self, version: str) -> bool:
        """Whether the firmware is older than `version`."""
        return not self.fw_ge(version)

    def fw_is(self, version: str) -> bool:
        """Whether the firmware is exactly `version`."""
        return same_release(self._release(), release(version) or ())

    @staticmethod
    def one_of(x: Scalar, *values: Scalar) -> bool:
        """Whether `x` is among `values`."""
        return x in values

    @staticmethod
    def rank(x: Scalar, *order: Scalar) -> int:
        """Give the 1-based place of `x` in `order`, 0 when absent."""
        return order.index(x) + 1 if x in order else 0

    @staticmethod
    def pick(x: Scalar, *table: Scalar) -> Scalar:
        """Look `x` up in key, value, key, value, ..., otherwise."""
        pairs, otherwise = table[:-1], table[-1]
        return next((v for k, v in zip(pairs[::2], pairs[1::2], strict=True) if k == x), otherwise)


def _number(name: str, value: Scalar) -> float:
    if isinstance(value, str):
        raise TypeError(f"{name} is {value!r}, not a number")
    return value
