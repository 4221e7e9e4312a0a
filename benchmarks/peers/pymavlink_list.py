"""pymavlink as its examples and MAVProxy use it: PARAM_REQUEST_LIST with gap reads, and mavset with its confirmation.

Run by bench_ardupilot.py in a virtual environment of its own: HOST:PORT WORK CHANGES.json, where WORK is download or
write. Prints one JSON line.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from pymavlink import mavparm, mavutil

QUIET = 1.0
GAPS_AT_ONCE = 10
ROUNDS = 300


def receive(link: mavutil.mavfile, values: dict[str, float], seen: dict[int, str]) -> int:
    """Take values until none comes for a while; give the announced number."""
    count = 0
    while (message := link.recv_match(type="PARAM_VALUE", blocking=True, timeout=QUIET)) is not None:
        count = message.param_count
        values[message.param_id] = message.param_value
        if message.param_index < count:
            seen[message.param_index] = message.param_id
        if len(seen) == count:
            break
    return count


def download(link: mavutil.mavfile) -> dict[str, float]:
    values: dict[str, float] = {}
    seen: dict[int, str] = {}
    link.param_fetch_all()
    count = receive(link, values, seen)
    for _ in range(ROUNDS):
        missing = [i for i in range(count) if i not in seen] if count else []
        if count and not missing:
            break
        if not count:
            link.param_fetch_all()
        for index in missing[:GAPS_AT_ONCE]:
            link.mav.param_request_read_send(link.target_system, link.target_component, b"", index)
        count = receive(link, values, seen) or count
    return values


def main() -> None:
    address, work, file = sys.argv[1:4]
    changes: list[list] = json.loads(Path(file).read_text())
    start = time.perf_counter()
    link = mavutil.mavlink_connection(f"tcp:{address}", source_system=255)
    link.wait_heartbeat(timeout=30)
    connected = time.perf_counter()
    values: dict[str, float] = {}
    failed = 0
    if work == "download":
        values = download(link)
    else:
        table = mavparm.MAVParmDict()
        for name, _, value, _ in changes:
            failed += not table.mavset(link, name, value)
    done = time.perf_counter()
    print(
        json.dumps(
            {"connect": connected - start, "seconds": done - connected, "settings": len(values), "failed": failed}
        )
    )


if __name__ == "__main__":
    main()
