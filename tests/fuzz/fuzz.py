"""Fuzz one target with atheris: python tests/fuzz/fuzz.py TARGET [libFuzzer options, such as -max_total_time=120].

atheris is installed by hand (`pip install atheris`); without a target, the targets are listed. The corpus grows in the
folder named behind the target, if one is; it is begun with golden data.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any


def main(arguments: list[str]) -> int:
    """Run libFuzzer on one target; it ends the process itself."""
    try:
        atheris: Any = importlib.import_module("atheris")
    except ImportError:
        print("atheris is not installed: pip install atheris", file=sys.stderr)
        return 2
    with atheris.instrument_imports(include=["dronekit_cfg"]):
        targets: Any = importlib.import_module("targets")
    if len(arguments) < 2 or arguments[1] not in targets.TARGETS:
        print("targets: " + " ".join(targets.TARGETS))
        return 2
    name = arguments[1]
    folders = [Path(a) for a in arguments[2:] if not a.startswith("-")]
    for folder in folders[:1]:
        folder.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(targets.seeds(name)):
            (folder / f"golden-{number}").write_bytes(seed)
    atheris.Setup([arguments[0], *arguments[2:]], targets.TARGETS[name])
    atheris.Fuzz()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
