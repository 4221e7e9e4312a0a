"""MAVSDK's parameter plugin: get_all_params, and set_param_int or set_param_float one by one.

Run by bench_ardupilot.py in a virtual environment of its own: HOST:PORT WORK CHANGES.json, where WORK is download or
write. Prints one JSON line.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from mavsdk.component_type import ComponentType
from mavsdk.mavsdk import Configuration, Mavsdk
from mavsdk.plugins.param import Param


def main() -> None:
    address, work, file = sys.argv[1:4]
    changes: list[list] = json.loads(Path(file).read_text())
    start = time.perf_counter()
    mavsdk = Mavsdk(Configuration.create_with_component_type(ComponentType.GROUND_STATION))
    mavsdk.add_any_connection(f"tcpout://{address}")
    system = mavsdk.first_autopilot(30.0)
    param = Param(system)
    connected = time.perf_counter()
    found = failed = 0
    if work == "download":
        everything = param.get_all_params()
        found = len(everything.int_params) + len(everything.float_params)
    else:
        for name, kind, value, _ in changes:
            try:
                if kind == "REAL32":
                    param.set_param_float(name, value)
                else:
                    param.set_param_int(name, int(value))
            except Exception:  # noqa: BLE001 - whatever its error is, the write was not confirmed
                failed += 1
    done = time.perf_counter()
    print(json.dumps({"connect": connected - start, "seconds": done - connected, "settings": found, "failed": failed}))
    sys.stdout.flush()
    mavsdk.destroy()


if __name__ == "__main__":
    main()
