"""Write what differs and look again, until nothing differs.

Each round plans from what the vehicle shows now. So it does not matter why something is not as wanted (it was hidden
until an enable setting and a reboot, an echo was lost, the vehicle rebooted under us, another station changed it): the
next round sees it and deals with it, and the number of rounds is bounded.
"""

from __future__ import annotations

from collections.abc import Sequence

from dronekit_cfg.engine.work import Failed, Work
from dronekit_cfg.errors import LinkError
from dronekit_cfg.events import Note
from dronekit_cfg.model import Change, Outcome, Phase, Plan, Snapshot, Verdict
from dronekit_cfg.planner.plan import Goal
from dronekit_cfg.planner.verify import reset_settings, side_effects
from dronekit_cfg.text import t

__all__ = ["settle"]

MAX_ROUNDS = 8
"""Enable chains on ArduPilot are at most three deep; the rest is for links that fail in between."""

_FINAL = {Verdict.CLAMPED, Verdict.DENIED, Verdict.UNKNOWN}


def settle(work: Work, goal: Goal, snapshot: Snapshot, *, first: Plan | None = None) -> Snapshot:
    """Bring the vehicle from `snapshot` to `goal` and give the last snapshot, in which nothing differs.

    Raises Failed with the reasons when it cannot be reached; link errors are survived as long as rounds are left.
    """
    names = [w.name for w in goal.wanted]
    rebooted_for: set[str] = set()
    for number in range(MAX_ROUNDS):
        plan = first if first is not None and number == 0 else work.plan(goal, snapshot)
        if plan.errors:
            raise Failed([f.message for f in plan.errors])
        if number:
            _require_rest(work, snapshot, plan)
        if not plan.changes:
            return snapshot
        names = [w.name for w in plan.wanted]
        try:
            snapshot = _round(work, plan, names, rebooted_for)
        except LinkError as error:
            snapshot = _recover_link(work, names, error)
    raise Failed(
        [t("{name} did not become {value}", name=c.name, value=c.wanted) for c in work.plan(goal, snapshot).changes]
        or [t("the link failed {count} times", count=MAX_ROUNDS)]
    )


def _require_rest(work: Work, snapshot: Snapshot, plan: Plan) -> None:
    """Raise Failed when a staged vehicle lost what nobody wrote: a save that was cut off leaves it with its defaults.

    Where all is as wanted, a few other settings may have followed what was written. Where it is not, the save did not
    do its work, and nothing else may have changed by it.
    """
    driver = work.connection.driver
    if not driver.traits.staged:
        return
    lost = reset_settings(work.base, snapshot, work.traces, driver.protected)
    if lost:
        names = ", ".join(lost[:6])
        raise Failed([t("the vehicle came back with its defaults: {n} lost ({names})", n=len(lost), names=names)])
    wanted = {w.name for w in plan.wanted}
    found = side_effects(work.base, snapshot, work.traces, driver.protected)
    moved = [(name, old, new) for name, old, new in found if name not in wanted]
    if plan.changes and moved:
        text = "{name} changed from {old} to {new}, and what was written did not stay"
        raise Failed([t(text, name=name, old=old, new=new) for name, old, new in moved[:6]])


def _round(work: Work, plan: Plan, names: Sequence[str], rebooted_for: set[str]) -> Snapshot:
    """Write what can be written now; reboot when something is still hidden; give what the vehicle shows then."""
    ready = [c for c in plan.changes if c.old is not None]
    hidden = [c for c in plan.changes if c.old is None]
    roots = [c for c in ready if c.phase is Phase.ROOT]
    if roots:
        ready, hidden = roots, []
    if ready:
        outcomes = work.write(ready)
        refused = [o for o in outcomes if o.verdict in _FINAL]
        if refused:
            raise Failed([_refusal(o) for o in refused])
        if work.connection.driver.traits.staged:
            _commit(work, ready)
            return work.look(names)
    if roots:
        work.reboot(t("{names} gives other settings new defaults", names=", ".join(c.name for c in roots)))
    if hidden:
        _reboot_for(work, hidden, ready, rebooted_for)
    return work.look(names)


def _reboot_for(work: Work, hidden: Sequence[Change], ready: Sequence[Change], rebooted_for: set[str]) -> None:
    """Reboot so that hidden settings appear; Failed when that was tried and nothing new was written since."""
    waiting = {c.name for c in hidden}
    if not ready and waiting <= rebooted_for:
        raise Failed([_never_appeared(c) for c in hidden])
    rebooted_for |= waiting
    work.reboot(t("hidden until the vehicle restarts: {names}", names=", ".join(sorted(waiting)[:6])))


def _commit(work: Work, changes: Sequence[Change]) -> None:
    """Make staged writes permanent, but only after they were read back inside the session."""
    connection = work.connection
    found = connection.values([c.name for c in changes])
    wrong = [c for c in changes if not c.wanted.same(found.get(c.name))]
    if wrong:
        raise Failed(
            [
                t(
                    "{name}: {found} instead of {wanted} before saving",
                    name=c.name,
                    found=found.get(c.name),
                    wanted=c.wanted,
                )
                for c in wrong
            ]
        )
    for change in changes:
        work.traces[change.name].read_back = found[change.name]
    work.journal.write("commit")
    connection.run(connection.driver.commit())
    connection.reconnect()
    work.reboots += 1


def _recover_link(work: Work, names: Sequence[str], error: LinkError) -> Snapshot:
    """Come back after a lost link and look at what the vehicle holds now."""
    work.connection.session.report(Note(t("link trouble: {error}; connecting again", error=error), level="warning"))
    work.notes.append(t("link trouble: {error}", error=error))
    work.connection.reconnect()
    return work.look(names)


def _refusal(outcome: Outcome) -> str:
    text = {
        Verdict.CLAMPED: t("{name}: the vehicle made {echoed} of {wanted}"),
        Verdict.DENIED: t("{name}: the vehicle kept {echoed} and denied {wanted}"),
        Verdict.UNKNOWN: t("{name}: the vehicle does not know this setting"),
    }[outcome.verdict].format(name=outcome.name, echoed=outcome.echoed, wanted=outcome.wanted)
    return f"{text} ({outcome.detail})" if outcome.detail else text


def _never_appeared(change: Change) -> str:
    if change.appears_after:
        return t("{name} did not appear although {root} is set", name=change.name, root=change.appears_after)
    return t("{name}: the vehicle does not know this setting", name=change.name)
