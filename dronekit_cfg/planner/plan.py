"""Compute what has to change. Pure: the same profile, snapshot and metadata always give the same plan.

Three kinds of wanted settings are told apart:

* the vehicle has it (listed, or read by name): it is compared and becomes a `Change` with its old value if it differs;
* the metadata knows it but the vehicle does not show it: it is hidden until another setting is on, and becomes a
  `Change` without an old value, written as soon as it appears;
* nobody knows it: an error with the closest names, or, when the metadata is not of this very version, a try by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from dronekit_cfg.model import (
    Change,
    Finding,
    LeftOut,
    Phase,
    Plan,
    SettingSpec,
    Snapshot,
    Spec,
    Step,
    StepKind,
    Wanted,
)
from dronekit_cfg.planner.left_out import NEVER, left_out_finding, left_out_note
from dronekit_cfg.planner.policy import NoRenames, Policy, Renames, Resets
from dronekit_cfg.planner.reset import order_of, what_is_dropped
from dronekit_cfg.planner.strays import closest_names, of_whole_vehicle
from dronekit_cfg.text import t

__all__ = ["Goal", "make_plan"]

_PHASES = list(Phase)


@dataclass(frozen=True, slots=True)
class Goal:
    """What is to hold at the end, from a profile or from a snapshot.

    `include` lists protected classes ("calibration", "identity") that may be written. `known_state` says that
    the vehicle was in this state before (a snapshot): its protected settings are dropped without a finding, and policy
    rules do not refuse the way back. `notes` become notes of the plan. `from_defaults`: the vehicle is reset to its
    defaults in the same session before anything is written, where it can take that back.
    """

    profile: str
    digest: str
    wanted: tuple[Wanted, ...]
    include: frozenset[str] = frozenset()
    known_state: bool = False
    notes: tuple[str, ...] = ()
    from_defaults: bool = False


@dataclass(slots=True)
class _Draft:
    changes: list[Change] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    wanted: list[Wanted] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    reset: str = ""


def make_plan(
    goal: Goal, snapshot: Snapshot, spec: Spec | None, policy: Policy, renames: Renames | None = None
) -> Plan:
    """Plan how to bring `snapshot` to `goal`.

    Never raises for values that do not fit: they become findings of severity "error". Whether a value that fits is also
    wise is for the rules to say.
    """
    spec = spec or Spec(snapshot.identity.family, snapshot.identity.vehicle, "", {}, exact=False)
    draft = _Draft(notes=list(goal.notes))
    absent: list[Wanted] = []
    listed = _translated(goal, snapshot, spec, renames or NoRenames(), draft)
    for wanted in listed:
        if _orders_reset(wanted, listed, snapshot, policy, draft):
            continue
        reason = _protection(wanted.name, spec.get(wanted.name), policy)
        if wanted.optional and (reason == "read-only" or not _heard_of(wanted, snapshot, spec)):
            absent += [] if _is_so(wanted, snapshot, policy) else [wanted]
            continue
        if reason and (reason in NEVER or reason not in goal.include):
            known = goal.known_state or not spec.exact or _heard_of(wanted, snapshot, spec)
            if known or _may_appear(wanted, goal, snapshot, spec, draft):
                _leave_out(wanted, reason, goal, snapshot, policy, draft)
            continue
        draft.wanted.append(wanted)
        _consider(wanted, goal, snapshot, spec, policy, draft)
    if draft.reset:
        draft.notes.append(what_is_dropped(draft.reset, snapshot, spec, policy, {w.name for w in listed}))
    draft.notes += _left_out(absent, draft.wanted)
    if absent and not draft.wanted:
        message = t("nothing of this profile is known to this firmware: it would set nothing")
        remedy = t("use a profile for this firmware, or a firmware that was built with these settings")
        draft.findings.append(Finding("sets-nothing", "error", absent[0].name, message, remedy, absent[0].origin))
    draft.changes.sort(key=lambda c: _PHASES.index(c.phase))
    return Plan(
        identity=snapshot.identity,
        profile=goal.profile,
        profile_digest=goal.digest,
        snapshot_digest=snapshot.digest,
        changes=tuple(draft.changes),
        steps=_steps(draft.changes, draft.missing),
        wanted=tuple(draft.wanted),
        findings=tuple(draft.findings),
        skipped=tuple(draft.skipped),
        missing=tuple(draft.missing),
        spec=_spec_text(spec),
        notes=tuple(draft.notes),
        left_out=tuple(draft.left_out),
    )


def _heard_of(wanted: Wanted, snapshot: Snapshot, spec: Spec) -> bool:
    return wanted.name in snapshot.by_name or wanted.name in spec.settings


def _is_so(wanted: Wanted, snapshot: Snapshot, policy: Policy) -> bool:
    """Whether the vehicle holds the wanted value already."""
    known = snapshot.by_name.get(wanted.name)
    if known is None:
        return False
    try:
        return policy.coerce(wanted.name, wanted.value, known).same(known.value)
    except ValueError:
        return False


def _orders_reset(wanted: Wanted, listed: Sequence[Wanted], snapshot: Snapshot, policy: Policy, draft: _Draft) -> bool:
    """Plan a reset to defaults where `wanted` orders one; whether it does."""
    if not isinstance(policy, Resets) or not (root := policy.resets_with(wanted.name)):
        return False
    target = next((w.value for w in listed if w.name == root), None)
    now = snapshot.by_name.get(root)
    changes = target is not None and now is not None and not policy.coerce(root, target, now).same(now.value)
    found = order_of(wanted, changes, snapshot, policy)
    if found is None:
        return False
    change, note = found
    if change is not None:
        draft.changes.append(change)
        draft.reset = wanted.name
    draft.notes += [note] if note else []
    return True


def _spec_text(spec: Spec) -> str:
    if not spec.settings:
        return t("no metadata for this firmware: values are checked against the vehicle's types only")
    text = f"{spec.family} {spec.vehicle} {spec.version}"
    return text if spec.exact else t("{spec} (the nearest to this firmware)", spec=text)


def _left_out(absent: list[Wanted], kept: list[Wanted]) -> list[str]:
    """Say what the firmware was built without. Where it has another name for the same entry, there is nothing to say.

    One entry of a profile may stand for several names (a port of Betaflight): they share its place in the file.
    """
    places = {w.origin for w in kept if w.origin.line}
    names = ", ".join(dict.fromkeys(w.name for w in absent if w.origin not in places))
    return [t("left out, because this firmware was built without: {names}", names=names)] if names else []


def _translated(goal: Goal, snapshot: Snapshot, spec: Spec, renames: Renames, draft: _Draft) -> list[Wanted]:
    """Give the wanted settings under the names the vehicle uses; what cannot be carried over becomes an error."""

    def has(name: str) -> bool:
        return name in snapshot.by_name

    def hidden(name: str) -> bool:
        return name in snapshot.by_name or (spec.exact and name in spec.settings)

    result: list[Wanted] = []
    for wanted in goal.wanted:
        if has(wanted.name) or (spec.exact and wanted.name in spec.settings):
            result.append(wanted)
            continue
        if stray := of_whole_vehicle(wanted.name, snapshot.by_name):
            draft.notes.append(t("{old} is {new}: a setting of the whole vehicle", old=wanted.name, new=stray))
            result = [w for w in result if w.name != stray]  # the later line counts, as on the vehicle itself
            result.append(replace(wanted, name=stray))
            continue
        try:
            found = renames.translate(wanted.name, wanted.value, has) or renames.translate(
                wanted.name, wanted.value, hidden
            )
        except ValueError as error:
            remedy = t("write the setting under the name of this firmware")
            draft.findings.append(Finding("rename", "error", wanted.name, str(error), remedy, wanted.origin))
            continue
        if found is None:
            result.append(wanted)
            continue
        name, value = found
        draft.notes.append(
            t(
                "{old} is {new} on this firmware: {before} becomes {after}",
                old=wanted.name,
                new=name,
                before=wanted.value,
                after=value,
            )
            if value != wanted.value
            else t("{old} is {new} on this firmware", old=wanted.name, new=name)
        )
        result.append(replace(wanted, name=name, value=value))
    return result


def _protection(name: str, spec: SettingSpec, policy: Policy) -> str:
    """Say why a setting is not written by itself. What the metadata flags counts as much as the family's own list."""
    own = policy.protected(name)
    if own in NEVER:
        return own
    for flag, reason in (
        (spec.read_only, "read-only"),
        (spec.volatile, "volatile"),
        (spec.identity, "identity"),
        (spec.calibration, "calibration"),
    ):
        if flag:
            return reason
    return own


