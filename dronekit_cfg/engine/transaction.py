"""The transaction: a vehicle ends in exactly the wanted state, verified twice, or exactly as it was.

::

    refuse (armed, open journal, plan with errors)      nothing was written
      │
    snapshot on disk ─ plan ─ nothing differs ──────────▶ UNCHANGED
      │
    journal ─ write and look again until nothing differs (settle)
      │            │
      │            └─ cannot be reached ─ roll back ─ verified ─▶ ROLLED_BACK
      │                                        └─ not verified ─▶ IN_DOUBT  (recover continues)
    reboot ─ look again ─ still as wanted ──────────────▶ DONE
                 └─ not persistent ─ roll back ...
"""

from __future__ import annotations

import contextlib
import getpass
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from functools import partial

from dronekit_cfg.catalog.renames import Renames
from dronekit_cfg.engine.connection import Connection, utc_now
from dronekit_cfg.engine.judge import Terms, judge_law, judge_plan, unaccepted
from dronekit_cfg.engine.knowledge import metadata, renames_for
from dronekit_cfg.engine.parts import ask_parts
from dronekit_cfg.engine.receipts import build_receipt
from dronekit_cfg.engine.rollback import roll_back
from dronekit_cfg.engine.settle import settle
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.work import Failed, Work
from dronekit_cfg.errors import (
    DronekitError,
    FileProblems,
    InDoubt,
    Interrupted,
    Problem,
    StateError,
    UsageError,
    VehicleError,
    WrongVehicle,
)
from dronekit_cfg.events import Note
from dronekit_cfg.families.base import StartsOver
from dronekit_cfg.formats.records import to_data
from dronekit_cfg.model import Finding, Plan, Receipt, Result, Snapshot, Spec
from dronekit_cfg.model.cost import Cost
from dronekit_cfg.planner.cost import Forecast, forecast
from dronekit_cfg.planner.left_out import left_out_id
from dronekit_cfg.planner.plan import Goal, make_plan
from dronekit_cfg.text import t

