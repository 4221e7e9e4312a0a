"""What a seed draws: always the same, within its ranges, told in the result, and nothing without one."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from dronekit_cfg.errors import FileProblems
from dronekit_cfg.hil.scenario import Scenario, find_scenarios, load_scenario
from dronekit_cfg.hil.seeds import draw, seeded, with_seed
from dronekit_cfg.model.checked import Result, Verdict

TEXT = """format: dronekit-cfg/scenario/v1
name: x
title: Wind and gaps
vehicle: arducopter
settings: {FS_THR_ENABLE: 1}
vary: {delay: [1, 5], settings: {SIM_WIND_SPD: [2, 6]}}
stimulus:
  - {at: 2, at_between: [1, 3], set: {SIM_GPS1_ENABLE: 0}, set_between: {SIM_UART_LOSS: [0, 4]}}
  - {at: 10, flicker: {setting: SIM_GPS1_ENABLE, values: [0, 1], seconds: 10, each: [1, 3]}}
watch: 30
expect:
  - {mode_stays: LOITER}
"""


@pytest.fixture
def scenario(tmp_path: Path) -> Scenario:
    path = tmp_path / "x.yaml"
    path.write_text(TEXT, "utf-8")
    return load_scenario(path)


def test_a_seed_gives_the_same_flight_every_time_and_on_every_computer(scenario: Scenario) -> None:
    assert draw(scenario, 7) == draw(scenario, 7)
    assert draw(scenario, 7).drawn != draw(scenario, 8).drawn
    # Python keeps `random.Random(str)` the same over versions and platforms; so these numbers hold for ever.
    assert dict(draw(scenario, 7).drawn) == SEVEN


SEVEN = {"later, in seconds": 4.607, "SIM_WIND_SPD": 3.368, "step 1, at": 2.719, "step 1, SIM_UART_LOSS": 2.014}


def test_every_number_is_within_its_range(scenario: Scenario) -> None:
    ranges = {
        "later, in seconds": (1, 5),
        "SIM_WIND_SPD": (2, 6),
        "step 1, at": (1, 3),
        "step 1, SIM_UART_LOSS": (0, 4),
    }
    for seed in range(200):
        drawn = dict(draw(scenario, seed).drawn)
        assert drawn.keys() == ranges.keys()
        assert all(low <= drawn[name] <= high for name, (low, high) in ranges.items())


def test_what_is_drawn_is_what_is_flown(scenario: Scenario) -> None:
    flown = draw(scenario, 3)
    drawn = dict(flown.drawn)
    assert flown.settle == pytest.approx(3 + drawn["later, in seconds"])
    assert flown.settings == {"FS_THR_ENABLE": 1, "SIM_WIND_SPD": drawn["SIM_WIND_SPD"]}
    first = flown.steps[0]
    assert (first.at, first.settings["SIM_UART_LOSS"]) == (drawn["step 1, at"], drawn["step 1, SIM_UART_LOSS"])
    assert (flown.name, flown.base, flown.seed) == ("x-seed-3", "x", 3)


@pytest.mark.parametrize("seed", [None, 0, 1, 2, 3, 4, 5])
def test_a_pattern_of_losses_alternates_and_ends_well(scenario: Scenario, seed: int | None) -> None:
    pattern = [s for s in draw(scenario, seed).steps if s.at >= 10]
    assert [s.settings["SIM_GPS1_ENABLE"] for s in pattern] == [0, 1] * (len(pattern) // 2)
    times = [s.at for s in pattern]
    assert times[0] == 10
    assert times[-1] <= 20.5
    gaps = [b - a for a, b in pairwise(times)]
    assert all(gap <= 3.001 for gap in gaps)
    assert all(gap >= 0.499 for gap in gaps), "the last one may be cut short"


def test_without_a_seed_a_scenario_is_flown_as_it_is_written(scenario: Scenario) -> None:
    flown = draw(scenario, None)
    assert (flown.settle, flown.settings, flown.name, flown.drawn) == (3.0, {"FS_THR_ENABLE": 1}, "x", ())
    assert [s.at for s in flown.steps] == [2, 10, 12, 14, 16, 18, 20]


def test_only_random_scenarios_are_flown_with_every_seed(scenario: Scenario) -> None:
    (plain,) = find_scenarios("s19")
    assert [s.name for s in seeded((scenario, plain), range(1, 4))] == [
        "x-seed-1", "x-seed-2", "x-seed-3", "s19-radio-on-the-ground",
    ]  # fmt: skip
    assert [s.name for s in seeded((scenario, plain), ())] == ["x", "s19-radio-on-the-ground"]


def test_a_failed_seed_says_how_to_fly_it_again(scenario: Scenario) -> None:
    flown = draw(scenario, 4)
    failed = with_seed(Result(flown.name, flown.title, Verdict.FAIL, "bad", remedy="Look."), flown)
    assert failed.remedy == "Look. Fly this seed again with --seed 4."
    assert (failed.seed, failed.base, failed.drawn) == (4, "x", flown.drawn)
    assert with_seed(Result(flown.name, flown.title, Verdict.PASS), flown).remedy == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("delay: [1, 5]", "delay: [5, 1]"),
        ("SIM_WIND_SPD: [2, 6]", "SIM_WIND_SPD: [6, 2]"),
        ("at_between: [1, 3]", "at_between: [3, 1]"),
        ("SIM_UART_LOSS: [0, 4]", "SIM_UART_LOSS: [4, 0]"),
        ("each: [1, 3]", "each: [3, 1]"),
        ("each: [1, 3]", "each: [0, 3]"),
        ("delay: [1, 5]", "delay: [-1, 5]"),
    ],
)
def test_a_range_that_nothing_can_be_drawn_from_is_refused_with_its_place(old: str, new: str, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(TEXT.replace(old, new), "utf-8")
    with pytest.raises(FileProblems) as caught:
        load_scenario(path)
    line = next(i for i, text in enumerate(TEXT.splitlines(), 1) if old in text)
    assert caught.value.problems[0].line == line


def test_the_wind_moments_and_patterns_of_the_shipped_scenarios_can_be_varied() -> None:
    varied = [s for s in find_scenarios("all", "arducopter") if s.is_random]
    assert len(varied) >= 18
    for scenario in varied:
        flown = draw(scenario, 1)
        assert flown.drawn or len(flown.steps) > len(scenario.steps)
        assert all(step.at < flown.watch for step in flown.steps)
