"""SYS_AUTOSTART is the root of a plan: reboot, new defaults, then the rest; and the same way back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import apply, prepare
from dronekit_cfg.model import Origin, Phase, Result, StepKind, Wanted
from dronekit_cfg.planner.plan import Goal


def goal(**wanted: float) -> Goal:
    return Goal("airframe", "sha256:0", tuple(Wanted(n, v, Origin("test")) for n, v in wanted.items()))


def test_the_airframe_comes_before_everything_else_and_is_followed_by_a_reboot(px4: Any, tmp_path: Path) -> None:
    with px4() as connection:
        plan = prepare(connection, goal(NAV_DLL_ACT=2, SYS_AUTOSTART=4001), StateDir(tmp_path)).plan
    assert [c.phase for c in plan.changes] == [Phase.ROOT, Phase.SET]
    assert [(s.kind, s.names) for s in plan.steps[:3]] == [
        (StepKind.WRITE, ("SYS_AUTOSTART",)),
        (StepKind.REBOOT, ()),
        (StepKind.WRITE, ("NAV_DLL_ACT",)),
    ]


def test_what_another_airframe_changes_by_its_defaults_is_set_again(px4: Any, tmp_path: Path) -> None:
    """NAV_ACC_RAD is 2 by the old airframe's script and 10 without it: wanted 2, it is written after the reboot."""
    with px4() as connection:
        receipt = apply(connection, goal(SYS_AUTOSTART=4001, NAV_ACC_RAD=2), StateDir(tmp_path))
        assert (receipt.result, receipt.reboots) == (Result.DONE, 2)
        found = connection.values(["SYS_AUTOSTART", "NAV_ACC_RAD"])
    assert {n: str(v) for n, v in found.items()} == {"SYS_AUTOSTART": "4001", "NAV_ACC_RAD": "2"}
    assert {"RTL_RETURN_ALT", "CA_ROTOR_COUNT"} <= {name for name, *_ in receipt.side_effects}


def test_a_failure_after_the_airframe_leads_back_to_the_old_one_and_its_values(px4: Any, tmp_path: Path) -> None:
    with px4("fault=deny:NAV_DLL_ACT") as connection:
        before = connection.snapshot()
        receipt = apply(connection, goal(SYS_AUTOSTART=4001, NAV_ACC_RAD=2, NAV_DLL_ACT=3), StateDir(tmp_path))
        assert receipt.result is Result.ROLLED_BACK
        after = connection.snapshot()
    assert after.settings == before.settings


def test_a_reset_goes_with_another_airframe_and_shows_before_what_it_drops(px4: Any, tmp_path: Path) -> None:
    with px4() as connection:
        state = StateDir(tmp_path)
        calibrated = replace(goal(MPC_XY_VEL_MAX=7, CAL_ACC0_XOFF=0.1), include=frozenset({"calibration"}))
        assert apply(connection, calibrated, state).result is Result.DONE
        assert connection.values(["CAL_ACC0_XOFF"])["CAL_ACC0_XOFF"].number == pytest.approx(0.1)
        prepared = prepare(connection, goal(SYS_AUTOSTART=4001, SYS_AUTOCONFIG=1, NAV_ACC_RAD=2), state)
        plan = prepared.plan
        assert {c.name: str(c.wanted) for c in plan.changes if c.phase is Phase.ROOT} == {
            "SYS_AUTOSTART": "4001",
            "SYS_AUTOCONFIG": "1",
        }
        told = next(note for note in plan.notes if "SYS_AUTOCONFIG drops" in note)
        assert "MPC_XY_VEL_MAX 7 (default 12)" in told
        assert "NAV_ACC_RAD" not in told, "it is in the profile"
        assert "CAL_" not in told, "the reset keeps calibration"
        assert connection.values(["MPC_XY_VEL_MAX"])["MPC_XY_VEL_MAX"].number == 7


def test_a_reset_is_carried_out_once_and_a_second_apply_finds_nothing_to_do(px4: Any, tmp_path: Path) -> None:
    wanted = goal(SYS_AUTOSTART=4001, SYS_AUTOCONFIG=1, NAV_ACC_RAD=2)
    with px4() as connection:
        state = StateDir(tmp_path)
        apply(connection, goal(MPC_XY_VEL_MAX=7), state)
        receipt = apply(connection, wanted, state)
        assert receipt.result is Result.DONE, receipt.problems
        names = ["SYS_AUTOSTART", "SYS_AUTOCONFIG", "NAV_ACC_RAD", "MPC_XY_VEL_MAX"]
        assert [str(connection.values(names)[n]) for n in names] == ["4001", "0", "2", "12"]
        again = apply(connection, wanted, state)
        assert again.result is Result.UNCHANGED
        assert any("SYS_AUTOCONFIG is left alone" in n for n in prepare(connection, wanted, state).plan.notes)


def test_a_failure_after_a_reset_brings_everything_back_that_it_dropped(px4: Any, tmp_path: Path) -> None:
    with px4("fault=deny:NAV_DLL_ACT") as connection:
        state = StateDir(tmp_path)
        apply(connection, goal(MPC_XY_VEL_MAX=7, RTL_RETURN_ALT=44), state)
        before = connection.snapshot()
        receipt = apply(connection, goal(SYS_AUTOSTART=4001, SYS_AUTOCONFIG=1, NAV_DLL_ACT=3), state)
        assert receipt.result is Result.ROLLED_BACK
        assert connection.snapshot().settings == before.settings


def test_a_reset_alone_is_not_carried_out(px4: Any, tmp_path: Path) -> None:
    with px4() as connection:
        plan = prepare(connection, goal(SYS_AUTOCONFIG=1), StateDir(tmp_path)).plan
    assert plan.changes == ()
    assert any("SYS_AUTOSTART does not change" in note for note in plan.notes)
