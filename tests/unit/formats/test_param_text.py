"""Parameter files as ground stations and people leave them."""

from __future__ import annotations

from pathlib import Path

import pytest

from dronekit_cfg.errors import FileProblems, Problem
from dronekit_cfg.formats.param_file import Dialect
from dronekit_cfg.formats.param_text import detect_dialect, parse_params, read_params
from dronekit_cfg.model import Kind, Value

QGC = """\
# Onboard parameters for Vehicle 1
#
# Stack: ArduPilot
# Vehicle: Fixed Wing
# Version: 4.0.3\x20
# Git Revision: 1d77453
#
# Vehicle-Id Component-Id Name Value Type
1\t1\tARMING_CHECK\t1\t4
1\t1\tBARO1_GND_PRESS\t18.339622497558593750\t9
1 1  COMPASS_DEV_ID   97539  6
1\t1\tRC1_REV\t-1\t2
"""


def numbers(text: str, file: str = "x.param") -> dict[str, float]:
    return {e.name: e.number for e in parse_params(text, file).entries}


def problem(text: str, file: str = "x.param") -> Problem:
    (found,) = parse_params(text, file).problems
    return found


def test_mission_planner_files_are_read() -> None:
    text = "#NOTE: 7/22/2026 1:02:03 PM Frame : X\r\nACRO_EXPO,0.3\r\nANGLE_MAX,4500\r\nATC_ANG,1E-07\r\n"
    found = parse_params(text, "x.param")
    assert found.dialect is Dialect.MISSION_PLANNER
    assert found.header == {"note": "7/22/2026 1:02:03 PM Frame : X"}
    assert [(e.name, e.text, e.line) for e in found.entries] == [
        ("ACRO_EXPO", "0.3", 2),
        ("ANGLE_MAX", "4500", 3),
        ("ATC_ANG", "1E-07", 4),
    ]
    assert found.entries[0].number == 0.30000001192092896
    assert not found.problems
    assert not found.warnings


def test_mavproxy_files_are_read() -> None:
    found = parse_params("# saved\nACRO_EXPO        0.300000\nANGLE_MAX        4500.000000\nB 0x1F\nC\t-2\n", "x.parm")
    assert found.dialect is Dialect.MAVPROXY
    assert {e.name: e.number for e in found.entries} == {
        "ACRO_EXPO": 0.30000001192092896,
        "ANGLE_MAX": 4500,
        "B": 31,
        "C": -2,
    }
    assert found.ignored == ((1, "# saved"),)


def test_a_firmware_defaults_file_locks_parameters() -> None:
    found = parse_params("FS_THR_ENABLE=1\nGPS1_TYPE 2 @READONLY\nB,3 # why not\n", "defaults.parm")
    assert [(e.name, e.number, e.read_only) for e in found.entries] == [
        ("FS_THR_ENABLE", 1, False),
        ("GPS1_TYPE", 2, True),
        ("B", 3, False),
    ]
    assert not found.problems


def test_comments_with_reasons_are_kept_and_mission_planner_is_warned_about() -> None:
    found = parse_params("GPS1_TYPE,2  # because: u-blox\n", "x.param")
    assert found.entries[0].comment == "because: u-blox"
    assert "Mission Planner skips lines with a comment" in found.warnings[0].message


def test_qgroundcontrol_files_are_read_with_types_and_header() -> None:
    found = parse_params(QGC, "x.params")
    assert found.dialect is Dialect.QGC
    assert found.header == {
        "Onboard parameters for Vehicle": "1",
        "Stack": "ArduPilot",
        "Vehicle": "Fixed Wing",
        "Version": "4.0.3",
        "Git Revision": "1d77453",
    }
    assert {e.name: e.value() for e in found.entries} == {
        "ARMING_CHECK": Value(Kind.INT16, 1),
        "BARO1_GND_PRESS": Value(Kind.REAL32, 18.339622497558594),
        "COMPASS_DEV_ID": Value(Kind.INT32, 97539),
        "RC1_REV": Value(Kind.INT8, -1),
    }
    assert [e.line for e in found.entries] == [9, 10, 11, 12]


def test_other_components_are_kept_apart_from_the_autopilot() -> None:
    found = parse_params("1\t1\tA\t1\t6\n1\t154\tA\t2\t6\n1\t154\tGIMBAL_X\t3\t6\n", "x.params")
    assert not found.problems
    assert len(found.entries) == 3
    assert {n: e.number for n, e in found.by_name.items()} == {"A": 1}
    assert "components 154" in found.warnings[0].message


