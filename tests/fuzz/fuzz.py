"""Fuzz the readers: python tests/fuzz/fuzz.py [TARGET...] [--seconds 120] [--jobs 2] [--grow]

With atheris (`pip install atheris`; wheels exist for Linux and the current Pythons) libFuzzer searches by coverage;
without it our own mutations of the same corpus are tried, and it says so. The corpus is golden data and what earlier
runs found (`corpus.json.gz`); `--grow` puts what covers something new into that file. Exit code 1: an input ended in
anything but a result or a promised error; it is printed in hex, and belongs into FOUND of `test_fuzz.py`.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import importlib
import importlib.util
import json
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

HERE = Path(__file__).parent
SUPPORT = HERE.parent / "support"
CORPUS = HERE / "corpus.json.gz"
MAX_INPUT = 4096
MAX_KEPT = 512
"""Longest input that is kept in the file: it grows with every run."""


def combined(targets: Any, names: Sequence[str]) -> Callable[[bytes], None]:
    """Give one function for several targets: the first byte chooses, so that they share one process."""

    def choose(data: bytes) -> None:
        if data:
            targets.TARGETS[names[data[0] % len(names)]](data[1:])

    return choose


def corpus(targets: Any, names: Sequence[str]) -> list[bytes]:
    return [bytes([n]) + seed[:MAX_INPUT] for n, name in enumerate(names) for seed in targets.seeds(name)]


def mutated(dice: random.Random, seeds: Sequence[bytes]) -> bytes:
    """Change a few places of a seed: flip, overwrite, remove, repeat, or splice in a part of another one."""
    data = bytearray(dice.choice(seeds))
    first, body = data[:1], data[1:]
    for _ in range(dice.choice((1, 1, 2, 4, 16))):
        at = dice.randrange(len(body) + 1)
        other = dice.choice(seeds)
        cut = dice.randrange(len(other))
        match dice.randrange(5):
            case 0 if at < len(body):
                body[at] ^= 1 << dice.randrange(8)
            case 1 if at < len(body):
                body[at] = dice.choice((0, 1, 10, 34, 44, 58, 123, 127, 128, 254, 255, dice.randrange(256)))
            case 2:
                del body[at : at + dice.randrange(1, 20)]
            case 3:
                body[at:at] = body[at : at + dice.randrange(40)] * dice.choice((1, 2, 9))
            case _:
                body[at:at] = other[cut : cut + dice.randrange(60)]
    return bytes(first + body[:MAX_INPUT])


def by_mutation(targets: Any, names: Sequence[str], seconds: float, seed: int) -> int:
    """The runner for Pythons without atheris: random, without coverage."""
    run, seeds, dice = combined(targets, names), corpus(targets, names), random.Random(seed)
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        data = mutated(dice, seeds)
        try:
            run(data)
        except Exception:
            print(f"FOUND {names[data[0] % len(names)]} {data[1:].hex()}", flush=True)
            raise
        count += 1
    print(f"{count} inputs to {len(names)} readers", flush=True)
    return 0


def by_coverage(atheris: Any, names: Sequence[str], seconds: float, seed: int, folder: Path) -> int:
    """Run libFuzzer; it ends the process itself. What covers something new stays in `folder`."""
    with atheris.instrument_imports(include=["dronekit_cfg"]):
        targets: Any = importlib.import_module("fuzz_targets")
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(corpus(targets, names)):
        (folder / f"golden-{number}").write_bytes(data)
    run = combined(targets, names)

    def one(data: bytes) -> None:
        try:
            run(data)
        except Exception:
            print(f"FOUND {names[data[0] % len(names)]} {data[1:].hex()}", flush=True)
            raise

    limits = [f"-max_total_time={int(seconds)}", f"-seed={seed}", f"-max_len={MAX_INPUT}", "-timeout=20"]
    memory = ["-rss_limit_mb=2048", f"-artifact_prefix={folder.parent}/", "-print_final_stats=1", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *limits, *memory, str(folder)], one)
    atheris.Fuzz()
    return 0


def work(options: argparse.Namespace) -> int:
    """One process: its share of the targets, by whichever runner there is."""
    sys.path.insert(0, str(SUPPORT))
    try:
        atheris: Any = importlib.import_module("atheris")
    except ImportError:
        return by_mutation(importlib.import_module("fuzz_targets"), options.targets, options.seconds, options.seed)
    return by_coverage(atheris, options.targets, options.seconds, options.seed, Path(options.work))


def keep(folders: Sequence[tuple[Path, Sequence[str]]]) -> int:
    """Add what a run found to cover something new to the corpus file; give how many inputs that are."""
    kept: dict[str, list[str]] = json.loads(gzip.decompress(CORPUS.read_bytes())) if CORPUS.exists() else {}
    added = 0
    for folder, names in folders:
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            data = path.read_bytes()
            if path.name.startswith("golden-") or not 1 < len(data) <= MAX_KEPT:
                continue
            held = kept.setdefault(names[data[0] % len(names)], [])
            text = base64.b85encode(data[1:]).decode()
            if text not in held:
                held.append(text)
                added += 1
    CORPUS.write_bytes(gzip.compress(json.dumps(kept, sort_keys=True).encode(), mtime=0))
    return added


def main() -> int:
    """Share the targets among processes, wait, and sum up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1, 1 << 31))
    parser.add_argument("--grow", action="store_true")
    parser.add_argument("--work", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        return work(options)
    sys.path.insert(0, str(SUPPORT))
    known = sorted(importlib.import_module("fuzz_targets").TARGETS)
    if unknown := [name for name in options.targets if name not in known]:
        print(f"no targets {unknown}; there are: {' '.join(known)}")
        return 2
    names = options.targets or known
    found = importlib.util.find_spec("atheris") is not None
    engine = "atheris" if found else "our own mutations (no atheris here)"
    print(f"{len(names)} readers, {options.seconds:g} s, {options.jobs} processes, {engine}, seed {options.seed}")
    with TemporaryDirectory() as folder:
        shares = [names[n :: options.jobs] for n in range(min(options.jobs, len(names)))]
        folders = [(Path(folder) / str(n) / "corpus", share) for n, share in enumerate(shares)]
        arguments = ["--seconds", str(options.seconds), "--seed", str(options.seed)]
        running = [
            subprocess.Popen(
                [sys.executable, __file__, *share, *arguments, "--work", str(work)],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
            for work, share in folders
        ]
        outputs = [process.communicate()[0] for process in running]
        failed = [text for process, text in zip(running, outputs, strict=True) if process.returncode]
        print("\n".join(text[-6000:] for text in failed), end="")
        for text in outputs:
            counts = re.findall(r"number_of_executed_units: (\d+)|^(\d+) inputs", text, re.MULTILINE)
            print("inputs tried:", *("".join(c) for c in counts))
        if options.grow:
            print(f"{keep(folders)} inputs added to {CORPUS.name}, {CORPUS.stat().st_size} bytes")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
