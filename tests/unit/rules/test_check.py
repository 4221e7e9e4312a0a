"""How rules are judged: four outcomes, isolation of broken rules, messages with values in them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from dronekit_cfg.model import Kind, Origin, Scalar, SettingSpec, Spec, Value
from dronekit_cfg.rules.check import Outcome, RuleResult, check, findings
from dronekit_cfg.rules.rule import Example, Rule


class Names:
    """A rename table of two entries: other name, and the factor from it to the name that is asked for."""

    TABLE: Mapping[str, tuple[tuple[str, float], ...]] = {
        "GPS1_TYPE": (("GPS_TYPE", 1.0),),
        "GPS_TYPE": (("GPS1_TYPE", 1.0),),
        "RTL_ALT": (("RTL_ALT_M", 100.0),),
        "RTL_ALT_M": (("RTL_ALT", 0.01),),
    }

    def others(self, name: str) -> Iterable[tuple[str, float]]:
        return self.TABLE.get(name, ())


def rule(violation: str, **changes: Any) -> Rule:
    plain: dict[str, Any] = {
        "id": "X-1",
        "title": "a rule",
        "severity": "warning",
        "families": ("ardupilot",),
        "violation": violation,
        "message": "broken",
        "remedy": "repair it",
        "why": "because",
        "source": "nowhere",
        "bad": Example({}),
        "good": Example({}),
    }
    return Rule(**{**plain, **changes})


def judge(one: Rule, settings: Mapping[str, Value | Scalar], **given: Any) -> RuleResult:
    (result,) = check((one,), settings, family="ardupilot", **given)
    return result


def outcome(violation: str, settings: Mapping[str, Value | Scalar], **given: Any) -> Outcome:
    return judge(rule(violation), settings, **given).outcome


def test_a_true_expression_is_a_violation_and_a_false_one_passes() -> None:
    assert outcome('p("A") == 1', {"A": 1}) is Outcome.VIOLATED
    assert outcome('p("A") == 1', {"A": 2}) is Outcome.PASSED


def test_a_setting_that_the_vehicle_does_not_list_makes_the_rule_not_applicable() -> None:
    result = judge(rule('p("A") == 1'), {"B": 1})
    assert result.outcome is Outcome.NOT_APPLICABLE
    assert result.message == "A is not on this vehicle"
    assert result.finding() is None


def test_a_missing_setting_counts_only_when_it_is_looked_at() -> None:
    assert outcome('p("A") == 1 or p("B") == 1', {"A": 1}) is Outcome.VIOLATED
    assert outcome('p("A") == 1 or p("B") == 1', {"A": 2}) is Outcome.NOT_APPLICABLE
    assert outcome('p("A") == 1 or p("B", 1) == 1', {"A": 2}) is Outcome.VIOLATED


@pytest.mark.parametrize(
    "violation", ['any_p("S*", 1)', 'count_p("S*", 1) == 0', 'sum_p("S*") == 0', "count_serial(5) == 0"]
)
def test_a_wildcard_that_matches_nothing_is_not_applicable(violation: str) -> None:
    assert outcome(violation, {"A": 1}) is Outcome.NOT_APPLICABLE


def test_a_broken_rule_is_an_error_and_does_not_disturb_the_others() -> None:
    rules = (rule('p("A") / p("B") > 1'), rule('p("A") > p("T")', id="X-2"), rule('p("A") == 1', id="X-3"))
    results = check(rules, {"A": 1, "B": 0, "T": "text"}, family="ardupilot")
    assert [r.outcome for r in results] == [Outcome.ERROR, Outcome.ERROR, Outcome.VIOLATED]
    assert "could not be judged: ZeroDivisionError" in results[0].message
    assert [f.severity for f in findings(results)] == ["error", "error", "warning"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_number_never_passes(value: float) -> None:
    result = judge(rule('p("A") <= 0'), {"A": Value(Kind.REAL32, value) if math.isnan(value) else value})
    assert result.outcome is Outcome.ERROR
    assert f"A is {value}" in result.message


def test_a_float32_compares_like_the_decimal_that_was_written() -> None:
    assert outcome('p("A") == 0.8', {"A": Value(Kind.REAL32, 0.8)}) is Outcome.VIOLATED
    assert outcome('p("A") > 0.8', {"A": Value(Kind.REAL32, 0.8)}) is Outcome.PASSED


def test_texts_compare_without_case_and_numbers_in_texts_as_numbers() -> None:
    settings = {"A": Value(Kind.TEXT, "Last Pos"), "B": Value(Kind.TEXT, "1000"), "C": Value(Kind.TEXT, "3.5")}
    assert outcome('p("A") == "LAST POS" and p("B") == 1000 and p("C") == 3.5', settings) is Outcome.VIOLATED


def test_the_old_name_finds_the_new_setting_and_the_other_way_round() -> None:
    assert outcome('p("GPS_TYPE") == 2', {"GPS1_TYPE": 2}, renames=Names()) is Outcome.VIOLATED
    assert outcome('p("GPS1_TYPE") == 2', {"GPS_TYPE": 2}, renames=Names()) is Outcome.VIOLATED
    assert outcome('has("GPS_TYPE") and not listed("GPS_TYPE")', {"GPS1_TYPE": 2}, renames=Names()) is Outcome.VIOLATED


def test_a_renamed_setting_is_scaled_to_the_unit_of_the_name_that_was_asked_for() -> None:
    assert outcome('p("RTL_ALT") == 1500', {"RTL_ALT_M": 15}, renames=Names()) is Outcome.VIOLATED
    assert outcome('p("RTL_ALT_M") == 15.5', {"RTL_ALT": 1550}, renames=Names()) is Outcome.VIOLATED


def test_bits_of_negative_numbers_are_those_of_twos_complement() -> None:
    assert outcome('b("A", 0) and b("A", 7) and b("A", 30)', {"A": Value(Kind.INT8, -1)}) is Outcome.VIOLATED
    assert outcome('b("A", 0)', {"A": Value(Kind.INT8, -2)}) is Outcome.PASSED


def test_a_pattern_matches_one_word_and_not_across_underscores() -> None:
    settings: dict[str, Scalar] = {"SERIAL1_PROTOCOL": 5, "SERIAL1_OPT_PROTOCOL": 5, "SERIAL12_PROTOCOL": 5}
    assert outcome("count_serial(5) == 2", settings) is Outcome.VIOLATED


def test_versions_compare_by_their_numbers_and_a_development_version_counts_as_its_release() -> None:
    one = rule('p("A") == 1', firmware=">=4.7")
    assert judge(one, {"A": 1}, version="4.7.0.dev0").outcome is Outcome.VIOLATED
    assert judge(one, {"A": 1}, version="4.6.9").outcome is Outcome.NOT_APPLICABLE
    assert judge(one, {"A": 1}, version="4.10").outcome is Outcome.VIOLATED
    assert outcome('fw_is("4.5.0")', {}, version="4.5") is Outcome.VIOLATED
    assert outcome('fw_lt("4.5.1")', {}, version="4.5.0") is Outcome.VIOLATED


def test_an_unknown_version_makes_a_rule_about_versions_not_applicable() -> None:
    assert judge(rule('p("A") == 1', firmware=">=4.7"), {"A": 1}).outcome is Outcome.NOT_APPLICABLE
    assert outcome('fw_ge("4.5")', {}) is Outcome.NOT_APPLICABLE


def test_flags_and_inputs_decide_what_applies() -> None:
    one = rule('p("A") > cells', inputs={"cells": None}, flags=("bvlos", "auto"))
    assert "flag bvlos or auto" in judge(one, {"A": 9}).message
    assert "input cells" in judge(one, {"A": 9}, flags=("auto",)).message
    assert judge(one, {"A": 9}, flags=("auto",), inputs={"cells": 6}).outcome is Outcome.VIOLATED


def test_rules_of_other_families_say_nothing_and_those_of_other_vehicles_are_not_applicable() -> None:
    assert check((rule('p("A") == 1', families=("px4",)),), {"A": 1}, family="ardupilot") == ()
    assert judge(rule('p("A") == 1', vehicles=("copter",)), {"A": 1}, vehicle="plane").outcome is Outcome.NOT_APPLICABLE


def test_the_message_shows_labels_inputs_and_matches() -> None:
    spec = Spec("ardupilot", "copter", "4.6", {"GPS_TYPE": SettingSpec("GPS_TYPE", values={2: "uBlox"})})
    text = "{GPS1_TYPE}; {cells}; {matches}; {firmware}; {GONE}"
    one = rule(
        'p("GPS1_TYPE") == 2 and any_p("SERIAL*_PROTOCOL", 5) and cells > 3 and not has("GONE")',
        message=text,
        inputs={"cells": None},
    )
    settings: dict[str, Scalar] = {"GPS_TYPE": 2, "SERIAL3_PROTOCOL": 5, "SERIAL4_PROTOCOL": 2}
    result = judge(one, settings, spec=spec, inputs={"cells": 6}, version="4.5.6", renames=Names())
    assert result.message == "2 (uBlox) [GPS_TYPE]; 6; SERIAL3_PROTOCOL; 4.5.6; not set"


def test_a_finding_points_to_the_setting_that_somebody_wrote() -> None:
    place = Origin("unit", "a.yaml", 7, 3)
    result = judge(rule('p("A") == 1 and p("B") == 1'), {"A": 1, "B": 1})
    finding = result.finding({"B": place})
    assert finding is not None
    assert (finding.name, finding.origin, finding.remedy) == ("B", place, "repair it")
    unplaced = result.finding()
    assert unplaced is not None
    assert (unplaced.name, unplaced.origin) == ("A", None)


def test_a_feature_is_read_from_its_setting() -> None:
    assert outcome('feature("GPS")', {"feature.GPS": Value(Kind.TEXT, "ON")}) is Outcome.VIOLATED
    assert outcome('feature("GPS")', {"feature.GPS": "OFF"}) is Outcome.PASSED
    assert outcome('feature("GPS")', {"feature.OSD": "ON"}) is Outcome.NOT_APPLICABLE


def test_a_setting_of_a_profile_is_that_of_the_active_one() -> None:
    both: dict[str, Scalar] = {
        "mixer_profile.1.platform_type": "MULTIROTOR",
        "mixer_profile.2.platform_type": "AIRPLANE",
    }
    violation = 'p("platform_type") == "MULTIROTOR"'
    assert outcome(violation, {**both, "mixer_profile": "1"}) is Outcome.VIOLATED
    assert outcome(violation, {**both, "mixer_profile": 2}) is Outcome.PASSED
    assert outcome(violation, both) is Outcome.NOT_APPLICABLE
    assert outcome(violation, dict.fromkeys(both, "MULTIROTOR")) is Outcome.VIOLATED


def test_a_setting_of_a_tree_is_found_by_its_last_name_when_that_is_unique() -> None:
    assert outcome('p("Dynamic") == "DYN"', {"TX Power/Dynamic": "Dyn"}) is Outcome.VIOLATED
    both: dict[str, Scalar] = {"TX Power/Dynamic": "Dyn", "RX/Dynamic": "Off"}
    assert outcome('p("Dynamic") == "DYN"', both) is Outcome.NOT_APPLICABLE
