"""What one apply, restore or recover carries along, and what it does over and over: write a batch, look again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from dronekit_cfg.catalog.renames import Renames
from dronekit_cfg.engine.connection import Connection
from dronekit_cfg.engine.journal import Journal
from dronekit_cfg.engine.law import law_findings
from dronekit_cfg.errors import DronekitError
from dronekit_cfg.events import Note, Progress, Stage
from dronekit_cfg.families.base import WritesBulk
from dronekit_cfg.model import Change, Outcome, Phase, Plan, Snapshot, Spec, Value, Verdict
from dronekit_cfg.planner.plan import Goal, make_plan
from dronekit_cfg.text import t

__all__ = ["BATCH", "Failed", "Trace", "Work"]

BATCH = 100
"""Writes between two looks at the arm state: 100 take under 0.1 s on USB and 3 s on a 57600 baud radio."""


class Failed(DronekitError):
    """The wanted state was not reached; `problems` say why. Never leaves the engine: a rollback follows."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


@dataclass(slots=True)
class Trace:
    """What is known about one touched setting; becomes a `Record` of the receipt.

    `hidden` says that the vehicle did not show it when the work began, so it may be hidden again after a rollback.
    """

    old: Value | None
    wanted: Value
    because: str = ""
    layer: str = ""
    hidden: bool = False
    echoed: Value | None = None
    verdict: Verdict = Verdict.LOST
    detail: str = ""
    read_back: Value | None = None
    after_reboot: Value | None = None


@dataclass
class Work:
    """The moving parts of one transaction. `traces` holds every setting that was or may have been written, in order.

    `carried` are those that went as a whole, without an answer for each. `base` is how the vehicle was found, `before`
    how it was before the apply that is undone (None when that is lost). `region` is whose law holds.
    """

    connection: Connection
    journal: Journal
    base: Snapshot
    spec: Spec | None
    renames: Renames | None
    before: Snapshot | None = None
    traces: dict[str, Trace] = field(default_factory=dict)
    carried: set[str] = field(default_factory=set)
    reboots: int = 0
    notes: list[str] = field(default_factory=list)
    region: str = ""

    def plan(self, goal: Goal, snapshot: Snapshot) -> Plan:
        """Plan from `snapshot` to `goal`."""
        return make_plan(goal, snapshot, self.spec, self.connection.driver, self.renames)

    def look(self, also: Sequence[str]) -> Snapshot:
        """Read everything, listed or touched."""
        self.connection.session.report(Stage(t("read everything back")))
        snapshot = self.connection.snapshot(also=[*also, *(n for n in self.traces if n not in also)])
        for name in self.carried:
            trace, found = self.traces[name], snapshot.value(name)
            if trace.verdict is Verdict.LOST and trace.wanted.same(found):
                trace.verdict, trace.detail = Verdict.WRITTEN, t("went with a packed file, read back")
        return snapshot

    def write(self, changes: Sequence[Change]) -> tuple[Outcome, ...]:
        """Write `changes` in order, batch by batch: arm state, journal, write, journal."""
        self._ask_the_law(changes)
        report = self.connection.session.report
        one = len(changes) == 1
        report(Stage(t("write 1 setting") if one else t("write {count} settings", count=len(changes))))
        outcomes: list[Outcome] = []
        for batch, bulk in self._batches(changes):
            outcomes += self._write(batch, bulk=bulk)
            report(Progress(t("settings written"), len(outcomes), len(changes)))
        return tuple(outcomes)

    def _ask_the_law(self, changes: Sequence[Change]) -> None:
        """Refuse to make a radio illegal, whatever the plan was judged by and whoever accepted what; raises Failed."""
        after = {s.name: s.value for s in self.base.settings}
        after |= {name: trace.wanted for name, trace in self.traces.items()} | {c.name: c.wanted for c in changes}
        found = law_findings(after, self.connection.identity, self.region, spec=self.spec)
        if found:
            raise Failed([f"{f.message} [{f.id}]" for f in found])

    def _batches(self, changes: Sequence[Change]) -> Iterator[tuple[tuple[Change, ...], bool]]:
        """Give batches of writes, and whether one goes as a whole: what did not arrive so is not sent so again."""
        driver = self.connection.driver
        bulk: tuple[Change, ...] = ()
        if isinstance(driver, WritesBulk):
            bulk = driver.bulk([c for c in changes if c.name not in self.carried])
        names = {c.name for c in bulk}
        rest = [c for c in changes if c.name not in names]
        first = [c for c in rest if c.phase in (Phase.ROOT, Phase.ENABLE)] if bulk else []
        last = [c for c in rest if c.phase not in (Phase.ROOT, Phase.ENABLE)] if bulk else rest
        for start in range(0, len(first), BATCH):
            yield tuple(first[start : start + BATCH]), False
        if bulk:
            yield bulk, True
        for start in range(0, len(last), BATCH):
            yield tuple(last[start : start + BATCH]), False

    def _write(self, batch: Sequence[Change], *, bulk: bool) -> tuple[Outcome, ...]:
        """Write one batch: arm state, journal, write, journal."""
        connection = self.connection
        connection.require_disarmed()
        known = tuple(self._from_base(change) for change in batch)
        self.journal.intent(known)
        for change in known:
            self._trace(change)
        if bulk and isinstance(connection.driver, WritesBulk):
            self.carried.update(change.name for change in batch)
            results = connection.run(connection.driver.write_bulk(batch))
        else:
            results = connection.run(connection.driver.write(batch))
        self.journal.outcome(results)
        for outcome in results:
            trace = self.traces[outcome.name]
            trace.echoed, trace.verdict, trace.detail = outcome.echoed, outcome.verdict, outcome.detail
            # What a vehicle says about a write that it took (kept by a battery only) belongs into the receipt.
            if outcome.verdict is Verdict.WRITTEN and outcome.detail and outcome.detail not in self.notes:
                self.notes.append(outcome.detail)
        return results

    def _from_base(self, change: Change) -> Change:
        """Give the change with the value to go back to: that of before the work, whatever a reboot made of it since."""
        base = self.base.value(change.name)
        return change if base is None else replace(change, old=base)

    def _trace(self, change: Change) -> None:
        trace = self.traces.get(change.name)
        if trace is None:
            self.traces[change.name] = Trace(
                old=change.old,
                wanted=change.wanted,
                because=change.because,
                layer=str(change.origin) if change.origin else "",
                hidden=change.name not in self.base.by_name,
            )

    def reboot(self, because: str) -> None:
        """Journal it, reboot, and come back to the same vehicle."""
        self.journal.write("reboot", because=because)
        self.connection.session.report(Note(because))
        self.connection.reboot()
        self.reboots += 1
