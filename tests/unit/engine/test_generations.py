"""A profile that mixes the names or units of two firmware generations is refused with what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from dronekit_cfg.engine.generations import layer_problems
from dronekit_cfg.engine.goals import goal_from_profile
from dronekit_cfg.errors import FileProblems
from dronekit_cfg.formats.compose import resolve
from dronekit_cfg.formats.library import Library
from dronekit_cfg.formats.profile_yaml import parse_layer


def profile(settings: str, names: str = '"4.6"', family: str = "ardupilot", vehicle: str = "copter") -> str:
    head = f"format: dronekit-cfg/profile/v1\nname: mine\nversion: 1.0.0\nfamily: {family}\nvehicle: {vehicle}\n"
    return f"{head}{f'names: {names}' if names else ''}\nsettings:\n{settings}"


# (settings, names, line of the problem, what its message and its remedy say)
REFUSED: list[tuple[str, str, int, str, str]] = [
    ("  GPS_TYPE: 2\n", '"4.6"', 8, "no name since 4.6", "write GPS1_TYPE: 2 instead of GPS_TYPE: 2"),
    ("  RTL_ALT: 1500\n", '"4.7"', 8, "no name since 4.7", "write RTL_ALT_M: 15 instead of RTL_ALT: 1500"),
    ("  RTL_ALT_M: 15\n", '"4.6"', 8, "a name of 4.7", "write RTL_ALT: 1500 instead of RTL_ALT_M: 15"),
    ("  ARMING_CHECK: 0\n", '"4.7"', 8, "no name since 4.7", "ARMING_CHECK=0 has no counterpart in ARMING_SKIPCHK"),
    ("  ARMING_SKIPCHK: 0\n", '"4.6"', 8, "a name of 4.7", "write ARMING_CHECK: 1 instead of ARMING_SKIPCHK: 0"),
    ("  FRAME_CLASS: 1\n  ARMING_CHECK: 1\n  ARMING_SKIPCHK: 0\n", '"4.6"', 10, "a name of 4.7", "ARMING_CHECK: 1"),
    ("  ARMING_CHECK: 1\n  ARMING_SKIPCHK: 0\n", '"4.7"', 8, "no name since 4.7", "ARMING_SKIPCHK: 0"),
    ("  ARMING_CHECK: 1\n  ARMING_SKIPCHK: 0\n", "", 8, "two names of one setting", 'names: "4.6"'),
    ("  RTL_ALT: 2500\n  RTL_SPEED_MS: 5\n", "", 8, "a name of 4.7, and RTL_ALT is no name", "RTL_ALT_M: 25"),
    ("  LAND_SPD_MS: 50\n", '"4.7"', 8, "looks like a value of LAND_SPEED", "LAND_SPD_MS = 0.5"),
    ("  ATC_ANGLE_MAX: 3000\n", '"4.7"', 8, "looks like a value of ANGLE_MAX", "ATC_ANGLE_MAX = 30"),
    ("  RTL_ALT: 15\n", '"4.6"', 8, "looks like a value of RTL_ALT_M", "RTL_ALT = 1500"),
    ("  SR0_EXTRA1: {expr: rate}\n", '"4.7"', 8, "no name since 4.7", "write MAV1_EXTRA1 there"),
]


@pytest.mark.parametrize(("settings", "names", "line", "message", "remedy"), REFUSED)
def test_a_name_or_unit_of_another_generation_is_refused_with_its_place_and_migration(
    settings: str, names: str, line: int, message: str, remedy: str
) -> None:
    (problem,) = layer_problems(parse_layer(profile(settings, names), "mine.yaml"))
    assert (problem.file, problem.line) == ("mine.yaml", line)
    assert message in problem.message
    assert remedy in problem.hint
    if "generations are mixed" in problem.message:
        assert "profile migrate FILE --to" in problem.hint


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ("  GPS1_TYPE: 2\n  RTL_ALT: 1500\n  ARMING_CHECK: 1\n", '"4.6"'),
        ("  GPS_TYPE: 2\n  RTL_ALT: 1500\n", '"4.5"'),
        ("  GPS1_TYPE: 2\n  RTL_ALT_M: 15\n  ARMING_SKIPCHK: 0\n", '"4.7"'),
        ("  RTL_ALT: 0\n  WPNAV_SPEED: 1000\n  ANGLE_MAX: 3000\n", '"4.6"'),
        ("  GPS1_TYPE: 2\n", ""),
    ],
)
def test_a_profile_of_one_generation_passes(settings: str, names: str) -> None:
    assert layer_problems(parse_layer(profile(settings, names), "mine.yaml")) == ()


def test_a_stack_is_refused_before_it_becomes_a_goal_also_for_what_was_set_on_the_command_line(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(profile("  GPS1_TYPE: 2\n"))
    library = Library((tmp_path,))
    assert goal_from_profile(resolve(str(path), library)).wanted
    with pytest.raises(FileProblems, match="RTL_ALT_M"):
        goal_from_profile(resolve(str(path), library, sets=("RTL_ALT_M=15",)))


def test_families_without_a_table_are_left_alone() -> None:
    text = profile("  NETID: 5\n", '"2.2"', family="sik", vehicle="radio")
    assert layer_problems(parse_layer(text, "mine.yaml")) == ()


def test_a_text_without_a_generation_may_have_the_names_of_any_one_or_of_a_development_version() -> None:
    for settings in (
        "  RTL_ALT: 2500\n  GPS1_TYPE: 2\n",  # 4.6
        "  RTL_ALT_M: 25\n  RTL_SPEED_MS: 5\n",  # 4.7
        "  RTL_ALT: 2500\n  MAV1_EXTRA1: 4\n",  # 4.7-dev of 2025-07 has the one name and not yet the other
        "  RTL_ALT: 2500\n  RTL_SPEED_MS: {value: 5, because: where it is there, optional: true}\n",
    ):
        assert layer_problems(parse_layer(profile(settings, ""), "mine.yaml")) == (), settings
