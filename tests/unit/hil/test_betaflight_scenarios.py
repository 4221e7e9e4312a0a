"""Scenarios of Betaflight: flown on the real simulator where it is built, and judged on recordings."""

from __future__ import annotations

import socket
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.errors import FileProblems, LinkOpenError
from dronekit_cfg.hil.flight_betaflight import BOOT_GRACE
from dronekit_cfg.hil.fly import fly_one
from dronekit_cfg.hil.fly_steps import FlyOptions
from dronekit_cfg.hil.judge_flight import judge_flight
from dronekit_cfg.hil.recording import Recording
from dronekit_cfg.hil.run import run_suite
from dronekit_cfg.hil.scenario import find_scenarios, load_scenario, shipped_scenarios
from dronekit_cfg.hil.suite import find_suite
from dronekit_cfg.model.checked import Verdict
from dronekit_cfg.sitl.betaflight import find_betaflight
from dronekit_cfg.sitl.betaflight_feed import CHANNELS, BetaflightFeed

NAMES = [name for name in shipped_scenarios() if name.startswith("b0")]


SITL_LOCK = Path(tempfile.gettempdir()) / "dronekit-cfg-betaflight-sitl.lock"
"""Every test that starts this simulator takes it: its port cannot be changed."""


@pytest.fixture
def simulator(air: None) -> Iterator[Path]:
    try:
        found = find_betaflight()
    except LinkOpenError as error:
        pytest.skip(f"{error}; {error.hint}")
    with FileLock(SITL_LOCK, timeout=600):
        yield found


@pytest.mark.parametrize("name", NAMES)
def test_the_real_firmware_does_as_the_scenario_says(name: str, simulator: Path, tmp_path: Path) -> None:
    (scenario,) = find_scenarios(name)
    result, identity = fly_one(scenario, FlyOptions(tmp_path, str(simulator), state_dir=tmp_path / "state"))
    assert result.verdict is Verdict.PASS, result.reason
    assert identity is not None
    assert identity.family == "betaflight"


def test_the_bench_checks_judge_the_real_firmware(simulator: Path, tmp_path: Path) -> None:
    """Fed with a quad at rest it passes; what the simulator has not is left out with its reason."""
    url = f"sitl:betaflight?fresh&feed&dir={tmp_path / 'sitl'}&binary={simulator}"
    for _ in range(3):
        with connect(LinkOptions(url, family="betaflight", state_dir=tmp_path / "state")) as connection:
            connection.runner.clock.sleep(6.0)  # its boot grace time and gyro calibration
            result = run_suite(connection, find_suite("preflight", "betaflight"))
        if not any(BOOT_GRACE in r.reason for r in result.results):  # on a busy computer it may never end
            break
    assert [(r.name, r.reason) for r in result.results if r.verdict in (Verdict.FAIL, Verdict.ERROR)] == []
    left_out = {r.name for r in result.results if r.verdict is Verdict.SKIP}
    assert left_out == {"msp-compass", "msp-gnss", "msp-gnss-signal", "msp-battery", "msp-logging"}


def quad(*armed: tuple[float, bool]) -> Recording:
    found = Recording(zero=100.0, now=110.0)
    found.armed = [(100.0 + at, state) for at, state in armed]
    found.modes = [(90.0, "ANGLE")]
    return found


def test_a_quad_that_arms_with_the_throttle_up_fails_the_scenario() -> None:
    (scenario,) = find_scenarios("b05")
    assert judge_flight(scenario, quad((-5, False), (1.2, True))).verdict is Verdict.FAIL


def test_a_quad_that_flies_on_after_the_loss_fails_the_scenario() -> None:
    (scenario,) = find_scenarios("b01")
    assert "disarmed: never" in judge_flight(scenario, quad((-1, True))).reason


def test_texts_as_settings_are_for_betaflight_only(tmp_path: Path) -> None:
    source = shipped_scenarios()["b01-radio-lost-drop"].read_text("utf-8")
    path = tmp_path / "mine.yaml"
    path.write_text(source.replace("vehicle: betaflight", "vehicle: px4"), "utf-8")
    with pytest.raises(FileProblems, match="must be a number"):
        load_scenario(path)


def test_the_feed_sends_what_the_simulator_reads() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as state,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as radio,
    ):
        for port in (state, radio):
            port.bind(("127.0.0.1", 0))
            port.settimeout(5)
        feed = BetaflightFeed(state_port=state.getsockname()[1], radio_port=radio.getsockname()[1])
        feed.channels(1500, 1500, 1000, 1500, 2000)
        feed.start()
        try:
            first, second = (struct.unpack("18d", state.recv(1024)) for _ in range(2))
            pulses = struct.unpack(f"d{CHANNELS}H", radio.recv(1024))[1:]
            feed.lose_radio()
            while any(lost := struct.unpack(f"d{CHANNELS}H", radio.recv(1024))[1:]):
                pass
        finally:
            feed.stop()
    assert second[0] - first[0] >= 0.02  # below, the firmware bends its clock
    assert first[6] == pytest.approx(-9.80665)
    assert pulses[:5] == (1500, 1500, 1000, 1500, 2000)
    assert lost == (0,) * CHANNELS
