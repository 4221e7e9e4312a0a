"""Receipts as files: the evidence of what was applied to which vehicle."""

from __future__ import annotations

from pathlib import Path

from dronekit_cfg.formats.files import read_text, write_atomic
from dronekit_cfg.formats.machine_json import parse_sealed, refuse, sealed_text
from dronekit_cfg.formats.records import DataError, from_data, to_data
from dronekit_cfg.model import Receipt
from dronekit_cfg.text import t

__all__ = ["dump_receipt", "load_receipt", "read_receipt", "save_receipt"]

_FORMAT = "receipt/v1"


def dump_receipt(receipt: Receipt) -> str:
    """Give the text of a receipt file; `changed` is written beside the fields for programs that are not ours."""
    return sealed_text({"format": f"dronekit-cfg/{_FORMAT}", "changed": receipt.changed, **to_data(receipt)})


def load_receipt(text: str, file: str) -> Receipt:
    """Read a receipt from its text. Raises FileProblems when it is damaged, changed, or not a receipt."""
    body = parse_sealed(text, file, wanted=_FORMAT)
    body.pop("changed", None)
    del body["format"]
    try:
        return from_data(Receipt, body)
    except DataError as error:
        refuse(file, t("the receipt is damaged: {why}", why=error), t("use an undamaged copy"))


def save_receipt(path: Path, receipt: Receipt) -> None:
    """Write a receipt file, on disk when this returns. Raises StateError."""
    write_atomic(path, dump_receipt(receipt))


def read_receipt(path: Path) -> Receipt:
    """Read a receipt file. Raises UsageError or FileProblems."""
    return load_receipt(read_text(path), str(path))
