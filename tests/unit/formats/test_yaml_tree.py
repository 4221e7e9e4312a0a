"""YAML without its traps, with places, and bounded."""

from __future__ import annotations

import pytest

from dronekit_cfg.errors import FileProblems
from dronekit_cfg.formats import yaml_tree


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("010", 10),
        ("0x1F", 31),
        ("0o17", 15),
        ("-0x1F", "-0x1F"),
        ("1_000", "1_000"),
        ("1e-3", 0.001),
        (".5", 0.5),
        ("+12", 12),
        ("12:30", "12:30"),
        ("2027-03-01", "2027-03-01"),
        ("4.6.1", "4.6.1"),
    ],
)
def test_scalars_follow_the_core_schema_of_yaml_1_2(text: str, value: object) -> None:
    found = yaml_tree.scalar(text)
    assert found == value
    assert type(found) is type(value)


def test_quoted_scalars_stay_texts() -> None:
    assert yaml_tree.parse("a: '1'\nb: \"true\"\n", "x").data == {"a": "1", "b": "true"}


def test_every_key_and_value_knows_its_place() -> None:
    document = yaml_tree.parse("a: 1\nb:\n  c: [x, y]\n", "x")
    assert document.where(("a",)) == (1, 4)
    assert document.where(("b", "c"), key=True) == (3, 3)
    assert document.where(("b", "c", 1)) == (3, 10)
    assert document.where(("b", "nothing")) == (3, 3)


def test_all_duplicate_keys_are_told_with_the_line_of_the_first() -> None:
    document = yaml_tree.parse("a: 1\nb: 2\na: 3\nb: {x: 1}\n", "x.yaml")
    assert [str(p) for p in document.problems] == [
        'x.yaml:3:1: "a" stands here a second time, first in line 1',
        'x.yaml:4:1: "b" stands here a second time, first in line 2',
    ]
    assert document.data == {"a": 1, "b": 2}


@pytest.mark.parametrize("text", [".nan", ".inf", "-.INF", "9" * 400, "1e999", "0x" + "f" * 50])
def test_what_is_no_finite_number_is_a_problem(text: str) -> None:
    (problem,) = yaml_tree.parse(f"a: {text}\n", "x").problems
    assert "is not a number" in problem.message
    assert (problem.line, problem.column) == (1, 4)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a:\n\tb: 1\n", (2, 1), "tab"),
        ("a: b: c\n", (1, 5), "second colon"),
        ("a: [1,\n", (2, 1), "not valid YAML"),
        ("a: 'x\n", (2, 1), "not valid YAML"),
        ("a: \x07\n", (1, 0), "control character"),
        ("---\na: 1\n---\nb: 2\n", (3, 1), "second YAML document"),
    ],
)
def test_what_is_not_yaml_is_refused_with_its_place(text: str, place: tuple[int, int], words: str) -> None:
    with pytest.raises(FileProblems) as caught:
        yaml_tree.parse(text, "x")
    (problem,) = caught.value.problems
    assert words in problem.message
    assert (problem.line, problem.column) == place
    assert problem.hint


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment\n", "---\n"])
def test_an_empty_file_is_said_to_be_empty(text: str) -> None:
    with pytest.raises(FileProblems, match="empty"):
        yaml_tree.parse(text, "x")


def test_anchors_are_read_and_bombs_are_not() -> None:
    assert yaml_tree.parse("a: &x [1, 2]\nb: *x\n", "x").data == {"a": [1, 2], "b": [1, 2]}
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9))
    with pytest.raises(FileProblems, match="anchors"):
        yaml_tree.parse(bomb, "x")


def test_an_unknown_anchor_and_one_that_holds_itself_are_problems() -> None:
    assert "unknown anchor *y" in yaml_tree.parse("a: *y\n", "x").problems[0].message
    assert "unknown anchor *y" in yaml_tree.parse("a: &y [*y]\n", "x").problems[0].message


def test_deep_nesting_is_refused_before_it_costs_time() -> None:
    with pytest.raises(FileProblems, match="nested too deep"):
        yaml_tree.parse("a: " + "[" * 5000 + "]" * 5000, "x")


def test_a_huge_list_is_refused() -> None:
    with pytest.raises(FileProblems, match="too many values"):
        yaml_tree.parse("a: [" + "1," * 30_000 + "]", "x")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: !!python/object:os.system x\n", "tags are not supported"),
        ("<<: {a: 1}\nb: 2\n", "merge keys"),
        ("? [a, b]\n: 1\n", "key must be a plain text"),
    ],
)
def test_what_yaml_can_do_and_a_profile_must_not_is_told(text: str, words: str) -> None:
    assert any(words in p.message for p in yaml_tree.parse(text, "x").problems)
