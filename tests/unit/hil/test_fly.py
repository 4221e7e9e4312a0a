"""Scenarios on the real ArduCopter SITL: it flies, it fails as it should, and it leaves no process behind."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from dronekit_cfg.engine.interrupt import Stop
from dronekit_cfg.errors import Interrupted, LinkOpenError
from dronekit_cfg.hil import fly
from dronekit_cfg.hil.flight import Flight
from dronekit_cfg.hil.fly import FlyOptions, fly_all, fly_one
from dronekit_cfg.hil.scenario import Scenario, find_scenarios
from dronekit_cfg.model.checked import Verdict
from dronekit_cfg.sitl.ardupilot import ArduCopterSitl, find_arducopter
from dronekit_cfg.talk.flow import Flow

pytestmark = pytest.mark.sitl


@pytest.fixture
def options(air: None, tmp_path: Path) -> FlyOptions:
    try:
        binary = find_arducopter()
    except LinkOpenError:
        pytest.skip("arducopter is not on PATH: scenarios need the real firmware")
    return FlyOptions(tmp_path / "flights", str(binary), speedup=10.0, state_dir=tmp_path / "state")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[ArduCopterSitl]:
    """Every simulator that was started."""
    simulators: list[ArduCopterSitl] = []
    start = ArduCopterSitl.start

    def note(self: ArduCopterSitl) -> str:
        simulators.append(self)
        return start(self)

    monkeypatch.setattr(ArduCopterSitl, "start", note)
    return simulators


def one(name: str) -> Scenario:
    (found,) = find_scenarios(name)
    return found


def test_a_lost_radio_on_the_ground_disarms_and_leaves_log_and_recording(
    options: FlyOptions, started: list[ArduCopterSitl]
) -> None:
    run = fly_all((one("s19"),), options)
    assert run.verdict is Verdict.PASS, run.results[0].reason
    assert run.identity is not None
    assert run.identity.family == "ardupilot"
    kept = [Path(f).name for f in run.results[0].files]
    assert "link.jsonl" in kept
    assert any(name.endswith(".BIN") for name in kept)
    assert {s.running for s in started} == {False}


def test_lost_gnss_lands_and_the_planted_mistake_is_caught(options: FlyOptions) -> None:
    run = fly_all((one("s01"), one("s05")), options)
    assert [r.verdict for r in run.results] == [Verdict.PASS, Verdict.PASS], [r.reason for r in run.results]
    assert run.results[0].series
    assert any(m.kind == "stimulus" for m in run.results[0].marks)


def test_a_simulator_that_dies_in_flight_is_an_error_and_no_exception(
    options: FlyOptions, started: list[ArduCopterSitl]
) -> None:
    def kill() -> None:
        process = started[0].process
        if process is not None:
            process.stop()

    timer = threading.Timer(4.0, kill)
    timer.start()
    result, _ = fly_one(one("s01"), options)
    timer.join()
    assert result.verdict is Verdict.ERROR
    assert result.reason


def test_a_stop_request_in_flight_lands_and_stops_the_simulator(
    options: FlyOptions, started: list[ArduCopterSitl], monkeypatch: pytest.MonkeyPatch
) -> None:
    stops: list[Stop] = []
    landed: list[bool] = []

    class Noted(Stop):
        def __init__(self) -> None:
            super().__init__()
            stops.append(self)

    land = Flight.land

    def noted(self: Flight) -> Flow[None]:
        yield from land(self)
        landed.append(not self.recording.is_armed)

    monkeypatch.setattr(fly, "Stop", Noted)
    monkeypatch.setattr(Flight, "land", noted)
    timer = threading.Timer(6.0, lambda: stops[0].ask())  # noqa: PLW0108  the stop is made later
    timer.start()
    with pytest.raises(Interrupted):
        fly_one(one("s08"), options)
    timer.join()
    assert landed == [True]
    assert not started[0].running


def test_free_instances_are_never_beyond_what_the_simulator_counts() -> None:
    from dronekit_cfg.sitl import ardupilot

    assert ardupilot.LAST_INSTANCE <= 256
    assert ardupilot.FIRST_INSTANCE + fly.SPACING * fly.SPREAD + fly.STARTS < ardupilot.LAST_INSTANCE
