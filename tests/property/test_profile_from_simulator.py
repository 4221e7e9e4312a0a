"""A profile made from one real simulator makes a wiped one the same, apart from calibration and identity."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.catalog.store import spec_for
from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.engine.generations import generation_of, require_one_generation
from dronekit_cfg.engine.goals import goal_from_profile
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import apply
from dronekit_cfg.formats.compose import resolve
from dronekit_cfg.formats.library import Library
from dronekit_cfg.formats.new_profile import new_profile
from dronekit_cfg.links.clock import RealClock
from dronekit_cfg.model import Result

STACK = "heavy-lift-hexa+gnss-dual-ublox+rc-elrs+battery-lipo+compass-external+gnss-resilient"
INPUTS = {"cells": "6", "port_gps": "3", "port_gps2": "4", "port_rc": "2"}


@pytest.mark.skipif(shutil.which("arducopter") is None, reason="the program arducopter is not on PATH")
def test_a_profile_made_from_one_real_simulator_makes_a_wiped_one_the_same(tmp_path: Path) -> None:
    state = StateDir(tmp_path / "state")

    def at(folder: str) -> Any:
        url = f"sitl:arducopter?fresh&dir={tmp_path / folder}"
        return connect(LinkOptions(url, state_dir=state.root), clock=RealClock())

    with at("one") as connection:
        first_apply = apply(
            connection, goal_from_profile(resolve(STACK, Library(), family="ardupilot", inputs=INPUTS)), state
        )
        first, protected, identity = connection.snapshot(), connection.driver.protected, connection.identity
    assert first_apply.result is Result.DONE
    made = new_profile(
        first,
        "flying",
        spec=spec_for(identity.family, identity.vehicle, identity.version),
        protected=protected,
        generation=partial(generation_of, family=identity.family, vehicle=identity.vehicle),
    )
    (tmp_path / "flying.yaml").write_text(made.text, "utf-8")
    wish = resolve(str(tmp_path / "flying.yaml"), Library())
    require_one_generation(wish)
    with at("two") as connection:
        receipt = apply(connection, goal_from_profile(wish), state)
        second = connection.snapshot()
    assert (receipt.result, receipt.problems) == (Result.DONE, ())
    differ = {s.name for s in first.settings if second.value(s.name) != s.value}
    differ |= {s.name for s in second.settings if first.value(s.name) is None}
    assert {n for n in differ if not protected(n)} == set()
    assert made.settings >= 40
