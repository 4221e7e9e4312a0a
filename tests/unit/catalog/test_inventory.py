"""What is fitted, read from device ids, and builds that require parts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dronekit_cfg.catalog.inventory import Part, decode_device_id, inventory, missing_parts, requirement_error
from dronekit_cfg.model import Identity, Kind, Setting, Snapshot, Value

GOLDEN = Path(__file__).parents[2] / "golden" / "ardupilot"


def snapshot(*pairs: tuple[str, int], family: str = "ardupilot") -> Snapshot:
    identity = Identity(family, "copter", "4.6.0", "4.6.0", "board", "uid")
    return Snapshot(identity, "now", "test", tuple(Setting(n, Value(Kind.INT32, v)) for n, v in pairs))


def real(version: str) -> Snapshot:
    rows = json.loads((GOLDEN / f"params-copter-{version}.json").read_text("utf-8"))
    identity = Identity("ardupilot", "copter", version, version, "sitl", "1")
    return Snapshot(identity, "now", "test", tuple(Setting(n, Value(Kind(k), v)) for n, k, v, _ in rows))


# Built by hand from the bit layout of AP_HAL/Device.h: type << 16 | address << 8 | bus << 3 | kind of bus.
IDS = [
    (0x11 << 16 | 0x20 << 8 | 1 << 3 | 1, "compass", ("I2C", 1, 0x20, "RM3100")),
    (0x0A << 16 | 0x0E << 8 | 0 << 3 | 1, "compass", ("I2C", 0, 0x0E, "IST8310")),
    (0x34 << 16 | 0x01 << 8 | 4 << 3 | 2, "imu", ("SPI", 4, 1, "ICM42688")),
    (0x2B << 16 | 0x02 << 8 | 1 << 3 | 2, "imu", ("SPI", 1, 2, "BMI088")),
    (0x0B << 16 | 0x03 << 8 | 2 << 3 | 2, "baro", ("SPI", 2, 3, "MS5611")),
    (0x06 << 16 | 0x76 << 8 | 31 << 3 | 1, "baro", ("I2C", 31, 0x76, "DPS310")),
    (0x01 << 16 | 125 << 8 | 0 << 3 | 3, "compass", ("DroneCAN", 0, 125, "DroneCAN compass")),
    (0xFE << 16 | 0x01 << 8 | 1, "imu", ("I2C", 0, 1, "type 254")),
    (658953, "compass", ("I2C", 1, 0x0E, "IST8310")),  # as the wiki lists it for an external IST8310
    (466441, "compass", ("I2C", 1, 0x1E, "HMC5883")),  # the well-known one of external HMC5843 modules
]


@pytest.mark.parametrize(("device_id", "kind", "expected"), IDS)
def test_a_device_id_is_taken_apart(device_id: int, kind: str, expected: tuple[str, int, int, str]) -> None:
    found = decode_device_id(device_id, kind)
    assert (found.bus, found.bus_number, found.address, found.type) == expected


@pytest.mark.parametrize(("version", "imus"), [("4.5.6", 2), ("4.7-dev", 2)])
def test_the_real_simulator_has_what_it_simulates(version: str, imus: int) -> None:
    parts = inventory(real(version))
    found = [p for p in parts if p.kind == "imu"]
    assert len(found) == imus
    assert {p.type for p in found} == {"SITL"}
    assert {p.type for p in parts if p.kind == "gps"} == {"auto"}
    assert any(p.kind == "baro" and p.type == "SITL" for p in parts)


FITTED = snapshot(
    ("INS_ACC_ID", 0x340122),
    ("INS_ACC2_ID", 0x2B020A),
    ("INS_ACC3_ID", 0),
    ("COMPASS_DEV_ID", 0x112009),
    ("COMPASS_EXTERNAL", 1),
    ("COMPASS_DEV_ID2", 0x0A0E01),
    ("COMPASS_EXTERN2", 0),
    ("BARO1_DEVID", 0x0B0312),
    ("GPS1_TYPE", 2),
    ("GPS2_TYPE", 0),
    ("BATT_MONITOR", 4),
)


def test_parts_say_where_they_are() -> None:
    parts = {(p.kind, p.number): p for p in inventory(FITTED)}
    assert (parts["compass", 1].type, parts["compass", 1].external) == ("RM3100", True)
    assert parts["compass", 1].place == "I2C bus 1, address 0x20"
    assert (parts["compass", 2].type, parts["compass", 2].external) == ("IST8310", False)
    assert parts["imu", 2] == Part("imu", 2, "BMI088", "SPI bus 1, address 0x02", None, "INS_ACC2_ID", 0x2B020A)
    assert ("imu", 3) not in parts
    assert ("gps", 2) not in parts


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("imu", ">=2"),
        ("imu", 2),
        ("imu", "<3"),
        ("compass", "external"),
        ("compass", "internal"),
        ("compass", "rm3100"),
        ("baro", "fitted"),
        ("gps", "u-blox"),
        ("gps", "=1"),
        ("can", "none"),
    ],
)
def test_what_is_fitted_is_found(kind: str, wanted: str | int) -> None:
    assert requirement_error(kind, wanted) == ""
    assert missing_parts({kind: wanted}, inventory(FITTED)) == ()


@pytest.mark.parametrize(
    ("kind", "wanted", "words"),
    [
        ("imu", ">=3", "fitted is: ICM42688, BMI088"),
        ("gps", 2, "fitted is: u-blox"),
        ("compass", "IST8308", "fitted is: RM3100 (external), IST8310 (internal)"),
        ("gnss.firmware", "SPG", "fitted is: u-blox (tells no firmware)"),
        ("gnss.speed", "fast", "firmware, type"),
        ("esc", 4, "fitted is: none"),
        ("can", "fitted", "fitted is: none"),
        ("baro", "none", "fitted is: MS5611"),
        ("airspeed", ">0", "fitted is: none"),
        ("gimbal", "fitted", "no kind of part"),
        ("baro", "external", "only a compass"),
        ("compass", "RM31", "no type of compass"),
    ],
)
def test_a_swapped_or_missing_part_is_a_finding(kind: str, wanted: str | int, words: str) -> None:
    (finding,) = missing_parts({kind: wanted}, inventory(FITTED))
    assert finding.severity == "error"
    assert words in finding.message
    assert finding.remedy
    assert ("can be asked itself" in finding.remedy) == (kind == "gnss.firmware")


@pytest.mark.parametrize("told", ["u-blox", "UBLOX", "u-blox NEO-M9N"])
def test_firmwares_write_one_maker_in_several_ways(told: str) -> None:
    parts = (Part("gps", 1, told, answers=True),)
    assert missing_parts({"gnss": "u-blox", "gnss.type": "ublox"}, parts) == ()
    assert missing_parts({"gnss": "blox"}, parts) != ()


def test_a_can_port_says_what_it_speaks_and_which_escs_it_commands() -> None:
    found = inventory(snapshot(("CAN_P1_DRIVER", 1), ("CAN_D1_PROTOCOL", 1), ("CAN_D1_UC_ESC_BM", 0b1111)))
    assert [(p.kind, p.type, p.place) for p in found] == [("can", "DroneCAN", "commands ESC 1, 2, 3, 4")]
    assert missing_parts({"can": "DroneCAN"}, found) == ()


def test_an_external_compass_that_was_lost_is_noticed() -> None:
    without = snapshot(("COMPASS_DEV_ID", 0x0A0E01), ("COMPASS_EXTERNAL", 0))
    assert missing_parts({"compass": "external"}, inventory(without)) != ()


def test_other_families_tell_nothing_by_their_settings() -> None:
    assert inventory(snapshot(("INS_ACC_ID", 5), family="px4")) == ()
