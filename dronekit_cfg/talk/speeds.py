"""Find the speed of a port that a module is behind: listen at each first, and ask only where nothing was heard.

Bytes at a wrong speed are noise to the module too, but noise that it may take for something. So each speed is listened
to before any is asked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from dronekit_cfg.events import Note
from dronekit_cfg.talk.flow import Codec, Flow, Session, Wait
from dronekit_cfg.text import t

__all__ = ["find_speed"]

T = TypeVar("T")


def find_speed(
    session: Session,
    codec: Codec,
    speeds: Sequence[int],
    *,
    listen: float,
    sounds_right: Callable[[], bool],
    ask: Callable[[], Flow[T | None]],
) -> Flow[T | None]:
    """Try each speed: `listen` seconds for what `sounds_right`, then `ask` at those that were silent.

    Gives what `ask` gave at the right speed, and leaves the port there. None when no speed is right, or the link has
    none that can be changed; the port is as fast as before then.
    """
    before: int | None = None
    for listening in (True, False):
        for speed in speeds:
            changed = yield Wait(baud=speed)
            if changed is None:
                return None
            before = changed if before is None else before
            codec.reset()
            if listening:
                until = session.now() + listen
                while not sounds_right() and session.now() < until:
                    yield Wait(b"", min(until, session.now() + 0.1))
                if not sounds_right():
                    continue
            found = yield from ask()
            if found is not None:
                session.report(Note(t("the module answers at {speed} baud", speed=speed)))
                return found
    if before is not None:
        yield Wait(baud=before)
    return None
