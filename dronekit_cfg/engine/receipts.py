"""Write down what a transaction did."""

from __future__ import annotations

from dronekit_cfg import __version__
from dronekit_cfg.engine.connection import utc_now
from dronekit_cfg.engine.parts import built_parts
from dronekit_cfg.engine.work import Trace, Work
from dronekit_cfg.model import Plan, Receipt, Record, Result, Snapshot
from dronekit_cfg.model.cost import Cost
from dronekit_cfg.planner.verify import side_effects

__all__ = ["build_receipt"]


def build_receipt(
    work: Work,
    plan: Plan,
    *,
    result: Result,
    problems: tuple[str, ...],
    action: str,
    who: str,
    started: str,
    seconds: float,
    snapshot_file: str,
    last: Snapshot,
    proved: bool,
    predicted: Cost | None = None,
    actual: Cost | None = None,
) -> Receipt:
    """Build the receipt. `last` is the newest snapshot; `proved` says that it was taken after a reboot."""
    driver = work.connection.driver
    return Receipt(
        action=action,
        result=result,
        identity=work.connection.identity,
        who=who,
        started=started,
        finished=utc_now(),
        seconds=round(seconds, 3),
        tool=f"dronekit-cfg {__version__}",
        profile=plan.profile,
        profile_digest=plan.profile_digest,
        plan_digest=plan.digest,
        snapshot_file=snapshot_file,
        snapshot_digest=work.base.digest,
        journal_file=str(work.journal.path),
        records=tuple(_record(name, trace) for name, trace in work.traces.items()),
        reboots=work.reboots,
        persistence_verified=proved,
        side_effects=side_effects(work.base, last, work.traces.keys(), driver.protected),
        problems=problems,
        notes=(*plan.notes, *work.notes),
        predicted=predicted,
        actual=actual,
        left_out=plan.left_out,
        parts=built_parts(work.connection, last) if result in {Result.DONE, Result.UNCHANGED} else (),
    )


def _record(name: str, trace: Trace) -> Record:
    return Record(
        name=name,
        old=trace.old,
        wanted=trace.wanted,
        echoed=trace.echoed,
        read_back=trace.read_back,
        after_reboot=trace.after_reboot,
        verdict=trace.verdict,
        because=trace.because,
        layer=trace.layer,
    )
