"""What blocks a plan, and what is only told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from ardupilot_driver import ArdupilotDriver

from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.engine.goals import goal_from_snapshot
from dronekit_cfg.engine.judge import Terms, judge_plan, unaccepted
from dronekit_cfg.engine.knowledge import renames_for, spec_for_vehicle
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import apply, refuse_errors
from dronekit_cfg.errors import FileProblems
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model import Identity, Kind, Origin, Plan, Result, Scalar, Setting, Snapshot, Value, Waiver, Wanted
from dronekit_cfg.planner.plan import Goal, make_plan
from dronekit_cfg.talk.flow import Session

IDENTITY = Identity("ardupilot", "copter", "4.7.0.dev0", "4.7.0-dev", "", "aa")
GOLDEN = Path(__file__).parents[2] / "golden" / "ardupilot" / "params-copter-4.7-dev.json"
HERE = Origin("mine", "mine.yaml", 4, 3)


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    """What the real 4.7-dev SITL held."""
    rows = json.loads(GOLDEN.read_text())
    settings = tuple(
        Setting(name, Value(Kind(kind), value), Value(Kind(kind), default)) for name, kind, value, default in rows
    )
    return Snapshot(IDENTITY, "2026-01-01T00:00:00Z", "mavftp", settings)


def judged(snapshot: Snapshot, terms: Terms, *pairs: tuple[str, Scalar]) -> Plan:
    goal = Goal("mine", "sha256:0", tuple(Wanted(n, v, HERE) for n, v in pairs))
    spec, renames = spec_for_vehicle(IDENTITY), renames_for(IDENTITY)
    plan = make_plan(goal, snapshot, spec, ArdupilotDriver(Session(lambda: 0.0)), renames)
    return judge_plan(plan, snapshot, spec, renames, terms)


def test_a_dangerous_value_of_the_profile_blocks_and_names_its_line(snapshot: Snapshot) -> None:
    plan = judged(snapshot, Terms(), ("FS_EKF_THRESH", 0))
    with pytest.raises(FileProblems) as caught:
        refuse_errors(plan)
    assert any(p.file == "mine.yaml" and p.line == 4 and p.hint for p in caught.value.problems)


def test_what_was_already_so_and_is_none_of_the_profiles_business_is_told_and_does_not_block(
    snapshot: Snapshot,
) -> None:
    plan = judged(snapshot, Terms(), ("LOG_BITMASK", 180223))
    battery = [f for f in plan.findings if f.id == "AP-R52"]  # the recorded vehicle has no battery action
    assert [f.severity for f in battery] == ["info"]
    refuse_errors(plan)


def test_a_warning_of_a_rule_blocks_until_it_is_accepted(snapshot: Snapshot) -> None:
    plan = judged(snapshot, Terms(), ("RC_FS_TIMEOUT", 5))
    ids = {f.id for f in unaccepted(plan, ())}
    assert ids
    with pytest.raises(FileProblems, match="RC_FS_TIMEOUT") as caught:
        refuse_errors(plan)
    assert "--accept" in caught.value.hint
    refuse_errors(plan, accept=ids)


def test_a_waiver_with_a_reason_accepts_it_too_until_its_day(snapshot: Snapshot) -> None:
    pair = ("RC_FS_TIMEOUT", 5)
    (rule,) = {f.id for f in unaccepted(judged(snapshot, Terms(), pair), ())}
    waiver = Waiver(rule, "slow link, tested", "2026-06-30", HERE)
    valid = judged(snapshot, Terms(waivers=(waiver,), today=date(2026, 6, 30)), pair)
    refuse_errors(valid)
    expired = judged(snapshot, Terms(waivers=(waiver,), today=date(2026, 7, 1)), pair)
    with pytest.raises(FileProblems):
        refuse_errors(expired)


def test_a_value_out_of_its_documented_range_is_a_warning_and_an_error_when_strict(snapshot: Snapshot) -> None:
    pair = ("EK3_CHECK_SCALE", 250)
    assert [f.severity for f in judged(snapshot, Terms(), pair).findings if f.id == "VALUE-RANGE"] == ["warning"]
    assert [f.severity for f in judged(snapshot, Terms(strict=True), pair).findings if f.id == "VALUE-RANGE"] == [
        "error"
    ]


def test_in_a_simulator_of_the_scenario_runner_rules_tell_and_do_not_refuse(snapshot: Snapshot) -> None:
    plan = judged(snapshot, Terms(simulator=True), ("FS_EKF_THRESH", 0))
    assert {f.severity for f in plan.findings} == {"info"}
    refuse_errors(plan)


def test_going_back_to_a_snapshot_is_never_refused_by_policy(tmp_path: Path) -> None:
    state, clock = StateDir(tmp_path), VirtualClock()
    with connect(LinkOptions("sim:ardupilot-copter", state_dir=tmp_path), clock=clock) as connection:
        found = connection.snapshot()
        settings = tuple(
            replace(s, value=Value(s.value.kind, 0)) if s.name == "FS_EKF_THRESH" else s for s in found.settings
        )
        dangerous = goal_from_snapshot(replace(found, settings=settings), connection.identity)
        assert apply(connection, dangerous, state).result is Result.DONE
        with pytest.raises(FileProblems):
            apply(connection, replace(dangerous, known_state=False), state)
