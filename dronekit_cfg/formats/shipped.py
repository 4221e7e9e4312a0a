"""Finds the data that comes with the package: profiles, schemas, bench suites."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

__all__ = ["shipped"]


@cache
def shipped(kind: str) -> Path:
    """Give the folder of shipped data of one `kind` ("profiles", "schemas", "hil"); it may not exist.

    An installed wheel carries it in the package's `_data`; a source checkout has it beside the package.
    """
    package = Path(str(files("dronekit_cfg")))
    installed = package / "_data" / kind
    beside = package.parent / kind
    if not installed.is_dir() and (package.parent / "pyproject.toml").is_file():
        return beside
    return installed
