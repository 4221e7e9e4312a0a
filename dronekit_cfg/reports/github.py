"""GitHub workflow commands: one annotation per finding, shown at file and line of a pull request.

Form and escapes: GitHub documentation, "Workflow commands for GitHub Actions".
"""

from __future__ import annotations

from collections.abc import Iterable

from dronekit_cfg.model import Finding
from dronekit_cfg.reports.judged import Judged

__all__ = ["github"]

_LEVELS = {"error": "error", "warning": "warning", "info": "notice"}
_DATA = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def github(judged: Iterable[Judged]) -> str:
    """Give one line per finding, "" when there is none."""
    return "".join(_line(j, f) + "\n" for j in judged for f in j.findings)


def _escaped(text: str, table: dict[str, str]) -> str:
    return "".join(table.get(c, c) for c in text)


def _line(judged: Judged, finding: Finding) -> str:
    origin = finding.origin
    properties = {"file": (origin.file if origin else "") or judged.file}
    if origin and origin.line:
        properties["line"] = str(origin.line)
        if origin.column:
            properties["col"] = str(origin.column)
    properties["title"] = finding.id
    shown = ",".join(f"{k}={_escaped(v, _PROPERTY)}" for k, v in properties.items())
    message = f"{finding.message} {finding.remedy}".strip()
    return f"::{_LEVELS[finding.severity]} {shown}::{_escaped(message, _DATA)}"
