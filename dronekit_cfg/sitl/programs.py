"""Finds the simulator program of a firmware that flies scenarios."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from dronekit_cfg.sitl.ardupilot import find_arducopter
from dronekit_cfg.sitl.betaflight import find_betaflight
from dronekit_cfg.sitl.px4 import find_px4

__all__ = ["find_program"]

_FIND: Mapping[str, Callable[[str], Path]] = {
    "arducopter": find_arducopter,
    "px4": find_px4,
    "betaflight": find_betaflight,
}


def find_program(vehicle: str, binary: str = "") -> Path:
    """Find the program of `vehicle`: `binary`, its environment variable, PATH. Raises LinkOpenError with the remedy."""
    return _FIND[vehicle](binary)
