"""ArduPilot MethodicConfigurator as its upload does it: set all without a confirmation, then download all again.

Run by bench_ardupilot.py in a virtual environment of its own: HOST:PORT WORK CHANGES.json, where WORK is download or
write. Prints one JSON line.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

from ardupilot_methodic_configurator.backend_flightcontroller import FlightController


def main() -> None:
    address, work, file = sys.argv[1:4]
    changes: list[list] = json.loads(Path(file).read_text())
    os.chdir(tempfile.mkdtemp())
    start = time.perf_counter()
    vehicle = FlightController()
    problem = vehicle.connect(f"tcp:{address}")
    if problem:
        raise SystemExit(problem)
    connected = time.perf_counter()
    if work != "download":
        for name, _, value, _ in changes:
            vehicle.set_param(name, value)
    found, _ = vehicle.download_params(None, Path("found.param"), Path("defaults.param"))
    done = time.perf_counter()
    failed = 0
    if work != "download":
        wanted = {name: value for name, _, value, _ in changes}
        failed = sum(abs(found.get(n, 1e30) - v) > 1e-8 + 1e-4 * abs(v) for n, v in wanted.items())
    print(
        json.dumps(
            {"connect": connected - start, "seconds": done - connected, "settings": len(found), "failed": failed}
        )
    )
    vehicle.disconnect()


if __name__ == "__main__":
    main()
