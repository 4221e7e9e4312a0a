"""The motors of the simulated Betaflight and INAV boards: four, driven over MSP, with ESCs that tell their speed.

Like the real firmware they turn until they are set back; nothing ends that but another command or a power cycle (seen
on Betaflight 2026.12). INAV takes eight pulses or nothing; Betaflight as many as come.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

__all__ = ["MOTOR_FAULTS", "BenchMotors"]

MOTOR_FAULTS = {
    "motor-refused": "it takes no motor commands",
    "motor-slow": "its third motor turns a third slower",
    "motor-stuck": "its second motor goes on turning when it is stopped",
    "motors-together": "all its motors turn when one is to turn",
}
"""Broken motors by the name that users type."""

COUNT, SLOTS = 4, 8
STOP = 1000
FEATURES, MOTORS, TELEMETRY, SETUP, SET_MOTOR, SET_ARMING = 36, 104, 139, 131, 214, 99
PLAIN_FEATURES = {"betaflight": 0x10404000, "inav": 0x20400806}
"""Features as the real simulators tell them."""
RPM_PER_MICROSECOND = 90
REFUSED = b"\xff refused"


class BenchMotors:
    """Motors of one twin. `pulses` are what the outputs send, in us."""

    def __init__(self, family: str) -> None:
        self.family = family
        self.pulses = [STOP] * COUNT
        self.arming_off = False

    def answer(self, code: int, payload: bytes, faults: frozenset[str]) -> bytes | None:
        """Give the payload of a message about motors, REFUSED for a refusal, None for any other message."""
        answers: dict[int, Callable[[], bytes]] = {
            MOTORS: lambda: struct.pack(f"<{SLOTS}H", *self.pulses, *[0] * (SLOTS - COUNT)),
            FEATURES: lambda: struct.pack("<I", PLAIN_FEATURES[self.family]),
            SET_MOTOR: lambda: self._set(payload, faults),
            SETUP: lambda: struct.pack("<HHHBBBB", 0, 2000, STOP, COUNT, 14, 1, 0),
            TELEMETRY: lambda: bytes([COUNT]) + b"".join(self._told(n, faults) for n in range(COUNT)),
            SET_ARMING: lambda: self._keep_from_arming(payload),
        }
        if self.family == "inav" and code in (SETUP, TELEMETRY, SET_ARMING):
            return REFUSED
        answer = answers.get(code)
        return answer() if answer else None

    def _keep_from_arming(self, payload: bytes) -> bytes:
        self.arming_off = payload[:1] == b"\x01"
        return b""

    def _set(self, payload: bytes, faults: frozenset[str]) -> bytes:
        if "motor-refused" in faults or (self.family == "inav" and len(payload) != 2 * SLOTS):
            return REFUSED
        wanted = struct.unpack(f"<{len(payload) // 2}H", payload)[:COUNT]
        if "motors-together" in faults and max(wanted) > STOP:
            wanted = (max(wanted),) * COUNT
        for n, pulse in enumerate(wanted):
            if not ("motor-stuck" in faults and n == 1 and pulse == STOP):
                self.pulses[n] = pulse
        return b""

    def _told(self, motor: int, faults: frozenset[str]) -> bytes:
        rpm = (self.pulses[motor] - STOP) * RPM_PER_MICROSECOND
        if "motor-slow" in faults and motor == 2:
            rpm = rpm * 2 // 3
        return struct.pack("<IHBHHH", rpm, 0, 25, 1600, 0, 0)
