"""Profiles rewritten for another generation: every change shown, everything else untouched, nothing guessed."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dronekit_cfg.catalog.renames import load_renames
from dronekit_cfg.engine.migrate import migrate
from dronekit_cfg.errors import FileProblems, UsageError
from dronekit_cfg.formats.library import Entry, Library
from dronekit_cfg.formats.profile_yaml import parse_layer

HEAD = """\
# my own quad
format: dronekit-cfg/profile/v1
name: mine
version: 1.0.0   # first
family: ardupilot
vehicle: copter
names: "4.5"
inputs:
  alt: {type: number, help: "height in m"}
settings:
"""
BODY = """\
  # home
  RTL_ALT: 1500            # 15 m
  GPS_TYPE: {value: 2, because: "u-blox, on a mast"}   # GPS
  LAND_SPEED:
    value: 50
    because: gently
  WPNAV_SPEED: {expr: "alt * 10", because: slow}
  ARMING_CHECK: 1
  FS_THR_ENABLE: 1
"""


def test_names_and_units_change_and_nothing_else_does() -> None:
    done = migrate(HEAD + BODY, "copter@4.7")
    assert done.text == HEAD.replace('"4.5"', '"4.7"') + (
        "  # home\n"
        "  RTL_ALT_M: 15            # 15 m\n"
        '  GPS1_TYPE: {value: 2, because: "u-blox, on a mast"}   # GPS\n'
        "  LAND_SPD_MS:\n"
        "    value: 0.5\n"
        "    because: gently\n"
        '  WP_SPD: {expr: "(alt * 10) / 100", because: slow}\n'
        "  ARMING_SKIPCHK: 0\n"
        "  FS_THR_ENABLE: 1\n"
    )
    assert [(c.line, c.before, c.after) for c in done.changes] == [
        (7, "names: 4.5", "names: 4.7"),
        (12, "RTL_ALT: 1500", "RTL_ALT_M: 15"),
        (13, "GPS_TYPE: 2", "GPS1_TYPE: 2"),
        (14, "LAND_SPEED: 50", "LAND_SPD_MS: 0.5"),
        (17, "WPNAV_SPEED: alt * 10", "WP_SPD: (alt * 10) / 100"),
        (18, "ARMING_CHECK: 1", "ARMING_SKIPCHK: 0"),
    ]


def test_there_and_back_is_the_same_text() -> None:
    there = migrate(HEAD + BODY, "4.7").text
    assert migrate(there, "4.5").text == HEAD + BODY


def test_the_same_generation_changes_nothing() -> None:
    done = migrate(HEAD + BODY, "4.5")
    assert (done.text, done.changes) == (HEAD + BODY, ())


def test_a_step_in_between_gives_the_same_as_one_leap() -> None:
    text = HEAD.replace("4.5", "4.3") + "  CAM_DURATION: 10\n  COMPASS_TYPEMASK: 4\n" + BODY
    steps = text
    for generation in ("4.4", "4.5", "4.6", "4.7"):
        steps = migrate(steps, generation).text
    assert steps == migrate(text, "4.7").text
    assert "CAM1_DURATION: 1\n  COMPASS_DISBLMSK: 4\n" in steps


COPTER = load_renames("ardupilot", "copter")
assert COPTER is not None
PLAIN = sorted(e.old for e in COPTER if e.scale is not None)


@settings(deadline=None, max_examples=40)  # a busy machine is no mistake
@given(st.lists(st.sampled_from(PLAIN), min_size=1, max_size=12, unique=True), st.integers(1, 30000))
def test_any_settings_come_back_as_they_were(names: list[str], value: int) -> None:
    head = HEAD.replace("4.5", "4.3")
    text = head + "".join(f"  {name}: {value}  # {i}\n" for i, name in enumerate(names))
    assert migrate(migrate(text, "4.7").text, "4.3").text == text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("  RTL_ALT_M: 15\n", "RTL_ALT_M is a name of 4.7: generations are mixed"),
        ("  GPS1_TYPE: 2\n", "GPS1_TYPE is a name of 4.6: generations are mixed"),
        ("  COMPASS_TYPEMASK: 2\n", "COMPASS_TYPEMASK is no name since 4.5: generations are mixed"),
        ("  ARMING_CHECK: 4\n", "ARMING_CHECK=4 has no counterpart"),
        ("  ARMING_CHECK: {expr: alt}\n", "ARMING_CHECK is computed, and its meaning changes"),
    ],
)
def test_mixed_generations_and_what_only_a_person_knows_are_refused_with_the_place(line: str, words: str) -> None:
    with pytest.raises(FileProblems) as caught:
        migrate(HEAD + line, "4.7", file="mine.yaml")
    (problem,) = caught.value.problems
    assert words in problem.message
    assert (problem.file, problem.line, problem.column) == ("mine.yaml", 11, 3)
    assert problem.hint


def test_a_computed_value_in_a_block_is_not_guessed_at() -> None:
    with pytest.raises(FileProblems, match="its unit changes"):
        migrate(HEAD + "  RTL_ALT:\n    expr: >-\n      alt * 100\n", "4.7")


def test_a_profile_that_does_not_say_its_generation_is_refused() -> None:
    with pytest.raises(FileProblems, match='"names" is missing'):
        migrate((HEAD + BODY).replace('names: "4.5"\n', ""), "4.7")


@pytest.mark.parametrize("to", ["", "plane@4.7", "new", "copter@", "4.7-dev"])
def test_a_generation_that_makes_no_sense_is_refused(to: str) -> None:
    with pytest.raises(UsageError, match="no generation"):
        migrate(HEAD + BODY, to)


@pytest.mark.parametrize("to", ["copter@4.8", "5.9", "copter@2026.6"])
def test_a_generation_that_nothing_is_known_of_is_refused(to: str) -> None:
    with pytest.raises(UsageError, match=r"nothing is known of .*: the changes of names end with 4\.7"):
        migrate(HEAD + BODY, to)
    assert migrate(HEAD + BODY, "copter@4.7.1").changes


def test_a_range_of_firmware_that_leaves_out_the_new_generation_is_told() -> None:
    old = HEAD.replace("vehicle: copter\n", 'vehicle: copter\nfirmware: ">=4.3,<4.6"\n')
    assert migrate(old + BODY, "4.7").notes == ('its firmware range is ">=4.3,<4.6", which leaves out 4.7: widen it',)
    assert migrate(old + BODY, "4.5").notes == ()
    assert migrate(HEAD + BODY, "4.7").notes == ()


BETAFLIGHT = """\
format: dronekit-cfg/profile/v1
name: five
version: 1.0.0
family: betaflight
names: "4.5"
settings:
  failsafe_off_delay: 200
  gps_rescue_throttle_p: {value: 15,
    because: tuned}
  failsafe_procedure: DROP
