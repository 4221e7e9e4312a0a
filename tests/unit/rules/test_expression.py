"""The rule language: what it takes, what it refuses and where it says so."""

from __future__ import annotations

import pytest

from dronekit_cfg.rules.expression import MAX_DEPTH, MAX_LENGTH, MAX_NODES, ExpressionError, parse
from dronekit_cfg.rules.functions import FUNCTIONS

KNOWN = ("vlos", "cells")


def refuse(text: str) -> ExpressionError:
    with pytest.raises(ExpressionError) as caught:
        parse(text, KNOWN)
    return caught.value


def test_the_settings_that_an_expression_needs_are_found_without_running_it() -> None:
    found = parse('p("A") > cells and not (b("B", 2) or listed("C")) and any_p("D*_E", 1) and feature("GPS")', KNOWN)
    assert found.settings == ("A", "B", "C", "feature GPS")
    assert found.exact == ("C",)
    assert found.patterns == ("D*_E",)
    assert found.names == ("cells",)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("().__class__.__bases__", "Attribute"),
        ('p("A").real', "Attribute"),
        ('p("A")[0]', "Subscript"),
        ("[x for x in cells]", "ListComp"),
        ("lambda: 1", "Lambda"),
        ("cells ** 9", "Pow"),
        ("cells << 900", "LShift"),
        ('f"{cells}"', "JoinedStr"),
        ("(cells := 1)", "NamedExpr"),
        ("cells in (1, 2)", "In"),
        ("{1: 2}", "Dict"),
    ],
)
def test_a_construct_outside_the_language_is_refused_by_name(text: str, part: str) -> None:
    assert part in refuse(text).message or "not part of the rule language" in refuse(text).message


@pytest.mark.parametrize(
    ("text", "message", "offset"),
    [
        ('q("A")', "there is no function q", 0),
        ('1 == fwge("4.6")', "did you mean fw_ge", 5),
        ("cells + cels", "cels is neither a flag nor an input", 8),
        ('p("A") + p(A)', "literal text in quotes", 11),
        ('p("A" + "B")', "literal text in quotes", 2),
        ('p("SERIAL*_PROTOCOL")', "wildcards belong into any_p", 2),
        ('any_p("SERIAL_PROTOCOL", 1)', "needs exactly one *", 6),
        ('any_p("S*_*", 1)', "needs exactly one *", 6),
        ('fw_ge("four")', "no firmware version", 6),
        ("p()", "takes 1 to 2 arguments", 0),
        ('b("A")', "takes 2 to 3 arguments", 0),
        ('p("A", x=1)', "does not take this argument", 0),
        ('any_p("A*", *cells)', "does not take this argument", 0),
        ('p("A") == "Off"', "texts are compared in upper case: write 'OFF'", 10),
        ("pick(cells, 1, 2, 3, 4, 5)", "", 0),
        ("pick(cells, 1, 2, 3, 4)", "pairs of key and value", 0),
        ("cells == None", "not a value of the rule language", 9),
        ("cells == 1j", "not a value of the rule language", 9),
        ("cells == 99999999999999999999", "not a value of the rule language", 9),
        ("cells >", "does not read", -1),
        ("", "does not read", -1),
        ("cells; vlos", "does not read", -1),
        ("p('A')('B')", "only functions may be called", 0),
        ("p", "p is neither a flag nor an input", 0),
    ],
)
def test_a_mistake_is_refused_where_it_stands(text: str, message: str, offset: int) -> None:
    if not message:
        assert parse(text, KNOWN)
        return
    error = refuse(text)
    assert message in error.message
    assert offset in (error.offset, -1)  # -1: Python's own parser says where, and its versions differ


def test_an_endless_expression_is_refused_by_its_length() -> None:
    assert "characters" in refuse("1+" * MAX_LENGTH + "1").message


def test_a_huge_expression_is_refused_by_its_parts() -> None:
    assert f"more than {MAX_NODES} parts" in refuse("<".join("1" * MAX_NODES)).message


@pytest.mark.parametrize("text", ["-" * 900 + "1", "(" * 400 + "1" + ")" * 400, "not " * (MAX_DEPTH + 1) + "vlos"])
def test_a_deeply_nested_expression_is_refused(text: str) -> None:
    assert refuse(text).message


def test_null_bytes_are_refused() -> None:
    assert "does not read" in refuse("cells\0").message


def test_every_function_says_what_it_does() -> None:
    assert all(signature.does for signature in FUNCTIONS.values())
