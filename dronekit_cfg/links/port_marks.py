"""Marks on disk of ports that were taken from a flight controller, so that none stays taken when we are killed.

A mark is written before a port is taken and removed after it was given back. While its process lives it holds a lock
of the operating system, which ends with the process; a mark without a lock is what a killed command left behind.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dronekit_cfg.errors import LeaseHeld, StateError
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from filelock import FileLock

__all__ = ["PortMark", "left_marks"]


class PortMark:
    """The mark of one port of one vehicle. `restore` are parameters with the values that they had."""

    def __init__(self, root: Path, key: str, port: str) -> None:
        self.port = port
        self._folder = root / "vehicles" / key / "ports"
        self._file = self._folder / f"{port}.json"
        self._lock: FileLock | None = None

    def hold(self) -> bool:
        """Lock the mark and say whether a killed command left it. Raises LeaseHeld, StateError."""
        from filelock import FileLock, Timeout

        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self._folder / f"{self.port}.lock", timeout=0)
            lock.acquire()
        except Timeout as error:
            raise LeaseHeld(
                t("another dronekit-cfg works through {port} of this flight controller", port=self.port),
                hint=t("wait until it has finished, or end it"),
            ) from error
        except OSError as error:
            raise self._unusable(error) from error
        self._lock = lock
        return self._file.exists()

    def restore(self) -> Mapping[str, float]:
        """Give the parameters that a killed command left changed."""
        try:
            found = json.loads(self._file.read_text("utf-8"))
            return {str(name): float(value) for name, value in found["restore"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def write(self, restore: Mapping[str, float]) -> None:
        """Note on disk what is about to be taken. Raises StateError."""
        import os

        try:
            with self._file.open("w", encoding="utf-8") as file:
                json.dump({"port": self.port, "restore": dict(restore)}, file)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise self._unusable(error) from error

    def done(self) -> None:
        """Remove the mark: the port was given back."""
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            raise self._unusable(error) from error

    def let_go(self) -> None:
        """End the lock; a mark that is still there is found by the next command."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()

    def _unusable(self, error: OSError) -> StateError:
        return StateError(
            t("cannot use the state folder {root}: {error}", root=self._folder, error=error),
            hint=t("make it writable, or name another one with --state-dir or DRONEKIT_CFG_STATE_DIR"),
        )


def left_marks(root: Path, key: str) -> tuple[PortMark, ...]:
    """Give the marks that killed commands left on a vehicle, each locked for us."""
    found = []
    for file in sorted((root / "vehicles" / key / "ports").glob("*.json")):
        mark = PortMark(root, key, file.stem)
        try:
            mark.hold()
        except LeaseHeld:
            continue  # its process lives
        found.append(mark)
    return tuple(found)
