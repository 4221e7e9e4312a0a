"""pymavlink's MAVFTP client: the packed download (it has no write of its own).

Run by bench_ardupilot.py in a virtual environment of its own: HOST:PORT download CHANGES.json. Prints one JSON line.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from pathlib import Path

from pymavlink import mavutil
from pymavlink.mavftp import MAVFTP

TIMEOUT = 300


def main() -> None:
    address = sys.argv[1]
    os.chdir(tempfile.mkdtemp())
    start = time.perf_counter()
    link = mavutil.mavlink_connection(f"tcp:{address}", source_system=255)
    link.wait_heartbeat(timeout=30)
    connected = time.perf_counter()
    client = MAVFTP(link, link.target_system, link.target_component)
    client.cmd_getparams(["found.parm", "defaults.parm"])
    result = client.process_ftp_reply("getparams", timeout=TIMEOUT)
    done = time.perf_counter()
    with Path("found.parm").open(encoding="utf-8") as file:
        found = sum(1 for line in file if line.strip() and not line.startswith("#"))
    print(
        json.dumps(
            {
                "connect": connected - start,
                "seconds": done - connected,
                "settings": found,
                "failed": int(result.error_code),
            }
        )
    )


if __name__ == "__main__":
    main()
