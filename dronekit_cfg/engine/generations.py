"""Which firmware generation the setting names of a profile belong to: one profile speaks one generation.

A profile says with `names:` which generation its names are of; plans carry them over to the vehicle's. A name of
another generation in it would be carried over with the wrong unit or meaning, or be lost, so it is refused, with the
remedy.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from dronekit_cfg.catalog.renames import Rename, Renames, carry, load_renames
from dronekit_cfg.catalog.store import spec_for
from dronekit_cfg.errors import FileProblems, Problem
from dronekit_cfg.formats.layer import Layer
from dronekit_cfg.model import Finding, Origin, Resolved, Scalar, Spec
from dronekit_cfg.rules.values import check_values
from dronekit_cfg.text import t

__all__ = [
    "Stray",
    "generation_of",
    "generation_problems",
    "layer_problems",
    "require_one_generation",
    "strays",
    "unit_slips",
]


@dataclass(frozen=True, slots=True)
class Stray:
    """A name that the generation of a profile does not have."""

    name: str
    message: str
    hint: str


def strays(settings: Mapping[str, Scalar | None], table: Renames, names: str) -> Iterator[Stray]:
    """Give the names of another generation than `names` ("4.6"); of a text that says none, those that contradict.

    A value of None is one that is computed.
    """
    now = _key(names)
    for entry in table:
        if not names:
            if entry.old in settings and entry.new in settings:
                text = t("{old} and {new} are two names of one setting", old=entry.old, new=entry.new)
                yield Stray(entry.old, text, t('keep one of them, and say the generation, such as names: "4.6"'))
            continue
        since = _key(entry.since)
        if entry.new in settings and since > now and not any(e.old == entry.new and _key(e.since) > now for e in table):
            text = t("{name} is a name of {since}: generations are mixed", name=entry.new, since=entry.since)
            yield Stray(entry.new, text, _hint(entry, settings[entry.new], names, forward=False))
        if (
            entry.old in settings
            and since <= now
            and not any(e.new == entry.old and _key(e.since) <= now for e in table)
        ):
            text = t("{name} is no name since {since}: generations are mixed", name=entry.old, since=entry.since)
            yield Stray(entry.old, text, _hint(entry, settings[entry.old], names, forward=True))


def _of_no_generation(
    settings: Mapping[str, Scalar | None], table: Renames, family: str, vehicle: str
) -> Iterator[Stray]:
    """Give the name that makes a text without `names:` one of no generation at all: no version has all of its names.

    A development version between two generations may have them; it is asked. Which of the two names of a setting counts
    where both are given is said by `strays`.
    """
    series = sorted({e.since for e in table}, key=_key)
    if not series or any(not any(strays(settings, table, s)) for s in ("0", *series)):
        return
    new = max((e for e in table if e.new in settings), key=lambda e: _key(e.since), default=None)
    old = min((e for e in table if e.old in settings), key=lambda e: _key(e.since), default=None)
    if new is None or old is None or old.new in settings:
        return
    between = _spec(family, vehicle, f"{new.since}.0.dev0")
    named = {n for e in table for n in (e.old, e.new) if n in settings}
    if between is not None and between.exact and named <= between.settings.keys():
        return
    text = t(
        "{new} is a name of {since}, and {old} is no name since {until}: generations are mixed",
        new=new.new,
        since=new.since,
        old=old.old,
        until=old.since,
    )
    there = t("write {name} there", name=old.new)
    if (value := settings[old.old]) is not None:
        with contextlib.suppress(ValueError):
            told = f"{old.new}: {carry(old, value, forward=True)}"
            there = t("write {there} instead of {here}", there=told, here=f"{old.old}: {value}")
    hint = t(
        '{there}, and say the generation: names: "{since}"; a file of the older one is rewritten by '
        "`dronekit-cfg profile migrate FILE --to {since}`",
        there=there,
        since=new.since,
    )
    yield Stray(old.old, text, hint)


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


def _hint(entry: Rename, value: Scalar | None, names: str, *, forward: bool) -> str:
    """Say what to write instead, and how a whole file is rewritten when all of it is of the other generation."""
    old, new = (entry.old, entry.new) if forward else (entry.new, entry.old)
    try:
        there = t("write {name} there", name=new)
        if value is not None:
            told = f"{new}: {carry(entry, value, forward=forward)}"
            there = t("write {there} instead of {here}", there=told, here=f"{old}: {value}")
    except ValueError as error:
        there = str(error)
    return t(
        "{there}; if all names of the file are of the other generation, correct its `names:` and run "
        "`dronekit-cfg profile migrate FILE --to {names}`",
        there=there,
        names=names,
    )


@cache
def _spec(family: str, vehicle: str, names: str) -> Spec | None:
    return spec_for(family, vehicle, names)


def unit_slips(settings: Mapping[str, Scalar | None], *, family: str, vehicle: str, names: str) -> tuple[Finding, ...]:
    """Give the values that look as if they were in the unit of the other generation (cm on a setting in m)."""
    table = load_renames(family, vehicle)
    rescaled = {
        n: v for n, v in settings.items() if v is not None and table and any(f != 1.0 for _, f in table.others(n))
    }
    spec = _spec(family, vehicle, names) if rescaled and names else None
    if spec is None:
        return ()
    return tuple(f for f in check_values(rescaled, spec, renames=table) if f.id == "VALUE-UNIT")


def _problems(
    rows: Iterable[tuple[str, Scalar | None, Origin | None]],
    family: str,
    vehicle: str,
    names: str,
    optional: Collection[str],
) -> tuple[Problem, ...]:
    listed = tuple(rows)
    table = load_renames(family, vehicle)
    if table is None:
        return ()
    values = {name: value for name, value, _ in listed}
    places = {name: origin for name, _, origin in listed}

    def problem(name: str, message: str, hint: str) -> Problem:
        place = places.get(name) or Origin("", "")
        return Problem(place.file or place.layer, place.line, place.column, message, hint)

    found = [problem(s.name, s.message, s.hint) for s in strays(values, table, names)]
    if not names and not found:
        # Settings that may be missing are there for one generation each, which is no mixture.
        firm = {name: value for name, value in values.items() if name not in optional}
        found += [problem(s.name, s.message, s.hint) for s in _of_no_generation(firm, table, family, vehicle)]
    slips = unit_slips(values, family=family, vehicle=vehicle, names=names)
    found += [problem(f.name, f.message, f.remedy) for f in slips]
    return tuple(sorted(found, key=lambda p: (p.file, p.line, p.column)))


def generation_of(settings: Mapping[str, Scalar | None], series: str, *, family: str, vehicle: str) -> str:
    """Give the generation of names that a vehicle of this `series` ("4.7") shows; "" where they are of several.

    A development version may still have the names of the series before.
    """
    table = load_renames(family, vehicle)
    if table is None:
        return series
    major, _, minor = series.partition(".")
    before = f"{major}.{int(minor) - 1}" if minor.isdecimal() and int(minor) else series
    return next((s for s in (series, before) if not any(strays(settings, table, s))), "")


def layer_problems(layer: Layer) -> tuple[Problem, ...]:
    """Give what is of another generation in one profile file."""
    rows = ((s.name, s.value, s.origin) for s in layer.settings)
    optional = {s.name for s in layer.settings if s.optional}
    return _problems(rows, layer.family, layer.vehicle, layer.names, optional)


def generation_problems(resolved: Resolved) -> tuple[Problem, ...]:
    """Give what is of another generation in a resolved stack."""
    rows = ((w.name, w.value, w.origin) for w in resolved.settings)
    optional = {w.name for w in resolved.settings if w.optional}
    return _problems(rows, resolved.family, resolved.vehicle, resolved.names, optional)


def require_one_generation(resolved: Resolved) -> None:
    """Raise FileProblems with every name and unit that is not of the generation that the profile says."""
    if found := generation_problems(resolved):
        raise FileProblems(found)
