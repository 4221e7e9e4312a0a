"""The rename table of Betaflight is readable and says what the sources say."""

from __future__ import annotations

import tomllib
from pathlib import Path

import dronekit_cfg
from dronekit_cfg.catalog.renames import _read

FILE = Path(dronekit_cfg.__file__).parent / "catalog" / "data" / "betaflight-copter-renames.toml"


def test_seconds_and_tenths_of_seconds_are_not_mixed_up() -> None:
    renames = _read(tomllib.loads(FILE.read_text("utf-8")))
    new, old = {"failsafe_landing_time"}, {"failsafe_off_delay"}
    assert renames.translate("failsafe_off_delay", 100, new.__contains__) == ("failsafe_landing_time", 10)
    assert renames.translate("failsafe_landing_time", 60, old.__contains__) == ("failsafe_off_delay", 600)


def test_ports_and_profiles_keep_their_place() -> None:
    renames = _read(tomllib.loads(FILE.read_text("utf-8")))
    ports = "64 115200 57600 0 115200"
    assert renames.translate("serial.0", ports, {"serial.UART1"}.__contains__) == ("serial.UART1", ports)
    listed = {"profile.2.angle_limit"}
    assert renames.translate("profile.2.level_limit", 55, listed.__contains__) == ("profile.2.angle_limit", 55)
    assert renames.translate("small_angle", 25, {"small_angle"}.__contains__) is None
