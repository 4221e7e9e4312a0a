"""How long the program takes before its work begins, and for one file or a thousand of them.

Run: python benchmarks/bench_startup.py [FILES]
Wanted: --help and --version at most 150 ms; one full parameter file validated in at most 350 ms, the whole process;
1,000 such files in at most 25 s on 2 cores; the demo in under 15 s. Least of several runs, interpreter included.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "golden" / "ardupilot" / "params-copter-4.7-dev.json"
TOOL = (sys.executable, "-m", "dronekit_cfg")


def least(command: tuple[str, ...], rounds: int) -> float:
    """Give the shortest of some runs in ms."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        subprocess.run(command, capture_output=True, check=False)
        times.append(time.perf_counter() - start)
    return min(times) * 1000


def main() -> None:
    """Measure and print a table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    rows = json.loads(GOLDEN.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        os.environ["DRONEKIT_CFG_STATE_DIR"] = folder
        os.environ["DRONEKIT_CFG_LINK"] = "sim:ardupilot-copter"
        fleet = Path(folder) / "fleet"
        fleet.mkdir()
        text = "".join(f"{name},{value}\n" for name, _, value, _ in rows)
        for number in range(count):
            (fleet / f"{number:04}.param").write_text(text, encoding="utf-8")
        one = str(fleet / "0000.param")
        table = [
            ("the interpreter itself", (sys.executable, "-c", "pass"), 9, ""),
            ("import dronekit_cfg", (sys.executable, "-c", "import dronekit_cfg"), 9, ""),
            ("--version", (*TOOL, "--version"), 9, "150"),
            ("--help", (*TOOL, "--help"), 9, "150"),
            ("apply --help", (*TOOL, "apply", "--help"), 9, ""),
            ("info on the simulator", (*TOOL, "info"), 5, ""),
            ("plan on the simulator", (*TOOL, "plan", "heavy-lift", "--input", "cells=6"), 3, ""),
            (f"validate one file of {len(rows)} values", (*TOOL, "validate", one), 5, "350"),
            (f"validate {count} such files", (*TOOL, "validate", str(fleet)), 1, str(25 * count)),
            ("demo", (*TOOL, "demo"), 1, "15000"),
        ]
        print(f"{'':40}{'ms':>8}{'wanted':>8}")
        for what, command, rounds, wanted in table:
            print(f"{what:40}{least(command, rounds):8.0f}{wanted:>8}")


if __name__ == "__main__":
    main()
