"""What the parts of the simulated PX4 copter share."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["State", "Unit"]


@dataclass(frozen=True, slots=True)
class Unit:
    """What one vehicle is told apart by."""

    uid: int
    uid2: bytes = bytes(18)


@dataclass(slots=True)
class State:
    """What is true from one boot to the next, and how much was asked so far. Times are on the clock of the link."""

    booted_at: float = -math.inf
    armed_at: float | None = None
    list_at: int | None = None
    save_planned: bool = False
    requests: int = 0
    written: int = 0
    echoes: int = 0
    again_planned: bool = False
    events: int = 0
