"""How long it takes to load firmware metadata: each shipped spec, in this process and in a fresh one.

Run: python benchmarks/bench_catalog.py
Wanted: a spec in at most 20 ms.
"""

from __future__ import annotations

import gzip
import json
import lzma
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from dronekit_cfg.catalog import codec
from dronekit_cfg.catalog.renames import load_renames
from dronekit_cfg.catalog.store import list_specs, spec_for

ROUNDS = 25
FRESH = """
import time
start = time.perf_counter()
from dronekit_cfg.catalog.store import spec_for
spec = spec_for({family!r}, "copter", {version!r})
spec.settings[next(iter(spec.settings))]
print((time.perf_counter() - start) * 1000)
"""


def best(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Give the shortest of some runs in ms."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times) * 1000


def fresh(family: str, version: str) -> float:
    """Give the shortest of some runs in new processes in ms, imports included."""
    code = FRESH.format(family=family, version=version)
    return min(float(subprocess.check_output([sys.executable, "-c", code], text=True)) for _ in range(7))


def first_1400(path: Path) -> None:
    """Load a spec and look at 1,400 of its settings, as validating one parameter file does."""
    settings = codec.load(path).settings
    for name, _ in zip(settings, range(1400), strict=False):
        settings[name]


def main() -> None:
    print(f"{'spec':36}{'count':>6}{'kB':>6}{'load':>8}{'+1400':>8}{'choose':>8}{'fresh process':>15}   (ms, best)")
    for file in list_specs():
        spec = file.load()
        times = (
            best(partial(codec.load, file.path)),
            best(partial(first_1400, file.path)),
            best(partial(spec_for, file.family, "copter", file.version)),
            fresh(file.family, file.version),
        )
        size = file.path.stat().st_size / 1000
        print(f"{file.path.name:36}{len(spec.settings):6}{size:6.0f}" + "{:8.1f}{:8.1f}{:8.1f}{:15.1f}".format(*times))
    largest = max(list_specs(), key=lambda f: f.path.stat().st_size)
    raw = codec.pack(largest.load())
    packed, tight = gzip.compress(raw, 9), lzma.compress(raw, preset=9)
    print(f"\n{largest.path.name}, {len(raw) / 1000:.0f} kB unpacked")
    print(f"  gzip {len(packed) / 1000:5.0f} kB  unpack {best(lambda: gzip.decompress(packed)):5.1f} ms")
    print(f"  xz   {len(tight) / 1000:5.0f} kB  unpack {best(lambda: lzma.decompress(tight)):5.1f} ms")
    print(f"  json {best(lambda: json.loads(raw)):5.1f} ms")
    renames = load_renames("ardupilot", "copter")
    load_renames.cache_clear()
    print(f"\nrename table, {len(renames.entries) if renames else 0} entries: {best(_renames):.1f} ms")


def _renames() -> None:
    load_renames.cache_clear()
    load_renames("ardupilot", "copter")


if __name__ == "__main__":
    main()
