"""What a simulated vehicle still has to do, and when: a queue of timed actions without a clock of its own."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from itertools import count
from typing import TypeAlias

__all__ = ["Action", "Agenda"]

Action: TypeAlias = Callable[[float], None]
"""Called with the time it was due at (not the time it is run at), so that lateness of the caller does not add up."""


class Agenda:
    """Timed actions in order of time, then of entry. Times are seconds on the clock of the serving side."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Action]] = []
        self._order = count()

    def add(self, due: float, action: Action) -> None:
        """Put an action on the agenda."""
        heapq.heappush(self._heap, (due, next(self._order), action))

    def run(self, now: float) -> None:
        """Do everything that is due at `now`, also what that puts on the agenda."""
        while self._heap and self._heap[0][0] <= now:
            due, _, action = heapq.heappop(self._heap)
            action(due)

    def next_due(self) -> float:
        """Give the time of the next action, infinity for none."""
        return self._heap[0][0] if self._heap else math.inf

    def clear(self) -> None:
        """Drop everything (the vehicle loses power)."""
        self._heap.clear()
