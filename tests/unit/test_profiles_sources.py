"""The sources of shipped values: each is in the table, and what metadata can tell agrees with what is said of it."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.catalog.renames import load_renames
from dronekit_cfg.catalog.store import spec_for
from dronekit_cfg.formats.compose import explain, resolve
from dronekit_cfg.formats.layer import Layer, LayerSetting
from dronekit_cfg.formats.library import Library
from dronekit_cfg.formats.profile_yaml import load_layer
from dronekit_cfg.formats.sources import source_of
from dronekit_cfg.model import Scalar, SettingSpec, Spec

ROOT = Path(__file__).parents[2]
VERSIONS = {
    "ardupilot": ("4.5.6", "4.6.3", "4.7.0.dev0", "4.7.0"),
    "px4": ("1.14.3", "1.15.4", "1.16.0a0", "1.16.0"),
    "betaflight": ("4.5.1", "4.6.0", "2025.12.0", "2026.6.0", "2026.12.0"),
    "inav": ("7.1.0", "8.0.0", "9.0.0"),
}
NEWEST = {"ardupilot": "4.7.0.dev0", "px4": "1.16.0a0", "betaflight": "4.6.0", "inav": "9.0.0"}
"""Of each family, what was recorded from a real vehicle: there defaults are those of the firmware, not of a page."""


@cache
def table() -> tuple[dict[str, str], ...]:
    return tuple(tomllib.loads((ROOT / "profiles" / "sources.toml").read_text("utf-8"))["source"])


@cache
def shipped() -> tuple[tuple[Layer, LayerSetting], ...]:
    layers = [load_layer(e.path) for e in Library().list()]
    return tuple((layer, setting) for layer in layers for setting in layer.settings)


def entries_of(source: str) -> list[dict[str, str]]:
    return sorted((e for e in table() if source.startswith(e["name"])), key=lambda e: len(e["name"]))


@cache
def metadata(family: str, version: str) -> Spec:
    found = spec_for(family, "copter", version)
    assert found is not None, (family, version)
    return found


def facts(family: str, name: str, version: str) -> SettingSpec | None:
    """Give what is known about a setting, also under the name that the version has for it."""
    spec = metadata(family, version)
    bare = re.sub(r"^(battery_profile|control_profile|mixer_profile)\.\d\.", "", name)
    return spec.get(name) or spec.get(bare)


def test_every_source_is_in_the_table_and_every_entry_is_used() -> None:
    missing = {(layer.name, s.name, s.source) for layer, s in shipped() if not entries_of(s.source)}
    assert missing == set()
    used = {entries_of(s.source)[-1]["name"] for _, s in shipped()}
    assert {e["name"] for e in table()} - used == set()


def test_every_entry_says_where_it_is_found_which_state_and_how_it_was_checked() -> None:
    for entry in table():
        assert set(entry) == {"name", "address", "state", "checked"}, entry
        assert entry["address"].startswith("https://") or (ROOT / entry["address"]).is_file(), entry
        assert len(entry["state"]) >= 4, entry
        assert entry["checked"] in {"tests", "read", "measured", "facts", "choice"}, entry


def test_who_asks_why_is_told_where_the_source_is_found() -> None:
    found = resolve("ardupilot/heavy-lift", Library(), inputs={"cells": "6"})
    told = explain(found, "RTL_ALT").splitlines()
    assert told[3:] == [
        "  source: ArduPilot wiki, RTL Mode",
        "    https://ardupilot.org/copter/docs/rtl-mode.html: ardupilot_wiki 055ae21a (opened again and compared)",
    ]
    assert source_of("a colleague") is None


def claims() -> Iterator[tuple[str, str, str, Any]]:
    """Give (family, setting, what, value) of every default and limit that a source names."""
    for layer, setting in shipped():
        if layer.family not in VERSIONS:
            continue
        if found := re.search(r"default (-?[\d.]+)", setting.source):
            yield layer.family, setting.name, "default", float(found[1])
        elif re.search(r", default\b", setting.source) and setting.value is not None:
            yield layer.family, setting.name, "default", setting.value
        if found := re.search(r"(?:, |within )(-?[\d.]+) to (-?[\d.]+)", setting.source):
            yield layer.family, setting.name, "limits", (float(found[1]), float(found[2]))


DEFAULTS_OF_SOURCES: dict[tuple[str, str], Scalar] = {
    # No vehicle of these families tells the default of a number: sensors/battery.c of Betaflight 4.5 to 2026-08, and
    # settings.yaml of INAV 9.0.0.
    ("betaflight", "vbat_warning_cell_voltage"): 350,
    ("betaflight", "vbat_min_cell_voltage"): 330,
    ("inav", "vbat_warning_cell_voltage"): 350,
    ("inav", "vbat_min_cell_voltage"): 330,
}


def test_a_default_that_a_source_names_is_that_of_the_firmware() -> None:
    told = [(f, n, v) for f, n, what, v in claims() if what == "default"]
    assert len(told) >= 12
    for family, name, value in told:
        fact = facts(family, name, NEWEST[family])
        assert fact is not None, name
        default = DEFAULTS_OF_SOURCES.get((family, name.rpartition(".")[2]), fact.default)
        same = default == value if isinstance(default, str) else math.isclose(float(default or 0), float(value))
        assert same, (name, default, value)


def test_limits_that_a_source_names_are_those_of_the_firmware() -> None:
    told = [(f, n, v) for f, n, what, v in claims() if what == "limits"]
    assert len(told) >= 6
    for family, name, limits in told:
        fact = facts(family, name, NEWEST[family])
        assert fact is not None, name
        assert (fact.minimum, fact.maximum) == limits, name


SAID_OF_DEFAULTS: dict[tuple[str, str], tuple[Scalar, str]] = {
    # what a reason says of the firmware's default, and what that default is
    ("px4", "NAV_DLL_ACT"): (0, "the default ignores a lost ground station"),
    ("px4", "COM_LOW_BAT_ACT"): (0, "the default only warns until the aircraft falls"),
}


@pytest.mark.parametrize(("family", "name"), SAID_OF_DEFAULTS)
def test_what_a_reason_says_of_a_default_is_so(family: str, name: str) -> None:
    default, words = SAID_OF_DEFAULTS[family, name]
    fact = facts(family, name, NEWEST[family])
    assert fact is not None
    assert fact.default == default
    assert any(s.name == name and s.because == words for _, s in shipped())


def test_no_reason_speaks_of_a_default_that_is_not_checked() -> None:
    known = {(f, n) for f, n in SAID_OF_DEFAULTS} | {("ardupilot", "EK3_SRC_OPTIONS")}
    said = {
        (layer.family, s.name)
        for layer, s in shipped()
        if re.search(r"\bthe default\b", s.because) and layer.family in VERSIONS
    }
    assert said == known


def test_the_default_of_the_velocity_option_changed_between_4_6_and_4_7() -> None:
    old, new = (facts("ardupilot", "EK3_SRC_OPTIONS", v) for v in ("4.5.6", "4.7.0.dev0"))
    assert old is not None
    assert new is not None
    assert (old.default, new.default) == (1, 0)


FITS_ALL = {"feature.", "serial"}


def names_on(family: str, name: str, version: str, value: Scalar) -> tuple[str, Scalar]:
    """Give name and value as they are on a version."""
    spec = metadata(family, version)
    renames = load_renames(family, "copter")
    if facts(family, name, version) is not None or renames is None:
        return name, value
    return renames.translate(name, value, lambda n: n in spec.settings) or (name, value)


@pytest.mark.parametrize("family", ["px4", "betaflight", "inav"])
def test_every_plain_value_is_one_that_the_firmware_documents(family: str) -> None:
    """ArduPilot's are held against its metadata in test_profiles_content, with every input."""
    wrong: list[Any] = []
    seen = 0
    for layer, setting in shipped():
        if layer.family != family or setting.value is None or setting.name.startswith(tuple(FITS_ALL)):
            continue
        found = [(version, *names_on(family, setting.name, version, setting.value)) for version in VERSIONS[family]]
        known = [(v, fact, value) for v, name, value in found if (fact := facts(family, name, v)) is not None]
        if not known:
            wrong.append((layer.name, setting.name, "no version knows it"))
        seen += len(known)
        wrong += [(layer.name, setting.name, v, why) for v, fact, value in known if (why := objection(fact, value))]
    assert wrong == []
    assert seen >= 60


