"""A snapshot, a plan and a receipt with most of what they can hold, for tests of files."""

from __future__ import annotations

import math

from dronekit_cfg.model import (
    Change,
    Finding,
    Identity,
    Kind,
    LeftOut,
    Origin,
    Phase,
    Plan,
    Receipt,
    Record,
    Result,
    Setting,
    Snapshot,
    Step,
    StepKind,
    Value,
    Verdict,
    Wanted,
)

WHO = Identity("ardupilot", "copter", "4.7.0.dev0", "4.7.0-dev (2598e9d4)", "SITL", "00ff", "1:1", ("ftp", "signing"))
ORIGIN = Origin("heavy-lift", "profiles/heavy-lift.yaml", 13, 3)


def real(number: float) -> Value:
    return Value(Kind.REAL32, number)


LEFT_OUT = LeftOut("STAT_RUNTIME", Value(Kind.INT32, 7), Value(Kind.INT32, 0), "volatile")

SNAPSHOT = Snapshot(
    WHO,
    "2026-11-22T10:00:00Z",
    "mavftp",
    (
        Setting("A", real(0.1), real(0.0)),
        Setting("B", Value(Kind.INT32, 2147483647), Value(Kind.INT32, 0)),
        Setting("C", real(-0.0)),
        Setting("D", real(math.inf)),
        Setting("E", real(1e-45), real(3.4028234663852886e38)),
        Setting("F", Value(Kind.TEXT, 'щось "quoted"\n'), Value(Kind.TEXT, "")),
        Setting("G", Value(Kind.UINT8, 255), real(1.5)),
    ),
    typed=False,
    raw={"diff all": "# line\nset x = 1\n"},
)

PLAN = Plan(
    identity=WHO,
    profile="heavy-lift+gnss-dual",
    profile_digest="sha256:" + "a" * 64,
    snapshot_digest=SNAPSHOT.digest,
    changes=(
        Change("A", real(0.1), real(0.2), Phase.SET, because="because", origin=ORIGIN),
        Change("B", None, Value(Kind.INT8, 1), Phase.ENABLE, reboot=True, appears_after="C_ENABLE"),
        Change("D", real(math.nan), real(1), Phase.LINK),
    ),
    steps=(Step(StepKind.WRITE, ("B", "A"), "first"), Step(StepKind.REBOOT), Step(StepKind.VERIFY)),
    wanted=(Wanted("A", 0.2, ORIGIN, "because", "docs", (Origin("base"),)), Wanted("T", "ON", Origin("--set"))),
    findings=(Finding("AP-1", "warning", "A", "message", "remedy", ORIGIN),),
    skipped=("INS_ACC_X",),
    missing=("NONE",),
    spec="copter 4.7",
    notes=("note",),
    left_out=(LEFT_OUT,),
)

RECEIPT = Receipt(
    action="apply",
    result=Result.DONE,
    identity=WHO,
    who="technician",
    started="2026-11-22T10:00:00Z",
    finished="2026-11-22T10:00:09Z",
    seconds=9.25,
    tool="dronekit-cfg 0.1.0",
    profile="heavy-lift",
    profile_digest="sha256:" + "a" * 64,
    plan_digest=PLAN.digest,
    snapshot_file="s.json",
    snapshot_digest=SNAPSHOT.digest,
    journal_file="j.jsonl",
    records=(Record("A", real(0.1), real(0.2), real(0.2), None, real(math.nan), Verdict.WRITTEN, "why", "heavy-lift"),),
    reboots=1,
    persistence_verified=True,
    side_effects=(("B", None, Value(Kind.INT8, 3)), ("C", real(1), real(2))),
    problems=("p",),
    notes=("n",),
    left_out=(LEFT_OUT,),
)
