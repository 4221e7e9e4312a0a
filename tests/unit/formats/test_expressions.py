"""Expressions over inputs: what they compute, and what they refuse."""

from __future__ import annotations

import pytest

from dronekit_cfg.errors import FileProblems
from dronekit_cfg.formats.expressions import MAX_LENGTH, evaluate, names_needed
from dronekit_cfg.model import Origin

HERE = Origin("x", "x.yaml", 7, 3)


@pytest.mark.parametrize(
    ("expr", "value"),
    [
        ("round(cells * 3.5, 2)", 21.0),
        ("cells * 1000 if cells > 4 else 0", 6000),
        ("min(cells, 4) + max(1, 2) + abs(-3)", 9),
        ("ceil(cells / 4) + floor(7.9) + int(2.9) + float(1)", 12.0),
        ("cells // 4 + cells % 4", 3),
        ("4 | 1", 5),
        ("2 ** 10", 1024.0),
        ("289.22 * prop ** -0.838", pytest.approx(289.22 * 13**-0.838)),
        ("1 if kind == 'liion' and not cells < 3 else 2", 1),
        ("-cells", -6),
    ],
)
def test_an_expression_gives_its_number(expr: str, value: float) -> None:
    assert evaluate(expr, {"cells": 6, "prop": 13, "kind": "liion"}, HERE) == value


def test_the_inputs_that_an_expression_needs_are_known_without_computing_it() -> None:
    assert names_needed("round(cells * k, 2) if big else min(a, 1)", HERE) == {"cells", "k", "big", "a"}


@pytest.mark.parametrize(
    ("expr", "words", "hint"),
    [
        ("cels * 2", '"cels" is not an input', 'did you mean "cells"'),
        ("cells / 0", "division by zero", "correct"),
        ("10.0 ** 400", "too large", "correct"),
        ("9e307 * 10", "no finite number", "correct"),
        ("cells > 3", "not a number", "1 if"),
        ("'ON'", "not a number", "1 if"),
        ("(-8) ** 0.5", "not a number", "1 if"),
        ("kind * 100000000000", "needs numbers", "correct"),
        ("'%99999999999d' % 5", "needs numbers", "correct"),
        ("kind < 2", "not supported between", "correct"),
        ("max(1)", "not iterable", "correct"),
        ("-" * 499 + "1", "too deeply nested", "correct"),
        ("open('x')", 'unknown function "open"', "round"),
        ("cells.real", "Attribute is not allowed", "arithmetic"),
        ("[c for c in 'abc']", "ListComp is not allowed", "arithmetic"),
        ("(lambda: 1)()", "unknown function", "round"),
        ("round(cells, ndigits=1)", "named arguments", "round(x, 2)"),
        ("1j", "not allowed", "numbers"),
        ("cells +", "not an expression", "example"),
        ("", "not an expression", "example"),
        ("1 + " * 200 + "1", f"longer than {MAX_LENGTH}", "input"),
    ],
)
def test_what_cannot_be_computed_is_a_problem_with_place_and_remedy(expr: str, words: str, hint: str) -> None:
    with pytest.raises(FileProblems) as caught:
        evaluate(expr, {"cells": 6, "kind": "liion"}, HERE)
    problem = caught.value.problems[0]
    assert words in problem.message
    assert hint in problem.hint
    assert (problem.file, problem.line, problem.column) == ("x.yaml", 7, 3)


def test_a_power_tower_is_refused_at_once() -> None:
    with pytest.raises(FileProblems, match="too large"):
        evaluate("9 ** 9 ** 9 ** 9", {}, HERE)


def test_texts_are_results_only_where_they_are_asked_for() -> None:
    assert evaluate("'ON' if cells > 3 else 'OFF'", {"cells": 6}, HERE, text=True) == "ON"
