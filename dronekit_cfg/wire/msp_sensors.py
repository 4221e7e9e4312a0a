"""Payload layouts of the MSP messages that tell what a Betaflight or INAV vehicle measures.

Both firmwares grow messages at their end, so trailing fields are optional and then left out of the result. All numbers
are little endian [Betaflight 4.6.0 src/main/msp/msp.c; INAV 9.0.0 src/main/fc/fc_msp.c; replies of both simulators in
tests/golden]. Every reader raises ValueError when even the oldest form does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from construct import (
    Array,
    Construct,
    ConstructError,
    GreedyRange,
    Int8ul,
    Int16sl,
    Int16ul,
    Int32sl,
    Int32ul,
    Optional,
    Padding,
    Struct,
)

from dronekit_cfg.wire.msp_arming import betaflight_reasons, inav_reasons

__all__ = ["INAV_ONLY", "SENSOR_BITS", "SENSOR_MESSAGES", "read_sensor"]

Fields = Mapping[str, Any]

SENSOR_BITS = ("accelerometer", "barometer", "compass", "GNSS", "rangefinder", "gyro", "optical flow")
"""Bits of the field `sensors` of a status, from bit 0 on."""
HARDWARE_FAILURE = 1 << 15
"""INAV sets it in `sensors` when a part that is set up does not work."""

_AXES = Array(3, Int16sl)
_RAW_IMU = Struct("acc" / _AXES, "gyro" / _AXES, "mag" / _AXES)
_ATTITUDE = Struct("roll" / Int16sl, "pitch" / Int16sl, "yaw" / Int16sl)
_ALTITUDE = Struct("altitude" / Int32sl, "climb" / Optional(Int16sl), "baro" / Optional(Int32sl))
_RAW_GPS = Struct(
    "fix" / Int8ul,
    "satellites" / Int8ul,
    "latitude" / Int32sl,
    "longitude" / Int32sl,
    "altitude" / Int16ul,
    "speed" / Int16ul,
    "course" / Int16ul,
    "dop" / Optional(Int16ul),
)
_RC = Struct("channels" / GreedyRange(Int16ul))
_ANALOG = Struct(
    "legacy" / Int8ul, "used" / Int16ul, "rssi" / Int16ul, "current" / Int16sl, "voltage" / Optional(Int16ul)
)
_BATTERY = Struct(
    "cells" / Int8ul,
    "capacity" / Int16ul,
    "legacy" / Int8ul,
    "used" / Int16ul,
    "current" / Int16sl,
    "state" / Int8ul,
    "voltage" / Optional(Int16ul),
)
_SATELLITE = Struct("channel" / Int8ul, "id" / Int8ul, "quality" / Int8ul, "cn0" / Int8ul)
_SATELLITES = Struct("count" / Int8ul, "satellites" / GreedyRange(_SATELLITE))
_FLASH = Struct("flags" / Int8ul, "sectors" / Int32ul, "size" / Int32ul, "used" / Int32ul)
_CARD = Struct("flags" / Int8ul, "state" / Int8ul, "error" / Int8ul, "free" / Int32ul, "size" / Int32ul)
_PARTS = ("gyro", "accelerometer", "compass", "barometer", "GNSS", "rangefinder", "pitot", "optical flow")
_HEALTH = Struct("healthy" / Int8ul, "parts" / Array(len(_PARTS), Int8ul))
_MOTOR = Struct(
    "rpm" / Int32ul,
    "invalid" / Int16ul,
    "temperature" / Int8ul,
    "voltage" / Int16ul,
    "current" / Int16ul,
    "used" / Int16ul,
)
_OUTPUTS = Struct("pulses" / Array(8, Int16ul))
_FEATURES = Struct("features" / Int32ul)
_MOTOR_SETUP = Struct("lowest" / Int16ul, "highest" / Int16ul, "stop" / Int16ul, "count" / Optional(Int8ul))
_MOTORS = Struct("count" / Int8ul, "motors" / GreedyRange(_MOTOR))
_ESC = Struct(
    "age" / Int8ul,
    Padding(1),
    "temperature" / Int16sl,
    "voltage" / Int16sl,
    Padding(2),
    "current" / Int32sl,
    "rpm" / Int32ul,
)
_ESCS = Struct("count" / Int8ul, "motors" / GreedyRange(_ESC))
"""INAV sends its structure as the compiler lays it out (fc_msp.c, esc_sensor.h): fields at multiples of their size."""
_STATUS = Struct("cycle" / Int16ul, "i2c" / Int16ul, "sensors" / Int16ul, "modes" / Int32ul, "profile" / Int8ul)
_STATUS_END = Struct("load" / Int16ul, "profiles" / Int8ul, "rates" / Int8ul, "more" / Int8ul)
_INAV_STATUS = Struct(
    "cycle" / Int16ul, "i2c" / Int16ul, "sensors" / Int16ul, "load" / Int16ul, "profiles" / Int8ul, "flags" / Int32ul
)


def _parse(layout: Construct[Any, Any], payload: bytes) -> Any:
    try:
        return layout.parse(payload)
    except ConstructError as error:
        raise ValueError(f"{len(payload)} bytes are too short or damaged") from error


def _plain(layout: Construct[Any, Any]) -> Callable[[bytes, int], Fields]:
    def read(payload: bytes, _api_minor: int) -> Fields:
        found = _parse(layout, payload)
        return {name: value for name, value in found.items() if name != "_io" and value is not None}

    return read


def _status(payload: bytes, api_minor: int) -> Fields:
    """Read Betaflight's STATUS_EX: the flags and their number follow mode bytes of a length that it tells."""
    found = _parse(_STATUS, payload)
    end = _parse(_STATUS_END, payload[11:])
    rest = payload[16 + (end.more & 0x0F) :]
    if len(rest) < 5:
        raise ValueError(f"{len(payload)} bytes are too short")
    reasons = betaflight_reasons(int.from_bytes(rest[1:5], "little"), rest[0], api_minor)
    return {"cycle": found.cycle, "i2c": found.i2c, "sensors": found.sensors, "load": end.load, "reasons": reasons}


