"""The shipped ArduPilot profiles: each value is valid on its firmware, has its reason, and keeps the vehicle safe."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from stacks import library, resolved_with

from dronekit_cfg.catalog.renames import load_renames
from dronekit_cfg.catalog.store import spec_for
from dronekit_cfg.formats.library import Entry, Library
from dronekit_cfg.formats.profile_yaml import load_layer
from dronekit_cfg.model import INT_RANGES, Resolved, Scalar, SettingSpec, Spec, Wanted

GOLDEN = Path(__file__).parents[1] / "golden" / "ardupilot"
AIRFRAMES = ("base/ardupilot-copter", "fpv-5in", "fpv-7in", "fpv-10in", "heavy-lift", "heavy-lift-quad")
AIRFRAMES_WITH_FRAME = ("heavy-lift-quad", "heavy-lift-hexa", "heavy-lift-octo")
OVERLAYS = ("", "+gnss-resilient", "+gnss-dual", "+gnss-resilient+gnss-dual")
CONDITIONS = (
    "baseline-safe",
    "link-resilient",
    "gnss-denied-site",
    "bvlos",
    "bench",
    "gnss-resilient+gnss-denied-site",
)
MODULES = (
    "gnss-single-ublox",
    "gnss-dual-ublox",
    "gnss-dronecan",
    "flow-rangefinder",
    "rc-elrs",
    "rc-crsf",
    "rc-sbus",
    "telemetry-sik",
    "telemetry-elrs-mavlink",
    "battery-lipo",
    "battery-liion",
    "compass-external",
    "compassless",
)
STACKS = (
    *(a + o for a in AIRFRAMES for o in OVERLAYS),
    *AIRFRAMES_WITH_FRAME[1:],
    *(f"{a}+{c}" for a in ("fpv-5in", "heavy-lift-hexa") for c in (*CONDITIONS, *MODULES)),
)
INPUTS: tuple[dict[str, str], ...] = (
    {"cells": "3"},
    {"cells": "6"},
    {"cells": "8", "chemistry": "liion", "capacity_mah": "18000", "rc_link": "elrs", "gps_type": "9"},
    {"cells": "4", "rc_link": "sbus", "rtl_alt_m": "12.5", "fence_alt_m": "30", "reserve_percent": "33"},
)
VERSIONS = {"4.5.6": "4.5.6", "4.7.0-dev": "4.7-dev"}

LINK_OR_MACHINE = re.compile(
    r"SERIAL.*|SYSID.*|MAV\d*_.*|SR\d_.*|BRD_.*|NET_.*|CAN_.*|SIM_.*|FRAME_.*|SERVO.*|FORMAT_VERSION|INS_.*|COMPASS_.*"
    r"|GRIP_.*|SPRAY_.*|CHUTE_.*|RELAY.*|AFS_.*|DID_.*"
)
"""What no shipped profile may touch: our own link, the frame, motor order, calibration, things carried, Remote ID."""
MAY_TOUCH = {
    "heavy-lift-": r"FRAME_CLASS|SERVO[1-8]_FUNCTION",
    "compass": r"COMPASS_(ENABLE|USE[23]?)",
    "gnss-dronecan": r"CAN_P1_DRIVER|CAN_D1_PROTOCOL",
    "bvlos": r"SYSID_ENFORCE",
}
"""Except those whose very purpose it is, by a part of their name."""


SOURCES = (
    "ArduPilot ",
    "Betaflight ",
    "INAV ",
    "PX4 ",
    "ExpressLRS ",
    "SiK ",
    "u-blox ",
    "measured on ",
    "stopping distance ",
    "lift left at ",
    "engineering choice",
)
ARDUPILOT_SOURCES = (
    "ArduPilot ",
    "measured on ArduCopter SITL",
    "stopping distance",
    "ExpressLRS documentation",
    "engineering choice",
)
"""How the name of a source may begin; what is nobody else's fact says that it is our choice."""


def stack(text: str, inputs: dict[str, str] | None = None) -> Resolved:
    return resolved_with("ardupilot", text, inputs or {"cells": "6"})


def cases() -> Iterator[tuple[str, dict[str, str]]]:
    for text in STACKS:
        for inputs in INPUTS:
            if int(inputs["cells"]) <= 8 and not set(inputs) & answered(text):
                yield text, inputs
    yield "heavy-lift+gnss-resilient", {"cells": "14", "launch_site": "moving", "gnss_mode": "79"}
    yield "fpv-7in+gnss-resilient", {"cells": "6", "pilot_in_control": "yes", "gnss_mode": "0"}


