"""What the simulated Betaflight and INAV boards measure: an FPV quad at rest on a bench, sound or with broken parts.

The recorded simulators have no sensors to speak of (nobody feeds them), so these numbers are made: gyro, accelerometer,
barometer, compass and a GNSS receiver at rest, a charged 4S pack, a transmitter with its sticks at rest. Layouts are
those of `wire.msp_sensors`; packed here by hand, so that the reader is not tested against itself.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from random import Random

from dronekit_cfg.families.betaflight.simulated_motors import MOTOR_FAULTS, BenchMotors

__all__ = ["SENSOR_FAULTS", "BenchSensors"]

SENSOR_FAULTS: Mapping[str, str] = {
    "accel-scale": "its accelerometer reads 10 % too much",
    "baro-drift": "its height drifts by 8 m/min",
    "baro-noise": "its height jumps by a metre",
    "bus-errors": "its I2C bus makes errors",
    "compass-swing": "the field at its compass swings",
    "cpu-load": "its processor is at 97 %",
    "dead-compass": "its compass reads zeros",
    "empty-battery": "its battery is at 3.2 V a cell",
    "few-satellites": "it sees 5 satellites",
    "gyro-bias": "its gyro shows 3 deg/s at rest",
    "gyro-noise": "its gyro is noisy",
    "log-full": "its flash chip is full",
    "low-rssi": "its receiver reports a signal of 20 %",
    **MOTOR_FAULTS,
    "no-fix": "its GNSS receiver has no fix",
    "no-gyro": "it finds no gyro",
    "no-rc": "its radio link is lost",
    "not-calibrated": "its accelerometer was never calibrated",
    "poor-dop": "its satellites stand badly",
    "rescue-switch": "its GPS rescue switch is on",
    "stick-off": "its pitch stick rests at 1600 us",
    "throttle-up": "its throttle rests at 1200 us",
    "tilted": "it stands 6 deg tilted",
    "weak-signals": "it hears satellites with 28 dB-Hz",
}
"""Broken parts by the name that users type; an empty argument each."""

_ACC, _BARO, _MAG, _GNSS, _GYRO = 1, 2, 4, 8, 32
_BF_FLAGS = {"no-gyro": 0, "no-rc": 2, "cpu-load": 11, "rescue-switch": 19, "not-calibrated": 23}
_INAV_FLAGS = {"no-rc": 18, "cpu-load": 10, "no-gyro": 15, "not-calibrated": 13}
_INAV_STATES = 0x3F
"""Low bits of INAV's flags: states such as armed, not reasons."""
_LOAD = {"betaflight": (2048, 25), "inav": (512, 20)}
_OFF = 885


