"""What is known about PX4's settings by their names: when to write them, which not to write, which values fit.

Sources: the flags of the metadata that PX4 of 2024-10 carries itself (parameters.json), its source
(src/lib/parameters, src/modules/mavlink/mavlink_parameters.cpp) and what its SITL did. Own additions are named beside
their pattern. The list does not depend on metadata, so that it also holds for a firmware that we have none of.
"""

from __future__ import annotations

import math
import re

from dronekit_cfg.model import INT_RANGES, Kind, Phase, Scalar, Setting, Value
from dronekit_cfg.text import t

__all__ = ["AIRFRAME", "RESET", "coerce", "is_left_out_of_checksum", "kept_by_reset", "phase_of", "protected"]

AIRFRAME = "SYS_AUTOSTART"
"""Chooses the airframe, whose start script gives defaults to many settings at each boot; values that were written
stay."""
RESET = "SYS_AUTOCONFIG"
"""1 throws all values away at the next boot, but those of `_KEPT`, and then clears itself. It is written only together
with another airframe [ROMFS/px4fmu_common/init.d-posix/rcS]."""
_KEPT = re.compile(r"SYS_AUTOSTART|(RC|CAL_|COM_FLTMODE|LND_FLIGHT|TC_|COM_FLIGHT).*")

_ENABLE = re.compile(
    r"SYS_HAS_.*|CA_AIRFRAME|CA_\w+_COUNT|BAT\d_SOURCE|SENS_EN_.*|UAVCAN_ENABLE"
    r"|(?!EKF2_).*_(EN|ENABLE)|(GPS|RC|TEL|DISTSENS)_\w+_(CONFIG|CFG|PROTOCOL)"
)
_LINK = re.compile(r"MAV_\d_.*|MAV_(SYS_ID|COMP_ID|PROTO_VER|SIK_RADIO_ID)|SER_\w+_BAUD|(SYS_)?USB_\w+|NET_.*")

_PROTECTED = (
    ("read-only", re.compile(r"SYS_PARAM_VER")),
    (
        "identity",
        re.compile(
            r"MAV_SYS_ID|(CAL|TC)_[A-Z]+\d_ID"
            r"|ADSB_(ICAO_ID|CALLSIGN_\d)|MAV_SIK_RADIO_ID|COM_ARM_AUTH_ID"  # own addition: each names one unit
        ),
    ),
    (
        "volatile",
        re.compile(
            r"ASPD_SCALE_\d|COM_FLIGHT_UUID|COM_MODE\d_HASH|EKF2_MAG_DECL|LND_FLIGHT_T_(HI|LO)"
            # Own additions: measured anew while the vehicle stands still (IMU_GYRO_CAL_EN, on by default), and orders
            # for the next boot that clear themselves, the first of which resets all settings.
            r"|CAL_GYRO\d_[XYZ]OFF|SYS_AUTOCONFIG|SYS_BL_UPDATE|SYS_CAL_(ACCEL|BARO|GYRO)"
        ),
    ),
    (
        "calibration",
        re.compile(
            r"CAL_.*|TC_.*|SENS_BOARD_[XYZ]_OFF|SENS_DPRES_OFF"
            r"|RC\d+_(MIN|MAX|TRIM)"  # own addition: measured with one transmitter
        ),
    ),
)
"""Not here, on purpose: SYS_HITL, which takes the real sensors away. Where it is on by mistake it must go back to 0."""

_NO_CHECKSUM = re.compile(
    r"CAL_ACC\d_[XYZ](OFF|SCALE)|CAL_GYRO\d_[XYZ]OFF|CAL_MAG\d_[XYZ](COMP|ODIAG|OFF|SCALE)"
    r"|ASPD_SCALE_\d|COM_FLIGHT_UUID|COM_MODE\d_HASH|EKF2_MAG_DECL|LND_FLIGHT_T_(HI|LO)|SENS_DPRES_OFF"
)


def phase_of(name: str) -> Phase:
    """Say when a setting is written; what can cut the link wins over what makes others appear."""
    if name == AIRFRAME:
        return Phase.ROOT
    if _LINK.fullmatch(name):
        return Phase.LINK
    return Phase.ENABLE if _ENABLE.fullmatch(name) else Phase.SET


def kept_by_reset(name: str) -> bool:
    """Whether SYS_AUTOCONFIG 1 leaves the setting alone."""
    return bool(_KEPT.fullmatch(name))


def protected(name: str) -> str:
    """Give "calibration", "identity", "volatile", "read-only", or "" for a setting that profiles may write."""
    return next((why for why, pattern in _PROTECTED if pattern.fullmatch(name)), "")


def is_left_out_of_checksum(name: str) -> bool:
    """Whether `_HASH_CHECK` leaves the setting out: the metadata flags it "volatile" (2024-10)."""
    return bool(_NO_CHECKSUM.fullmatch(name))


def coerce(name: str, value: Scalar, known: Setting | None) -> Value:
    """Turn a profile's value into what the vehicle stores: an INT32 or a float32.

    Raises ValueError for texts, NaN and infinity, fractions for an integer, and numbers beyond the type. A setting that
    the vehicle did not show takes the kind of the value. NaN is worse than wrong: PX4 takes it and can then store no
    setting at all any more (seen: "parameter export failed" until it was written over).
    """
    if isinstance(value, str):
        raise ValueError(t("{name} is a number, not the text {value!r}", name=name, value=value))  # noqa: TRY004 - the contract of Driver.coerce
    if not math.isfinite(value):
        raise ValueError(t("{name}: with {value} the vehicle could store nothing any more", name=name, value=value))
    guess = Kind.INT32 if isinstance(value, int) else Kind.REAL32
    kind = known.value.kind if known else guess
    if kind is Kind.REAL32:
        try:
            return Value(kind, float(value))
        except OverflowError:
            raise ValueError(t("{name}: {value} is larger than a float32", name=name, value=value)) from None
    if not float(value).is_integer():
        raise ValueError(t("{name} is {kind}: {value} is no whole number", name=name, kind=kind, value=value))
    number = int(value)
    low, high = INT_RANGES[kind]
    if not low <= number <= high:
        text = t(
            "{name} is {kind}: {value} is beyond {low} to {high}", name=name, kind=kind, value=value, low=low, high=high
        )
        raise ValueError(text)
    return Value(kind, number)
