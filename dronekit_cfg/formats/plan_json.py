"""Plans as files, so that one person can make a plan and another one judge and apply it."""

from __future__ import annotations

from pathlib import Path

from dronekit_cfg.formats.files import read_text, write_atomic
from dronekit_cfg.formats.machine_json import parse_sealed, refuse, sealed_text
from dronekit_cfg.formats.records import DataError, from_data, to_data
from dronekit_cfg.model import Plan
from dronekit_cfg.text import t

__all__ = ["dump_plan", "load_plan", "read_plan", "save_plan"]

_FORMAT = "plan/v1"


def dump_plan(plan: Plan) -> str:
    """Give the text of a plan file."""
    return sealed_text({"format": f"dronekit-cfg/{_FORMAT}", "digest": plan.digest, **to_data(plan)})


def load_plan(text: str, file: str) -> Plan:
    """Read a plan from its text. Raises FileProblems when it is damaged, changed, or not a plan."""
    body = parse_sealed(text, file, wanted=_FORMAT)
    digest = body.pop("digest", None)
    del body["format"]
    try:
        plan = from_data(Plan, body)
    except DataError as error:
        refuse(file, t("the plan is damaged: {why}", why=error), t("make the plan again"))
    if plan.digest != digest:
        refuse(file, t("the digest of the plan does not match its changes"), t("make the plan again"))
    return plan


def save_plan(path: Path, plan: Plan) -> None:
    """Write a plan file, on disk when this returns. Raises StateError."""
    write_atomic(path, dump_plan(plan))


def read_plan(path: Path) -> Plan:
    """Read a plan file. Raises UsageError or FileProblems."""
    return load_plan(read_text(path), str(path))
