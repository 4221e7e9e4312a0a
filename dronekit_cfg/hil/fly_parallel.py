"""Flies scenarios in several processes that all land when one stop is asked for, and that never outlive their parent.

Ctrl-C reaches every process of a terminal, `kill` only the one it names: so the workers leave signals alone, and hear
of a stop from the parent alone. A worker whose parent has gone lands and ends.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import Any, TypeVar

from dronekit_cfg.engine.interrupt import Stop
from dronekit_cfg.errors import Interrupted
from dronekit_cfg.text import t

__all__ = ["in_parallel"]

T = TypeVar("T")
A = TypeVar("A")

_POLL = 0.2
LANDING_SECONDS = 120.0
"""How long a worker whose parent has gone may take to land before it ends all the same."""
_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class _Worker:
    """What one worker process knows: the stop of its flight, and whether it flies."""

    stop = Stop()
    idle = threading.Event()


def in_parallel(work: Callable[[A, Stop], T], items: Sequence[A], jobs: int, lost: Callable[[A], T]) -> Iterator[T]:
    """Give the results of `work` for all items as they come; `lost` makes that of an item whose process died.

    Raises Interrupted on a stop request, after all that was under way has ended.
    """
    context = get_context("spawn")
    asked = context.Value("i", 0)
    stop = Stop()
    with stop.on_signals(), ProcessPoolExecutor(jobs, context, _begin, (asked,)) as pool:
        running: dict[Future[T], A] = {pool.submit(_work, work, item): item for item in items}
        try:
            while running:
                done, _ = wait(running, _POLL, FIRST_COMPLETED)
                if stop.asked:
                    raise Interrupted(t("stopped on request"))
                for future in done:
                    yield _result(future, running.pop(future), lost)
        finally:
            for future in running:
                future.cancel()
            while any(not f.done() for f in running):
                asked.value = stop.count or 1
                wait(running, _POLL)


def _result(future: Future[T], item: A, lost: Callable[[A], T]) -> T:
    try:
        return future.result()
    except BrokenProcessPool:
        return lost(item)


def _work(work: Callable[[A, Stop], T], item: A) -> T:
    """Do one piece of work in a worker."""
    _Worker.idle.clear()
    try:
        return work(item, _Worker.stop)
    finally:
        _Worker.idle.set()


def _begin(asked: Any) -> None:
    """Begin a worker process."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    _Worker.idle.set()
    threading.Thread(target=_watch, args=(asked,), daemon=True).start()


def _watch(asked: Any) -> None:
    parent, told = parent_process(), 0
    while parent is None or parent.is_alive():
        for _ in range(told, asked.value):
            _Worker.stop.ask()
        told = max(told, asked.value)
        time.sleep(_POLL)
    _Worker.stop.ask()
    _Worker.idle.wait(LANDING_SECONDS)
    os._exit(1)
