"""What a simulated vehicle keeps between commands: an append-only log of its stored settings.

A stored write is appended and handed to the operating system before `store` returns, so that killing the process at
any moment loses nothing that the vehicle said it had stored. A torn last line (power cut of the computer) is ignored.
The log is compacted when it is opened, never while the vehicle runs.

One line is `crc32 in 8 hex digits, space, JSON, newline`; the JSON is `[name, value]` for a write, `[name]` for a
removal and `null` for "everything before this is wiped".
"""

from __future__ import annotations

import contextlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self, TypeAlias

from dronekit_cfg.errors import StateError
from dronekit_cfg.text import t

__all__ = ["Memory", "MemoryValue"]

MemoryValue: TypeAlias = int | float | str
"""What one name holds. Floats are kept with all their bits (JSON of the shortest form that reads back the same)."""

_COMPACT_SURPLUS = 256
"""How many superseded lines a log may carry before it is rewritten at the next opening."""


def _line(record: object) -> bytes:
    body = json.dumps(record, separators=(",", ":"), ensure_ascii=True).encode()
    return b"%08x %s\n" % (zlib.crc32(body), body)


def _records(data: bytes) -> Iterator[object]:
    """Give the records that are whole; a line whose checksum does not fit is skipped, as a torn one is."""
    for line in data.split(b"\n")[:-1]:
        check, _, body = line.partition(b" ")
        try:
            if int(check, 16) == zlib.crc32(body):
                yield json.loads(body)
        except ValueError:
            continue


class Memory:
    """Stored values by name; in RAM only when `path` is None.

    Raises `StateError` when the file cannot be read or written. `values` is the live content: read it, but write
    through `store`, `remove` and `wipe`.
    """

    def __init__(self, path: Path | None = None, *, fresh: bool = False) -> None:
        self.path = path
        self.values: dict[str, MemoryValue] = {}
        self._file: int | None = None
        if path is None:
            return
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = self._load(path)
            if lines > len(self.values) + _COMPACT_SURPLUS:
                self._compact(path)
            self._open(path)
        except OSError as error:
            raise self._failed(error) from error
        if fresh:
            self.wipe()

    def store(self, name: str, value: MemoryValue) -> None:
        """Keep `value` under `name`; it is in the log before this returns."""
        self.store_many({name: value})

    def store_many(self, values: Mapping[str, MemoryValue]) -> None:
        """Keep several values, in one append. Values that are there already cost nothing."""
        changed = {
            name: value
            for name, value in values.items()
            if name not in self.values or not _same(self.values[name], value)
        }
        if changed:
            self.values.update(changed)
            self._append([name, value] for name, value in changed.items())

    def remove(self, names: Iterable[str]) -> None:
        """Forget some names; unknown ones are fine."""
        gone = [name for name in names if name in self.values]
        if gone:
            for name in gone:
                del self.values[name]
            self._append([name] for name in gone)

    def wipe(self) -> None:
        """Forget everything."""
        self.values.clear()
        self._append([None])

    def close(self) -> None:
        """Close the log; may be called twice."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def _load(self, path: Path) -> int:
        lines = 0
        if not path.exists():
            return 0
        for record in _records(path.read_bytes()):
            lines += 1
            match record:
                case None:
                    self.values.clear()
                case [str(name)]:
                    self.values.pop(name, None)
                case [str(name), int() | float() | str() as value]:
                    self.values[name] = value
                case _:
                    continue
        return lines

    def _compact(self, path: Path) -> None:
        spare = path.with_name(path.name + ".new")
        spare.write_bytes(b"".join(_line([name, value]) for name, value in self.values.items()))
        with contextlib.suppress(PermissionError):  # Windows, while another process has it open: next time then
            spare.replace(path)

    def _open(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        if os.fstat(self._file).st_size and path.read_bytes()[-1:] != b"\n":
            os.write(self._file, b"\n")  # a torn last line must not swallow the next record

    def _append(self, records: Iterable[object]) -> None:
        if self._file is None:
            return
        data = b"".join(_line(record) for record in records)
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> StateError:
        return StateError(
            t("memory of the simulated vehicle, {path}: {why}", path=self.path, why=error.strerror or error),
            hint=t("free some space or choose another folder with --state-dir"),
        )


def _same(old: MemoryValue, new: MemoryValue) -> bool:
    """Whether two values are the same bits (0.0 and -0.0, 1 and 1.0 are not)."""
    return type(old) is type(new) and repr(old) == repr(new)
