"""`hil` and `sitl` on the command line: exit codes, report files, JSON."""

from __future__ import annotations

import gzip
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.cli.session import clock_in_use
from dronekit_cfg.errors import LinkLost
from dronekit_cfg.links.clock import VirtualClock

Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def fast() -> Iterator[None]:
    token = clock_in_use.set(VirtualClock())
    yield
    clock_in_use.reset(token)


def test_the_preflight_of_a_sound_vehicle_passes(cli: Run) -> None:
    said = cli("hil", "run", "preflight", "--link", "sim:ardupilot-copter")
    assert said.code == 0
    assert "PASS  Fit to fly today: 24 pass, 1 skip" in said.out


def test_a_fault_ends_with_exit_code_1_and_says_what_to_do(cli: Run) -> None:
    said = cli("hil", "run", "preflight", "--link", "sim:ardupilot-copter?fault=tilted")
    assert said.code == 1
    assert "FAIL Stands level" in said.out
    assert "What to do: " in said.out


def test_json_is_one_document_with_numbers_and_limits(cli: Run) -> None:
    said = cli("hil", "run", "preflight", "--link", "sim:ardupilot-copter?fault=low-voltage:10.2", "--json")
    assert said.code == said.document["exit_code"] == 1
    battery = next(r for r in said.document["results"] if r["name"] == "battery")
    volts = battery["measures"][0]
    assert (volts["value"], volts["unit"], volts["ok"]) == (pytest.approx(10.2), "V", False)
    assert volts["low"] == pytest.approx(10.7)  # BATT_LOW_VOLT 10.5 and the margin of 0.2


def test_reports_are_written_beside_each_other(cli: Run, tmp_path: Path) -> None:
    said = cli(
        *("hil", "run", "preflight", "--link", "sim:ardupilot-copter?fault=dead-compass"),
        *("--report", "r.html", "--junit", "r.xml", "--json-file", "r.json"),
    )
    assert said.code == 1
    root = ET.fromstring((tmp_path / "r.xml").read_text("utf-8"))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("25", "1", "0")
    assert [c.get("name") for c in root.iter("testcase") if c.find("failure") is not None] == ["compass-field"]
    properties = {p.get("name"): p.get("value") for p in root.iter("property")}
    assert properties["uid"] == "336431323139633763346335343034616100"
    assert json.loads((tmp_path / "r.json").read_text("utf-8"))["verdict"] == "fail"
    page = (tmp_path / "r.html").read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert not re.search(r"(src|href)=\"(?!#)", page), "the report asks for something outside itself"


def test_a_report_that_cannot_be_written_is_a_usage_error(cli: Run) -> None:
    said = cli("hil", "run", "preflight", "--link", "sim:ardupilot-copter", "--report", "nowhere/r.html")
    assert said.code == 2
    assert "nowhere/r.html" in said.err


def test_an_unknown_suite_is_told_before_the_vehicle_is_asked(cli: Run) -> None:
    said = cli("hil", "run", "prefligth", "--link", "tcp:127.0.0.1:9")
    assert said.code == 2
    assert "preflight" in said.err


def test_an_unknown_promise_is_refused(cli: Run) -> None:
    said = cli("hil", "run", "bench-full", "--link", "sim:ardupilot-copter", "--assume", "luck")
    assert (said.code, "luck" in said.err) == (2, True)


def test_the_suite_is_the_one_of_the_vehicles_family(cli: Run) -> None:
    document = cli("hil", "run", "preflight", "--link", "sim:betaflight", "--json").document
    assert {check["name"] for check in document["results"]} >= {"msp-identity", "msp-arming"}


def test_a_suite_that_the_family_lacks_is_a_usage_error(cli: Run) -> None:
    said = cli("hil", "run", "after-crash", "--link", "sim:betaflight")
    assert said.code == 2
    assert "for betaflight there are" in said.err


def test_list_shows_suites_and_checks(cli: Run) -> None:
    assert "preflight" in cli("hil", "list").out
    document = cli("hil", "list", "--checks", "--json").document
    assert {"number": "B13", "needs": ["props-off"]}.items() <= next(
        c for c in document["checks"] if c["name"] == "motors"
    ).items()


