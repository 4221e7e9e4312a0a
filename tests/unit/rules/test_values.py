"""Checks of single values and names against metadata."""

from __future__ import annotations

import math
from typing import Any

import pytest

from dronekit_cfg.catalog.renames import Rename, Renames
from dronekit_cfg.model import Finding, Kind, Origin, Scalar, SettingSpec, Spec, Value
from dronekit_cfg.rules.builtin import BUILTIN
from dronekit_cfg.rules.names import check_names
from dronekit_cfg.rules.values import check_values

RENAMES = Renames(
    (
        Rename("GPS_TYPE", "GPS1_TYPE", "4.6"),
        Rename("RTL_ALT", "RTL_ALT_M", "4.7", 0.01),
        Rename("ARMING_CHECK", "ARMING_SKIPCHK", "4.7", None, ((1, 0),), "the checks to run became the checks to skip"),
    )
)

SPEC = Spec(
    "ardupilot",
    "copter",
    "4.5.6",
    {
        s.name: s
        for s in (
            SettingSpec("MASK", Kind.INT8, bits={0: "a", 1: "b", 2: "c"}),
            SettingSpec("WIDE", Kind.INT32),
            SettingSpec("RATE", Kind.REAL32, minimum=0.05, maximum=2.5, default=0.1),
            SettingSpec("ACTION", Kind.INT8, values={0: "none", 1: "land"}),
            SettingSpec("LIMIT", Kind.INT16, minimum=30, maximum=300, values={-1: "off"}),
            SettingSpec("RTL_ALT", Kind.INT32, unit="cm", minimum=30, maximum=300000),
            SettingSpec("SERIAL", Kind.INT32, read_only=True, default=7),
            SettingSpec("GPS_TYPE", Kind.INT8),
            SettingSpec("ARMING_CHECK", Kind.INT32),
        )
    },
)
CLI = Spec(
    "betaflight",
    "",
    "4.5.6",
    {
        "procedure": SettingSpec("procedure", Kind.TEXT, options=("AUTO-LAND", "DROP")),
        "angle": SettingSpec("angle", Kind.UINT8, minimum=0, maximum=180),
    },
)


def judge(settings: dict[str, Value | Scalar], spec: Spec = SPEC, **given: Any) -> list[tuple[str, str]]:
    return [(f.id, f.severity) for f in check_values(settings, spec, **given)]


def one(settings: dict[str, Value | Scalar], spec: Spec = SPEC, **given: Any) -> Finding:
    (finding,) = check_values(settings, spec, **given)
    return finding


def test_a_value_beyond_its_type_says_what_the_vehicle_would_hold_and_how_to_write_all_bits() -> None:
    finding = one({"MASK": 255})
    assert (finding.id, finding.severity) == ("VALUE-STORAGE", "error")
    assert "would hold 127" in finding.message
    assert finding.remedy == "For all bits write -1."
    assert judge({"MASK": -1}) == []


@pytest.mark.parametrize(("value", "held"), [(-129, "-128"), (128, "127"), (1e300, "127")])
def test_a_value_is_clamped_to_the_nearest_that_fits(value: float, held: str) -> None:
    assert f"would hold {held}" in one({"ACTION": value}).message


def test_a_fraction_on_a_whole_number_setting_is_an_error() -> None:
    assert "whole numbers only" in one({"ACTION": 0.5}).message


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "nan"])
def test_what_is_no_finite_number_is_an_error(value: Scalar) -> None:
    assert one({"RATE": value}).id == "VALUE-NAN"


def test_a_float_beyond_float32_is_an_error() -> None:
    assert one({"RATE": 1e39}).id == "VALUE-STORAGE"


def test_a_range_is_a_warning_and_an_error_when_strict() -> None:
    assert judge({"RATE": 5}) == [("VALUE-RANGE", "warning")]
    assert judge({"RATE": 5}, strict=True) == [("VALUE-RANGE", "error")]
    assert "0.05 to 2.5" in one({"RATE": 5}).message


