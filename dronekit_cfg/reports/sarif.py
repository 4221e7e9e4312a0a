"""SARIF 2.1.0 of findings, so that code review tools show them at file, line and column.

Source: OASIS "Static Analysis Results Interchange Format (SARIF) Version 2.1.0"; section numbers in the comments.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from dronekit_cfg.model import Finding, Waiver
from dronekit_cfg.reports.judged import Judged, RuleText

__all__ = ["sarif"]

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"error": "error", "warning": "warning", "info": "note"}

Json = dict[str, Any]


def sarif(judged: Sequence[Judged], *, rules: Iterable[RuleText], version: str) -> str:
    """Give the report as JSON text. `rules` are all known ones; those with a result are described in it.

    `version` is that of this tool. Waived findings are results with a suppression.
    """
    found = [(j, f, None) for j in judged for f in j.findings]
    waived = [(j, f, w) for j in judged for f, w in j.waived]
    used = dict.fromkeys(f.id for _, f, _ in (*found, *waived))
    known = {rule.id: rule for rule in rules}
    index = {rule_id: i for i, rule_id in enumerate(used)}
    run: Json = {
        "tool": {
            "driver": {
                "name": "dronekit-cfg",
                "version": version,
                "rules": [_rule(rule_id, known.get(rule_id)) for rule_id in used],
            }
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(j, f, w, index[f.id]) for j, f, w in (*found, *waived)],
        "properties": {"judgedAgainst": {j.file: j.note for j in judged if j.note}},
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rule(rule_id: str, rule: RuleText | None) -> Json:
    """Describe one rule (3.49, reportingDescriptor)."""
    if rule is None:
        return {"id": rule_id}
    return {
        "id": rule_id,
        "name": "".join(word.capitalize() for word in rule_id.split("-")),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": f"{rule.why} {rule.remedy}"},
        "help": {"text": f"{rule.why}\n\n{rule.remedy}\n\n{rule.source}"},
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
    }


def _result(judged: Judged, finding: Finding, waiver: Waiver | None, rule_index: int) -> Json:
    """Describe one finding (3.27, result)."""
    message = f"{finding.message} {finding.remedy}".strip()
    result: Json = {
        "ruleId": finding.id,
        "ruleIndex": rule_index,
        "level": _LEVELS[finding.severity],
        "message": {"text": message},
        "locations": [_location(judged, finding)],
        "partialFingerprints": {"dronekitCfg/v1": _fingerprint(judged, finding)},
    }
    if waiver is not None:
        because = f"{waiver.because} ({waiver.who})" if waiver.who else waiver.because
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": because}]
    return result


def _location(judged: Judged, finding: Finding) -> Json:
    origin = finding.origin
    physical: Json = {"artifactLocation": {"uri": _uri((origin.file if origin else "") or judged.file)}}
    if origin and origin.line:
        physical["region"] = {"startLine": origin.line}
        if origin.column:
            physical["region"]["startColumn"] = origin.column
    location: Json = {"physicalLocation": physical}
    if finding.name:
        location["logicalLocations"] = [{"name": finding.name, "kind": "parameter"}]
    return location


def _uri(file: str) -> str:
    """Give a valid URI reference: forward slashes, everything unusual escaped; absolute paths as file: URIs (3.4.3)."""
    path = file.replace("\\", "/")
    if len(path) > 1 and path[1] == ":" and path[0].isalpha():
        return "file:///" + path[0] + ":" + quote(path[2:])
    if PurePath(path).is_absolute() or path.startswith("/"):
        return "file://" + quote(path)
    return quote(path)


def _fingerprint(judged: Judged, finding: Finding) -> str:
    """Give an id of the finding that survives moved lines: of rule, file and setting."""
    return hashlib.sha256(f"{finding.id}\n{judged.file}\n{finding.name}".encode()).hexdigest()[:32]
