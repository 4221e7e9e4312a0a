"""Names of the reasons for which a Betaflight or INAV vehicle refuses to arm.

The order of Betaflight's flags changes between releases, so the number of flags that STATUS_EX reports chooses the
table [Betaflight src/main/fc/runtime_config.h at tags 4.4.3, 4.5.5, 2025.12.5, 2026.6.1; INAV
src/main/fc/runtime_config.h 9.0.0].
"""

from __future__ import annotations

__all__ = ["INAV_ARMED_BIT", "betaflight_reasons", "inav_reasons"]

_COMMON = (
    *("NOGYRO", "FAILSAFE", "RXLOSS", "NOT_DISARMED", "BOXFAILSAFE", "RUNAWAY", "CRASH", "THROTTLE", "ANGLE"),
    *("BOOTGRACE", "NOPREARM", "LOAD", "CALIB", "CLI", "CMS", "BST", "MSP", "PARALYZE", "GPS", "RESCUE_SW"),
    *("DSHOT_TELEM", "REBOOT_REQD", "DSHOT_BBANG", "NO_ACC_CAL", "MOTOR_PROTO"),
)
_LATER: dict[int, tuple[str, ...]] = {
    26: ("ARM_SWITCH",),
    29: ("FLIP_SWITCH", "ALT_HOLD_SW", "POS_HOLD_SW", "ARM_SWITCH"),
    30: ("FLIP_SWITCH", "ALT_HOLD_SW", "POS_HOLD_SW", "AUTOPILOT_SW", "ARM_SWITCH"),
}
_RENAMED_BEFORE_4_5 = {"NOT_DISARMED": "BADRX", "DSHOT_TELEM": "RPMFILTER"}
INAV_ARMED_BIT = 2
_INAV = {
    6: "GEOZONE",
    7: "FAILSAFE",
    8: "NOT_LEVEL",
    9: "CALIBRATING",
    10: "OVERLOADED",
    11: "NAV_UNSAFE",
    12: "COMPASS_CAL",
    13: "ACC_CAL",
    14: "ARM_SWITCH",
    15: "HW_FAILURE",
    16: "BOXFAILSAFE",
    18: "RC_LINK",
    19: "THROTTLE",
    20: "CLI",
    21: "CMS",
    22: "OSD",
    23: "ROLLPITCH",
    24: "AUTOTRIM",
    25: "OOM",
    26: "INVALID_SETTING",
    27: "PWM_OUTPUT",
    28: "NO_PREARM",
    29: "DSHOT_BEEPER",
    30: "LANDING",
}


def betaflight_reasons(flags: int, flag_count: int, api_minor: int) -> tuple[str, ...]:
    """Name the set flags. ARM_SWITCH follows from the others, so it is named only when it stands alone.

    A flag that no table knows is named by its bit. `api_minor` is 45 for 4.4 and older, 46 and more from 4.5 on.
    """
    names = dict(enumerate(_COMMON)) | dict(enumerate(_LATER.get(flag_count, ()), start=len(_COMMON)))
    found = [names.get(bit, f"bit {bit}") for bit in range(32) if flags & (1 << bit)]
    if api_minor < 46:
        found = [_RENAMED_BEFORE_4_5.get(name, name) for name in found]
    if len(found) > 1:
        found = [name for name in found if name != "ARM_SWITCH"]
    return tuple(found)


def inav_reasons(flags: int) -> tuple[str, ...]:
    """Name the set arming-disable flags; the bits below 6 are states, not reasons."""
    return tuple(_INAV.get(bit, f"bit {bit}") for bit in range(6, 32) if flags & (1 << bit))
