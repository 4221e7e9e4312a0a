"""What vehicles of every family tell of their parts: by settings, by messages, by texts, by the `status` of a CLI."""

from __future__ import annotations

import contextlib
import struct

import pytest

from dronekit_cfg.catalog.inventory import inventory, missing_parts
from dronekit_cfg.catalog.inventory_cli import motor_parts, status_parts
from dronekit_cfg.engine.parts import join_parts
from dronekit_cfg.model import Identity, Kind, Setting, Snapshot, Value
from dronekit_cfg.model.part import Part
from dronekit_cfg.talk.flow import Session
from dronekit_cfg.talk.mavlink_conversation import Conversation
from dronekit_cfg.talk.mavlink_heard import PartsHeard
from dronekit_cfg.talk.mavlink_parts import heard_parts, parts_of_messages, parts_of_texts
from dronekit_cfg.wire.mavlink import MavlinkCodec, Message
from dronekit_cfg.wire.mavlink_layout import layout_of_id
from dronekit_cfg.wire.msp_sensors import read_sensor

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
        ("2026.12", {"imu": "VIRTUAL", "baro": "VIRTUAL", "gps": ""}),
        ("inav", {"imu": "FAKE", "baro": "FAKE", "compass": "FAKE"}),
    ],
)
def test_the_status_of_a_cli_names_what_was_found_at_boot(version: str, expected: dict[str, str]) -> None:
    assert {p.kind: p.type for p in status_parts(STATUS[version])} == expected


def test_a_receiver_on_betaflight_tells_its_generation() -> None:
    (part,) = status_parts("GPS: connected, UART3 115200 (set to 57600), configured, version =  M10\n")
    assert (part.kind, part.firmware, part.answers) == ("gps", "M10", True)
    (part,) = status_parts("GPS: NOT CONNECTED, UART3 115200 (set to AUTO), NOT CONFIGURED, version =  unknown\n")
    assert (part.kind, part.firmware, part.answers) == ("gps", "", False)


@pytest.mark.parametrize(("word", "answers"), [("OK", True), ("UNAVAILABLE", False), ("UNHEALTHY", False)])
def test_inav_says_whether_its_receiver_answers(word: str, answers: bool) -> None:
    (part,) = status_parts(f"Sensor status: GYRO=OK, ACC=OK, MAG=NONE, BARO=NONE, GPS={word}\n")
    assert (part.kind, part.answers) == ("gps", answers)


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
        "RCOut: PWM:1-4 DS600:9-12",
        "Frame: HEXA/X",
    ]
    parts = {p.kind: p for p in parts_of_texts(texts)}
    assert parts["board"].type == "CubeOrange"
    assert (parts["gps"].type, parts["gps"].place) == ("u-blox", "230400 baud")
    assert parts["gps"].firmware == "ROM SPG 5.10 (7b202e) (000A0000)"
    assert parts["radio"].type == "RC receiver, CRSF(1)"
    assert parts["output"].type == "PWM:1-4 DS600:9-12"
    assert set(parts) == {"board", "gps", "radio", "output"}


def test_texts_of_4_7_name_the_module_of_a_receiver_and_the_firmware_of_a_radio() -> None:
    # AP_GPS_UBLOX.cpp, AP_GPS.cpp and AP_CRSF_Telem.cpp of 4.7-dev
    parts = {
        (p.kind, p.number): p
        for p in parts_of_texts(
            [
                "GPS 1: probing for u-blox at 230400 baud",
                "GPS 1: detected u-blox",
                "u-blox NEO-M9N 1 HW: 00190000 SW: EXT CORE 4.04 (7f89f7)",
                "GPS 2: was not found",
                "RCInput: decoding CRSF (Bytes)",
                "ELRS: bootstrap complete, fw 3.05",
                "CAN[42] here4: GNSS ready",
            ]
        )
    }
    assert parts["gps", 1].type == "u-blox NEO-M9N"
    assert parts["gps", 1].firmware == "EXT CORE 4.04 (7f89f7) (00190000)"
    assert parts["gps", 2].answers is False
    assert (parts["node", 42].place, parts["node", 42].answers) == ("node 42", True)
    assert (parts["radio", 1].type, parts["radio", 1].firmware) == ("RC receiver, ELRS", "3.05")


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
    assert parts["radio", 9].place == "address 51:68"
    assert parts["radio", 9].type == "telemetry radio, SiK"


