"""The real clock and the virtual one."""

from __future__ import annotations

import time

__all__ = ["RealClock", "VirtualClock"]


class RealClock:
    """Monotonic time of this machine."""

    def now(self) -> float:
        """Give seconds since some fixed moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        if seconds > 0:
            time.sleep(seconds)


class VirtualClock:
    """A clock that stands still until it is told to advance: tests of hours run in milliseconds."""

    def __init__(self, start: float = 1000.0) -> None:
        self._now = start

    def now(self) -> float:
        """Give the virtual time."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Advance."""
        if seconds > 0:
            self._now += seconds
