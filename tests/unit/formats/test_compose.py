"""How layers become one profile, and everything that may be wrong with a stack."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from dronekit_cfg.errors import FileProblems, UsageError
from dronekit_cfg.formats.compose import canonical, explain, resolve
from dronekit_cfg.formats.library import Library
from dronekit_cfg.formats.lock import lock_text
from dronekit_cfg.model import Resolved, Scalar

Profile = Callable[..., Path]
CELLS = {"cells": "6"}


def values(resolved: Resolved) -> dict[str, Scalar]:
    return {w.name: w.value for w in resolved.settings}


def told(
    stack: str,
    library: Library,
    inputs: Mapping[str, str] = CELLS,
    sets: Sequence[str] = (),
    unit: Path | None = None,
) -> list[str]:
    with pytest.raises(FileProblems) as caught:
        resolve(stack, library, inputs=inputs, sets=sets, unit=unit)
    assert all(p.hint for p in caught.value.problems)
    return [str(p) for p in caught.value.problems]


def test_parents_come_first_and_expressions_are_computed(library: Library) -> None:
    resolved = resolve("heavy-lift", library, inputs=CELLS)
    assert values(resolved) == {"FS_THR_ENABLE": 5, "ARMING_CHECK": 1, "BATT_LOW_VOLT": 21, "GPS1_TYPE": 2}
    assert resolved.layers == ("base/ardupilot-copter 1.0.0", "heavy-lift 1.2.0")
    assert (resolved.name, resolved.version) == ("heavy-lift", "1.2.0")
    assert (resolved.family, resolved.vehicle, resolved.names) == ("ardupilot", "copter", "4.6")
    assert resolved.inputs == {"cells": 6}
    assert resolved.flags == ("vlos",)
    assert [w.rule for w in resolved.waivers] == ["AP-R10"]


def test_the_firmware_ranges_of_all_layers_are_intersected(library: Library) -> None:
    assert resolve("heavy-lift", library, inputs=CELLS).firmware == ">=4.5,<4.8"


def test_every_value_knows_where_it_comes_from_and_what_it_replaced(library: Library) -> None:
    resolved = resolve("heavy-lift+gnss-dual", library, inputs=CELLS, sets=["GPS1_TYPE=1"])
    wanted = next(w for w in resolved.settings if w.name == "GPS1_TYPE")
    assert wanted.value == 1
    assert wanted.origin.layer == "--set"
    assert [(o.layer, o.line) for o in wanted.overrode] == [("heavy-lift", 15), ("gnss-dual", 6)]
    text = explain(resolved, "FS_THR_ENABLE")
    assert "FS_THR_ENABLE = 5" in text
    assert "heavy-lift.yaml:13" in text
    assert "because SmartRTL, else land" in text
    assert "source: copter docs" in text
    assert "replaces the value of base/ardupilot-copter" in text
    with pytest.raises(UsageError, match="does not set GPS1_TIPE") as caught:
        explain(resolved, "GPS1_TIPE")
    assert "GPS1_TYPE" in caught.value.hint


def test_an_overlay_replaces_values_of_the_airframe(library: Library) -> None:
    assert values(resolve("heavy-lift+gnss-dual", library, inputs=CELLS))["GPS1_TYPE"] == 9


def test_two_overlays_that_disagree_are_refused_with_both_places(library: Library) -> None:
    (problem,) = told("heavy-lift+gnss-dual+gnss-resilient", library)
    assert "gnss-resilient.yaml:6:3: GPS1_TYPE is 17" in problem
    assert "gnss-dual.yaml:6:3" in problem


def test_two_overlays_that_agree_are_fine(library: Library, profile: Profile) -> None:
    profile("ardupilot/overlays/other", "GPS1_TYPE: {expr: 'cells + 3.0'}")
    assert values(resolve("heavy-lift+gnss-dual+other", library, inputs=CELLS))["GPS1_TYPE"] == 9


@pytest.mark.parametrize("order", ["gnss-dual+winner", "winner+gnss-dual"])
def test_an_overlay_that_names_the_other_wins_in_any_order(library: Library, profile: Profile, order: str) -> None:
    profile("ardupilot/overlays/winner", "GPS1_TYPE: 1", "overrides: [gnss-dual]\n")
    resolved = resolve(f"heavy-lift+{order}", library, inputs=CELLS)
    assert values(resolved)["GPS1_TYPE"] == 1
    wanted = next(w for w in resolved.settings if w.name == "GPS1_TYPE")
    assert [o.layer for o in wanted.overrode] == ["heavy-lift", "gnss-dual"]


def test_two_overlays_that_name_each_other_are_refused(library: Library, profile: Profile) -> None:
    profile("ardupilot/overlays/one", "A: 1", "overrides: [two]\n")
    profile("ardupilot/overlays/two", "A: 2", "overrides: [one]\n")
    assert 'A is 2 in "two" and 1 in "one"' in told("heavy-lift+one+two", library)[0]


def test_a_conflict_is_not_hidden_by_an_input_that_is_missing(library: Library, profile: Profile) -> None:
    profile("ardupilot/overlays/one", "A: {expr: prop}", "inputs: {prop: {type: number}}\n")
    profile("ardupilot/overlays/two", "A: 2")
    assert "input prop is missing" in told("heavy-lift+one+two", library)[0]
    assert "A is 2" in told("heavy-lift+one+two", library, {"cells": "6", "prop": "3"})[0]
    assert values(resolve("heavy-lift+one+two", library, inputs={"cells": "6", "prop": "2"}))["A"] == 2


def test_the_unit_file_wins_over_overlays_and_answers_inputs(library: Library, profile: Profile) -> None:
    unit = profile("units/00ff", "GPS1_TYPE: 5", "input_values: {cells: 12}\n")
    resolved = resolve("heavy-lift+gnss-dual", library, unit=unit)
    assert values(resolved)["GPS1_TYPE"] == 5
    assert values(resolved)["BATT_LOW_VOLT"] == 42
    assert resolved.name == "heavy-lift+gnss-dual"
    assert resolved.layers[-1] == "00ff 1.0.0"


def test_a_unit_file_that_extends_a_profile_is_refused(library: Library, profile: Profile) -> None:
    unit = profile("units/00ff", "A: 1", "extends: [heavy-lift]\n")
    assert any("a unit file cannot extend" in p for p in told("heavy-lift", library, unit=unit))


def test_all_missing_inputs_are_asked_for_at_once_with_their_help(library: Library, profile: Profile) -> None:
    extra = "inputs: {prop: {type: number, minimum: 5, help: propeller in inches}}\n"
    profile("ardupilot/overlays/prop", "A: {expr: prop * 2}", extra)
    with pytest.raises(FileProblems) as caught:
        resolve("heavy-lift+prop", library)
    assert [p.message for p in caught.value.problems] == [
        "input cells is missing (battery cells in series)",
        "input prop is missing (propeller in inches)",
    ]
    hint = "give it with --input cells=VALUE: a whole number from 3 to 14"
    assert caught.value.problems[0].hint == hint


def test_an_input_that_nothing_needs_is_not_asked_for(library: Library) -> None:
    assert values(resolve("heavy-lift", library, sets=["BATT_LOW_VOLT=20.5"]))["BATT_LOW_VOLT"] == 20.5


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("six", '"six" is not a whole number'),
        ("6.5", '"6.5" is not a whole number'),
        ("1_0", '"1_0" is not a whole number'),
        ("2", "2 is less than 3"),
        ("15", "15 is more than 14"),
    ],
)
def test_an_input_that_does_not_fit_says_why_and_is_asked_for_once(library: Library, typed: str, words: str) -> None:
    assert told("heavy-lift", library, {"cells": typed}) == [f'--input "cells={typed}":1:7: input cells: {words}']


def test_inputs_of_every_type_are_read(library: Library, profile: Profile) -> None:
    extra = """\
