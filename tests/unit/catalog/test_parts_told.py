"""What vehicles of every family tell of their parts: by settings, by messages, by texts, by the `status` of a CLI."""

from __future__ import annotations

from pathlib import Path

import pytest

from dronekit_cfg.catalog.inventory import inventory, missing_parts
from dronekit_cfg.catalog.inventory_cli import status_parts
from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.engine.goals import goal_from_profile
from dronekit_cfg.engine.parts import fitted_parts, join_parts
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import apply
from dronekit_cfg.formats.compose import resolve
from dronekit_cfg.formats.library import Library
from dronekit_cfg.formats.receipt_json import dump_receipt, load_receipt
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model import Identity, Kind, Setting, Snapshot, Value
from dronekit_cfg.model.part import Part
from dronekit_cfg.talk.mavlink_parts import parts_of_messages, parts_of_texts
from dronekit_cfg.wire.mavlink import Message

# What the real simulators answered to `status` (Betaflight 4.6.0 and 2026.12, INAV 9.0.0).
STATUS = {
    "4.6": "Gyros detected: gyro 1, gyro 2\nGYRO=VIRTUAL, ACC=VIRTUAL, BARO=VIRTUAL\nI2C Errors: 0\n",
    "2026.12": "DEVICES DETECTED:\nGYRO: (1) VIRTUAL enabled\nACC: VIRTUAL\nBARO: VIRTUAL\nMAG: AUTO\n"
    "GPS: NOT CONNECTED, VIRTUAL\n",
    "inav": "CPU Clock=500MHz, GYRO=FAKE, ACC=FAKE, BARO=FAKE, MAG=FAKE\n"
    "Sensor status: GYRO=OK, ACC=OK, MAG=OK, BARO=OK, RANGEFINDER=NONE, OPFLOW=NONE, GPS=NONE\n",
}


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("4.6", {"imu": "VIRTUAL", "baro": "VIRTUAL"}),
        ("2026.12", {"imu": "VIRTUAL", "baro": "VIRTUAL"}),
        ("inav", {"imu": "FAKE", "baro": "FAKE", "compass": "FAKE"}),
    ],
)
def test_the_status_of_a_cli_names_what_was_found_at_boot(version: str, expected: dict[str, str]) -> None:
    assert {p.kind: p.type for p in status_parts(STATUS[version])} == expected


def test_a_receiver_on_betaflight_tells_its_generation() -> None:
    (part,) = status_parts("GPS: connected, UART3 115200 (set to 57600), configured, version = M10\n")
    assert (part.kind, part.firmware) == ("gps", "M10")


def snapshot(family: str, *settings: tuple[str, float | str]) -> Snapshot:
    made = [Setting(n, Value(Kind.TEXT, v) if isinstance(v, str) else Value(Kind.INT32, v), None) for n, v in settings]
    return Snapshot(Identity(family, "copter", "1", "1", "50", "aa"), "2026-11-22T20:00:00Z", "list", tuple(made))


def test_px4_device_ids_are_taken_apart() -> None:
    # 1310988 and 197388 are what the recorded simulation in hardware has; 0x260A0A is packed by hand: SPI (2), bus 1,
    # chip select 10, type 0x26 (ICM42688P); 0x070E09 is I2C (1), bus 1, address 0x0E, type 7 (RM3100)
    told = inventory(
        snapshot(
            "px4",
            ("CAL_ACC0_ID", 1310988),
            ("CAL_ACC1_ID", 0x260A0A),
            ("CAL_MAG0_ID", 0x070E09),
            ("CAL_MAG0_ROT", 6),
            ("CAL_MAG1_ID", 197388),
            ("CAL_MAG1_ROT", -1),
            ("BAT1_SOURCE", 2),
            ("GPS_1_CONFIG", 201),
            ("GPS_1_PROTOCOL", 1),
        )
    )
    parts = {(p.kind, p.number): (p.type, p.place, p.external) for p in told}
    assert parts["imu", 1][0] == "simulated"
    assert parts["imu", 2] == ("ICM42688P", "SPI bus 1, address 0x0A", None)
    assert parts["compass", 1] == ("RM3100", "I2C bus 1, address 0x0E", True)
    assert parts["compass", 2][2] is False
    assert parts["gps", 1][:2] == ("u-blox", "GPS1")
    assert parts["battery", 1][0] == "ESC telemetry"


def test_dronecan_nodes_receivers_and_radios_are_found_with_their_places() -> None:
    told = inventory(
        snapshot(
            "ardupilot",
            ("COMPASS_DEV_ID", 0x017D03),  # DroneCAN (3), bus 0, node 125, sensor 1
            ("GPS1_TYPE", 2),
            ("GPS2_TYPE", 9),
            ("GPS2_CAN_NODEID", 42),
            ("SERIAL3_PROTOCOL", 5),
            ("SERIAL2_PROTOCOL", 23),
            ("RC_PROTOCOLS", 512),
            ("FLOW_TYPE", 7),
        )
    )
    parts = {(p.kind, p.number): (p.type, p.place) for p in told}
    assert parts["gps", 1] == ("u-blox", "SERIAL3")
    assert parts["gps", 2] == ("DroneCAN", "DroneCAN node 42")
    assert parts["radio", 1] == ("RC receiver, CRSF", "SERIAL2")
    assert parts["flow", 1][0] == "MSP"
    assert {number for kind, number in parts if kind == "node"} == {42, 125}
    assert missing_parts({"node": ">=2", "radio": "fitted", "flow": "MSP"}, told) == ()


