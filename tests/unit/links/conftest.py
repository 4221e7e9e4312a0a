"""Fixtures of the link tests."""

from __future__ import annotations

import pytest

from dronekit_cfg.links.clock import VirtualClock


@pytest.fixture
def clock() -> VirtualClock:
    """Give a clock that only tests advance; it starts at a round time so that sums of seconds stay exact."""
    return VirtualClock(1024.0)
