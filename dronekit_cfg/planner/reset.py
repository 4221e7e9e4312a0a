"""A reset to defaults as part of a plan: it goes with the change of another setting, and is shown before it happens.

A setting such as SYS_AUTOCONFIG of PX4 is an order, not a state: it clears itself at the boot that carries it out. So
it is written only while the setting that it goes with (the airframe) still has to change. Then a second apply finds
nothing to do, and nobody's settings are thrown away twice.
"""

from __future__ import annotations

from collections.abc import Collection

from dronekit_cfg.model import Change, Phase, Setting, Snapshot, Spec, Wanted
from dronekit_cfg.planner.policy import Policy, Resets
from dronekit_cfg.text import t

__all__ = ["order_of", "what_is_dropped"]


def order_of(
    wanted: Wanted, root_changes: bool, snapshot: Snapshot, policy: Policy
) -> tuple[Change | None, str] | None:
    """Give the change that orders a reset and a note on it; None when `wanted` orders none."""
    root = policy.resets_with(wanted.name) if isinstance(policy, Resets) else ""
    known = snapshot.by_name.get(wanted.name)
    if not root or known is None:
        return None
    if wanted.value in (0, "0"):
        return None, ""
    if not root_changes:
        note = t("{name} is left alone: {root} does not change, so nothing is reset", name=wanted.name, root=root)
        return None, note
    value = policy.coerce(wanted.name, wanted.value, known)
    change = Change(
        name=wanted.name,
        old=known.value,
        wanted=value,
        phase=Phase.ROOT,
        reboot=True,
        because=wanted.because or t("all settings go back to their defaults first"),
        origin=wanted.origin,
    )
    return change, ""


def what_is_dropped(order: str, snapshot: Snapshot, spec: Spec, policy: Policy, wanted: Collection[str]) -> str:
    """Say which settings a reset takes from the vehicle: those that differ from their default and are not wanted."""
    assert isinstance(policy, Resets)
    dropped = [
        t("{name} {now} (default {default:g})", name=s.name, now=s.value, default=default)
        for s in snapshot.settings
        if s.name not in wanted and not policy.kept_by_reset(s.name) and not policy.protected(s.name)
        for default in [_default(s, spec)]
        if default is not None and not _same(s, default)
    ]
    if not dropped:
        return t("{order} resets the vehicle; nothing that differs from its default gets lost", order=order)
    return t(
        "{order} drops {n} settings that are not at their default and not in the profile: {names}",
        order=order,
        n=len(dropped),
        names=", ".join(dropped),
    )


def _default(setting: Setting, spec: Spec) -> float | None:
    if setting.default is not None and not isinstance(setting.default.raw, str):
        return setting.default.number
    facts = spec.settings.get(setting.name)
    return None if facts is None or isinstance(facts.default, str) else facts.default


def _same(setting: Setting, default: float) -> bool:
    return isinstance(setting.value.raw, str) or type(setting.value)(setting.value.kind, default).same(setting.value)
