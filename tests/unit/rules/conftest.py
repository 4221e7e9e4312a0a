"""Dumps of real firmware, the metadata that belongs to them, and the shipped rules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from dronekit_cfg.catalog.renames import Renames, load_renames
from dronekit_cfg.catalog.store import spec_for
from dronekit_cfg.model import Kind, Spec, Value
from dronekit_cfg.rules.rule import Rule
from dronekit_cfg.rules.shipped import shipped_rules

GOLDEN = Path(__file__).parents[2] / "golden"


@dataclass(frozen=True)
class Dump:
    """Every parameter of one real ArduCopter simulator, its own defaults, and the metadata of that version."""

    version: str
    settings: Mapping[str, Value]
    defaults: Mapping[str, Value]
    spec: Spec


def _dump(file: str, version: str) -> Dump:
    rows = json.loads((GOLDEN / "ardupilot" / file).read_text())
    settings = {name: Value(Kind(kind), value) for name, kind, value, _ in rows}
    defaults = {name: Value(Kind(kind), default) for name, kind, _, default in rows if default is not None}
    spec = spec_for("ardupilot", "copter", version)
    assert spec is not None
    return Dump(version, settings, defaults, spec)


@pytest.fixture(scope="session")
def copter45() -> Dump:
    return _dump("params-copter-4.5.6.json", "4.5.6")


@pytest.fixture(scope="session")
def copter47() -> Dump:
    return _dump("params-copter-4.7-dev.json", "4.7.0.dev0")


@pytest.fixture(scope="session")
def renames() -> Renames:
    table = load_renames("ardupilot", "copter")
    assert table is not None
    return table


@pytest.fixture(scope="session")
def rules() -> tuple[Rule, ...]:
    return shipped_rules()


@pytest.fixture(scope="session")
def names() -> dict[str, set[str]]:
    """Setting names of real firmware by family, as dumps and vendor metadata list them."""
    known: dict[str, set[str]] = {"ardupilot": set(), "px4": set(), "betaflight": set(), "inav": set()}
    for family, found in known.items():
        for path in (GOLDEN / family).glob("params-*.json"):
            found.update(row[0] for row in json.loads(path.read_text()))
        for path in (GOLDEN / family).glob("settings-*.json"):
            found.update(json.loads(path.read_text()))
    for version in ("4.5.6", "4.6.0", "4.7.0.dev0"):
        spec = spec_for("ardupilot", "copter", version)
        assert spec is not None
        known["ardupilot"] |= set(spec.settings)
    px4 = spec_for("px4", "", "1.16.0.dev0")
    known["px4"] |= set(px4.settings) if px4 else set()
    # Boards with an IO processor or CAN ESCs list these; the simulator has neither (PX4 output function parameters).
    known["px4"] |= {"PWM_AUX_FUNC1", "UAVCAN_EC_FUNC1"}
    return known
