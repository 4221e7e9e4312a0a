"""The checks that are code and not pack data: single values and names against the metadata of a firmware version."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BUILTIN", "Builtin"]


@dataclass(frozen=True, slots=True)
class Builtin:
    """One built-in check, described as a rule is. `bad` and `good` are examples in words."""

    id: str
    title: str
    severity: str
    why: str
    remedy: str
    source: str
    bad: str
    good: str


_PARAM = "ArduPilot AP_Param::set_float: values are clamped to the storage type on write"
_ALL = (
    Builtin(
        "VALUE-STORAGE",
        "The value does not fit the storage type",
        "error",
        "The vehicle stores another number than the one asked for: INT8 255 becomes 127, a fraction is cut off.",
        "Write a value that the type can hold; for all bits of an INT8 mask write -1.",
        _PARAM,
        "EK3_GPS_CHECK: 255 (INT8, reads back as 127)",
        "EK3_GPS_CHECK: -1",
    ),
    Builtin(
        "VALUE-NAN",
        "The value is not a finite number",
        "error",
        "NaN passes every comparison as false, so limits and failsafes that use it stop working.",
        "Write a number.",
        "IEEE 754: comparisons with NaN are false",
        "FS_EKF_THRESH: nan",
        "FS_EKF_THRESH: 0.8",
    ),
    Builtin(
        "VALUE-TYPE",
        "A text stands where a number is stored, or the other way round",
        "error",
        "The vehicle cannot store it; a text CLI turns an unreadable number into 0 without an error.",
        "Write a value of the right kind.",
        "Betaflight 4.6.0 simulator, measured: `set small_angle = abc` stores 0",
        "small_angle: abc",
        "small_angle: 25",
    ),
    Builtin(
        "VALUE-RANGE",
        "The value is outside the documented range",
        "warning",
        "ArduPilot and PX4 store it and fly with it; a text CLI refuses it. Defaults are not reported.",
        "Use a value inside the range, or waive it with a reason.",
        "Range in the vendor's parameter metadata",
        "FS_EKF_THRESH: 5 (0.6 to 1)",
        "FS_EKF_THRESH: 0.8",
    ),
    Builtin(
        "VALUE-ENUM",
        "The value is none of the documented choices",
        "warning",
        "Firmware treats an unknown choice as it happens to be written: as nothing, or as a default of its own.",
        "Use one of the listed choices.",
        "Values in the vendor's parameter metadata",
        "FS_THR_ENABLE: 9",
        "FS_THR_ENABLE: 1",
    ),
    Builtin(
        "VALUE-BITS",
        "Bits are set that this firmware does not know",
        "warning",
        "An unknown bit does nothing today and something else after an update.",
        "Clear the bits that are named.",
        "Bitmask in the vendor's parameter metadata",
        "FENCE_TYPE: 263 (bit 8 is unknown)",
        "FENCE_TYPE: 7",
    ),
    Builtin(
        "VALUE-READONLY",
        "The setting cannot be written",
        "warning",
        "The vehicle computes it; a write is denied or lost.",
        "Remove it from the file.",
        "Read-only mark in the vendor's parameter metadata",
        "a profile that sets FORMAT_VERSION",
        "a profile without it",
    ),
    Builtin(
        "VALUE-PRECISION",
        "The value cannot be carried exactly",
        "warning",
        "A float32 holds 24 bits: larger whole numbers and longer decimals are rounded on the way.",
        "Write the rounded value, so that file and vehicle agree.",
        "IEEE 754 binary32; MAVLink PARAM_SET carries a float32",
        "COMPASS_DEV_ID: 16777217",
        "COMPASS_DEV_ID: 16777216",
    ),
    Builtin(
        "VALUE-UNIT",
        "The value looks as if it were in the unit of another firmware generation",
        "error",
        "Some settings changed from centimetres to metres, or from centidegrees to degrees, with their name.",
        "Write the value in the unit of this name, as the message says.",
        "ArduPilot parameter renames of 4.7 (ArduPilot wiki, parameter name changes)",
        "RTL_ALT: 15 (centimetres wanted, metres written)",
        "RTL_ALT: 1500",
    ),
    Builtin(
        "NAME-GENERATION",
        "The name belongs to another firmware generation",
        "error",
        "The vehicle does not know this name, so the value would be lost; unit or meaning may have changed too.",
        "Use the name and value that the message gives.",
        "ArduPilot wiki, parameter name changes; release notes",
        "GPS_TYPE: 2 for a 4.6 vehicle",
        "GPS1_TYPE: 2",
    ),
    Builtin(
        "NAME-BOTH",
        "Old and new name of one setting are both there",
        "error",
        "Which one wins depends on the order of writing and on the firmware version.",
        "Keep the name of the vehicle's generation and remove the other.",
        "ArduPilot wiki, parameter name changes",
        "GPS_TYPE: 2 and GPS1_TYPE: 9",
        "GPS1_TYPE: 9",
    ),
    Builtin(
        "NAME-UNKNOWN",
        "This firmware has no setting of this name",
        "warning",
        "A mistyped name sets nothing, and what it was meant to set keeps its old value.",
        "Correct the name.",
        "Vendor's parameter metadata",
        "FS_THR_ENABEL: 1",
        "FS_THR_ENABLE: 1",
    ),
    Builtin(
        "LEFT-READONLY",
        "A wanted setting cannot be changed on this firmware, and holds something else",
        "warning",
        "The vehicle will not be as the profile says, however well all else is written: a receiver or a sensor"
        " that the build lacks stays off.",
        "Use firmware that was built with it, take it out of the profile, or accept that it stays as it is.",
        "Betaflight 2026.12 simulator, measured: `feature` lists what the build lacks; it reads OFF again after a save",
        "feature.RX_SERIAL: ON for a build without serial receivers",
        "feature.RX_SERIAL: ON for a build with them",
    ),
    Builtin(
        "LEFT-VOLATILE",
        "A wanted setting changes by itself, and holds something else",
        "warning",
        "Counters and statistics are not written: the vehicle would not keep them.",
        "Take it out of the profile.",
        "Volatile mark in the vendor's parameter metadata, and the family's own list",
        "STAT_BOOTCNT: 0",
        "a profile without it",
    ),
    Builtin(
        "LEFT-CALIBRATION",
        "A wanted calibration value is not written unless asked for, and the vehicle holds another one",
        "warning",
        "Calibration belongs to one unit: written to another one, it flies on wrong sensors.",
        "Add --include calibration on the unit that it was measured on, or take it out of the profile.",
        "dronekit-cfg, protected settings",
        "INS_ACCOFFS_X: 0.12 in a profile for a fleet",
        "the same in the unit file of one aircraft, with --include calibration",
    ),
    Builtin(
        "LEFT-IDENTITY",
        "A wanted identity is not written unless asked for, and the vehicle holds another one",
        "warning",
        "Two vehicles with one identity cannot be told apart, and commands reach the wrong one.",
        "Add --include identity in the unit file of one aircraft, or take it out of the profile.",
        "dronekit-cfg, protected settings",
        "a system number in a profile for a fleet",
        "the same in the unit file of one aircraft, with --include identity",
    ),
    Builtin(
        "WAIVER-EXPIRED",
        "A waiver has run out",
        "warning",
        "What was accepted for a time is accepted no longer; the finding counts again.",
        "Solve the finding, or renew the waiver with a new date and reason.",
        "dronekit-cfg, waivers",
        "until: a day that has passed",
        "until: a day to come",
    ),
    Builtin(
        "WAIVER-UNUSED",
        "A waiver has nothing to waive",
        "info",
        "The rule is not broken here; a waiver that stays behind would hide it when it is.",
        "Remove the waiver.",
        "dronekit-cfg, waivers",
        "a waiver for a rule that passes",
        "no waiver",
    ),
    Builtin(
        "WAIVER-UNKNOWN",
        "A waiver names a rule that does not exist",
        "error",
        "A mistyped rule id waives nothing.",
        "Correct the rule id; `dronekit-cfg rules list` shows them.",
        "dronekit-cfg, waivers",
        "rule: AP-R999",
        "rule: AP-R10",
    ),
    Builtin(
        "WAIVER-REFUSED",
        "A waiver names a rule that cannot be waived",
        "error",
        "Errors say that the vehicle is unsafe or would not work; only the settings can be changed, not the judgement.",
        "Change the settings as the rule's remedy says, and remove the waiver.",
        "dronekit-cfg, waivers",
        "a waiver for AP-R01 (no radio failsafe)",
        "FS_THR_ENABLE: 1",
    ),
)
BUILTIN: dict[str, Builtin] = {b.id: b for b in _ALL}
"""Built-in checks by id."""
