"""When a vehicle counts as rebooted: by its uptime, which only a boot can make less."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from dronekit_cfg.engine.connection import Connection


@pytest.mark.parametrize(
    ("uptime", "was_up", "rebooted"),
    [
        (4.0, 60.0, True),  # up for less than the 5 s since we asked
        (12.0, 60.0, True),  # a simulator's clock that runs ahead of ours: less than before is proof enough
        (66.0, 60.0, False),  # the command was lost
        (6.2, 5.5, True),  # a little ahead of ours: had it stayed up, it would be at 10.5 s
        (10.5, 5.5, False),  # it did stay up
        (6.0, 1.0, False),  # and here too
        (12.0, 3.0, False),  # asked soon after it was switched on, and still up since then
        (None, 60.0, False),
    ],
)
def test_a_vehicle_has_rebooted_when_its_uptime_fell(uptime: float | None, was_up: float, rebooted: bool) -> None:
    fake: Any = SimpleNamespace(
        run=lambda value: value,
        driver=SimpleNamespace(uptime=lambda: uptime),
        runner=SimpleNamespace(clock=SimpleNamespace(now=lambda: 105.0)),
    )
    assert Connection._booted_since(cast("Connection", fake), 100.0, was_up) is rebooted
