from __future__ import annotations

import json
from pathlib import Path

import pytest

from dronekit_cfg.catalog.enabled_by import derive, with_enablers
from dronekit_cfg.catalog.store import spec_for
from dronekit_cfg.model import SettingSpec, Spec

GOLDEN = Path(__file__).parents[2] / "golden" / "ardupilot"
HIDES: dict[str, list[str]] = json.loads((GOLDEN / "hidden-groups-copter-4.7-dev.json").read_text(encoding="utf-8"))[
    "hides"
]


def listed(version: str) -> dict[str, float]:
    rows = json.loads((GOLDEN / f"params-copter-{version}.json").read_text(encoding="utf-8"))
    return {row[0]: row[2] for row in rows}


@pytest.mark.parametrize("enabler", HIDES)
def test_the_groups_that_the_real_firmware_hides_are_known(enabler: str) -> None:
    names = {n for group in HIDES.values() for n in group} | set(HIDES)
    found = derive(names)
    assert {n: found.get(n) for n in HIDES[enabler]} == dict.fromkeys(HIDES[enabler], enabler)


def test_enablers_themselves_are_not_hidden_by_what_they_hide() -> None:
    assert derive({"BATT_MONITOR", "BATT_CAPACITY"}) == {"BATT_CAPACITY": "BATT_MONITOR"}
    assert derive({"ARSPD_ENABLE", "ARSPD_TYPE", "ARSPD_PIN"}) == {
        "ARSPD_TYPE": "ARSPD_ENABLE",
        "ARSPD_PIN": "ARSPD_TYPE",
    }


def test_the_innermost_enabler_is_named() -> None:
    found = derive({"EFI_TYPE", "EFI_THRLIN_EN", "EFI_THRLIN_OFS", "EFI_COEF1"})
    assert found == {"EFI_THRLIN_EN": "EFI_TYPE", "EFI_THRLIN_OFS": "EFI_THRLIN_EN", "EFI_COEF1": "EFI_TYPE"}


def test_settings_with_an_enabling_name_that_hide_nothing_are_left_alone() -> None:
    assert derive({"FENCE_ENABLE", "FENCE_TYPE", "FENCE_ALT_MAX", "FRAME_TYPE", "FRAME_CLASS"}) == {}
    assert derive({"COMPASS_ENABLE", "COMPASS_USE", "LOG_BACKEND_TYPE", "LOG_DISARMED"}) == {}


def test_a_group_without_its_enabler_is_not_hidden() -> None:
    assert derive({"BATT_CAPACITY", "BATT_LOW_VOLT"}) == {}


def test_a_setting_that_a_vehicle_lists_although_its_enabler_is_off_is_not_hidden() -> None:
    spec = Spec("ardupilot", "copter", "1", {n: SettingSpec(n) for n in ("GPS2_TYPE", "GPS2_X", "GPS2_Y")})
    found = with_enablers(spec, {"GPS2_TYPE": 0.0, "GPS2_X": 1.0})
    assert {n: s.enabled_by for n, s in found.settings.items()} == {
        "GPS2_TYPE": "",
        "GPS2_X": "",
        "GPS2_Y": "GPS2_TYPE",
    }


@pytest.mark.parametrize("version", ["4.5.6", "4.7-dev"])
def test_no_setting_that_the_real_firmware_listed_is_said_to_be_hidden(version: str) -> None:
    spec = spec_for("ardupilot", "copter", version)
    assert spec is not None
    assert spec.exact
    values = listed(version)
    wrong = {
        n: s.enabled_by for n, s in spec.settings.items() if n in values and s.enabled_by and not values[s.enabled_by]
    }
    assert wrong == {}


@pytest.mark.parametrize(
    ("version", "name", "enabler"),
    [
        ("4.5.6", "BATT2_CAPACITY", "BATT2_MONITOR"),
        ("4.5.6", "RNGFND1_MAX_CM", "RNGFND1_TYPE"),
        ("4.5.6", "SERVO17_FUNCTION", "SERVO_32_ENABLE"),
        ("4.7-dev", "GPS2_RATE_MS", "GPS2_TYPE"),
        ("4.7-dev", "ZIGZ_LINE_NUM", "ZIGZ_AUTO_ENABLE"),
        ("4.7-dev", "NET_IPADDR0", "NET_ENABLE"),
    ],
)
def test_shipped_specs_name_the_enabler(version: str, name: str, enabler: str) -> None:
    spec = spec_for("ardupilot", "copter", version)
    assert spec is not None
    assert spec.settings[name].enabled_by == enabler
    assert enabler in spec.settings
