"""How values of a profile become values of a vehicle."""

from __future__ import annotations

from typing import Any

import pytest

from dronekit_cfg.families.betaflight.settings import Knowledge
from dronekit_cfg.formats.cli_dump_dialect import load_dialect
from dronekit_cfg.formats.cli_dump_get import parse_get
from dronekit_cfg.formats.cli_version import pep440
from dronekit_cfg.model import Kind, Phase, Setting, Value

Make = Any
GET = """
small_angle = 25
Allowed range: 0 - 180

failsafe_procedure = DROP
Allowed values: AUTO-LAND, DROP, GPS-RESCUE

craft_name = -
String length: 1 - 16

motor_output_reordering = 0,1,2
Array length: 3

debug_on = OFF
Allowed values: OFF, ON
"""


@pytest.fixture
def known() -> Knowledge:
    made = Knowledge(load_dialect("betaflight"))
    made.learn_facts(parse_get(GET))
    return made


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("small_angle", 40, Value(Kind.UINT8, 40)),
        ("small_angle", 40.0, Value(Kind.UINT8, 40)),
        ("small_angle", "40", Value(Kind.UINT8, 40)),
        ("profile.2.small_angle", 40, Value(Kind.UINT8, 40)),
        ("failsafe_procedure", "gps-rescue", Value(Kind.TEXT, "GPS-RESCUE")),
        ("debug_on", True, Value(Kind.TEXT, "ON")),
        ("craft_name", 7, Value(Kind.TEXT, "7")),
        ("craft_name", "Kite 7", Value(Kind.TEXT, "Kite 7")),
        ("motor_output_reordering", "0, 2, 1", Value(Kind.TEXT, "0,2,1")),
        ("feature.GPS", False, Value(Kind.TEXT, "OFF")),
        ("feature.GPS", "on", Value(Kind.TEXT, "ON")),
        ("serial.0", "64  115200 57600 0 115200", Value(Kind.TEXT, "64 115200 57600 0 115200")),
        ("profile", 2, Value(Kind.UINT8, 2)),
        ("unknown_one", 300, Value(Kind.UINT16, 300)),
        ("unknown_one", "X", Value(Kind.TEXT, "X")),
    ],
)
def test_a_value_that_fits_is_taken(known: Knowledge, name: str, given: object, expected: Value) -> None:
    assert known.coerce(name, given, None) == expected


@pytest.mark.parametrize(
    ("name", "given", "word"),
    [
        ("small_angle", 25.9, "whole number"),
        ("small_angle", "abc", "not a number"),
        ("small_angle", 181, "0 to 180"),
        ("failsafe_procedure", "DRPO", "DROP"),
        ("craft_name", "x" * 17, "16"),
        ("craft_name", "a#b", "comment"),
        ("motor_output_reordering", "0,1", "needs 3"),
        ("feature.GPS", "maybe", "ON nor OFF"),
        ("feature.GPS", 1, "ON nor OFF"),
        ("aux.0", "Сокіл", "ASCII"),
        ("profile", 2.5, "whole"),
        ("profile.x.p", 1, "profile.<number>"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_the_reason(
    known: Knowledge, name: str, given: object, word: str
) -> None:
    with pytest.raises(ValueError, match=word):
        known.coerce(name, given, None)


def test_the_kind_of_the_vehicle_counts_where_it_is_known(known: Knowledge) -> None:
    setting = Setting("unknown_one", Value(Kind.INT8, 3))
    assert known.coerce("unknown_one", 4, setting) == Value(Kind.INT8, 4)
    with pytest.raises(ValueError, match="INT8"):
        known.coerce("unknown_one", 200, setting)


def test_floats_are_written_without_exponent(known: Knowledge) -> None:
    assert known.text(Value(Kind.REAL32, 1e-5)) == "0.00001"
    assert known.text(Value(Kind.REAL32, 3.0)) == "3.0"
    assert known.text(Value(Kind.UINT8, 3)) == "3"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("4.5.1", "4.5.1"),
        ("2026.12.0-alpha", "2026.12.0a0"),
        ("4.5.0-RC2", "4.5.0rc2"),
        ("2025.12.0-beta3", "2025.12.0b3"),
        ("9.0.0", "9.0.0"),
    ],
)
def test_versions_become_pep_440(text: str, expected: str) -> None:
    from packaging.version import Version

    assert pep440(text) == expected
    assert str(Version(expected)) == expected


def test_what_is_no_version_is_refused() -> None:
    with pytest.raises(ValueError):
        pep440("master")


def test_ports_come_last_and_units_keep_what_is_theirs(make_sim: Make) -> None:
    driver = make_sim().driver
    assert driver.phase("serial.UART1") is Phase.LINK
    assert driver.phase("msp_uart_1") is Phase.LINK
    assert driver.phase("small_angle") is Phase.SET
    assert driver.protected("acc_calibration") == "calibration"
    assert driver.protected("mcu_id") == "read-only"
    assert driver.protected("craft_name") == "identity"
    assert driver.protected("stats_total_flights") == "volatile"
    assert driver.protected("small_angle") == ""
    assert driver.protected("line.1") == "read-only"
    inav = make_sim("inav").driver
    assert inav.protected("acczero_x") == "calibration"
    assert inav.protected("mixer_profile.1.platform_type") == ""
    assert inav.phase("serial.0") is Phase.LINK