__all__ = [
    "ApplyOptions",
    "Prepared",
    "apply",
    "current_user",
    "keep_receipt",
    "pinned_plan",
    "prepare",
    "refuse_errors",
    "refuse_unfinished",
]


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """How to apply. `prove` reboots at the end and reads back again; without it persistence is not verified.

    `confirm` is asked with the plan before anything is written. `pinned` is a plan made earlier: it must still fit.
    `terms` are what the plan is judged by. `aircraft` is the id of the journal of the aircraft that this is a part of:
    then the device's journal stays open after success, until it is decided for all devices.
    """

    action: str = "apply"
    prove: bool = True
    confirm: Callable[[Plan], bool] | None = None
    pinned: Plan | None = None
    who: str = ""
    terms: Terms = field(default_factory=Terms)
    aircraft: str = ""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a plan was made from."""

    plan: Plan
    snapshot: Snapshot
    spec: Spec | None
    renames: Renames | None
    forecast: Forecast | None = None


def prepare(connection: Connection, goal: Goal, state: StateDir, terms: Terms | None = None) -> Prepared:
    """Read the vehicle, plan towards `goal` and judge the plan; writes nothing to the vehicle or the disk."""
    renames = renames_for(connection.identity)
    snapshot = connection.snapshot()
    spec = metadata(connection, state.root)
    plan = make_plan(goal, snapshot, spec, connection.driver, renames)
    unseen = [c.name for c in plan.changes if c.old is None]
    if unseen:  # hidden settings that the vehicle knows by name need no reboot, and their old value is on record
        found = connection.run(connection.driver.read(unseen))
        extra = tuple(setting for setting in found.values() if setting is not None)
        if extra:
            snapshot = replace(snapshot, settings=snapshot.settings + extra)
            plan = make_plan(goal, snapshot, spec, connection.driver, renames)
    terms = terms or Terms()
    judge = judge_law if goal.known_state else partial(judge_plan, renames=renames)
    plan = judge(plan, snapshot, spec, terms=terms)
    return Prepared(plan, snapshot, spec, renames, forecast(plan, snapshot, connection.session.line))


def refuse_errors(plan: Plan, accept: Collection[str] = ()) -> None:
    """Raise FileProblems when the plan has errors, or warnings of rules that nobody accepted."""
    if plan.errors:
        raise FileProblems(tuple(_problem(f) for f in plan.errors))
    open_warnings = unaccepted(plan, accept)
    if open_warnings:
        ids = " ".join(f"--accept {i}" for i in dict.fromkeys(f.id for f in open_warnings))
        raise FileProblems(
            tuple(_problem(f) for f in open_warnings),
            hint=t("mend it, waive it in the profile with a reason, or accept it: {ids}", ids=ids),
        )


def _problem(finding: Finding) -> Problem:
    text = f"{finding.message} [{finding.id}]"
    if finding.origin is None:
        return Problem("", 0, 0, text, finding.remedy)
    place = finding.origin
    return Problem(place.file or place.layer, place.line, place.column, text, finding.remedy)


def apply(connection: Connection, goal: Goal, state: StateDir, options: ApplyOptions | None = None) -> Receipt:
    """Bring the vehicle to `goal` and give the receipt (also stored); its `result` says how it ended.

    Raises before anything is written: Armed, WrongVehicle, InDoubt (an earlier apply is unfinished), FileProblems (plan
    errors), StateError, LeaseHeld, UsageError (not confirmed). Raises Interrupted after a stop request, with the old
    state restored.
    """
    options = options or ApplyOptions()
    with state.lease(connection.identity.key):
        started = utc_now()
        refuse_unfinished(connection, state, part_of=options.aircraft)
        connection.require_disarmed()
        prepared = prepare(connection, goal, state, options.terms)
        plan = prepared.plan
        if options.pinned is not None:
            _refuse_changed_plan(options.pinned, prepared)
            # The same values were judged when the plan was made, with inputs and waivers that its file does not carry.
            plan = pinned_plan(options.pinned, prepared)
            prepared = replace(prepared, plan=plan)
        refuse_errors(plan, options.terms.accept)
        file = state.save_snapshot(prepared.snapshot)
        if goal.from_defaults and isinstance(connection.driver, StartsOver):
            connection.driver.start_over = True
        if plan.changes and options.confirm is not None and not options.confirm(plan):
            raise UsageError(t("not confirmed; nothing was written"), hint=t("answer y, or give --yes"))
        ask_parts(connection, brief=True)  # for the receipt: nothing is asked any more once the work has begun
        journal = state.new_journal(connection.identity, started)
        work = Work(connection, journal, prepared.snapshot, prepared.spec, prepared.renames, prepared.snapshot)
        work.region = plan.region
        with contextlib.closing(journal):
            receipt, stopped = _transact(work, goal, prepared, options, started=started, snapshot_file=str(file))
        keep_receipt(connection, state, receipt)
        if stopped:
            raise _interrupted(receipt.result)
        return receipt


def _transact(
    work: Work, goal: Goal, prepared: Prepared, options: ApplyOptions, *, started: str, snapshot_file: str
) -> tuple[Receipt, bool]:
    """Announce, carry out, and write down: the receipt, and whether a stop was requested."""
    plan, clock = prepared.plan, work.connection.runner.clock
    start, meter = clock.now(), _meter(work.connection)
    predicted = forecast(plan, prepared.snapshot, work.connection.session.line, prove=options.prove)
    work.journal.begin(
        work.connection.identity,
        wanted={c.name: c.wanted for c in plan.changes},
        hidden=[c.name for c in plan.changes if c.old is None],
        action=options.action,
        profile=plan.profile,
        profile_digest=plan.profile_digest,
        plan_digest=plan.digest,
        snapshot=snapshot_file,
        snapshot_digest=prepared.snapshot.digest,
        started=started,
        **({"aircraft": options.aircraft} if options.aircraft else {}),
        **({"left_out": to_data(plan.left_out)} if plan.left_out else {}),
    )
    result, problems, stopped, last = _carry_out(work, goal, prepared, options)
    receipt = build_receipt(
        work,
        plan,
        result=result,
        problems=problems,
        action=options.action,
        who=options.who or current_user(),
        started=started,
        seconds=clock.now() - start,
        snapshot_file=snapshot_file,
        last=last,
        proved=options.prove and result is Result.DONE,
        predicted=predicted.cost if predicted else None,
        actual=_spent(meter, _meter(work.connection)),
    )
    return receipt, stopped


def _meter(connection: Connection) -> tuple[int, int, float]:
    """Give the bytes sent and received so far, and the time without that of reboots."""
    runner = connection.runner
    return runner.sent, runner.received, runner.clock.now() - connection.rebooting


def _spent(before: tuple[int, int, float], after: tuple[int, int, float]) -> Cost:
    return Cost(after[0] - before[0], after[1] - before[1], round(after[2] - before[2], 3))


def keep_receipt(connection: Connection, state: StateDir, receipt: Receipt) -> None:
    """Store the receipt. A disk that is full by now changes nothing about the vehicle, so it is a warning."""
    try:
        state.save_receipt(receipt)
    except StateError as error:
        connection.session.report(Note(t("the receipt was not stored: {error}", error=error), level="warning"))


def _carry_out(
    work: Work, goal: Goal, prepared: Prepared, options: ApplyOptions
) -> tuple[Result, tuple[str, ...], bool, Snapshot]:
    """Write, prove, or roll back: (result, problems, whether a stop was requested, last snapshot)."""
    if not prepared.plan.changes:
        work.journal.end(Result.UNCHANGED)
        return Result.UNCHANGED, (), False, prepared.snapshot
    try:
        last = _reach(work, goal, prepared, prove=options.prove)
        _require_kept(work, goal, prepared.plan, last, options.terms.accept)
        if options.aircraft:
            work.journal.write("held")
        else:
            work.journal.end(Result.DONE)
    except DronekitError as error:
        if not work.traces and not isinstance(error, Failed):
            with contextlib.suppress(StateError):
                work.journal.end(Result.UNCHANGED, error.message)
            raise  # nothing was written, so there is nothing to roll back: the error is the whole story
        stopped, why = isinstance(error, Interrupted), error.message
        problems = error.problems if isinstance(error, Failed) else (error.message,)
    else:
        return Result.DONE, (), False, last
    wrong = _undo(work, why)
    result = Result.IN_DOUBT if wrong else Result.ROLLED_BACK
    try:
        work.journal.end(result, why)
    except StateError as error:
        work.notes.append(str(error))
    return result, problems + tuple(t("rollback: {text}", text=w) for w in wrong), stopped, prepared.snapshot


def _undo(work: Work, why: str) -> tuple[str, ...]:
    try:
        return roll_back(work, why)
    except Interrupted as error:
        return (t("the rollback was stopped too: {error}", error=error),)


def _reach(work: Work, goal: Goal, prepared: Prepared, *, prove: bool) -> Snapshot:
    snapshot = settle(work, goal, prepared.snapshot, first=prepared.plan)
    staged = work.connection.driver.traits.staged
    for name, trace in work.traces.items():
        if staged:
            trace.after_reboot = snapshot.value(name)
        else:
            trace.read_back = snapshot.value(name)
    if staged or not prove:
        return snapshot
    work.reboot(t("restart to prove that the values are stored"))
    snapshot = work.look([w.name for w in goal.wanted])
    left = work.plan(goal, snapshot).changes
    if left:
        raise Failed(
            [
                t(
                    "{name} is {found} after the reboot and not {wanted}: it was not stored",
                    name=c.name,
                    found=c.old,
                    wanted=c.wanted,
                )
                for c in left
            ]
        )
    for name, trace in work.traces.items():
        trace.after_reboot = snapshot.value(name)
    return snapshot


def _require_kept(work: Work, goal: Goal, plan: Plan, last: Snapshot, accept: Collection[str]) -> None:
    """Raise Failed for a value that was as wanted, is not any more, and that nothing writes.

    What was not as wanted before was accepted, and the receipt names it.
    """
    named = {left.name for left in plan.left_out}
    lost = [left for left in work.plan(goal, last).left_out if left.name not in named]
    if lost and not goal.known_state and not all(left_out_id(left) in accept for left in lost):
        text = "{name} is {found} by now and not {wanted}, and is not written"
        raise Failed([t(text, name=left.name, found=left.found, wanted=left.wanted) for left in lost])


def refuse_unfinished(connection: Connection, state: StateDir, *, part_of: str = "") -> None:
    """Raise InDoubt when earlier work on this device, or on the aircraft that it is a part of, was cut off."""
    whole = state.open_aircraft(connection.identity.key)
    if whole is not None and whole.id != part_of:
        raise InDoubt(
            t(
                "an earlier {action} of the aircraft with this {family} was not finished",
                action=whole.begin.get("action", "apply"),
                family=connection.identity.family,
            ),
            hint=t("run `dronekit-cfg recover` first; its journal is {path}", path=whole.path),
        )
    story = state.open_journal(connection.identity)
    if story is not None:
        raise InDoubt(
            t("an earlier {action} of this vehicle was not finished", action=story.begin.get("action", "apply")),
            hint=t("run `dronekit-cfg recover` first; its journal is {path}", path=story.path),
        )


def pinned_plan(pinned: Plan, prepared: Prepared) -> Plan:
    """Give the plan with what was found when it was made; only the law is asked anew, of the region it was made for.

    What it leaves out it no longer names as wanted, so that is taken over too; what cannot be kept by now comes on top.
    """
    fresh = tuple(f for f in prepared.plan.findings if f.id in {left_out_id(left) for left in prepared.plan.left_out})
    plan = replace(
        prepared.plan,
        findings=(*pinned.findings, *fresh),
        left_out=(*pinned.left_out, *prepared.plan.left_out),
        notes=tuple(dict.fromkeys((*pinned.notes, *prepared.plan.notes))),
    )
    region = pinned.region or prepared.plan.region
    return judge_law(plan, prepared.snapshot, prepared.spec, Terms({"region": region} if region else {}))


def _refuse_changed_plan(pinned: Plan, prepared: Prepared) -> None:
    different = pinned.identity.differences(prepared.plan.identity)
    if different:
        raise WrongVehicle(
            t("the plan was made for another vehicle ({fields} differ)", fields=", ".join(different)),
            hint=t("make a plan for this vehicle, or connect the one the plan was made for"),
        )
    then = {c.name: (str(c.old), str(c.wanted)) for c in pinned.changes}
    now = {c.name: (str(c.old), str(c.wanted)) for c in prepared.plan.changes}
    if now and then != now:
        names = sorted(n for n in {*then, *now} if then.get(n) != now.get(n))
        raise VehicleError(
            t("the vehicle has changed since the plan was made: {names}", names=", ".join(names[:8])),
            hint=t("look at a new plan and apply that one"),
        )


def _interrupted(result: Result) -> Interrupted:
    if result is Result.IN_DOUBT:
        return Interrupted(
            t("stopped; the vehicle may hold old and new values"),
            hint=t("run `dronekit-cfg recover` when it is connected"),
        )
    return Interrupted(t("stopped; the vehicle is exactly as it was before, verified"))


def current_user() -> str:
    """Give the name of who runs this, "" when the system does not tell."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
