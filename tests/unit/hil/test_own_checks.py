"""Checks that users bring in packages of their own, through the entry point `dronekit_cfg.checks`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.errors import UsageError
from dronekit_cfg.hil.checks import all_checks, find_check
from dronekit_cfg.hil.run import run_suite
from dronekit_cfg.hil.suite import load_suite
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model.checked import Verdict

OWN = """
from dronekit_cfg.hil.check import Check, Parameter
from dronekit_cfg.model.checked import Measure, Outcome

def judge(evidence, params):
    degrees = evidence.column("RAW_IMU", "temperature")
    return Outcome((Measure("warmest", max(degrees) / 100, "degC", high=params["high"]),))

CHECKS = [
    Check(
        "warmth", "X01", "The board is not too warm", "give it air",
        watches={"RAW_IMU": 5.0}, judge=judge,
        parameters=(Parameter("high", 70, "degC", "largest temperature", 20, 120),),
    )
]
"""
SUITE = """format: dronekit-cfg/suite/v1
name: own
family: ardupilot
seconds: 3
checks:
  - {check: warmth, with: {high: 60 degC}}
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package as pip would have installed it, with the entry point."""
    info = tmp_path / "own_checks-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: own-checks\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text("[dronekit_cfg.checks]\nown = own_checks:CHECKS\n", "utf-8")
    (tmp_path / "own_checks.py").write_text(OWN, "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    all_checks.cache_clear()
    yield tmp_path
    all_checks.cache_clear()
    sys.modules.pop("own_checks", None)


def test_a_check_of_ones_own_runs_in_a_suite_of_ones_own(package: Path) -> None:
    file = package / "own.yaml"
    file.write_text(SUITE, "utf-8")
    options = LinkOptions("sim:ardupilot-copter", family="ardupilot", state_dir=package)
    with connect(options, clock=VirtualClock()) as connection:
        (result,) = run_suite(connection, load_suite(file)).results
    assert (result.name, result.verdict) == ("warmth", Verdict.PASS)
    assert (result.measures[0].unit, result.measures[0].high) == ("degC", 60)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("raise RuntimeError('half a package')", "own_checks:CHECKS. cannot be loaded: half a package"),
        ("CHECKS = ['warmth']", "gives no Check"),
        (OWN.replace('"warmth"', '"level"'), "two checks are called level"),
    ],
)
def test_a_broken_package_is_named_with_its_remedy(text: str, words: str, package: Path) -> None:
    (package / "own_checks.py").write_text(text, "utf-8")
    with pytest.raises(UsageError, match=words) as caught:
        find_check("level")
    assert caught.value.hint
