"""Firmware versions as rules compare them: by their numbers only.

A development version counts as the release that it leads to ("4.7.0.dev0" is 4.7). PEP 440 would sort it before 4.7,
and every rule about 4.7 would then look away from a 4.7-dev vehicle. `packaging` would also cost 18 ms at every start.
"""

from __future__ import annotations

import re
from collections.abc import Callable

__all__ = ["at_least", "parse_specifier", "release", "same_release", "within"]

_NUMBERS = re.compile(r"v?(\d+(?:\.\d+)*)")
_CLAUSE = re.compile(r"(>=|<=|==|!=|>|<)\s*(\d+(?:\.\d+)*)")

_Numbers = tuple[int, ...]


def release(text: str) -> _Numbers | None:
    """Give the numbers of a version text ("4.7.0.dev0" is (4, 7, 0)); None when it begins with none."""
    found = _NUMBERS.match(text.strip())
    return tuple(int(n) for n in found[1].split(".")) if found else None


def _compare(a: _Numbers, b: _Numbers) -> int:
    """Give -1, 0 or 1; missing numbers count as 0."""
    length = max(len(a), len(b))
    left, right = (n + (0,) * (length - len(n)) for n in (a, b))
    return (left > right) - (left < right)


def at_least(version: _Numbers, other: _Numbers) -> bool:
    """Whether `version` is `other` or later."""
    return _compare(version, other) >= 0


def same_release(version: _Numbers, other: _Numbers) -> bool:
    """Whether both name the same release; trailing zeros do not matter."""
    return _compare(version, other) == 0


_TESTS: dict[str, Callable[[int], bool]] = {
    ">=": lambda c: c >= 0,
    "<=": lambda c: c <= 0,
    "==": lambda c: c == 0,
    "!=": lambda c: c != 0,
    ">": lambda c: c > 0,
    "<": lambda c: c < 0,
}


def parse_specifier(text: str) -> tuple[tuple[str, _Numbers], ...]:
    """Read a range such as ">=4.5,<4.8". Raises ValueError."""
    clauses: list[tuple[str, _Numbers]] = []
    for part in text.split(","):
        found = _CLAUSE.fullmatch(part.strip())
        if found is None:
            raise ValueError(f"{text!r} is no version range such as >=4.5,<4.8")
        clauses.append((found[1], tuple(int(n) for n in found[2].split("."))))
    return tuple(clauses)


def within(version: _Numbers, specifier: str) -> bool:
    """Whether `version` lies in the range; an empty range holds every version. Raises ValueError."""
    return not specifier or all(_TESTS[op](_compare(version, other)) for op, other in parse_specifier(specifier))
