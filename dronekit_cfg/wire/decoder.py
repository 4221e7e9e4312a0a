"""The shell that codecs share: bytes go in as they come, events come out one by one; a `talk.flow.Codec`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from typing import Generic, TypeVar

__all__ = ["Decoder", "FrameFinder"]

E = TypeVar("E")
_KEPT_NOISE = 256


class Decoder(ABC, Generic[E]):
    """Holds bytes that are not understood yet, and events that nobody took yet."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._events: deque[E] = deque()

    @abstractmethod
    def receive_data(self, data: bytes) -> None:
        """Take bytes as they came from the link, in any split."""

    def next_event(self) -> E | None:
        """Give the next event, None when more bytes are needed."""
        return self._events.popleft() if self._events else None

    def reset(self) -> None:
        """Forget what is half received and what was not taken yet."""
        self._buffer.clear()
        self._events.clear()


class FrameFinder(Decoder[E]):
    """Finds frames between other bytes.

    `noise` holds the last bytes that were no frame, to tell what is on the port; `heard` says that a whole one was.
    """

    def __init__(self) -> None:
        super().__init__()
        self.noise = b""
        self.heard = False

    def receive_data(self, data: bytes) -> None:
        """Take bytes as they came from the link, in any split."""
        self._buffer += data
        while self._step():
            pass

    def reset(self) -> None:
        """Forget everything that came."""
        super().reset()
        self.noise = b""
        self.heard = False

    def _drop(self, count: int) -> None:
        self.noise = (self.noise + bytes(self._buffer[:count]))[-_KEPT_NOISE:]
        del self._buffer[:count]

    @abstractmethod
    def _step(self) -> bool:
        """Take one frame or skip what is none; False when more bytes are needed."""
