"""A file of ArduPilot where PX4 is meant, and the other way round, is told at once by its names, in every verb."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.formats.param_family import family_of_names

Run = Callable[..., Any]
ARDUPILOT = "FENCE_ALT_MAX,100\nATC_RAT_RLL_P,0.135\nEK3_GPS_CHECK,31\nSERIAL1_BAUD,57\n"
PX4 = "MPC_XY_VEL_MAX,12\nEKF2_GPS_CHECK,245\nCOM_RC_LOSS_T,0.5\nNAV_RCL_ACT,2\n"


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ap.param").write_text(ARDUPILOT, "utf-8")
    (tmp_path / "px4.param").write_text(PX4, "utf-8")


SIM = {"px4": "sim:px4-copter", "ardupilot": "sim:ardupilot-copter"}
STRANGERS = (("ap.param", "ardupilot", "px4"), ("px4.param", "px4", "ardupilot"))
VERBS = {
    "validate": ("validate", "{file}", "--family", "{other}"),
    "validate for a firmware": ("validate", "{file}", "--firmware", "{other}@{version}"),
    "plan": ("plan", "{file}", "--link", "{sim}"),
    "apply": ("apply", "{file}", "--link", "{sim}", "--yes"),
    "verify": ("verify", "{file}", "--link", "{sim}"),
    "restore": ("restore", "{file}", "--link", "{sim}", "--yes"),
    "diff": ("diff", "{file}", "{theirs}"),
    "convert": ("convert", "{file}", "out.param", "--family", "{other}"),
}


@pytest.mark.parametrize(("file", "family", "other"), STRANGERS)
@pytest.mark.parametrize("verb", VERBS)
def test_it_is_said_whose_file_it_is(cli: Run, verb: str, file: str, family: str, other: str) -> None:
    theirs = next(f for f, _, o in STRANGERS if o == family)
    version = "1.16" if other == "px4" else "4.7"
    words = {"file": file, "other": other, "sim": SIM[other], "theirs": theirs, "version": version}
    said = cli(*(part.format(**words) for part in VERBS[verb]))
    assert said.code in (1, 2)
    text = " ".join((said.out + said.err).split())
    assert f"of {family}" in text
    assert "Traceback" not in text
    assert len(text) < 900, "one clear message, not one for each of its settings"


def test_a_snapshot_of_the_other_firmware_is_refused_with_both_names(cli: Run) -> None:
    assert cli("snapshot", "--link", SIM["ardupilot"], "-o", "ap.json").code == 0
    said = cli("restore", "ap.json", "--link", SIM["px4"], "--yes")
    assert said.code == 4
    assert "ardupilot copter" in said.err
    assert "px4 copter" in said.err


@pytest.mark.parametrize(
    ("names", "family"),
    [
        (["EK3_ENABLE", "FOO"], "ardupilot"),
        (["NAV_RCL_ACT"], "px4"),
        ([*(f"CAL_ACC{n}_ID" for n in range(9)), "COM_RC_LOSS_T", "FENCE_ENABLE"], "px4"),
        (["NAV_RCL_ACT", "FENCE_ENABLE"], None),
        (["FOO"], None),
    ],
)
def test_a_few_strangers_do_not_hide_whose_file_it_is(names: list[str], family: str | None) -> None:
    assert family_of_names(names) == family


def test_a_px4_file_without_types_gets_those_of_the_metadata_for_qgroundcontrol(cli: Run, tmp_path: Path) -> None:
    assert cli("convert", "px4.param", "out.params").code == 0
    rows = [line.split("\t") for line in (tmp_path / "out.params").read_text("utf-8").splitlines() if line[0] != "#"]
    assert {row[2]: row[4] for row in rows} == {
        "MPC_XY_VEL_MAX": "9",
        "EKF2_GPS_CHECK": "6",
        "COM_RC_LOSS_T": "9",
        "NAV_RCL_ACT": "6",
    }
    assert "# Stack: PX4 Pro" in (tmp_path / "out.params").read_text("utf-8")


def test_a_file_of_another_firmware_gets_no_types_by_guess(cli: Run) -> None:
    said = cli("convert", "ap.param", "out.params")
    assert said.code == 2
    assert "types of 4 parameters are not known" in said.err
