"""What the text CLIs of different firmwares say and want, as data: one `families/<family>/dialect.toml` each.

It lives with the formats and not with the families, because a dump is also read offline, with no vehicle at hand.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

__all__ = ["CLI_FAMILIES", "Dialect", "Scope", "load_dialect", "parse_dialect"]

CLI_FAMILIES = ("betaflight", "inav")
"""Families that are configured over a text CLI."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A kind of profile: its select command, the number of its first one, and whether switching stores at once."""

    name: str
    first: int = 0
    stores: bool = False


@dataclass(frozen=True)
class Dialect:
    """One CLI dialect.

    `banner`, `errors`, `leaving`, `saving`, `rebooting` are regular expressions. `keys` tells how many words behind a
    command name its object ("serial" 1: `serial 0 64 ...` is setting `serial.0`), `subkeys` the same for two words
    ("vtxtable band"), `flags` are on/off commands ("feature"), `groups` are lists that are rewritten as a whole, with
    the word that empties them ("mmix": "reset"). `silent_strings`: `set` of a text answers nothing. For commands in
    `false_defaults` the told default is wrong. `resets_stored`: the command that resets to defaults stores them at
    once. `hardware` matches settings that say what is wired to which pin, which are of one kind of board.
    `window` is how many bytes of lines share one end marker; two windows
    are on the way at once, so that the line is never idle. `protected` maps setting names (regular expression, full
    match) to what they are: calibration, identity, volatile, read-only.
    """

    family: str
    title: str
    banner: str
    errors: tuple[str, ...]
    unknown: str
    leaving: str
    saving: str
    rebooting: str
    batch_ended: str
    max_line: int
    commands: Mapping[str, str]
    scopes: tuple[Scope, ...]
    keys: Mapping[str, int]
    subkeys: Mapping[str, int]
    flags: tuple[str, ...]
    groups: Mapping[str, str]
    order: tuple[str, ...]
    ignored: tuple[str, ...]
    protected: Mapping[str, str]
    own_link: str
    silent_strings: bool = False
    resets_stored: bool = False
    hardware: str = ""
    false_defaults: tuple[str, ...] = ()
    window: int = 114
    notes: tuple[str, ...] = field(default=())

    @cached_property
    def error_pattern(self) -> re.Pattern[str]:
        """Pattern that finds an error in a reply; its group `text` is what went wrong."""
        return re.compile("|".join(self.errors), re.MULTILINE)

    def error(self, reply: str) -> str:
        """Give the first error in `reply`, "" when there is none."""
        match = self.error_pattern.search(reply)
        if match is None:
            return ""
        return next((g.strip() for g in match.groups() if g), match[0].strip())

    @cached_property
    def scope_names(self) -> frozenset[str]:
        """Names of all scopes."""
        return frozenset(s.name for s in self.scopes)

    def scope(self, name: str) -> Scope:
        """Give the scope called `name`. Raises KeyError."""
        return next(s for s in self.scopes if s.name == name)

    @cached_property
    def _protected(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        return tuple((re.compile(pattern), kind) for pattern, kind in self.protected.items())

    def protected_kind(self, name: str) -> str:
        """Give "calibration", "identity", "volatile", "read-only" or "" for a setting."""
        return next((kind for pattern, kind in self._protected if pattern.fullmatch(name)), "")

    @cached_property
    def _own_link(self) -> re.Pattern[str]:
        return re.compile(self.own_link)

    @cached_property
    def _hardware(self) -> re.Pattern[str]:
        return re.compile(self.hardware)

    def is_hardware(self, name: str) -> bool:
        """Whether `name` belongs to one kind of board: on another one it names a wrong pin or bus."""
        return bool(self._hardware.fullmatch(name))

    def is_own_link(self, name: str) -> bool:
        """Whether a change of `name` can cut the connection it is made over."""
        return bool(self._own_link.fullmatch(name))


_LISTS = ("errors", "flags", "order", "ignored", "notes", "false_defaults")


def parse_dialect(text: str) -> Dialect:
    """Read the text of a `dialect.toml`. Raises ValueError or TypeError when it is not one."""
    data = tomllib.loads(text)
    for name in _LISTS:
        if name in data:
            data[name] = tuple(data[name])
    data["scopes"] = tuple(Scope(**scope) for scope in data["scopes"])
    return Dialect(**data)


@lru_cache
def load_dialect(family: str) -> Dialect:
    """Give the dialect that ships for `family`, one of `CLI_FAMILIES`. Raises KeyError for another."""
    if family not in CLI_FAMILIES:
        raise KeyError(family)
    path = Path(__file__).parents[1] / "families" / family / "dialect.toml"
    return parse_dialect(path.read_text("utf-8"))
