"""What was seen of a vehicle while checks watched it; judges are pure functions of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from dronekit_cfg.model import Identity, Value
from dronekit_cfg.talk.mavlink_events import Said

__all__ = ["Evidence", "Sample", "mean", "sigma", "slope"]


@dataclass(frozen=True, slots=True)
class Sample:
    """One message: when it came (seconds on our clock) and its fields."""

    at: float
    fields: Mapping[str, Any]


@dataclass(slots=True)
class Evidence:
    """What came in one window of observation, and what the vehicle's settings were.

    `explained` are patterns of things that a failed check accounts for, so that one broken part fails one check.
    """

    identity: Identity
    settings: Mapping[str, Value | None] = field(default_factory=dict)
    messages: Mapping[str, Sequence[Sample]] = field(default_factory=dict)
    texts: Sequence[tuple[float, int, str]] = ()
    seconds: float = 0.0
    explained: tuple[tuple[str, str], ...] = ()
    asked: Mapping[str, float] = field(default_factory=dict)
    events: Sequence[Said] = ()

    def all(self, message: str) -> Sequence[Sample]:
        """Give all messages of a name."""
        return self.messages.get(message, ())

    def last(self, message: str) -> Mapping[str, Any]:
        """Give the fields of the last message of a name, {} when none came."""
        samples = self.all(message)
        return samples[-1].fields if samples else {}

    def column(self, message: str, pick: str | Callable[[Mapping[str, Any]], float]) -> list[float]:
        """Give one number per message: a field, or what a function makes of the fields."""
        get = (lambda f: float(f[pick])) if isinstance(pick, str) else pick
        return [get(s.fields) for s in self.all(message)]

    def setting(self, *names: str, default: float = math.nan) -> float:
        """Give the number of the first setting that the vehicle has (a setting may have several names over time)."""
        for name in names:
            value = self.settings.get(name)
            if value is not None:
                return value.number
        return default

    def who_explains(self, item: str) -> str:
        """Give the failed check that accounts for `item`, or ""."""
        return next((who for pattern, who in self.explained if fnmatchcase(item, pattern)), "")


def mean(values: Sequence[float]) -> float:
    """Give the mean, NaN of nothing."""
    return sum(values) / len(values) if values else math.nan


def sigma(values: Sequence[float]) -> float:
    """Give the standard deviation, NaN of fewer than two."""
    if len(values) < 2:
        return math.nan
    middle = mean(values)
    return math.sqrt(sum((v - middle) ** 2 for v in values) / (len(values) - 1))


def slope(pairs: Sequence[tuple[float, float]]) -> float:
    """Give the slope of the least-squares line through (x, y) pairs, NaN when it is not determined."""
    if len(pairs) < 2:
        return math.nan
    mx, my = mean([p[0] for p in pairs]), mean([p[1] for p in pairs])
    spread = sum((x - mx) ** 2 for x, _ in pairs)
    return sum((x - mx) * (y - my) for x, y in pairs) / spread if spread else math.nan
