"""Ctrl-C, SIGTERM and a closed terminal become a request to stop that the engine honours where it is safe."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from dronekit_cfg.errors import Interrupted
from dronekit_cfg.text import t

__all__ = ["Stop"]

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Stop:
    """A stop request. `check` raises once it was asked for, unless the work at hand is shielded (a rollback is).

    A second request breaks through the shield: the person means it.
    """

    def __init__(self) -> None:
        self._asked = 0
        self._shield = 0

    def ask(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """Request the stop; usable as a signal handler."""
        del signum, frame
        self._asked += 1

    @property
    def asked(self) -> bool:
        """Whether a stop was requested."""
        return self._asked > 0

    @property
    def count(self) -> int:
        """How often a stop was requested."""
        return self._asked

    def check(self) -> None:
        """Raise Interrupted when a stop was requested and nothing shields the work."""
        if self._asked > self._shield:
            raise Interrupted(t("stopped on request"))

    @contextmanager
    def shield(self) -> Iterator[None]:
        """Let work finish that must not be stopped by the requests so far; one more request stops it."""
        before = self._shield
        self._shield = self._asked + (0 if self._asked else 1)
        try:
            yield
        finally:
            self._shield = before

    @contextmanager
    def on_signals(self) -> Iterator[Stop]:
        """Take SIGINT, SIGTERM and, where it exists, SIGHUP as stop requests (only the main thread can)."""
        if threading.current_thread() is not threading.main_thread():
            yield self
            return
        kept = [(number, signal.signal(number, self.ask)) for number in _SIGNALS]
        try:
            yield self
        finally:
            for number, handler in kept:
                signal.signal(number, handler)
