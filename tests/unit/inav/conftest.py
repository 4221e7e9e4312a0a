"""Benches with the simulated INAV."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from dronekit_cfg.engine.runner import Runner
from dronekit_cfg.errors import LinkError
from dronekit_cfg.families.inav.driver import InavDriver
from dronekit_cfg.families.inav.simulated import make_simulated
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.sim.link import MemoryLink
from dronekit_cfg.talk.flow import Flow, Session


@dataclass
class Bench:
    vehicle: Any
    clock: VirtualClock = field(default_factory=VirtualClock)

    def __post_init__(self) -> None:
        self.link = MemoryLink("sim:inav", self.vehicle, self.clock)
        self.link.open()
        self.driver = InavDriver(Session(self.clock.now))
        self.runner = Runner(self.link, self.driver.codec, self.clock)

    def run(self, flow: Flow[Any]) -> Any:
        return self.runner.run(flow, limit=60)

    def back(self) -> None:
        for _ in range(20):
            with contextlib.suppress(LinkError):
                self.link.reopen()
                self.driver.forget()
                self.run(self.driver.identify())
                return
            self.clock.sleep(0.3)
        raise AssertionError("the vehicle does not come back")


@pytest.fixture
def make_inav() -> Callable[..., Bench]:
    def make(**options: str) -> Bench:
        return Bench(make_simulated("inav", options, state_dir=None))

    return make
