"""A small library of profiles on disk, and helpers that every test of the formats uses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dronekit_cfg.formats.library import Library

BASE = """\
format: dronekit-cfg/profile/v1
name: base/ardupilot-copter
version: 1.0.0
family: ardupilot
vehicle: copter
firmware: ">=4.5"
summary: what every copter wants
settings:
  FS_THR_ENABLE: 1
  ARMING_CHECK: {value: 1, because: all checks}
"""

HEAVY = """\
format: dronekit-cfg/profile/v1
name: heavy-lift
version: 1.2.0
family: ardupilot
vehicle: copter
firmware: ">=4.5,<4.8"
names: "4.6"
extends: [base/ardupilot-copter]
flags: [vlos]
inputs:
  cells: {type: integer, minimum: 3, maximum: 14, help: battery cells in series}
settings:
  FS_THR_ENABLE: {value: 5, because: "SmartRTL, else land", source: copter docs}
  BATT_LOW_VOLT: {expr: "round(cells * 3.5, 2)", because: 3.5 V a cell under load}
  GPS1_TYPE: 2
waive:
  - {rule: AP-R10, because: pilot always in sight, until: 2027-03-01}
"""


Write = Callable[[str, str], Path]
Profile = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write one file below the test's folder and give its path."""

    def write_file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    return write_file


@pytest.fixture
def profile(write: Write) -> Profile:
    """Write one profile into the library: its path below it, its settings, and further lines of its head."""

    def write_profile(where: str, settings: str = "", extra: str = "", *, family: str = "ardupilot") -> Path:
        name = where.rpartition("/")[2]
        head = f"format: dronekit-cfg/profile/v1\nname: {name}\nversion: 1.0.0\nfamily: {family}\n{extra}"
        lines = "".join(f"  {line.strip()}\n" for line in settings.splitlines() if line.strip())
        return write(f"lib/{where}.yaml", head + (f"settings:\n{lines}" if lines else ""))

    return write_profile


@pytest.fixture
def library(write: Write, profile: Profile, tmp_path: Path) -> Library:
    """A library with a base, an airframe and two overlays that disagree about one setting."""
    write("lib/ardupilot/base/ardupilot-copter.yaml", BASE)
    write("lib/ardupilot/airframes/heavy-lift.yaml", HEAVY)
    profile("ardupilot/overlays/gnss-dual", "GPS1_TYPE: 9\nGPS2_TYPE: 9")
    profile("ardupilot/overlays/gnss-resilient", "GPS1_TYPE: 17\nEK3_GPS_CHECK: 31")
    return Library([tmp_path / "lib"], with_shipped=False)