def test_the_ends_of_a_range_belong_to_it_also_as_float32() -> None:
    assert judge({"RATE": Value(Kind.REAL32, 0.05)}) == []
    assert judge({"RATE": 2.5}) == []


def test_a_default_outside_its_range_is_no_finding() -> None:
    assert judge({"RATE": 9}, defaults={"RATE": Value(Kind.REAL32, 9)}) == []
    spec = Spec("ardupilot", "copter", "4.5", {"X": SettingSpec("X", Kind.INT8, minimum=1, maximum=2, default=0)})
    assert judge({"X": 0}, spec) == []
    assert judge({"X": 0}, spec, defaults={"X": 1}) == [("VALUE-RANGE", "warning")]


def test_a_special_value_outside_the_range_is_allowed_when_it_has_a_label() -> None:
    assert judge({"LIMIT": -1}) == []
    assert judge({"LIMIT": -2}) == [("VALUE-RANGE", "warning")]


def test_an_undocumented_choice_is_a_warning_that_lists_the_choices() -> None:
    finding = one({"ACTION": 9})
    assert (finding.id, finding.severity) == ("VALUE-ENUM", "warning")
    assert "0 none, 1 land" in finding.message


def test_unknown_bits_are_named_and_the_rest_is_offered() -> None:
    finding = one({"MASK": 0b1010001})
    assert finding.id == "VALUE-BITS"
    assert "4, 6" in finding.message
    assert "Without them it is 1." in finding.remedy


def test_a_whole_number_that_float32_cannot_carry_is_found_before_it_is_sent() -> None:
    finding = one({"WIDE": 16777217})
    assert (finding.id, finding.severity) == ("VALUE-PRECISION", "warning")
    assert "16777216" in finding.message
    assert judge({"WIDE": 16777216}) == []
    assert judge({"WIDE": 2**31 - 1}) == [("VALUE-PRECISION", "warning")]


def test_a_decimal_with_too_many_digits_is_an_info_and_a_usual_one_is_none() -> None:
    spec = Spec("ardupilot", "copter", "4.5", {"X": SettingSpec("X", Kind.REAL32)})
    assert judge({"X": 0.123456789012}, spec) == [("VALUE-PRECISION", "info")]
    assert judge({"X": 0.1}, spec) == []
    assert judge({"X": 0.10000000149011612}, spec) == []  # what other tools write for the float32 of 0.1
    assert judge({"X": 16777217.0}, spec) == [("VALUE-PRECISION", "error")]


def test_a_read_only_setting_is_a_finding_only_where_it_would_be_written() -> None:
    assert judge({"SERIAL": 7}) == []
    assert judge({"SERIAL": 7}, writing=True) == [("VALUE-READONLY", "warning")]


def test_a_metre_value_on_a_centimetre_setting_is_an_error_with_the_value_that_was_meant() -> None:
    finding = one({"RTL_ALT": 15}, renames=RENAMES)
    assert (finding.id, finding.severity) == ("VALUE-UNIT", "error")
    assert "write RTL_ALT = 1500" in finding.remedy


def test_a_centimetre_value_on_a_metre_setting_is_an_error_with_the_value_that_was_meant() -> None:
    facts = {"RTL_ALT_M": SettingSpec("RTL_ALT_M", Kind.REAL32, unit="m", minimum=0.3, maximum=300)}
    finding = one({"RTL_ALT_M": 1500}, Spec("ardupilot", "copter", "4.7", facts), renames=RENAMES)
    assert finding.id == "VALUE-UNIT"
    assert "write RTL_ALT_M = 15." in finding.remedy


def test_a_text_for_a_number_and_an_unknown_option_are_errors() -> None:
    assert judge({"ACTION": "land"}) == [("VALUE-TYPE", "error")]
    assert judge({"procedure": "FALL"}, CLI) == [("VALUE-ENUM", "error")]
    assert judge({"procedure": "drop"}, CLI) == []
    assert judge({"angle": "30"}, CLI) == []


