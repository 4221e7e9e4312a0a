"""What is known by name: phases, protected settings, and values that do not fit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dronekit_cfg.families.ardupilot.quirks import coerce, phase_of, protected
from dronekit_cfg.model import Kind, Phase, Scalar, Setting, Value

GOLDEN = Path(__file__).parents[2] / "golden" / "ardupilot"

# The settings that the vendor's metadata of 4.5.6 and 4.7-dev marks as calibration, numbers written as #.
CALIBRATION = """
COMPASS_DIA#_X COMPASS_DIA_Z COMPASS_MOT#_Y COMPASS_MOTCT COMPASS_MOT_X COMPASS_ODI#_X COMPASS_ODI_Z COMPASS_OFS#_Z
COMPASS_OFS_X INS#_ACCOFFS_X INS#_ACCSCAL_Y INS#_ACC_CALTEMP INS#_TCAL_ACC#_X INS#_TCAL_GYR#_Z INS#_TCAL_TMAX
INS#_TCAL_TMIN INS_ACC#OFFS_X INS_ACC#SCAL_Z INS_ACC#_CALTEMP INS_ACCOFFS_Y INS_ACCSCAL_Z INS_TCAL#_ACC#_X
INS_TCAL#_GYR#_Y INS_TCAL#_TMAX INS_TCAL#_TMIN
""".split()  # noqa: SIM905 - a table reads better as text


@pytest.mark.parametrize("pattern", CALIBRATION)
@pytest.mark.parametrize("number", "1245")
def test_calibration_is_never_copied(pattern: str, number: str) -> None:
    assert protected(pattern.replace("#", number)) == "calibration"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("INS_GYROFFS_X", "volatile"),
        ("INS4_GYROFFS_Z", "volatile"),
        ("INS_GYR2_CALTEMP", "volatile"),
        ("BARO1_GND_PRESS", "volatile"),
        ("STAT_BOOTCNT", "volatile"),
        ("ESC_CALIBRATION", "volatile"),
        ("MIS_TOTAL", "volatile"),
        ("COMPASS_DEV_ID", "identity"),
        ("COMPASS_PRIO2_ID", "identity"),
        ("INS_ACC3_ID", "identity"),
        ("INS4_GYR_ID", "identity"),
        ("SYSID_THISMAV", "identity"),
        ("MAV_SYSID", "identity"),
        ("BRD_SERIAL_NUM", "identity"),
        ("FORMAT_VERSION", "read-only"),
        ("RC3_TRIM", "calibration"),
        ("AHRS_TRIM_X", "calibration"),
        ("ARSPD_OFFSET", "calibration"),
        ("BATT_MONITOR", ""),
        ("BATT_VOLT_MULT", ""),
        ("INS_GYRO_FILTER", ""),
        ("INS_TCAL1_ENABLE", ""),
        ("COMPASS_OFFS_MAX", ""),
        ("COMPASS_ENABLE", ""),
        ("RC3_OPTION", ""),
        ("SERVO1_TRIM", ""),
        ("SERIAL_PASS1", ""),
    ],
)
def test_what_is_not_a_profiles_business_is_named(name: str, why: str) -> None:
    assert protected(name) == why


@pytest.mark.parametrize(
    ("name", "phase"),
    [
        ("BATT2_MONITOR", Phase.ENABLE),
        ("GPS1_TYPE", Phase.ENABLE),
        ("SCR_ENABLE", Phase.ENABLE),
        ("PLND_ENABLED", Phase.ENABLE),
        ("RELAY3_FUNCTION", Phase.ENABLE),
        ("FRAME_CLASS", Phase.ENABLE),
        ("CAN_P1_DRIVER", Phase.ENABLE),
        ("FS_THR_ENABLE", Phase.SET),
        ("OSD1_ALTITUDE_EN", Phase.SET),
        ("INS_ENABLE_MASK", Phase.SET),
        ("BATT_LOW_VOLT", Phase.SET),
        ("SERIAL2_PROTOCOL", Phase.LINK),
        ("SERIAL0_BAUD", Phase.LINK),
        ("BRD_SER1_RTSCTS", Phase.LINK),
        ("SYSID_THISMAV", Phase.LINK),
        ("NET_ENABLE", Phase.LINK),
        ("TELEM_DELAY", Phase.LINK),
    ],
)
def test_settings_are_written_in_a_safe_order(name: str, phase: Phase) -> None:
    assert phase_of(name) is phase


def test_every_group_that_an_enable_hides_is_enabled_first() -> None:
    switches = json.loads((GOLDEN / "hidden-groups-copter-4.7-dev.json").read_text("utf-8"))["hides"]
    assert len(switches) > 50
    assert {s for s in switches if phase_of(s) is Phase.SET} == set()


def known(kind: Kind, raw: Scalar) -> Setting:
    return Setting("X", Value(kind, raw))


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        (Kind.INT8, -1, -1),
        (Kind.INT8, 5.0, 5),
        (Kind.INT16, 32767, 32767),
        (Kind.INT32, 16777216, 16777216),
        (Kind.REAL32, 3, 3.0),
        (Kind.REAL32, 0.1, 0.10000000149011612),
    ],
)
def test_values_that_fit_become_what_the_vehicle_stores(kind: Kind, value: Scalar, stored: Scalar) -> None:
    assert coerce("X", value, known(kind, 0)) == Value(kind, stored)


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        (Kind.INT8, 255, "X is INT8: 255 would be stored as 127; write -1 for all bits"),
        (Kind.INT8, 200, "X is INT8: 200 would be stored as 127; as a bit mask write -56"),
        (Kind.INT8, 300, "X is INT8: 300 would be stored as 127"),
        (Kind.INT16, 65535, "X is INT16: 65535 would be stored as 32767; write -1 for all bits"),
        (Kind.INT16, -40000, "X is INT16: -40000 would be stored as -32768"),
        (Kind.INT16, 1100.7, "X is INT16: 1100.7 would be stored as 1100"),
        (Kind.INT32, 16777217, "X: 16777217 cannot be sent exactly, the vehicle would store 16777216"),
        (Kind.REAL32, float("nan"), "X: the vehicle ignores nan"),
        (Kind.REAL32, 1e39, "X: 1e+39 is larger than a float32"),
        (Kind.REAL32, "on", "X is a number, not the text 'on'"),
    ],
)
def test_values_that_do_not_fit_say_what_the_vehicle_would_do(kind: Kind, value: Scalar, text: str) -> None:
    with pytest.raises(ValueError) as caught:
        coerce("X", value, known(kind, 0))
    assert str(caught.value) == text


def test_a_large_integer_that_the_vehicle_already_holds_is_no_problem() -> None:
    assert coerce("X", 16777217, known(Kind.INT32, 16777217)) == Value(Kind.INT32, 16777217)


@pytest.mark.parametrize(("value", "kind"), [(7, Kind.INT32), (7.5, Kind.REAL32), (7.0, Kind.REAL32)])
def test_a_hidden_setting_takes_the_kind_of_its_value(value: Scalar, kind: Kind) -> None:
    assert coerce("X", value, None) == Value(kind, value)
