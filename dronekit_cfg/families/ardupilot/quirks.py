"""What is known about ArduPilot's settings by their names: when to write them, which not to write, which values fit.

Sources: the settings marked AP_PARAM_FLAG_ENABLE, ReadOnly, Volatile and Calibration in ArduPilot 4.5.6 and 4.7-dev
(source and apm.pdef), and the recordings of both in the tests. Own additions are named beside their pattern. The list
does not depend on metadata, so that it also holds for a firmware that we have none of.
"""

from __future__ import annotations

import math
import re

from dronekit_cfg.model import INT_RANGES, Kind, Phase, Scalar, Setting, Value, float32
from dronekit_cfg.text import t

__all__ = ["SYSTEM_NUMBER", "coerce", "phase_of", "protected"]

SYSTEM_NUMBER = frozenset({"SYSID_THISMAV", "MAV_SYSID"})
"""The vehicle's own system number (name up to 4.6, and since 4.7): it answers under the new number at once."""

_ENABLE = re.compile(
    r"(?!FS_|OSD\d_.+_EN$)(.*_)?(ENABLE|ENABLED|ENBL|EN|TYPE|MONITOR|DRIVER)"
    r"|FRAME_CLASS|RELAY\d+_FUNCTION|SID_AXIS|SERVO_FTW_MASK|CAN_D\d_PROTOCOL"
)
_LINK = re.compile(
    r"SERIAL\d+_(PROTOCOL|BAUD|OPTIONS)|SERIAL_PASS.*|BRD_SER\d+_RTSCTS|CAN_SLCAN_.*|NET_.*"
    r"|SYSID_(THISMAV|MYGCS|ENFORCE)|MAV_(SYSID|GCS_SYSID.*|OPTIONS)|MAV\d+_OPTIONS|TELEM_DELAY"
    r"|BRD_OPTIONS|PARAM_SET_ENABLE"  # a bit of one switches file transfer off, the other one all writes
)

_PROTECTED = (
    ("read-only", re.compile(r"FORMAT_VERSION|SYSID_SW_(MREV|TYPE)|GPS\d?_CAN_NODEID\d?|VTX_FREQ")),
    (
        "identity",
        re.compile(
            r"COMPASS_(DEV_ID\d?|PRIO\d_ID)|INS_(ACC|GYR)\d?_ID|INS\d_(ACC|GYR)_ID|(BARO|ARSPD)\d?_DEVID"
            r"|SYSID_THISMAV|MAV_SYSID|BRD_SERIAL_NUM"
            r"|BATT\d?_SERIAL_NUM|ADSB_ICAO_ID|NET_MACADDR\d"  # own addition: each names one battery, aircraft, board
        ),
    ),
    (
        "volatile",
        re.compile(
            r"STAT_.*|SYS_NUM_RESETS|(MIS|FENCE|RALLY)_TOTAL|BARO\d?_GND_(PRESS|TEMP)|BARO_FIELD_ELV"
            r"|TCAL_(BARO_EXP|TEMP_MIN|TEMP_MAX)|LOG_LASTFILE"
            # Own addition: measured anew at each boot (INS_GYR_CAL), or from the position (COMPASS_AUTODEC).
            r"|INS\d?_(GYR|GYRO)\d?OFFS_[XYZ]|INS\d?_GYR\d?_CALTEMP|COMPASS_DEC"
            r"|COMPASS_DEC"  # taken from the position at every start (COMPASS_AUTODEC 1, the default)
            r"|ESC_CALIBRATION"  # own addition: an order for the next boot that clears itself, and it spins motors
        ),
    ),
    (
        "calibration",
        re.compile(
            r"INS\d?_ACC\d?(OFFS|SCAL)_[XYZ]|INS\d?_ACC\d?_CALTEMP"
            r"|INS_TCAL\d_(ACC|GYR|TM).*|INS\d_TCAL_(ACC|GYR|TM).*"
            r"|COMPASS_(OFS|DIA|ODI|MOT)\d?_[XYZ]|COMPASS_MOTCT"
            r"|COMPASS_SCALE\d?|AHRS_TRIM_[XYZ]|ARSPD\d?_(OFFSET|RATIO)"  # own addition: measured on one aircraft
            r"|RC\d+_(MIN|MAX|TRIM)"  # own addition: measured with one transmitter
        ),
    ),
)
"""Not here, on purpose: BATTn_VOLT_MULT and AMP_PERVLT (a property of the power module's type, which profiles set) and
SERVOn_MIN, MAX and TRIM (a property of the airframe's design)."""


def phase_of(name: str) -> Phase:
    """Say when a setting is written; what can cut the link wins over what makes others appear."""
    if _LINK.fullmatch(name):
        return Phase.LINK
    return Phase.ENABLE if _ENABLE.fullmatch(name) else Phase.SET


def protected(name: str) -> str:
    """Give "calibration", "identity", "volatile", "read-only", or "" for a setting that profiles may write."""
    return next((why for why, pattern in _PROTECTED if pattern.fullmatch(name)), "")


def coerce(name: str, value: Scalar, known: Setting | None) -> Value:
    """Turn a profile's value into what the vehicle stores.

    Raises ValueError, saying what the vehicle would make of the value, for texts, NaN and infinity, fractions or
    out-of-range numbers for an integer, and integers that the parameter protocol would round. A setting that is not
    known yet (hidden) takes the kind of the value.
    """
    if isinstance(value, str):
        raise ValueError(t("{name} is a number, not the text {value!r}", name=name, value=value))  # noqa: TRY004 - the contract of Driver.coerce
    if not math.isfinite(value):
        raise ValueError(t("{name}: the vehicle ignores {value}", name=name, value=value))
    whole = float(value).is_integer()
    guess = Kind.INT32 if isinstance(value, int) and _fits(Kind.INT32, value) else Kind.REAL32
    kind = known.value.kind if known else guess
    if kind is Kind.REAL32:
        try:
            return Value(kind, float(value))
        except OverflowError:
            raise ValueError(t("{name}: {value} is larger than a float32", name=name, value=value)) from None
    if not whole:
        raise ValueError(
            t("{name} is {kind}: {value} would be stored as {cut}", name=name, kind=kind, value=value, cut=int(value))
        )
    number = int(value)
    if not _fits(kind, number):
        raise ValueError(_clamp_text(name, kind, number))
    if float32(number) != number and not (known and known.value.raw == number):
        raise ValueError(
            t(
                "{name}: {value} cannot be sent exactly, the vehicle would store {near:.0f}",
                name=name,
                value=number,
                near=float32(number),
            )
        )
    return Value(kind, number)


def _fits(kind: Kind, number: int) -> bool:
    low, high = INT_RANGES[kind]
    return low <= number <= high


def _clamp_text(name: str, kind: Kind, number: int) -> str:
    """Say what the vehicle would store instead and, for bit masks with the sign bit, what to write."""
    low, high = INT_RANGES[kind]
    stored = high if number > high else low
    text = t("{name} is {kind}: {value} would be stored as {stored}", name=name, kind=kind, value=number, stored=stored)
    span = high - low + 1
    if number == span - 1:
        return text + t("; write -1 for all bits")
    if high < number < span:
        return text + t("; as a bit mask write {same}", same=number - span)
    return text