inputs:
  big: {type: boolean}
  kind: {type: string, choices: [lipo, liion]}
  prop: {type: number, default: 5}
"""
    profile("ardupilot/airframes/typed", "A: {expr: '1 if big and kind == \"liion\" else prop'}", extra)
    assert values(resolve("typed", library, inputs={"big": "yes", "kind": "liion"}))["A"] == 1
    assert values(resolve("typed", library, inputs={"big": "no", "kind": "lipo", "prop": "7.5"}))["A"] == 7.5
    assert told("typed", library, {"big": "maybe", "kind": "nimh", "prop": "nan"}) == [
        '--input "big=maybe":1:5: input big: "maybe" is not yes or no',
        '--input "kind=nimh":1:6: input kind: nimh is not one of lipo, liion',
        '--input "prop=nan":1:6: input prop: "nan" is not a number',
    ]


def test_an_unknown_input_is_answered_with_the_closest_one(library: Library) -> None:
    with pytest.raises(FileProblems) as caught:
        resolve("heavy-lift", library, inputs={"cels": "6"})
    assert caught.value.problems[0].message == 'there is no input "cels"'
    assert caught.value.problems[0].hint == 'did you mean "cells"?'


def test_an_expression_that_fails_is_told_with_its_place(library: Library, profile: Profile) -> None:
    profile("ardupilot/overlays/bad", "A: {expr: 1 / (cells - 6)}\nB: {expr: cels}\nC: {expr: 10.0 ** 39}")
    found = told("heavy-lift+bad", library)
    assert [line.split("bad.yaml")[1][:4] for line in found] == [":6:3", ":7:3", ":8:3"]
    assert "division by zero" in found[0]
    assert '"cels" is not an input' in found[1]
    assert "too large" in found[2]


def test_set_understands_numbers_as_profiles_do(library: Library) -> None:
    resolved = resolve("heavy-lift", library, inputs=CELLS, sets=["A=0x1F", "B=1e-3", "C = 5.0", "D=-3"])
    found = values(resolved)
    assert (found["A"], found["B"], found["C"], found["D"]) == (31, 0.001, 5, -3)
    assert isinstance(found["C"], int)


def test_everything_wrong_with_set_is_told_at_once(library: Library) -> None:
    assert told("heavy-lift", library, sets=["A", "=1", "b=1", "C=x", "D=1", "D=2", "E=.nan"]) == [
        '--set "A":1:1: "A" does not set anything',
        '--set "=1":1:1: "=1" does not set anything',
        '--set "b=...":1:3: "b" is not a setting name of ardupilot',
        '--set "C=...":1:3: C: "x" is not a number',
        '--set "D=...":1:3: D is set twice, to 1 and 2',
        '--set "E=...":1:3: E: nan is not a number',
    ]


def test_profiles_that_extend_each_other_are_told_with_the_circle(library: Library, profile: Profile) -> None:
    profile("ardupilot/airframes/one", "A: 1", "extends: [two]\n")
    profile("ardupilot/airframes/two", "B: 1", "extends: [three]\n")
    profile("ardupilot/airframes/three", "C: 1", "extends: [one]\n")
    (problem,) = told("one", library)
    assert "three.yaml:5:11: profiles extend each other: one -> two -> three -> one" in problem


def test_a_parent_that_does_not_exist_is_told_with_its_place(library: Library, profile: Profile) -> None:
    profile("ardupilot/airframes/one", "A: 1", "extends: [base/ardupilot-coptre, gone]\n")
    first, second = told("one", library)
    assert 'one.yaml:5:11: there is no profile "base/ardupilot-coptre"' in first
    assert 'one.yaml:5:34: there is no profile "gone"' in second


def test_a_parent_shared_by_two_layers_is_merged_once(library: Library, profile: Profile) -> None:
    profile("ardupilot/overlays/again", "B: 1", "extends: [base/ardupilot-copter]\n")
    resolved = resolve("heavy-lift+again", library, inputs=CELLS)
    assert resolved.layers.count("base/ardupilot-copter 1.0.0") == 1
    assert values(resolved)["FS_THR_ENABLE"] == 5


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ("vehicle: plane\n", 'vehicle of "odd" is plane, that of "base/ardupilot-copter" is copter'),
        ('names: "4.5"\n', 'names of "odd" is 4.5, that of "heavy-lift" is 4.6'),
        ('firmware: ">=4.8"\n', "no firmware version suits all layers"),
        ("requires: [gnss-dual]\n", '"odd" needs "gnss-dual" before it'),
    ],
)
def test_an_overlay_that_does_not_fit_is_refused(library: Library, profile: Profile, extra: str, words: str) -> None:
    profile("ardupilot/overlays/odd", "A: 1", extra)
    (problem,) = told("heavy-lift+odd", library)
    assert words in problem


def test_an_overlay_of_another_family_is_not_found_by_name_and_refused_by_path(
    library: Library, profile: Profile
) -> None:
    path = profile("betaflight/overlays/odd", "gps_provider: UBLOX", family="betaflight")
    assert told("heavy-lift+odd", library) == [
        '"heavy-lift+odd":1:12: profile "odd" is for betaflight, not for ardupilot'
    ]
    assert f'{path}:4:1: family of "odd" is betaflight, that of "base/ardupilot-copter" is ardupilot' in told(
        f"heavy-lift+{path}", library
    )


def test_a_word_of_another_family_is_shown_where_it_stands_and_with_the_one_to_write(
    library: Library, profile: Profile
) -> None:
    for family in ("betaflight", "ardupilot"):
        profile(f"{family}/overlays/odd", "gps_provider: UBLOX" if family == "betaflight" else "A: 1", family=family)
    stack = "heavy-lift+gnss-dual+betaflight/odd"
    with pytest.raises(FileProblems) as caught:
        resolve(stack, library, inputs=CELLS)
    (problem,) = caught.value.problems
    assert stack[problem.column - 1 :] == "betaflight/odd"
    assert problem.hint == "ardupilot has one of its own: write odd"


@pytest.mark.parametrize(
    ("stack", "place", "words"),
    [
        ("betaflight/heavy-lift", 1, "there is no profile"),
        ("heavy-lift++odd", 12, "is not a profile stack"),
        ("heavy-lift+gnss-dual+gnss-dual", 22, "named twice"),
        ("heavy-lift+ardupilot/gnss-dual+gnss-dual", 32, "already part of the stack"),
        ("heavy-lift+nope", 12, "there is no profile"),
    ],
)
def test_what_is_wrong_with_a_word_of_a_stack_is_said_with_its_place(
    library: Library, stack: str, place: int, words: str
) -> None:
    with pytest.raises(FileProblems) as caught:
        resolve(stack, library, inputs=CELLS)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.column) == (f'"{stack}"', 1, place)
    assert words in problem.message
    assert problem.hint


def test_a_requirement_is_met_by_a_layer_before(library: Library, profile: Profile) -> None:
    profile("ardupilot/overlays/needy", "A: 1", "requires: [ardupilot-copter]\n")
    assert values(resolve("heavy-lift+needy", library, inputs=CELLS))["A"] == 1


def test_a_stack_that_sets_nothing_is_refused(library: Library, profile: Profile) -> None:
    profile("ardupilot/airframes/empty")
    with pytest.raises(UsageError, match=r"empty\.yaml:1:1: \"empty\" sets nothing"):
        resolve("empty", library)
    assert "sets nothing" in told("empty", library)[0]  # said first, whatever else was typed


@pytest.mark.parametrize("stack", ["", "heavy-lift+", "+gnss-dual", "heavy-lift++gnss-dual"])
def test_a_stack_with_an_empty_part_is_refused(library: Library, stack: str) -> None:
    with pytest.raises(UsageError, match="not a profile stack"):
        resolve(stack, library)


def test_an_overlay_named_twice_is_refused(library: Library) -> None:
    with pytest.raises(UsageError, match="twice"):
        resolve("heavy-lift+gnss-dual+gnss-dual", library, inputs=CELLS)


def test_problems_of_all_files_of_a_stack_are_told_together(library: Library, profile: Profile) -> None:
    profile("ardupilot/overlays/one", "A: true")
    profile("ardupilot/overlays/two", "b: 1")
    found = told("heavy-lift+one+two+three", library, {})
    assert [("one.yaml:6" in found[0]), ("two.yaml:6" in found[1]), ('"three"' in found[2])] == [True, True, True]
    assert "input cells is missing" in found[3]


def test_a_later_layer_replaces_the_kind_of_sight_and_adds_other_flags(library: Library, profile: Profile) -> None:
    profile("ardupilot/overlays/far", "A: 1", "flags: [bvlos, denied]\n")
    assert resolve("heavy-lift+far", library, inputs=CELLS).flags == ("bvlos", "denied")


@pytest.mark.parametrize(
    ("value", "family", "wanted"),
    [
        (2.0, "ardupilot", 2),
        (0.1, "ardupilot", 0.1),
        (0.10000000149011612, "ardupilot", 0.1),
        (16777217, "ardupilot", 16777217),
        ("ON", "betaflight", "ON"),
        (0.123456789, "ublox", 0.123456789),
    ],
)
def test_values_have_one_form_so_that_equal_profiles_have_equal_digests(
    value: Scalar, family: str, wanted: Scalar
) -> None:
    found = canonical(value, family)
    assert found == wanted
    assert type(found) is type(wanted)


def test_the_digest_is_of_what_is_asked_for_and_not_of_how_it_is_written(library: Library, profile: Profile) -> None:
    profile("ardupilot/airframes/one", "A: 1\nB: 0.5", "summary: one\n")
    profile("ardupilot/airframes/two", "B: {expr: 1 / 2, because: half}\nA: 1.0")
    profile("ardupilot/airframes/three", "A: 2\nB: 0.5")
    one, two, three = (resolve(n, library).digest for n in ("one", "two", "three"))
    assert one == two != three


def test_a_lock_file_stands_in_the_place_of_its_stack(library: Library, tmp_path: Path) -> None:
    resolved = resolve("heavy-lift+gnss-dual", library, inputs=CELLS)
    path = tmp_path / "heavy.lock.json"
    path.write_text(lock_text(resolved), "utf-8")
    again = resolve(str(path), library)
    assert again.digest == resolved.digest
    assert values(again) == values(resolved)
    with pytest.raises(UsageError, match="file holds its inputs"):
        resolve(str(path), library, inputs=CELLS)
