"""Flights are judged by their recording alone: hand-made recordings, expectations from the scenario's words."""

from __future__ import annotations

from pathlib import Path

import pytest

from dronekit_cfg.errors import FileProblems, UsageError
from dronekit_cfg.hil.judge_flight import judge_flight
from dronekit_cfg.hil.monitors import Alarm
from dronekit_cfg.hil.recording import Recording
from dronekit_cfg.hil.scenario import find_scenarios, load_scenario, shipped_scenarios
from dronekit_cfg.model.checked import Verdict

HEAD = """format: dronekit-cfg/scenario/v1
name: x
title: x
vehicle: arducopter
watch: 30
"""


def scenario(tmp_path: Path, expect: str, head: str = HEAD) -> Path:
    path = tmp_path / "x.yaml"
    path.write_text(head + "expect:\n" + expect, "utf-8")
    return path


def flight() -> Recording:
    """A loss of GNSS at 100 s: LAND at 108 s, on the ground at 120 s."""
    r = Recording(zero=100.0, now=130.0)
    r.modes = [(1.0, "STABILIZE"), (50.0, "LOITER"), (108.0, "LAND")]
    r.armed = [(1.0, False), (40.0, True), (120.0, False)]
    r.flags = [(1.0, 0x33F), (107.0, 0x025)]
    r.texts = [(60.0, 2, "old warning"), (108.0, 2, "EKF Failsafe: changed to LAND Mode")]
    r.true = [(float(s), 0.0, max(0.0, s - 100.0) / 5) for s in range(90, 131)]
    r.lines = {
        "roll": [(110.0, 3.0), (111.0, -4.0)],
        "pitch": [(110.0, 1.0)],
        "true altitude": [(50.0, 0.0), (99.0, 15.0), (105.0, 15.5), (118.0, 1.0), (121.0, 0.2)],
        "position error": [(101.0, 0.5), (120.0, 4.0)],
        "frames lost": [(99.0, 0.0), (102.0, 20.0), (103.0, 40.0)],
    }
    r.readings = [(103.0, "FS_THR_ENABLE", 0.0)]
    r.alarms = [Alarm(95.0, "fewer satellites", 5, 6, ""), Alarm(112.0, "receivers drift apart", 5.5, 5, "m")]
    return r


@pytest.mark.parametrize(
    ("expectation", "holds"),
    [
        ("{mode: LAND, between: [7, 9]}", True),
        ("{mode: LAND, between: [1, 7]}", False),
        ("{mode: RTL}", False),
        ("{mode: [RTL, LAND], between: [7, 9]}", True),
        ("{mode: [RTL, LAND], between: [1, 7]}", False),
        ("{mode: [RTL, SMART_RTL]}", False),
        ("{mode_stays: LOITER, between: [0, 7]}", True),
        ("{mode_stays: LOITER}", False),
        ("{text: EKF Failsafe, between: [7, 9]}", True),
        ("{text: old warning}", False),
        ("{text: EKF, at_most: 1}", True),
        ("{text: EKF, at_most: 0}", False),
        ("{no_text: Radio}", True),
        ("{no_text: EKF}", False),
        ("{quiet: 4, between: [0, 7]}", True),
        ("{quiet: 4}", False),
        ("{flags_lost: 0x10, between: [6, 8]}", True),
        ("{flags_lost: 0x10, between: [0, 6]}", False),
        ("{armed: false, between: [10, 25]}", True),
        ("{armed: false, between: [0, 10]}", False),
        ("{armed: true}", False),
        ("{attitude_below: 5}", True),
        ("{attitude_below: 3.5}", False),
        ("{drift_below: 7}", True),
        ("{drift_below: 5}", False),
        ("{drift_above: 5}", True),
        ("{drift_above: 7}", False),
        ("{error_below: 5}", True),
        ("{error_below: 3}", False),
        ("{lands_within: 0.5, between: [20, 24]}", True),
        ("{lands_within: 0.5, between: [5, 20]}", False),
        ("{lands_within: 0.1}", False),
        ("{height_within: 1, between: [0, 10]}", True),
        ("{height_within: 1}", False),
        ("{loss_between: [25, 35], between: [0, 10]}", True),
        ("{loss_between: [0, 25], between: [0, 10]}", False),
        ("{loss_between: [0, 100], between: [10, 20]}", False),
        ("{alarm: receivers drift apart, between: [0, 20]}", True),
        ("{alarm: receivers drift apart, between: [0, 10]}", False),
        ("{alarm: receivers apart}", False),
        ("{alarm: fewer satellites}", False),
        ("{setting: FS_THR_ENABLE, reads: 0, between: [2, 4]}", True),
        ("{setting: FS_THR_ENABLE, reads: 1, between: [2, 4]}", False),
        ("{setting: FS_THR_ENABLE, reads: 0, between: [5, 9]}", False),
    ],
)
def test_an_expectation_holds_or_not(expectation: str, holds: bool, tmp_path: Path) -> None:
    result = judge_flight(load_scenario(scenario(tmp_path, f"  - {expectation}\n")), flight())
    assert (result.verdict is Verdict.PASS) == holds, result.notes
    assert bool(result.reason) != holds


