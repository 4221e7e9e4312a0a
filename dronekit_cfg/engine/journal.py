"""The write-ahead journal of one apply: what was about to happen is on disk before it happens.

A journal is a text file with one JSON object a line, each line synced to disk. A line that a power cut tore is
ignored: it was never acted upon, because acting waits for the sync. Kinds of lines:

======== ==========================================================================================
begin     vehicle, profile, wanted values, base snapshot; before anything is written
intent    names with old and wanted value of the batch that is written next
outcome   what the vehicle answered to that batch
commit    staged writes are about to be made permanent (text CLI families)
held      everything is written and verified; what becomes of it, the journal of the aircraft decides
reboot    the vehicle is about to be rebooted
undo      rollback starts, and why
end       how it ended: done, rolled-back or in-doubt
======== ==========================================================================================

A journal without `end`, or that ended in doubt, is open: `recover` continues it. Ended ones move to the folder `ended`.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dronekit_cfg.errors import StateError
from dronekit_cfg.formats.records import from_data
from dronekit_cfg.model import Change, Identity, Kind, LeftOut, Outcome, Result, Value
from dronekit_cfg.text import t

__all__ = ["FORMAT", "Journal", "Story", "read_entries", "read_journal", "value_from_json", "value_to_json"]

FORMAT = "dronekit-cfg/journal/v1"
MAX_BYTES = 64 * 1024 * 1024
"""A journal longer than this is not read: 1,400 settings rolled back five times need under 2 MB."""


def value_to_json(value: Value | None) -> list[Any] | None:
    """Give `value` as [kind, raw]; floats survive exactly, also NaN (as text)."""
    if value is None:
        return None
    raw = value.raw
    return [value.kind.value, repr(raw) if isinstance(raw, float) else raw]


def value_from_json(data: Any) -> Value | None:
    """Read what `value_to_json` wrote."""
    if data is None:
        return None
    kind = Kind(data[0])
    return Value(kind, float(data[1]) if kind is Kind.REAL32 else data[1])


class Journal:
    """An open journal file. Every `write` is on disk when it returns, or raises StateError."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _drop_torn_line(path)
            self._file = path.open("ab")
        except OSError as error:
            raise _state_error(path, error) from error

    def write(self, kind: str, **fields: object) -> None:
        """Append one line and sync it."""
        line = json.dumps({"kind": kind, **fields}, ensure_ascii=False) + "\n"
        try:
            self._file.write(line.encode())
            self._file.flush()
            os.fsync(self._file.fileno())
        except (OSError, ValueError) as error:
            raise _state_error(self.path, error) from error

    def begin(self, identity: Identity, *, wanted: Mapping[str, Value], **facts: object) -> None:
        """Write the first line."""
        self.write(
            "begin",
            format=FORMAT,
            identity={n: getattr(identity, n) for n in ("family", "vehicle", "version", "board", "uid", "address")},
            wanted={name: value_to_json(value) for name, value in wanted.items()},
            **facts,
        )

    def intent(self, changes: tuple[Change, ...]) -> None:
        """Say what is written next."""
        self.write("intent", batch=[[c.name, value_to_json(c.old), value_to_json(c.wanted)] for c in changes])

    def outcome(self, outcomes: tuple[Outcome, ...]) -> None:
        """Say what the vehicle answered."""
        self.write("outcome", batch=[[o.name, o.verdict.value, value_to_json(o.echoed)] for o in outcomes])

    def end(self, result: Result, why: str = "") -> None:
        """Close the story, and file the journal away unless it stays open for `recover`."""
        self.write("end", result=result.value, why=why)
        self.close()
        if result is not Result.IN_DOUBT:
            self.file_away()

    def file_away(self) -> None:
        """Move the journal to `ended`, so that looking for open ones stays cheap. Its `end` line says it anyway."""
        target = self.path.parent / "ended" / self.path.name
        with contextlib.suppress(OSError):
            target.parent.mkdir(exist_ok=True)
            self.path.replace(target)
            self.path = target

    def close(self) -> None:
        """Close the file; the journal stays as it is on disk."""
        self._file.close()


