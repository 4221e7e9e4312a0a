from __future__ import annotations

import json
from pathlib import Path

import pytest

from dronekit_cfg.catalog.renames import Rename, Renames, load_renames
from dronekit_cfg.model import Scalar

GOLDEN = Path(__file__).parents[2] / "golden" / "ardupilot"


def vehicle(version: str) -> frozenset[str]:
    rows = json.loads((GOLDEN / f"params-copter-{version}.json").read_text(encoding="utf-8"))
    return frozenset(row[0] for row in rows)


@pytest.fixture(scope="module")
def renames() -> Renames:
    found = load_renames("ardupilot", "copter")
    assert found is not None
    return found


# Numbers computed by hand from the units that the vendor documents.
BOTH_WAYS: list[tuple[str, Scalar, str, Scalar]] = [
    ("GPS_TYPE", 2, "GPS1_TYPE", 2),
    ("GPS_TYPE2", 9, "GPS2_TYPE", 9),
    ("GPS_POS1_X", -0.25, "GPS1_POS_X", -0.25),
    ("SYSID_MYGCS", 255, "MAV_GCS_SYSID", 255),
    ("ANGLE_MAX", 3000, "ATC_ANGLE_MAX", 30),
    ("ANGLE_MAX", 4550, "ATC_ANGLE_MAX", 45.5),
    ("RTL_ALT", 3000, "RTL_ALT_M", 30),
    ("RTL_ALT", 1234, "RTL_ALT_M", 12.34),
    ("RTL_SPEED", 0, "RTL_SPEED_MS", 0),
    ("LAND_SPEED", 50, "LAND_SPD_MS", 0.5),
    ("WPNAV_SPEED", 1000, "WP_SPD", 10),
    ("PSC_ACCZ_P", 0.5, "PSC_D_ACC_P", 0.05),
    ("PSC_ACCZ_IMAX", 800, "PSC_D_ACC_IMAX", 0.8),
    ("PSC_VELXY_P", 2.0, "PSC_NE_VEL_P", 2.0),
    ("RNGFND1_MAX_CM", 700, "RNGFND1_MAX", 7),
    ("SR0_EXTRA1", 4, "MAV1_EXTRA1", 4),
    ("SR9_ADSB", 1, "MAV10_ADSB", 1),
    ("ARMING_CHECK", 1, "ARMING_SKIPCHK", 0),
    ("SYSID_ENFORCE", 1, "MAV_OPTIONS", 1),
    ("SIM_GPS_DISABLE", 0, "SIM_GPS1_ENABLE", 1),
]


@pytest.mark.parametrize(("old", "before", "new", "after"), BOTH_WAYS)
def test_a_value_is_carried_to_the_new_name_and_back(
    renames: Renames, old: str, before: Scalar, new: str, after: Scalar
) -> None:
    assert renames.translate(old, before, {new}.__contains__) == (new, after)
    assert renames.translate(new, after, {old}.__contains__) == (old, before)


def test_whole_numbers_stay_whole(renames: Renames) -> None:
    found = renames.translate("RTL_ALT_M", 15.0, {"RTL_ALT"}.__contains__)
    assert found == ("RTL_ALT", 1500)
    assert isinstance(found[1], int)


def test_a_name_that_the_vehicle_has_is_used_as_it_is(renames: Renames) -> None:
    assert renames.translate("RTL_ALT", 3000, {"RTL_ALT"}.__contains__) is None


def test_a_name_without_counterpart_on_the_vehicle_is_left_alone(renames: Renames) -> None:
    assert renames.translate("RTL_ALT", 3000, frozenset[str]().__contains__) is None
    assert renames.translate("NEVER_HEARD_OF", 1, {"RTL_ALT"}.__contains__) is None


@pytest.mark.parametrize(
    ("name", "value", "there"),
    [
        ("ARMING_CHECK", 0, "ARMING_SKIPCHK"),
        ("ARMING_CHECK", 65534, "ARMING_SKIPCHK"),
        ("ARMING_SKIPCHK", 8, "ARMING_CHECK"),
        ("ARMING_SKIPCHK", 1, "ARMING_CHECK"),
        ("MAV_OPTIONS", 3, "SYSID_ENFORCE"),
        ("PSC_ACCZ_FF", 0.1, "PSC_D_ACC_FF"),
    ],
)
def test_what_cannot_be_carried_over_needs_a_person(renames: Renames, name: str, value: Scalar, there: str) -> None:
    with pytest.raises(ValueError, match=there) as caught:
        renames.translate(name, value, {there}.__contains__)
    assert f"{name}={value}" in str(caught.value)


def test_a_text_cannot_change_its_unit(renames: Renames) -> None:
    with pytest.raises(ValueError, match="no number"):
        renames.translate("RTL_ALT", "high", {"RTL_ALT_M"}.__contains__)


