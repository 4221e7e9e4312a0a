"""`validate`, `rules` and `schema`: judging files with no vehicle at hand."""

from __future__ import annotations

import gzip
import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.formats.shipped import shipped

Run = Callable[..., Any]

SAFE = "FS_THR_ENABLE,1\nRTL_ALT,3000\nGPS1_TYPE,2\nARMING_CHECK,1\n"
"""Names of 4.6 with values that no rule minds."""


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    path = tmp_path / "vehicle.param"
    path.write_text(SAFE)
    return path


def ids(document: dict[str, Any]) -> set[str]:
    return {f["id"] for file in document["files"] for f in file["findings"]}


def test_the_shipped_profiles_are_clean(cli: Run) -> None:
    said = cli("validate", shipped("profiles"))
    assert said.code == 0, said.out
    assert " 0 errors, 0 warnings" in said.out.splitlines()[-1]


def test_a_file_without_a_version_is_judged_as_the_firmware_its_names_fit_best(cli: Run, dump: Path) -> None:
    assert "copter 4.6.3" in cli("validate", dump, "--json").document["files"][0]["judged"]
    dump.write_text("GPS1_TYPE,2\nARMING_SKIPCHK,0\nRTL_ALT_M,30\n")
    assert "copter 4.7.0," in cli("validate", dump, "--json").document["files"][0]["judged"]
    dump.write_text("GPS1_TYPE,2\nARMING_CHECK,1\nMAV_GCS_SYSID,255\n")  # half renamed: the tree before the release
    assert "copter 4.7.0.dev0" in cli("validate", dump, "--json").document["files"][0]["judged"]
    dump.write_text("GPS_TYPE,2\nARMING_CHECK,1\nGPS_GNSS_MODE,0\n")
    assert "copter 4.5" in cli("validate", dump, "--json").document["files"][0]["judged"]
    said = cli("validate", dump, "--firmware", "copter@4.7")
    assert said.code == 1
    assert "NAME-GENERATION" in said.out
    assert "GPS1_TYPE" in said.out


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("EK3_GPS_CHECK,255", "VALUE-STORAGE"),
        ("RTL_ALTT,5", "NAME-UNKNOWN"),
        ("FS_EKF_ACTION,0", "AP-R14"),
        ("FS_OPTIONS,4096", "VALUE-BITS"),
    ],
)
def test_a_dangerous_line_is_found_with_rule_place_and_remedy(cli: Run, dump: Path, line: str, rule: str) -> None:
    dump.write_text(SAFE + line + "\n")
    said = cli("validate", dump)
    assert said.code == 1
    assert rule in said.out
    assert "what to do:" in said.out
    assert f"{dump.name}:5" in said.out.replace("\n", "").replace(" ", "")
    assert rule in ids(cli("validate", dump, "--json").document)


def test_a_setting_that_left_the_firmware_is_told_with_its_reason(cli: Run, tmp_path: Path) -> None:
    path = tmp_path / "diff.txt"
    path.write_text("set failsafe_procedure = DROP\nset gps_rescue_throttle_p = 15\nset osd_warn_rssi = ON\n")
    found = cli("validate", path, "--firmware", "betaflight@2025.12", "--json").document["files"][0]["findings"]
    assert [(f["id"], f["severity"], f["name"]) for f in found] == [
        ("NAME-UNKNOWN", "warning", "gps_rescue_throttle_p"),
        ("NAME-UNKNOWN", "warning", "osd_warn_rssi"),
    ]
    assert "gone since betaflight 2025.12" in found[0]["message"]
    assert "osd_warn_bitmask" in found[1]["remedy"]
    assert cli("validate", path, "--firmware", "betaflight@4.3").code == 0


def test_errors_warnings_and_notes_fail_as_asked(cli: Run, dump: Path) -> None:
    dump.write_text(SAFE + "FS_OPTIONS,4096\n")
    assert cli("validate", dump).code == 1
    assert cli("validate", dump, "--fail-on", "error").code == 0
    assert cli("validate", dump, "--fail-on", "error", "--strict").code == 1
    assert cli("validate", dump, "--accept", "VALUE-BITS").code == 0
    assert cli("validate", dump, "--fail-on", "sometimes").code == 2


