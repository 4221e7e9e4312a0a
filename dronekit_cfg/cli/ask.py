"""Questions to the operator on the terminal, with a time limit: no answer in time is no answer."""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dronekit_cfg.cli.output import Output

__all__ = ["terminal_question"]

LOOK_SECONDS = 0.2


def _rest() -> None:
    time.sleep(LOOK_SECONDS)


def terminal_question(out: Output, idle: Callable[[], None] = _rest) -> Callable[[str, float], str | None]:
    """Give a function that asks on stderr and waits on stdin for so many seconds; None when nobody answers.

    A thread reads, because a wait with a limit on a terminal is not there on Windows. It outlives an unanswered
    question: the line that then comes answers nothing, and is dropped. `idle` is called again and again meanwhile, for
    a fraction of a second each: it keeps the vehicle company, and raises when a stop was requested or the link is lost.
    A terminal that was closed answers nothing, at once.
    """
    lines: queue.Queue[str | None] = queue.Queue()
    reader: list[threading.Thread] = []

    def read() -> None:
        for line in iter(sys.stdin.readline, ""):
            lines.put(line)
        lines.put(None)

    def ask(question: str, seconds: float) -> str | None:
        if not reader:
            reader.append(threading.Thread(target=read, daemon=True))
            reader[0].start()
        while not lines.empty() or not reader[0].is_alive():
            if lines.empty() or lines.get_nowait() is None:
                return None
        out.say(question)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            idle()
            if not lines.empty():
                answer = lines.get_nowait()
                return answer if answer is None else answer.rstrip("\r\n")
        return None

    return ask