def test_a_value_that_lost_its_meaning_needs_a_person(renames: Renames) -> None:
    old, new = {"GPS_AUTO_SWITCH", "GPS_TYPE"}, {"GPS_AUTO_SWITCH", "GPS1_TYPE"}
    assert renames.translate("GPS_AUTO_SWITCH", 3, old.__contains__) is None
    assert renames.translate("GPS_AUTO_SWITCH", 1, new.__contains__) is None
    with pytest.raises(ValueError, match="GPS_PRIMARY"):
        renames.translate("GPS_AUTO_SWITCH", 3, new.__contains__)
    assert "MAVn_OPTIONS" in renames.concern("SERIAL2_OPTIONS", 1024, {"MAV1_OPTIONS"}.__contains__)
    assert renames.concern("SERIAL2_OPTIONS", 8, {"MAV1_OPTIONS"}.__contains__) == ""


def test_rules_find_the_other_name_with_its_factor(renames: Renames) -> None:
    # value under the name asked for = value under the other name x factor: 30 m x 100 = 3000 cm
    assert renames.others("RTL_ALT") == (("RTL_ALT_M", 100.0),)
    assert renames.others("RTL_ALT_M") == (("RTL_ALT", 0.01),)
    assert renames.others("GPS1_TYPE") == (("GPS_TYPE", 1.0),)
    assert renames.others("ARMING_CHECK") == ()
    assert renames.others("FENCE_ENABLE") == ()


def test_two_generations_in_one_file_are_noticed(renames: Renames) -> None:
    found = renames.mixed({"ARMING_CHECK", "ARMING_SKIPCHK", "RTL_ALT", "GPS1_TYPE"})
    assert [(e.old, e.new) for e in found] == [("ARMING_CHECK", "ARMING_SKIPCHK")]


@pytest.mark.parametrize("version", ["4.5.6", "4.7-dev"])
def test_no_real_vehicle_has_both_names_of_a_setting(renames: Renames, version: str) -> None:
    assert renames.mixed(vehicle(version)) == ()


def test_every_receiver_and_link_name_that_left_after_4_5_is_known(renames: Renames) -> None:
    before, after = vehicle("4.5.6"), vehicle("4.7-dev")
    gone = {n for n in before - after if n.startswith(("SR", "SYSID", "TELEM", "GPS_"))} - {"GPS_MIN_DGPS"}
    hidden = {"GPS_GNSS_MODE2", "GPS_RATE_MS2", "GPS_DELAY_MS2", "GPS_COM_PORT2", "GPS_CAN_NODEID2", "GPS_MB2_TYPE"}
    hidden |= {"GPS_POS2_X", "GPS_POS2_Y", "GPS_POS2_Z"}  # their new names wait behind GPS2_TYPE
    for name in gone:
        entry = next((e for e in renames if name in {e.old, e.new}), None)
        assert entry is not None, name
        assert entry.new in after or name in hidden or entry.new.startswith("MAV")


def test_names_are_unique_and_no_entry_maps_a_name_to_itself(renames: Renames) -> None:
    entries: list[Rename] = list(renames)
    assert len({e.old for e in entries}) == len(entries)
    assert len({e.new for e in entries}) == len(entries)
    assert all(e.old != e.new for e in entries)
    assert not {e.old for e in entries} & {e.new for e in entries}
    assert all(e.scale is not None or (e.reason and e.exact) for e in entries)


def test_there_is_no_table_for_other_vehicles() -> None:
    assert load_renames("elrs", "tx") is None


# Units from the firmware's own source: flight/failsafe.c of 4.5 counts x100 ms and of 2025.12 x1000 ms.
BETAFLIGHT: list[tuple[str, Scalar, str, Scalar]] = [
    ("failsafe_off_delay", 10, "failsafe_landing_time", 1),
    ("failsafe_off_delay", 200, "failsafe_landing_time", 20),
    ("gps_rescue_initial_alt", 30, "gps_rescue_return_alt", 30),
    ("gps_rescue_throttle_hover", 1275, "ap_hover_throttle", 1275),
    ("dshot_idle_value", 550, "motor_idle", 550),
]


@pytest.mark.parametrize(("old", "before", "new", "after"), BETAFLIGHT)
def test_betaflight_names_and_units_are_carried_both_ways(old: str, before: Scalar, new: str, after: Scalar) -> None:
    table = load_renames("betaflight", "")
    assert table is not None
    assert table.translate(old, before, {new}.__contains__) == (new, after)
    assert table.translate(new, after, {old}.__contains__) == (old, before)


def test_what_betaflight_dropped_is_not_on_its_later_versions() -> None:
    table = load_renames("betaflight", "")
    assert table is not None
    rows = json.loads((GOLDEN.parent / "betaflight" / "settings-2026.12.0-alpha.json").read_text(encoding="utf-8"))
    listed = {name.rpartition(".")[2] for name in rows}
    assert {n for d in table.dropped for n in d.names} & listed == set()
    assert {e.old for e in table if e.new.rpartition(".")[2] != e.old} & listed == set()
