"""`diff all` and `dump all` texts of Betaflight and INAV as files: validate, diff, convert, plan --against, restore."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.cli.session import clock_in_use
from dronekit_cfg.links.clock import VirtualClock

Run = Callable[..., Any]

GOLDEN = Path(__file__).parents[1] / "golden"
SAMPLES = {
    name: GOLDEN / family / "samples" / f"{name}_diff_all.txt"
    for family, names in {"betaflight": ("4.3", "4.4", "4.5", "2025.12"), "inav": ("7.1", "8.0", "9.0")}.items()
    for name in names
}
BETAFLIGHT = "sim:betaflight"
STACK = "fpv-7in+link-resilient"


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """Let the time pass that a vehicle takes to restart."""
    token = clock_in_use.set(VirtualClock())
    yield
    clock_in_use.reset(token)


def own_texts(cli: Run, folder: Path, link: str = BETAFLIGHT) -> tuple[Path, Path]:
    """Give files with the `diff all` and `dump all` of the vehicle as it is."""
    assert cli("snapshot", "--link", link, "-o", folder / "own.json").code == 0
    raw = json.loads((folder / "own.json").read_text())["raw"]
    files = folder / "own-diff.txt", folder / "own-dump.txt"
    for file, name in zip(files, ("diff all", "dump all"), strict=True):
        file.write_bytes(raw[name].encode())
    return files


def diff_all(cli: Run, folder: Path, link: str = BETAFLIGHT) -> str:
    return own_texts(cli, folder, link)[0].read_text()


@pytest.mark.parametrize("name", SAMPLES)
def test_a_diff_of_each_version_is_judged_compared_and_converted(cli: Run, tmp_path: Path, name: str) -> None:
    path = SAMPLES[name]
    judged = cli("validate", path, "--fail-on", "error", "--json")
    assert judged.code == 0
    assert not [f for f in judged.document["files"][0]["findings"] if f["severity"] == "error"]
    copy = tmp_path / "copy.txt"
    assert cli("convert", path, copy).code == 0
    assert copy.read_bytes() == path.read_bytes()
    assert cli("diff", path, copy).code == 0
    family = "inav" if "inav" in str(path) else "betaflight"
    planned = cli("plan", STACK, "--family", family, "--against", path, "--json")
    if name in {"4.3", "4.4"}:  # the profile is for 4.5 and later
        assert (planned.code, "for firmware >=4.5" in planned.out) == (4, True)
        return
    assert planned.document["plan"]["identity"]["family"] == family
    assert planned.document["plan"]["identity"]["version"].startswith(name.rpartition(".")[0] if "." in name else name)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_diff_becomes_a_profile_and_that_a_text_again_with_all_that_is_not_of_one_unit(
    cli: Run, tmp_path: Path, name: str
) -> None:
    assert cli("convert", SAMPLES[name], tmp_path / "p.yaml").code == 0
    assert cli("convert", tmp_path / "p.yaml", tmp_path / "p.txt").code == 0
    left = {
        d["name"]: (d["a"], d["b"])
        for d in cli("diff", SAMPLES[name], tmp_path / "p.txt", "--json").document["differences"]
    }
    of_one_unit = ("mcu_id", "signature", "board_name", "manufacturer_id", "acc", "mag", "ins_gravity", "name", "craft")
    assert all(n.startswith(of_one_unit) and pair[1] is None for n, pair in left.items()), left


def test_values_of_an_older_version_are_carried_over_with_their_units(cli: Run, tmp_path: Path) -> None:
    said = cli("convert", SAMPLES["4.5"], tmp_path / "new.txt", "--firmware", "betaflight@2025.12", "--json")
    assert said.code == 0
    text = (tmp_path / "new.txt").read_text()
    assert "set failsafe_off_delay" in SAMPLES["4.5"].read_text()
    assert "failsafe_off_delay" not in text
    assert "set failsafe_landing_time = 10\n" in text  # 100 tenths of a second
    assert "serial UART1 64 115200 57600 0 115200\n" in text
    assert "serial VCP 1 115200 57600 0 115200\n" in text
    assert any("failsafe_off_delay" in w and "100 becomes 10" in w for w in said.document["warnings"])
    back = cli("convert", tmp_path / "new.txt", tmp_path / "old.txt", "--firmware", "betaflight@4.5")
    assert back.code == 2  # a text that was made for a version does not say so in the words of a firmware
    assert "does not tell" in back.err


def test_a_snapshot_becomes_the_vehicles_own_diff(cli: Run, tmp_path: Path) -> None:
    own_texts(cli, tmp_path)
    assert cli("convert", tmp_path / "own.json", tmp_path / "text.txt").code == 0
    assert (tmp_path / "text.txt").read_text().rstrip("\n") == (tmp_path / "own-diff.txt").read_text().rstrip("\n")
    refused = cli("convert", tmp_path / "own.json", tmp_path / "text.param")
    assert (refused.code, "no parameter file" in refused.err) == (2, True)


def test_what_a_diff_leaves_out_is_compared_with_the_default_and_else_not_at_all(cli: Run, tmp_path: Path) -> None:
    diff, dump = own_texts(cli, tmp_path)
    assert cli("apply", STACK, "--link", BETAFLIGHT, "--yes").code == 0
    assert cli("snapshot", "--link", BETAFLIGHT, "-o", tmp_path / "now.json").code == 0
    changed = cli("diff", diff, tmp_path / "now.json", "--json").document
    assert "failsafe_delay" in {d["name"] for d in changed["differences"]}
    assert not changed["not_told"]
    silent = cli("diff", diff, dump, "--json").document
    assert (silent["exit_code"], silent["differences"]) == (0, [])
    assert "failsafe_delay" in silent["not_told"]


@pytest.mark.parametrize("mode", ["merge", "replace"])
@pytest.mark.parametrize("family", ["betaflight", "inav"])
def test_a_text_brings_the_vehicle_back(cli: Run, tmp_path: Path, family: str, mode: str) -> None:
    link = f"sim:{family}"
    diff, dump = own_texts(cli, tmp_path, link)
    before = diff.read_text()
    assert cli("apply", STACK, "--link", link, "--yes").code == 0
    clone = ["--clone"] if family == "inav" else []  # its texts do not say which unit they are of
    said = cli("restore", dump, "--link", link, "--yes", "--mode", mode, *clone, "--json")
    assert said.code == 0, said.err
    assert said.document["changed"]
    (tmp_path / "own.json").unlink()
    assert diff_all(cli, tmp_path, link) == before


def test_replace_leaves_nothing_of_before_and_merge_leaves_what_is_not_named(cli: Run, tmp_path: Path) -> None:
    diff, _ = own_texts(cli, tmp_path)
    before = diff.read_text()
    sets = ["--set", "failsafe_delay=33", "--set", "craft_name=MANTA", "--set", "acc_calibration=5,6,7,1"]
    assert cli("apply", STACK, "--link", BETAFLIGHT, "--yes", *sets, "--include", "identity,calibration").code == 0
    (tmp_path / "few.txt").write_text(before.replace("# master\n", "# master\nset small_angle = 44\n", 1))
    assert "small_angle = 44" in (tmp_path / "few.txt").read_text()
    assert cli("restore", tmp_path / "few.txt", "--link", BETAFLIGHT, "--yes").code == 0
    (tmp_path / "own.json").unlink()
    merged = diff_all(cli, tmp_path)
    assert "set small_angle = 44" in merged
    assert "set failsafe_delay = 33" in merged
    replaced = cli("restore", tmp_path / "few.txt", "--link", BETAFLIGHT, "--yes", "--mode", "replace", "--json")
    assert replaced.code == 0, replaced.err
    (tmp_path / "own.json").unlink()
    now = diff_all(cli, tmp_path)
    assert "set small_angle = 44" in now
    assert "failsafe_delay" not in now
    assert "set acc_calibration = 5,6,7,1" in now  # what belongs to the unit stays
    assert "set craft_name = MANTA" in now


BAD: dict[str, tuple[Callable[[str], str], str]] = {
    "cut in half": (lambda text: text[: len(text) // 2], "cut off"),
    "saved twice": (lambda text: text.rstrip() + "\nsave\n", "second `save`"),
    "a line of 300 characters": (
        lambda text: text.replace("# master\n", "# master\nset craft_name = " + "x" * 300 + "\n", 1),
        "characters, more than",
    ),
    "a name that is no ASCII": (
        lambda text: text.replace("# master\n", "# master\nset craft_name = Чайка\n", 1),
        "is not ASCII",
    ),
    "an error of the vehicle": (
        lambda text: text.replace(
            "# master\n", "# master\n###ERROR IN diff: CORRUPTED CONFIG: small_angle = 999###\n", 1
        ),
        "CORRUPTED CONFIG",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_damaged_text_is_refused_with_its_line_and_nothing_is_written(cli: Run, tmp_path: Path, name: str) -> None:
    spoil, words = BAD[name]
    diff, _ = own_texts(cli, tmp_path)
    bad = tmp_path / "bad.txt"
    bad.write_text(spoil(diff.read_text()), encoding="utf-8")
    said = cli("restore", bad, "--link", BETAFLIGHT, "--yes")
    assert said.code == 2
    assert words in said.err
    assert f"{bad.name}:" in said.err
    assert cli("validate", bad).code == 1
    assert cli("diff", bad, diff).code == 2
    assert cli("plan", STACK, "--against", bad).code == 2


def test_a_text_of_another_firmware_board_or_unit_is_refused(cli: Run, tmp_path: Path) -> None:
    other = cli("restore", SAMPLES["7.1"], "--link", BETAFLIGHT, "--yes")
    assert (other.code, "inav" in other.err) == (4, True)
    board = cli("restore", SAMPLES["2025.12"], "--link", BETAFLIGHT, "--yes")
    assert (board.code, "--clone" in board.err) == (4, True)


def test_a_text_of_another_board_leaves_out_what_belongs_to_that_board_and_that_unit(cli: Run, tmp_path: Path) -> None:
    source = tmp_path / "other.txt"
    lines = SAMPLES["2025.12"].read_text().splitlines(keepends=True)
    strange = (
        "vtx",
        "serial",
        "feature",
        "beacon",
        "beeper",
        "led",
        "color",
        "mode_color",
        "set gps",
        "set dyn",
        "set serialrx",
        "set osd",
        "aux 1",
    )
    source.write_text("".join(x for x in lines if not x.startswith(strange)))
    said = cli("restore", source, "--clone", "--link", BETAFLIGHT, "--yes", "--json")
    assert said.code == 0, said.err
    written = {r["name"] for r in said.document["receipt"]["records"]}
    assert "failsafe_procedure" in written
    assert "profile.0.p_pitch" in written
    assert not written & {"mcu_id", "signature", "board_name", "manufacturer_id", "acc_calibration", "craft_name"}
    assert not [n for n in written if n.startswith(("resource", "timer", "dma"))]


def test_an_unknown_setting_is_named_with_its_line_and_the_closest_names(cli: Run, tmp_path: Path) -> None:
    diff, _ = own_texts(cli, tmp_path)
    bad = tmp_path / "typo.txt"
    bad.write_text(diff.read_text().replace("# master\n", "# master\nset small_angel = 44\n", 1))
    line = bad.read_text().splitlines().index("set small_angel = 44") + 1
    said = cli("restore", bad, "--link", BETAFLIGHT, "--yes")
    assert said.code == 2
    assert f"typo.txt:{line}:" in said.err
    assert "did you mean small_angle" in said.err
    left = cli("restore", bad, "--link", BETAFLIGHT, "--yes", "--without", "small_angel")
    assert left.code == 0, left.err
    wrong = cli("restore", bad, "--link", BETAFLIGHT, "--yes", "--without", "small_angell")
    assert (wrong.code, "small_angel" in wrong.err) == (2, True)


def test_a_text_without_its_first_lines_is_read_but_says_no_firmware(cli: Run, tmp_path: Path) -> None:
    bare = tmp_path / "bare.txt"
    bare.write_text("set small_angle = 44\nset failsafe_delay = 20\nprofile 0\nset p_pitch = 50\n")
    assert cli("validate", bare).code == 0
    said = cli("plan", STACK, "--against", bare)
    assert (said.code, "which firmware wrote it" in said.err) == (2, True)