def objection(fact: SettingSpec, value: Scalar) -> str:
    """Say why a value does not fit; the version may not tell limits."""
    if isinstance(value, str):
        labels = {str(v).upper() for v in (*fact.values, *fact.values.values())} if fact.values else set()
        return "" if not labels or value.upper() in labels else f"{value} is none of {sorted(labels)}"
    number = float(value)
    if fact.minimum is not None and number < fact.minimum:
        return f"{value} is below {fact.minimum}"
    if fact.maximum is not None and number > fact.maximum:
        return f"{value} is above {fact.maximum}"
    if fact.values and not fact.bits and int(number) not in fact.values:
        return f"{value} is none of {sorted(fact.values)}"
    if fact.bits and number > 0 and any(int(number) >> b & 1 and b not in fact.bits for b in range(32)):
        return f"{value} has bits that nobody documents"
    return ""


def test_stopping_distances_are_computed_right() -> None:
    found = 0
    for layer, setting in shipped():
        words = f"{setting.because}; {setting.source}"
        speed = re.search(r"\bat (\d+) m/s\b", words)
        rate = re.search(r"a = ([\d.]+) m/s/s", setting.source)
        way = re.search(r"(?:about|is) (\d+) m\b", words)
        if speed and rate and way:
            distance = float(speed[1]) ** 2 / (2 * float(rate[1]))
            assert abs(distance - float(way[1])) <= 0.5, (layer.name, setting.name, distance)
            found += 1
    assert found >= 5
    assert round(math.cos(math.radians(25)), 2) == 0.91  # "lift left at 25 degrees"
