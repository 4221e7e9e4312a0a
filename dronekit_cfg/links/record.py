"""A tee: everything that passes a link also goes to a JSONL file, with times, for evidence and replay.

One line a chunk: `{"t": seconds since the link was opened, "dir": "tx" | "rx", "hex": "..."}`; notes are
`{"t": ..., "dir": "note", "text": "..."}`. Every line is flushed, so a crash leaves all that happened before it. While
`hushed` says that a secret is exchanged, a note with the number of bytes stands in the place of the bytes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from dronekit_cfg.errors import LinkOpenError
from dronekit_cfg.events import Note, Reporter, silent
from dronekit_cfg.links.base import Clock, Link
from dronekit_cfg.links.common import BaseLink
from dronekit_cfg.text import t

__all__ = ["RecordLink", "never"]


def never() -> bool:
    """Hide nothing."""
    return False


class RecordLink(BaseLink):
    """Records the inner link to `file`. A file that exists is never written over.

    When the disk fails later the work goes on without a recording, and says so: a vehicle in the middle of an apply
    matters more than the file.
    """

    def __init__(
        self,
        inner: Link,
        file: str | Path,
        clock: Clock,
        *,
        report: Reporter = silent,
        hushed: Callable[[], bool] = never,
    ) -> None:
        super().__init__(inner.url, inner.baud)
        self._inner = inner
        self._path = Path(file)
        self._clock = clock
        self._report = report
        self._hushed = hushed
        self._file: TextIO | None = None
        self._start: float | None = None

    def open(self) -> None:
        """Open the inner link, then the file; raises `LinkOpenError`."""
        first = self._start is None
        if first and self._path.exists():
            raise LinkOpenError(
                t("the recording {file} exists already", file=self._path), hint=t("choose another file name")
            )
        self._inner.open()
        self.baud = self._inner.baud
        self.place = self._inner.place
        if self._file is None:
            try:
                self._file = self._path.open("x" if first else "a", encoding="ascii", newline="\n")
            except OSError as error:
                self._inner.close()
                raise LinkOpenError(
                    t("cannot record to {file}: {cause}", file=self._path, cause=error.strerror or error),
                    hint=t("choose a file in a folder that exists and may be written"),
                ) from error
        if self._start is None:
            self._start = self._clock.now()

    def note(self, text: str) -> None:
        """Write a remark into the recording."""
        self._line("note", "text", text)

    def _chunk(self, direction: str, data: bytes) -> None:
        if self._hushed():
            self.note(t("{direction}: {count} bytes with a secret, left out", direction=direction, count=len(data)))
        else:
            self._line(direction, "hex", data.hex())

    def _line(self, direction: str, key: str, value: str) -> None:
        if self._file is None or self._start is None:
            return
        line = {"t": round(self._clock.now() - self._start, 4), "dir": direction, key: value}
        try:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()
        except OSError as error:
            self._stop()
            text = t("the recording {file} ends here: {cause}", file=self._path, cause=error.strerror or error)
            self._report(Note(text, level="warning"))

    def _stop(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):  # closing flushes once more, to the same full disk
                file.close()

    def read(self, timeout: float) -> bytes:
        """Give and record what is there."""
        data = self._inner.read(timeout)
        if data:
            self._chunk("rx", data)
        return data

    def write(self, data: bytes) -> None:
        """Record and send; recorded first, so that what made a vehicle hang is in the file."""
        self._chunk("tx", data)
        self._inner.write(data)

    def set_baud(self, baud: int) -> bool:
        """Change the speed of the inner link."""
        changed = self._inner.set_baud(baud)
        self.baud = self._inner.baud
        return changed

    def reopen(self) -> None:
        """Open the inner link again; the recording goes on."""
        self._inner.reopen()
        self.note("reopened")

    def close(self) -> None:
        """Close both."""
        self._inner.close()
        self._stop()
