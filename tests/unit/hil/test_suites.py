"""Suites as data: what is wrong in them is told with its place, before any vehicle is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from dronekit_cfg.errors import FileProblems, UsageError
from dronekit_cfg.hil.checks import all_checks, find_check
from dronekit_cfg.hil.suite import find_suite, load_suite, shipped_suites

HEAD = "format: dronekit-cfg/suite/v1\nname: own\nfamily: ardupilot\nchecks:\n"


def suite(tmp_path: Path, checks: str) -> Path:
    path = tmp_path / "own.yaml"
    path.write_text(HEAD + checks, "utf-8")
    return path


SHIPPED = [(family, name) for family, suites in shipped_suites().items() for name in suites]


def test_every_family_has_a_preflight_and_ardupilot_all_four() -> None:
    assert {(family, "preflight") for family in ("ardupilot", "px4", "betaflight", "inav")} <= set(SHIPPED)
    assert set(shipped_suites()["ardupilot"]) == {"preflight", "bench-full", "after-crash", "production-line"}


@pytest.mark.parametrize(("family", "name"), SHIPPED)
def test_the_shipped_suites_load(family: str, name: str) -> None:
    found = find_suite(name, family)
    assert (found.name, found.family) == (name, family)


@pytest.mark.parametrize("family", ["ardupilot", "px4", "betaflight", "inav"])
def test_the_full_bench_has_every_check_of_its_family(family: str) -> None:
    every = {name for name, check in all_checks().items() if family in check.families}
    assert {e.check.name for e in find_suite("bench-full", family).entries} == every


def test_a_parameter_may_carry_its_unit(tmp_path: Path) -> None:
    found = load_suite(suite(tmp_path, "  - {check: level, with: {angle: 3 deg}}\n"))
    assert found.entries[0].params == {"angle": 3.0}


@pytest.mark.parametrize(
    ("checks", "words"),
    [
        ("  - levle\n", "no check"),
        ("  - {check: level, with: {angel: 3}}\n", "no parameter"),
        ("  - {check: level, with: {angle: 3 rad}}\n", "own.yaml:5:34: angle is in deg"),
        ("  - {check: level, with: {angle: lots}}\n", "no number"),
        ("  - {check: level, with: {angle: 90}}\n", "makes no sense"),
        ("  - {check: board-supply, with: {low: 5.2, high: 5.1}}\n", "could never pass"),
        ("  - level\n  - level\n", "twice"),
        ("  - {chek: level}\n", "checks"),
        ("  []\n", "checks"),
    ],
)
def test_a_mistake_is_told_with_its_line(checks: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(FileProblems, match=words) as caught:
        load_suite(suite(tmp_path, checks))
    assert caught.value.problems[0].line >= 5


def test_all_mistakes_of_a_suite_are_told_at_once(tmp_path: Path) -> None:
    checks = "  - levle\n  - gravity\n  - {check: level, with: {angel: 2, angle: 3 rad}}\n  - msp-level\n  - gravity\n"
    with pytest.raises(FileProblems) as caught:
        load_suite(suite(tmp_path, checks))
    assert [(p.line, p.message.split(":")[0][:24]) for p in caught.value.problems] == [
        (5, "there is no check 'levle"),
        (7, "check level has no param"),
        (7, "angle is in deg, not in "),
        (8, "check msp-level is for b"),
        (9, "gravity stands here twic"),
    ]
    assert all(p.hint for p in caught.value.problems)


def test_every_shipped_check_can_pass_in_the_shortest_window() -> None:
    """The inertial checks want twenty samples, so they ask for them fast enough."""
    for check in all_checks().values():
        if "ardupilot" in check.families and check.judge is not None and check.number in ("B04", "B05", "B06"):
            assert all(3 * hertz >= 20 for hertz in check.watches.values()), check.name


def test_an_unknown_suite_is_a_usage_error_that_lists_the_suites() -> None:
    with pytest.raises(UsageError) as caught:
        find_suite("nosuch")
    assert "preflight" in caught.value.hint


def test_every_default_is_within_its_own_range() -> None:
    for check in all_checks().values():
        for p in check.parameters:
            assert p.low <= p.default <= p.high or p.default == 0, (check.name, p.name)
            assert p.meaning


def test_every_check_says_what_to_do() -> None:
    assert all(c.remedy and c.title and (c.judge is None) != (c.act is None) for c in all_checks().values())


def test_an_unknown_check_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="no check"):
        find_check("nosuch")
