"""Dumps as files of settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from dronekit_cfg.errors import FileProblems, UsageError
from dronekit_cfg.formats.cli_dump_file import is_cli_dump, read_cli_dump, write_cli_dump
from dronekit_cfg.model import Identity, Kind, Setting, Snapshot, Value

GOLDEN = Path(__file__).parents[2] / "golden"


def test_a_dump_is_known_by_its_content() -> None:
    for path in GOLDEN.glob("*/samples/*.txt"):
        assert is_cli_dump(path.read_text())
    assert not is_cli_dump("ACRO_YAW_RATE,202.5\nATC_X,1\n")
    assert not is_cli_dump("format: dronekit-cfg/profile/v1\nsettings:\n  small_angle: 40\n")


def test_numbers_are_numbers_and_each_setting_has_its_line() -> None:
    file = read_cli_dump((GOLDEN / "betaflight/samples/4.5_diff_all.txt").read_text(), "x.txt")
    assert file.family == "betaflight"
    assert file.settings["profile.0.p_pitch"] == 54
    assert file.settings["serial.0"] == "64 115200 57600 0 115200"
    text = file.dump.lines[file.lines["profile.0.p_pitch"] - 1].text
    assert text == "set p_pitch = 54"
    inav = read_cli_dump((GOLDEN / "inav/samples/7.1_diff_all.txt").read_text())
    assert inav.settings["ins_gravity_cmss"] == 981.25


def test_a_line_that_is_not_known_is_said_and_kept() -> None:
    file = read_cli_dump("set a = 1\nset b = 2\nfuture 1\n", "x.txt")
    assert [str(p) for p in file.unknown] == ["x.txt:3:1: this line is not known here: future 1"]
    assert file.settings["line.1"] == "future 1"


def test_a_bad_file_is_refused_with_its_place() -> None:
    with pytest.raises(FileProblems, match=r"x\.txt:2"):
        read_cli_dump("batch start\nset a = 1\n", "x.txt")


def test_a_snapshot_becomes_a_file_that_reads_back_the_same() -> None:
    identity = Identity("betaflight", "copter", "4.6.0", "4.6.0", "SITL", "00")
    settings = (
        Setting("small_angle", Value(Kind.UINT8, 40)),
        Setting("profile.1.p_pitch", Value(Kind.UINT8, 44)),
        Setting("feature.GPS", Value(Kind.TEXT, "OFF")),
        Setting("profile", Value(Kind.UINT8, 0)),
    )
    text = write_cli_dump(Snapshot(identity, "", "cli", settings), note=["made by a test"])
    expected = {"feature.GPS": "OFF", "small_angle": 40, "profile.1.p_pitch": 44, "profile": 0}
    assert read_cli_dump(text).settings == expected
    assert "feature -GPS\n" in text


def test_what_is_no_setting_of_a_cli_is_refused() -> None:
    with pytest.raises(UsageError):
        write_cli_dump({"a": 1}, "ardupilot")
    with pytest.raises(UsageError):
        write_cli_dump({"a.b.c": 1}, "betaflight")
