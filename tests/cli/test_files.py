"""`diff`, `convert` and `profile`: verbs that work with files and no vehicle."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.formats.snapshot_json import save_snapshot
from dronekit_cfg.model import Identity, Kind, Setting, Snapshot, Value

Run = Callable[..., Any]

VEHICLE = Identity("ardupilot", "copter", "4.7.0.dev0", "4.7.0-dev", "sitl", "00ff")


def snapshot_of(**values: Value) -> Snapshot:
    return Snapshot(VEHICLE, "2026-11-22T20:00:00Z", "mavftp", tuple(Setting(n, v) for n, v in values.items()))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "vehicle.json"
    save_snapshot(
        path,
        snapshot_of(
            BATT_CRT_VOLT=Value(Kind.REAL32, 0.1),
            FENCE_ENABLE=Value(Kind.INT8, 1),
            RTL_ALT=Value(Kind.INT32, 1500),
        ),
    )
    return path


PROFILE = """\
format: dronekit-cfg/profile/v1
name: mine
version: 1.0.0
family: ardupilot
vehicle: copter
inputs:
  cells: {type: integer, minimum: 3, maximum: 14, help: battery cells in series}
settings:
  RTL_ALT: {value: 3000, because: trees}
  BATT_LOW_VOLT: {expr: "cells * 3.5", because: 3.5 V a cell}
