"""Profile files: the good one, and all that is wrong with a bad one at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from dronekit_cfg.errors import FileProblems, Problem
from dronekit_cfg.formats.profile_yaml import load_layer, parse_layer
from dronekit_cfg.model import InputSpec, Origin

HEAD = "format: dronekit-cfg/profile/v1\nname: x\nversion: 1.0.0\nfamily: ardupilot\n"


def problems_of(text: str) -> tuple[Problem, ...]:
    with pytest.raises(FileProblems) as caught:
        parse_layer(text, "x.yaml")
    return caught.value.problems


def the_problem(text: str) -> Problem:
    (problem,) = problems_of(text)
    return problem


def test_the_example_of_the_design_page_is_read_with_all_places() -> None:
    layer = parse_layer(
        HEAD
        + """\
vehicle: copter
firmware: ">=4.5,<4.8"
names: "4.6"
extends: [base/ardupilot-copter]
flags: [vlos]
inputs:
  cells: {type: integer, minimum: 3, maximum: 14, help: battery cells in series}
settings:
  FS_THR_ENABLE: {value: 5, because: "SmartRTL, else land", source: docs}
  BATT_LOW_VOLT: {expr: "round(cells * 3.5, 2)", because: "3.5 V a cell under load"}
  GPS1_TYPE: 2                      # short form
waive:
  - {rule: AP-R10, because: "pilot always in sight", until: 2027-03-01}
""",
        "x.yaml",
    )
    assert (layer.name, layer.version, layer.family, layer.vehicle) == ("x", "1.0.0", "ardupilot", "copter")
    assert (layer.firmware, layer.names, layer.flags) == (">=4.5,<4.8", "4.6", ("vlos",))
    assert layer.inputs == (InputSpec("cells", "integer", 3, 14, help="battery cells in series"),)
    assert [(r.name, r.origin.line, r.origin.column) for r in layer.extends] == [("base/ardupilot-copter", 8, 11)]
    first, second, third = layer.settings
    assert (first.value, first.expr, first.because, first.source) == (5, None, "SmartRTL, else land", "docs")
    assert first.origin == Origin("x", "x.yaml", 13, 3)
    assert (second.value, second.expr) == (None, "round(cells * 3.5, 2)")
    assert (third.name, third.value, third.because) == ("GPS1_TYPE", 2, "")
    (waiver,) = layer.waivers
    assert (waiver.rule, waiver.until, waiver.origin.line) == ("AP-R10", "2027-03-01", 17)


def test_every_mistake_of_a_file_is_told_at_once_in_file_order() -> None:
    text = """\
format: dronekit-cfg/profile/v1
name: Heavy
version: 1.2
family: ardupilott
names: 4.6
firmware: ">=4.5,<4.4"
setings: 1
settings:
  A: {value: 1, because: ok}
  A: 2
  B: {expr: "1 +"}
  C: {value: 1, expr: "2"}
  D: true
  E: {value: 1, becuase: why}
  F: .nan
