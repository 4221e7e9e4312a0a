"""Which setting must be on for another one to be listed, derived from names and `data/ardupilot-enablers.toml`."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cache

from dronekit_cfg.catalog._data import load_toml
from dronekit_cfg.model import Spec

__all__ = ["derive", "with_enablers"]


@cache
def _tables() -> tuple[re.Pattern[str], tuple[tuple[str, re.Pattern[str]], ...]]:
    content = load_toml("ardupilot-enablers.toml")
    special = tuple((entry["enabler"], re.compile(entry["hides"])) for entry in content["special"])
    return re.compile("|".join(content["enablers"])), special


def derive(names: Collection[str]) -> dict[str, str]:
    """Give, for each of `names` that can be hidden, the one of `names` that hides it while it is 0.

    Where groups are nested, it is the innermost one.
    """
    plain, special = _tables()
    found: dict[str, str] = {}
    for enabler, hides in special:
        if enabler in names:
            found |= {n: enabler for n in names if n != enabler and hides.fullmatch(n)}
    stems = {n[: n.rindex("_") + 1]: n for n in names if plain.fullmatch(n)}
    for name in names:
        for end in sorted((i + 1 for i, c in enumerate(name) if c == "_"), reverse=True):
            enabler = stems.get(name[:end], "")
            if enabler and enabler != name:
                if found.get(enabler) != name:  # ARSPD_ENABLE hides ARSPD_TYPE, and so is not hidden by it
                    found.setdefault(name, enabler)
                break
    return found


def with_enablers(spec: Spec, listed: Mapping[str, float] | None = None) -> Spec:
    """Give `spec` with `enabled_by` filled in.

    `listed` are values of a real vehicle: what it lists although the enabler is 0 is evidently not hidden by it.
    """
    found = derive(spec.settings.keys())
    for name, enabler in list(found.items()):
        if listed and name in listed and listed.get(enabler) == 0:
            del found[name]
    settings = {n: replace(s, enabled_by=found.get(n, "")) for n, s in spec.settings.items()}
    return replace(spec, settings=settings)