def answered(text: str) -> set[str]:
    """Inputs that a module of the stack answers itself; what is typed would replace its answer."""
    modules = {"battery-": "chemistry", "rc-": "rc_link", "gnss-d": "gps_type", "gnss-single": "gps_type"}
    return {name for part, name in modules.items() if part in text}


CASES = tuple(cases())


@cache
def listed(version: str) -> frozenset[str]:
    file = GOLDEN / f"params-copter-{VERSIONS[version]}.json"
    return frozenset(row[0] for row in json.loads(file.read_text(encoding="utf-8")))


@cache
def metadata(version: str) -> Spec:
    found = spec_for("ardupilot", "copter", version)
    assert found is not None
    assert found.exact
    return found


def on(version: str, wanted: Wanted) -> tuple[str, Scalar]:
    """Name and value of one wanted setting as they are on a firmware version."""
    renames = load_renames("ardupilot", "copter")
    assert renames is not None
    own, known = listed(version), metadata(version).settings
    if wanted.name in own or wanted.name in known:
        return wanted.name, wanted.value
    has = (own.__contains__, lambda name: name in known)
    found = (renames.translate(wanted.name, wanted.value, h) for h in has)
    return next((f for f in found if f), (wanted.name, wanted.value))


def objections(setting: SettingSpec, value: Scalar) -> list[str]:
    """Say why `value` is not valid for `setting`."""
    assert not isinstance(value, str)
    found = []
    if setting.kind is not None and setting.kind in INT_RANGES:
        low, high = INT_RANGES[setting.kind]
        number = int(value)
        stored = number & (2 ** (high - low).bit_length() - 1)
        if number != value or not low <= value <= high:
            found.append(f"{value} does not fit {setting.kind}")
        if setting.bits and any(stored >> b & 1 and b not in setting.bits for b in range(32)):
            found.append(f"{value} has bits that nobody documents")
        if setting.values and number not in setting.values:
            found.append(f"{value} is none of {sorted(setting.values)}")
    if setting.minimum is not None and value < setting.minimum:
        found.append(f"{value} is below {setting.minimum}")
    if setting.maximum is not None and value > setting.maximum:
        found.append(f"{value} is above {setting.maximum}")
    if setting.read_only or setting.volatile or setting.calibration or setting.identity:
        found.append("is not for profiles")
    return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("text", "inputs"), CASES)
def test_every_name_exists_and_every_value_is_valid(version: str, text: str, inputs: dict[str, str]) -> None:
    spec = metadata(version)
    wrong = {}
    for wanted in stack(text, inputs).settings:
        name, value = on(version, wanted)
        found = spec.settings.get(name)
        said = objections(found, value) if found is not None else ["is not known"]
        if said:
            wrong[name] = said
    assert wrong == {}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("text", STACKS)
def test_what_is_hidden_is_switched_on_by_the_same_stack(version: str, text: str) -> None:
    spec = metadata(version)
    wanted = dict(on(version, w) for w in stack(text).settings)
    for name in wanted:
        enabler = spec.settings[name].enabled_by
        if enabler:
            assert wanted.get(enabler), f"{name} waits behind {enabler}"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("text", STACKS)
def test_every_setting_is_on_the_real_vehicle_from_the_start_or_after_its_enabler(version: str, text: str) -> None:
    wanted = dict(on(version, w) for w in stack(text).settings)
    spec = metadata(version)
    hidden = {n for n in wanted if n not in listed(version)}
    assert {n for n in hidden if not wanted.get(spec.settings[n].enabled_by)} == set()


@pytest.mark.parametrize("text", STACKS)
def test_every_value_has_a_short_reason_and_a_public_source(text: str) -> None:
    for wanted in stack(text).settings:
        assert 15 <= len(wanted.because) <= 130, wanted.name
        assert wanted.source.startswith(ARDUPILOT_SOURCES), wanted.name
        assert "/" not in wanted.source.replace("v*v/(2*a)", "").replace("m/s/s", "").replace("m/s", ""), wanted.name


@pytest.mark.parametrize("entry", Library().list(), ids=lambda e: f"{e.family}-{e.name}")
def test_each_shipped_value_of_every_family_has_a_reason_and_a_source(entry: Entry) -> None:
    layer = load_layer(entry.path)
    without = [s.name for s in layer.settings if not s.because or not s.source]
    assert without == []
    for setting in layer.settings:
        assert setting.source.startswith(SOURCES), setting.name
        assert 10 <= len(setting.because) <= 130, setting.name