def _inav_status(payload: bytes, _api_minor: int) -> Fields:
    found = _parse(_INAV_STATUS, payload)
    return {
        "cycle": found.cycle,
        "i2c": found.i2c,
        "sensors": found.sensors & ~HARDWARE_FAILURE,
        "load": found.load,
        "reasons": inav_reasons(found.flags),
    }


def _health(payload: bytes, _api_minor: int) -> Fields:
    return dict(zip(_PARTS, _parse(_HEALTH, payload).parts, strict=True))


SENSOR_MESSAGES: Mapping[str, tuple[int, Callable[[bytes, int], Fields]]] = {
    "MSP_FEATURE_CONFIG": (36, _plain(_FEATURES)),
    "MSP_MOTOR": (104, _plain(_OUTPUTS)),
    "MSP_MOTOR_CONFIG": (131, _plain(_MOTOR_SETUP)),
    "MSP_RAW_IMU": (102, _plain(_RAW_IMU)),
    "MSP_RC": (105, _plain(_RC)),
    "MSP_RAW_GPS": (106, _plain(_RAW_GPS)),
    "MSP_ATTITUDE": (108, _plain(_ATTITUDE)),
    "MSP_ALTITUDE": (109, _plain(_ALTITUDE)),
    "MSP_ANALOG": (110, _plain(_ANALOG)),
    "MSP_BATTERY_STATE": (130, _plain(_BATTERY)),
    "MSP_MOTOR_TELEMETRY": (139, _plain(_MOTORS)),
    "MSP_GPSSVINFO": (164, _plain(_SATELLITES)),
    "MSP_DATAFLASH_SUMMARY": (70, _plain(_FLASH)),
    "MSP_SDCARD_SUMMARY": (79, _plain(_CARD)),
    "MSP_STATUS_EX": (150, _status),
    "MSP_SENSOR_STATUS": (151, _health),
    "MSP2_INAV_STATUS": (0x2000, _inav_status),
    "MSP2_INAV_ESC_TELEM": (0x2041, _plain(_ESCS)),
}
"""Message numbers and readers by the name of the message in the firmwares' sources."""
INAV_ONLY = frozenset({"MSP_SENSOR_STATUS", "MSP2_INAV_STATUS", "MSP2_INAV_ESC_TELEM"})


def read_sensor(name: str, payload: bytes, api_minor: int) -> Fields:
    """Read a reply. Units as sent: 0.1 deg (yaw: deg), deg/s, cm, cm/s, 1e-7 deg, us, mAh, 0.01 A, 0.01 V, dB-Hz, %.

    `voltage` is missing where the firmware is too old for it. A status has `reasons`, the names of what keeps the
    vehicle from arming. Raises ValueError for a damaged reply, KeyError for an unknown name.
    """
    return SENSOR_MESSAGES[name][1](payload, api_minor)
