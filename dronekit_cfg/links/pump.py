"""Runs a conversation over a link that another link is built on, such as the flight controller's below `via:`."""

from __future__ import annotations

from typing import Any, TypeVar

from dronekit_cfg.errors import LinkError
from dronekit_cfg.links.base import Clock, Link
from dronekit_cfg.talk.flow import Codec, Flow

__all__ = ["run_flow"]

T = TypeVar("T")


def run_flow(flow: Flow[T], link: Link, codec: Codec, clock: Clock) -> T:
    """Run `flow` to its end and give its result. Link errors are thrown into the flow."""
    try:
        wait = next(flow)
        while True:
            try:
                if wait.send:
                    link.write(wait.send)
                before = link.baud
                event: Any | None = before if wait.baud and link.set_baud(wait.baud) else None
                if wait.until is not None:
                    event = _next(wait.until, link, codec, clock)
            except LinkError as error:
                wait = flow.throw(error)
                continue
            wait = flow.send(event)
    except StopIteration as done:
        result: T = done.value
        return result
    finally:
        flow.close()


def _next(until: float, link: Link, codec: Codec, clock: Clock) -> Any | None:
    while (event := codec.next_event()) is None and (left := until - clock.now()) > 0:
        codec.receive_data(link.read(left))
    return event
