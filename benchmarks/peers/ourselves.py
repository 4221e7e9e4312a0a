"""dronekit-cfg, measured as the others are: HOST:PORT WORK CHANGES.json, where WORK is download, write or write-echo.

"write" compares every echo and reads everything back; "write-echo" only compares every echo. Prints one JSON line, with
the bytes that arrived from "connected" to "done".
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.model import Change, Kind, Phase, Value


def main() -> None:
    address, work, file = sys.argv[1:4]
    changes = [
        Change(name, Value(Kind(kind), old), Value(Kind(kind), value), Phase.SET)
        for name, kind, value, old in json.loads(Path(file).read_text())
    ]
    wanted = {change.name: change.wanted for change in changes}
    start = time.perf_counter()
    with connect(LinkOptions(f"tcp:{address}", family="ardupilot")) as connection:
        connected, before = time.perf_counter(), connection.runner.received
        found, failed = 0, 0
        if work != "download":
            failed = sum(not o.ok for o in connection.run(connection.driver.write(changes)))
        if work != "write-echo":
            snapshot = connection.snapshot()
            found = len(snapshot.settings)
            if work == "write":
                failed += sum(not value.same(snapshot.value(name)) for name, value in wanted.items())
        done, received = time.perf_counter(), connection.runner.received - before
    said = {"connect": connected - start, "seconds": done - connected, "settings": found, "failed": failed}
    print(json.dumps({**said, "received": received}))


if __name__ == "__main__":
    main()
