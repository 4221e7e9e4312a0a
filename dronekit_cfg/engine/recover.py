"""Finish or undo an apply that was cut off: by a kill, a pulled cable, a power cut."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from dronekit_cfg.engine.aircraft_journal import NEW, OLD, decide_old
from dronekit_cfg.engine.connection import Connection, utc_now
from dronekit_cfg.engine.journal import Journal, Story
from dronekit_cfg.engine.knowledge import metadata, renames_for
from dronekit_cfg.engine.receipts import build_receipt
from dronekit_cfg.engine.rollback import roll_back
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import keep_receipt
from dronekit_cfg.engine.work import Trace, Work
from dronekit_cfg.errors import DronekitError, StateError, WrongVehicle
from dronekit_cfg.events import Stage
from dronekit_cfg.formats.snapshot_json import read_snapshot
from dronekit_cfg.model import Identity, Plan, Receipt, Result, Snapshot, Value, Verdict
from dronekit_cfg.planner.left_out import left_out_note
from dronekit_cfg.planner.verify import compare, reset_settings
from dronekit_cfg.text import t

__all__ = ["recover"]


def recover(connection: Connection, state: StateDir, *, who: str = "", action: str = "recover") -> Receipt | None:
    """Bring a vehicle with an open journal to exactly the new or exactly the old state; None when none is open.

    When every wanted value is there (also after a reboot), the apply is finished; else all that was written is undone.
    For a part of an aircraft, what was decided for the aircraft counts; if nothing was, it is undone, and that is
    decided for the other parts too.
    The result is DONE, ROLLED_BACK or IN_DOUBT. Raises Armed, LeaseHeld, StateError, WrongVehicle (the open journal is
    of another firmware version or board).
    """
    with state.lease(connection.identity.key):
        story = state.open_journal(connection.identity)
        if story is None:
            return None
        _require_same(story, connection.identity)
        connection.require_disarmed()
        started, start = utc_now(), connection.runner.clock.now()
        with contextlib.closing(Journal(story.path)) as journal:
            work = _work(connection, story, state, journal)
            decision = _decided(state, story)
            if decision == NEW:
                result, problems, last = _finished(work, story)
            else:
                result, problems, last = _settle_story(work, story, undo=decision == OLD)
            with contextlib.suppress(StateError):
                journal.end(result, action)
        receipt = build_receipt(
            work,
            _plan(story, connection.identity, work.base),
            result=result,
            problems=problems,
            action=action,
            who=who,
            started=started,
            seconds=connection.runner.clock.now() - start,
            snapshot_file=str(story.begin.get("snapshot", "")),
            last=last,
            proved=result is Result.DONE,
        )
        keep_receipt(connection, state, receipt)
        return receipt


def _decided(state: StateDir, story: Story) -> str:
    """Give what is decided for the aircraft that the device is a part of; "" for a device on its own."""
    if not story.aircraft:
        return ""
    whole = state.aircraft_story(story.aircraft)
    if whole is None:
        raise StateError(
            t("the journal of the aircraft, {id}, is gone", id=story.aircraft),
            hint=t("bring it back, or restore the snapshot {file}", file=story.begin.get("snapshot", "?")),
        )
    decide_old(whole, t("one device was recovered"))
    return whole.decision


def _finished(work: Work, story: Story) -> tuple[Result, tuple[str, ...], Snapshot]:
    """Finish a part of an aircraft that was verified whole before the work was cut off."""
    for wrong in compare(story.wanted, {name: work.base.value(name) for name in story.wanted}):
        text = t("{name} is {found} now: it was changed after it had been verified", name=wrong.name, found=wrong.found)
        work.notes.append(text)
    for name, trace in work.traces.items():
        trace.verdict, trace.after_reboot = Verdict.WRITTEN, work.base.value(name)
    return Result.DONE, (), work.base


def _require_same(story: Story, identity: Identity) -> None:
    then = story.begin["identity"]
    different = [n for n in ("family", "vehicle", "version", "board", "uid") if then.get(n) != getattr(identity, n)]
    if different:
        raise WrongVehicle(
            t("the unfinished apply was on another firmware or board ({fields} differ)", fields=", ".join(different)),
            hint=t("put that firmware back, or restore the snapshot {file}", file=story.begin.get("snapshot", "?")),
        )


def _work(connection: Connection, story: Story, state: StateDir, journal: Journal) -> Work:
    connection.session.report(Stage(t("read the vehicle to see how far the last apply came")))
    names = {**story.wanted, **story.touched}
    found = connection.snapshot(also=list(names))
    work = Work(
        connection,
        journal,
        found,
        metadata(connection, state.root),
        renames_for(connection.identity),
        _before(story),
    )
    for name, old in story.touched.items():
        wanted = story.wanted.get(name) or old or _any(found, name)
        work.traces[name] = Trace(old=old, wanted=wanted, hidden=name in story.hidden)
    return work


def _before(story: Story) -> Snapshot | None:
    """Give the snapshot that was taken before the apply; None when its file is gone or is another one."""
    with contextlib.suppress(DronekitError, OSError):
        snapshot = read_snapshot(Path(str(story.begin["snapshot"])))
        if snapshot.digest == story.begin.get("snapshot_digest"):
            return snapshot
    return None


def _any(found: Snapshot, name: str) -> Value:
    value = found.value(name)
    if value is None:
        raise StateError(t("the journal names {name}, which the vehicle does not know", name=name))
    return value


def _settle_story(work: Work, story: Story, *, undo: bool = False) -> tuple[Result, tuple[str, ...], Snapshot]:
    """Decide by what the vehicle holds. Undoing is the rule; finishing needs every wanted value in place."""
    wanted = story.wanted
    if not story.touched:
        return Result.ROLLED_BACK, (), work.base
    if not undo and not story.undoing and not _wrong(wanted, work.base) and not _came_back_empty(work):
        if not work.connection.driver.traits.staged:
            work.reboot(t("restart to prove that the values are stored"))
        last = work.look(list(wanted))
        if not _wrong(wanted, last):
            for name, trace in work.traces.items():
                trace.verdict = Verdict.WRITTEN
                trace.read_back, trace.after_reboot = work.base.value(name), last.value(name)
            return Result.DONE, (), last
    wrong = roll_back(work, t("the apply was cut off"))
    last = work.base if wrong else work.look(())
    return (Result.IN_DOUBT if wrong else Result.ROLLED_BACK), wrong, last


def _came_back_empty(work: Work) -> bool:
    """Whether the save was cut off: then a text CLI vehicle has its defaults, which may be what was wanted."""
    driver = work.connection.driver
    if work.before is None or not driver.traits.staged:
        return False
    return bool(reset_settings(work.before, work.base, work.traces, driver.protected))


def _wrong(wanted: Mapping[str, Value], snapshot: Snapshot) -> bool:
    return bool(compare(wanted, {name: snapshot.value(name) for name in wanted}))


def _plan(story: Story, identity: Identity, base: Snapshot) -> Plan:
    """Stand in for the plan of the interrupted apply, which the journal names by its digests."""
    return Plan(
        identity=identity,
        profile=str(story.begin.get("profile", "")),
        profile_digest=str(story.begin.get("profile_digest", "")),
        snapshot_digest=base.digest,
        changes=(),
        steps=(),
        wanted=(),
        notes=tuple(left_out_note(left) for left in story.left_out),
        left_out=story.left_out,
    )
