"""What a simulated module says, paced as its serial port paces it."""

from __future__ import annotations

import math
from collections import deque

__all__ = ["SerialOutput"]


class SerialOutput:
    """Bytes that are on their way. Each piece is due when its last bit has left a port of `baud` bits per second."""

    def __init__(self, baud: int) -> None:
        self._seconds = 10 / baud  # a byte with start and stop bit
        self._parts: deque[tuple[float, bytes]] = deque()
        self._free_at = -math.inf

    def set_baud(self, baud: int) -> None:
        """Go on at another speed."""
        self._seconds = 10 / baud

    def add(self, now: float, data: bytes) -> None:
        """Say `data`, from `now` on or behind what is being said already."""
        self._free_at = max(now, self._free_at) + len(data) * self._seconds
        self._parts.append((self._free_at, data))

    def take(self, now: float) -> bytes:
        """Give what has arrived by `now`."""
        ready = b""
        while self._parts and self._parts[0][0] <= now:
            ready += self._parts.popleft()[1]
        return ready

    def next_due(self) -> float:
        """Give when the next piece arrives, infinity for none."""
        return self._parts[0][0] if self._parts else math.inf

    def clear(self) -> None:
        """Lose power."""
        self._parts.clear()
        self._free_at = -math.inf
