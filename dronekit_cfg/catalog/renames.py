"""Names and units that changed between firmware versions, in both directions.

Version numbers do not decide: a setting is looked for under its other name when the vehicle does not list the
one that was asked for. The facts and their sources are in `data/*-renames.toml`, by family.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from dronekit_cfg.catalog._data import load_toml
from dronekit_cfg.model import Scalar
from dronekit_cfg.text import t

__all__ = ["ChangedMeaning", "Dropped", "Rename", "Renames", "Words", "carry", "load_renames"]

_FILES = {
    ("ardupilot", "copter"): "ardupilot-copter-renames.toml",
    ("betaflight", ""): "betaflight-copter-renames.toml",
    ("inav", ""): "inav-renames.toml",
    ("px4", ""): "px4-renames.toml",
}
"""Tables by family and vehicle; "" serves every vehicle of the family."""


@dataclass(frozen=True, slots=True)
class Rename:
    """One setting under two names.

    `since` is the firmware release that has `new`. Value under `new` = value under `old` x `scale`; where `scale` is
    None, only the pairs of `exact` (old, new) are the same and `reason` says why another value needs a person.
    """

    old: str
    new: str
    since: str
    scale: float | None = 1.0
    exact: tuple[tuple[int, int], ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ChangedMeaning:
    """Values or bits of a setting (`name` is a pattern) that mean something else once the vehicle has `marker`."""

    name: re.Pattern[str]
    marker: str
    since: str
    values: tuple[int, ...] = ()
    bits: tuple[int, ...] = ()
    reason: str = ""

    def applies(self, name: str, value: Scalar) -> bool:
        """Whether `value` of `name` is one of those."""
        if isinstance(value, str) or not self.name.fullmatch(name) or value != int(value):
            return False
        return int(value) in self.values or any(int(value) >> bit & 1 for bit in self.bits)


@dataclass(frozen=True, slots=True)
class Dropped:
    """Settings that are gone since a release, and why; those of a profile are named without it."""

    names: frozenset[str]
    since: str
    reason: str


@dataclass(frozen=True, slots=True)
class Words:
    """Texts of one setting that are spelt in another way since a release."""

    name: str
    since: str
    words: Mapping[str, str]


@dataclass(frozen=True)
class Renames:
    """The rename table of one kind of vehicle; serves the planner (`translate`) and the rules (`others`)."""

    entries: tuple[Rename, ...]
    changed: tuple[ChangedMeaning, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    words: tuple[Words, ...] = ()
    _by_old: Mapping[str, Rename] = field(init=False, repr=False)
    _by_new: Mapping[str, Rename] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_old", {e.old: e for e in self.entries})
        # Where several old names became one, the way back is the one that needs no person.
        ordered = sorted(self.entries, key=lambda e: e.scale is not None)
        object.__setattr__(self, "_by_new", {e.new: e for e in ordered})

    def __iter__(self) -> Iterator[Rename]:
        return iter(self.entries)

    def translate(self, name: str, value: Scalar, has: Callable[[str], bool]) -> tuple[str, Scalar] | None:
        """Give the name and value to use on a vehicle that lists what `has` says, or None to use them as they are.

        Raises ValueError, with the reason, when only a person can say what the value is to be on this firmware.
        """
        if has(name):
            concern = self.concern(name, value, has)
            if concern:
                raise ValueError(concern)
            return None
        entry = self._by_old.get(name)
        if entry is not None and has(entry.new):
            return entry.new, carry(entry, value, forward=True)
        entry = self._by_new.get(name)
        if entry is not None and has(entry.old):
            return entry.old, carry(entry, value, forward=False)
        return None

    def concern(self, name: str, value: Scalar, has: Callable[[str], bool]) -> str:
        """Say why `value` of a name that stayed the same is not what it was, or give ""."""
        for entry in self.changed:
            if entry.applies(name, value) and has(entry.marker):
                return t(
                    "{name}={value} changed its meaning in {since}: {reason}",
                    name=name,
                    value=value,
                    since=entry.since,
                    reason=entry.reason,
                )
        return ""

    def others(self, name: str) -> tuple[tuple[str, float], ...]:
        """Give the other name of `name` with its factor: value under `name` = value under the other name x factor."""
        found: list[tuple[str, float]] = []
        entry = self._by_old.get(name)
        if entry is not None and entry.scale is not None:
            found.append((entry.new, 1.0 / entry.scale))
        entry = self._by_new.get(name)
        if entry is not None and entry.scale is not None:
            found.append((entry.old, entry.scale))
        return tuple(found)

    def belongs(self, name: str, version: str) -> bool:
        """Whether `name` is a name of a renamed setting, and the one that firmware `version` has."""
        at_hand = _numbers(version)
        for entry, newer in ((self._by_old.get(name), False), (self._by_new.get(name), True)):
            if entry is not None and at_hand and (at_hand >= _numbers(entry.since)) is newer:
                return True
        return False

    def gone(self, name: str, version: str) -> Dropped | None:
        """Give why firmware `version` has no setting `name` any more; None when it never left, or left later."""
        plain, at_hand = name.rpartition(".")[2], _numbers(version)
        return next((d for d in self.dropped if plain in d.names and at_hand >= _numbers(d.since)), None)

    def mixed(self, names: Collection[str]) -> tuple[Rename, ...]:
        """Give the entries of which `names` has both the old and the new name: two generations in one file."""
        return tuple(e for e in self.entries if e.old in names and e.new in names)


def carry(entry: Rename, value: Scalar, *, forward: bool) -> Scalar:
    """Give `value` in the unit of the other name. Raises ValueError where no exact counterpart is known."""
    source, target = (entry.old, entry.new) if forward else (entry.new, entry.old)
    if entry.scale is None:
        pairs = dict(entry.exact) if forward else {new: old for old, new in entry.exact}
        if isinstance(value, str) or value not in pairs:
            raise ValueError(
                t(
                    "{name}={value} has no counterpart in {target} of this firmware: {reason}",
                    name=source,
                    value=value,
                    target=target,
                    reason=entry.reason,
                )
            )
        return pairs[int(value)]
    if entry.scale == 1.0:
        return value
    if isinstance(value, str):
        raise ValueError(  # noqa: TRY004  the planner turns ValueError, and only that, into a finding
            t(
                "{name} has another unit than {target}, and {value!r} is no number",
                name=source,
                target=target,
                value=value,
            )
        )
    scaled = round(value * entry.scale if forward else value / entry.scale, 9)
    return int(scaled) if scaled.is_integer() and abs(scaled) < 1e15 else scaled


def _numbers(version: str) -> tuple[int, ...]:
    found = re.match(r"v?(\d+(?:\.\d+)*)", version)
    return tuple(int(n) for n in found[1].split(".")) if found else ()


@cache
def load_renames(family: str, vehicle: str) -> Renames | None:
    """Give the shipped rename table, or None where there is none."""
    file = _FILES.get((family, vehicle)) or _FILES.get((family, ""))
    return _read(load_toml(file)) if file else None


def _read(content: Mapping[str, Any]) -> Renames:
    entries = [
        Rename(old, new, group["since"], float(group["scale"]))
        for group in content.get("group", ())
        for old, new in group["names"].items()
    ]
    for row in content.get("numbered", ()):
        for n in range(row["count"]):
            old, new = row["old"].format(n=n), row["new"].format(n=n + row["shift"])
            entries += [Rename(old + name, new + name, row["since"]) for name in row["names"]]
    for row in content.get("instances", ()):
        for i in row["instances"]:
            pairs = ((old.format(i=i), new.format(i=i)) for old, new in row["names"].items())
            entries += [Rename(old, new, row["since"], float(row["scale"])) for old, new in pairs]
    for row in content.get("scoped", ()):
        endings = [f"{i}.{name}" for i in row["instances"] for name in row["names"]]
        entries += [Rename(f"{row['old']}.{e}", f"{row['new']}.{e}", row["since"]) for e in endings]
    for row in content.get("special", ()):
        exact = tuple((int(a), int(b)) for a, b in row["exact"])
        entries.append(Rename(row["old"], row["new"], row["since"], None, exact, row["reason"]))
    changed = [
        ChangedMeaning(
            re.compile(row["name"]),
            row["marker"],
            row["since"],
            tuple(row.get("values", ())),
            tuple(row.get("bits", ())),
            row["reason"],
        )
        for row in content.get("changed", ())
    ]
    dropped = tuple(Dropped(frozenset(r["names"]), r["since"], r["reason"]) for r in content.get("dropped", ()))
    words = tuple(Words(r["name"], r["since"], dict(r["words"])) for r in content.get("words", ()))
    return Renames(tuple(entries), tuple(changed), dropped, words)
