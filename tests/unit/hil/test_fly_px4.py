"""Scenarios on the real PX4 SITL: it flies, it fails as it should, and it leaves no process behind."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from dronekit_cfg.engine.interrupt import Stop
from dronekit_cfg.errors import FileProblems, Interrupted, LinkOpenError
from dronekit_cfg.hil import fly
from dronekit_cfg.hil.flight import Flight
from dronekit_cfg.hil.fly import fly_all, fly_one
from dronekit_cfg.hil.fly_steps import FlyOptions
from dronekit_cfg.hil.modes import PX4
from dronekit_cfg.hil.scenario import Scenario, find_scenarios, load_scenario
from dronekit_cfg.model.checked import Verdict
from dronekit_cfg.sitl.process import SimulatorProcess
from dronekit_cfg.sitl.px4 import find_px4
from dronekit_cfg.talk.flow import Flow


@pytest.fixture
def options(air: None, tmp_path: Path) -> FlyOptions:
    try:
        binary = find_px4()
    except LinkOpenError:
        pytest.skip("px4 is not on PATH: scenarios need the real firmware")
    return FlyOptions(tmp_path / "flights", str(binary), state_dir=tmp_path / "state")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[SimulatorProcess]:
    """Every simulator that was started."""
    simulators: list[SimulatorProcess] = []
    start = SimulatorProcess.start

    def note(self: SimulatorProcess) -> None:
        if self not in simulators:
            simulators.append(self)
        start(self)

    monkeypatch.setattr(SimulatorProcess, "start", note)
    return simulators


def one(name: str) -> Scenario:
    (found,) = find_scenarios(name)
    return found


@pytest.mark.sitl
def test_lost_gnss_brings_the_vehicle_down_and_leaves_log_and_recording(
    options: FlyOptions, started: list[SimulatorProcess]
) -> None:
    run = fly_all((one("p01"),), options)
    assert run.verdict is Verdict.PASS, run.results[0].reason
    assert run.identity is not None
    assert run.identity.family == "px4"
    kept = [Path(f).name for f in run.results[0].files]
    assert {"link.jsonl", "simulator.log"} < set(kept)
    assert any(name.endswith(".ulg") for name in kept)
    assert any(m.kind == "stimulus" for m in run.results[0].marks)
    assert {s.running for s in started} == {False}


@pytest.mark.sitl
def test_a_stop_request_in_flight_lands_and_stops_the_simulator(
    options: FlyOptions, started: list[SimulatorProcess], monkeypatch: pytest.MonkeyPatch
) -> None:
    stops: list[Stop] = []
    landed: list[bool] = []

    class Noted(Stop):
        def __init__(self) -> None:
            super().__init__()
            stops.append(self)

    land, climb = Flight.land, Flight._climb

    def noted(self: Flight) -> Flow[None]:
        yield from land(self)
        landed.append(not self.recording.is_armed)

    def stopped(self: Flight, scenario: Scenario) -> Flow[None]:
        threading.Timer(0.5, stops[0].ask).start()
        yield from climb(self, scenario)

    monkeypatch.setattr(fly, "Stop", Noted)
    monkeypatch.setattr(Flight, "land", noted)
    monkeypatch.setattr(Flight, "_climb", stopped)
    with pytest.raises(Interrupted):
        fly_one(one("p06"), options)
    assert landed == [True]
    assert {s.running for s in started} == {False}


def test_all_means_the_scenarios_of_one_vehicle() -> None:
    assert {s.vehicle for s in find_scenarios("all", "px4")} == {"px4"}
    assert {s.vehicle for s in find_scenarios("all", "arducopter")} == {"arducopter"}
    assert {"px4", "arducopter"} <= {s.vehicle for s in find_scenarios("all")}


def test_planted_mistakes_stand_beside_what_should_happen() -> None:
    stories = ("gnss", "radio", "ground-station", "battery")
    flights = find_scenarios("all", "px4")
    for story in stories:
        assert {bool(s.expect_failure) for s in flights if story in s.name} == {True, False}, story


@pytest.mark.parametrize(
    ("main", "sub", "name"), [(4, 6, "LAND"), (4, 3, "HOLD"), (3, 0, "POSITION"), (4, 5, "RETURN"), (2, 0, "ALTITUDE")]
)
def test_a_mode_has_its_number_in_the_upper_bytes(main: int, sub: int, name: str) -> None:
    assert PX4[int.from_bytes(bytes((0, 0, main, sub)), "little")] == name


def test_modes_and_the_transmitter_belong_to_their_vehicle(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    head = "format: dronekit-cfg/scenario/v1\nname: x\ntitle: x\nwatch: 5\nexpect: [{armed: true}]\n"
    path.write_text(head + "vehicle: px4\nstart: {mode: LOITER}\n", "utf-8")
    with pytest.raises(FileProblems, match="there is no mode LOITER"):
        load_scenario(path)
    path.write_text(head + "vehicle: arducopter\nstimulus: [{at: 0, radio: false}]\n", "utf-8")
    with pytest.raises(FileProblems, match="arducopter does not have this"):
        load_scenario(path)
