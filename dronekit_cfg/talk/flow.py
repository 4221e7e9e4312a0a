"""What a conversation is: a generator that yields bytes to send and a deadline, and is sent what arrives.

A flow yields `Wait(send, until)`. The driver of the flow writes `send` (may be empty) to the link and resumes the flow
with the next decoded message, or with None when `until` (absolute, on the same clock as `Session.now`) has passed. With
`until=None` the flow is resumed at once with None: "write this and come back".

A flow never sleeps, never looks at a clock of its own and never touches a port, so a test drives it with a virtual
clock and a lossy fake, and the engine drives it over a real link: the code is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from dronekit_cfg.events import Reporter, silent
from dronekit_cfg.model import Vault
from dronekit_cfg.planner.cost import Line

__all__ = ["Codec", "Flow", "Session", "Wait"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wait:
    """Bytes to send now, and until when to wait for the next message (seconds on the session's clock).

    With a `baud`, the speed of the port is changed after `send` has left, and the flow is resumed at once with the
    speed before (0 when it is not known), or with None where the link has no speed that we can change.
    """

    send: bytes = b""
    until: float | None = None
    baud: int = 0


Flow = Generator[Wait, Any, T]
"""A conversation that ends in a `T`. It is sent decoded messages of its codec, or None at its deadline."""


class Codec(Protocol):
    """A sans-I/O decoder: bytes go in, messages come out. Buffers are bounded."""

    def receive_data(self, data: bytes) -> None:
        """Take bytes as they came from the link, in any split."""

    def next_event(self) -> Any | None:
        """Give the next decoded message, or None when more bytes are needed."""

    def reset(self) -> None:
        """Forget half-received bytes (the link was reopened)."""


@dataclass(slots=True)
class Session:
    """What every flow of one connection shares: the clock, where to report, the secrets of this run, and the line.

    `line` is how fast the link is: from its baud rate or from the user at first, then as measured. `place` names what
    we are connected to where it has no name of its own, such as the USB adapter of a radio; "" when it is not known.
    """

    now: Callable[[], float]
    report: Reporter = silent
    vault: Vault = field(default_factory=Vault)
    line: Line = field(default_factory=Line)
    place: str = ""
