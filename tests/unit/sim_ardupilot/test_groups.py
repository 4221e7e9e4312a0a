"""Groups behind a switch, against what turning each switch showed on the real 4.7-dev SITL, before and after a reboot.

Golden data: `groups-4.7-dev.json.gz`, made by setting the switches on the real SITL, downloading the packed file at
once and after a reboot, and by asking a fresh one for every name by name.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.families.ardupilot.simulated_data import FLOAT, load_firmware, single
from dronekit_cfg.families.ardupilot.simulated_params import ParameterStore
from dronekit_cfg.sim.memory import Memory

GOLDEN = Path(__file__).parents[2] / "golden" / "ardupilot_twin" / "groups-4.7-dev.json.gz"
FACTS = json.loads(gzip.decompress(GOLDEN.read_bytes()))


def fresh(version: str = "4.7") -> ParameterStore:
    store = ParameterStore(load_firmware(version).parameters, Memory())
    store.boot()
    return store


def names(store: ParameterStore) -> list[str]:
    return [fact.name for fact in store.listed()]


def turn(store: ParameterStore, switches: dict[str, int]) -> None:
    for name, value in switches.items():
        fact = store.find(name)
        assert fact is not None, name
        store.set(fact, value)
        store.save(fact, force=True)


@pytest.mark.parametrize("group", FACTS["groups"], ids=lambda g: ",".join(f"{k}={v}" for k, v in g["set"].items())[:60])
def test_turning_a_switch_shows_and_hides_what_it_does_on_the_real_vehicle(group: Any) -> None:
    store = fresh()
    before = names(store)
    turn(store, group["set"])
    at_once = names(store)
    assert [n for n in at_once if n not in before] == group["listed_at_once"]
    assert {n for n in before if n not in at_once} == set(group["gone_at_once"])
    store.boot()
    later = names(store)
    new = [n for n in later if n not in before]
    assert new == [row[0] for row in group["new"]]
    assert {n for n in before if n not in later} == {*group["gone_at_once"], *group["gone_later"]}


@pytest.mark.parametrize("group", FACTS["groups"], ids=lambda g: ",".join(f"{k}={v}" for k, v in g["set"].items())[:60])
def test_what_a_switch_shows_has_the_type_value_and_default_of_the_real_vehicle(group: Any) -> None:
    store = fresh()
    turn(store, group["set"])
    store.boot()
    for name, kind, value, *rest in group["new"]:
        fact = store.find(name)
        assert fact is not None
        wanted = (kind, value, rest[0] if rest else value)
        if kind == FLOAT:
            wanted = (kind, single(value), single(wanted[2]))
        assert (fact.type, store.value(name), fact.default) == wanted, name


def test_hidden_settings_are_known_by_name_exactly_where_they_are_on_the_real_vehicle() -> None:
    store = fresh()
    assert len(FACTS["known_by_name"]) > 2000
    assert [n for n in FACTS["known_by_name"] if store.find(n) is None] == []
    assert len(FACTS["unknown_by_name"]) > 50
    assert [n for n in FACTS["unknown_by_name"] if store.find(n) is not None] == []


def test_a_hidden_setting_can_be_read_and_written_by_name(rig: Any) -> None:
    bench = rig()
    assert bench.get("BATT2_CAPACITY") == 3300
    (echo,) = bench.set("BATT2_CAPACITY", 5000)
    assert (echo.param_value, echo.param_count) == (5000, 1354)
    assert "BATT2_CAPACITY" not in bench.listed()


def test_a_setting_that_needs_a_reboot_is_unknown_until_then(rig: Any) -> None:
    bench = rig()
    (echo,) = bench.set("BATT2_MONITOR", 4)
    assert echo.param_count == 1367
    assert bench.get("BATT2_VOLT_PIN") is None
    assert bench.set("BATT2_VOLT_PIN", 5) == []
    bench.reboot()
    assert bench.get("BATT2_VOLT_PIN") == 13
    (echo,) = bench.set("BATT2_VOLT_PIN", 5)
    assert (echo.param_value, echo.param_count) == (5, 1373)


def test_the_kind_of_monitor_decides_what_is_there_after_the_reboot(rig: Any) -> None:
    bench = rig()
    bench.set("BATT_MONITOR", 9)
    assert bench.get("BATT_VOLT_PIN") == 13
    bench.reboot()
    assert bench.get("BATT_VOLT_PIN") is None
    assert bench.get("BATT_ESC_MASK") == 0


def test_turning_a_switch_off_hides_its_group_and_forgets_nothing(rig: Any) -> None:
    bench = rig()
    bench.set("SCR_ENABLE", 1)
    bench.set("SCR_VM_I_COUNT", 50000)
    bench.set("SCR_ENABLE", 0)
    assert "SCR_VM_I_COUNT" not in bench.listed()
    bench.set("SCR_ENABLE", 1)
    assert bench.listed()["SCR_VM_I_COUNT"][1] == 50000


@pytest.mark.parametrize(("version", "count"), [("4.7", 1354), ("4.5", 1390)])
def test_a_fresh_vehicle_lists_as_many_as_the_real_one(version: str, count: int) -> None:
    assert fresh(version).count == count


@pytest.mark.parametrize(
    ("switch", "value", "shown"),
    [
        ("RNGFND1_TYPE", 10, "RNGFND1_ORIENT"),
        ("BATT2_MONITOR", 4, "BATT2_LOW_VOLT"),
        ("FLOW_TYPE", 10, "FLOW_FXSCALER"),
        ("OSD_TYPE", 1, "OSD1_ALTITUDE_EN"),
        ("SCR_ENABLE", 1, "SCR_HEAP_SIZE"),
        ("CAM1_TYPE", 1, "CAM1_DURATION"),
    ],
)
def test_the_older_firmware_hides_its_groups_too(switch: str, value: int, shown: str) -> None:
    store = fresh("4.5")
    assert shown not in names(store)
    turn(store, {switch: value})
    store.boot()
    assert shown in names(store)
