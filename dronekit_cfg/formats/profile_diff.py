"""Compares what two profile stacks ask for: values, reasons, flags, waivers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dronekit_cfg.model import Resolved, Wanted

__all__ = ["ProfileDifference", "diff_profiles"]


@dataclass(frozen=True, slots=True)
class ProfileDifference:
    """One thing in which two profiles differ; "" for what one of them lacks. `why` is the reason of the second."""

    what: str
    a: str
    b: str
    why: str = ""
    layer: str = ""


def diff_profiles(a: Resolved, b: Resolved) -> tuple[ProfileDifference, ...]:
    """Give what differs between two resolved profiles, settings first, in the order of their names."""
    return (*_settings(a, b), *_rest(a, b))


def _settings(a: Resolved, b: Resolved) -> Iterator[ProfileDifference]:
    left, right = ({w.name: w for w in side.settings} for side in (a, b))
    for name in sorted({*left, *right}):
        one, two = left.get(name), right.get(name)
        if _text(one) != _text(two):
            said = two or one
            assert said is not None
            yield ProfileDifference(name, _text(one), _text(two), said.because, said.origin.layer)


def _text(wanted: Wanted | None) -> str:
    return "" if wanted is None else str(wanted.value)


def _rest(a: Resolved, b: Resolved) -> Iterator[ProfileDifference]:
    for what in ("family", "vehicle", "firmware", "names"):
        one, two = str(getattr(a, what)), str(getattr(b, what))
        if one != two:
            yield ProfileDifference(what, one, two)
    flags = [", ".join(sorted(side.flags)) for side in (a, b)]
    if flags[0] != flags[1]:
        yield ProfileDifference("flags", flags[0], flags[1])
    waived = [", ".join(sorted(w.rule for w in side.waivers)) for side in (a, b)]
    if waived[0] != waived[1]:
        yield ProfileDifference("waive", waived[0], waived[1])