def test_px4_tells_of_its_escs_and_which_of_them_are_silent() -> None:
    # packed by hand: time 0, error counts, counter 7, no failures, temperatures, first 0, 4 in all, DShot (5), 0b1011
    payload = struct.pack("<Q4IH4H4h4B", 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 2500, 2500, 0, 2500, 0, 4, 5, 0b1011)
    layout = layout_of_id(290)
    assert layout is not None
    assert (layout.base_size, layout.crc_extra) == (46, 251)  # MAVLINK_MSG_ID_290_LEN and _CRC of the C headers
    told = parts_of_messages([Message("ESC_INFO", 1, 1, layout.decode(payload))])
    assert [(p.kind, p.number, p.type, p.answers) for p in told] == [
        ("esc", n, "ESC on DShot", n != 3) for n in (1, 2, 3, 4)
    ]
    silent = missing_parts({"esc": 4}, told)
    assert "ESC on DShot (does not answer)" in silent[0].message
    assert missing_parts({"esc": 3}, told) == ()


def test_the_speed_of_a_motor_tells_of_its_esc_too() -> None:
    layout = layout_of_id(291)
    assert layout is not None
    assert (layout.base_size, layout.crc_extra) == (57, 10)
    payload = struct.pack("<Q4i4f4fB", 0, 900, 0, -900, 0, 0, 16.2, 0, 0, 0, 0, 0, 0, 4)
    told = parts_of_messages([Message("ESC_STATUS", 1, 1, layout.decode(payload))])
    assert [(p.number, p.answers) for p in told] == [(5, True), (6, True), (7, True)]


def test_a_calibrated_compass_that_px4_no_longer_finds_is_not_fitted() -> None:
    settings = inventory(snapshot("px4", ("CAL_MAG0_ID", 0x070E09), ("CAL_ACC0_ID", 0x260A0A)))
    told = parts_of_messages([Message("SYS_STATUS", 1, 1, {"onboard_control_sensors_present": 0x2B})])
    parts = join_parts(Identity("px4", "copter", "1", "1", "50", "aa"), settings, told)
    compass = next(p for p in parts if p.kind == "compass")
    assert (compass.type, compass.answers) == ("RM3100", False)
    assert [f.id for f in missing_parts({"compass": "fitted"}, parts)] == ["part-missing"]
    assert missing_parts({"imu": 1}, parts) == ()


def test_what_sends_heartbeats_beside_the_autopilot_is_a_part() -> None:
    told = parts_of_messages([Message("HEARTBEAT", 1, 236, {"type": 34}), Message("HEARTBEAT", 1, 190, {"type": 6})])
    assert [(p.kind, p.number, p.type) for p in told] == [("component", 236, "Remote ID")]


def test_an_smbus_battery_gives_its_name_and_number() -> None:
    fields = {"id": 1, "serial_number": "4711", "device_name": "TB60"}
    (part,) = parts_of_messages([Message("SMART_BATTERY_INFO", 1, 1, fields)])
    assert (part.kind, part.number, part.type, part.place) == ("battery", 2, "TB60", "serial number 4711")


MOTOR = {"rpm": 0, "invalid": 0, "temperature": 0, "voltage": 0, "current": 0, "used": 0}


