"""Times the drivers of radio and GNSS modules on their twins, over emulated serial lines, on a virtual clock.

Run: python benchmarks/bench_modules.py [--json]
A twin paces its port as the baud rate does. What a module itself needs is assumed (u-blox 4 ms to answer and 1 ms
for each request, ExpressLRS 8 ms), so these numbers show what the conversations cost, not how quick a chip is.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from dronekit_cfg.engine.connection import Connection, LinkOptions, connect
from dronekit_cfg.formats.compose import resolve
from dronekit_cfg.formats.library import Library
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model import Change, Phase, Verdict

RECEIVERS = ("m8", "m9", "f9", "m10")
SNAPSHOT = {38400: 1.5, 115200: 0.6}
WRITE = 1.0
RADIO, TREE = 3.0, 2.5


def resilient(connection: Connection) -> list[Change]:
    """Give the changes of the shipped resilient overlay that this receiver needs."""
    shown = connection.snapshot().by_name
    wanted = resolve("base/ublox+gnss-ublox-resilient", Library(), family="ublox").settings
    changes = []
    for item in wanted:
        if (old := shown.get(item.name)) is not None:
            value = connection.driver.coerce(item.name, item.value, old)
            changes += [Change(item.name, old.value, value, Phase.SET)] * (not value.same(old.value))
    return changes


def receivers(clock: VirtualClock) -> Iterator[tuple[str, float, float]]:
    """Measure u-blox receivers: first snapshot, and a resilient profile written and read back."""
    for kind in RECEIVERS:
        for baud, budget in SNAPSHOT.items():
            with connect(LinkOptions(f"sim:ublox-{kind}?baud={baud}"), clock=clock) as connection:
                start = clock.now()
                connection.snapshot()
                yield f"u-blox {kind}, first snapshot at {baud}", clock.now() - start, budget
                if baud == max(SNAPSHOT):
                    changes = resilient(connection)
                    start = clock.now()
                    outcomes = connection.run(connection.driver.write(changes))
                    assert {o.verdict for o in outcomes} == {Verdict.WRITTEN}
                    name = f"u-blox {kind}, {len(changes)} changes written and read back at {baud}"
                    yield name, clock.now() - start, WRITE


def radios(clock: VirtualClock) -> Iterator[tuple[str, float, float]]:
    """Measure a SiK radio alone, from silence to its table, and the tree of an ExpressLRS module."""
    with connect(LinkOptions("sim:sik-pair"), clock=clock) as connection:
        driver: Any = connection.driver
        connection.run(driver.at.leave())
        clock.sleep(5)
        start = clock.now()
        connection.run(driver.at.enter())
        connection.run(driver.at.table())
        yield "SiK, near radio, guard times included", clock.now() - start, RADIO
    with connect(LinkOptions("sim:elrs-tx"), clock=clock) as connection:
        start = clock.now()
        connection.snapshot()
        yield "ELRS, whole tree at 460800", clock.now() - start, TREE


def main() -> int:
    """Print a table or JSON; 1 when a budget is exceeded."""
    clock = VirtualClock()
    rows = [*receivers(clock), *radios(clock)]
    if "--json" in sys.argv:
        print(json.dumps([{"work": w, "seconds": round(s, 3), "budget": b} for w, s, b in rows]))
    else:
        print("\n".join(f"{w:<62} {s:6.3f} s  (budget {b:g} s)" for w, s, b in rows))
    return int(any(seconds > budget for _, seconds, budget in rows))


if __name__ == "__main__":
    sys.exit(main())
