"""The one loop that drives a conversation over a link."""

from __future__ import annotations

from typing import Any, TypeVar

from dronekit_cfg.engine.interrupt import Stop
from dronekit_cfg.errors import LinkError, NoAnswer
from dronekit_cfg.links.base import Clock, Link
from dronekit_cfg.talk.flow import Codec, Flow
from dronekit_cfg.text import t

__all__ = ["Runner"]

T = TypeVar("T")

SLICE = 0.2
"""Longest single wait on the link in seconds: how late a Ctrl-C may be noticed."""


class Runner:
    """Runs flows: writes what they yield, feeds what arrives, resumes them at their deadlines.

    `sent` and `received` count the bytes both ways.
    """

    def __init__(self, link: Link, codec: Codec, clock: Clock, stop: Stop | None = None) -> None:
        self.link = link
        self.codec = codec
        self.clock = clock
        self.stop = stop or Stop()
        self.sent = 0
        self.received = 0

    def run(self, flow: Flow[T], *, limit: float | None = None) -> T:
        """Run `flow` to its end and give its result.

        `limit` bounds the whole flow in seconds (NoAnswer when it is passed). Link errors are thrown into the flow, so
        that it may expect them (a reboot does) or let them pass.
        """
        end = None if limit is None else self.clock.now() + limit
        try:
            wait = next(flow)
            while True:
                try:
                    if wait.send:
                        self.link.write(wait.send)
                        self.sent += len(wait.send)
                    if wait.baud:
                        before = self.link.baud
                        event: Any | None = before if self.link.set_baud(wait.baud) else None
                    else:
                        event = None if wait.until is None else self._next(wait.until)
                except LinkError as error:
                    wait = flow.throw(error)
                    continue
                if end is not None and self.clock.now() > end:
                    raise NoAnswer(
                        t("not finished within {limit:g} s", limit=limit),
                        hint=t("give it more time with --timeout, or use a faster link"),
                    )
                wait = flow.send(event)
        except StopIteration as done:
            result: T = done.value
            return result
        finally:
            flow.close()

    def _next(self, until: float) -> Any | None:
        """Give the next message, or None at `until`."""
        while True:
            event = self.codec.next_event()
            if event is not None:
                return event
            self.stop.check()
            left = until - self.clock.now()
            if left <= 0:
                return None
            data = self.link.read(min(left, SLICE))
            if data:
                self.received += len(data)
                self.codec.receive_data(data)
