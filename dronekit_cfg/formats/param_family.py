"""Tells by its names which autopilot a parameter file is of, where the file itself does not."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["family_of_names", "telling_names"]

MAJORITY = 10
"""How many times more names of one family than of the other settle it: a few strangers are mistakes in the file."""

_HALLMARKS = {
    "px4": re.compile(
        r"(CAL_(ACC|GYRO|MAG|BARO)\d_|EKF2_|MPC_|MC_(ROLL|PITCH|YAW)|NAV_|COM_|CA_|SYS_|BAT\d?_|SDLOG_|GF_)\w+"
    ),
    "ardupilot": re.compile(
        r"(EK[23]_|ATC_|PSC_|INS_|SERIAL\d_|SERVO\d+_|BATT\d?_|ARMING_|RCMAP_|FS_|COMPASS_|AHRS_|WPNAV_|FENCE_|BRD_|SR\d_)\w+"
    ),
}
"""Beginnings of names that only one of the two has (parameter metadata of PX4 2024-10 and ArduCopter 4.7)."""


def family_of_names(names: Iterable[str]) -> str | None:
    """Give the family that (nearly) all telling names are of, or None when none tells, or they are of both."""
    counts = dict.fromkeys(_HALLMARKS, 0)
    for name in names:
        for family, hallmark in _HALLMARKS.items():
            counts[family] += bool(hallmark.fullmatch(name))
    family, count = max(counts.items(), key=lambda item: item[1])
    others = sum(counts.values()) - count
    return family if count and count >= MAJORITY * others else None


def telling_names(names: Iterable[str], family: str) -> list[str]:
    """Give the names that only `family` has."""
    hallmark = _HALLMARKS.get(family)
    return [name for name in names if hallmark is not None and hallmark.fullmatch(name)]
