"""The library of Betaflight, INAV and PX4: every sensible stack locks, keeps the rules, plans and applies.

Every other stack is judged against the recorded vehicle of its family, and a spread sample is applied to the simulated
one; `DRONEKIT_CFG_MATRIX=all` judges and applies every one.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path
from typing import Any

import pytest
from stacks import library, resolved_with

from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.engine.goals import goal_from_profile, require_fit, terms_from_profile
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import ApplyOptions, apply, prepare
from dronekit_cfg.formats.compose import resolve
from dronekit_cfg.formats.lock import load_lock, lock_text
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model import Resolved, Result

FPV = ("fpv-5in", "fpv-7in", "fpv-10in")
RECEIVERS = ("rc-elrs", "rc-crsf", "rc-sbus")
CONDITIONS = (
    "baseline-safe",
    "gnss-resilient",
    "gnss-resilient+link-resilient",
    "link-resilient+gnss-denied-site",
    "bench",
)
LINKS = {"betaflight": "sim:betaflight", "inav": "sim:inav", "px4": "sim:px4-copter"}
PORTS = {
    "betaflight": {"gps": "3", "rc": "2", "telemetry": "4"},
    "inav": {"gps": "3", "rc": "2", "telemetry": "4", "flow": "5"},
    "px4": {"gps": "gps1", "gps2": "gps2", "rc": "telem3", "telemetry": "telem1"},
}
NEEDS_PORT = {"gnss-single-ublox": ("gps",), "gnss-dual-ublox": ("gps", "gps2"), "flow-rangefinder": ("flow",)}
LACKING = {"feature.RX_SERIAL", "feature.TELEMETRY"}
"""What the recorded Betaflight build lacks: `feature` says so (golden data of 2026.12)."""

WAIVED = {("px4", True): ["PX4-R35"]}
"""Waivers that an overlay itself carries, with its reason."""


def joined(*choices: tuple[str, ...]) -> tuple[str, ...]:
    return tuple("+".join(part for part in parts if part) for parts in itertools.product(*choices))


STACKS = {
    "betaflight": (
        *joined(FPV, ("gnss-single-ublox",), RECEIVERS, ("battery-lipo",), CONDITIONS),
        *joined(FPV, ("gnss-single-ublox+rc-elrs+telemetry-sik",), ("compass-external", "compassless"), CONDITIONS[:2]),
        *joined(FPV, ("rc-elrs+battery-liion",), CONDITIONS[2:]),
    ),
    "inav": (
        *joined(FPV, ("gnss-single-ublox",), RECEIVERS, ("battery-lipo",), CONDITIONS[:4]),
        *joined(FPV, ("gnss-single-ublox+rc-elrs+telemetry-sik",), ("compass-external", "compassless"), CONDITIONS[:2]),
        *joined(FPV, ("rc-crsf+flow-rangefinder+battery-liion",), CONDITIONS[1:4]),
    ),
    "px4": (
        *joined(
            (*FPV, "heavy-lift", "heavy-lift-quad"),
            ("gnss-single-ublox", "gnss-dual-ublox", "gnss-dronecan"),
            ("rc-elrs+telemetry-sik+battery-lipo", "rc-sbus+telemetry-elrs-mavlink+battery-liion"),
            (*CONDITIONS, "bvlos"),
        ),
        *joined((*FPV, "heavy-lift"), ("rc-crsf+compass-external+flow-rangefinder",), CONDITIONS),
        # without a compass, heading needs GNSS: nothing for a site without it
        *joined((*FPV, "heavy-lift"), ("rc-crsf+compassless",), CONDITIONS[:3]),
    ),
}


def inputs_for(family: str, stack: str) -> dict[str, str]:
    """What a technician would type."""
    parts = stack.split("+")
    roles = {role for part in parts for role in NEEDS_PORT.get(part, ())} | {"rc"}
    roles |= {"telemetry"} if any(p.startswith("telemetry-") for p in parts) else set()
    ports = PORTS[family]
    return {"cells": "6", **{f"port_{role}": ports[role] for role in sorted(roles) if role in ports}}


def resolved(family: str, stack: str) -> Resolved:
    return resolved_with(family, stack, inputs_for(family, stack))


def at(family: str, state: StateDir) -> Any:
    return connect(LinkOptions(f"{LINKS[family]}?fresh", state_dir=state.root), clock=VirtualClock())


@pytest.mark.parametrize("family", STACKS)
def test_every_stack_locks_keeps_the_rules_and_plans_cleanly(family: str, tmp_path: Path) -> None:
    """Findings of severity info say what a choice means; a feature that the recorded build lacks is a warning."""
    state = StateDir(tmp_path / "state")
    assert len(set(STACKS[family])) == len(STACKS[family]) >= 50
    with at(family, state) as connection:
        first = connection.snapshot()
        found: dict[str, Any] = {}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(connection, "snapshot", lambda: first)
            for stack in STACKS[family]:
                wish = resolved(family, stack)
                assert all(w.because and w.source for w in wish.settings), stack
                assert load_lock(lock_text(wish), "x.lock.json").digest == wish.digest, stack
                assert wish.notes == (), stack
                assert [w.rule for w in wish.waivers] == WAIVED.get((family, "compassless" in stack), []), stack
                require_fit(wish, connection.identity)
                plan = prepare(connection, goal_from_profile(wish), state, terms_from_profile(wish)).plan
                found[stack] = [
                    (f.id, f.name, f.message)
                    for f in plan.findings
                    if f.severity != "info" and not (f.id == "LEFT-READONLY" and f.name in LACKING)
                ]
                assert set(plan.skipped) <= (LACKING if family == "betaflight" else set()), stack
    assert {s: f for s, f in found.items() if f} == {}


def sample(family: str) -> tuple[str, ...]:
    return STACKS[family] if os.environ.get("DRONEKIT_CFG_MATRIX") == "all" else STACKS[family][3::37]


@pytest.mark.parametrize(("family", "stack"), [(f, s) for f in STACKS for s in sample(f)])
def test_a_stack_is_applied_and_read_back_as_it_was_asked_for(family: str, stack: str, tmp_path: Path) -> None:
    state = StateDir(tmp_path / "state")
    wish = resolved(family, stack)
    accept = ("LEFT-READONLY",) if family == "betaflight" else ()
    options = ApplyOptions(terms=terms_from_profile(wish, accept=accept))
    with at(family, state) as connection:
        receipt = apply(connection, goal_from_profile(wish), state, options)
        assert (receipt.result, receipt.problems) == (Result.DONE, ())
        found = connection.values([w.name for w in wish.settings])
        again = apply(connection, goal_from_profile(wish), state, options)
    lacking = {w.name for w in wish.settings if not w.optional and family == "betaflight"} & LACKING
    assert {left.name for left in receipt.left_out} == {left.name for left in again.left_out} == lacking
    on_vehicle = {n: v for n, v in found.items() if v is not None and n not in LACKING}
    assert len(on_vehicle) >= 15
    for wanted in wish.settings:
        if wanted.name in on_vehicle:
            value = on_vehicle[wanted.name]
            same = str(value) == str(wanted.value) or float(str(value)) == pytest.approx(float(wanted.value), rel=1e-6)
            assert same, wanted.name
    assert (again.result, again.changed) == (Result.UNCHANGED, False)


@pytest.mark.parametrize(
    "name", ["fpv-7in+gnss-single-ublox+rc-elrs+battery-lipo+gnss-resilient", "fpv-10in+rc-sbus+battery-liion"]
)
def test_one_name_serves_every_family_that_has_its_parts(name: str) -> None:
    for family in ("ardupilot", *STACKS):
        ports = PORTS.get(family, {"gps": "3", "rc": "2"})
        given = {f"port_{r}": ports[r] for r in ("gps", "rc") if r == "rc" or "gnss-single-ublox" in name}
        found = resolve(name, library(), family=family, inputs={"cells": "6", "capacity_mah": "5000", **given})
        assert (found.family, found.vehicle) == (family, "copter")
        assert f"/{family}/" in found.settings[0].origin.file.replace("\\", "/")


@pytest.mark.parametrize("name", ["heavy-lift", "heavy-lift-hexa"])
def test_heavy_airframes_serve_ardupilot_and_px4(name: str) -> None:
    stack = f"{name}+gnss-dual-ublox+gnss-resilient"
    for family, ports in (("ardupilot", ("3", "4")), ("px4", ("gps1", "gps2"))):
        given = {"cells": "6", "port_gps": ports[0], "port_gps2": ports[1]}
        assert resolve(stack, library(), family=family, inputs=given).family == family


def test_a_hexa_profile_is_refused_on_a_vehicle_whose_geometry_has_four_motors(tmp_path: Path) -> None:
    state = StateDir(tmp_path / "state")
    with at("px4", state) as connection:
        for name, errors in (("heavy-lift-quad", []), ("heavy-lift-hexa", ["PX4-R59c"])):
            wish = resolve(name, library(), family="px4", inputs={"cells": "6"})
            plan = prepare(connection, goal_from_profile(wish), state, terms_from_profile(wish)).plan
            assert [f.id for f in plan.errors] == errors


def weakened(family: str, name: str, value: object) -> bool:
    """Whether a value would switch off arming checks, fences, failsafes or Remote ID."""
    number = float(value) if isinstance(value, int | float) else None
    forbidden = {"px4": ("CBRK_", "COM_ARM_ODID", "COM_ARM_CHK", "SYS_FAILURE", "COM_PREARM", "COM_ARMABLE")}
    if name.startswith(forbidden.get(family, ("vtx_", "dshot_burst"))):
        return True
    allowed: dict[str, dict[str, tuple[object, ...]]] = {
        "px4": {
            "NAV_RCL_ACT": (2, 3),
            "NAV_DLL_ACT": (2, 3),
            "GF_ACTION": (2, 3, 5),
            "COM_LOW_BAT_ACT": (2, 3),
            "COM_RCL_EXCEPT": (0,),
            "COM_ARM_WO_GPS": (0, 1),
        },
        "betaflight": {
            "failsafe_procedure": ("DROP", "AUTO-LAND"),
            "failsafe_switch_mode": ("STAGE1",),
            "gps_rescue_sanity_checks": ("RESCUE_SANITY_ON", "RESCUE_SANITY_FS_ONLY"),
            "gps_rescue_allow_arming_without_fix": ("OFF",),
        },
        "inav": {
            "failsafe_procedure": ("LAND", "RTH"),
            "nav_extra_arming_safety": ("ON",),
            "failsafe_mission_delay": (0,),
        },
    }
    if name in allowed[family]:
        return value not in allowed[family][name]
    positive = {"GF_MAX_HOR_DIST", "GF_MAX_VER_DIST", "EKF2_GPS_CHECK", "COM_POS_FS_EPH", "nav_position_timeout"}
    return name in positive | {"nav_max_altitude", "small_angle"} and not (number is not None and number > 0)


@pytest.mark.parametrize("family", STACKS)
def test_no_stack_weakens_what_law_or_flight_safety_requires(family: str) -> None:
    found = {
        (stack, w.name, w.value)
        for stack in STACKS[family]
        for w in resolved(family, stack).settings
        if weakened(family, w.name, w.value)
    }
    assert found == set()
    assert weakened("px4", "CBRK_SUPPLY_CHK", 894281)
    assert weakened("betaflight", "failsafe_switch_mode", "KILL")
    assert weakened("inav", "nav_position_timeout", 0)
