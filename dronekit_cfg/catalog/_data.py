"""The catalog's own tables of facts."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

__all__ = ["load_toml"]


def load_toml(name: str) -> dict[str, Any]:
    """Read `catalog/data/<name>`."""
    return tomllib.loads(files("dronekit_cfg.catalog").joinpath("data", name).read_text(encoding="utf-8"))
