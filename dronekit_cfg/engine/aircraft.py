"""The transaction of a whole aircraft: all its devices end as wanted, verified, or all exactly as they were.

It is made of the transactions of the single devices (`engine.transaction`), one device at a time, so that a module may
be reached through the flight controller, or the flight controller through a radio, and no port is held twice::

    prepare every device (identity, snapshot, plan, judge)       nothing was written
      │
    snapshot and journal of the aircraft on disk
      │
    apply device after device; each journal stays open ("held")
      │            │
      │            └─ one fails: it rolls itself back ─ decide "old" ─ undo the held ones, last first ─▶ ROLLED_BACK
      │
    look again at all but the last ─ decide "new" ─ end every journal ─▶ DONE

A kill at any point leaves either no decision, then `recover` undoes all, or one, then it carries that out.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from dronekit_cfg import __version__
from dronekit_cfg.engine.aircraft_journal import FORMAT, NEW, OLD, identity_data
from dronekit_cfg.engine.aircraft_plan import (
    VEHICLE,
    AircraftOptions,
    Host,
    Ready,
    in_order,
    name_role,
    naming,
    plan_of,
)
from dronekit_cfg.engine.aircraft_recover import finish_part, keep_aircraft_receipt, undo_part
from dronekit_cfg.engine.connection import Connection, utc_now
from dronekit_cfg.engine.journal import Journal
from dronekit_cfg.engine.transaction import ApplyOptions, apply, current_user, refuse_errors
from dronekit_cfg.engine.work import Failed
from dronekit_cfg.errors import (
    DronekitError,
    FileProblems,
    Interrupted,
    Problem,
    StateError,
    UsageError,
    VehicleError,
    WrongVehicle,
)
from dronekit_cfg.events import Note, Stage
from dronekit_cfg.formats.aircraft_json import save_aircraft
from dronekit_cfg.model import Identity, Receipt, Result
from dronekit_cfg.model.aircraft import AircraftReceipt, AircraftSnapshot, Part, PartSnapshot, worst
from dronekit_cfg.planner.plan import make_plan
from dronekit_cfg.text import t

__all__ = ["apply_aircraft"]


def apply_aircraft(ready: Sequence[Ready], host: Host, options: AircraftOptions) -> AircraftReceipt:
    """Carry out the plans of all devices, and give the receipt (also stored); its `result` says how it ended.

    Raises before anything is written as `transaction.apply` does, and Interrupted after a stop request, with the old
    state restored on every device.
    """
    main = ready[0].identity
    with host.state.lease(f"aircraft-{main.key}"):
        _refuse_errors(ready)
        order = in_order(ready)
        run = _Run(order, host, options, main, utc_now(), host.clock.now())
        if not any(item.plan.changes for item in order):
            return run.receipt()
        if options.confirm is not None and not options.confirm(plan_of(ready, options.profile)):
            raise UsageError(t("not confirmed; nothing was written"), hint=t("answer y, or give --yes"))
        stopped = run.carry_out()
        receipt = run.receipt()
        keep_aircraft_receipt(receipt, host)
        if stopped:
            raise _interrupted(receipt.result)
        return receipt


def _refuse_errors(ready: Sequence[Ready]) -> None:
    """Raise FileProblems with what is wrong with any of the plans."""
    problems: list[Problem] = []
    hints: list[str] = []
    for item in ready:
        try:
            with naming(item.role):
                refuse_errors(item.plan, item.terms.accept)
        except FileProblems as error:
            problems += error.problems
            hints.append(error.hint)
    if problems:
        raise FileProblems(tuple(problems), hint=hints[0] if len(set(hints)) == 1 else "")


def _interrupted(result: Result) -> Interrupted:
    if result is Result.IN_DOUBT:
        return Interrupted(
            t("stopped; the aircraft may hold old and new values"),
            hint=t("run `dronekit-cfg recover` when all of it is connected"),
        )
    return Interrupted(t("stopped; the aircraft is exactly as it was before, verified"))


@dataclass
class _Run:
    """One run through all devices. `held` are those that are written and verified, in order."""

    order: tuple[Ready, ...]
    host: Host
    options: AircraftOptions
    main: Identity
    started: str
    start: float
    receipts: dict[str, Receipt] = field(default_factory=dict)
    doubts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    held: list[Ready] = field(default_factory=list)
    problems: tuple[str, ...] = ()
    snapshot_file: str = ""
    journal_file: str = ""

    def carry_out(self) -> bool:
        """Announce, write and decide; True when a stop was requested. Raises when nothing was written."""
        self._save_snapshot()
        journal = self.host.state.new_aircraft_journal(self.main, self.started)
        with contextlib.closing(journal):
            stopped = self._decide(journal)
            self.journal_file = str(journal.path)
        return stopped

    def _save_snapshot(self) -> None:
        parts = tuple(PartSnapshot(i.role, i.device.options.url, i.prepared.snapshot) for i in self.order)
        path = self.host.state.aircraft_file(self.main, "snapshots", self.started)
        save_aircraft(path, AircraftSnapshot(self.started, self.options.profile, parts))
        self.snapshot_file = str(path)

    def _decide(self, journal: Journal) -> bool:
        journal.write(
            "begin",
            format=FORMAT,
            action=self.options.action,
            profile=self.options.profile,
            started=self.started,
            snapshot=self.snapshot_file,
            parts=[
                {
                    "role": item.role,
                    "link": item.device.options.url,
                    "driver": item.device.options.family,
                    "identity": identity_data(item.identity),
                }
                for item in self.order
            ],
        )
        try:
            self._write_all(journal)
            journal.write("decide", to=NEW)
        except DronekitError as error:
            return self._undo_all(journal, error)
        for item in self.held:
            finish_part(self.host, item.identity)
        journal.end(Result.DONE)
        return False

    def _write_all(self, journal: Journal) -> None:
        """Apply device after device, then look whether the later ones left the earlier ones alone."""
        if self.order[0].role != VEHICLE:
            self._require_disarmed()
        identifier = f"{self.main.key}/{journal.path.stem}"
        for item in self.order:
            if item.plan.changes:
                journal.write("part", role=item.role, state="begun")
                self._write(item, identifier)
                journal.write("part", role=item.role, state="held")
        for item in self.order[:-1]:
            self._look_again(item)

    def _require_disarmed(self) -> None:
        """Ask the flight controller again: somebody may have thought about the plan for a while."""
        main = next((item for item in self.order if item.role == VEHICLE), None)
        if main is not None:
            with self.host.open(main.device.options) as connection:
                _require_same(connection, main)
                connection.require_disarmed()

    def _write(self, item: Ready, identifier: str) -> None:
        self.host.report(Stage(t("{action} {role}", action=self.options.action, role=item.role)))
        options = ApplyOptions(
            self.options.action,
            self.options.prove,
            pinned=item.plan,
            who=self.options.who,
            terms=item.terms,
            aircraft=identifier,
        )
        with naming(item.role), self.host.open(item.device.options) as connection:
            _require_same(connection, item)
            receipt = apply(connection, item.goal, self.host.state, options)
        self.receipts[item.role] = receipt
        if receipt.result is Result.DONE:
            self.held.append(item)
        elif receipt.result is not Result.UNCHANGED:
            raise Failed([name_role(item.role, text) for text in receipt.problems])

    def _look_again(self, item: Ready) -> None:
        """Make sure that a device still is as wanted; Failed says what another device, or a restart, made of it."""
        names = [w.name for w in item.plan.wanted]
        with naming(item.role), self.host.open(item.device.options) as connection:
            _require_same(connection, item)
            snapshot = connection.snapshot(also=names)
            left = make_plan(item.goal, snapshot, item.prepared.spec, connection.driver, item.prepared.renames).changes
        if left:
            text = "{name} is {found} and not {wanted} any more"
            raise Failed([name_role(item.role, t(text, name=c.name, found=c.old, wanted=c.wanted)) for c in left])

    def _undo_all(self, journal: Journal, error: DronekitError) -> bool:
        """Undo what is held, last first. Raises `error` when nothing at all was written."""
        self._find_doubts()
        if not self.doubts and all(receipt.result is Result.UNCHANGED for receipt in self.receipts.values()):
            with contextlib.suppress(StateError):
                journal.end(Result.UNCHANGED, error.message)
            if isinstance(error, Failed):
                raise VehicleError(error.message, hint=t("run the command again")) from error
            raise error
        self.problems = error.problems if isinstance(error, Failed) else (error.message,)
        with contextlib.suppress(StateError):  # without a decision `recover` undoes as well
            journal.write("decide", to=OLD, why=error.message)
        self.host.report(Note("; ".join(self.problems), level="warning"))
        with self.host.stop.shield():
            for item in reversed(self.held):
                self._undo(item)
        with contextlib.suppress(StateError):
            journal.end(self._result(), error.message)
        return isinstance(error, Interrupted)

    def _find_doubts(self) -> None:
        """Note devices whose journal is open although they are not held: a second Ctrl-C broke their rollback."""
        for item in self.order:
            if item not in self.held and self.host.state.open_journal(item.identity) is not None:
                self.doubts[item.role] = (t("its rollback was not finished"),)

    def _undo(self, item: Ready) -> None:
        self.host.report(Stage(t("roll back {role}", role=item.role)))
        found = undo_part(self.host, item.device.options, item.identity, who=self.options.who)
        if isinstance(found, Receipt):
            self.receipts[item.role] = found
        else:
            self.doubts[item.role] = (found,)
            self.problems += (t("rollback: {text}", text=name_role(item.role, found)),)

    def _result(self) -> Result:
        found = worst(tuple(self._part(item).result for item in self.order))
        return found if found is Result.IN_DOUBT or not self.problems else Result.ROLLED_BACK

    def _part(self, item: Ready) -> Part:
        receipt = self.receipts.get(item.role)
        result = receipt.result if receipt else Result.UNCHANGED
        doubts = self.doubts.get(item.role, ())
        return Part(
            item.role,
            item.device.options.url,
            item.identity,
            item.plan.profile,
            item.plan.profile_digest,
            Result.IN_DOUBT if doubts else result,
            receipt,
            doubts,
            item.plan.left_out,
        )

    def receipt(self) -> AircraftReceipt:
        """Write down how it ended."""
        parts = tuple(self._part(item) for item in self.order)
        return AircraftReceipt(
            action=self.options.action,
            result=self._result(),
            who=self.options.who or current_user(),
            started=self.started,
            finished=utc_now(),
            seconds=round(self.host.clock.now() - self.start, 3),
            tool=f"dronekit-cfg {__version__}",
            profile=self.options.profile,
            snapshot_file=self.snapshot_file,
            journal_file=self.journal_file,
            parts=parts,
            problems=self.problems,
            notes=self.options.notes,
        )


def _require_same(connection: Connection, item: Ready) -> None:
    different = item.identity.differences(connection.identity)
    if different:
        raise WrongVehicle(
            t("another device answers than before ({fields} differ)", fields=", ".join(different)),
            hint=t("connect the device that the plan was made for"),
        )