def test_a_file_of_two_vehicles_is_warned_about() -> None:
    found = parse_params("1\t1\tA\t1\t6\n2\t1\tA\t2\t6\n", "x.params")
    assert "several vehicles: 1, 2" in found.warnings[0].message


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("1\t1\tA\t1", "not a QGroundControl parameter line"),
        ("1\t1\tA\t1\tx", "not a QGroundControl parameter line"),
        ("1\t1\tA\t1\t10", "type 10 is not supported"),
        ("1\t1\tA\t300\t2", "300 does not fit its type"),
        ("1\t1\tA\t0.5\t6", "0.5 does not fit its type"),
        ("1\t1\tA\t-1\t5", "-1 does not fit its type"),
        ("1\t1\tA\tnan\t9", "nan is not a number"),
    ],
)
def test_a_bad_row_of_qgroundcontrol_is_a_problem(row: str, words: str) -> None:
    assert words in problem(f"1\t1\tOK\t1\t6\n{row}\n", "x.params").message


@pytest.mark.parametrize(
    ("line", "words", "hint"),
    [
        ("A", "not a name and a value", "NAME,VALUE"),
        ("A,1,2,x", "not a name and a value", "NAME,VALUE"),
        ("A,0,5", "not a name and a value", "A,0.5"),
        ("A,x", "A: x is not a number", "finite"),
        ("A,nan", "A: nan is not a number", "finite"),
        ("A,inf", "A: inf is not a number", "finite"),
        ("A,1e39", "A: 1e39 is not a number", "finite"),
        ("A,1_000", "1_000 is not a number", "finite"),
        ("A,0x1FFFFFFFF", "is not a number", "finite"),
        ("A,٣", "is not a number", "finite"),
        ("ABCDEFGHIJKLMNOPQ,1", "longer than 16", "no vehicle"),
        ("A-B,1", "not a parameter name", "correct"),
    ],
)
def test_a_line_that_cannot_be_a_value_is_a_problem_with_its_line(line: str, words: str, hint: str) -> None:
    found = problem(f"OK,1\r\n\r\n{line}\r\n")
    assert words in found.message
    assert hint in found.hint
    assert found.line == 3


def test_small_letters_are_warned_about_and_kept() -> None:
    found = parse_params("gps1_type,2\n", "x.param")
    assert found.entries[0].name == "gps1_type"
    assert "GPS1_TYPE" in found.warnings[0].hint


def test_the_same_name_twice_is_a_problem_only_when_the_values_differ() -> None:
    assert "first in line 1: 1 there, 2 here" in problem("A,1\nB,1\nA,2\n").message
    same = parse_params("A,1\nA,1.0\n", "x.param")
    assert not same.problems
    assert "second time" in same.warnings[0].message


def test_lines_that_are_no_parameters_are_kept_with_their_numbers() -> None:
    found = parse_params("# head\nA,1\n\n  # middle\nnonsense\n", "x.param")
    assert found.ignored == ((1, "# head"), (4, "  # middle"), (5, "nonsense"))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("16777217", 16777217),
        ("16777217.000000", 16777217),
        ("4294967295", 4294967295),
        ("-2147483648", -2147483648),
        ("0.1", 0.10000000149011612),
        ("0.699999988", 0.699999988079071),
        ("4e-7", 4.0000000467443897e-07),
        ("1e10", 1e10),
        ("1.", 1),
        (".5", 0.5),
    ],
)
def test_whole_numbers_are_exact_and_others_are_what_float32_holds(text: str, number: float) -> None:
    found = numbers(f"A,{text}\n")["A"]
    assert found == number
    assert type(found) is type(number)


def test_0_7_and_its_float32_neighbour_in_print_are_the_same_value() -> None:
    assert numbers("A,0.7\n") == numbers("A,0.699999988\n")


def test_a_value_takes_the_type_that_the_vehicle_has() -> None:
    (entry,) = parse_params("A,16777217\n", "x.param").entries
    assert entry.value(Kind.INT32) == Value(Kind.INT32, 16777217)
    assert entry.value() == Value(Kind.REAL32, 16777216.0)
    with pytest.raises(ValueError, match="does not fit"):
        entry.value(Kind.INT16)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_files_of_windows_editors_are_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "x.param"
    path.write_bytes("A,1\r\nB,2\r\n".encode(encoding))
    assert [(e.name, e.number) for e in read_params(path).entries] == [("A", 1), ("B", 2)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<!DOCTYPE html>\n<html><title>404</title></html>", "web page"),
        ("", "no parameter"),
        ("# only\n# comments\n", "no parameter"),
        ("A,1\n" * 50_001, "more than 50000 lines"),
    ],
)
def test_what_is_no_parameter_file_is_refused(text: str, words: str) -> None:
    with pytest.raises(FileProblems, match=words):
        parse_params(text, "x.param")


@pytest.mark.parametrize(
    ("text", "file", "dialect"),
    [
        ("A,1\n", "x.txt", Dialect.MISSION_PLANNER),
        ("A 1\n", "x.txt", Dialect.MAVPROXY),
        ("# c\n1\t1\tA\t1\t6\n", "x.param", Dialect.QGC),
        ("# nothing yet\n", "x.PARAMS", Dialect.QGC),
        ("hello world\n", "x.txt", None),
        ("", "x", None),
    ],
)
def test_the_dialect_is_told_by_content_first_and_by_suffix_second(
    text: str, file: str, dialect: Dialect | None
) -> None:
    assert detect_dialect(text, file) is dialect
