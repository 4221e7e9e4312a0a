"""The matrix: profile x scenario x program, each flight once, with a table that tells what flew where."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from fake_simulators import make_fake

from dronekit_cfg.cli.app import run
from dronekit_cfg.errors import LinkOpenError
from dronekit_cfg.hil import matrix
from dronekit_cfg.hil.fly_steps import FlyOptions
from dronekit_cfg.hil.matrix import Cell, Column, fly_matrix, read_cells, write_result
from dronekit_cfg.hil.scenario import find_scenarios
from dronekit_cfg.hil.seeds import seeded
from dronekit_cfg.model import Identity
from dronekit_cfg.model.checked import Result, RunResult, Subject, Verdict
from dronekit_cfg.reports.grid import grid
from dronekit_cfg.reports.html import html
from dronekit_cfg.reports.junit_run import junit_run
from dronekit_cfg.sitl.ardupilot import find_arducopter

WHO = Identity("ardupilot", "copter", "4.7.0", "4.7.0-dev (1234abcd)", "sitl", "00ff")


def cell(name: str, column: Column, misfit: str = "") -> Cell:
    (scenario,) = seeded(find_scenarios(name), (2,))
    return Cell(scenario, column, FlyOptions(Path("kept"), column.program, 5.0), misfit)


def test_flights_and_results_survive_the_way_to_a_worker_and_back(tmp_path: Path) -> None:
    cells = (cell("s01", Column("p", "sha256:1", "/a")), cell("s19", Column("", "", "/a")))
    (tmp_path / matrix.CELLS).write_bytes(matrix._encode(cells))
    found = read_cells(tmp_path)
    assert [(c.column, c.options, c.scenario.steps, c.scenario.drawn) for c in found] == [
        (c.column, c.options, c.scenario.steps, c.scenario.drawn) for c in cells
    ]
    result = Result("s01", "x", Verdict.FAIL, "bad", seconds=4.0)
    write_result(tmp_path, 7, (result, WHO))
    assert matrix._decode((tmp_path / "7.result").read_bytes(), matrix.Flown) == (result, WHO)


def test_what_does_not_fit_is_left_out_with_its_reason_and_nothing_is_started_for_it(tmp_path: Path) -> None:
    found = fly_matrix([cell("s01", Column("p", "", "/nothing"), "p is for betaflight")], tmp_path, 2)
    assert [(r.verdict, r.reason) for r in found.results] == [(Verdict.SKIP, "p is for betaflight")]
    assert found.verdict is Verdict.SKIP
    assert not (tmp_path / matrix.LOG).exists()


def test_columns_are_named_by_the_firmware_that_answered_and_by_program_where_two_answer_alike() -> None:
    columns = [Column("p", "", "/new/arducopter"), Column("p", "", "/old/arducopter"), Column("", "", "/x/px4")]
    cells = [cell("s01", c) for c in columns]
    result = Result("s01", "x", Verdict.PASS)
    alike = matrix._subjects(cells, [(result, WHO), (result, WHO), (result, None)])
    assert [str(s) for s in alike.values()] == [
        "p on 4.7.0-dev (1234abcd) (/new/arducopter)",
        "p on 4.7.0-dev (1234abcd) (/old/arducopter)",
        "own settings on px4",
    ]


def table() -> RunResult:
    new, old = Subject("p", "sha256:1", "4.7"), Subject("p", "sha256:1", "4.6")
    results = (
        Result("s01-1", "One", Verdict.PASS, base="s01", subject=new, seed=3, drawn=(("SIM_WIND_SPD", 2.0),)),
        Result("s01-2", "One", Verdict.FAIL, "late", base="s01", subject=old, seed=3),
        Result("s02-2", "Two", Verdict.PASS, base="s02", subject=old),
    )
    return RunResult("matrix", "Matrix", results, None, "2026-11-22T21:00:00Z", 1.0, "tool 1")


def test_the_table_has_scenarios_down_and_what_was_flown_across() -> None:
    subjects, rows = grid(table())
    assert [s.firmware for s in subjects] == ["4.7", "4.6"]
    shown = [(name, [r.verdict if r else None for r in results]) for name, results in rows]
    assert shown == [("s01 #3", [Verdict.PASS, Verdict.FAIL]), ("s02", [None, Verdict.PASS])]


def test_junit_and_html_tell_column_and_seed_of_each_flight() -> None:
    cases = list(ET.fromstring(junit_run(table())).iter("testcase"))
    assert [c.get("classname") for c in cases] == ["matrix.p on 4.7", "matrix.p on 4.6", "matrix.p on 4.6"]
    facts = {p.get("name"): p.get("value") for p in cases[0].iter("property")}
    assert facts == {"seed": "3", "profile": "p", "profile-digest": "sha256:1", "firmware": "4.7"}
    page = html(table())
    assert page.count('<td><a href="#s0') == 3
    assert "SIM_WIND_SPD 2" in page


def test_a_profile_of_another_family_is_left_out_and_said_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake = str(make_fake(tmp_path, "crashes").rename(tmp_path / "betaflight_SITL"))
    line = [
        "sitl",
        "matrix",
        "b01",
        "--profile",
        "heavy-lift",
        "--binary",
        fake,
        "--json",
        "--state-dir",
        str(tmp_path),
    ]
    assert run(line) == 1
    told = json.loads(capsys.readouterr().out)
    assert [(r["verdict"], r["reason"]) for r in told["results"]] == [("skip", "heavy-lift is for ardupilot, px4")]


@pytest.mark.sitl
def test_two_programs_fly_the_same_scenarios_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        binary = find_arducopter()
    except LinkOpenError:
        pytest.skip("arducopter is not on PATH: scenarios need the real firmware")
    other = tmp_path / "other" / "arducopter"
    other.parent.mkdir()
    shutil.copy(binary, other)
    junit = tmp_path / "flights.xml"
    line = ["sitl", "matrix", "s19", "s29b", "--binary", str(binary), "--binary", str(other), "--jobs", "2", "--json"]
    assert run([*line, "--state-dir", str(tmp_path), "--junit", str(junit)]) == 0
    told = json.loads(capsys.readouterr().out)
    flown = [(r["scenario"], r["subject"]["program"]) for r in told["results"]]
    names = ("s19-radio-on-the-ground", "s29b-prearm")
    assert flown == [(name, str(program)) for name in names for program in (binary, other)]
    assert ET.parse(junit).getroot().get("tests") == "4"
