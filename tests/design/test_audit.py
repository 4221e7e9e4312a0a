"""The judge of the dependency audit: findings fail, a missing answer is said and is no pass in disguise."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest


def _load() -> Any:
    path = Path(__file__).parents[2] / ".ci" / "audit.py"
    spec = importlib.util.spec_from_file_location("dronekit_cfg_ci_audit", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


audit = _load()
SOUND = {"name": "rich", "version": "13.9", "vulns": []}
SKIPPED = {"name": "pyserial", "skip_reason": "not found on PyPI"}
BAD = {"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"], "aliases": ["CVE-1"]}]}


@pytest.mark.parametrize(
    ("parts", "code", "words"),
    [
        ([SOUND], 0, "1 of 1 parts looked up"),
        ([SOUND, SKIPPED], 0, "not looked up: pyserial"),
        ([SKIPPED], 0, "NOT LOOKED UP"),
        ([SOUND, BAD], 1, "VULNERABLE a 1: PYSEC-1, fixed in 2"),
    ],
)
def test_what_the_report_says_decides(parts: list[dict[str, Any]], code: int, words: str) -> None:
    found, lines = audit.judge({"dependencies": parts})
    assert found == code
    assert words in "\n".join(lines)


def test_an_advisory_is_accepted_by_name_only_and_also_by_an_alias() -> None:
    report = {"dependencies": [BAD]}
    assert audit.judge(report, {"CVE-1": "we do not call it"})[0] == 0
    assert audit.judge(report, {"CVE-2": "another one"})[0] == 1
    assert all(audit.ACCEPTED.values())
