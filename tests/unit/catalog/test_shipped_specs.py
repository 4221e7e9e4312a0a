"""The shipped specs against what the real firmware listed, and against facts looked up by hand."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.catalog.importers._labels import LONGEST
from dronekit_cfg.catalog.store import list_specs, shipped_dir, spec_for
from dronekit_cfg.model import INT_RANGES, Kind, Spec, float32
from dronekit_cfg.rules.values import check_values

GOLDEN = Path(__file__).parents[2] / "golden"


def rows(file: str) -> list[list[Any]]:
    found: list[list[Any]] = json.loads((GOLDEN / file).read_text(encoding="utf-8"))
    return found


def shipped(family: str, version: str) -> Spec:
    found = spec_for(family, "copter", version)
    assert found is not None
    assert found.exact
    return found


LISTS = [
    ("ardupilot", "4.5.6", "ardupilot/params-copter-4.5.6.json", 1390),
    ("ardupilot", "4.7.0-dev", "ardupilot/params-copter-4.7-dev.json", 1354),
    ("px4", "1.16.0-dev", "px4/params-sih-quad-2024-10.json", 889),
]


@pytest.mark.parametrize(("family", "version", "file", "count"), LISTS)
def test_every_setting_that_the_real_firmware_listed_has_its_true_type(
    family: str, version: str, file: str, count: int
) -> None:
    spec = shipped(family, version)
    listed = rows(file)
    assert len(listed) == count
    wrong = {row[0]: (row[1], spec.get(row[0]).kind) for row in listed if spec.get(row[0]).kind != row[1]}
    assert wrong == {}


@pytest.mark.parametrize(("family", "version", "file", "count"), LISTS[:2])
def test_known_defaults_are_those_that_the_real_firmware_gave(family: str, version: str, file: str, count: int) -> None:
    spec = shipped(family, version)
    told = {row[0]: row[3] for row in rows(file)}
    # the simulator's own start file replaces some firmware defaults, so a few are known to differ
    overlaid = {"FRAME_TYPE", "FRAME_CLASS", "BATT_MONITOR", "FENCE_RADIUS", "SIM_BARO_RND", "RC7_OPTION"}
    checked = 0
    for name, value in told.items():
        default = spec.get(name).default
        if default is None or name in overlaid or name.startswith(("FLTMODE", "ATC_RAT_YAW", "MOT_", "INS_", "RC")):
            continue
        assert isinstance(default, int | float)
        assert float32(default) == float32(value), name
        checked += 1
    assert checked > count // 2


# Looked up by hand in the vendor's documentation and the firmware source.
FACTS: list[tuple[str, str, dict[str, object]]] = [
    ("4.5.6", "EK3_GPS_CHECK", {"kind": Kind.INT8, "default": 31, "enabled_by": "EK3_ENABLE"}),
    ("4.5.6", "EK3_SRC_OPTIONS", {"kind": Kind.INT16, "default": 1}),
    ("4.7-dev", "EK3_SRC_OPTIONS", {"kind": Kind.INT16, "default": 0}),
    ("4.5.6", "FS_DR_TIMEOUT", {"kind": Kind.INT16, "minimum": 0, "maximum": 120, "default": 30}),
    ("4.5.6", "RC_FS_TIMEOUT", {"kind": Kind.REAL32, "minimum": 0.5, "maximum": 10, "unit": "s"}),
    ("4.7-dev", "RC_OPTIONS", {"kind": Kind.INT32, "default": 32}),
    ("4.7-dev", "FENCE_MARGIN", {"kind": Kind.REAL32, "minimum": 1, "maximum": 10, "unit": "m", "default": 2}),
    ("4.7-dev", "GPS1_TYPE", {"kind": Kind.INT8, "reboot": True, "default": 1}),
    ("4.7-dev", "GPS2_RATE_MS", {"kind": Kind.INT16, "minimum": 50, "maximum": 200, "enabled_by": "GPS2_TYPE"}),
    ("4.7-dev", "BATT_MONITOR", {"kind": Kind.INT8, "reboot": True, "default": 0}),
    ("4.7-dev", "BATT_LOW_VOLT", {"kind": Kind.REAL32, "default": 10.5, "enabled_by": "BATT_MONITOR"}),
    ("4.5.6", "COMPASS_OFS_X", {"kind": Kind.REAL32, "calibration": True}),
    ("4.5.6", "INS_ACCOFFS_X", {"calibration": True}),
    ("4.5.6", "SYSID_THISMAV", {"identity": True, "minimum": 1, "maximum": 255}),
    ("4.7-dev", "MAV_SYSID", {"identity": True}),
    ("4.5.6", "STAT_RUNTIME", {"read_only": True, "volatile": True}),
    ("4.5.6", "COMPASS_DEV_ID", {"read_only": True, "identity": True}),
    ("4.7-dev", "RTL_ALT", {"kind": Kind.INT32, "unit": "cm", "minimum": 30}),
]


@pytest.mark.parametrize(("version", "name", "facts"), FACTS)
def test_facts_looked_up_by_hand_are_in_the_spec(version: str, name: str, facts: dict[str, object]) -> None:
    found = shipped("ardupilot", version).settings[name]
    assert {key: getattr(found, key) for key in facts} == facts


def test_labels_looked_up_by_hand_are_in_the_spec() -> None:
    old, new = shipped("ardupilot", "4.5.6"), shipped("ardupilot", "4.7-dev")
    assert 0 not in old.settings["FS_EKF_ACTION"].values  # report only came with 4.7
    assert 0 in new.settings["FS_EKF_ACTION"].values
    assert set(old.settings["EK3_GPS_CHECK"].bits) == set(range(8))
    assert new.settings["EK3_GPS_CHECK"].bits[5] == "pos drift"
    assert new.settings["BATT_FS_LOW_ACT"].values[7] == "Brake or Land"
    assert 7 not in old.settings["BATT_FS_LOW_ACT"].values  # came with 4.6
    assert set(old.settings["FENCE_ACTION"].values) == {0, 1, 2, 3, 4, 5}
    assert old.settings["GPS_AUTO_SWITCH"].values.keys() == {0, 1, 2, 4}


def test_px4_facts_looked_up_by_hand_are_in_the_spec() -> None:
    spec = shipped("px4", "1.16.0.dev0")
    assert spec.settings["NAV_DLL_ACT"].default == 0
    assert spec.settings["COM_RC_LOSS_T"].maximum == 35
    assert spec.settings["SYS_AUTOSTART"].reboot
    assert spec.settings["EKF2_GPS_CHECK"].bits


@pytest.mark.parametrize(
    ("version", "there", "not_there"),
    [
        ("4.5.6", "GPS_TYPE", "GPS1_TYPE"),
        ("4.3.8", "COMPASS_TYPEMASK", "COMPASS_DISBLMSK"),
        ("4.4.4", "CAM1_SERVO_ON", "CAM_SERVO_ON"),
        ("4.6.3", "GPS1_TYPE", "GPS_TYPE"),
        ("4.7.0.dev0", "GPS1_TYPE", "GPS_TYPE"),
        ("4.6.3", "SR0_EXTRA1", "MAV1_EXTRA1"),
        ("4.7.0.dev0", "MAV1_EXTRA1", "SR0_EXTRA1"),
        ("4.7.0.dev0", "RTL_ALT", "RTL_ALT_M"),
        ("4.7.0", "RTL_ALT_M", "RTL_ALT"),
        ("4.7.0", "ARMING_SKIPCHK", "ARMING_CHECK"),
        ("4.7.0", "MAV_SYSID", "SYSID_THISMAV"),
    ],
)
def test_each_spec_has_the_names_of_its_generation(version: str, there: str, not_there: str) -> None:
    spec = shipped("ardupilot", version)
    assert there in spec.settings
    assert not_there not in spec.settings


@pytest.mark.parametrize("file", list_specs(), ids=lambda f: f.path.name)
def test_a_shipped_spec_is_small_and_holds_labels_and_no_prose(file: Any) -> None:
    assert file.path.stat().st_size < 64 * 1024
    for setting in file.load().settings.values():
        assert setting.label == ""
        texts = [setting.unit, *setting.values.values(), *setting.bits.values()]
        assert all(len(text) <= LONGEST for text in texts), setting.name


@pytest.mark.parametrize("file", list_specs(), ids=lambda f: f.path.name)
def test_ranges_and_defaults_fit_the_storage_type(file: Any) -> None:
    for setting in file.load().settings.values():
        if setting.minimum is not None and setting.maximum is not None:
            assert setting.minimum <= setting.maximum, setting.name
        low, high = INT_RANGES.get(setting.kind, (None, None)) if setting.kind else (None, None)
        if low is not None and high is not None and setting.default is not None:
            assert low <= float(setting.default) <= high, setting.name
            assert float(setting.default).is_integer(), setting.name
        assert not setting.enabled_by or setting.enabled_by != setting.name


def test_what_the_source_of_betaflight_says_is_what_its_simulator_tells() -> None:
    """Two ways to the same facts: `get` of the simulator, and settings.c for what the simulator is built without."""
    spec = shipped("betaflight", "2026.12.0a0")
    told = json.loads((GOLDEN / "betaflight" / "settings-2026.12.0-alpha.json").read_text(encoding="utf-8"))
    plain = {name for name in told if "." not in name}
    assert plain <= set(spec.settings)
    assert spec.settings["failsafe_landing_time"].maximum == 250
    assert "osd_warn_bitmask" in spec.settings  # not in the simulator's list


def test_every_shipped_file_says_where_it_comes_from() -> None:
    files = list_specs()
    assert {(f.family, f.vehicle, f.version) for f in files} == {
        ("ardupilot", "copter", "4.3.8"),
        ("ardupilot", "copter", "4.4.4"),
        ("ardupilot", "copter", "4.5.6"),
        ("ardupilot", "copter", "4.6.3"),
        ("ardupilot", "copter", "4.7.0.dev0"),
        ("ardupilot", "copter", "4.7.0"),
        *(("betaflight", "", v) for v in ("4.3.2", "4.4.3", "4.5.5", "4.6.0", "2025.12.5", "2026.6.1", "2026.12.0a0")),
        ("inav", "", "7.0.0"),
        ("inav", "", "8.0.0"),
        ("inav", "", "9.0.0"),
        ("px4", "", "1.16.0.dev0"),
    }
    readme = (shipped_dir() / "README.md").read_text(encoding="utf-8")
    for file in files:
        spec = file.load()
        assert spec.source
        assert file.path.name.removesuffix(".json.gz") in readme
        assert f"| {len(spec.settings)} |" in readme


DRIVERS = "ardupilot/hidden-drivers-copter-4.7-dev.json"
"""What the 4.7-dev simulator (2598e9d4) lists beyond its usual list, by BATTn_MONITOR, RNGFNDn_TYPE and such."""


@pytest.mark.parametrize("version", ["4.5.6", "4.6.3", "4.7.0-dev", "4.7.0"])
def test_settings_that_only_a_driver_shows_have_the_type_that_the_simulator_tells(version: str) -> None:
    spec = shipped("ardupilot", version)
    told = dict(rows(DRIVERS))
    wrong = {n: (kind, spec.get(n).kind) for n, kind in told.items() if n in spec.settings and spec.get(n).kind != kind}
    assert wrong == {}
    assert sum(n in spec.settings for n in told) > 300
    untyped = [n for n, facts in spec.settings.items() if facts.kind is None]
    assert len(untyped) < 0.17 * len(spec.settings)


@pytest.mark.parametrize("version", ["4.5.6", "4.6.3", "4.7.0-dev", "4.7.0"])
def test_all_instances_of_a_group_have_one_type(version: str) -> None:
    """That is what types are carried over by, from BATT2_LOW_VOLT to BATT7_LOW_VOLT."""
    kinds: dict[str, set[Kind]] = {}
    for name, facts in shipped("ardupilot", version).settings.items():
        one = re.sub(r"^(BATT|RNGFND|TEMP)[A-G]_", r"\1_", re.sub(r"(?<=[A-Z])\d+(?=_|$)", "", name))
        if facts.kind is not None:
            kinds.setdefault(one, set()).add(facts.kind)
    assert {one for one, found in kinds.items() if len(found) > 1} == set()


@pytest.mark.parametrize("name", ["BATT9_I2C_ADDR", "RNGFND1_ADDR", "TEMP2_BUS"])
def test_a_value_that_a_driver_would_clamp_is_an_error_on_the_release(name: str) -> None:
    found = check_values({name: 200}, shipped("ardupilot", "4.7.0"), writing=True)
    assert [f.id for f in found if f.severity == "error"] == ["VALUE-STORAGE"]
