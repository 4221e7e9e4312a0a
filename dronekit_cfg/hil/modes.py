"""Flight modes of the vehicles that scenarios fly: the custom_mode number of each, and its name."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["ARDUCOPTER", "BETAFLIGHT", "MODES", "PX4"]

ARDUCOPTER: Mapping[int, str] = {
    0: "STABILIZE", 1: "ACRO", 2: "ALT_HOLD", 3: "AUTO", 4: "GUIDED", 5: "LOITER", 6: "RTL", 7: "CIRCLE", 9: "LAND",
    11: "DRIFT", 13: "SPORT", 14: "FLIP", 15: "AUTOTUNE", 16: "POSHOLD", 17: "BRAKE", 18: "THROW", 20: "GUIDED_NOGPS",
    21: "SMART_RTL", 22: "FLOWHOLD", 23: "FOLLOW", 24: "ZIGZAG", 27: "AUTO_RTL",
}  # fmt: skip
_MAIN, _SUB = 1 << 16, 1 << 24
_AUTO = 4 * _MAIN
PX4: Mapping[int, str] = {
    1 * _MAIN: "MANUAL", 2 * _MAIN: "ALTITUDE", 3 * _MAIN: "POSITION", 3 * _MAIN + _SUB: "ORBIT", 5 * _MAIN: "ACRO",
    6 * _MAIN: "OFFBOARD", 7 * _MAIN: "STABILIZED", 10 * _MAIN: "TERMINATION",
    _AUTO + 1 * _SUB: "READY", _AUTO + 2 * _SUB: "TAKEOFF", _AUTO + 3 * _SUB: "HOLD", _AUTO + 4 * _SUB: "MISSION",
    _AUTO + 5 * _SUB: "RETURN", _AUTO + 6 * _SUB: "LAND", _AUTO + 8 * _SUB: "FOLLOW",
    _AUTO + 9 * _SUB: "PRECISION_LAND",
}  # fmt: skip
"""A main mode in the third byte and a sub mode in the fourth [src/modules/commander/px4_custom_mode.h]. A descent
without a position is told as LAND too."""
BETAFLIGHT: Mapping[int, str] = {-1: "ACRO", 1: "ANGLE", 2: "HORIZON", 46: "GPS RESCUE", 27: "FAILSAFE"}
"""Permanent ids of modes; the last one that is on counts, none is ACRO [Betaflight src/main/msp/msp_box.c]."""
MODES: Mapping[str, Mapping[int, str]] = {"arducopter": ARDUCOPTER, "px4": PX4, "betaflight": BETAFLIGHT}
"""By the `vehicle` of a scenario."""