def test_every_number_that_a_technician_gives_has_help_and_limits() -> None:
    import ruamel.yaml

    for file in sorted((Path(__file__).parents[2] / "profiles" / "ardupilot").rglob("*.yaml")):
        content = ruamel.yaml.YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
        assert content["firmware"] in {">=4.5,<4.8", ">=4.6,<4.8"}
        assert content["names"] == "4.6"
        for name, declared in content.get("inputs", {}).items():
            assert declared["help"], (file.name, name)
            if declared["type"] in {"integer", "number"} and "choices" not in declared:
                assert {"minimum", "maximum"} <= set(declared), (file.name, name)
            # What a technician must not leave to chance has no default: a cell count, and whether a key is there.
            assert name in {"cells", "signing"} or "default" in declared, (file.name, name)


@pytest.mark.parametrize(("text", "inputs"), CASES)
def test_no_profile_weakens_safety(text: str, inputs: dict[str, str]) -> None:
    value = {w.name: w.value for w in stack(text, inputs).settings}

    def number(name: str) -> float:
        found = value[name]
        assert not isinstance(found, str)
        return found

    assert number("ARMING_CHECK") == 1
    assert number("FS_THR_ENABLE") in {1, 3, 4, 5}
    assert 910 <= number("FS_THR_VALUE") < 1100 - 10
    assert 0.5 <= number("RC_FS_TIMEOUT") <= 3
    assert int(number("RC_OPTIONS")) & 0b101 == 0  # never ignore the receiver or its failsafe bit
    assert int(number("RC_OPTIONS")) & 32
    assert 0 < number("RC_OVERRIDE_TIME") <= 3
    assert number("FS_GCS_ENABLE") in {1, 5}
    assert int(number("FS_OPTIONS")) & ~24 == 0
    assert number("FS_EKF_ACTION") in {1, 2}
    assert 0.6 <= number("FS_EKF_THRESH") <= 0.8
    assert number("FS_CRASH_CHECK") == number("FS_VIBE_ENABLE") == number("EK3_ENABLE") == 1
    assert number("FENCE_ENABLE") == 1
    assert int(number("FENCE_TYPE")) & 1  # the ceiling works without GNSS
    assert number("FENCE_ACTION") in {1, 2, 4}
    assert number("EK3_GPS_CHECK") in {-1, 31}
    assert number("EK3_GLITCH_RAD") > 0
    assert number("EK3_CHECK_SCALE") <= 100
    assert number("EK3_LOG_LEVEL") < 3
    assert number("GPS_AUTO_SWITCH") in {1, 4}
    assert number("BATT_MONITOR") > 0
    assert number("BATT_LOW_TIMER") > 0
    assert number("BATT_FS_LOW_ACT") in {1, 2, 3}
    assert number("BATT_FS_CRT_ACT") == 1
    assert 0 < number("BATT_CRT_MAH") < number("BATT_LOW_MAH") < number("BATT_CAPACITY")
    assert 0 < number("MOT_SPIN_ARM") < number("MOT_SPIN_MIN") <= 0.3


@pytest.mark.parametrize(("text", "inputs"), CASES)
def test_battery_voltages_are_in_order_for_every_pack(text: str, inputs: dict[str, str]) -> None:
    value = {w.name: w.value for w in stack(text, inputs).settings}
    cells = int(inputs["cells"])
    empty, nominal = (2.8, 3.6) if inputs.get("chemistry") == "liion" else (3.0, 3.7)
    critical, low, arm = (float(value[n]) for n in ("BATT_CRT_VOLT", "BATT_LOW_VOLT", "BATT_ARM_VOLT"))
    if "battery-liion" in text:
        empty, nominal = 2.8, 3.6
    assert empty * cells <= critical < low < nominal * cells
    assert low < arm < 4.15 * cells
    assert float(value["MOT_BAT_VOLT_MIN"]) < float(value["MOT_BAT_VOLT_MAX"])


@pytest.mark.parametrize("text", AIRFRAMES)
def test_the_way_home_stays_below_the_fence(text: str) -> None:
    value = {w.name: w.value for w in stack(text).settings}
    assert float(value["RTL_ALT"]) / 100 <= float(value["FENCE_ALT_MAX"]) - float(value["FENCE_MARGIN"])