def _drop_torn_line(path: Path) -> None:
    """Cut off a last line without its end, or the next one would be glued to it and lost."""
    if path.exists():
        data = path.read_bytes()
        whole = data.rfind(b"\n") + 1
        if whole < len(data):
            with path.open("r+b") as file:
                file.truncate(whole)


def _state_error(path: Path, error: Exception) -> StateError:
    return StateError(
        t("cannot write the journal {path}: {error}", path=path, error=error),
        hint=t("free disk space or make the folder writable; --state-dir or DRONEKIT_CFG_STATE_DIR names another one"),
    )


@dataclass
class Story:
    """What a journal tells. `touched` gives for each written setting the value it had before its first write."""

    path: Path
    begin: dict[str, Any] = field(default_factory=dict)
    touched: dict[str, Value | None] = field(default_factory=dict)
    undoing: bool = False
    ended: str = ""

    @property
    def open(self) -> bool:
        """Whether something is left for `recover` to do."""
        return bool(self.begin) and self.ended in {"", Result.IN_DOUBT.value}

    @property
    def aircraft(self) -> str:
        """The id of the aircraft's journal that decides about this one, "" for a device on its own."""
        return str(self.begin.get("aircraft", ""))

    @property
    def hidden(self) -> frozenset[str]:
        """Names of settings that the vehicle did not show when the apply began."""
        return frozenset(self.begin.get("hidden", ()))

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What the apply left as it was although it was wanted otherwise."""
        return tuple(from_data(LeftOut, data) for data in self.begin.get("left_out", ()))

    @property
    def wanted(self) -> dict[str, Value]:
        """The wanted values by name."""
        pairs = ((name, value_from_json(v)) for name, v in self.begin.get("wanted", {}).items())
        return {name: value for name, value in pairs if value is not None}


def read_entries(path: Path, tell: Callable[[dict[str, Any]], None], hint: str) -> None:
    """Hand every whole line of a journal to `tell`; a torn last line was never acted upon, and is ignored.

    Raises StateError with `hint` for a file that cannot be read, or with a line that `tell` cannot take: it is damaged.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise StateError(t("{path} is too large for a journal", path=path), hint=t("move it away and look at it"))
        data = path.read_bytes()
    except OSError as error:
        raise StateError(t("cannot read the journal {path}: {error}", path=path, error=error)) from error
    for number, line in enumerate(data.split(b"\n")[:-1], start=1):
        try:
            tell(json.loads(line))
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, OverflowError, RecursionError) as error:
            raise StateError(
                t("{path}:{line}: damaged journal: {error}", path=path, line=number, error=error), hint=hint
            ) from error


def read_journal(path: Path) -> Story:
    """Read a journal. Torn last lines are ignored; a file that is no journal raises StateError."""
    story = Story(path)
    hint = t("move the file away, then bring the vehicle back to its newest snapshot with `restore`")
    read_entries(path, lambda entry: _tell(story, entry), hint)
    return story


def _begin(story: Story, entry: dict[str, Any]) -> None:
    """Take the first line. Damaged values must show now, not when the vehicle is already being recovered."""
    if entry["format"] != FORMAT:
        raise ValueError(f"format {entry['format']}")
    story.begin = entry
    if not isinstance(entry["identity"], dict) or len(story.wanted) != len(entry["wanted"]):
        raise ValueError("identity or wanted values")
    if not all(isinstance(name, str) for name in story.hidden):
        raise ValueError("hidden settings")
    _ = story.left_out


def _tell(story: Story, entry: dict[str, Any]) -> None:
    match entry["kind"]:
        case "begin":
            _begin(story, entry)
        case "intent":
            for name, old, _ in entry["batch"]:
                story.touched.setdefault(name, value_from_json(old))
        case "undo":
            story.undoing = True
        case "end":
            story.ended = entry["result"]
        case "commit" | "outcome" | "reboot" | "held":
            pass
        case other:
            raise ValueError(f"unknown entry {other}")