def test_a_waiver_with_reason_and_end_is_honoured_and_shown(cli: Run, dump: Path, tmp_path: Path) -> None:
    dump.write_text(SAFE + "FS_OPTIONS,4096\n")
    waivers = tmp_path / "waivers.yaml"
    waivers.write_text(
        "format: dronekit-cfg/waivers/v1\nwaive:\n"
        "  - {rule: VALUE-BITS, because: a test build, until: 2099-01-01, who: olena}\n"
    )
    said = cli("validate", dump, "--waivers", waivers)
    assert said.code == 0, said.out + said.err
    assert "1 waived" in said.out


def test_one_broken_file_does_not_keep_the_others_from_being_judged(cli: Run, dump: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.param"
    page.write_text("<!DOCTYPE html><html></html>")
    document = cli("validate", dump, page, "--json").document
    assert document["exit_code"] == 1
    findings = {Path(f["file"]).name: f["findings"] for f in document["files"]}
    assert findings["vehicle.param"] == []
    assert findings["page.param"][0]["id"] == "FILE"
    assert cli("validate", tmp_path / "nowhere.param").code == 2


def test_many_files_are_judged_as_one_is(cli: Run, tmp_path: Path) -> None:
    folder = tmp_path / "fleet"
    folder.mkdir()
    for number in range(20):
        bad = "FS_EKF_ACTION,0\n" if number % 2 else ""
        (folder / f"{number:02}.param").write_text(SAFE + bad)
    document = cli("validate", folder, "--json").document
    found = {Path(f["file"]).name: [x["id"] for x in f["findings"]] for f in document["files"]}
    assert len(found) == 20
    assert found["00.param"] == []
    assert found["01.param"] == ["AP-R14", "VALUE-ENUM"] == found["19.param"]


def test_reports_for_ci(cli: Run, dump: Path, tmp_path: Path) -> None:
    dump.write_text(SAFE + "FS_EKF_ACTION,0\n")
    junit, sarif = tmp_path / "j.xml", tmp_path / "s.sarif"
    said = cli("validate", dump, "--junit", junit, "--sarif", sarif, "--github")
    assert said.code == 1
    assert said.out.startswith("::error file=")
    assert "line=5" in said.out
    suite = ET.parse(junit).getroot()
    assert int(suite.get("failures", "0")) == 2
    run = json.loads(sarif.read_text())["runs"][0]
    assert run["results"][0]["ruleId"] == "AP-R14"
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert region["startLine"] == 5


def test_own_rules_count_and_broken_ones_say_where(cli: Run, dump: Path, tmp_path: Path) -> None:
    pack = tmp_path / "pack.yaml"
    pack.write_text("format: dronekit-cfg/rules/v1\npack: mine\nrules: [{id: broken}]\n")
    said = cli("validate", dump, "--rules", pack)
    assert said.code == 2
    assert "pack.yaml:3" in said.err


def test_rules_can_be_listed_and_explained(cli: Run) -> None:
    document = cli("rules", "list", "--json").document
    assert len(document["rules"]) > 60
    assert {"AP-R14", "VALUE-NAN"} <= {r["id"] for r in document["rules"]}
    said = cli("rules", "explain", "ap-r14")
    assert said.code == 0
    assert "Breaks it:" in said.out
    unknown = cli("rules", "explain", "AP-R1433")
    assert unknown.code == 2
    assert "AP-R14" in unknown.err


def test_schema_shows_what_is_known_about_a_setting(cli: Run) -> None:
    said = cli("schema", "show", "fs_options", "--firmware", "copter@4.7")
    assert said.code == 0
    assert "bits" in said.out
    document = cli("schema", "show", "GPS1_TYPE", "--json").document
    assert document["setting"]["name"] == "GPS1_TYPE"
    assert cli("schema", "show", "GPS1_TYPE", "--firmware", "copter@4.5").code == 2
    assert cli("schema", "show", "X", "--firmware", "helicopter").code == 2


def test_schema_diff_tells_renames_from_news(cli: Run) -> None:
    said = cli("schema", "diff", "copter@4.5", "copter@4.7", "--json")
    assert said.code == 1
    assert {"GPS_TYPE"} <= {r["old"] for r in said.document["renamed"]}
    assert "GPS1_TYPE" not in said.document["new"]
    assert cli("schema", "diff", "copter@4.5", "copter@4.5").code == 0


PDEF = """<?xml version="1.0"?>
<paramfile><vehicles><parameters name="ArduCopter">
<param humanName="Own thing" name="ArduCopter:OWN_THING" documentation="x" user="Standard">
<field name="Range">0 10</field><field name="Units">m</field></param>
</parameters></vehicles><libraries/></paramfile>
"""


def test_schema_import_makes_a_firmware_version_known(cli: Run, tmp_path: Path, dump: Path) -> None:
    file = tmp_path / "apm.pdef.xml"
    file.write_text(PDEF)
    said = cli("schema", "import", file)
    assert said.code == 2
    assert "--version" in said.err
    made = cli("schema", "import", file, "--version", "9.9.9")
    assert made.code == 0, made.err
    assert "copter@9.9.9" in cli("schema", "list").out
    assert cli("schema", "show", "OWN_THING", "--firmware", "copter@9.9.9", "--json").document["setting"]["unit"] == "m"
    dump.write_text("OWN_THING,11\n")
    document = cli("validate", dump, "--firmware", "copter@9.9.9", "--json").document
    assert ids(document) == {"VALUE-RANGE"}


def test_a_truncated_metadata_file_is_refused(cli: Run, tmp_path: Path) -> None:
    file = tmp_path / "apm.pdef.xml.gz"
    file.write_bytes(gzip.compress(PDEF[:150].encode()))
    said = cli("schema", "import", file, "--version", "4.9")
    assert said.code == 2
    assert "what to do:" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("name", ["a.param", "a.parm", "a.params", "a.yaml", "a.json", "a.txt"])
@pytest.mark.parametrize(
    "content",
    [
        bytes(range(256)) * 20,
        b"",
        b"\x00" * 5000,
        b"{" * 5000,
        b"[" * 5000 + b"\n",
        b"a: &a [*a]\n",
        "ü,1\n".encode("utf-16"),
    ],
    ids=["binary", "empty", "zeros", "braces", "brackets", "recursive", "utf16"],
)
def test_what_is_no_settings_file_is_a_finding_of_that_file(
    cli: Run, tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    said = cli("validate", tmp_path / name, "--json")
    assert said.code == 1, said.err
    (file,) = said.document["files"]
    assert [f["id"] for f in file["findings"] if f["severity"] == "error"]
    assert all(f["origin"]["file"].endswith(name) for f in file["findings"])


@pytest.mark.parametrize("name", ["a.param", "a.yaml", "a.json", "a.txt"])
def test_a_hundred_megabytes_are_refused_by_their_size(cli: Run, tmp_path: Path, name: str) -> None:
    with (tmp_path / name).open("wb") as file:
        file.truncate(100 << 20)
    said = cli("validate", tmp_path / name)
    assert said.code == 1
    assert "larger than" in said.out


@pytest.mark.parametrize(
    ("violation", "words"),
    [
        ('p("FS_THR_ENABLE") ==', "does not read"),
        ('__import__("os").system("id")', "only functions"),
        ('p("FS_THR_ENABLE") == 9**9**9', "Pow is not part"),
        ('p("FS_THR_ENABEL") == 0', "did you mean FS_THR_ENABLE?"),
        (" or ".join(['p("FS_THR_ENABLE") == 0'] * 3000), "is longer than 2000 characters"),
        ("(" * 400 + "1" + ")" * 400, "pack.yaml:8:"),
        ('nosuch("FS_THR_ENABLE")', "nosuch"),
        ('p("FS_THR_ENABLE", 1, 2, 3)', "p takes 1 to 2 arguments"),
        ("lambda: 1", "Lambda"),
    ],
    ids=["syntax", "import", "power", "typo", "long", "deep", "unknown", "arguments", "lambda"],
)
def test_a_bad_or_endless_expression_of_a_pack_says_where_it_stands(
    cli: Run, dump: Path, tmp_path: Path, violation: str, words: str
) -> None:
    pack = tmp_path / "pack.yaml"
    pack.write_text(
        "format: dronekit-cfg/rules/v1\npack: mine\nrules:\n  - id: MY-1\n    title: t\n    severity: error\n"
        f"    applies: {{family: ardupilot}}\n    violation: {violation!r}\n    message: m\n    why: w\n    remedy: r\n"
        "    source: s\n    examples:\n      bad: {settings: {FS_THR_ENABLE: 0}}\n"
        "      good: {settings: {FS_THR_ENABLE: 1}}\n"
    )
    said = cli("validate", dump, "--rules", pack)
    assert said.code == 2
    assert f"{pack}:8:" in said.err
    assert words in said.err
    assert len(said.err) < 1500
