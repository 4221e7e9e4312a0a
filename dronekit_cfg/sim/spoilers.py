"""What broken parts do to telemetry in the same way on every MAVLink autopilot; families add what is theirs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

__all__ = [
    "MG",
    "MRAD",
    "Fields",
    "Spoiler",
    "add",
    "clipping",
    "drifting_pressure",
    "no_field",
    "noisy_gyro",
    "noisy_pressure",
    "spoil",
]

Fields: TypeAlias = dict[str, Any]
Spoiler: TypeAlias = Callable[[Fields, float, float, Callable[[], float]], None]
"""Changes fields in place, given the fault's size, the seconds since the boot, and a source of noise (sigma 1)."""
MRAD = math.radians(1) * 1000
"""Milliradians of a degree: IMU messages tell turns in mrad/s."""
MG = 1000 / 9.80665
"""Thousandths of standard gravity in 1 m/s2: IMU messages tell accelerations in mG."""


def add(field: str, scale: float) -> Spoiler:
    """Make a spoiler that adds the size of the fault to a whole number."""

    def spoiler(fields: Fields, size: float, _seconds: float, _noise: Callable[[], float]) -> None:
        fields[field] = round(fields[field] + scale * size)

    return spoiler


def noisy_gyro(fields: Fields, size: float, _seconds: float, noise: Callable[[], float]) -> None:
    """Make the turns of an IMU message noisy; size in deg/s."""
    for axis in "xyz":
        fields[axis + "gyro"] = round(fields[axis + "gyro"] + size * MRAD * noise())


def no_field(fields: Fields, _size: float, _seconds: float, _noise: Callable[[], float]) -> None:
    """Take the magnetic field out of an IMU message."""
    fields.update(dict.fromkeys(("xmag", "ymag", "zmag"), 0))


def drifting_pressure(fields: Fields, size: float, seconds: float, _noise: Callable[[], float]) -> None:
    """Let the pressure rise; size in hPa a minute."""
    fields["press_abs"] += size * seconds / 60


def noisy_pressure(fields: Fields, size: float, _seconds: float, noise: Callable[[], float]) -> None:
    """Make the pressure noisy; size in hPa."""
    fields["press_abs"] += size * noise()


def clipping(fields: Fields, _size: float, seconds: float, _noise: Callable[[], float]) -> None:
    """Let the first accelerometer clip once a second."""
    fields["clipping_0"] = int(seconds)


def spoil(
    table: Mapping[tuple[str, str], Spoiler],
    bench: Mapping[str, float],
    name: str,
    fields: Mapping[str, Any],
    uptime: float,
    noise: Callable[[], float],
) -> Mapping[str, Any]:
    """Give the fields of the message `name` as broken parts make them; `table` is by fault and message.

    `bench` has the size of each fault, `uptime` the seconds since the boot.
    """
    if not bench:
        return fields
    changed = dict(fields)
    for fault, size in bench.items():
        if (spoiler := table.get((fault, name))) is not None:
            spoiler(changed, size, uptime, noise)
    return changed
