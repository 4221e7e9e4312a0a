"""What a transfer costs on a link: bytes both ways, and seconds."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Cost"]


@dataclass(frozen=True, slots=True)
class Cost:
    """Bytes from us to the vehicle (`up`), from it to us (`down`), and `seconds`; reboots are no part of it."""

    up: int = 0
    down: int = 0
    seconds: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        """Give the cost of one after the other."""
        return Cost(self.up + other.up, self.down + other.down, self.seconds + other.seconds)
