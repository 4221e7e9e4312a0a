"""A module on a link, as one run of the tool sees it: for the tests of u-blox, SiK and ELRS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.engine.connection import Connection, LinkOptions, connect
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model import Origin, Scalar, Wanted
from dronekit_cfg.planner.plan import Goal


class Bench:
    """Connects to twins on one virtual clock and one state folder."""

    def __init__(self, folder: Path) -> None:
        self.clock = VirtualClock()
        self.state = StateDir(folder)

    @contextmanager
    def connect(self, url: str) -> Iterator[Connection]:
        options = LinkOptions(url, state_dir=self.state.root)
        with connect(options, clock=self.clock) as connection:
            yield connection

    @staticmethod
    def goal_of(values: dict[str, Scalar]) -> Goal:
        origin = Origin("test")
        return Goal("test", "sha256:0", tuple(Wanted(n, v, origin) for n, v in values.items()))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "state")


@pytest.fixture
def twin() -> Callable[[Connection], Any]:
    """Give the simulated module behind a connection."""

    def find(connection: Connection) -> Any:
        link: Any = connection.link
        return link._vehicle

    return find
