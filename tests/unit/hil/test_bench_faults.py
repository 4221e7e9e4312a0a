"""Each broken part of the simulated copter fails the check that is meant for it, and no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.hil.operator import Operator
from dronekit_cfg.hil.run import run_suite
from dronekit_cfg.hil.suite import find_suite
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model.checked import RunResult, Verdict
from dronekit_cfg.sim.bench_faults import BENCH_FAULTS

CATCHES = {
    "accel-scale": "gravity",
    "accels-apart": "imu-agreement",
    "baro-apart": "barometer",
    "baro-drift:4": "barometer",
    "baro-noise": "barometer",
    "clipping": "vibration",
    "compass-apart": "compass-agreement",
    "cpu-load": "processor",
    "dead-baro": "barometer",
    "dead-compass": "compass-field",
    "ekf-variance": "estimator",
    "few-satellites": "gnss",
    "gnss-dropping": "gnss-steady",
    "gyro-bias": "gyro-bias",
    "gyro-noise": "gyro-noise",
    "heartbeat-slow": "identity",
    "internal-error": "errors",
    "log-drops": "logging",
    "log-full": "logging",
    "low-memory": "processor",
    "low-supply": "board-supply",
    "low-voltage": "battery",
    "mag-interference": "compass-field",
    "no-fix": "gnss",
    "no-rc": "radio",
    "poor-hdop": "gnss",
    "prearm": "prearm",
    "sick-ahrs": "sensors",
    "stuck-channel:1": "radio",
    "stuck-channel:3": "radio",
    "stuck-channel:4": "radio",
    "telemetry-loss": "telemetry",
    "tilted": "level",
    "vibrating": "vibration",
}
ELSEWHERE = {
    *("arms-blind", "dead-man-ignored", "gcs-loss-forever", "gcs-loss-ignored", "radio-holds"),
    *("forgetful", "motor-refused", "motor-slow", "motor-test-keeps", "motors-together"),
    *("sticks-moving", "gyros-apart"),
}
"""Faults that no preflight can see, and one that shows in two numbers; they have tests of their own."""


def run(url: str, suite: str, state: Path, **operator: Any) -> RunResult:
    options = LinkOptions(url, family="ardupilot", state_dir=state)
    with connect(options, clock=VirtualClock()) as connection:
        return run_suite(connection, find_suite(suite), Operator(**operator))


def failed(result: RunResult) -> list[str]:
    return [r.name for r in result.results if r.verdict in (Verdict.FAIL, Verdict.ERROR)]


def test_a_sound_vehicle_passes_the_preflight(tmp_path: Path) -> None:
    result = run("sim:ardupilot-copter", "preflight", tmp_path)
    assert failed(result) == []
    assert result.verdict is Verdict.PASS
    assert [r.name for r in result.results if r.verdict is Verdict.SKIP] == ["gnss-two"]


def test_firmware_4_5_passes_the_preflight_too(tmp_path: Path) -> None:
    assert failed(run("sim:ardupilot-copter?version=4.5", "preflight", tmp_path)) == []


@pytest.mark.parametrize(("fault", "check"), CATCHES.items())
def test_a_fault_fails_its_check_and_no_other(fault: str, check: str, tmp_path: Path) -> None:
    result = run(f"sim:ardupilot-copter?fault={fault}", "preflight", tmp_path)
    assert failed(result) == [check], [(r.name, r.reason) for r in result.results]
    found = next(r for r in result.results if r.name == check)
    assert found.reason
    assert found.remedy


def test_every_fault_of_a_part_is_caught_somewhere() -> None:
    assert {fault.partition(":")[0] for fault in CATCHES} | ELSEWHERE == set(BENCH_FAULTS)


def test_gyros_apart_are_seen_as_disagreement(tmp_path: Path) -> None:
    assert "imu-agreement" in failed(run("sim:ardupilot-copter?fault=gyros-apart", "preflight", tmp_path))


def test_a_vehicle_that_was_just_switched_on_is_given_time_for_its_position(tmp_path: Path) -> None:
    found = run("sim:ardupilot-copter?boot=cold", "preflight", tmp_path)
    assert failed(found) == [], [(r.name, r.reason) for r in found.results]


def test_a_board_without_sky_is_not_kept_waiting(tmp_path: Path) -> None:
    assert run("sim:ardupilot-copter?boot=cold", "production-line", tmp_path).seconds < 40
