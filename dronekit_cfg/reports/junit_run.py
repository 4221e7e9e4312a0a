"""JUnit XML of a run of checks or scenarios: one suite, its vehicle as properties, one case per check."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

from dronekit_cfg.model.checked import Result, RunResult, Verdict
from dronekit_cfg.reports.junit import clean
from dronekit_cfg.text import t

__all__ = ["junit_run"]

_TAGS = {Verdict.FAIL: "failure", Verdict.ERROR: "error", Verdict.SKIP: "skipped"}


def junit_run(run: RunResult) -> str:
    """Give the report as XML text."""
    counts = {v: sum(r.verdict is v for r in run.results) for v in Verdict}
    totals: dict[str, Any] = {
        "tests": str(len(run.results)),
        "failures": str(counts[Verdict.FAIL]),
        "errors": str(counts[Verdict.ERROR]),
        "time": f"{run.seconds:.3f}",
    }
    root = ET.Element("testsuites", name="dronekit-cfg", **totals)
    suite = ET.SubElement(
        root, "testsuite", name=clean(run.suite), timestamp=run.started, skipped=str(counts[Verdict.SKIP]), **totals
    )
    properties = ET.SubElement(suite, "properties")
    for name, value in _properties(run).items():
        ET.SubElement(properties, "property", name=name, value=clean(value))
    for result in run.results:
        _case(suite, run, result)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _properties(run: RunResult) -> dict[str, str]:
    facts = {"tool": run.tool, "link": run.link, "profile": run.profile, "profile-digest": run.profile_digest}
    if run.identity is not None:
        who = run.identity
        facts |= {"uid": who.uid, "firmware": who.version_text, "family": who.family, "board": who.board}
    return {name: value for name, value in facts.items() if value}


def _case(suite: ET.Element, run: RunResult, result: Result) -> None:
    where = f"{run.suite}.{result.subject}" if result.subject else run.suite
    case = ET.SubElement(
        suite, "testcase", classname=clean(where), name=clean(result.name), time=f"{result.seconds:.3f}"
    )
    facts = {"seed": str(result.seed)} if result.seed is not None else {}
    if result.subject is not None:
        subject = result.subject
        facts |= {"profile": subject.profile, "profile-digest": subject.digest, "firmware": subject.firmware}
    if told_facts := {name: value for name, value in facts.items() if value}:
        properties = ET.SubElement(case, "properties")
        for name, value in told_facts.items():
            ET.SubElement(properties, "property", name=name, value=clean(value))
    tag = _TAGS.get(result.verdict)
    if tag:
        found = ET.SubElement(case, tag, message=clean(result.reason))
        if result.remedy and result.verdict is not Verdict.SKIP:
            found.text = clean(t("{reason}\nWhat to do: {remedy}", reason=result.reason, remedy=result.remedy))
    told = [str(m) for m in result.measures] + list(result.notes)
    if told:
        ET.SubElement(case, "system-out").text = clean("\n".join(told))
