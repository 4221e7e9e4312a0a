"""Dumps of real ArduCopter simulators: no false finding on them, and dangerous edits are each found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.catalog.renames import Renames
from dronekit_cfg.model import Finding, Origin, Scalar, Value
from dronekit_cfg.rules.check import check, findings
from dronekit_cfg.rules.names import check_names
from dronekit_cfg.rules.rule import Rule
from dronekit_cfg.rules.values import check_values

Dump = Any

GOLDEN = Path(__file__).parents[2] / "golden"

# The simulator as it starts really has these: no battery action, arming at any voltage, dead reckoning without drag
# coefficients, two ports for one receiver. Its SIM_ settings are no finding, though many are outside their own ranges.
TRUE_FINDINGS = {
    ("AP-R52", "error"),
    ("AP-R56", "warning"),
    ("AP-R16", "info"),
    ("AP-R61b", "info"),
}


def everything(
    rules: tuple[Rule, ...],
    dump: Dump,
    renames: Renames,
    settings: Mapping[str, Value | Scalar],
    *,
    flags: tuple[str, ...] = (),
    inputs: Mapping[str, Scalar] | None = None,
    version: str = "",
    origins: Mapping[str, Origin] | None = None,
) -> tuple[Finding, ...]:
    results = check(
        rules,
        settings,
        family="ardupilot",
        vehicle="copter",
        version=version or dump.version,
        spec=dump.spec,
        inputs=inputs or {},
        flags=flags,
        renames=renames,
    )
    return (
        *findings(results, origins),
        *check_values(settings, dump.spec, defaults=dump.defaults, renames=renames, origins=origins),
        *check_names(settings, dump.spec, renames=renames, origins=origins),
    )


@pytest.mark.parametrize("which", ["copter45", "copter47"])
def test_a_full_dump_of_the_real_simulator_has_true_findings_only(
    which: str, rules: tuple[Rule, ...], renames: Renames, request: pytest.FixtureRequest
) -> None:
    dump = request.getfixturevalue(which)
    found = everything(rules, dump, renames, dump.settings)
    assert {(f.id, f.severity) for f in found} == TRUE_FINDINGS
    without_defaults = check_values(dump.settings, dump.spec, renames=renames)
    assert without_defaults == (), "a file tells no defaults, and needs none to be judged"
    assert all(f.remedy for f in found)


@pytest.mark.parametrize("which", ["copter45", "copter47"])
@pytest.mark.parametrize("flags", [("vlos",), ("bvlos",), ("auto",), ("denied",), ("bvlos", "auto", "denied")])
def test_every_finding_on_a_dump_under_any_flags_names_settings_of_that_dump(
    which: str, flags: tuple[str, ...], rules: tuple[Rule, ...], renames: Renames, request: pytest.FixtureRequest
) -> None:
    dump = request.getfixturevalue(which)
    for finding in everything(rules, dump, renames, dump.settings, flags=flags, inputs={"cells": 3}):
        assert finding.name in dump.settings, finding


@pytest.mark.parametrize(
    ("family", "file", "version", "true_findings"),
    [
        ("betaflight", "betaflight/settings-4.6.0.json", "4.6.0", set()),
        ("betaflight", "betaflight/settings-2026.12.0-alpha.json", "2026.12.0a0", set()),
        ("inav", "inav/settings-9.0.0.json", "9.0.0", {"INAV-R40"}),  # INAV's default lets a stick command bypass
        ("px4", "px4/params-sih-quad-2024-10.json", "1.16.0.dev0", set()),
    ],
)
def test_a_dump_of_another_family_has_true_findings_only(
    family: str, file: str, version: str, true_findings: set[str], rules: tuple[Rule, ...]
) -> None:
    data = json.loads((GOLDEN / file).read_text())
    settings = data if isinstance(data, dict) else {row[0]: row[2] for row in data}
    results = check(rules, settings, family=family, version=version)
    assert {f.id for f in findings(results)} == true_findings
    assert len(results) >= 6


@pytest.mark.parametrize(
    ("partial", "rule_id"),
    [
        ({"FRAME_CLASS": 2, "SERVO9_FUNCTION": 28}, "AP-R59b"),
        ({"GPS1_TYPE": 2, "GPS2_TYPE": 2, "SERIAL2_PROTOCOL": 23}, "AP-R61"),
        ({"GPS1_TYPE": 9, "GPS2_TYPE": 0}, "AP-R34"),
        ({"FENCE_ENABLE": 1, "FENCE_TYPE": 7, "GPS1_TYPE": 2, "EK3_SRC2_POSXY": 0}, "AP-R42"),
        ({"EK3_SRC2_VELXY": 5, "RNGFND1_TYPE": 16}, "AP-R22"),
    ],
)
def test_a_profile_that_leaves_the_rest_to_the_vehicle_is_not_accused_of_what_it_does_not_say(
    partial: dict[str, Scalar], rule_id: str, rules: tuple[Rule, ...]
) -> None:
    results = check(rules, partial, family="ardupilot", vehicle="copter", version="4.6")
    assert rule_id not in {f.id for f in findings(results)}


def test_old_and_new_names_are_judged_alike(
    rules: tuple[Rule, ...], renames: Renames, copter45: Dump, copter47: Dump
) -> None:
    for dump, gps, fence_and_return in (
        (copter45, "GPS_TYPE", {"FENCE_ENABLE": 1, "FENCE_ALT_MAX": 50, "RTL_ALT": 6000}),
        (copter47, "GPS1_TYPE", {"FENCE_ENABLE": 1, "FENCE_ALT_MAX": 50, "RTL_ALT": 6000}),
    ):
        ids = {f.id for f in everything(rules, dump, renames, {**dump.settings, gps: 0, **fence_and_return})}
        assert {"AP-R24", "AP-R47", "AP-R42"} <= ids


LINKS: dict[str, Scalar] = {
    "link": "sik",
    "gcs_sysid": 250,
    "radio_baud": 460,
    "independent_links": 2,
    "hardware": True,
    "mcu": "H7",
}

# (edit, rule that must report it, flags, inputs, firmware when another one than the dump's)
DANGEROUS: list[tuple[dict[str, Scalar], str, str, dict[str, Scalar], str]] = [
    ({"FS_THR_ENABLE": 0}, "AP-R01", "", {}, ""),
    ({"FS_THR_ENABLE": 2}, "AP-R02", "", {}, ""),
    ({"FS_GCS_ENABLE": 2}, "AP-R02", "", {}, ""),
    ({"FS_THR_VALUE": 995}, "AP-R03", "", {}, ""),
    ({"FS_THR_VALUE": 900}, "AP-R03", "", {}, ""),
    ({"FS_THR_ENABLE": 4}, "AP-R04", "denied", {}, ""),
    ({"RC_OPTIONS": 33}, "AP-R05", "", {}, ""),
    ({"RC_OPTIONS": 36}, "AP-R05", "", {}, ""),
    ({"RC_FS_TIMEOUT": 9.5}, "AP-R06", "", {}, ""),
    ({"RC_FS_TIMEOUT": 0.2}, "AP-R06", "", {}, ""),
    ({"RC_OVERRIDE_TIME": -1}, "AP-R07", "", {}, ""),
    ({"FS_OPTIONS": 17}, "AP-R08", "denied", {}, ""),
    ({"FS_OPTIONS": 20}, "AP-R08b", "", {}, ""),
    ({"FS_GCS_ENABLE": 0}, "AP-R09", "auto", {}, ""),
    ({"FS_GCS_ENABLE": 1, "FS_OPTIONS": 16}, "AP-R10", "bvlos", {}, ""),
    ({"FS_GCS_ENABLE": 1}, "AP-R11", "", LINKS, ""),
    ({"FS_GCS_ENABLE": 1, "FS_GCS_TIMEOUT": 2}, "AP-R12", "", LINKS, ""),
    ({"FS_EKF_THRESH": 0}, "AP-R13", "", {}, ""),
    ({"FS_EKF_ACTION": 0}, "AP-R14", "", {}, ""),
    ({"FS_EKF_ACTION": 2}, "AP-R15", "vlos", {}, ""),
    ({"EK3_DRAG_BCOEF_X": 9.5}, "AP-R17", "", {}, ""),
    ({"EK3_OPTIONS": 1}, "AP-R18", "", {}, ""),
    ({"EK3_OPTIONS": 2}, "AP-R19", "", {}, ""),
    ({"FLOW_TYPE": 6}, "AP-R20", "", {}, ""),
    ({"EK3_SRC2_VELXY": 5}, "AP-R21", "", {}, ""),
    ({"EK3_SRC2_VELXY": 5, "FLOW_TYPE": 6}, "AP-R22", "", {}, ""),
    ({"EK3_SRC2_POSXY": 6}, "AP-R23", "", {}, ""),
    ({"GPS1_TYPE": 0}, "AP-R24", "", {}, ""),
    ({"EK3_SRC_OPTIONS": 1, "EK3_SRC2_VELXY": 5, "FLOW_TYPE": 6}, "AP-R25", "", {}, ""),
    ({"EK3_GLITCH_RAD": 0}, "AP-R27", "denied", {}, ""),
    ({"EK3_GPS_CHECK": 255}, "AP-R28", "", {}, ""),
    ({"EK3_GPS_CHECK": 0}, "AP-R28", "", {}, ""),
    ({"EK3_CHECK_SCALE": 200}, "AP-R29", "", {}, ""),
    ({"GPS2_TYPE": 2, "GPS_AUTO_SWITCH": 0}, "AP-R30", "", {}, ""),
    ({"GPS_AUTO_SWITCH": 2}, "AP-R31", "", {}, ""),
    ({"GPS2_TYPE": 2}, "AP-R32", "denied", {}, ""),
    ({"GPS1_GNSS_MODE": 1}, "AP-R33", "", {}, ""),
    ({"GPS1_TYPE": 9}, "AP-R34", "", {}, ""),
    ({"COMPASS_ENABLE": 0}, "AP-R35", "", {}, ""),
    ({"COMPASS_USE": 0, "COMPASS_USE2": 0, "COMPASS_USE3": 0, "EK3_GSF_USE_MASK": 0}, "AP-R35", "", {}, ""),
    ({"EK3_SRC1_YAW": 8}, "AP-R36", "denied", {}, ""),
    ({"COMPASS_ENABLE": 0, "EK3_SRC1_YAW": 8, "EK3_GSF_USE_MASK": 1}, "AP-R37", "", {}, ""),
    ({"EK3_MAG_CAL": 6}, "AP-R38", "", {}, ""),
    ({"AHRS_EKF_TYPE": 0}, "AP-R39", "", {}, ""),
    ({"EK3_ENABLE": 0}, "AP-R39", "", {}, ""),
    ({"ARMING_CHECK": 0}, "AP-R40", "", {}, ""),
    ({"ARMING_CHECK": 65534}, "AP-R40b", "", {}, ""),
    ({"ARMING_SKIPCHK": 0}, "AP-R41", "", {}, ""),
    ({"FENCE_ENABLE": 1, "GPS1_TYPE": 0}, "AP-R42", "", {}, ""),
    ({"FENCE_ENABLE": 1, "FENCE_ACTION": 3}, "AP-R43", "denied", {}, ""),
    ({"FENCE_ENABLE": 1, "FENCE_ACTION": 0}, "AP-R44", "", {}, ""),
    ({"FENCE_AUTOENABLE": 2}, "AP-R45", "", {}, ""),
    ({"FENCE_ENABLE": 1, "FENCE_RADIUS": 1}, "AP-R46", "", {}, ""),
    ({"FENCE_ENABLE": 1, "FENCE_TYPE": 9, "FENCE_ALT_MIN": 97}, "AP-R46", "", {}, ""),
    ({"FENCE_ENABLE": 1, "RTL_ALT": 12000}, "AP-R47", "", {}, ""),
    ({"BATT_MONITOR": 0}, "AP-R48", "", {}, ""),
    ({"BATT_MONITOR": 0}, "AP-R48b", "", {"heavy_lift": True}, ""),
    ({"BATT_LOW_VOLT": 0}, "AP-R49", "", {}, ""),
    ({"BATT_LOW_VOLT": 21, "BATT_CRT_VOLT": 22}, "AP-R50", "", {"cells": 6}, ""),
    ({"BATT_LOW_VOLT": 22.2, "BATT_CRT_VOLT": 19.8}, "AP-R50", "", {"cells": 6}, ""),
    ({"BATT_LOW_VOLT": 10.5}, "AP-R51", "", {"cells": 6}, ""),
    ({"BATT_FS_LOW_ACT": 2, "BATT_FS_CRT_ACT": 7}, "AP-R53", "", {}, ""),
    ({"BATT_FS_LOW_ACT": 1, "BATT_FS_CRT_ACT": 2, "BATT_CRT_VOLT": 9.9}, "AP-R53", "", {}, ""),
    ({"BATT_FS_CRT_ACT": 5}, "AP-R54", "", {}, ""),
    ({"BATT_LOW_TIMER": 0}, "AP-R55", "", {}, ""),
    ({"BATT_FS_LOW_ACT": 2}, "AP-R57", "denied", {}, ""),
    ({"MOT_SPIN_ARM": 0.2}, "AP-R58", "", {}, ""),
    ({"MOT_SPIN_MIN": 0.4}, "AP-R58", "", {}, ""),
    ({"FRAME_CLASS": 0}, "AP-R59", "", {}, ""),
    ({"FRAME_CLASS": 2}, "AP-R59b", "", {}, ""),
    ({"SERVO4_FUNCTION": 0}, "AP-R59b", "", {}, ""),
    ({"SERIAL1_PROTOCOL": 23, "SERIAL2_PROTOCOL": 23}, "AP-R60", "", {}, ""),
    ({"GPS2_TYPE": 2, "SERIAL4_PROTOCOL": -1}, "AP-R61", "", {}, ""),
    ({"SERIAL5_PROTOCOL": 18, "SERIAL6_PROTOCOL": 18}, "AP-R61c", "", {}, ""),
    ({"SERIAL1_BAUD": 921}, "AP-R62", "", LINKS, ""),
    ({"SERIAL2_PROTOCOL": 1}, "AP-R63", "", {}, ""),
    ({"MAV_OPTIONS": 0}, "AP-R64", "bvlos", {}, ""),
    ({"SERIAL_PASS2": 3}, "AP-R65", "", {}, ""),
    ({"LOG_BACKEND_TYPE": 0}, "AP-R66", "", {}, ""),
    ({"EK3_LOG_LEVEL": 3}, "AP-R66", "", {}, ""),
    ({"LOG_REPLAY": 1}, "AP-R67", "", {}, ""),
    ({"INS_USE2": 0, "INS_USE3": 0}, "AP-R68", "", {}, ""),
    ({"INS_USE": 0}, "AP-R68", "", {}, ""),
    ({"BRD_OPTIONS": 0}, "AP-R69", "", LINKS, ""),
    ({"SERIAL5_PROTOCOL": 23}, "AP-R70", "", {}, "4.5.0"),
    ({"RTL_ALT_M": 1500}, "AP-R73", "", {}, ""),
    ({"SIM_SPEEDUP": 1}, "AP-R74", "", LINKS, ""),
    ({"RSSI_TYPE": 5, "SERIAL2_PROTOCOL": -1}, "AP-R85", "", LINKS, ""),
    ({"DID_ENABLE": 0}, "AP-R87", "", {"remote_id_required": True}, ""),
    ({"FENCE_ENABLE": 0}, "AP-R87b", "", {"fence_required": True}, ""),
    ({"FS_EKF_THRESH": float("nan")}, "VALUE-NAN", "", {}, ""),
    ({"FS_OPTIONS": 16.5}, "VALUE-STORAGE", "", {}, ""),
    ({"FS_THR_ENABLE": 300}, "VALUE-STORAGE", "", {}, ""),
    ({"FS_THR_ENABLE": 9}, "VALUE-ENUM", "", {}, ""),
    ({"FENCE_TYPE": 71}, "VALUE-BITS", "", {}, ""),
    ({"ATC_RAT_RLL_P": 12}, "VALUE-RANGE", "", {}, ""),
    ({"RTL_ALT": 15}, "VALUE-UNIT", "", {}, ""),
    ({"ANGLE_MAX": 45}, "VALUE-UNIT", "", {}, ""),
    ({"COMPASS_DEV_ID": 16777217}, "VALUE-PRECISION", "", {}, ""),
    ({"GPS_TYPE": 2}, "NAME-GENERATION", "", {}, ""),
    ({"SYSID_MYGCS": 250}, "NAME-BOTH", "", {}, ""),
    ({"FS_THR_ENABEL": 1}, "NAME-UNKNOWN", "", {}, ""),
    ({"fs_thr_enable": 1}, "NAME-UNKNOWN", "", {}, ""),
    ({"FS_EKF_ACTION": "land"}, "VALUE-TYPE", "", {}, ""),
]


@pytest.mark.parametrize(
    ("edit", "wanted", "flags", "inputs", "version"),
    [pytest.param(*row, id=f"{row[1]} {', '.join(f'{k}={v}' for k, v in row[0].items())}") for row in DANGEROUS],
)
def test_a_dangerous_edit_of_the_dump_is_reported_with_its_rule_and_a_remedy(
    edit: dict[str, Scalar],
    wanted: str,
    flags: str,
    inputs: dict[str, Scalar],
    version: str,
    rules: tuple[Rule, ...],
    renames: Renames,
    copter47: Dump,
) -> None:
    given = (flags,) if flags else ()
    settings = {**copter47.settings, **edit}
    origins = {name: Origin("unit", "unit.yaml", line, 3) for line, name in enumerate(edit, 7)}
    found = everything(rules, copter47, renames, settings, flags=given, inputs=inputs, version=version, origins=origins)
    hits = [f for f in found if f.id == wanted]
    assert hits, [f.id for f in found]
    assert all(f.remedy and f.message for f in hits)
    assert {f.origin.file for f in hits if f.origin} == {"unit.yaml"}, "it must point to the line of the edit"
    assert hits[0].name in edit


def test_the_table_of_dangerous_edits_holds_at_least_sixty_edits_of_as_many_kinds() -> None:
    assert len(DANGEROUS) >= 100
    assert len({wanted for _, wanted, *_ in DANGEROUS}) >= 60


def test_without_its_edit_the_dump_does_not_break_the_rule(
    rules: tuple[Rule, ...], renames: Renames, copter47: Dump
) -> None:
    """Proves that the edits above are what the rules react to, wherever neither a flag nor an input is involved."""
    clean = {f.id for f in everything(rules, copter47, renames, copter47.settings)}
    plain = {wanted for _, wanted, flags, inputs, version in DANGEROUS if not flags and not inputs and not version}
    assert clean & plain == set()
