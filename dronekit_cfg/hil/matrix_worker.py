"""The pytest side of `sitl matrix`: every flight is a test item; workers land and end when they are asked to.

Loaded with `-p` by `hil.matrix` alone, in the controlling process and in each worker of pytest-xdist.
"""

from __future__ import annotations

import os
import sys
import threading
import traceback
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.engine.interrupt import Stop
from dronekit_cfg.errors import Interrupted
from dronekit_cfg.hil.fly import fly_one
from dronekit_cfg.hil.matrix import STOP, Cell, read_cells, write_result
from dronekit_cfg.model.checked import Result, Verdict
from dronekit_cfg.text import t

__all__ = ["Flights", "pytest_collect_file", "pytest_configure"]

_POLL = 0.2
_LANDING_SECONDS = 100.0
"""How long xdist may wait for workers that land; its own ten seconds would kill them in the air."""


def pytest_configure(config: pytest.Config) -> None:
    """In the controlling process: give flights the time to land, and end them when our parent has gone."""
    if hasattr(config, "workerinput"):
        return
    import_module("xdist.workermanage").NodeManager.EXIT_TIMEOUT = _LANDING_SECONDS
    threading.Thread(target=_stop_with_parent, args=(config.rootpath,), daemon=True).start()


def _stop_with_parent(folder: Path) -> None:
    """Our standard input is a pipe that our parent holds: it ends when the parent does."""
    sys.stdin.buffer.read()
    (folder / STOP).touch()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take the list of flights for a file of tests."""
    return Flights.from_parent(parent, path=file_path) if file_path.suffix == ".cells" else None


class Flights(pytest.File):
    """The list of flights."""

    def collect(self) -> Iterator[pytest.Item]:
        """Give one item for each flight."""
        for number, cell in enumerate(read_cells(self.path.parent)):
            yield _Flight.from_parent(self, name=f"{number}-{cell.scenario.name}", number=number, cell=cell)


class _Flight(pytest.Item):
    """One flight on a simulator of its own."""

    def __init__(self, *, number: int, cell: Cell, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._number, self._cell = number, cell

    def runtest(self) -> None:
        """Fly, and write what was found; nothing is flown any more once a stop is asked for."""
        folder = self.path.parent
        if (folder / STOP).exists():
            pytest.exit("stopped on request")
        stop, done = Stop(), threading.Event()
        watch = threading.Thread(target=_watch, args=(folder, stop, done), daemon=True)
        watch.start()
        scenario = self._cell.scenario
        try:
            flown = fly_one(scenario, self._cell.options, self._number, stop=stop)
        except Interrupted:
            pytest.exit("stopped on request")
        except Exception as error:  # noqa: BLE001  a flight that breaks must not take the others with it
            traceback.print_exc()
            reason = t("internal error: {kind}: {error}", kind=type(error).__name__, error=error)
            flown = Result(scenario.name, scenario.title, Verdict.ERROR, reason), None
        finally:
            done.set()
            watch.join()
        write_result(folder, self._number, flown)


def _watch(folder: Path, stop: Stop, done: threading.Event) -> None:
    """Pass a stop request on to a flight; end a worker whose controlling process has gone."""
    parent = os.getppid()
    while not done.wait(_POLL):
        if not stop.asked and ((folder / STOP).exists() or os.getppid() != parent):
            stop.ask()
