"""Every airframe with every sensible choice of modules and conditions: it locks, keeps the rules, plans and applies.

Two hundred and more stacks are judged offline for two recorded vehicles and three metadata versions. A spread sample is
applied to the simulated vehicle; `DRONEKIT_CFG_MATRIX=all` applies every one, `DRONEKIT_CFG_MATRIX_LINK=URL` does so on
another link (a real simulator).
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from stacks import library, resolved_with

from dronekit_cfg.catalog.renames import load_renames
from dronekit_cfg.catalog.store import spec_for
from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.engine.generations import generation_of
from dronekit_cfg.engine.goals import goal_from_profile, require_fit
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import apply, prepare
from dronekit_cfg.formats.compose import resolve
from dronekit_cfg.formats.lock import load_lock, lock_text
from dronekit_cfg.formats.new_profile import new_profile
from dronekit_cfg.links.clock import RealClock, VirtualClock
from dronekit_cfg.model import Resolved, Result, Scalar, Spec
from dronekit_cfg.rules.check import check, findings
from dronekit_cfg.rules.shipped import shipped_rules

GOLDEN = Path(__file__).parents[1] / "golden" / "ardupilot"
AIRFRAMES = (
    "fpv-5in",
    "fpv-7in",
    "fpv-10in",
    "heavy-lift",
    "heavy-lift-quad",
    "heavy-lift-hexa",
    "heavy-lift-octo",
)
GNSS = ("gnss-single-ublox", "gnss-dual-ublox", "gnss-dronecan")
FITTED = (
    "rc-elrs+battery-lipo+compass-external",
    "rc-crsf+telemetry-sik+battery-liion",
    "rc-sbus+telemetry-elrs-mavlink+compass-external",
    "rc-elrs+flow-rangefinder+telemetry-sik",
)
CONDITIONS = (
    "baseline-safe",
    "gnss-resilient",
    "gnss-resilient+link-resilient",
    "gnss-resilient+link-resilient+gnss-denied-site",
    "bvlos",
    "gnss-resilient+bench",
)
STACKS = tuple("+".join(parts) for parts in itertools.product(AIRFRAMES, GNSS, FITTED, CONDITIONS))
COMPASSLESS = tuple(f"{a}+{g}+rc-elrs+compassless+link-resilient" for a in AIRFRAMES for g in GNSS[:2])
ALL = (*STACKS, *COMPASSLESS)
RECORDED = {"4.5.6": "4.5.6", "4.7.0.dev0": "4.7-dev"}
PORTS = {"gnss-single-ublox": {"gps": 3}, "gnss-dual-ublox": {"gps": 3, "gps2": 4}, "gnss-dronecan": {}}


def inputs_for(stack: str) -> dict[str, str]:
    """What a technician would type for a stack."""
    parts = stack.split("+")
    ports = {role: port for part in parts for role, port in PORTS.get(part, {}).items()} | {"rc": 2}
    ports |= {"telemetry": 1} if any(p.startswith("telemetry-") for p in parts) else {}
    ports |= {"flow": 5, "rangefinder": 6} if "flow-rangefinder" in parts else {}
    given = {"cells": "6", **{f"port_{role}": str(port) for role, port in ports.items()}}
    unused = [n for n in (3, 4) if n not in ports.values()]
    given |= {"ports_unused": ",".join(map(str, unused))} if unused else {}
    return given | ({"signing": "yes"} if "bvlos" in parts else {})


def resolved(stack: str) -> Resolved:
    return resolved_with("ardupilot", stack, inputs_for(stack))


@cache
def spec(version: str) -> Spec:
    found = spec_for("ardupilot", "copter", version)
    assert found is not None
    return found


@cache
def recorded(version: str) -> Mapping[str, Scalar]:
    """What a freshly wiped vehicle has; for 4.6, of which there is no recording, what 4.7-dev has under known names."""
    if version not in RECORDED:
        return {n: v for n, v in recorded("4.7.0.dev0").items() if n in spec(version).settings}
    rows = json.loads((GOLDEN / f"params-copter-{RECORDED[version]}.json").read_text("utf-8"))
    return {row[0]: row[2] for row in rows}


def translated(found: Resolved, version: str, own: Mapping[str, Scalar]) -> Iterator[tuple[str, Scalar]]:
    renames = load_renames("ardupilot", "copter")
    assert renames is not None
    known = spec(version).settings
    for w in found.settings:
        if w.name in own or w.name in known:
            yield w.name, w.value
            continue
        options = (renames.translate(w.name, w.value, has) for has in (own.__contains__, lambda n: n in known))
        yield next((o for o in options if o), (w.name, w.value))


def test_there_are_enough_stacks_to_speak_of_a_matrix() -> None:
    assert len(ALL) == len(set(ALL)) >= 150
    assert {a for a in AIRFRAMES if not any(s.startswith(f"{a}+") for s in ALL)} == set()


@pytest.mark.parametrize("airframe", AIRFRAMES)
def test_every_stack_resolves_and_its_lock_is_read_back(airframe: str) -> None:
    for stack in (s for s in ALL if s.startswith(f"{airframe}+")):
        found = resolved(stack)
        assert found.notes == (), stack
        assert all(w.because and w.source for w in found.settings), stack
        again = load_lock(lock_text(found), "x.lock.json")
        assert (again.digest, again.inputs) == (found.digest, found.inputs), stack


@pytest.mark.parametrize("version", ["4.5.6", "4.6.3", "4.7.0.dev0", "4.7.0"])
@pytest.mark.parametrize("airframe", AIRFRAMES)
def test_every_name_of_every_stack_is_known_to_the_metadata(airframe: str, version: str) -> None:
    known = spec(version).settings
    for stack in (s for s in ALL if s.startswith(f"{airframe}+")):
        names = {name for name, _ in translated(resolved(stack), version, recorded(version))}
        assert {n for n in names if n not in known} == set(), stack


@pytest.mark.parametrize("version", ["4.5.6", "4.6.3", "4.7.0.dev0", "4.7.0"])
@pytest.mark.parametrize("airframe", AIRFRAMES)
def test_every_stack_keeps_the_shipped_rules_without_a_waiver(airframe: str, version: str) -> None:
    """Findings of severity info say what a choice means; they are no violation."""
    own = recorded(version)
    for stack in (s for s in ALL if s.startswith(f"{airframe}+")):
        found = resolved(stack)
        results = check(
            shipped_rules(),
            {**own, **dict(translated(found, version, own))},
            family="ardupilot",
            vehicle="copter",
            version=version,
            spec=spec(version),
            inputs=found.inputs,
            flags=found.flags,
            renames=load_renames("ardupilot", "copter"),
        )
        assert [(f.id, f.message) for f in findings(results) if f.severity != "info"] == [], stack
        assert found.waivers == ()


def test_every_stack_plans_cleanly_against_the_simulated_vehicle(tmp_path: Path) -> None:
    state = StateDir(tmp_path / "state")
    with connect(LinkOptions("sim:ardupilot-copter?fresh", state_dir=state.root), clock=VirtualClock()) as connection:
        first = connection.snapshot()
        known: dict[str, Any] = {}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(connection, "snapshot", lambda: first)
            for stack in ALL[:: 7 if not os.environ.get("DRONEKIT_CFG_MATRIX") else 1]:
                require_fit(resolved(stack), connection.identity)
                plan = prepare(connection, goal_from_profile(resolved(stack)), state).plan
                known[stack] = [(f.id, f.name, f.message) for f in plan.findings if f.severity != "info"]
                assert plan.skipped == ()
    assert {s: f for s, f in known.items() if f} == {}


def sample() -> tuple[str, ...]:
    if os.environ.get("DRONEKIT_CFG_MATRIX") == "all":
        return ALL
    step = int(os.environ.get("DRONEKIT_CFG_MATRIX_STEP", "41"))
    return ALL[::step]


@pytest.mark.parametrize("stack", sample())
def test_a_stack_is_applied_and_read_back_as_it_was_asked_for(stack: str, tmp_path: Path) -> None:
    link = os.environ.get("DRONEKIT_CFG_MATRIX_LINK", "")
    clock: Any = RealClock() if link else VirtualClock()
    state = StateDir(tmp_path / "state")
    goal = goal_from_profile(resolved(stack))
    with connect(LinkOptions(link or "sim:ardupilot-copter?fresh", state_dir=state.root), clock=clock) as connection:
        receipt = apply(connection, goal, state)
        assert (receipt.result, receipt.problems) in {(Result.DONE, ()), (Result.UNCHANGED, ())}
        found = connection.values([w.name for w in resolved(stack).settings])
        again = apply(connection, goal, state)
    on_vehicle = {n: v for n, v in found.items() if v is not None}
    assert len(on_vehicle) >= len(resolved(stack).settings) - 4  # a few are under another name on this firmware
    for wanted in resolved(stack).settings:
        if wanted.name in on_vehicle:
            assert float(str(on_vehicle[wanted.name])) == pytest.approx(float(wanted.value), rel=1e-6), wanted.name
    assert (again.result, again.changed) == (Result.UNCHANGED, False)


@pytest.mark.parametrize("stack", [ALL[40], ALL[400], COMPASSLESS[3]])
def test_a_stack_is_applied_to_4_5_6_under_its_names(stack: str, tmp_path: Path) -> None:
    state = StateDir(tmp_path / "state")
    link = LinkOptions("sim:ardupilot-copter?fresh&version=4.5.6", state_dir=state.root)
    with connect(link, clock=VirtualClock()) as connection:
        receipt = apply(connection, goal_from_profile(resolved(stack)), state)
        again = apply(connection, goal_from_profile(resolved(stack)), state)
        assert connection.values(["GPS_TYPE"])["GPS_TYPE"] is not None
    assert (receipt.result, receipt.problems) == (Result.DONE, ())
    assert (again.result, again.changed) == (Result.UNCHANGED, False)


def test_a_profile_made_from_one_vehicle_makes_another_one_the_same(tmp_path: Path) -> None:
    def at(number: int) -> Any:
        url = f"sim:ardupilot-copter?fresh&id={number}"
        return connect(LinkOptions(url, state_dir=tmp_path / "state"), clock=VirtualClock())

    state = StateDir(tmp_path / "state")
    with at(1) as connection:
        stack = "heavy-lift-hexa+gnss-dual-ublox+rc-elrs+battery-lipo+compass-external+gnss-resilient"
        apply(connection, goal_from_profile(resolved(stack)), state)
        first, protected = connection.snapshot(), connection.driver.protected
    generation = partial(generation_of, family="ardupilot", vehicle="copter")
    made = new_profile(first, "flying", spec=spec("4.7.0.dev0"), protected=protected, generation=generation)
    (tmp_path / "flying.yaml").write_text(made.text, "utf-8")
    with at(2) as connection:
        receipt = apply(connection, goal_from_profile(resolve(str(tmp_path / "flying.yaml"), library())), state)
        second = connection.snapshot()
    assert (receipt.result, receipt.problems) == (Result.DONE, ())
    differ = {s.name for s in first.settings if second.value(s.name) != s.value}
    differ |= {s.name for s in second.settings if first.value(s.name) is None}
    assert {n for n in differ if not protected(n)} == set()
    assert made.settings >= 30
