"""Names of text CLI families whose line stood in a section that it does not belong to.

A `dump` has settings of the whole vehicle first, then those of each profile. The firmware takes a line `set small_angle
= 30` for the whole vehicle wherever it stands, so people append lines to a dump; read by its place, such a line would
be of the profile that was selected last.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable

__all__ = ["closest_names", "of_whole_vehicle"]

_SCOPED = re.compile(r"[a-z_]+\.\d+\.([A-Za-z0-9_]+)")


def of_whole_vehicle(name: str, listed: Collection[str]) -> str:
    """Give the setting of the whole vehicle that a name read in a profile's section means, "" where it means none."""
    found = _SCOPED.fullmatch(name)
    return found[1] if found and name not in listed and found[1] in listed else ""


def closest_names(name: str, known: Iterable[str]) -> list[str]:
    """Give the known names that look like `name`, best first; neither case nor the profile matters."""
    by_fold: dict[str, str] = {}
    for candidate in known:
        by_fold.setdefault(_base(candidate), candidate)
    close = difflib.get_close_matches(_base(name), by_fold, n=3, cutoff=0.7)
    return [by_fold[fold] for fold in close]


def _base(name: str) -> str:
    found = _SCOPED.fullmatch(name)
    return (found[1] if found else name).casefold()
