"""How fast settings of a PX4 vehicle are listed and written, on the real simulator.

Run: python benchmarks/bench_px4.py [--runs 5] [--binary px4]

It starts `px4` from PATH (simulation in hardware) in a temporary folder and prints a Markdown table of medians with
ranges. Each full list is confirmed by the vehicle's checksum; "refresh" is the list again while the checksum stays the
same. Writes change 200 settings, compare each echo, and then read all 200 back by name; the old values come back
afterwards.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from dronekit_cfg.engine.connection import Connection, LinkOptions, connect
from dronekit_cfg.families.px4.quirks import phase_of, protected
from dronekit_cfg.model import Change, Kind, Phase, Setting, Value

WRITES = 200
OFF_LIMITS = ("CAL_", "CBRK_", "COM_", "MAV_", "SDLOG_", "SENS_", "SIH_", "SIM_", "SYS_", "TRIG_", "EKF2_", "IMU_")
"""Beginnings of settings that a simulator may not survive when they are changed at random."""
TARGETS = {"list": 0.6, "writes": 0.6}
"""Seconds."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--binary", default="")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dronekit-cfg-bench-", ignore_cleanup_errors=True) as folder:
        url = f"sitl:px4?dir={folder}" + (f"&binary={given.binary}" if given.binary else "")
        start = time.perf_counter()
        with connect(LinkOptions(url, family="px4", state_dir=Path(folder) / "state")) as connection:
            begun = time.perf_counter() - start
            time.sleep(5)  # its modules start and bring their settings along
            rows = [("start the simulator and identify", [begun], None), *measure(connection, given.runs)]
            who = connection.identity
    machine = f"{platform.system()} {platform.machine()}"
    print(f"PX4 {who.version_text} SITL, {machine}, Python {platform.python_version()}\n")
    print("| work | median (range) | target |")
    print("|---|---|---|")
    for what, seconds, target in rows:
        text = f"{statistics.median(seconds):.2f} s ({min(seconds):.2f} to {max(seconds):.2f})"
        print(f"| {what} | {text} | {f'{target:g} s' if target else ''} |")


def measure(connection: Connection, runs: int) -> list[tuple[str, list[float], float | None]]:
    """Give what was measured: work, seconds of each run, target."""
    driver: Any = connection.driver
    lists, refreshes, writes, backs = [], [], [], []
    for _ in range(runs):
        vars(driver)["_autopilot"].forget()  # or a checksum that stays the same would spare the list
        seconds, snapshot = timed(connection.snapshot)
        lists.append(seconds)
        refreshes.append(timed(connection.snapshot)[0])
    chosen = [s for s in snapshot.settings if usable(s)][:WRITES]
    assert len(chosen) == WRITES, f"only {len(chosen)} settings to change"
    for _ in range(runs):
        there = [Change(s.name, s.value, other(s.value), Phase.SET) for s in chosen]
        back = [Change(c.name, c.wanted, c.old or c.wanted, Phase.SET) for c in there]
        for changes in (there, back):
            started = time.perf_counter()
            outcomes = connection.run(driver.write(changes))
            written = time.perf_counter()
            found = connection.values([c.name for c in changes])
            writes.append(written - started)
            backs.append(time.perf_counter() - started)
            assert all(o.ok for o in outcomes), [o for o in outcomes if not o.ok]
            assert all(c.wanted.same(found[c.name]) for c in changes)
    count = len(snapshot.settings)
    return [
        (f"list of all {count} settings, confirmed by the vehicle's checksum", lists, TARGETS["list"]),
        ("the same again, nothing changed (checksum)", refreshes, None),
        (f"{WRITES} writes, every echo compared", writes, TARGETS["writes"]),
        (f"{WRITES} writes, every echo compared, and all read back", backs, None),
    ]


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Give how long it took and what it gave."""
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


def usable(setting: Setting) -> bool:
    """Whether a setting can be changed for a moment without harm."""
    name = setting.name
    return not name.startswith(OFF_LIMITS) and not protected(name) and phase_of(name) is Phase.SET


def other(value: Value) -> Value:
    """Give another value of the same kind."""
    if value.kind is Kind.REAL32:
        return Value(value.kind, value.number * 1.5 + 0.25)
    return Value(value.kind, int(value.number) ^ 1)


if __name__ == "__main__":
    main()
