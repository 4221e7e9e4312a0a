"""Values are compared as the wire sees them."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dronekit_cfg.model import INT_RANGES, Kind, Value, float32, shortest

F32 = st.floats(width=32, allow_nan=False, allow_infinity=False)


def bits(x: float) -> bytes:
    return struct.pack("<f", x)


@given(F32)
def test_shortest_text_reads_back_as_the_same_float32(x: float) -> None:
    assert bits(float32(float(shortest(x)))) == bits(x)


def test_shortest_text_has_no_digits_of_the_double() -> None:
    assert shortest(float32(0.1)) == "0.1"
    assert shortest(float32(0.0145)) == "0.0145"
    assert shortest(float32(4e-7)) == "4e-07"


def neighbour(x: float, steps: int) -> float:
    (whole,) = struct.unpack("<i", struct.pack("<f", x))
    return float(struct.unpack("<f", struct.pack("<i", whole + steps))[0])


def test_a_float_one_step_away_is_the_same_and_two_steps_away_is_not() -> None:
    one = Value(Kind.REAL32, 0.7)
    assert one.same(Value(Kind.REAL32, neighbour(0.7, 1)))
    assert not one.same(Value(Kind.REAL32, neighbour(0.7, 2)))


def test_tiny_gains_are_told_apart() -> None:
    assert not Value(Kind.REAL32, 4e-7).same(Value(Kind.REAL32, 5e-7))


@pytest.mark.parametrize(("a", "b"), [(65535, 65533), (20000, 20001), (176126, 176110)])
def test_integers_and_bitmasks_have_no_tolerance(a: int, b: int) -> None:
    assert not Value(Kind.INT32, a).same(Value(Kind.INT32, b))


def test_both_zeros_are_the_same() -> None:
    assert Value(Kind.REAL32, 0.0).same(Value(Kind.REAL32, -0.0))


def test_nan_is_the_same_as_nan_only() -> None:
    nan = Value(Kind.REAL32, math.nan)
    assert nan.same(Value(Kind.REAL32, math.nan))
    assert not nan.same(Value(Kind.REAL32, 0.0))


def test_an_integer_listed_as_a_float_is_the_same_number() -> None:
    assert Value(Kind.INT8, 5).same(Value(Kind.REAL32, 5.0))
    assert not Value(Kind.INT8, 5).same(Value(Kind.REAL32, neighbour(5.0, 1)))


def test_nothing_is_the_same_as_no_value() -> None:
    assert not Value(Kind.TEXT, "GPS").same(None)


@pytest.mark.parametrize("kind", list(INT_RANGES))
def test_integer_kinds_hold_their_range_and_no_more(kind: Kind) -> None:
    low, high = INT_RANGES[kind]
    assert (Value(kind, low).raw, Value(kind, high).raw) == (low, high)
    for outside in (low - 1, high + 1, low + 0.5):
        with pytest.raises(ValueError):
            Value(kind, outside)


def test_a_float_value_is_rounded_to_float32() -> None:
    assert Value(Kind.REAL32, 0.1).raw == struct.unpack("<f", bytes.fromhex("cdcccc3d"))[0]


def test_text_takes_text_only() -> None:
    with pytest.raises(TypeError):
        Value(Kind.TEXT, 5)
    with pytest.raises(TypeError):
        Value(Kind.REAL32, "5")