"""


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(PROFILE)
    return path


def test_files_that_differ_only_in_decimals_beyond_float32_are_the_same(cli: Run, saved: Path, tmp_path: Path) -> None:
    other = tmp_path / "vehicle.param"
    other.write_text("BATT_CRT_VOLT,0.100000001\nFENCE_ENABLE,1\nRTL_ALT,1500.000000\n")
    said = cli("diff", saved, other)
    assert (said.code, said.out) == (0, "the same: 3 settings compared\n")


def test_a_difference_is_named_with_both_values(cli: Run, saved: Path, tmp_path: Path) -> None:
    other = tmp_path / "vehicle.param"
    other.write_text("BATT_CRT_VOLT,0.1\nFENCE_ENABLE,0\n")
    said = cli("diff", saved, other)
    assert said.code == 1
    assert said.out.splitlines()[-1] == "2 settings differ, of 3 compared"
    assert "BATT_CRT_VOLT" not in said.out
    rows = {line.split()[0]: line for line in said.out.splitlines() if line.strip()}
    assert "(not there)" in rows["RTL_ALT"]
    document = cli("diff", saved, other, "--json").document
    assert document["differences"] == [
        {"name": "FENCE_ENABLE", "a": 1, "b": 0, "a_line": document["differences"][0]["a_line"], "b_line": 2},
        {"name": "RTL_ALT", "a": 1500, "b": None, "a_line": document["differences"][1]["a_line"], "b_line": 0},
    ]
    assert all(d["a_line"] > 0 for d in document["differences"])


def test_what_a_vehicle_changes_by_itself_is_no_difference_of_two_snapshots(cli: Run, tmp_path: Path) -> None:
    files = []
    for number in (1, 2):
        path = tmp_path / f"{number}.json"
        save_snapshot(path, snapshot_of(RTL_ALT=Value(Kind.INT32, 1500), STAT_BOOTCNT=Value(Kind.INT16, number)))
        files.append(path)
    said = cli("diff", *files)
    assert said.code == 0
    assert "changes them by itself: STAT_BOOTCNT" in said.out
    assert said.out.splitlines()[-1] == "the same: 1 settings compared"


def test_of_a_profile_only_what_it_sets_is_compared(cli: Run, saved: Path, profile: Path) -> None:
    document = cli("diff", saved, profile, "--input", "cells=6", "--json").document
    assert (document["compared"], [d["name"] for d in document["differences"]]) == (2, ["BATT_LOW_VOLT", "RTL_ALT"])
    assert document["differences"][0]["b"] == 21


def test_convert_keeps_every_bit(cli: Run, saved: Path, tmp_path: Path) -> None:
    for name in ("a.param", "b.parm", "c.params"):
        said = cli("convert", saved, tmp_path / name)
        assert said.code == 0, said.err
        assert cli("diff", saved, tmp_path / name).code == 0
    assert (tmp_path / "a.param").read_bytes() == b"BATT_CRT_VOLT,0.1\r\nFENCE_ENABLE,1\r\nRTL_ALT,1500\r\n"


def test_convert_does_not_replace_a_file_unasked(cli: Run, saved: Path, tmp_path: Path) -> None:
    target = tmp_path / "a.param"
    target.write_text("precious")
    said = cli("convert", saved, target)
    assert said.code == 2
    assert "--yes" in said.err
    assert target.read_text() == "precious"
    assert cli("convert", saved, target, "--yes").code == 0


def test_convert_makes_a_profile_to_start_from(cli: Run, saved: Path, tmp_path: Path) -> None:
    target = tmp_path / "start.yaml"
    assert cli("convert", saved, target).code == 0
    assert cli("profile", "lint", target).code == 0
    assert cli("diff", saved, target).code == 0


@pytest.mark.parametrize(
    ("target", "options", "words"),
    [
        ("out.json", (), "can only come from a vehicle"),
        ("out.csv", (), "its ending does not tell the format"),
        ("out.param", ("--to", "excel"), "--to excel is not known"),
    ],
)
def test_convert_to_what_it_cannot_write(
    cli: Run, saved: Path, tmp_path: Path, target: str, options: tuple[str, ...], words: str
) -> None:
    said = cli("convert", saved, tmp_path / target, *options)
    assert said.code == 2
    assert words in said.err
    assert "what to do:" in said.err
    assert not (tmp_path / target).exists()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("page.param", b"<!DOCTYPE html><html><body>404</body></html>", "web page"),
        ("latin.param", b"RTL_ALT,1500 \xe9\n", "UTF-8"),
        ("nan.param", b"RTL_ALT,nan\n", "nan"),
        ("broken.json", b'{"format": "dronekit-cfg/snapshot/v1", ', "JSON"),
        ("missing.param", None, "missing.param"),
    ],
)
def test_bad_files_are_refused_with_their_place_and_a_remedy(
    cli: Run, saved: Path, tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    said = cli("diff", saved, path)
    assert said.code == 2
    assert words.lower() in said.err.lower()
    assert name in said.err
    assert "what to do:" in said.err
    assert "Traceback" not in said.err
    error = cli("diff", saved, path, "--json").document["error"]
    assert error["exit_code"] == 2
    assert error["hint"]


def test_profile_list_has_the_shipped_profiles_and_your_own(cli: Run, profile: Path) -> None:
    document = cli("profile", "list", "--profiles", profile.parent, "--json").document
    names = {p["name"] for p in document["profiles"]}
    assert {"heavy-lift", "fpv-7in", "gnss-resilient", "base/ardupilot-copter", "mine"} <= names
    said = cli("profile", "list")
    assert said.code == 0
    assert "heavy-lift" in said.out
    assert max(map(len, said.out.splitlines())) <= 80


def test_profile_show_gives_values_reasons_and_layers(cli: Run, profile: Path) -> None:
    said = cli("profile", "show", profile, "--input", "cells=6")
    assert said.code == 0
    rows = {line.split()[0]: line for line in said.out.splitlines() if line.strip()}
    assert rows["RTL_ALT"].split() == ["RTL_ALT", "3000", "trees", "mine"]
    assert "21" in rows["BATT_LOW_VOLT"]
    assert "battery cells in series" in said.out


def test_a_missing_input_is_named_with_what_is_allowed(cli: Run, profile: Path) -> None:
    said = cli("profile", "show", profile)
    assert said.code == 2
    assert "cells" in said.err
    assert "--input cells=VALUE" in said.err


@pytest.mark.parametrize("text", ["cells", "cells=", "=6"])
def test_an_input_is_name_and_value(cli: Run, profile: Path, text: str) -> None:
    said = cli("profile", "show", profile, "--input", text)
    assert said.code == 2
    assert "NAME=VALUE" in said.err


def test_profile_lint_gives_all_problems_of_a_file_with_their_places(cli: Run, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text(PROFILE.replace("family: ardupilot", "familly: ardupilot").replace("value: 3000", "value: [1]"))
    said = cli("profile", "lint", bad)
    assert said.code == 1
    assert "bad.yaml:4:1:" in said.out
    assert "bad.yaml:9:" in said.out
    document = cli("profile", "lint", bad, "--json").document
    assert {p["line"] for p in document["problems"]} >= {4, 9}


def test_the_shipped_profiles_are_clean(cli: Run) -> None:
    said = cli("profile", "lint")
    assert (said.code, said.out.splitlines()[-1].endswith("all clean")) == (0, True)


def test_a_lock_holds_the_digest_and_notices_a_change(cli: Run, profile: Path, tmp_path: Path) -> None:
    lock = tmp_path / "mine.lock.json"
    made = cli("profile", "lock", profile, "--input", "cells=6", "--output", lock, "--json").document
    shown = cli("profile", "show", profile, "--input", "cells=6", "--json").document
    assert made["digest"] == shown["digest"] == json.loads(lock.read_text())["digest"]
    assert cli("profile", "lock", profile, "--input", "cells=6", "--check", lock).code == 0
    profile.write_text(PROFILE.replace("3000", "4000"))
    said = cli("profile", "lock", profile, "--input", "cells=6", "--check", lock)
    assert said.code == 1
    assert "RTL_ALT" in said.out
    assert cli("profile", "show", lock).code == 0


def test_a_folder_of_profiles_that_is_not_there(cli: Run, tmp_path: Path) -> None:
    said = cli("profile", "list", "--profiles", tmp_path / "nowhere")
    assert said.code == 2
    assert "is not a folder" in said.err


def test_a_snapshot_decides_between_profiles_of_one_name(cli: Run, saved: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    for family, setting in (("ardupilot", "RTL_ALT: 4000"), ("px4", "RTL_RETURN_ALT: 40")):
        folder = own / family / "airframes"
        folder.mkdir(parents=True)
        head = f"format: dronekit-cfg/profile/v1\nname: twin\nversion: 1.0.0\nfamily: {family}\n"
        (folder / "twin.yaml").write_text(f"{head}settings:\n  {setting}\n")
    unclear = cli("profile", "show", "twin", "--profiles", own)
    assert unclear.code == 2
    assert "px4/twin" in unclear.err
    assert "RTL_RETURN_ALT" in cli("profile", "show", "twin", "--family", "px4", "--profiles", own).out
    for order in ((saved, "twin"), ("twin", saved)):
        said = cli("diff", *order, "--profiles", own, "--json")
        assert (said.code, [d["name"] for d in said.document["differences"]]) == (1, ["RTL_ALT"])
