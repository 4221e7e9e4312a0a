"""`hil run --profile`: the report of a bench tells which settings differ from what the vehicle should hold."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.cli.session import clock_in_use
from dronekit_cfg.links.clock import VirtualClock

Run = Callable[..., Any]

SUITE = """format: dronekit-cfg/suite/v1
name: short
title: Short
family: ardupilot
seconds: 3
checks: [identity]
"""
PROFILE = """format: dronekit-cfg/profile/v1
name: mine
version: 1.0.0
family: ardupilot
vehicle: copter
summary: Two settings
inputs:
  seconds: {type: number}
settings:
  FS_EKF_THRESH: {value: 0.8}
  FS_GCS_TIMEOUT: {expr: seconds}
"""


@pytest.fixture(autouse=True)
def fast() -> Iterator[None]:
    token = clock_in_use.set(VirtualClock())
    yield
    clock_in_use.reset(token)


@pytest.fixture
def run(cli: Run, tmp_path: Path) -> Callable[..., Any]:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "mine.yaml").write_text(PROFILE, "utf-8")
    (tmp_path / "short.yaml").write_text(SUITE, "utf-8")
    line = ["hil", "run", tmp_path / "short.yaml", "--link", "sim:ardupilot-copter", "--profile", "mine"]
    return lambda *more: cli(*line, "--profiles", tmp_path / "profiles", *more)


def test_a_vehicle_that_holds_its_profile_passes_and_the_files_bear_the_digest(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    said = run("--input", "seconds=5", "--junit", tmp_path / "x.xml", "--report", tmp_path / "x.html")
    assert said.code == 0, said.out
    facts = {p.attrib["name"]: p.attrib["value"] for p in ET.parse(tmp_path / "x.xml").getroot().iter("property")}
    assert facts["profile"] == "mine 1.0.0"
    assert facts["profile-digest"].startswith("sha256:")
    page = (tmp_path / "x.html").read_text("utf-8")
    assert facts["profile-digest"] in page
    assert "Every setting of the profile was on the vehicle at the end." in page


def test_what_differs_fails_and_stands_in_every_report(run: Callable[..., Any], tmp_path: Path) -> None:
    said = run("--input", "seconds=7", "--json", "--report", tmp_path / "x.html")
    assert said.code == 1
    held = said.document["results"][0]
    assert (held["name"], held["verdict"]) == ("profile", "fail")
    assert [(d["name"], d["wanted"], d["found"]) for d in held["differs"]] == [("FS_GCS_TIMEOUT", "7", "5")]
    assert "<td>FS_GCS_TIMEOUT</td><td>7</td><td>5</td>" in (tmp_path / "x.html").read_text("utf-8")


def test_a_mistake_in_the_profile_is_told_before_the_vehicle_is_asked(cli: Run, tmp_path: Path) -> None:
    said = cli("hil", "run", "preflight", "--link", "tcp:127.0.0.1:1", "--profile", "nothing-like-it")
    assert said.code == 2
    assert "nothing-like-it" in said.err
