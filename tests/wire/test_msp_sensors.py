"""Sensor messages: the bytes that the real Betaflight 4.6.0 and INAV 9.0.0 simulators sent, and damaged ones."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dronekit_cfg.wire.msp_sensors import SENSOR_MESSAGES, read_sensor


def test_betaflight_at_boot_says_why_it_does_not_arm() -> None:
    found = read_sensor("MSP_STATUS_EX", bytes.fromhex("820000002300000000000000000400001d0403000000000004"), 47)
    assert found == {"cycle": 130, "i2c": 0, "sensors": 0x23, "load": 0, "reasons": ("RXLOSS", "ANGLE", "BOOTGRACE")}


def test_inav_says_why_it_does_not_arm() -> None:
    found = read_sensor("MSP2_INAV_STATUS", bytes.fromhex("f5010000870000000000220400000000000000000000"), 5)
    assert found["reasons"] == ("CALIBRATING", "ACC_CAL", "RC_LINK")
    assert found["sensors"] == 0x87


def test_inav_tells_the_state_of_each_part() -> None:
    found = read_sensor("MSP_SENSOR_STATUS", bytes.fromhex("010101010100000000"), 5)
    assert {part for part, state in found.items() if state == 1} == {"gyro", "accelerometer", "compass", "barometer"}


def test_sticks_come_in_the_firmwares_order() -> None:
    payload = bytes.fromhex("dc05dc05dc057503dc05dc05")
    assert list(read_sensor("MSP_RC", payload, 47)["channels"]) == [1500, 1500, 1500, 885, 1500, 1500]


def test_no_receiver_is_no_channel() -> None:
    assert list(read_sensor("MSP_RC", b"", 5)["channels"]) == []


def test_an_old_battery_message_has_no_fine_voltage() -> None:
    assert "voltage" not in read_sensor("MSP_ANALOG", bytes.fromhex("00000000000000"), 5)
    assert read_sensor("MSP_BATTERY_STATE", bytes.fromhex("0000000000000000040000"), 47)["state"] == 4


def test_satellites_are_told_one_by_one() -> None:
    (only,) = read_sensor("MSP_GPSSVINFO", bytes.fromhex("0100006363"), 5)["satellites"]
    assert (only["quality"], only["cn0"]) == (99, 99)


def test_motors_are_told_one_by_one() -> None:
    payload = bytes([1]) + (5230).to_bytes(4, "little") + (12).to_bytes(2, "little") + bytes([41]) + bytes(6)
    (motor,) = read_sensor("MSP_MOTOR_TELEMETRY", payload, 47)["motors"]
    assert (motor["rpm"], motor["invalid"], motor["temperature"]) == (5230, 12, 41)


@pytest.mark.parametrize("name", sorted(set(SENSOR_MESSAGES) - {"MSP_RC"}))
def test_a_cut_message_is_damaged(name: str) -> None:
    with pytest.raises(ValueError, match="too short"):
        read_sensor(name, b"", 47)


@given(st.sampled_from(sorted(SENSOR_MESSAGES)), st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(name: str, payload: bytes) -> None:
    found = None
    with contextlib.suppress(ValueError):
        found = read_sensor(name, payload, 47)
    assert found is None or all(isinstance(key, str) for key in found)