class BenchSensors:
    """Sensors of one twin. `faults` are names of SENSOR_FAULTS."""

    def __init__(self, family: str, faults: frozenset[str] = frozenset(), random: Random | None = None) -> None:
        self.family = family
        self.faults = faults
        self.motors = BenchMotors(family)
        self._random = random or Random(0)  # noqa: S311  simulation, no secret
        self._errors = 0
        self._one_g, self._load = _LOAD[family]
        self._messages: Mapping[int, Callable[[float], bytes | None]] = {
            70: lambda _: struct.pack("<BIII", 3, 256, 1 << 24, (1 << 24) if self._broken("log-full") else 1 << 20),
            79: lambda _: bytes(11),
            102: self._raw_imu,
            105: self._rc,
            106: self._gnss,
            108: lambda _: struct.pack("<hhh", 60 if self._broken("tilted") else 3, -4, 120),
            109: self._altitude,
            110: lambda _: struct.pack("<BHHhH", 162, 0, 204 if self._broken("low-rssi") else 990, 40, self._volts()),
            130: self._battery,
            164: self._satellites,
        }
        if family == "inav":
            gyro = 2 if self._broken("no-gyro") else 1
            self._messages = {**self._messages, 151: lambda _: bytes([gyro == 1, gyro, 1, 1, 1, 1, 0, 0, 0])}

    def power_up(self) -> None:
        """Forget what a reboot ends: motors stop."""
        self.motors = BenchMotors(self.family)

    def answer(self, code: int, payload: bytes, now: float) -> bytes | None:
        """Give the payload of a message of sensors or motors, None for any other message."""
        make = self._messages.get(code)
        return make(now) if make else self.motors.answer(code, payload, self.faults)

    def status(self, code: int, recorded: bytes) -> bytes:
        """Put sensors, load, bus errors and arming flags into a recorded status (101, 150 or INAV's 0x2000)."""
        self._errors += self._broken("bus-errors")
        sensors = _ACC | _BARO | _MAG | _GNSS | (0 if self._broken("no-gyro") else _GYRO)
        load = 97 if self._broken("cpu-load") else self._load
        head = recorded[:2] + struct.pack("<HH", self._errors, sensors)
        table = _INAV_FLAGS if self.family == "inav" else _BF_FLAGS
        flags = sum(1 << table[f] for f in self.faults if f in table)
        if code == 0x2000:
            flags |= recorded[9] & _INAV_STATES
            return head + struct.pack("<H", load) + recorded[8:9] + struct.pack("<I", flags) + recorded[13:]
        if self.family == "inav":
            return head + recorded[6:]
        more = recorded[15] & 0x0F
        middle = recorded[6:11] + struct.pack("<H", load) + recorded[13 : 17 + more]
        return head + middle + struct.pack("<I", flags) + recorded[21 + more :]

    def _broken(self, fault: str) -> bool:
        return fault in self.faults

    def _raw_imu(self, now: float) -> bytes:
        del now
        noise = 6.0 if self._broken("gyro-noise") else 0.3
        bias = 3 if self._broken("gyro-bias") else 0
        gyro = [round(self._random.gauss(bias, noise)) for _ in range(3)]
        if self._broken("no-gyro"):
            gyro = [0, 0, 0]
        scale = self._one_g * (1.1 if self._broken("accel-scale") else 1.0)
        acc = [round(self._random.gauss(0, 4)), round(self._random.gauss(0, 4)), round(self._random.gauss(scale, 4))]
        swing = 1.5 if self._broken("compass-swing") and self._random.random() < 0.5 else 1.0
        mag = (
            [0, 0, 0] if self._broken("dead-compass") else [round(400 * swing), round(120 * swing), round(700 * swing)]
        )
        return struct.pack("<9h", *acc, *gyro, *mag)

    def _rc(self, now: float) -> bytes:
        del now
        if self._broken("no-rc"):
            return struct.pack("<16H", 1500, 1500, 1500, _OFF, *[1500] * 12)
        pitch = 1600 if self._broken("stick-off") else 1500
        return struct.pack("<16H", 1502, pitch, 1499, 1200 if self._broken("throttle-up") else 988, *[1000] * 12)

    def _gnss(self, now: float) -> bytes:
        del now
        fix = 0 if self._broken("no-fix") else 1 if self.family == "betaflight" else 2
        seen = 5 if self._broken("few-satellites") else 16
        dop = 420 if self._broken("poor-dop") else 110
        return struct.pack("<BBiiHHHH", fix, seen, 504500000, 305200000, 120, 4, 0, dop)

    def _satellites(self, now: float) -> bytes:
        del now
        strength = 28 if self._broken("weak-signals") else 44
        return bytes([12]) + b"".join(bytes([i, i + 1, 7, strength - i % 3]) for i in range(12))

    def _altitude(self, now: float) -> bytes:
        noise = 100.0 if self._broken("baro-noise") else 4.0
        drift = now * 800 / 60 if self._broken("baro-drift") else 0.0
        height = round(drift + self._random.gauss(0, noise))
        return struct.pack("<ih", height, 0) + (struct.pack("<i", height) if self.family == "inav" else b"")

    def _volts(self) -> int:
        return 1280 if self._broken("empty-battery") else 1620

    def _battery(self, now: float) -> bytes:
        del now
        volts = self._volts()
        state = 2 if self._broken("empty-battery") else 0
        return struct.pack("<BHBHhBH", 4, 1500, volts // 10, 0, 40, state, volts)