def test_a_simulator_that_is_not_there_is_a_link_error_with_its_remedy(cli: Run) -> None:
    said = cli("sitl", "scenario", "s01", "--binary", "no-such-arducopter")
    assert said.code == 3
    assert "no-such-arducopter" in said.err


def test_a_simulator_that_dies_at_once_is_an_error_that_names_its_last_words(cli: Run, tmp_path: Path) -> None:
    broken = tmp_path / "arducopter"
    broken.write_text("#!/bin/sh\necho cannot open the moon\nexit 3\n", "utf-8")
    broken.chmod(0o755)
    said = cli("sitl", "scenario", "s01", "--binary", broken, "--json")
    assert said.code == 1
    (result,) = said.document["results"]
    assert result["verdict"] == "error"
    assert "cannot open the moon" in result["reason"]


def test_sitl_list_shows_planted_mistakes(cli: Run) -> None:
    document = cli("sitl", "list", "--json").document
    notes = {s["name"]: s["note"] for s in document["scenarios"]}
    assert "FS_EKF_THRESH" in notes["s05-gnss-loss-failsafe-off"]


def test_the_monitor_says_what_it_watches_where_it_cannot(cli: Run) -> None:
    said = cli("hil", "monitor", "--link", "sim:elrs-tx")
    assert said.code == 4
    assert "watches vehicles, u-blox receivers and SiK radios" in said.err
    assert "via:" in said.err


@pytest.mark.parametrize(("fault", "code"), [("", 0), ("?fault=gnss-dropping:4", 1)])
def test_the_monitor_alarms_when_satellites_drop(fault: str, code: int, cli: Run) -> None:
    said = cli("hil", "monitor", "--link", f"sim:ardupilot-copter{fault}", "--seconds", "12", "--json")
    assert said.code == code
    assert bool(said.document["alarms"]) == bool(code)


@pytest.mark.parametrize(
    ("vehicle", "watched"),
    [
        ("betaflight", ["satellites lost", "mean C/N0 dropped"]),
        ("inav", ["satellites lost", "GNSS height against barometer", "mean C/N0 dropped"]),
        ("px4-copter", ["satellites lost", "GNSS height against barometer"]),
    ],
)
def test_the_monitor_says_what_it_could_watch_on_a_vehicle(vehicle: str, watched: list[str], cli: Run) -> None:
    said = cli("hil", "monitor", "--link", f"sim:{vehicle}", "--seconds", "8", "--json")
    assert (said.code, said.document["watched"]) == (0, watched)
    assert "receivers apart" in said.document["not_told"]


def test_a_recorded_log_is_judged_without_a_vehicle(cli: Run, tmp_path: Path) -> None:
    golden = Path(__file__).parents[1] / "golden" / "logs" / "jam.bin.gz"
    log = tmp_path / "00000012.BIN"
    log.write_bytes(gzip.decompress(golden.read_bytes()))
    said = cli("hil", "monitor", "--log", log)
    assert said.code == 1
    assert "19 s  satellites lost: 70.0 %" in said.out
    assert "Nothing was told of: receivers apart" in said.out
    assert cli("hil", "monitor", "--log", tmp_path / "nothing.bin").code == 2


def test_a_recording_of_a_link_is_a_log_too(cli: Run, tmp_path: Path) -> None:
    link, record = "sim:ardupilot-copter?fault=gnss-dropping:4", tmp_path / "r.jsonl"
    assert cli("hil", "monitor", "--link", link, "--seconds", "12", "--record", record).code == 1
    assert cli("hil", "monitor", "--log", record, "--json").document["alarms"]


def test_what_ends_all_checks_is_said_once(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any, **__: Any) -> None:
        raise LinkLost("the cable is out")

    monkeypatch.setattr("dronekit_cfg.hil.bench.Bench.observe", gone)
    said = cli("hil", "run", "preflight", "--link", "sim:ardupilot-copter")
    assert said.code == 1
    assert "ERROR 25 checks\n  the link failed: the cable is out\n" in said.out
    assert said.out.count("What to do") == 1
