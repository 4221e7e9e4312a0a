"""Each broken part of the simulated PX4 copter fails the check that is meant for it, and no other."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.errors import UsageError
from dronekit_cfg.hil.checks import find_check
from dronekit_cfg.hil.checks.px4_settings import PORTS
from dronekit_cfg.hil.evidence import Evidence, Sample
from dronekit_cfg.hil.operator import Operator
from dronekit_cfg.hil.run import result_of, run_suite
from dronekit_cfg.hil.suite import find_suite
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model import Identity, Kind, Value
from dronekit_cfg.model.checked import RunResult, Verdict
from dronekit_cfg.talk.mavlink_events import Said

CATCHES = {
    "accel-scale": "px4-gravity",
    "baro-drift:4": "barometer",
    "baro-noise": "barometer",
    "clipping": "px4-vibration",
    "cpu-load": "px4-processor",
    "dead-baro": "barometer",
    "dead-compass": "px4-compass",
    "ekf-variance": "px4-estimator",
    "few-satellites": "gnss",
    "gnss-dropping:14": "gnss-steady",
    "gyro-bias:5": "px4-gyro",
    "gyro-noise:25": "px4-gyro",
    "heartbeat-slow": "identity",
    "log-full": "px4-logging",
    "low-voltage:14": "px4-battery",
    "mag-interference": "px4-compass",
    "no-fix": "gnss",
    "poor-hdop": "gnss",
    "prearm": "px4-prearm",
    "tilted": "level",
    "vibrating": "px4-vibration",
}

OPERATED = {"px4-motors", "px4-radio-failsafe", "radio-travel", "compass-turn"}
"""Checks that need a person, whom no test bench has."""


def run(url: str, suite: str, state: Path) -> RunResult:
    with connect(LinkOptions(url, family="px4", state_dir=state), clock=VirtualClock()) as connection:
        return run_suite(connection, find_suite(suite, "px4"), Operator())


def failed(result: RunResult) -> list[str]:
    return [r.name for r in result.results if r.verdict in (Verdict.FAIL, Verdict.ERROR)]


@pytest.mark.parametrize("suite", ["preflight", "bench-full", "production-line", "after-crash"])
def test_a_sound_vehicle_passes(suite: str, tmp_path: Path) -> None:
    result = run("sim:px4-copter", suite, tmp_path)
    assert failed(result) == [], [(r.name, r.reason) for r in result.results]
    skipped = {r.name for r in result.results if r.verdict is Verdict.SKIP}
    assert skipped <= {"px4-radio", "px4-ports", *OPERATED}


@pytest.mark.parametrize(("fault", "check"), CATCHES.items())
def test_a_fault_fails_its_check_and_no_other(fault: str, check: str, tmp_path: Path) -> None:
    result = run(f"sim:px4-copter?fault={fault}&metadata=own", "preflight", tmp_path)
    assert failed(result) == [check], [(r.name, r.reason) for r in result.results]
    found = next(r for r in result.results if r.name == check)
    assert found.reason
    assert found.remedy


def test_events_are_put_into_the_vehicles_own_words(tmp_path: Path) -> None:
    said = run("sim:px4-copter?fault=prearm&metadata=own", "preflight", tmp_path).results[-1]
    assert said.name == "px4-prearm"
    assert "No valid global position" in said.reason


def test_without_metadata_an_event_is_not_guessed(tmp_path: Path) -> None:
    said = run("sim:px4-copter?fault=prearm", "preflight", tmp_path).results[-1]
    assert "does not say why" in said.reason


def test_a_part_that_the_twin_cannot_break_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot show fault log-drops"):
        run("sim:px4-copter?fault=log-drops", "preflight", tmp_path)


WHO = Identity("px4", "copter", "1.16.0", "1.16.0", "1", "ab")


def judged(check: str, settings: Mapping[str, float], **messages: dict[str, Any]) -> Any:
    values = {n: Value(Kind.INT32, int(v)) for n, v in settings.items()}
    evidence = Evidence(WHO, values, {n: [Sample(0.0, f), Sample(1.0, f)] for n, f in messages.items()}, seconds=1.0)
    found = find_check(check)
    assert found.judge is not None
    return result_of(found, found.judge(evidence, found.params({})), 1.0)


def test_two_drivers_on_one_port_are_named() -> None:
    result = judged("px4-ports", {"GPS_1_CONFIG": 201, "MAV_0_CONFIG": 101, "RC_CRSF_PRT_CFG": 201})
    assert result.verdict is Verdict.FAIL
    assert "GPS_1_CONFIG, RC_CRSF_PRT_CFG share serial port 201" in result.reason


def test_ports_apart_pass_and_the_network_may_be_shared() -> None:
    settings = {"GPS_1_CONFIG": 201, "MAV_0_CONFIG": 101, "MAV_1_CONFIG": 1000, "MAV_2_CONFIG": 1000}
    assert judged("px4-ports", settings).verdict is Verdict.PASS
    assert len(set(PORTS)) == len(PORTS)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"CBRK_SUPPLY_CHK": 894281}, "CBRK_SUPPLY_CHK"),
        ({"NAV_RCL_ACT": 0}, "NAV_RCL_ACT = 0"),
        ({"EKF2_GPS_CHECK": 0}, "EKF2_GPS_CHECK = 0"),
        ({"COM_POS_FS_EPH": -1}, "COM_POS_FS_EPH"),
    ],
)
def test_a_safety_function_that_is_off_fails(settings: dict[str, float], words: str) -> None:
    result = judged("px4-safety", settings)
    assert result.verdict is Verdict.FAIL
    assert words in result.reason


RC = {"chancount": 8, "rssi": 255, **{f"chan{n}_raw": 1500 for n in range(1, 19)}}


@pytest.mark.parametrize(
    ("settings", "message", "verdict"),
    [
        ({"COM_RC_IN_MODE": 4}, {}, Verdict.SKIP),
        ({"COM_RC_IN_MODE": 0}, {"chancount": 0}, Verdict.FAIL),
        ({"COM_RC_IN_MODE": 0, "RC_MAP_ROLL": 1, "RC_MAP_PITCH": 2, "RC_MAP_YAW": 4}, RC, Verdict.FAIL),
        (
            {f"RC_MAP_{n}": i for i, n in enumerate(("ROLL", "PITCH", "THROTTLE", "YAW"), 1)} | {"RC3_MIN": 1100},
            {**RC, "chan3_raw": 1102},
            Verdict.PASS,
        ),
        (
            {f"RC_MAP_{n}": i for i, n in enumerate(("ROLL", "PITCH", "THROTTLE", "YAW"), 1)} | {"RC3_MIN": 1100},
            {**RC, "chan3_raw": 1400},
            Verdict.FAIL,
        ),
    ],
)
def test_the_radio_is_judged_by_where_sticks_come_from(
    settings: dict[str, float], message: dict[str, Any], verdict: Verdict
) -> None:
    assert judged("px4-radio", settings, RC_CHANNELS=message).verdict is verdict


@pytest.mark.parametrize(("landed", "verdict"), [(1, Verdict.PASS), (2, Verdict.FAIL), (0, Verdict.FAIL)])
def test_only_the_ground_is_the_ground(landed: int, verdict: Verdict) -> None:
    assert judged("px4-on-ground", {}, EXTENDED_SYS_STATE={"landed_state": landed}).verdict is verdict


def test_an_event_that_only_warns_keeps_nobody_from_arming() -> None:
    check = find_check("px4-prearm")
    assert check.judge is not None
    status = {"onboard_control_sensors_health": 1 << 28}
    evidence = Evidence(WHO, messages={"SYS_STATUS": [Sample(0.0, status)]})
    evidence.events = (Said("check_x", "arming_check", 4, "GPS fix is poor"),)
    result = result_of(check, check.judge(evidence, {}), 1.0)
    assert (result.verdict, "GPS fix is poor" in result.notes) == (Verdict.PASS, True)
