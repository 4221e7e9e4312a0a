"""A flight that failed for want of a processor is flown again; one that failed by its settings is not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from dronekit_cfg.errors import DronekitError, LinkLost, NoAnswer, VehicleError
from dronekit_cfg.hil import fly
from dronekit_cfg.hil.fly_steps import FlyOptions
from dronekit_cfg.hil.scenario import find_scenarios
from dronekit_cfg.model.checked import Result, Verdict
from dronekit_cfg.sitl.pace import Pace

FAILED = Result("p01-gnss-loss", "x", Verdict.FAIL, "rolls")
PASSED = Result("p01-gnss-loss", "x", Verdict.PASS)


class Flights:
    """Flights that end as they are told to, on a computer of which others take a share."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, ends: Sequence[Result | DronekitError], share: float) -> None:
        self.ends, self.speeds, self.folders = list(ends), [], []  # type: ignore[var-annotated]  # floats and paths
        monkeypatch.setattr(fly, "fly_px4", self)
        monkeypatch.setattr(Pace, "waited", lambda _: share)

    def __call__(self, scenario, options, folder, *_):  # type: ignore[no-untyped-def]  # stands in for fly_px4
        self.speeds.append(options.speedup)
        self.folders.append(folder)
        end = self.ends.pop(0)
        if isinstance(end, DronekitError):
            raise end
        return end, None, (), ()


def one(folder: Path) -> Result:
    (scenario,) = find_scenarios("p01")
    return fly.fly_one(scenario, FlyOptions(folder))[0]


def test_on_a_busy_computer_it_is_flown_again_slower_and_elsewhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    flights = Flights(monkeypatch, [FAILED, VehicleError("does not climb"), PASSED], share=0.4)
    result = one(tmp_path)
    assert result.verdict is Verdict.PASS
    assert flights.speeds == [5.0, 2.5, 1.25]
    assert len(set(flights.folders)) == 3
    assert [("busy" in n, n.rpartition(": ")[2]) for n in result.notes] == [(True, "rolls"), (True, "does not climb")]
    assert "40%" in result.notes[0]


def test_on_a_quiet_computer_a_failure_is_the_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    flights = Flights(monkeypatch, [FAILED, PASSED], share=0.05)
    assert one(tmp_path).verdict is Verdict.FAIL
    assert len(flights.speeds) == 1


def test_what_fails_every_time_has_failed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    flights = Flights(monkeypatch, [FAILED] * 9, share=0.9)
    result = one(tmp_path)
    assert result.verdict is Verdict.FAIL
    assert len(flights.speeds) == 3
    assert len(result.notes) == 2


def test_a_simulator_that_hangs_is_started_again_but_one_that_dies_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Flights(monkeypatch, [NoAnswer("silent"), PASSED], share=0.0)
    assert one(tmp_path).verdict is Verdict.PASS
    Flights(monkeypatch, [LinkLost("the simulator ended"), PASSED], share=0.9)
    assert one(tmp_path).verdict is Verdict.ERROR


def test_waiting_is_counted_over_all_threads_from_the_start(tmp_path: Path) -> None:
    def tell(thread: str, ran: int, waited: int) -> None:
        (tmp_path / thread).mkdir(exist_ok=True)
        (tmp_path / thread / "schedstat").write_text(f"{ran} {waited} 7\n", "ascii")

    tell("1", 5_000, 90_000)
    pace = Pace(tmp_path)
    assert pace.waited() == 0
    tell("1", 6_000, 91_000)
    tell("2", 1_000, 5_000)
    assert pace.waited() == pytest.approx(6 / 8)


def test_where_the_system_does_not_tell_nothing_is_excused(tmp_path: Path) -> None:
    assert Pace(tmp_path / "nowhere").waited() == 0