@pytest.mark.parametrize("text", STACKS)
def test_no_profile_touches_our_link_the_machine_or_what_is_carried(text: str) -> None:
    allowed = "|".join(pattern for part, pattern in MAY_TOUCH.items() if part in text)
    names = [w.name for w in stack(text).settings if not re.fullmatch(allowed, w.name)]
    assert [n for n in names if LINK_OR_MACHINE.fullmatch(n)] == []


def test_the_first_command_of_the_readme_needs_nothing_but_the_cells() -> None:
    found = stack("heavy-lift+gnss-resilient", {"cells": "6"})
    value = {w.name: w.value for w in found.settings}
    # 6 x 3.5 V, 6 x 3.3 V, 6 x 3.95 V; INT8 all bits; the heavy class reacts early
    assert (value["BATT_LOW_VOLT"], value["BATT_CRT_VOLT"], value["BATT_ARM_VOLT"]) == (21, 19.8, 23.7)
    assert (value["EK3_GPS_CHECK"], value["FS_EKF_THRESH"], value["EK3_CHECK_SCALE"]) == (-1, 0.6, 80)
    assert (value["FS_DR_ENABLE"], value["FENCE_ACTION"], value["FS_GCS_ENABLE"]) == (1, 4, 5)


def test_one_receiver_is_enough_for_gnss_resilient() -> None:
    names = {w.name for w in stack("heavy-lift+gnss-resilient").settings}
    assert not {"GPS2_TYPE", "GPS_PRIMARY"} & names


def test_swapping_the_gnss_overlay_changes_only_what_belongs_to_it() -> None:
    one = {w.name: w.value for w in stack("heavy-lift").settings}
    two = {w.name: w.value for w in stack("heavy-lift+gnss-dual").settings}
    assert {n for n in two if one.get(n) != two[n]} == {"GPS2_TYPE", "GPS_PRIMARY", "EK3_AFFINITY"}


def test_a_profile_that_speaks_of_spoofing_claims_no_protection() -> None:
    for file in sorted((Path(__file__).parents[2] / "profiles" / "ardupilot").rglob("*.yaml")):
        text = file.read_text(encoding="utf-8").lower()
        assert "spoof-proof" not in text
        assert "protects against spoofing" not in text


def test_on_4_5_the_same_stack_uses_the_names_of_4_5() -> None:
    names = {on("4.5.6", w)[0] for w in stack("heavy-lift+gnss-resilient+gnss-dual").settings}
    assert {"GPS_TYPE", "GPS_TYPE2", "GPS_GNSS_MODE"} <= names
    assert not {"GPS1_TYPE", "GPS2_TYPE", "GPS1_GNSS_MODE"} & names


def test_on_the_released_4_7_the_same_stack_uses_metres_and_checks_to_skip() -> None:
    renames = load_renames("ardupilot", "copter")
    assert renames is not None
    released = {"RTL_ALT_M", "ARMING_SKIPCHK"}
    value = {w.name: w.value for w in stack("heavy-lift", {"cells": "6", "rtl_alt_m": "12.5"}).settings}
    assert renames.translate("RTL_ALT", value["RTL_ALT"], released.__contains__) == ("RTL_ALT_M", 12.5)
    assert renames.translate("ARMING_CHECK", value["ARMING_CHECK"], released.__contains__) == ("ARMING_SKIPCHK", 0)


def test_the_table_of_the_documentation_says_what_the_library_has() -> None:
    text = (Path(__file__).parents[2] / "docs" / "profiles.md").read_text(encoding="utf-8")
    rows = [[c.strip() for c in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    rows = [row for row in rows if len(row) == len(rows[0])]  # the page has other tables too
    families = [name.lower() for name in rows[0][1:]]
    there = {(e.family, e.name) for e in library().list()}
    said: set[tuple[str, str]] = set()
    for cells in rows[2:]:
        words = re.findall(r"`([a-z0-9-]+)`", cells[0])
        names = ["heavy-lift" + w if w.startswith("-") else w for w in words]
        said |= {(f, n) for f, yes in zip(families, cells[1:], strict=True) if yes for n in names}
    listed = {name for _, name in said}
    assert said == {(f, n) for f, n in there if f in families and n in listed}
    left = {n for f, n in there if f in families and not n.startswith("base/")} - listed
    assert left == {"gnss-dual", "flow-jamming-expected"}  # parts of other overlays
