"""Compare what was read back with what was wanted, and find what changed although nobody asked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from dronekit_cfg.model import Snapshot, Value

__all__ = ["Mismatch", "compare", "side_effects"]


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
