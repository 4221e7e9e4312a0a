"""Laws of the formats: what is written is read back the same, and no input whatever ends in a traceback."""

from __future__ import annotations

import contextlib
import json
import math
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dronekit_cfg.errors import DronekitError, FileProblems
from dronekit_cfg.formats import expressions, files, yaml_tree
from dronekit_cfg.formats.inputs import read
from dronekit_cfg.formats.lock import load_lock, lock_text
from dronekit_cfg.formats.param_file import Dialect
from dronekit_cfg.formats.param_text import parse_params
from dronekit_cfg.formats.param_write import write_params
from dronekit_cfg.formats.profile_yaml import parse_layer
from dronekit_cfg.formats.snapshot_json import dump_snapshot, load_snapshot
from dronekit_cfg.model import (
    INT_RANGES,
    Identity,
    InputSpec,
    Kind,
    Origin,
    Resolved,
    Setting,
    Snapshot,
    Value,
    Waiver,
    Wanted,
)

WHO = Identity("ardupilot", "copter", "4.5.6", "4.5.6", "SITL", "00ff", "1:1")
NAMES = st.from_regex(r"[A-Z_][A-Z0-9_]{0,15}", fullmatch=True)
REALS = st.floats(width=32, allow_nan=False, allow_infinity=False)


def value_of(kind: Kind) -> st.SearchStrategy[Value]:
    if kind is Kind.REAL32:
        return REALS.map(lambda x: Value(kind, x))
    if kind is Kind.TEXT:
        return st.text().map(lambda x: Value(kind, x))
    return st.integers(*INT_RANGES[kind]).map(lambda x: Value(kind, x))


NUMBERS = st.sampled_from([k for k in Kind if k not in {Kind.TEXT, Kind.SECRET}]).flatmap(value_of)
VALUES = st.one_of(
    NUMBERS, value_of(Kind.TEXT), st.sampled_from([math.inf, -math.inf]).map(lambda x: Value(Kind.REAL32, x))
)


def snapshots(values: st.SearchStrategy[Value]) -> st.SearchStrategy[Snapshot]:
    pairs = st.dictionaries(NAMES, st.tuples(values, st.none() | values), min_size=1, max_size=20)
    return pairs.map(
        lambda found: Snapshot(WHO, "2026-11-22T10:00:00Z", "list", tuple(Setting(n, *v) for n, v in found.items()))
    )


@pytest.mark.parametrize("dialect", list(Dialect))
@given(snapshot=snapshots(NUMBERS))
def test_every_number_survives_a_parameter_file(dialect: Dialect, snapshot: Snapshot) -> None:
    found = parse_params(write_params(dialect, snapshot), "x")
    assert not found.problems
    assert set(found.by_name) == set(snapshot.by_name)
    for setting in snapshot.settings:
        again = found.by_name[setting.name].value(setting.value.kind)
        assert again == setting.value
        if setting.value.kind is Kind.REAL32:
            assert struct.pack("<f", again.number) == struct.pack("<f", setting.value.number)


@pytest.mark.parametrize("dialect", list(Dialect))
@given(snapshot=snapshots(NUMBERS))
def test_a_file_that_was_read_is_written_the_same_again(dialect: Dialect, snapshot: Snapshot) -> None:
    text = write_params(dialect, snapshot)
    entries = parse_params(text, "x").entries
    assert "\n".join(write_params(dialect, entries).splitlines()[-len(entries) :]) == "\n".join(
        text.splitlines()[-len(entries) :]
    )


@given(snapshot=snapshots(VALUES))
def test_a_snapshot_file_is_lossless(snapshot: Snapshot) -> None:
    again = load_snapshot(dump_snapshot(snapshot), "x")
    assert again == snapshot
    for old, new in zip(snapshot.settings, again.settings, strict=True):
        if old.value.kind is Kind.REAL32:
            assert struct.pack("<f", old.value.number) == struct.pack("<f", new.value.number)


@given(snapshot=snapshots(VALUES), position=st.integers(min_value=0), char=st.characters(codec="utf-8"))
def test_no_single_changed_character_of_a_snapshot_goes_unnoticed(snapshot: Snapshot, position: int, char: str) -> None:
    text = dump_snapshot(snapshot)
    at = position % len(text)
    changed = text[:at] + char + text[at + 1 :]
    try:
        same = json.loads(changed) == json.loads(text)
    except ValueError:
        same = False
    if same:
        assert load_snapshot(changed, "x") == snapshot
    else:
        with pytest.raises(FileProblems):
            load_snapshot(changed, "x")


