"""Settings from any file: told apart by what is in it, and by its name only where that does not tell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dronekit_cfg.errors import FileProblems, UsageError
from dronekit_cfg.formats.compose import resolve
from dronekit_cfg.formats.library import Library
from dronekit_cfg.formats.lock import lock_text
from dronekit_cfg.formats.plan_json import dump_plan
from dronekit_cfg.formats.read_any import FORMATS, detect_format, read_settings
from dronekit_cfg.formats.snapshot_json import dump_snapshot
from dronekit_cfg.model import Identity, Kind, Plan, Setting, Snapshot, Value

Write = Callable[[str, str], Path]
WHO = Identity("ardupilot", "copter", "4.5.6", "4.5.6", "SITL", "00ff", "1:1")
SNAPSHOT = Snapshot(
    WHO, "2026-11-22T10:00:00Z", "list", (Setting("A", Value(Kind.INT8, 1)), Setting("B", Value(Kind.REAL32, 0.5)))
)


@pytest.mark.parametrize(
    ("name", "text", "kind", "family"),
    [
        ("x.param", "A,1\nB,0.5\n", "mission-planner", None),
        ("x.txt", "A 1\nB 0.5\n", "mavproxy", None),
        ("x.params", "# Stack: PX4 Pro\n1 1 A 1 6\n1 1 B 0.5 9\n", "qgc", "px4"),
        ("x.param", "# Stack: ArduPilot\n1\t1\tA\t1\t6\n1\t1\tB\t0.5\t9\n", "qgc", "ardupilot"),
        ("x.txt", dump_snapshot(SNAPSHOT), "snapshot", "ardupilot"),
    ],
)
def test_the_content_decides_what_a_file_is(write: Write, name: str, text: str, kind: str, family: str | None) -> None:
    path = write(name, text)
    found = read_settings(path)
    assert (found.kind, found.family) == (kind, family)
    numbers = {n: v.raw if isinstance(v, Value) else v for n, v in found.settings.items()}
    assert numbers == {"A": 1, "B": 0.5}
    lines = text.splitlines()
    assert all(n in lines[found.lines[n] - 1] for n in ("A", "B"))


def test_types_are_given_where_the_file_has_them(write: Write) -> None:
    assert read_settings(write("x.params", "1 1 A 1 6\n")).settings == {"A": Value(Kind.INT32, 1)}
    assert read_settings(write("x.param", "A,1\n")).settings == {"A": 1}


def test_a_profile_is_resolved_with_its_library_and_inputs(library: Library, tmp_path: Path) -> None:
    path = tmp_path / "lib" / "ardupilot" / "airframes" / "heavy-lift.yaml"
    found = read_settings(path, library=library, inputs={"cells": "6"})
    assert (found.kind, found.family) == ("profile", "ardupilot")
    assert found.settings["BATT_LOW_VOLT"] == 21
    assert found.settings["ARMING_CHECK"] == 1
    assert found.lines["BATT_LOW_VOLT"] == 14
    assert "ARMING_CHECK" not in found.lines
    with pytest.raises(FileProblems, match="input cells is missing"):
        read_settings(path, library=library)


def test_a_profile_without_its_suffix_is_still_a_profile(library: Library, write: Write) -> None:
    text = "format: dronekit-cfg/profile/v1\nname: x\nversion: 1.0.0\nfamily: px4\nsettings: {A: 1}\n"
    assert read_settings(write("x.txt", text), library=library).settings == {"A": 1}


def test_a_lock_is_read(library: Library, write: Write) -> None:
    resolved = resolve("heavy-lift", library, inputs={"cells": "6"})
    found = read_settings(write("x.json", lock_text(resolved)))
    assert found.kind == "lock"
    assert found.settings == {w.name: w.value for w in resolved.settings}


def test_a_file_with_problems_gives_no_settings_at_all(write: Write) -> None:
    with pytest.raises(FileProblems) as caught:
        read_settings(write("x.param", "A,1\nB,nan\nC,x\n"))
    assert [p.line for p in caught.value.problems] == [2, 3]


def test_warnings_of_a_file_are_passed_on(write: Write) -> None:
    assert len(read_settings(write("x.param", "a,1\n")).warnings) == 1


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("x.param", "<html>404</html>", "web page"),
        ("x.txt", "hello there, this is prose\n", "no file of settings"),
        ("x.json", '{"a": 1}', "no file of settings"),
        ("x.json", dump_plan(Plan(WHO, "p", "d", "d", (), (), ())), "plan file, which holds no settings"),
        ("x.yaml", "- a\n", "not a profile"),
    ],
)
def test_what_holds_no_settings_is_refused(write: Write, name: str, text: str, words: str) -> None:
    with pytest.raises(FileProblems, match=words):
        read_settings(write(name, text))


def test_a_missing_file_is_an_error_of_usage(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        read_settings(tmp_path / "none")


def test_every_known_format_has_a_name_of_its_own() -> None:
    kinds = [f.kind for f in FORMATS]
    assert len(set(kinds)) == len(kinds)
    assert detect_format(Path("x.parm"), "A 1\n") in kinds
