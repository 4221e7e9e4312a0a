"""The one interface of everything that carries bytes to a vehicle."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

__all__ = ["Clock", "Link"]


class Clock(Protocol):
    """Monotonic time in seconds, and waiting. The virtual one advances instead of waiting."""

    def now(self) -> float:
        """Give the current time in seconds; only differences mean anything."""

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass."""


class Link(Protocol):
    """A byte pipe. All methods raise `LinkError` kinds (never OSError, SerialException, socket errors).

    `read` gives at least one byte as soon as any are there, or b"" after `timeout` seconds; `LinkLost` when the other
    side is gone. `write` queues or sends all of `data`. `reopen` closes and opens again (a rebooted vehicle; a USB port
    that came back, perhaps under another name) and raises `LinkOpenError` when it is not there yet: the caller retries.
    `url` is what the user typed. `place` tells this end of the cable from others, also in the next run (a USB adapter's
    serial number, an address); "" when nothing does. `baud` is the slowest known byte rate of the path in bits per
    second, 0 when unknown.
    """

    url: str
    place: str
    baud: int

    def open(self) -> None:
        """Open; raises `LinkOpenError` with a hint per cause."""

    def read(self, timeout: float) -> bytes:
        """Give the bytes that are there, waiting at most `timeout` seconds for the first."""

    def write(self, data: bytes) -> None:
        """Send all of `data`."""

    def reopen(self) -> None:
        """Close and open again."""

    def set_baud(self, baud: int) -> bool:
        """Go on at another speed, also after `reopen`; False where the link has none that we can change."""

    def close(self) -> None:
        """Close; never raises, may be called twice."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