def _leave_out(wanted: Wanted, reason: str, goal: Goal, snapshot: Snapshot, policy: Policy, draft: _Draft) -> None:
    """Leave a setting as it is, and say so unless it is as wanted already."""
    known = snapshot.by_name.get(wanted.name)
    if goal.known_state:
        draft.skipped.append(wanted.name)
        # What a family never writes was left out by design; what only this firmware cannot write is a loss.
        if reason != "read-only" or policy.protected(wanted.name):
            return
    try:
        value = policy.coerce(wanted.name, wanted.value, known)
    except ValueError as error:
        draft.findings += [] if goal.known_state else [_misfit(wanted, error)]
        return
    if known is not None and value.same(known.value):
        draft.wanted.append(wanted)
        return
    left = LeftOut(wanted.name, known.value if known else None, value, reason)
    draft.left_out.append(left)
    draft.notes.append(left_out_note(left))
    if not goal.known_state:
        draft.skipped.append(wanted.name)
        draft.findings.append(left_out_finding(left, wanted))


def _misfit(wanted: Wanted, error: ValueError) -> Finding:
    remedy = getattr(error, "hint", "") or t("change the value")
    text = str(error) if wanted.name in str(error) else t("{name}: {why}", name=wanted.name, why=error)
    return Finding("value-type", "error", wanted.name, text, remedy, wanted.origin)


