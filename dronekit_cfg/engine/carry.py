"""Carry settings of one firmware version over to another one: names, units, spellings, and what is gone.

The facts are in the rename tables of the catalog. What only a person can decide is told and left to that person.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dronekit_cfg.catalog.renames import Rename, Renames, carry
from dronekit_cfg.model import Scalar
from dronekit_cfg.text import t

__all__ = ["Carried", "carry_notes", "carry_settings", "first_of"]


@dataclass(frozen=True, slots=True)
class Carried:
    """The settings under their new names, in the old order.

    `sources` gives the old name of each, `changed` what became of what (old name, new name, value before, value after),
    `dropped` the names that are gone with the reason, `undecided` the names that a person has to look at with the
    reason; the last two are not in `settings`.
    """

    settings: Mapping[str, Scalar]
    sources: Mapping[str, str]
    changed: tuple[tuple[str, str, Scalar, Scalar], ...] = ()
    dropped: tuple[tuple[str, str], ...] = ()
    undecided: tuple[tuple[str, str], ...] = ()


def carry_settings(settings: Mapping[str, Scalar], renames: Renames | None, before: str, after: str) -> Carried:
    """Carry `settings` of firmware version `before` over to `after`; both as "4.5.1" or "2026.12.0a0"."""
    then, now = _release(before), _release(after)
    if renames is None or then == now:
        return Carried(dict(settings), {name: name for name in settings})
    found: dict[str, Scalar] = {}
    sources: dict[str, str] = {}
    changed, dropped, undecided = [], [], []
    for name, value in settings.items():
        gone = _gone(name, renames, then, now)
        if gone:
            dropped.append((name, gone))
            continue
        try:
            new, carried = _renamed(name, value, renames, then, now)
        except ValueError as error:
            undecided.append((name, str(error)))
            continue
        carried = _respelt(name, carried, renames, then, now)
        found[new] = carried
        sources[new] = name
        if (new, carried) != (name, value):
            changed.append((name, new, value, carried))
    return Carried(found, sources, tuple(changed), tuple(dropped), tuple(undecided))


def _release(version: str) -> tuple[int, ...]:
    found = re.match(r"\d+(?:\.\d+)*", version)
    numbers = [int(part) for part in found[0].split(".")] if found else []
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def _gone(name: str, renames: Renames, then: tuple[int, ...], now: tuple[int, ...]) -> str:
    plain = name.rpartition(".")[2]
    for entry in renames.dropped:
        if (name in entry.names or plain in entry.names) and then < _release(entry.since) <= now:
            return entry.reason
    return ""


def _renamed(
    name: str, value: Scalar, renames: Renames, then: tuple[int, ...], now: tuple[int, ...]
) -> tuple[str, Scalar]:
    """Follow the renames between the two versions, one after the other. Raises ValueError for a person to decide."""
    forward = now > then
    low, high = (then, now) if forward else (now, then)
    steps = [e for e in renames if low < _release(e.since) <= high]
    steps.sort(key=lambda e: e.scale is None)  # of several, the one that needs no person
    steps.sort(key=lambda e: _release(e.since), reverse=not forward)
    reached: tuple[int, ...] | None = None
    for entry in steps:
        old, new = (entry.old, entry.new) if forward else (entry.new, entry.old)
        since = _release(entry.since)
        if old == name and reached != since:
            value = _carried(entry, value, forward=forward)
            name, reached = new, since
    return name, value


def _carried(entry: Rename, value: Scalar, *, forward: bool) -> Scalar:
    return value if entry.scale == 1.0 else carry(entry, value, forward=forward)


def _respelt(name: str, value: Scalar, renames: Renames, then: tuple[int, ...], now: tuple[int, ...]) -> Scalar:
    plain = name.rpartition(".")[2]
    for entry in renames.words:
        if entry.name not in (name, plain) or not isinstance(value, str):
            continue
        if then < _release(entry.since) <= now:
            value = entry.words.get(value, value)
        elif now < _release(entry.since) <= then:
            value = next((old for old, new in entry.words.items() if new == value), value)
    return value


def carry_notes(carried: Carried) -> Iterator[str]:
    """Say what was carried over, and what was left out and why."""
    for old, new, before, after in carried.changed:
        if old == new:
            yield t("{name}: {before} is called {after} on this firmware", name=new, before=before, after=after)
        elif before == after:
            yield t("{old} is {new} on this firmware", old=old, new=new)
        else:
            yield t(
                "{old} is {new} on this firmware: {before} becomes {after}",
                old=old,
                new=new,
                before=before,
                after=after,
            )
    reasons: dict[str, list[str]] = {}
    for name, why in carried.dropped:
        reasons.setdefault(why, []).append(name)
    for why, names in reasons.items():
        yield t("left out: {names} ({why})", names=first_of(names), why=why)
    if carried.undecided:
        names = [name for name, _ in carried.undecided]
        yield t("left out, at their defaults and not the same on this firmware: {names}", names=first_of(names))


def first_of(names: Sequence[str], limit: int = 6) -> str:
    """Give the first names of a list, and how many more there are."""
    shown = ", ".join(names[:limit])
    return shown if len(names) <= limit else t("{names} and {count} more", names=shown, count=len(names) - limit)