def test_a_range_of_a_text_cli_is_an_error_because_the_firmware_refuses_it() -> None:
    assert judge({"angle": 181}, CLI) == [("VALUE-RANGE", "error")]


def test_a_finding_carries_the_place_where_the_value_was_written() -> None:
    place = Origin("unit", "a.yaml", 4, 3)
    assert one({"ACTION": 9}, origins={"ACTION": place}).origin == place


def test_a_setting_that_the_metadata_does_not_know_is_judged_by_its_own_type_only() -> None:
    assert judge({"OTHER": Value(Kind.INT8, 100)}) == []
    assert judge({"OTHER": 1e300}) == []


# names


def named(settings: dict[str, Value | Scalar], spec: Spec = SPEC, **given: Any) -> Finding:
    (finding,) = check_names(settings, spec, **given)
    return finding


def test_a_name_of_a_later_generation_is_refused_with_the_migration() -> None:
    finding = named({"GPS1_TYPE": 2}, renames=RENAMES)
    assert (finding.id, finding.severity) == ("NAME-GENERATION", "error")
    assert "Write GPS_TYPE = 2 instead of GPS1_TYPE = 2" in finding.remedy


def test_the_migration_converts_the_unit() -> None:
    assert "Write RTL_ALT = 1500 instead" in named({"RTL_ALT_M": 15}, renames=RENAMES).remedy


def test_a_name_whose_meaning_was_inverted_is_refused_with_the_reason() -> None:
    assert "Write ARMING_CHECK = 1 instead" in named({"ARMING_SKIPCHK": 0}, renames=RENAMES).remedy
    finding = named({"ARMING_SKIPCHK": 8}, renames=RENAMES)
    assert finding.id == "NAME-GENERATION"
    assert "the checks to run became the checks to skip" in finding.message


def test_old_and_new_name_together_are_refused() -> None:
    found = check_names({"GPS_TYPE": 2, "GPS1_TYPE": 9}, SPEC, renames=RENAMES)
    assert {(f.id, f.name) for f in found} == {("NAME-BOTH", "GPS1_TYPE"), ("NAME-GENERATION", "GPS1_TYPE")}


def test_an_unknown_name_gets_the_closest_names_and_the_right_case() -> None:
    assert "The closest names are ACTION" in named({"ACTOIN": 1}).remedy
    assert "upper case: ACTION" in named({"action": 1}).remedy
    assert "lower case: angle" in named({"ANGLE": 1}, CLI).remedy
    assert named({"ZZZZ": 1}).remedy


def test_an_unknown_name_only_informs_where_the_metadata_is_of_a_near_version() -> None:
    near = Spec("ardupilot", "copter", "4.5.6", SPEC.settings, exact=False)
    assert named({"ZZZZ": 1}, near).severity == "info"
    assert named({"ZZZZ": 1}).severity == "warning"


def test_settings_of_profiles_go_by_their_plain_name_and_other_cli_lines_are_left_alone() -> None:
    settings: dict[str, Value | Scalar] = {"profile.1.angle": 181, "serial.0": "64 1", "feature.GPS": "ON"}
    assert check_names(settings, CLI) == ()
    assert [(f.id, f.name) for f in check_values(settings, CLI)] == [("VALUE-RANGE", "profile.1.angle")]


def test_a_name_that_the_vehicle_itself_lists_is_right() -> None:
    assert check_names({"ZZZZ": 1}, SPEC, listed={"ZZZZ"}) == ()


def test_every_finding_is_one_of_the_described_checks() -> None:
    settings: dict[str, Value | Scalar] = {"MASK": 255, "ACTION": 9, "RATE": 5, "GPS1_TYPE": 2, "ZZ": 1}
    found = (*check_values(settings, SPEC), *check_names(settings, SPEC, renames=RENAMES))
    assert len(found) == 5
    assert {f.id for f in found} <= set(BUILTIN)