"""


def test_a_setting_that_is_gone_becomes_a_comment_with_its_reason() -> None:
    done = migrate(BETAFLIGHT, "2025.12")
    assert "  failsafe_landing_time: 20\n" in done.text
    assert "\n  # gone in 2025.12: " in done.text
    assert "\n  # gps_rescue_throttle_p: {value: 15,\n  #   because: tuned}\n  failsafe_procedure: DROP\n" in done.text
    assert {c.before for c in done.changes if not c.after} == {"gps_rescue_throttle_p"}
    assert {s.name for s in parse_layer(done.text, "x").settings} == {"failsafe_landing_time", "failsafe_procedure"}


def test_a_half_second_that_the_new_unit_cannot_hold_is_left_to_the_plan_as_a_fraction() -> None:
    assert "failsafe_landing_time: 1.5" in migrate(BETAFLIGHT.replace("200", "15"), "2025.12").text


def test_words_of_inav_are_carried() -> None:
    text = BETAFLIGHT.partition("settings:")[0].replace("betaflight", "inav").replace("4.5", "7.1")
    text += "settings:\n  gps_provider: UBLOX7 # old\n"
    assert migrate(text, "8.0").text.endswith("  gps_provider: UBLOX # old\n")


def test_the_profiles_of_inav_9_are_control_profiles() -> None:
    text = BETAFLIGHT.partition("settings:")[0].replace("betaflight", "inav").replace("4.5", "8.0")
    text += "settings:\n  profile.1.mc_p_pitch: 40\n  disarm_always: ON\n  reboot_character: 82\n"
    there = migrate(text, "9.0").text
    assert "  control_profile.1.mc_p_pitch: 40\n  disarm_always: ON\n  # gone in 9: the reboot" in there
    assert "disarm_kill_switch: ON" in migrate(there, "7.1").text


def test_a_px4_profile_goes_from_1_14_to_1_16_with_what_only_a_person_can_do_said() -> None:
    text = BETAFLIGHT.partition("settings:")[0].replace("betaflight", "px4").replace("4.5", "1.14")
    text += (
        "settings:\n  NAV_RCL_ACT: 2\n  MIS_PD_TO: 5\n  EKF2_AID_MASK: 1  # old\n"
        "  CBRK_AIRSPD_CHK: 162128\n  COM_ARM_EKF_POS: 0.5\n"
    )
    done = migrate(text, "1.16")
    assert "  NAV_RCL_ACT: 2\n  MIS_COMMAND_TOUT: 5\n  # gone in 1.15: each aid has" in done.text
    assert "  SYS_HAS_NUM_ASPD: 0\n  # gone in 1.16: the estimator's own verdict" in done.text
    assert {c.before.partition(":")[0] for c in done.changes} == {
        "names", "MIS_PD_TO", "EKF2_AID_MASK", "CBRK_AIRSPD_CHK", "COM_ARM_EKF_POS"
    }  # fmt: skip
    half = migrate(text, "1.15").text
    assert migrate(half, "1.16").text == done.text


INAV_TABLE = load_renames("inav", "")
assert INAV_TABLE is not None


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from(sorted(e.old for e in INAV_TABLE)), min_size=1, max_size=12, unique=True))
def test_any_inav_settings_come_back_as_they_were(names: list[str]) -> None:
    text = BETAFLIGHT.partition("settings:")[0].replace("betaflight", "inav").replace("4.5", "7.0")
    text += "settings:\n" + "".join(f"  {name}: {i}  # {i}\n" for i, name in enumerate(names))
    assert migrate(migrate(text, "9.0").text, "7.0").text == text


def asked(text: str) -> list[tuple[str, object, str | None]]:
    return [(w.name, w.value, w.expr) for w in parse_layer(text, "x").settings]


@pytest.mark.parametrize("entry", Library().list(family="ardupilot"), ids=lambda e: e.name)
def test_every_shipped_copter_profile_can_be_migrated_to_4_7_and_back(entry: Entry) -> None:
    text = entry.path.read_text("utf-8")
    there = migrate(text, "4.7", file=str(entry.path)).text
    assert asked(migrate(there, "4.6").text) == asked(text)


def test_what_px4_dropped_is_commented_out() -> None:
    text = BETAFLIGHT.partition("settings:")[0].replace("betaflight", "px4").replace("4.5", "1.14")
    done = migrate(text + "settings:\n  COM_POS_FS_DELAY: 1\n  COM_RC_LOSS_T: 0.5\n", "1.16")
    assert "  # COM_POS_FS_DELAY: 1\n  COM_RC_LOSS_T: 0.5\n" in done.text