def test_the_escs_of_betaflight_are_those_that_answer() -> None:
    silent = {**MOTOR, "invalid": 10_000}
    dshot = snapshot("betaflight", ("dshot_bidir", "ON"), ("motor_pwm_protocol", "DSHOT600"))
    told = motor_parts([MOTOR, silent, MOTOR, MOTOR], dshot)
    assert [(p.number, p.type, p.answers) for p in told] == [(n, "ESC on DSHOT600", True) for n in (1, 3, 4)]
    # without bidirectional DShot zeros say nothing; a telemetry wire tells a voltage
    plain = snapshot("betaflight", ("feature.ESC_SENSOR", "ON"), ("dshot_bidir", "OFF"))
    assert [(p.number, p.answers) for p in motor_parts([MOTOR] * 4, plain)] == [(0, False)]
    assert [p.number for p in motor_parts([MOTOR, {**MOTOR, "voltage": 1610}], plain)] == [2]


def test_the_escs_of_inav_are_those_whose_telemetry_is_fresh() -> None:
    # count, then age, temperature, voltage, current, rpm as an ARM compiler lays them out
    one = struct.pack("<BxhhxxiI", 3, 31, 1620, 12, 0)
    none = struct.pack("<BxhhxxiI", 255, 0, 0, 0, 0)
    fields = read_sensor("MSP2_INAV_ESC_TELEM", bytes([2]) + one + none, 5)
    assert [dict(m)["voltage"] for m in fields["motors"]] == [1620, 0]
    assert [p.number for p in motor_parts(fields["motors"], snapshot("inav"))] == [1]


def test_a_radio_is_heard_though_nobody_asks_and_though_it_is_no_part_of_the_vehicle() -> None:
    conversation = Conversation(Session(lambda: 0.0), MavlinkCodec())
    conversation.system = conversation.component = 1
    flow = conversation.next(until=5.0)
    next(flow)
    for message in (
        Message("RADIO_STATUS", 51, 68, {"rssi": 180}),
        Message("HEARTBEAT", 9, 1, {"type": 18, "autopilot": 8}),
        Message("STATUSTEXT", 1, 1, {"severity": 6, "text": "u-blox 1 HW: 00190000 SW: EXT CORE 1", "id": 0}),
    ):
        with contextlib.suppress(StopIteration):
            flow.send(message)
    parts = {(p.kind, p.number): p for p in heard_parts(conversation)}
    assert set(parts) == {("radio", 9), ("gps", 1)}  # the companion computer of another vehicle is none of ours
    assert parts["gps", 1].firmware == "EXT CORE 1 (00190000)"


def test_what_was_found_before_a_restart_is_not_forgotten_while_the_vehicle_starts() -> None:
    heard = PartsHeard()

    def say(seconds: float, fix: int, present: int) -> dict[str, bool | None]:
        heard.message(Message("SYSTEM_TIME", 1, 1, {"time_boot_ms": seconds * 1000}), mine=True)
        heard.message(Message("GPS_RAW_INT", 1, 1, {"fix_type": fix}), mine=True)
        heard.message(Message("SYS_STATUS", 1, 1, {"onboard_control_sensors_present": present}), mine=True)
        return {p.kind: p.answers for p in parts_of_messages(list(heard.messages.values()))}

    everything, nothing = 0x1002F, 0x3
    assert say(4, 0, nothing) == {"gps": False, "compass": False, "baro": False, "radio": False}
    told = parts_of_messages(list(heard.messages.values()))
    assert {p.place for p in told if p.kind == "gps"} == {"does not answer, 4 s after the start"}
    assert say(6, 3, 0x27) == {"gps": True, "baro": False, "radio": False}  # it has found some of them by now
    assert say(100, 3, everything) == {"gps": True, "radio": True}
    assert say(4, 0, nothing) == {"gps": True, "radio": True}  # it has restarted
    assert say(60, 3, nothing)["compass"] is False  # and by now it should have found it


def test_a_chatty_link_does_not_fill_the_memory() -> None:
    heard = PartsHeard()
    for n in range(1000):
        heard.message(Message("UAVCAN_NODE_INFO", 1, n % 256, {"name": "x"}), mine=False)
        heard.message(Message("RADIO_STATUS", n % 256, 68, {}), mine=False)
        heard.text(f"GPS 1: detected {n}")
    assert len(heard.messages) <= 64
    assert len(heard.texts) <= 64


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
