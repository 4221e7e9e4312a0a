"""Flights of real simulators, which reckon with a computer of their own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock


@pytest.fixture
def air() -> Iterator[None]:
    """One flight at a time, whatever the number of test processes: two on two cores disturb each other."""
    with FileLock(Path(tempfile.gettempdir()) / "dronekit-cfg-flights.lock", timeout=900):
        yield
