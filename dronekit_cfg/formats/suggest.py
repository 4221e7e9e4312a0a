"""Names what a mistyped name was probably meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from dronekit_cfg.text import t

__all__ = ["closest", "did_you_mean"]


def closest(name: str, known: Iterable[str], *, count: int = 3) -> tuple[str, ...]:
    """Give up to `count` of the `known` names that look like `name`, best first; case does not matter."""
    by_fold: dict[str, str] = {}
    for candidate in sorted(set(known)):
        by_fold.setdefault(candidate.casefold(), candidate)
    found = difflib.get_close_matches(name.casefold(), list(by_fold), n=count, cutoff=0.6)
    return tuple(by_fold[f] for f in found)


def did_you_mean(name: str, known: Iterable[str], *, otherwise: str = "") -> str:
    """Give a hint that names the closest known names, or `otherwise` when none is close."""
    found = closest(name, known)
    return t("did you mean {names}?", names=t(" or ").join(f'"{f}"' for f in found)) if found else otherwise