def _consider(wanted: Wanted, goal: Goal, snapshot: Snapshot, spec: Spec, policy: Policy, draft: _Draft) -> None:
    known = snapshot.by_name.get(wanted.name)
    facts = spec.settings.get(wanted.name)
    if known is None and not _may_appear(wanted, goal, snapshot, spec, draft):
        return
    try:
        value = policy.coerce(wanted.name, wanted.value, known)
    except ValueError as error:
        draft.findings.append(_misfit(wanted, error))
        return
    if known is not None and value.same(known.value):
        return
    draft.changes.append(
        Change(
            name=wanted.name,
            old=known.value if known else None,
            wanted=value,
            phase=policy.phase(wanted.name),
            reboot=bool(facts and facts.reboot),
            because=wanted.because,
            origin=wanted.origin,
            appears_after=_enabler(facts) if known is None else "",
        )
    )


def _enabler(facts: SettingSpec | None) -> str:
    return facts.enabled_by if facts else ""


def _may_appear(wanted: Wanted, goal: Goal, snapshot: Snapshot, spec: Spec, draft: _Draft) -> bool:
    """Decide about a setting that the vehicle does not show. True: it is worth waiting for."""
    facts = spec.settings.get(wanted.name)
    if facts is None:
        if not spec.exact:
            draft.missing.append(wanted.name)
            return True
        names = {*spec.settings, *snapshot.by_name}
        near = ", ".join(closest_names(wanted.name, names))
        message = t("{name} is not known to this firmware", name=wanted.name)
        remedy = t("did you mean {near}?", near=near) if near else t("check the name against the firmware version")
        if goal.known_state:
            remedy += t("; to leave it out: --without {name}", name=wanted.name)
        draft.findings.append(Finding("unknown", "error", wanted.name, message, remedy, wanted.origin))
        return False
    root = facts.enabled_by
    if root and not _will_be_on(root, goal, snapshot):
        message = t("{name} appears only after {root} is enabled, and {root} stays 0", name=wanted.name, root=root)
        remedy = t("set {root} in the profile, or take {name} out", root=root, name=wanted.name)
        draft.findings.append(Finding("hidden", "error", wanted.name, message, remedy, wanted.origin))
        return False
    return True


def _will_be_on(root: str, goal: Goal, snapshot: Snapshot) -> bool:
    for wanted in goal.wanted:
        if wanted.name == root:
            return wanted.value not in (0, "0", "OFF")
    now = snapshot.value(root)
    return now is None or now.raw != 0


def _steps(changes: Sequence[Change], missing: Sequence[str]) -> tuple[Step, ...]:
    if not changes and not missing:
        return ()
    hidden = [c for c in changes if c.old is None]
    steps: list[Step] = []
    for phase in _PHASES:
        names = tuple(c.name for c in changes if c.phase is phase and c.old is not None)
        if names:
            steps.append(Step(StepKind.WRITE, names))
        if names and phase is Phase.ROOT:
            because = t("{names} gives other settings new defaults; the rest is planned again", names=", ".join(names))
            steps.append(Step(StepKind.REBOOT, because=because))
        if phase is Phase.ENABLE and hidden:
            steps.append(Step(StepKind.REBOOT, because=t("so that {count} hidden settings appear", count=len(hidden))))
            steps.append(Step(StepKind.WRITE, tuple(c.name for c in hidden)))
    reboot_for = [c.name for c in changes if c.reboot]
    because = (
        t("needed by {names}", names=", ".join(reboot_for[:5]))
        if reboot_for
        else t("to prove that the values are stored")
    )
    steps += [Step(StepKind.VERIFY), Step(StepKind.REBOOT, because=because), Step(StepKind.VERIFY)]
    return tuple(steps)
