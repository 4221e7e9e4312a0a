"""The recorded PX4 dump has no false finding, and mistakes planted in it are each reported with rule and remedy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from dronekit_cfg.catalog.renames import Renames, load_renames
from dronekit_cfg.catalog.store import spec_for
from dronekit_cfg.model import Finding, Kind, Origin, Scalar, Spec, Value
from dronekit_cfg.rules.check import check, findings
from dronekit_cfg.rules.names import check_names
from dronekit_cfg.rules.rule import Rule
from dronekit_cfg.rules.values import check_values

DUMP = Path(__file__).parents[2] / "golden" / "px4" / "params-sih-quad-2024-10.json"


@pytest.fixture(scope="module")
def recorded() -> dict[str, Value]:
    return {name: Value(Kind(kind), value) for name, kind, value in json.loads(DUMP.read_text())}


@pytest.fixture(scope="module")
def px4() -> Spec:
    found = spec_for("px4", "", "1.16.0-dev")
    assert found is not None
    assert found.exact
    return found


@pytest.fixture(scope="module")
def px4_renames() -> Renames:
    found = load_renames("px4", "")
    assert found is not None
    return found


def everything(
    settings: Mapping[str, Value | Scalar],
    rules: tuple[Rule, ...],
    spec: Spec,
    renames: Renames,
    *,
    flags: tuple[str, ...] = (),
    inputs: Mapping[str, Scalar] | None = None,
    origins: Mapping[str, Origin] | None = None,
) -> tuple[Finding, ...]:
    results = check(
        rules, settings, family="px4", version=spec.version, spec=spec, inputs=inputs, flags=flags, renames=renames
    )
    return (
        *findings(results, origins),
        *check_values(settings, spec, renames=renames, origins=origins),
        *check_names(settings, spec, renames=renames, origins=origins),
    )


def test_the_recorded_dump_has_no_finding(
    recorded: dict[str, Value], rules: tuple[Rule, ...], px4: Spec, px4_renames: Renames
) -> None:
    assert len(recorded) == 889
    assert everything(recorded, rules, px4, px4_renames) == ()


REAL: dict[str, Scalar] = {"hardware": True}

# (mistake, rule that must report it, flag, inputs, a word of the remedy)
MISTAKES: list[tuple[dict[str, Scalar], str, str, dict[str, Scalar], str]] = [
    ({"COM_LOW_BAT_ACT": 0}, "PX4-R82b", "", {}, "COM_LOW_BAT_ACT to 3"),
    ({"NAV_DLL_ACT": 0}, "PX4-R82", "bvlos", {}, "NAV_DLL_ACT to 2"),
    ({"COM_RCL_EXCEPT": 1}, "PX4-R82c", "", {}, "COM_RCL_EXCEPT to 0"),
    ({"COM_POS_FS_EPH": -1.0}, "PX4-R83", "", {}, "COM_POS_FS_EPH to 5"),
    ({"EKF2_NOAID_TOUT": 60000000}, "PX4-R83b", "", {}, "5000000"),
    ({"EKF2_GPS_CHECK": 0}, "PX4-R28", "", {}, "1023"),
    ({"COM_ARM_WO_GPS": 2}, "PX4-R40", "auto", {}, "COM_ARM_WO_GPS to 0"),
    ({"GF_ACTION": 1, "GF_MAX_HOR_DIST": 500.0}, "PX4-R44", "", {}, "GF_ACTION to 2"),
    ({"GF_ACTION": 4}, "PX4-R54", "", {}, "return, land or hold"),
    ({"NAV_RCL_ACT": 6}, "PX4-R54", "", {}, "return, land or hold"),
    ({"COM_RC_LOSS_T": 20.0}, "PX4-R06", "", {}, "0.5"),
    ({"COM_RC_IN_MODE": 4}, "PX4-R09", "", {}, "NAV_DLL_ACT"),
    ({"EKF2_GPS_CTRL": 0}, "PX4-R24", "auto", {}, "EKF2_GPS_CTRL to 7"),
    ({"EKF2_REQ_NSATS": 4}, "PX4-R29", "", {}, "EKF2_REQ_NSATS to 6"),
    ({"EKF2_REQ_EPH": 50.0}, "PX4-R29", "", {}, "EKF2_REQ_EPH to 3"),
    ({"EKF2_MAG_TYPE": 5}, "PX4-R35", "", {}, "EKF2_MAG_TYPE 0"),
    ({"GF_MAX_VER_DIST": 25.0}, "PX4-R47", "", {}, "RTL_RETURN_ALT"),
    ({"BAT1_SOURCE": -1}, "PX4-R48", "", {}, "BAT1_SOURCE"),
    ({"BAT1_N_CELLS": 0}, "PX4-R49", "", {}, "BAT1_N_CELLS"),
    ({"BAT_CRIT_THR": 0.2}, "PX4-R50", "", {}, "low above critical"),
    ({"PWM_MAIN_FUNC4": 0}, "PX4-R59", "", {}, "one output function"),
    ({"PWM_MAIN_FUNC5": 101}, "PX4-R59", "", {}, "one output function"),
    ({"MAV_PROTO_VER": 1}, "PX4-R63", "", {}, "MAV_PROTO_VER to 2"),
    ({"SDLOG_MODE": -1}, "PX4-R66", "", {}, "SDLOG_MODE to 0"),
    ({"COM_CPU_MAX": -1.0}, "PX4-R69", "", REAL, "COM_CPU_MAX to 95"),
    ({"SYS_FAILURE_EN": 1}, "PX4-R74", "", REAL, "where the file came from"),
    ({"SENS_EN_GPSSIM": 1}, "PX4-R74b", "", REAL, "all three to 0"),
    ({"COM_ARM_ODID": 0}, "PX4-R87", "", {"remote_id_required": True}, "COM_ARM_ODID to 2"),
    ({"CBRK_SUPPLY_CHK": 894281}, "PX4-R87b", "", REAL, "CBRK_SUPPLY_CHK to 0"),
    ({"NAV_RCL_ACT": 4}, "VALUE-ENUM", "", {}, "listed choices"),
    ({"EKF2_HGT_REF": 9}, "VALUE-ENUM", "", {}, "listed choices"),
    ({"MC_ROLLRATE_P": 5.0}, "VALUE-RANGE", "", {}, "inside the range"),
    ({"MPC_TILTMAX_AIR": 120.0}, "VALUE-RANGE", "", {}, "inside the range"),
    ({"COM_RC_LOSS_T": float("nan")}, "VALUE-NAN", "", {}, "number"),
    ({"EKF2_GPS_CTRL": 23}, "VALUE-BITS", "", {}, "it is 7"),
    ({"COM_RCL_EXCEPT": 0.5}, "VALUE-STORAGE", "", {}, "whole number"),
    ({"NAV_DLL_ACT": "return"}, "VALUE-TYPE", "", {}, "right kind"),
    ({"COM_LOWBAT_ACT": 3}, "NAME-UNKNOWN", "", {}, "COM_LOW_BAT_ACT"),
    ({"com_low_bat_act": 3}, "NAME-UNKNOWN", "", {}, "COM_LOW_BAT_ACT"),
    ({"CBRK_AIRSPD_CHK": 162128}, "NAME-GENERATION", "", {}, "SYS_HAS_NUM_ASPD = 0"),
]


@pytest.mark.parametrize(
    ("edit", "wanted", "flag", "inputs", "remedy"),
    [pytest.param(*row, id=f"{row[1]} {', '.join(f'{k}={v}' for k, v in row[0].items())}") for row in MISTAKES],
)
def test_a_planted_mistake_is_reported_with_its_rule_and_remedy(
    edit: dict[str, Scalar],
    wanted: str,
    flag: str,
    inputs: dict[str, Scalar],
    remedy: str,
    recorded: dict[str, Value],
    rules: tuple[Rule, ...],
    px4: Spec,
    px4_renames: Renames,
) -> None:
    origins = {name: Origin("unit", "unit.params", line) for line, name in enumerate(edit, 7)}
    flags = (flag,) if flag else ()
    settings = {**recorded, **edit}
    found = everything(settings, rules, px4, px4_renames, flags=flags, inputs=inputs, origins=origins)
    hits = [f for f in found if f.id == wanted]
    assert hits, [f.id for f in found]
    assert hits[0].name in edit
    assert remedy in hits[0].remedy
    assert {f.origin.file for f in hits if f.origin} == {"unit.params"}


def test_at_least_twenty_kinds_of_mistakes_are_planted() -> None:
    assert len({wanted for _, wanted, *_ in MISTAKES}) >= 20
