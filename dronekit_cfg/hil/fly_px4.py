"""Flies one scenario on a PX4 simulator of its own (`sitl:px4`), which ends with the link."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.engine.interrupt import Stop
from dronekit_cfg.events import Reporter
from dronekit_cfg.hil.bench import mavlink
from dronekit_cfg.hil.flight_px4 import Px4Flight
from dronekit_cfg.hil.fly_steps import FlyOptions, apply_goal, differences, fly_and_land, fresh
from dronekit_cfg.hil.scenario import Scenario
from dronekit_cfg.links.clock import RealClock
from dronekit_cfg.model import Identity
from dronekit_cfg.model.checked import Result
from dronekit_cfg.sitl.px4 import MEMORY, SPEED_WRITES

__all__ = ["SPEEDUP", "fly_px4"]

SPEEDUP = 5.0
"""Faster, and half a second without the sticks' messages is over before a computer under load has sent the next."""


def fly_px4(
    scenario: Scenario, options: FlyOptions, folder: Path, stop: Stop, report: Reporter
) -> tuple[Result, Identity, tuple[str, ...], tuple[Path, ...]]:
    """Fly it; gives the result, who flew, what the rules had to say before, and the files to keep.

    A profile under test is applied at real time, because the engine tells a reboot by the vehicle's uptime against our
    clock; then the simulator starts once more, faster, from what it stored. Raises DronekitError.
    """
    for name in MEMORY:
        fresh(folder / name)
    notes: tuple[str, ...] = ()
    wanted: dict[str, float] = dict(SPEED_WRITES) if options.speedup != 1 else {}
    if options.goal is not None:
        with connect(_link(options, folder, 1.0), clock=RealClock(), report=report, stop=stop) as connection:
            notes = apply_goal(connection, options)
        chosen = {w.name: float(w.value) for w in options.goal.wanted if w.name in wanted}
        wanted |= chosen
    wanted |= scenario.settings
    link = _link(options, folder, options.speedup, folder / "link.jsonl")
    with connect(link, clock=RealClock(), report=report, stop=stop) as connection:
        flight = Px4Flight(mavlink(connection))
        connection.run(flight.write_all(wanted))
        result = fly_and_land(connection, flight, scenario)
        result = replace(result, differs=differences(connection, options, scenario))
        identity = connection.identity
    logs = sorted((folder / "log").rglob("*.ulg"))
    return result, identity, notes, (*logs, folder / "link.jsonl", folder / "simulator.log")


def _link(options: FlyOptions, folder: Path, speed: float, record: Path | None = None) -> LinkOptions:
    url = f"sitl:px4?dir={quote(str(folder.resolve()))}&speedup={speed:g}"
    url += f"&binary={quote(options.binary)}" if options.binary else ""
    return LinkOptions(url, family="px4", record=fresh(record) if record else None, state_dir=options.state_dir)
