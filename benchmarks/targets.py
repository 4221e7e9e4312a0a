"""What dronekit-cfg promises about its speed and its memory, and whether a measurement keeps it."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vehicle import arducopter

__all__ = ["COMBINATIONS", "TARGETS", "peak_memory", "target_rows"]

APPLY = ("apply", "heavy-lift+gnss-resilient", "-i", "cells=6", "-y", "-q")
MEMORY_RUNS = 3


@dataclass(frozen=True)
class Target:
    """One row: what is measured, on which link, and its limit; of `of_line` the limit is a multiple of bytes/baud."""

    title: str
    work: str
    link: str
    limit: float
    of_line: bool = False


TARGETS = (
    Target("full download, TCP", "download", "tcp", 0.42),
    Target("170 writes with full read-back, TCP", "write170", "tcp", 0.55),
    Target("900 writes with full read-back, TCP", "write900", "tcp", 1.0),
    Target("full download, 57600 baud, 20 ms, 2 % loss", "download", "radio", 1.05, of_line=True),
    Target("170 writes with full read-back, same link", "write170", "radio", 5.2),
    Target("170 writes, every echo compared, same link", "echo170", "radio", 1.8),
    Target("full download, 57600 baud, 20 ms, 20 % loss", "download", "lossy", 2.5, of_line=True),
)
COMBINATIONS = frozenset((target.work, target.link) for target in TARGETS)
MEMORY_LIMIT = 80.0
_HEAD = "| work | target | measured (range) | |\n|---|---|---|---|"


def target_rows(
    seconds: Mapping[tuple[str, str], Sequence[float]],
    shares: Mapping[tuple[str, str], Sequence[float]],
    memory: Sequence[float],
) -> list[str]:
    """Give the table: `seconds` and `shares` (time as a multiple of bytes/baud) by work and link, `memory` in MB."""
    lines = [_HEAD]
    for target in TARGETS:
        unit = "x bytes/baud" if target.of_line else "s"
        found = (shares if target.of_line else seconds).get((target.work, target.link))
        if found:
            lines.append(_line(target.title, found, target.limit, unit))
    if memory:
        lines.append(_line("peak memory of apply, with reboot", memory, MEMORY_LIMIT, "MB"))
    return lines


def _line(title: str, found: Sequence[float], limit: float, unit: str) -> str:
    middle = statistics.median(found)
    digits = 0 if unit == "MB" else 2
    spread = f"{min(found):.{digits}f} to {max(found):.{digits}f}"
    kept = "kept" if middle <= limit else "MISSED"
    return f"| {title} | <= {limit:g} {unit} | **{middle:.{digits}f} {unit}** ({spread}) | {kept} |"


def peak_memory() -> list[float]:
    """Give the peak resident memory in MB of whole applies, each on its own vehicle; empty where it is not told."""
    if not hasattr(os, "wait4"):
        return []
    found = []
    for _ in range(MEMORY_RUNS):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, arducopter(Path(name)) as url:
            command = [sys.executable, "-m", "dronekit_cfg", *APPLY, "-l", url, "--state-dir", f"{name}/state"]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode:
                raise SystemExit(f"apply ended with {process.returncode}")
            found.append(usage.ru_maxrss / (1024.0 if sys.platform != "darwin" else 1024.0 * 1024.0))
    return found
