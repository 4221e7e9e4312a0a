"""What other ground stations get to read: their own layout, every value the same float32."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from dronekit_cfg.errors import UsageError
from dronekit_cfg.formats import param_write
from dronekit_cfg.formats.param_file import Dialect, ParamEntry
from dronekit_cfg.formats.param_text import parse_params
from dronekit_cfg.model import Identity, Kind, Setting, Snapshot, Value

GOLDEN = Path(__file__).parents[2] / "golden"
VEHICLES = [
    ("ardupilot", "copter", "ardupilot/params-copter-4.5.6.json"),
    ("ardupilot", "copter", "ardupilot/params-copter-4.7-dev.json"),
    ("px4", "copter", "px4/params-sih-quad-2024-10.json"),
]


def snapshot(*settings: Setting, family: str = "ardupilot", vehicle: str = "copter", address: str = "1:1") -> Snapshot:
    identity = Identity(family, vehicle, "4.5.6", "4.5.6 (abc)", "SITL", "00ff", address)
    return Snapshot(identity, "2026-11-22T10:00:00Z", "mavftp", settings)


def real(name: str, number: float) -> Setting:
    return Setting(name, Value(Kind.REAL32, number))


def bits(number: float) -> bytes:
    return struct.pack("<f", number)


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize(("family", "vehicle", "file"), VEHICLES)
def test_every_value_of_a_real_vehicle_survives_every_dialect(
    dialect: Dialect, family: str, vehicle: str, file: str
) -> None:
    rows = json.loads((GOLDEN / file).read_text("utf-8"))
    settings = [Setting(row[0], Value(Kind(row[1]), row[2])) for row in rows]
    text = param_write.write_params(dialect, snapshot(*settings, family=family, vehicle=vehicle))
    found = parse_params(text, "x")
    assert found.dialect is dialect
    assert not found.problems
    read = found.by_name
    assert len(read) == len(rows) > 800
    for name, kind, number, *_ in rows:
        assert read[name].value(Kind(kind)).raw == number
        assert bits(read[name].number) == bits(number)
        if dialect is Dialect.QGC:
            assert read[name].kind == kind


def test_mission_planner_gets_sorted_lines_with_crlf_and_nothing_behind_the_value() -> None:
    source = snapshot(
        real("B", 0.1), Setting("A", Value(Kind.INT16, -3)), real("C", 4e-7), real("D", 1250000), real("E", -0.0)
    )
    assert param_write.write_mission_planner(source, note="22.11.2026\nFrame: X") == (
        "#NOTE: 22.11.2026 Frame: X\r\nA,-3\r\nB,0.1\r\nC,4e-07\r\nD,1250000\r\nE,-0\r\n"
    )


def test_comments_of_entries_are_left_out_for_mission_planner() -> None:
    entries = parse_params("A,1 # reason\n", "x.param").entries
    assert param_write.write_mission_planner(entries) == "A,1\r\n"


def test_mavproxy_gets_its_columns_and_more_digits_only_where_six_decimals_lose_the_value() -> None:
    source = snapshot(
        real("ACRO_EXPO", 0.3), Setting("B", Value(Kind.INT32, 16777217)), real("C", 4e-7), real("D", 1e20)
    )
    assert param_write.write_mavproxy(source).splitlines() == [
        "ACRO_EXPO        0.300000",
        "B                16777217.000000",
        "C                4e-07",
        "D                100000002004087734272.000000",
    ]


def test_qgroundcontrol_gets_its_header_and_types() -> None:
    source = snapshot(real("B", 18.339622497558594), Setting("A", Value(Kind.INT8, 2)), real("C", 1e-30), address="3:1")
    text = param_write.write_qgc(source, header={"Git Revision": "1d77453"})
    assert text.splitlines() == [
        "# Onboard parameters for Vehicle 3",
        "#",
        "# Stack: ArduPilot",
        "# Vehicle: Multi-Rotor",
        "# Version: 4.5.6 (abc)",
        "# Git Revision: 1d77453",
        "#",
        "# Vehicle-Id Component-Id Name Value Type",
        "3\t1\tA\t2\t2",
        "3\t1\tB\t18.339622497558593750\t9",
        "3\t1\tC\t1e-30\t9",
    ]


def test_an_entry_without_a_type_is_refused_for_qgroundcontrol() -> None:
    entries = parse_params("A,1\n", "x.param").entries
    with pytest.raises(UsageError, match="types of 1 parameters are not known: A") as caught:
        param_write.write_qgc(entries)
    assert "snapshot" in caught.value.hint


def test_a_file_of_qgroundcontrol_comes_back_as_it_was() -> None:
    rows = "1\t1\tA\t2\t2\n1\t1\tB\t0.100000001490116119\t9\n1\t154\tC\t70000\t6\n"
    assert param_write.write_qgc(parse_params(rows, "x.params").entries).endswith(rows)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("dialect", list(Dialect))
def test_what_is_no_finite_number_is_refused(number: float, dialect: Dialect) -> None:
    with pytest.raises(UsageError, match="not a finite number: A"):
        param_write.write_params(dialect, snapshot(real("A", number)))


def test_texts_and_long_names_are_refused() -> None:
    with pytest.raises(UsageError, match="is a text"):
        param_write.write_mission_planner(snapshot(Setting("a", Value(Kind.TEXT, "ON"))))
    with pytest.raises(UsageError, match="longer than 16"):
        param_write.write_mission_planner([ParamEntry("ABCDEFGHIJKLMNOPQ", "1", 1)])


def test_integers_that_float32_cannot_carry_are_named() -> None:
    entries = parse_params("A,16777216\nB,16777217\nC,0.1\nD,-16777217\n", "x.param").entries
    assert param_write.beyond_float32(entries) == ("B", "D")
