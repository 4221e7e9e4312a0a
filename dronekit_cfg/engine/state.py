"""The state directory: snapshots, journals, receipts and leases, by vehicle."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dronekit_cfg import __version__
from dronekit_cfg.engine.aircraft_journal import AircraftStory, read_aircraft_journal
from dronekit_cfg.engine.journal import Journal, Story, read_journal
from dronekit_cfg.errors import LeaseHeld, StateError
from dronekit_cfg.formats.receipt_json import save_receipt
from dronekit_cfg.formats.snapshot_json import save_snapshot
from dronekit_cfg.model import Identity, Receipt, Snapshot
from dronekit_cfg.text import t

__all__ = ["StateDir", "default_root"]

ENVIRONMENT = "DRONEKIT_CFG_STATE_DIR"


def default_root() -> Path:
    """Give the folder from DRONEKIT_CFG_STATE_DIR, else the platform's user data folder."""
    from platformdirs import user_data_path

    given = os.environ.get(ENVIRONMENT)
    return Path(given) if given else user_data_path("dronekit-cfg", appauthor=False)


class StateDir:
    """Where everything lives that must survive the process: `<root>/vehicles/<family>-<uid>/...`."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or default_root()

    def vehicle(self, identity: Identity) -> Path:
        """Give the folder of a vehicle (not created)."""
        return self.root / "vehicles" / identity.key

    def save_snapshot(self, snapshot: Snapshot) -> Path:
        """Store a snapshot, synced to disk; raises StateError."""
        path = self._fresh(snapshot.identity, "snapshots", snapshot.taken, ".json")
        save_snapshot(path, snapshot, tool=f"dronekit-cfg {__version__}")
        return path

    def save_receipt(self, receipt: Receipt) -> Path:
        """Store a receipt, synced to disk; raises StateError."""
        path = self._fresh(receipt.identity, "receipts", receipt.started, ".json")
        save_receipt(path, receipt)
        return path

    def new_journal(self, identity: Identity, started: str) -> Journal:
        """Open a new journal for one apply."""
        return Journal(self._fresh(identity, "journals", started, ".jsonl"))

    def journals(self, identity: Identity) -> Iterator[Story]:
        """Give the journals of a vehicle, newest first."""
        folder = self.vehicle(identity) / "journals"
        for path in sorted(folder.glob("*.jsonl"), reverse=True):
            yield read_journal(path)

    def open_journal(self, identity: Identity) -> Story | None:
        """Give the newest journal of the vehicle that is not ended, or None.

        Only the newest counts: an apply is refused while a journal is open, so no older one can be.
        """
        return next((story for story in self.journals(identity) if story.open), None)

    def open_elsewhere(self, identity: Identity) -> tuple[str, ...]:
        """Give the folder names of other vehicles that have an open journal."""
        folders = (self.root / "vehicles").glob("*/journals")
        return tuple(
            folder.parent.name
            for folder in sorted(folders)
            if folder.parent.name != identity.key and any(read_journal(p).open for p in folder.glob("*.jsonl"))
        )

    def aircraft(self, main: Identity) -> Path:
        """Give the folder of the aircraft with this flight controller (not created)."""
        return self.root / "aircraft" / main.key

    def new_aircraft_journal(self, main: Identity, started: str) -> Journal:
        """Open the journal that ties the devices of one aircraft together."""
        return Journal(self._free(self.aircraft(main) / "journals", started, ".jsonl"))

    def open_aircraft(self, key: str) -> AircraftStory | None:
        """Give the unfinished work on an aircraft that the device with this folder name is a part of, or None."""
        for path in sorted((self.root / "aircraft").glob("*/journals/*.jsonl"), reverse=True):
            story = read_aircraft_journal(path)
            if story.open and story.names(key):
                return story
        return None

    def aircraft_story(self, identifier: str) -> AircraftStory | None:
        """Give the journal of an aircraft by its id, ended ones too; None when it is gone."""
        folder, _, stem = identifier.partition("/")
        journals = self.root / "aircraft" / folder / "journals"
        found = (p for p in (journals / f"{stem}.jsonl", journals / "ended" / f"{stem}.jsonl") if p.is_file())
        path = next(found, None)
        return read_aircraft_journal(path) if path else None

    def aircraft_file(self, main: Identity, kind: str, when: str) -> Path:
        """Give a free path for a file of an aircraft; `kind` is "receipts" or "snapshots". Raises StateError."""
        return self._free(self.aircraft(main) / kind, when, ".json")

    @contextmanager
    def lease(self, name: str) -> Iterator[None]:
        """Hold the lease `name` (a vehicle key or a link URL): LeaseHeld while another process has it.

        It is an operating system lock on a file, so it ends with the process, however that ends.
        """
        from filelock import FileLock, Timeout

        path = self.root / "leases" / (re.sub(r"[^A-Za-z0-9_.-]", "_", name)[:120] + ".lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(path, timeout=0)
            lock.acquire()
        except Timeout as error:
            raise LeaseHeld(
                t("another dronekit-cfg is working on {name}", name=name),
                hint=t("wait until it has finished, or end it; the lease ends with that process"),
            ) from error
        except OSError as error:
            raise self._unusable(error) from error
        try:
            yield
        finally:
            lock.release()

    def _unusable(self, error: OSError) -> StateError:
        return StateError(
            t("cannot use the state folder {root}: {error}", root=self.root, error=error),
            hint=t("make it writable, or name another one with --state-dir or DRONEKIT_CFG_STATE_DIR"),
        )

    def _fresh(self, identity: Identity, kind: str, when: str, suffix: str) -> Path:
        return self._free(self.vehicle(identity) / kind, when, suffix)

    def _free(self, folder: Path, when: str, suffix: str) -> Path:
        """Give a path that does not exist yet; names sort by time."""
        stem = re.sub(r"[^0-9TZ]", "", when.replace("+00:00", "Z"))
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._unusable(error) from error
        number = 0
        while True:
            path = folder / f"{stem}-{number:03d}{suffix}"
            if not path.exists():
                return path
            number += 1
