"""Which writes may go as one packed file: facts tried on ArduCopter 4.7-dev (docs/packed-upload.md)."""

from __future__ import annotations

import pytest

from dronekit_cfg.model import Change, Kind, Phase, Setting, Value
from dronekit_cfg.planner.packed import file_order, packable, packed_size
from dronekit_cfg.talk.mavlink_pck import encode_packed


def change(name: str, wanted: Value, old: Value | None, phase: Phase = Phase.SET) -> Change:
    return Change(name, old, wanted, phase)


def real(number: float) -> Value:
    return Value(Kind.REAL32, number)


@pytest.mark.parametrize(
    ("wanted", "default", "may"),
    [
        (real(0.25), real(0.135), True),
        (real(0.135), real(0.135), False),
        (real(1500.1), real(1500.0), False),
        (real(1503.0), real(1500.0), True),
        (real(1e-7), real(0.0), False),
        (real(0.01), real(0.0), True),
        (Value(Kind.INT16, 1500), Value(Kind.INT16, 1500), False),
        (Value(Kind.INT16, 1501), Value(Kind.INT16, 1500), False),
        (Value(Kind.INT16, 1510), Value(Kind.INT16, 1500), True),
        (Value(Kind.INT32, 65533), Value(Kind.INT32, 65535), True),
        (Value(Kind.INT32, 16777217), Value(Kind.INT32, 16777216), False),
        (Value(Kind.INT32, 16777217), Value(Kind.INT32, 180222), True),
    ],
)
def test_a_value_that_the_vehicle_may_take_for_its_default_is_not_uploaded(
    wanted: Value, default: Value, may: bool
) -> None:
    known = Setting("ATC_X", Value(default.kind, 7), default)
    assert packable(change("ATC_X", wanted, known.value), known) is may


def test_what_is_hidden_of_unknown_default_or_of_another_phase_or_kind_is_not_uploaded() -> None:
    known = Setting("ATC_X", real(7.0), real(1.0))
    assert packable(change("ATC_X", real(3.0), known.value), known)
    assert not packable(change("ATC_X", real(3.0), None), known)
    assert not packable(change("ATC_X", real(3.0), known.value), None)
    assert not packable(change("ATC_X", real(3.0), known.value), Setting("ATC_X", real(7.0), None))
    assert not packable(change("ATC_X", real(3.0), known.value, Phase.ENABLE), known)
    assert not packable(change("ATC_X", real(3.0), known.value, Phase.LINK), known)
    assert not packable(change("ATC_X", Value(Kind.INT16, 3), known.value), known)
    assert not packable(change("ATC_X", real(float("nan")), known.value), known)


def test_a_setting_outside_of_groups_never_opens_the_file() -> None:
    names = ["ZIGZ_X", "RTL_ALT", "ATC_RAT_PIT_P", "RC1_MIN", "ANGLE_MAX"]
    ordered = [c.name for c in file_order([change(n, real(1.0), real(2.0)) for n in names])]
    assert ordered == ["ATC_RAT_PIT_P", "ANGLE_MAX", "RTL_ALT", "ZIGZ_X", "RC1_MIN"]
    assert file_order([change("RTL_ALT", real(1.0), real(2.0))]) == ()


def test_the_size_is_that_of_the_file_that_is_made() -> None:
    values = [
        ("ATC_RAT_PIT_P", real(0.1)),
        ("ATC_RAT_RLL_P", real(0.2)),
        ("FLTMODE1", Value(Kind.INT8, 5)),
        ("LOG_BITMASK", Value(Kind.INT32, 70000)),
        ("RC1_MIN", Value(Kind.INT16, 1100)),
    ]
    assert packed_size([(name, value.kind) for name, value in values]) == len(encode_packed(values))
