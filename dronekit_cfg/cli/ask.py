"""Questions to the operator on the terminal, with a time limit: no answer in time is no answer."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dronekit_cfg.cli.output import Output

__all__ = ["terminal_question"]


def terminal_question(out: Output) -> Callable[[str, float], str | None]:
    """Give a function that asks on stderr and waits on stdin for so many seconds; None when nobody answers.

    A thread reads, because a wait with a limit on a terminal is not there on Windows. It outlives an unanswered
    question: the line that then comes answers nothing, and is dropped.
    """
    lines: queue.Queue[str] = queue.Queue()
    reader: list[threading.Thread] = []

    def read() -> None:
        for line in iter(sys.stdin.readline, ""):
            lines.put(line)

    def ask(question: str, seconds: float) -> str | None:
        if not reader:
            reader.append(threading.Thread(target=read, daemon=True))
            reader[0].start()
        while not lines.empty():
            lines.get_nowait()
        out.say(question)
        try:
            return lines.get(timeout=seconds).rstrip("\r\n")
        except queue.Empty:
            return None

    return ask
