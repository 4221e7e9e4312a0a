"""How long it takes to judge parameter files by metadata and all shipped rules.

Run: python benchmarks/bench_rules.py [FILES]
Wanted: one file of 1,400 values in a fresh process at most 350 ms; 1,000 such files in at most 25 s on 2 cores, with
flat memory. Judging is measured here by itself; reading the file is measured with a plain name,value text.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

from dronekit_cfg.catalog.renames import load_renames
from dronekit_cfg.catalog.store import spec_for
from dronekit_cfg.model import Scalar, Spec
from dronekit_cfg.rules.check import check, findings
from dronekit_cfg.rules.names import check_names
from dronekit_cfg.rules.pack import load_folder
from dronekit_cfg.rules.shipped import shipped_rules
from dronekit_cfg.rules.values import check_values

GOLDEN = Path(__file__).resolve().parent.parent / "tests" / "golden" / "ardupilot" / "params-copter-4.7-dev.json"
FRESH = """
import sys, time
start = time.perf_counter()
sys.path.insert(0, {folder!r})
from bench_rules import judge, read
found = judge(read({file!r}))
print(len(found), (time.perf_counter() - start) * 1000)
"""


def read(file: str) -> dict[str, Scalar]:
    """Read name,value lines."""
    rows = (line.split(",") for line in Path(file).read_text(encoding="utf-8").splitlines())
    return {name: float(value) for name, value in rows}


@cache
def metadata() -> Spec | None:
    """Load the metadata once, as a run over many files does."""
    return spec_for("ardupilot", "copter", "4.7.0.dev0")


def judge(settings: dict[str, Scalar]) -> list[object]:
    """Judge one file by everything."""
    spec = metadata()
    renames = load_renames("ardupilot", "copter")
    assert spec is not None
    results = check(
        shipped_rules(),
        settings,
        family="ardupilot",
        vehicle="copter",
        version=spec.version,
        spec=spec,
        renames=renames,
    )
    return [*findings(results), *check_values(settings, spec, renames=renames), *check_names(settings, spec)]


def best(work: Callable[[], object], rounds: int = 7) -> float:
    """Give the shortest of some runs in ms."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times) * 1000


def peak_mib() -> float:
    """Give the peak memory of this process so far; 0 where the platform does not tell."""
    with contextlib.suppress(ImportError):
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return 0.0


def shipped_anew() -> object:
    """Load the shipped rules without the cache."""
    shipped_rules.cache_clear()
    return shipped_rules()


def main() -> None:
    """Measure and print a table."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    rows = json.loads(GOLDEN.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        file = str(Path(folder) / "dump.param")
        Path(file).write_text("".join(f"{name},{value}\n" for name, _, value, _ in rows), encoding="utf-8")
        code = FRESH.format(folder=str(Path(__file__).resolve().parent), file=file)
        command = [sys.executable, "-c", code]
        fresh = best(lambda: subprocess.run(command, check=True, capture_output=True), 7)
        settings = read(file)
        packs = Path(sys.modules["dronekit_cfg.rules.shipped"].__file__ or "").parent / "packs"
        table = [
            ("rules from the compiled packs", best(shipped_anew), "ms"),
            ("rules from the YAML files, with all checks", best(lambda: load_folder(packs), 2), "ms"),
            (f"one file of {len(settings)} values, warm", best(lambda: judge(settings)), "ms"),
            ("one file, fresh process (wanted: 350)", fresh, "ms"),
        ]
        before = peak_mib()
        start = time.perf_counter()
        for _ in range(count):
            judge(read(file))
        table.append((f"{count} files, one core", time.perf_counter() - start, "s"))
        table.append(("memory they added to the peak", peak_mib() - before, "MiB"))
    for label, value, unit in table:
        print(f"{label:<45} {value:9.2f} {unit}")


if __name__ == "__main__":
    main()
