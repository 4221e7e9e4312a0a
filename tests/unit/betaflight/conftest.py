"""Rigs: the same driver tests run on the simulated twins and on the real simulators where they are installed."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from dronekit_cfg.engine.runner import Runner
from dronekit_cfg.errors import LinkError, LinkOpenError
from dronekit_cfg.events import Event
from dronekit_cfg.families.betaflight.cli_driver import CliDriver
from dronekit_cfg.families.betaflight.driver import BetaflightDriver
from dronekit_cfg.families.betaflight.simulated import make_simulated as make_betaflight
from dronekit_cfg.families.inav.driver import InavDriver
from dronekit_cfg.families.inav.simulated import make_simulated as make_inav
from dronekit_cfg.links.base import Link
from dronekit_cfg.links.clock import RealClock, VirtualClock
from dronekit_cfg.links.url import parse
from dronekit_cfg.model import Change, Identity, Outcome, Phase, Snapshot
from dronekit_cfg.sim.link import MemoryLink
from dronekit_cfg.sitl import betaflight as sitl_betaflight
from dronekit_cfg.sitl import inav as sitl_inav
from dronekit_cfg.talk.flow import Flow, Session

DRIVERS: Mapping[str, type[CliDriver]] = {"betaflight": BetaflightDriver, "inav": InavDriver}
TWINS = {"betaflight": make_betaflight, "inav": make_inav}
SITL_LOCK = Path(tempfile.gettempdir()) / "dronekit-cfg-betaflight-sitl.lock"


@dataclass
class Bench:
    """One vehicle on one link, and a driver for it."""

    family: str
    link: Link
    clock: Any
    real: bool
    vehicle: Any = None
    events: list[Event] = field(default_factory=list)
    driver: CliDriver = field(init=False)

    def __post_init__(self) -> None:
        self.fresh_driver()

    def fresh_driver(self) -> None:
        """Be another run of the tool."""
        self.driver = DRIVERS[self.family](Session(self.clock.now, self.events.append))
        self.runner = Runner(self.link, self.driver.codec, self.clock)

    def run(self, flow: Flow[Any], limit: float = 60.0) -> Any:
        return self.runner.run(flow, limit=limit)

    def identify(self) -> Identity:
        """Identify as the engine does after a reboot: open again until the vehicle answers."""
        end = self.clock.now() + 20
        while True:
            try:
                found: Identity = self.run(self.driver.identify())
            except LinkError:
                if self.clock.now() > end:
                    raise
                self.clock.sleep(0.2)
                with contextlib.suppress(LinkError):
                    self.link.reopen()
                self.driver.forget()
            else:
                return found

    def back(self) -> Identity:
        """Come back after a reboot."""
        with contextlib.suppress(LinkError):
            self.link.reopen()
        self.driver.forget()
        return self.identify()

    def snapshot(self) -> Snapshot:
        found: Snapshot = self.run(self.driver.snapshot(taken="2026-11-22T00:00:00Z"))
        return found

    def write(self, snapshot: Snapshot, values: Mapping[str, Any]) -> tuple[Outcome, ...]:
        changes = [
            Change(n, snapshot.value(n), self.driver.coerce(n, v, snapshot.by_name.get(n)), Phase.SET)
            for n, v in values.items()
        ]
        found: tuple[Outcome, ...] = self.run(self.driver.write(changes))
        return found


def sim(family: str, options: Mapping[str, str], state: Path | None = None) -> Bench:
    clock = VirtualClock()
    vehicle = TWINS[family](family, {"parts": "none", **options}, state_dir=state)  # as the recorded ones were
    link = MemoryLink(f"sim:{family}", vehicle, clock)
    link.open()
    return Bench(family, link, clock, real=False, vehicle=vehicle)


MakeSim = Callable[..., Bench]


@pytest.fixture
def make_sim() -> MakeSim:
    """Make a bench with a simulated twin: make_sim("betaflight", fault="stall:0.5")."""

    def make(family: str = "betaflight", state: Path | None = None, **options: str) -> Bench:
        return sim(family, options, state)

    return make


@contextlib.contextmanager
def sitl(family: str, folder: Path) -> Iterator[Bench]:
    clock = RealClock()
    url = parse(f"sitl:{family}?dir={folder}&fresh")
    maker = {"betaflight": sitl_betaflight.make_sitl_link, "inav": sitl_inav.make_sitl_link}[family]
    try:
        link = maker(url, clock)
    except LinkOpenError as error:
        pytest.skip(f"{family} SITL: {error}; {error.hint}")
    with FileLock(SITL_LOCK, timeout=600) if family == "betaflight" else contextlib.nullcontext():
        try:
            link.open()
        except LinkOpenError as error:
            if "in use" not in str(error):
                raise
            pytest.skip(f"{family} SITL: {error}")
        try:
            yield Bench(family, link, clock, real=True)
        finally:
            link.close()


RIGS = [
    pytest.param(("betaflight", "4.6"), id="sim-betaflight-4.6"),
    pytest.param(("betaflight", "2026.12"), id="sim-betaflight-2026.12"),
    pytest.param(("inav", "9.0"), id="sim-inav-9.0"),
    pytest.param(
        ("betaflight", ""), id="sitl-betaflight", marks=[pytest.mark.sitl, pytest.mark.xdist_group("bf-sitl")]
    ),
    pytest.param(("inav", ""), id="sitl-inav", marks=pytest.mark.sitl),
]


@pytest.fixture(params=RIGS)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    """A freshly wiped, identified vehicle: both twins, and both real simulators where they are installed."""
    family, version = request.param
    if version:
        made = sim(family, {"version": version})
        made.identify()
        yield made
    else:
        with sitl(family, tmp_path / "sitl") as made:
            made.identify()
            yield made
