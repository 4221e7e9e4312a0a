"""When a vehicle counts as rebooted: by its uptime, which only a boot can make less."""

from __future__ import annotations

from functools import partial
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
        (None, 60.0, None),
    ],
)
def test_a_vehicle_has_rebooted_when_its_uptime_fell(
    uptime: float | None, was_up: float, rebooted: bool | None
) -> None:
    fake: Any = SimpleNamespace(
        run=lambda value: value,
        driver=SimpleNamespace(uptime=lambda: uptime),
        runner=SimpleNamespace(clock=SimpleNamespace(now=lambda: 105.0)),
    )
    assert Connection._booted_since(cast("Connection", fake), 100.0, was_up) is rebooted


@pytest.mark.parametrize(
    ("told", "came_back"),
    [
        ([None, None, None, 3.0], True),  # it is long in starting and says nothing meanwhile: that is no refusal
        ([None, 69.0], False),  # it did tell in the end, and had not rebooted
    ],
)
def test_a_vehicle_that_does_not_tell_its_uptime_yet_is_waited_for(told: list[float | None], came_back: bool) -> None:
    """An ArduCopter with DroneCAN on took 5.4 s until it told the time, and was asked to reboot again meanwhile."""
    moment = [100.0]
    times = iter(told)

    def wait(seconds: float = 3.0) -> None:
        moment[0] += seconds

    def run(value: object) -> object:
        wait()
        return value

    clock = SimpleNamespace(now=lambda: moment[0], sleep=wait)
    driver = SimpleNamespace(
        uptime=lambda: next(times),
        identify=lambda: None,
        forget=lambda: None,
        traits=SimpleNamespace(boot_seconds=60.0),
    )
    fake: Any = SimpleNamespace(
        run=run,
        driver=driver,
        runner=SimpleNamespace(clock=clock, run=run),
        link=SimpleNamespace(reopen=lambda: None),
        stop=SimpleNamespace(check=lambda: None),
        _require_same=lambda _: None,
    )
    fake._booted_since = partial(Connection._booted_since, fake)
    assert Connection.reconnect(cast("Connection", fake), rebooted_at=100.0, was_up=60.0) is came_back