def test_where_betaflight_has_its_receivers_is_read_from_the_ports() -> None:
    told = inventory(
        snapshot(
            "betaflight",
            ("feature.GPS", "ON"),
            ("gps_provider", "UBLOX"),
            ("feature.RX_SERIAL", "ON"),
            ("serialrx_provider", "CRSF"),
            ("serial.UART2", "64 115200 57600 0 115200"),
            ("serial.UART3", "2 115200 57600 0 115200"),
        )
    )
    assert {(p.kind, p.type, p.place) for p in told} == {
        ("gps", "UBLOX", "UART3"),
        ("radio", "RC receiver, CRSF", "UART2"),
    }


def test_texts_name_the_board_and_the_firmware_of_a_receiver() -> None:
    # the forms of ArduPilot's GCS_Common.cpp (banner) and of its GPS drivers
    texts = [
        "ArduCopter V4.6.3 (3fc7011a)",
        "CubeOrange 0036001F 3133510A 33363639",
        "GPS 1: detected as u-blox at 230400 baud",
        "u-blox 1 HW: 000A0000 SW: ROM SPG 5.10 (7b202e)",
        "RCInput: decoding CRSF(1)",
        "Frame: HEXA/X",
    ]
    parts = {p.kind: p for p in parts_of_texts(texts)}
    assert parts["board"].type == "CubeOrange"
    assert parts["gps"].firmware == "ROM SPG 5.10 (7b202e) (000A0000)"
    assert parts["radio"].type == "RC receiver, CRSF(1)"
    assert set(parts) == {"board", "gps", "radio"}


def test_messages_tell_of_escs_batteries_and_radios() -> None:
    esc = {"count": (4672, 4672, 0, 0), "rpm": (0, 0, 0, 0)}
    battery = {"id": 0, "voltages": (12600, *([65535] * 9))}
    node = {"name": "org.ardupilot.f303", "sw_version_major": 1, "sw_version_minor": 4}
    told = parts_of_messages(
        [
            Message("ESC_TELEMETRY_1_TO_4", 1, 1, esc),
            Message("BATTERY_STATUS", 1, 1, battery),
            Message("RADIO_STATUS", 51, 68, {}),
            Message("UAVCAN_NODE_INFO", 1, 125, node),
            Message("GPS_RAW_INT", 1, 1, {"fix_type": 0}),
        ]
    )
    parts = {(p.kind, p.number): p for p in told}
    assert {k for k in parts if k[0] == "esc"} == {("esc", 1), ("esc", 2)}
    assert parts["battery", 1].place == "12.6 V"
    assert (parts["node", 125].type, parts["node", 125].firmware) == ("org.ardupilot.f303", "1.4")
    assert parts["gps", 1].place == "does not answer"
    assert ("radio", 9) in parts


def test_two_tellings_of_one_part_become_one() -> None:
    identity = Identity("ardupilot", "copter", "4.7.0", "4.7.0", "140", "00ff")
    settings = (Part("gps", 1, "auto", "SERIAL3", setting="GPS1_TYPE"), Part("imu", 1, "BMI088"))
    told = (
        Part("gps", 1, "u-blox", setting="STATUSTEXT", firmware="SPG 5.10"),
        Part("board", 1, "CubeOrange", setting="STATUSTEXT"),
        Part("gps", 2, "", "does not answer", setting="GPS2_RAW"),
    )
    board, imu, gps = join_parts(identity, settings, told)
    assert (board.kind, board.type, board.place) == ("board", "CubeOrange (140)", "uid 00ff")
    assert imu.type == "BMI088"
    assert (gps.type, gps.place, gps.firmware) == ("u-blox", "SERIAL3", "SPG 5.10")
    assert gps.setting == "GPS1_TYPE, STATUSTEXT"


@pytest.mark.parametrize(
    ("link", "kinds"),
    [
        ("sim:ardupilot-copter", {"board", "imu", "compass", "baro", "gps", "battery", "node"}),
        ("sim:px4-copter", {"board", "imu", "compass", "battery"}),
        ("sim:inav", {"board", "imu", "compass", "baro", "battery"}),
    ],
)
def test_a_connected_vehicle_tells_of_its_parts(link: str, kinds: set[str], tmp_path: Path) -> None:
    with connect(LinkOptions(f"{link}?fresh", state_dir=tmp_path), clock=VirtualClock()) as connection:
        parts = fitted_parts(connection, connection.snapshot())
    assert {p.kind for p in parts} >= kinds
    assert parts[0].kind == "board"
    assert parts[0].place.startswith("uid ")


def test_a_receipt_names_every_part(tmp_path: Path) -> None:
    state = StateDir(tmp_path)
    wish = resolve("heavy-lift", Library(), family="ardupilot", inputs={"cells": "6"})
    options = LinkOptions("sim:ardupilot-copter?fresh", state_dir=tmp_path)
    with connect(options, clock=VirtualClock()) as connection:
        receipt = apply(connection, goal_from_profile(wish), state)
    kinds = {p.kind for p in receipt.parts}
    assert kinds >= {"board", "imu", "compass", "baro", "gps", "battery"}
    gps = next(p for p in receipt.parts if p.kind == "gps")
    assert (gps.type, gps.setting) == ("u-blox", "GPS1_TYPE")
    assert load_receipt(dump_receipt(receipt), "r.json").parts == receipt.parts
