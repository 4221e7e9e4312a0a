"""JUnit XML of findings: one suite per file, one case per rule that has something to say, one passed case otherwise.

Layout: the de-facto schema of Jenkins and GitLab (testsuites, testsuite, testcase, failure, skipped).
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable

from dronekit_cfg.model import Finding
from dronekit_cfg.reports.judged import FAIL_ON, Judged
from dronekit_cfg.text import t

__all__ = ["clean", "junit"]


def junit(judged: Iterable[Judged], *, fail_on: str = "error", seconds: float = 0.0) -> str:
    """Give the report as XML text. Findings below `fail_on` are passed cases with their text as output.

    Waived findings are skipped cases with the waiver's reason. `seconds` is the time that the whole run took.
    """
    root = ET.Element("testsuites", name="dronekit-cfg")
    cases = failures = 0
    for one in judged:
        suite, n, bad = _suite(one, FAIL_ON[fail_on])
        root.append(suite)
        cases += n
        failures += bad
    root.set("tests", str(cases))
    root.set("failures", str(failures))
    root.set("errors", "0")
    root.set("time", f"{seconds:.3f}")
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(judged: Judged, severities: tuple[str, ...]) -> tuple[ET.Element, int, int]:
    suite = ET.Element("testsuite", name=clean(judged.file))
    if judged.note:
        properties = ET.SubElement(suite, "properties")
        ET.SubElement(properties, "property", name="judged-against", value=clean(judged.note))
    failures = 0
    for finding in judged.findings:
        case = _case(suite, judged, finding)
        text = _text(finding)
        if finding.severity in severities:
            failures += 1
            failure = ET.SubElement(case, "failure", type=finding.severity, message=clean(finding.message))
            failure.text = clean(text)
        else:
            ET.SubElement(case, "system-out").text = clean(f"{finding.severity}: {text}")
    for finding, waiver in judged.waived:
        reason = t("waived until {until}: {because}", until=waiver.until or t("revoked"), because=waiver.because)
        ET.SubElement(_case(suite, judged, finding), "skipped", message=clean(reason))
    if not judged.findings and not judged.waived:
        ET.SubElement(suite, "testcase", classname=clean(judged.file), name=t("no findings"))
    total = len(suite.findall("testcase"))
    suite.set("tests", str(total))
    suite.set("failures", str(failures))
    suite.set("errors", "0")
    suite.set("skipped", str(len(judged.waived)))
    return suite, total, failures


def _case(suite: ET.Element, judged: Judged, finding: Finding) -> ET.Element:
    name = f"{finding.id} {finding.name}".strip()
    case = ET.SubElement(suite, "testcase", classname=clean(judged.file), name=clean(name))
    if finding.origin and finding.origin.line:
        case.set("file", clean(finding.origin.file))
        case.set("line", str(finding.origin.line))
    return case


def _text(finding: Finding) -> str:
    place = f"{finding.origin}: " if finding.origin and finding.origin.line else ""
    return "\n".join(part for part in (place + finding.message, finding.remedy) if part)


def clean(text: str) -> str:
    """Replace what XML 1.0 cannot carry (control characters, lone surrogates); values come from files of strangers."""
    return "".join(c if _is_xml(ord(c)) else "\N{REPLACEMENT CHARACTER}" for c in text)


def _is_xml(code: int) -> bool:
    return code in (9, 10, 13) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000