"""
    found = [(p.line, p.column) for p in problems_of(text)]
    assert found == [
        (2, 7),
        (3, 10),
        (4, 9),
        (5, 8),
        (6, 11),
        (7, 1),
        (10, 3),
        (11, 13),
        (12, 6),
        (13, 6),
        (14, 17),
        (15, 6),
    ]


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("setings: {}", 'unknown key "setings"', 'did you mean "settings"'),
        ("names: 4.10", "must be a text", 'put it into quotes: "4.1'),
        ("flags: [vlso]", '"vlso" is not known', 'did you mean "vlos"'),
        ("extends: base/x", "must be a list", "[base/x]"),
        ("firmware: four", "not a version range", ">=4.5,<4.8"),
        ("settings: {GPS1_TYPE: true}", "not true", "write the number"),
        ("settings: {GPS1_TYPE: five}", '"five" is not a number', "number of the option"),
        ("settings: {gps1_type: 5}", "not a setting name", "write GPS1_TYPE"),
        ("settings: {ABCDEFGHIJKLMNOPQ: 5}", "not a setting name", "at most 16"),
        ("settings: {A: 1e39}", "too large", "32-bit"),
        ("settings: {A: {because: x}}", "exactly one of value, expr", "keep one"),
        ("settings: {A: {expr: foo(1)}}", 'unknown function "foo"', "floor"),
        ("settings: {A: {expr: x.y}}", "not allowed", "arithmetic"),
        ("inputs: {round: {type: number}}", "word of expressions", "another name"),
        ("inputs: {a: {type: number, minimum: 2, maximum: 1}}", "minimum is larger", "exchange"),
        ("inputs: {a: {type: integer, maximum: 3, default: 4}}", "default does not fit: 4 is more than 3", "correct"),
        ("inputs: {a: {typ: integer, type: integer}}", 'unknown key "typ"', '"type"'),
        ("waive: [{rule: R1, because: x, until: 2027-02-30}]", "not a date", "2027-03-01"),
        ('settings: {"a b": 1}', '"a b" is not a name', "letters, digits and underscores"),
        ("inputs: {Cells: {type: number}}", '"Cells" is not a name', "lower-case"),
        ("inputs: {a: {}}", '"type" is missing', "integer, number"),
        ("inputs: {a: {type: number, choices: []}}", "less than 1 item", "only values"),
        ("vehicle: Copter", '"Copter" does not fit', "lower case"),
        ("flags: [vlos, vlos]", "non-unique", "vlos, bvlos"),
        ("summary: 3", "must be a text, not 3", 'put it into quotes: "3"'),
        ("settings:", "must be a mapping", "setting name to value"),
        ("settings: {A: [1]}", "must be a number or a text, not [1]", "as the firmware stores it"),
        ("input_values: {a: [1]}", "true or false or a number or a text", "the answer"),
        ("waive: [{rule: R1}]", '"because" is missing', "why"),
    ],
)
def test_a_mistake_is_told_with_its_remedy(line: str, message: str, hint: str) -> None:
    problem = the_problem(f"{HEAD}{line}\n")
    assert message in problem.message
    assert hint in problem.hint
    assert problem.line == 5
    assert problem.column > 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<!DOCTYPE html><html><body>404</body></html>", "web page"),
        ("GPS1_TYPE,2\nGPS2_TYPE,0\n", "this is not a profile"),
        ("- a\n- b\n", "this is not a profile"),
        ("name: x\n", '"format" is missing'),
        ("", "empty"),
        ("format: dronekit-cfg/profile/v9\nname: x\nwhatever: 1\n", 'the format is "dronekit-cfg/profile/v9"'),
    ],
)
def test_what_is_no_profile_at_all_is_told_in_one_sentence(text: str, words: str) -> None:
    assert words in the_problem(text).message


def test_two_bad_names_are_both_told() -> None:
    found = problems_of(f'{HEAD}settings:\n  "a b": 1\n  A: 1\n  "c d": 2\n')
    assert [p.line for p in found] == [6, 8]


def test_a_later_format_asks_for_a_newer_tool() -> None:
    assert "use a newer one" in the_problem("format: dronekit-cfg/profile/v2\n").hint


def test_texts_are_values_in_families_that_store_texts() -> None:
    text = HEAD.replace("ardupilot", "betaflight") + "settings: {gps_provider: UBLOX, feature.GPS: 'ON'}\n"
    assert [(s.name, s.value) for s in parse_layer(text, "x").settings] == [
        ("gps_provider", "UBLOX"),
        ("feature.GPS", "ON"),
    ]


def test_a_file_saved_by_a_windows_editor_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes((HEAD + "settings: {A: 1}\n").replace("\n", "\r\n").encode("utf-8-sig"))
    assert load_layer(path).settings[0].value == 1


def test_a_binary_file_and_a_foreign_encoding_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\x00\x01\x02\xff" * 50)
    with pytest.raises(FileProblems):
        load_layer(path)
    path.write_bytes((HEAD + "summary: підсумок\n").encode("cp1251"))
    with pytest.raises(FileProblems, match=r"x\.yaml:5: the file is not UTF-8"):
        load_layer(path)


def test_a_secret_is_refused_where_the_vehicle_would_show_it() -> None:
    text = "format: dronekit-cfg/profile/v1\nname: tx\nversion: 1.0.0\nfamily: elrs\n"
    with pytest.raises(FileProblems, match="this setting is no secret") as caught:
        parse_layer(text + 'settings:\n  phrase: "<secret:bind>"\n', "tx.yaml")
    assert caught.value.problems[0].line == 6
    assert parse_layer(text + 'settings:\n  Binding_Phrase: "<secret:bind>"\n', "tx.yaml").settings


def test_a_secret_that_stands_in_a_profile_is_refused_and_not_repeated() -> None:
    text = "format: dronekit-cfg/profile/v1\nname: radio\nversion: 1.0.0\nfamily: sik\n"
    for written in ('"00112233445566778899AABBCCDDEEFF"', '"key <secret:sik>"', "12345678"):
        with pytest.raises(FileProblems, match="is a secret, and a profile is read by many") as caught:
            parse_layer(text + f"settings:\n  ENCRYPTION_KEY: {written}\n", "radio.yaml")
        assert "<secret:NAME>" in caught.value.problems[0].hint
        assert written.strip('"') not in str(caught.value)
