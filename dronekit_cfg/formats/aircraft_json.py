"""Plans, snapshots and receipts of a whole aircraft as files: one sealed file with a part for each device."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from dronekit_cfg.formats.files import read_text, write_atomic
from dronekit_cfg.formats.machine_json import parse_sealed, refuse, sealed_text
from dronekit_cfg.formats.records import DataError, from_data, to_data
from dronekit_cfg.model.aircraft import AircraftPlan, AircraftReceipt, AircraftSnapshot
from dronekit_cfg.text import t

__all__ = ["FORMATS", "dump_aircraft", "load_aircraft", "read_aircraft", "save_aircraft"]

AircraftFile = AircraftPlan | AircraftReceipt | AircraftSnapshot

T = TypeVar("T", AircraftPlan, AircraftReceipt, AircraftSnapshot)

FORMATS: dict[type[AircraftFile], str] = {
    AircraftPlan: "aircraft-plan/v1",
    AircraftReceipt: "aircraft-receipt/v1",
    AircraftSnapshot: "aircraft-snapshot/v1",
}


def dump_aircraft(document: AircraftFile) -> str:
    """Give the text of a file; a receipt has `changed` beside its fields, for programs that are not ours."""
    changed = {"changed": document.changed} if isinstance(document, AircraftReceipt) else {}
    return sealed_text({"format": f"dronekit-cfg/{FORMATS[type(document)]}", **changed, **to_data(document)})


def load_aircraft(kind: type[T], text: str, file: str) -> T:
    """Read a file of one kind from its text. Raises FileProblems when it is damaged, changed, or of another kind."""
    body = parse_sealed(text, file, wanted=FORMATS[kind])
    body.pop("changed", None)
    del body["format"]
    try:
        return from_data(kind, body)
    except DataError as error:
        refuse(file, t("the file is damaged: {why}", why=error), t("use an undamaged copy"))


def save_aircraft(path: Path, document: AircraftFile) -> None:
    """Write a file, on disk when this returns. Raises StateError."""
    write_atomic(path, dump_aircraft(document))


def read_aircraft(kind: type[T], path: Path) -> T:
    """Read a file of one kind. Raises UsageError or FileProblems."""
    return load_aircraft(kind, read_text(path), str(path))
