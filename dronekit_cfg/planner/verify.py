"""Compare what was read back with what was wanted, and find what changed although nobody asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from dronekit_cfg.model import Snapshot, Value

__all__ = ["Mismatch", "compare", "reset_settings", "side_effects"]

_PLAIN = re.compile(r"([a-z_]+\.\d+\.)?[a-z0-9_]+")
RESET_SIGN = 3
"""From how many settings on it is a reset of all, when every one that was off its default is back there."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One setting that is not as wanted. `found` is None when the vehicle does not show it."""

    name: str
    wanted: Value
    found: Value | None


def compare(wanted: Mapping[str, Value], found: Mapping[str, Value | None]) -> tuple[Mismatch, ...]:
    """Give every wanted value that was not found as wanted, in the order of `wanted`."""
    return tuple(
        Mismatch(name, value, found.get(name)) for name, value in wanted.items() if not value.same(found.get(name))
    )


def side_effects(
    before: Snapshot, after: Snapshot, touched: Collection[str], protected: Callable[[str], str]
) -> tuple[tuple[str, Value | None, Value | None], ...]:
    """Give settings in both snapshots that differ although they were not written: (name, before, after).

    Volatile and read-only settings change by themselves and are left out, and so are settings that appeared or
    vanished (an enable setting does that).
    """
    changed = []
    for name, setting in after.by_name.items():
        old = before.by_name.get(name)
        if old is None or name in touched or setting.value.same(old.value):
            continue
        if protected(name) not in {"volatile", "read-only"}:
            changed.append((name, old.value, setting.value))
    return tuple(changed)


def reset_settings(
    before: Snapshot, after: Snapshot, touched: Collection[str], protected: Callable[[str], str]
) -> tuple[str, ...]:
    """Give the settings that a vehicle lost which came back with its defaults; () when it did not.

    That is so when several that nobody wrote went back to their default, and none is known to be off its default any
    more: a save that was cut off by a power loss makes Betaflight and INAV start from defaults. A few of many are side
    effects of what was written. INAV tells a default only where it is the value. Flags (`feature.GPS`) do not count:
    what a `diff` tells as their default is not what a reset gives on every build.
    """
    rest = [
        (old, after.by_name[old.name])
        for old in before.settings
        if old.name in after.by_name and old.name not in touched and _PLAIN.fullmatch(old.name)
    ]
    rest = [(old, now) for old, now in rest if not protected(old.name)]
    moved = [now for old, now in rest if not old.value.same(now.value)]
    kept = any(
        old.value.same(now.value) and now.default is not None and not now.value.same(now.default) for old, now in rest
    )
    home = tuple(now.name for now in moved if now.value.same(now.default))
    return home if len(home) == len(moved) >= RESET_SIGN and not kept else ()
