"""Plays the vehicle's side of a recording: tests and demonstrations without the vehicle.

What the vehicle said is released when as many writes were made as came before it in the recording, or, when nothing is
written, at its recorded moment after the last write. So a conversation runs as fast as it is held, and a listener who
says nothing hears the recording in its own time. With `strict` the bytes written must be the recorded ones, in whatever
portions, and nothing is released by time.
"""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dronekit_cfg.errors import FileProblems, LinkGarbage, LinkOpenError, Problem
from dronekit_cfg.links.base import Clock
from dronekit_cfg.links.common import BaseLink, not_open
from dronekit_cfg.text import t

__all__ = ["ReplayLink"]

MAX_CHARACTERS = 64 << 20
"""An hour of a full 57600 baud link takes 45 million; a packed file can unfold to any size."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    """What the vehicle said: when, after how many writes, and after how many written bytes."""

    moment: float
    writes: int
    sent: int
    data: bytes


@dataclass(frozen=True, slots=True)
class _Recording:
    chunks: tuple[_Chunk, ...]
    write_moments: tuple[float, ...]
    written: bytes


def _lines(path: Path) -> Iterator[str]:
    """Give the lines of the file; LinkOpenError where it unfolds to more than a recording ever is."""
    import gzip

    left = MAX_CHARACTERS
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        while line := file.readline(left + 1):
            left -= len(line)
            if left < 0:
                raise LinkOpenError(
                    t("{file} is too large for a recording", file=path), hint=t("cut out the part that matters")
                )
            yield line


def _entry(line: str) -> tuple[float, str, bytes]:
    """Read one line; raises ValueError, KeyError or TypeError when it is not one of a recording."""
    entry: dict[str, Any] = json.loads(line)
    direction = entry["dir"]
    if direction not in ("tx", "rx", "note"):
        raise ValueError(direction)
    return float(entry["t"]), direction, b"" if direction == "note" else bytes.fromhex(entry["hex"])


def _read(path: Path) -> _Recording:
    chunks: list[_Chunk] = []
    moments: list[float] = []
    written = bytearray()
    problems: list[Problem] = []
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        try:
            moment, direction, data = _entry(line)
        except (ValueError, KeyError, TypeError):
            problems.append(Problem(str(path), number, 0, t("this is not a line of a recording")))
            continue
        if direction == "tx":
            moments.append(moment)
            written += data
        elif direction == "rx" and data:
            chunks.append(_Chunk(moment, len(moments), len(written), data))
    if problems:
        raise FileProblems(
            tuple(problems[:20]), hint=t("every line is {example}", example='{"t": 0.5, "dir": "rx", "hex": "fe09"}')
        )
    return _Recording(tuple(chunks), tuple(moments), bytes(written))


class ReplayLink(BaseLink):
    """The recording `file` (JSONL, also gzipped), as a link. After its end the vehicle is silent.

    A chunk is given out by one `read`, cut as it was recorded. `reopen` goes on where the recording stands.
    """

    def __init__(self, url: str, file: str, clock: Clock, *, strict: bool = False) -> None:
        super().__init__(url)
        self._path = Path(file)
        self._clock = clock
        self._strict = strict
        self._recording: _Recording | None = None
        self._is_open = False
        self._at = self._writes = self._sent = 0
        self._mark = 0.0

    @property
    def finished(self) -> bool:
        """Whether all that the vehicle said was given out."""
        return self._recording is not None and self._at == len(self._recording.chunks)

    def open(self) -> None:
        """Read the file; raises `LinkOpenError`, or `FileProblems` naming the lines that are wrong."""
        if self._is_open:
            return
        if self._recording is None:
            try:
                self._recording = _read(self._path)
            except LinkOpenError:
                raise
            except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
                raise LinkOpenError(
                    t("cannot replay {file}: {cause}", file=self._path, cause=getattr(error, "strerror", "") or error),
                    hint=t("a recording is made with {example}", example="record+serial:auto?file=session.jsonl"),
                ) from error
            self._mark = self._clock.now()
        self._is_open = True

    def _loaded(self) -> _Recording:
        if not self._is_open or self._recording is None:
            raise not_open(self.url)
        return self._recording

    def _due(self, recording: _Recording) -> float:
        """When the next chunk is released on our clock: -infinity for now, infinity for never without a write."""
        if self._at == len(recording.chunks):
            return math.inf
        chunk = recording.chunks[self._at]
        if self._strict:
            return -math.inf if self._sent >= chunk.sent else math.inf
        if self._writes and self._writes >= chunk.writes:
            return -math.inf
        recorded = recording.write_moments[self._writes - 1] if self._writes else 0.0
        return self._mark + chunk.moment - recorded

    def read(self, timeout: float) -> bytes:
        """Give the next chunk when it is due, waiting at most `timeout` seconds on the clock."""
        recording = self._loaded()
        now = self._clock.now()
        due = self._due(recording)
        if due > now + timeout:
            self._clock.sleep(timeout)
            return b""
        if due > now:
            self._clock.sleep(due - now)
        chunk = recording.chunks[self._at]
        self._at += 1
        return chunk.data

    def write(self, data: bytes) -> None:
        """Count a write, which releases what was recorded after it; raises `LinkGarbage` when strict and different."""
        recording = self._loaded()
        if self._strict:
            wanted = recording.written[self._sent : self._sent + len(data)]
            if wanted != data:
                raise LinkGarbage(
                    t(
                        "{url}: write {number} differs from the recording: {ours}, recorded {theirs}",
                        url=self.url,
                        number=self._writes + 1,
                        ours=data[:40].hex(),
                        theirs=wanted[:40].hex() or t("nothing more"),
                    ),
                    hint=t("record the session again, or replay without strict"),
                )
        self._sent += len(data)
        self._writes = min(self._writes + 1, len(recording.write_moments))
        self._mark = self._clock.now()

    def close(self) -> None:
        """Close; the place in the recording is kept."""
        self._is_open = False