@given(
    wanted=st.dictionaries(
        NAMES, st.one_of(st.integers(-(2**31), 2**32), REALS, st.text(max_size=20)), min_size=1, max_size=10
    ),
    inputs=st.dictionaries(NAMES, st.one_of(st.booleans(), st.integers(), st.text(max_size=5)), max_size=3),
    because=st.text(max_size=30),
)
def test_a_lock_is_lossless(wanted: dict[str, int | float | str], inputs: dict[str, int | str], because: str) -> None:
    values = tuple(Wanted(n, v, Origin("layer"), because) for n, v in wanted.items())
    waiver = Waiver("R1", because, "", Origin("layer", "file", 3, 4))
    resolved = Resolved("a+b", "1.0.0", "ublox", "", "", "", values, inputs, ("vlos",), (waiver,), ("a 1.0.0",))
    again = load_lock(lock_text(resolved), "x")
    assert again.digest == resolved.digest
    assert {w.name: (w.value, type(w.value), w.because) for w in again.settings} == {
        w.name: (w.value, type(w.value), w.because) for w in values
    }
    assert again.inputs == inputs


@given(text=st.sampled_from(["nan", "inf", "-inf"]))
def test_a_text_that_looks_like_no_number_stays_a_text(text: str) -> None:
    wanted = (Wanted("name", text, Origin("layer")),)
    assert load_lock(lock_text(Resolved("a", "1.0.0", "inav", "", "", "", wanted)), "x").settings[0].value == text


PROFILE_WORDS = st.sampled_from(
    [
        "format: dronekit-cfg/profile/v1\n",
        "name: x\n",
        "version: 1.0.0\n",
        "family: ardupilot\n",
        "settings:\n",
        "inputs:\n",
        "waive:\n",
        "  A: 1\n",
        "  A: {expr: 'a + 1'}\n",
        "  - {rule: R, because: b}\n",
        "extends: [a]\n",
        "  a: {type: integer, default: 1}\n",
        "  A:\n",
        "    value: [\n",
        "{",
        "&a ",
        "*a ",
        "!!int ",
        "- ",
        "? ",
        "\t",
        "null",
    ]
)


@settings(max_examples=200)
@given(text=st.one_of(st.text(), st.lists(st.one_of(PROFILE_WORDS, st.text(max_size=5)), max_size=25).map("".join)))
def test_any_text_is_a_profile_or_a_list_of_problems(text: str) -> None:
    with contextlib.suppress(FileProblems):
        parse_layer(text, "x.yaml")


@settings(max_examples=200)
@given(text=st.one_of(st.text(), st.text(alphabet="A1,. \t\n\r#=x-+eE0", max_size=60)))
def test_any_text_is_a_parameter_file_or_a_list_of_problems(text: str) -> None:
    with contextlib.suppress(FileProblems):
        found = parse_params(text, "x.param")
        assert all(math.isfinite(e.number) for e in found.entries)
        lines = len(files.lines_of(text))
        assert all(1 <= p.line <= lines for p in found.problems)


@given(data=st.binary())
def test_any_bytes_are_text_or_a_list_of_problems(data: bytes) -> None:
    with contextlib.suppress(FileProblems):
        files.decode(data, "x")


@given(text=st.text())
def test_any_text_is_a_snapshot_or_a_list_of_problems(text: str) -> None:
    with pytest.raises(FileProblems):
        load_snapshot(text, "x")


@settings(max_examples=200)
@given(
    expr=st.one_of(
        st.text(max_size=40),
        st.lists(
            st.sampled_from(
                [*"ab10()+-*/%<,|.[]", "2.5", "1e300", "//", "**", "==", "if", "else", "not", "min", "'x'"]
            ),
            max_size=12,
        ).map(" ".join),
    )
)
def test_any_text_is_an_expression_or_a_list_of_problems(expr: str) -> None:
    with contextlib.suppress(FileProblems):
        result = expressions.evaluate(expr, {"a": 3, "b": 0.5}, Origin("x", "x.yaml", 1, 1))
        assert isinstance(result, int | float)
        assert math.isfinite(result)


@given(text=st.text(alphabet="0123456789.-+eExo_naif", max_size=60))
def test_any_scalar_is_resolved(text: str) -> None:
    found = yaml_tree.scalar(text)
    assert found is None or isinstance(found, int | float | str)


@given(kind=st.sampled_from(["integer", "number", "boolean", "string"]), text=st.text(max_size=30))
def test_any_typed_input_is_a_value_or_a_reason(kind: str, text: str) -> None:
    with contextlib.suppress(ValueError):
        found = read(InputSpec("a", kind), text)
        assert not isinstance(found, float) or math.isfinite(found)


def test_the_errors_of_the_formats_are_those_of_the_package() -> None:
    assert issubclass(FileProblems, DronekitError)
