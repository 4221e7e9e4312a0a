from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.engine.connection import Connection, LinkOptions, connect
from dronekit_cfg.events import Event, silent
from dronekit_cfg.links.clock import VirtualClock

GOLDEN = Path(__file__).parents[2] / "golden" / "px4"


@pytest.fixture(scope="session")
def recorded() -> list[dict[str, Any]]:
    """What a real PX4 of 2024-10 and a ground station said, without the telemetry."""
    with gzip.open(GOLDEN / "session-sih-quad-2024-10.jsonl.gz", "rt") as lines:
        return [json.loads(line) for line in lines]


@pytest.fixture(scope="session")
def listed() -> list[tuple[str, str, float]]:
    """Name, type and value of the 889 settings that it listed."""
    rows = json.loads((GOLDEN / "params-sih-quad-2024-10.json").read_text())
    return [(name, kind, value) for name, kind, value in rows]


@pytest.fixture
def px4(tmp_path: Path) -> Callable[..., Any]:
    """Open a connection to the twin, as a new run of the tool would; events are kept in the list that is given."""

    @contextmanager
    def opened(options: str = "", events: list[Event] | None = None, **more: Any) -> Iterator[Connection]:
        clock = VirtualClock()
        url = "sim:px4-copter" + (f"?{options}" if options else "")
        keep = silent if events is None else events.append
        with connect(LinkOptions(url, state_dir=tmp_path, **more), clock=clock, report=keep) as connection:
            yield connection

    return opened
