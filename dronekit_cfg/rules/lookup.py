"""The settings of one vehicle as rules see them: by any generation of their names, in the unit that was asked for."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Protocol

from dronekit_cfg.model import Kind, Scalar, Spec, Value, shortest

__all__ = ["FEATURE_PREFIX", "Found", "Missing", "NotANumber", "Renames", "View", "plain_name", "split_pattern"]

FEATURE_PREFIX = "feature "
"""How rules name a feature of a CLI family in messages: `feature GPS`; as a setting it is `feature.GPS`, ON or OFF."""

_FEATURE = "feature."
_SCOPED = re.compile(r"[a-z_]+\.\d+\.([a-z0-9_]+)")

Found = tuple[str, float]
"""Name of a listed setting, and the factor that turns its number into the unit of the name that was asked for."""


class Missing(LookupError):
    """A setting that the vehicle does not list; `name` is what was asked for."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


class NotANumber(ValueError):
    """A setting whose value is NaN or infinite: no rule may call that passed."""


class Renames(Protocol):
    """Names of the same setting in other firmware generations."""

    def others(self, name: str) -> Iterable[Found]:
        """Give other names of `name`, each with its factor: value under `name` = value under the other x factor."""


def plain_name(name: str) -> str:
    """Give the name of a profile's setting without its profile: `battery_profile.1.bat_cells` is `bat_cells`."""
    found = _SCOPED.fullmatch(name)
    return found[1] if found else name


def split_pattern(pattern: str) -> tuple[str, str]:
    """Split a wildcard name at its one `*`. Raises ValueError unless there is exactly one."""
    parts = pattern.split("*")
    if len(parts) != 2:
        raise ValueError(f"{pattern!r} needs exactly one *")
    return parts[0], parts[1]


def _plain(value: Value | Scalar) -> Scalar:
    """Turn a value into what expressions compare: whole and decimal numbers, texts in upper case.

    A float32 becomes its shortest decimal, so that 0.8 on the wire equals 0.8 in a rule.
    """
    raw = value.raw if isinstance(value, Value) else value
    if isinstance(raw, str):
        text = raw.strip()
        try:
            return int(text)
        except ValueError:
            pass
        try:
            return float(text) if text[:1] in "+-.0123456789" else text.upper()
        except ValueError:
            return text.upper()
    if isinstance(value, Value) and value.kind is Kind.REAL32 and math.isfinite(raw):
        raw = float(shortest(float(raw)))
    return int(raw) if isinstance(raw, float) and raw.is_integer() else raw


class View:
    """Settings by name, with renames and wildcards. Values are computed once and kept."""

    def __init__(self, settings: Mapping[str, Value | Scalar], renames: Renames | None = None) -> None:
        self._settings = settings
        self._renames = renames
        self._values: dict[str, Scalar] = {}
        self._matches: dict[str, tuple[str, ...]] = {}

    @cached_property
    def _short(self) -> dict[str, str]:
        """Full names by the short ones that rules use, where only one can be meant.

        Tree settings ("TX Power/Dynamic") go by their last part, features ("feature.GPS") as `feature GPS`, settings of
        a profile ("battery_profile.1.failsafe_throttle") by their plain name: that of the active profile counts.
        """
        found: dict[str, list[str]] = {}
        for name in self._settings:
            if "/" in name:
                found.setdefault(name.rpartition("/")[2], []).append(name)
            elif name.startswith(_FEATURE):
                found.setdefault(FEATURE_PREFIX + name[len(_FEATURE) :], []).append(name)
            elif "." in name and plain_name(name) != name:
                found.setdefault(plain_name(name), []).append(name)
        meant = {short: self._meant(names) for short, names in found.items()}
        return {short: name for short, name in meant.items() if name}

    def _meant(self, names: list[str]) -> str:
        """Give the one of `names` that is in force; "" when that cannot be told."""
        if len(names) == 1:
            return names[0]
        scoped = [n.split(".") for n in names]
        active = [n for n, parts in zip(names, scoped, strict=True) if self._active(parts)]
        if len(active) == 1:
            return active[0]
        same = len({_plain(self._settings[n]) for n in names}) == 1
        return names[0] if same and "." in names[0] else ""

    def _active(self, parts: list[str]) -> bool:
        scope = self._settings.get(parts[0])
        return scope is not None and len(parts) == 3 and str(_plain(scope)) == parts[1]

    def listed(self, name: str) -> bool:
        """Whether the vehicle lists exactly this name."""
        return name in self._settings

    def find(self, name: str) -> Found | None:
        """Find `name`, or the same setting under its name in another generation; None when neither is listed."""
        if name in self._settings:
            return name, 1.0
        if self._renames is not None:
            for other, factor in self._renames.others(name):
                if other in self._settings:
                    return other, factor
        full = self._short.get(name)
        return (full, 1.0) if full else None

    def value(self, name: str) -> Scalar:
        """Give the value of `name` in its own unit. Raises Missing, and NotANumber for NaN and infinity."""
        if name not in self._values:
            found = self.find(name)
            if found is None:
                raise Missing(name)
            plain = _plain(self._settings[found[0]])
            if not isinstance(plain, str):
                if not math.isfinite(plain):
                    raise NotANumber(f"{found[0]} is {plain}")
                if found[1] != 1.0:
                    plain = _plain(round(plain * found[1], 6))
            self._values[name] = plain
        return self._values[name]

    def matching(self, pattern: str) -> tuple[str, ...]:
        """Give the listed names that match a wildcard name such as SERIAL*_PROTOCOL; `*` is letters and digits only."""
        if pattern not in self._matches:
            head, tail = split_pattern(pattern)
            self._matches[pattern] = tuple(
                n
                for n in self._settings
                if n.startswith(head)
                and n.endswith(tail)
                and len(n) >= len(head) + len(tail)
                and _is_word(n[len(head) : len(n) - len(tail)], anything=not tail)
            )
        return self._matches[pattern]

    def feature(self, name: str) -> bool:
        """Whether a feature of a CLI family is on. Raises Missing."""
        return self.value(FEATURE_PREFIX + name) in ("ON", 1)

    def describe(self, name: str, spec: Spec | None) -> str:
        """Give the value of `name` as a person reads it, with its label or unit; says when it is not listed."""
        found = self.find(name)
        if found is None:
            return "not set"
        value = self._settings[found[0]]
        shown = value if isinstance(value, Value) else _as_value(value)
        text = spec.get(found[0]).describe(shown) if spec else str(shown)
        return text if found[0] == name or name in self._short else f"{text} [{found[0]}]"

    def actual(self, names: Sequence[str]) -> tuple[str, ...]:
        """Give the listed names behind `names`, in order and once each."""
        found = (self.find(n) for n in names)
        return tuple(dict.fromkeys(f[0] for f in found if f is not None))


def _is_word(text: str, *, anything: bool) -> bool:
    return text == "" or text.isalnum() or anything


def _as_value(raw: Scalar) -> Value:
    if isinstance(raw, str):
        return Value(Kind.TEXT, raw)
    if float(raw).is_integer() and abs(raw) < 2**31:
        return Value(Kind.INT32, int(raw))
    return Value(Kind.REAL32, float(raw)) if abs(raw) < 3e38 else Value(Kind.TEXT, str(raw))
