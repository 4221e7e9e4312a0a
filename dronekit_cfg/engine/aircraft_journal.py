"""The journal that ties the journals of the devices of one aircraft together, so that all end old or all end new.

Each device has its own write-ahead journal (`engine.journal`), which stays open after its values are written and
verified. One line in this journal decides for all of them: before it, `recover` undoes every device; after it, every
device is finished. Nobody decides twice. Kinds of lines:

======== ==========================================================================================
begin     the devices in the order of the work: role, link, who it is; before anything is written
part      a device is begun, or its values are written and verified ("held")
decide    "new": all are verified, "old": all are undone, and why
end       how it ended: done, rolled-back or in-doubt
======== ==========================================================================================
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dronekit_cfg.engine.journal import Journal, read_entries
from dronekit_cfg.model import Identity, Result
from dronekit_cfg.text import t

__all__ = [
    "FORMAT",
    "NEW",
    "OLD",
    "AircraftStory",
    "StoredPart",
    "decide_old",
    "identity_data",
    "read_aircraft_journal",
]

FORMAT = "dronekit-cfg/aircraft-journal/v1"
NEW = "new"
OLD = "old"
_PINNED = ("family", "vehicle", "version", "version_text", "board", "uid", "address")


@dataclass(frozen=True, slots=True)
class StoredPart:
    """One device as the journal names it."""

    role: str
    link: str
    family: str
    identity: Identity


@dataclass
class AircraftStory:
    """What the journal of an aircraft tells."""

    path: Path
    begin: dict[str, Any] = field(default_factory=dict)
    parts: tuple[StoredPart, ...] = ()
    decision: str = ""
    ended: str = ""

    @property
    def open(self) -> bool:
        """Whether something is left for `recover` to do."""
        return bool(self.begin) and self.ended in {"", Result.IN_DOUBT.value}

    @property
    def id(self) -> str:
        """What the journals of the devices call it: the folder of the aircraft and the name of the file."""
        folder = self.path.parent.parent if self.path.parent.name == "ended" else self.path.parent
        return f"{folder.parent.name}/{self.path.stem}"

    def names(self, key: str) -> bool:
        """Whether the device whose folder is `key` is a part."""
        return any(part.identity.key == key for part in self.parts)


def identity_data(identity: Identity) -> dict[str, str]:
    """Give who a device is as plain data."""
    return {name: getattr(identity, name) for name in _PINNED}


def read_aircraft_journal(path: Path) -> AircraftStory:
    """Read the journal of an aircraft. A torn last line is ignored; raises StateError for a damaged one."""
    story = AircraftStory(path)
    hint = t("move the file away, then run `dronekit-cfg recover` on each device by itself")
    read_entries(path, lambda entry: _tell(story, entry), hint)
    return story


def _tell(story: AircraftStory, entry: dict[str, Any]) -> None:
    match entry["kind"]:
        case "begin":
            if entry["format"] != FORMAT:
                raise ValueError(f"format {entry['format']}")
            story.begin = entry
            story.parts = tuple(_part(p) for p in entry["parts"])
        case "decide":
            if entry["to"] not in {NEW, OLD}:
                raise ValueError(f"decision {entry['to']}")
            story.decision = story.decision or entry["to"]
        case "end":
            story.ended = Result(entry["result"]).value
        case "part":
            pass
        case other:
            raise ValueError(f"unknown entry {other}")


def _part(data: dict[str, Any]) -> StoredPart:
    texts = {name: data["identity"][name] for name in _PINNED}
    if not all(isinstance(v, str) for v in (*texts.values(), data["role"], data["link"], data["driver"])):
        raise ValueError("a part that is no part")
    return StoredPart(data["role"], data["link"], data["driver"], Identity(**texts))


def decide_old(story: AircraftStory, why: str) -> None:
    """Write down that everything is undone, unless something is decided already. Raises StateError."""
    if not story.decision:
        journal = Journal(story.path)
        try:
            journal.write("decide", to=OLD, why=why)
        finally:
            journal.close()
        story.decision = OLD
