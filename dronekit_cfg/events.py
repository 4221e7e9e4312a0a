"""What the library reports while it works. The library never prints: a reporter decides what becomes of an event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Event", "Note", "Progress", "Reporter", "Stage", "VehicleText", "silent"]


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events."""


@dataclass(frozen=True, slots=True)
class Stage(Event):
    """A new stage of the work begins, for example "read all settings"."""

    text: str


@dataclass(frozen=True, slots=True)
class Progress(Event):
    """`done` of `total` units of `what` are finished; `total` is 0 while it is not known."""

    what: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Note(Event):
    """Something a person should know; `level` is "info" or "warning"."""

    text: str
    level: str = "info"


@dataclass(frozen=True, slots=True)
class VehicleText(Event):
    """A text the vehicle sent (STATUSTEXT); `severity` is the syslog number, 0 emergency to 7 debug."""

    severity: int
    text: str


Reporter = Callable[[Event], None]


def silent(event: Event) -> None:
    """Drop every event."""
    del event