def test_a_planted_mistake_passes_only_when_it_is_caught(tmp_path: Path) -> None:
    head = HEAD + "expect_failure: the failsafe is off\n"
    caught = judge_flight(load_scenario(scenario(tmp_path, "  - {mode: RTL}\n", head)), flight())
    missed = judge_flight(load_scenario(scenario(tmp_path, "  - {mode: LAND}\n", head)), flight())
    assert (caught.verdict, missed.verdict) == (Verdict.PASS, Verdict.FAIL)
    assert "the failsafe is off" in missed.reason


def test_an_empty_recording_fails_every_expectation_that_needs_something_to_happen(tmp_path: Path) -> None:
    text = "  - {mode: LAND}\n  - {drift_below: 3}\n  - {mode_stays: LOITER}\n  - {attitude_below: 5}\n"
    result = judge_flight(load_scenario(scenario(tmp_path, text)), Recording(zero=0.0))
    assert all(note.startswith("✗") for note in result.notes)


def test_a_window_that_can_never_be_met_is_refused_with_its_place(tmp_path: Path) -> None:
    path = scenario(tmp_path, "  - {mode: LAND, between: [40, 50]}\n")
    with pytest.raises(FileProblems, match="never be met") as caught:
        load_scenario(path)
    assert caught.value.problems[0].line == 7


@pytest.mark.parametrize(
    "text",
    ["  - {mode: HOVER}\n", "  - {mode: [LAND, HOVER]}\n", "  - {between: [1, 2]}\n", "  - {mode: LAND, text: x}\n"],
)
def test_senseless_expectations_are_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(FileProblems):
        load_scenario(scenario(tmp_path, text))


def test_all_shipped_scenarios_load_and_bear_the_name_of_their_file() -> None:
    assert [s.name for s in find_scenarios("all")] == list(shipped_scenarios())
    assert len(shipped_scenarios()) >= 25


def test_a_number_finds_its_scenario() -> None:
    assert find_scenarios("S01")[0].name == "s01-gnss-loss"


def test_an_unknown_scenario_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no scenario"):
        find_scenarios("s99")


def test_frames_that_did_not_arrive_are_counted_by_the_holes_in_their_numbers() -> None:
    r = Recording(now=10.0)
    for second, numbers in enumerate(((250, 251, 252, 253), (254, 0, 1, 3), (7, 8, 9, 10)), 10):
        for part, number in enumerate(numbers):
            r.now = second + part / 4
            r.heard(number)
    r.heard(-1)
    lost = [(at, round(share)) for at, share in r.lines["frames lost"]]
    assert lost == [(10.0, 0), (11.0, 0), (12.0, 56)], (
        "254 to 7 are ten frames, of which 255, 2, 4, 5 and 6 are missing"
    )
