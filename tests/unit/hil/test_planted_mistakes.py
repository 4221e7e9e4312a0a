"""A profile with a planted mistake fails the scenario that catches it, on the real ArduCopter; mended, it passes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from dronekit_cfg.errors import LinkOpenError
from dronekit_cfg.hil import fly
from dronekit_cfg.hil.fly import FlyOptions, fly_one
from dronekit_cfg.hil.scenario import find_scenarios
from dronekit_cfg.model import Origin, Wanted
from dronekit_cfg.model.checked import Verdict
from dronekit_cfg.planner.plan import Goal
from dronekit_cfg.sitl.ardupilot import find_arducopter

FLOW = {"FLOW_TYPE": 10, "SIM_FLOW_ENABLE": 1, "RNGFND1_TYPE": 1, "RNGFND1_PIN": 0, "RNGFND1_SCALING": 12.12}
FLOW |= {"RNGFND1_MIN": 0, "RNGFND1_MAX": 40, "RNGFND1_ORIENT": 25}


@pytest.mark.sitl
@pytest.mark.parametrize(
    ("scenario", "profile", "verdict", "said"),
    [
        pytest.param("s01", {"FS_EKF_THRESH": 0}, Verdict.FAIL, "mode LAND: never", id="failsafe-off"),
        pytest.param("s01", {"FS_EKF_THRESH": 0.8}, Verdict.PASS, "", id="failsafe-on"),
        pytest.param("s01", FLOW, Verdict.FAIL, "mode LAND after 1", id="flow-unused"),
        pytest.param(
            "s09", {"GPS_AUTO_SWITCH": 0}, Verdict.FAIL, "mode did not stay LOITER", id="second-receiver-unused"
        ),
        pytest.param("s09", {"GPS_AUTO_SWITCH": 1}, Verdict.PASS, "", id="second-receiver-used"),
    ],
)
def test_a_planted_mistake_is_caught(
    scenario: str,
    profile: Mapping[str, float],
    verdict: Verdict,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    try:
        binary = find_arducopter()
    except LinkOpenError:
        pytest.skip("arducopter is not on PATH: scenarios need the real firmware")
    if verdict is Verdict.FAIL:
        monkeypatch.setattr(fly, "FLIGHTS", 1)  # it fails for its reason, not because this computer is busy
    wanted = tuple(Wanted(name, value, Origin("planted")) for name, value in profile.items())
    (flown,) = find_scenarios(scenario)
    goal = Goal("planted", "sha256:0", wanted)
    options = FlyOptions(tmp_path / "flights", str(binary), goal=goal, state_dir=tmp_path / "state")
    result, identity = fly_one(flown, options)
    assert identity is not None, result.reason
    assert result.verdict is verdict, result.notes
    assert said in result.reason
    assert result.differs == (), "the profile was on the vehicle when it flew"
    assert Path(next(f for f in result.files if f.endswith(".tlog"))).stat().st_size > 10_000
