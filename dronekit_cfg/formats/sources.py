"""Where the sources of shipped values are found, which state of them was used, and how they were checked.

A value's `source:` begins with the name of an entry of `profiles/sources.toml`; the longest name that fits is meant.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache

from dronekit_cfg.formats.files import read_text
from dronekit_cfg.formats.shipped import shipped
from dronekit_cfg.text import t

__all__ = ["Source", "source_of"]

_CHECKED = {
    "tests": "compared with the shipped metadata",
    "read": "opened again and compared",
    "measured": "measured on a simulator",
    "facts": "facts collected from it; not opened again",
    "choice": "nobody else's fact",
}


@dataclass(frozen=True, slots=True)
class Source:
    """One document: its name as values give it, where it is found, its state, and how it was checked, for a person."""

    name: str
    address: str
    state: str
    checked: str

    def __str__(self) -> str:
        return t("{address}: {state} ({checked})", address=self.address, state=self.state, checked=self.checked)


@cache
def _table() -> tuple[Source, ...]:
    entries = tomllib.loads(read_text(shipped("profiles") / "sources.toml"))["source"]
    return tuple(Source(e["name"], e["address"], e["state"], t(_CHECKED[e["checked"]])) for e in entries)


def source_of(text: str) -> Source | None:
    """Give the source that a value names; None for one that is not of the shipped profiles."""
    return max((s for s in _table() if text.startswith(s.name)), key=lambda s: len(s.name), default=None)
