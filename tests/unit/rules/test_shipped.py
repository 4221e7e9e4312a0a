"""The shipped packs: each rule proves itself on its own examples and names only settings that real firmware has."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from dronekit_cfg.rules import shipped
from dronekit_cfg.rules.check import Outcome, check
from dronekit_cfg.rules.lookup import FEATURE_PREFIX, split_pattern
from dronekit_cfg.rules.pack import load_folder
from dronekit_cfg.rules.rule import Example, Rule
from dronekit_cfg.rules.shipped import compile_packs, shipped_rules

PACKS = Path(shipped.__file__).parent / "packs"
RULES = {rule.id: rule for rule in shipped_rules()}

# Names that no dump can have: those of the released 4.7 and later (ArduPilot wiki, parameter name changes), and a
# setting of Betaflight 4.5 that later versions lost.
NOT_IN_DUMPS = {
    ("ardupilot", "ARMING_SKIPCHK"),
    ("ardupilot", "RTL_ALT_M"),
    ("ardupilot", "LAND_SPD_MS"),
    ("ardupilot", "ATC_ANGLE_MAX"),
    ("betaflight", "failsafe_off_delay"),
}

# Numbers of the 87 safety rules that a built-in check covers, and where.
BY_CODE = {71: "VALUE-STORAGE", 72: "NAME-GENERATION"}


def judge(rule: Rule, example: Example) -> Outcome:
    (result,) = check(
        (rule,),
        example.settings,
        family=rule.families[0],
        vehicle=rule.vehicles[0] if rule.vehicles else "",
        version=example.firmware,
        inputs=example.inputs,
        flags=example.flags,
    )
    return result.outcome


@pytest.mark.parametrize("rule_id", RULES)
def test_the_rule_fires_on_its_bad_example(rule_id: str) -> None:
    assert judge(RULES[rule_id], RULES[rule_id].bad) is Outcome.VIOLATED


@pytest.mark.parametrize("rule_id", RULES)
def test_the_rule_passes_its_good_example(rule_id: str) -> None:
    assert judge(RULES[rule_id], RULES[rule_id].good) is Outcome.PASSED


@pytest.mark.parametrize(
    "rule_id", [r for r in RULES if r != "AP-R74"]
)  # its good case is that no SIM_ setting is there
def test_the_rule_without_any_setting_is_not_applicable_instead_of_passed(rule_id: str) -> None:
    rule = RULES[rule_id]
    assert judge(rule, Example({}, rule.bad.inputs, rule.bad.flags, rule.bad.firmware)) is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize(
    "rule_id", [r.id for r in RULES.values() if r.families[0] in ("ardupilot", "px4", "betaflight", "inav")]
)
def test_every_setting_of_the_rule_exists_in_real_firmware(rule_id: str, names: dict[str, set[str]]) -> None:
    rule = RULES[rule_id]
    known = names[rule.families[0]]
    for name in rule.reads:
        if "*" in name:
            head, tail = split_pattern(name)
            assert any(n.startswith(head) and n.endswith(tail) for n in known), name
        elif name.startswith(FEATURE_PREFIX):
            assert name.replace(" ", ".") in known
        elif (rule.families[0], name) not in NOT_IN_DUMPS:
            assert name in known, name


def test_the_exceptions_above_are_needed(names: dict[str, set[str]]) -> None:
    used = {(rule.families[0], name) for rule in RULES.values() for name in rule.reads}
    assert used >= NOT_IN_DUMPS
    assert not [name for family, name in NOT_IN_DUMPS if name in names[family]]


def test_all_87_safety_rules_are_covered_by_a_pack_or_by_a_builtin_check() -> None:
    numbers = {int(found[1]) for rule_id in RULES if (found := re.search(r"-R(\d+)[a-z]?$", rule_id))}
    assert numbers | set(BY_CODE) == set(range(1, 88))


def test_the_compiled_packs_are_those_of_the_yaml_files() -> None:
    assert (PACKS / "compiled.json").read_text(encoding="utf-8") == compile_packs(PACKS)


def test_the_yaml_files_and_the_compiled_packs_give_the_same_rules() -> None:
    from_yaml = [rule for pack in load_folder(PACKS) for rule in pack.rules]
    assert [(r.id, r.violation, r.when, r.line, dict(r.inputs), r.bad, r.good, r.waivable) for r in from_yaml] == [
        (r.id, r.violation, r.when, r.line, dict(r.inputs), r.bad, r.good, r.waivable) for r in shipped_rules()
    ]


def test_a_changed_yaml_file_is_read_instead_of_the_stale_compiled_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (PACKS / "inav.yaml").read_text(encoding="utf-8").replace("title: Radio failsafe is off", "title: Changed")
    (tmp_path / "inav.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "compiled.json").write_bytes((PACKS / "compiled.json").read_bytes())
    monkeypatch.setattr(shipped, "_folder", lambda: tmp_path)
    shipped_rules.cache_clear()
    try:
        assert {r.title for r in shipped_rules() if r.id == "INAV-R80"} == {"Changed"}
    finally:
        monkeypatch.undo()
        shipped_rules.cache_clear()


def test_windows_line_ends_do_not_make_the_compiled_form_stale(tmp_path: Path) -> None:
    for path in PACKS.glob("*.yaml"):
        (tmp_path / path.name).write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert shipped._digest(shipped._sources(tmp_path)) == shipped._digest(shipped._sources(PACKS))


@pytest.mark.parametrize("rule_id", RULES)
def test_the_rule_says_why_what_to_do_and_from_where_without_local_paths(rule_id: str) -> None:
    rule = RULES[rule_id]
    for text in (rule.title, rule.message, rule.why, rule.remedy, rule.source):
        assert text.strip()
        assert not re.search(r"(^|\s)/(root|work|home|tmp)/", text)
    assert json.dumps(rule.bad.settings) != json.dumps(rule.good.settings) or rule.bad != rule.good
