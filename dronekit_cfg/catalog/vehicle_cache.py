"""Keeps the metadata that vehicles carry themselves, by checksum, so that each is read over a slow link only once."""

from __future__ import annotations

import contextlib
from pathlib import Path

from dronekit_cfg.catalog import codec
from dronekit_cfg.errors import MetadataError
from dronekit_cfg.model import Spec

__all__ = ["keep", "keep_file", "kept", "kept_file"]


def kept(folder: Path, family: str, crc: int) -> Spec | None:
    """Give what was kept; None when there is nothing, or nothing that can be read."""
    path = _path(folder, family, crc)
    if not path.is_file():
        return None
    try:
        return codec.load(path)
    except MetadataError:
        return None


def keep(folder: Path, family: str, crc: int, spec: Spec) -> None:
    """Keep `spec`. A disk that is full costs only the time of reading it again, so no error is raised."""
    path = _path(folder, family, crc)
    partial = path.with_suffix(".partial")
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        codec.dump(spec, partial)
        partial.replace(path)


def kept_file(folder: Path, name: str, crc: int) -> bytes:
    """Give a file of a vehicle that was kept as it came; empty when there is none."""
    try:
        return _raw(folder, name, crc).read_bytes()
    except OSError:
        return b""


def keep_file(folder: Path, name: str, crc: int, data: bytes) -> None:
    """Keep a file of a vehicle as it came; as with `keep`, no error is raised."""
    path = _raw(folder, name, crc)
    partial = path.with_suffix(".partial")
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(data)
        partial.replace(path)


def _raw(folder: Path, name: str, crc: int) -> Path:
    return folder / f"{name}-{crc:08x}.file"


def _path(folder: Path, family: str, crc: int) -> Path:
    return folder / f"{family}-{crc:08x}.json.gz"
