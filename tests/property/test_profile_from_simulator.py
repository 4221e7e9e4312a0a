"""A profile made from one real simulator makes a wiped one the same, apart from calibration and identity."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from dronekit_cfg.catalog.store import spec_for
from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.engine.generations import generation_of, require_one_generation
from dronekit_cfg.engine.goals import goal_from_profile
from dronekit_cfg.engine.judge import Terms
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import ApplyOptions, apply
from dronekit_cfg.formats.compose import resolve
from dronekit_cfg.formats.library import Library
from dronekit_cfg.formats.new_profile import new_profile
from dronekit_cfg.links.clock import RealClock
from dronekit_cfg.model import Result


@dataclass(frozen=True)
class Case:
    """A simulator and what it is set to. `shown`: a fresh one shows the defaults, which PX4's airframes have."""

    program: str
    stack: str
    ports: dict[str, str]
    settings: int
    shown: bool = False


COMMON = "gnss-{gnss}-ublox+rc-elrs+battery-lipo+{more}gnss-resilient"
CASES = {
    "ardupilot": Case(
        "arducopter",
        f"heavy-lift-hexa+{COMMON.format(gnss='dual', more='compass-external+')}",
        {"gps": "3", "gps2": "4", "rc": "2"},
        settings=30,
    ),
    "px4": Case(
        "px4",
        f"heavy-lift-quad+{COMMON.format(gnss='single', more='')}",
        {"gps": "gps1", "rc": "telem3"},
        settings=12,
        shown=True,
    ),
    "betaflight": Case(
        "betaflight", f"fpv-7in+{COMMON.format(gnss='single', more='')}", {"gps": "3", "rc": "2"}, settings=7
    ),
    "inav": Case("inav_SITL", f"fpv-7in+{COMMON.format(gnss='single', more='')}", {"gps": "3", "rc": "4"}, settings=14),
}
LACKING = Terms(accept=frozenset({"LEFT-READONLY"}))
"""The Betaflight simulator was built without the features GPS and RX_SERIAL, and says so."""


SITL_LOCK = Path(tempfile.gettempdir()) / "dronekit-cfg-betaflight-sitl.lock"
"""Every test that starts this simulator takes it: its port cannot be changed."""


@pytest.fixture
def turn(family: str) -> Iterator[None]:
    with FileLock(SITL_LOCK, timeout=600) if family == "betaflight" else contextlib.nullcontext():
        yield


def installed(program: str) -> bool:
    return shutil.which(program) is not None or find_spec(program) is not None


@pytest.mark.usefixtures("turn")
@pytest.mark.parametrize("family", CASES)
def test_a_profile_made_from_one_real_simulator_makes_a_wiped_one_the_same(family: str, tmp_path: Path) -> None:
    case = CASES[family]
    if not installed(case.program):
        pytest.skip(f"the program {case.program} is not on PATH")
    state = StateDir(tmp_path / "state")

    def at(folder: str) -> Any:
        url = f"sitl:{case.program.removesuffix('_SITL')}?fresh&dir={tmp_path / folder}"
        return connect(LinkOptions(url, state_dir=state.root), clock=RealClock())

    inputs = {"cells": "6", **{f"port_{role}": port for role, port in case.ports.items()}}
    with at("one") as connection:
        fresh = connection.snapshot() if case.shown else None
        wish = resolve(case.stack, Library(), family=family, inputs=inputs)
        first_apply = apply(connection, goal_from_profile(wish), state, ApplyOptions(terms=LACKING))
        first, protected, identity = connection.snapshot(), connection.driver.protected, connection.identity
    assert first_apply.result is Result.DONE
    made = new_profile(
        first,
        "flying",
        spec=spec_for(identity.family, identity.vehicle, identity.version),
        protected=protected,
        generation=partial(generation_of, family=identity.family, vehicle=identity.vehicle),
        fresh=fresh,
    )
    (tmp_path / "flying.yaml").write_text(made.text, "utf-8")
    wish = resolve(str(tmp_path / "flying.yaml"), Library())
    require_one_generation(wish)
    with at("two") as connection:
        receipt = apply(connection, goal_from_profile(wish), state, ApplyOptions(terms=LACKING))
        second = connection.snapshot()
    assert (receipt.result, receipt.problems) == (Result.DONE, ())
    differ = {s.name for s in first.settings if second.value(s.name) != s.value}
    differ |= {s.name for s in second.settings if first.value(s.name) is None}
    assert {n for n in differ if not protected(n)} == set()
    assert made.settings >= case.settings
