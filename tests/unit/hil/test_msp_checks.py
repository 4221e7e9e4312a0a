"""Each broken part of the simulated FPV quad fails the check that is meant for it, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from dronekit_cfg.engine.connection import Connection, LinkOptions, connect
from dronekit_cfg.errors import UsageError
from dronekit_cfg.families.betaflight.simulated_sensors import SENSOR_FAULTS
from dronekit_cfg.families.betaflight.simulated_vehicle import CliVehicle
from dronekit_cfg.hil.operator import Operator
from dronekit_cfg.hil.run import run_suite
from dronekit_cfg.hil.suite import find_suite, known_suite
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model.checked import RunResult, Verdict

CATCHES = {
    "accel-scale": "msp-gravity",
    "baro-drift": "msp-barometer",
    "baro-noise": "msp-barometer",
    "bus-errors": "msp-bus",
    "compass-swing": "msp-compass",
    "cpu-load": "msp-processor",
    "dead-compass": "msp-compass",
    "empty-battery": "msp-battery",
    "few-satellites": "msp-gnss",
    "gyro-bias": "msp-gyro",
    "gyro-noise": "msp-gyro",
    "log-full": "msp-logging",
    "low-rssi": "msp-radio",
    "no-fix": "msp-gnss",
    "no-gyro": "msp-sensors",
    "no-rc": "msp-radio",
    "not-calibrated": "msp-arming",
    "poor-dop": "msp-gnss",
    "rescue-switch": "msp-arming",
    "stick-off": "msp-radio",
    "throttle-up": "msp-radio",
    "tilted": "msp-level",
    "weak-signals": "msp-gnss-signal",
}
MOTORS = {"motor-refused", "motor-slow", "motor-stuck", "motors-together"}
"""Faults that no preflight can see, as it turns no motor; `test_motors` has them."""
BETAFLIGHT_ONLY = {"rescue-switch"}


def run(url: str, state: Path, suite: str = "preflight", operator: Operator | None = None) -> RunResult:
    family = "inav" if "inav" in url else "betaflight"
    with connect(LinkOptions(url, family=family, state_dir=state), clock=VirtualClock()) as connection:
        return run_suite(connection, find_suite(suite, family), operator)


def simulated(connection: Connection) -> CliVehicle:
    vehicle = connection.link._vehicle  # type: ignore[attr-defined]  # the twin behind the link
    assert isinstance(vehicle, CliVehicle)
    return vehicle


def failed(result: RunResult) -> list[str]:
    return [r.name for r in result.results if r.verdict in (Verdict.FAIL, Verdict.ERROR)]


@pytest.mark.parametrize("family", ["betaflight", "inav"])
def test_a_sound_quad_passes_with_nothing_left_out(family: str, tmp_path: Path) -> None:
    result = run(f"sim:{family}", tmp_path)
    assert [(r.name, r.verdict, r.reason) for r in result.results if r.verdict is not Verdict.PASS] == []


@pytest.mark.parametrize("family", ["betaflight", "inav"])
@pytest.mark.parametrize(("fault", "check"), CATCHES.items())
def test_a_fault_fails_its_check_and_no_other(fault: str, check: str, family: str, tmp_path: Path) -> None:
    if family == "inav" and fault in BETAFLIGHT_ONLY:
        pytest.skip("INAV has no such switch")
    result = run(f"sim:{family}?fault={fault}", tmp_path)
    assert failed(result) == [check], [(r.name, r.reason) for r in result.results]
    found = next(r for r in result.results if r.name == check)
    assert found.reason
    assert found.remedy


def test_every_fault_of_a_part_is_caught() -> None:
    assert set(CATCHES) | MOTORS == set(SENSOR_FAULTS)


@pytest.mark.parametrize("family", ["betaflight", "inav"])
def test_settings_survive_a_reboot(family: str, tmp_path: Path) -> None:
    result = run(f"sim:{family}", tmp_path, "bench-full")
    (integrity,) = [r for r in result.results if r.name == "parameter-integrity"]
    assert integrity.verdict is Verdict.PASS, integrity.reason


def test_a_settings_loss_over_a_reboot_is_seen(tmp_path: Path) -> None:
    url = "sim:betaflight?id=7"
    with connect(LinkOptions(url, family="betaflight", state_dir=tmp_path), clock=VirtualClock()) as connection:
        simulated(connection).state.values["small_angle"] = "90"  # in RAM, never saved
        result = run_suite(connection, find_suite("bench-full", "betaflight"))
    (integrity,) = [r for r in result.results if r.name == "parameter-integrity"]
    assert integrity.verdict is Verdict.FAIL
    assert "small_angle" in integrity.reason


class TestTheLostTransmitter:
    """The operator switches; the twin's radio follows."""

    def outcome(self, tmp_path: Path, *, follows: bool) -> Verdict:
        url = "sim:betaflight"
        with connect(LinkOptions(url, family="betaflight", state_dir=tmp_path), clock=VirtualClock()) as connection:
            sensors = simulated(connection).sensors
            assert sensors is not None

            def ask(question: str, seconds: float) -> str:
                del seconds
                if follows:
                    sensors.faults = frozenset({"no-rc"} if "OFF" in question else ())
                return ""

            result = run_suite(connection, find_suite("bench-full", "betaflight"), Operator(ask, attended=True))
        return next(r.verdict for r in result.results if r.name == "msp-radio-failsafe")

    def test_is_noticed_and_found_again(self, tmp_path: Path) -> None:
        assert self.outcome(tmp_path, follows=True) is Verdict.PASS

    def test_that_is_not_noticed_fails(self, tmp_path: Path) -> None:
        assert self.outcome(tmp_path, follows=False) is Verdict.FAIL


def test_a_vehicle_that_falls_silent_is_a_lost_link(tmp_path: Path) -> None:
    url = "sim:betaflight"
    with connect(LinkOptions(url, family="betaflight", state_dir=tmp_path), clock=VirtualClock()) as connection:
        simulated(connection).hung_up = True
        result = run_suite(connection, find_suite("preflight", "betaflight"))
    assert {r.verdict for r in result.results} == {Verdict.ERROR}
    assert "the link failed" in result.results[0].reason


def test_a_suite_of_another_family_is_named_before_the_vehicle_is_asked() -> None:
    known_suite("preflight")
    with pytest.raises(UsageError, match="there is no suite 'after-crash' for betaflight") as caught:
        find_suite("after-crash", "betaflight")
    assert "ardupilot" in caught.value.hint
    with pytest.raises(UsageError, match="there is no suite 'preflite'"):
        known_suite("preflite")
