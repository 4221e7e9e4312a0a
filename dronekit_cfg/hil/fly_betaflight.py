"""Runs one scenario on a Betaflight simulator of its own (`sitl:betaflight`), fed with a quad at rest."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.engine.interrupt import Stop
from dronekit_cfg.events import Reporter
from dronekit_cfg.hil.flight_betaflight import BetaflightFlight
from dronekit_cfg.hil.fly_steps import FlyOptions, apply_goal, differences, fly_and_land, fresh
from dronekit_cfg.hil.scenario import Scenario
from dronekit_cfg.hil.watch_msp import msp_driver
from dronekit_cfg.links.clock import RealClock
from dronekit_cfg.model import Identity
from dronekit_cfg.model.checked import Result
from dronekit_cfg.model.profile import Origin, Wanted
from dronekit_cfg.planner.plan import Goal
from dronekit_cfg.sitl.betaflight_feed import BetaflightFeed

__all__ = ["SWITCHES", "fly_betaflight"]

_POLL = 0.2
BOOTS = 5
"""How often the simulator is started until its tasks run."""
SWITCHES: Mapping[str, str] = {
    "aux.0": "0 0 1700 2100 0 0",
    "aux.1": "1 2 900 2100 0 0",
    "aux.2": "27 1 1700 2100 0 0",
}
"""Modes of every scenario: ARM on channel 5, ANGLE always, FAILSAFE on channel 6."""


def fly_betaflight(
    scenario: Scenario, options: FlyOptions, folder: Path, stop: Stop, report: Reporter
) -> tuple[Result, Identity, tuple[str, ...], tuple[Path, ...]]:
    """Run it; gives the result, who it was, what the rules had to say before, and the files to keep.

    The profile under test, and then what the scenario needs, are applied by our own engine; then the simulator starts
    once more from what it stored, and is fed. Several flights at a time wait for each other. Raises DronekitError.
    """
    with _turn(stop):
        return _fly(scenario, options, folder, stop, report)


@contextmanager
def _turn(stop: Stop) -> Iterator[None]:
    """Wait until no other flight of this computer uses the simulator: its port cannot be chosen."""
    from filelock import FileLock, Timeout

    lock = FileLock(Path(tempfile.gettempdir()) / "dronekit-cfg-betaflight-flights.lock")
    while not lock.is_locked:
        stop.check()
        with suppress(Timeout):
            lock.acquire(timeout=_POLL)
    try:
        yield
    finally:
        lock.release()


def _fly(
    scenario: Scenario, options: FlyOptions, folder: Path, stop: Stop, report: Reporter
) -> tuple[Result, Identity, tuple[str, ...], tuple[Path, ...]]:
    fresh(folder / "eeprom.bin")
    notes: tuple[str, ...] = ()
    with connect(_link(options, folder), clock=RealClock(), report=report, stop=stop) as connection:
        if options.goal is not None:
            notes = apply_goal(connection, options)
        apply_goal(connection, replace(options, goal=_goal(scenario)))
    files = folder / "link.jsonl", folder / "simulator.log"
    for last in (False,) * (BOOTS - 1) + (True,):
        link = _link(options, folder, files[0])
        feed = BetaflightFeed()
        with connect(link, clock=RealClock(), report=report, stop=stop) as connection:
            driver = msp_driver(connection)
            assert driver is not None
            flight = BetaflightFlight(driver, feed)
            feed.start()
            try:
                if not last and not connection.run(flight.wakes()):
                    continue
                result = fly_and_land(connection, flight, scenario)
            finally:
                feed.stop()
            result = replace(result, differs=differences(connection, options, scenario))
            return result, connection.identity, notes, files
    raise AssertionError


def _goal(scenario: Scenario) -> Goal:
    origin = Origin(scenario.name)
    values: dict[str, float | str] = {**SWITCHES, **scenario.settings, **scenario.texts}
    digest = sha256(repr(sorted(values.items())).encode()).hexdigest()
    return Goal(scenario.name, digest, tuple(Wanted(n, v, origin) for n, v in values.items()))


def _link(options: FlyOptions, folder: Path, record: Path | None = None) -> LinkOptions:
    url = f"sitl:betaflight?dir={quote(str(folder.resolve()))}"
    url += f"&binary={quote(options.binary)}" if options.binary else ""
    return LinkOptions(url, family="betaflight", record=fresh(record) if record else None, state_dir=options.state_dir)
