"""The motors of the simulated PX4 copter: ACTUATOR_TEST turns one, which shows in outputs and speeds.

As the real one it refuses the test while armed or with COM_MOT_TEST_EN = 0, and ends it after the time sent with the
command, 3 s at most [PX4 src/modules/commander/Commander.cpp handleCommandActuatorTest; pulses seen on its simulator].
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dronekit_cfg.sim.agenda import Agenda
from dronekit_cfg.sim.faults import Faults

__all__ = ["Motors"]

ACCEPTED, DENIED, UNSUPPORTED = 0, 2, 3
COUNT = 4
LIMIT = 3.0
REST, SPAN = 1000, 1000
RPM_PER_SHARE = 90_000


class Motors:
    """`allowed` tells whether the vehicle would test a motor now."""

    def __init__(self, faults: Faults, agenda: Agenda, allowed: Callable[[], bool]) -> None:
        self._bench = faults.bench
        self._agenda = agenda
        self._allowed = allowed
        self._shares: dict[int, float] = {}
        self._turn = 0

    def test(self, params: Sequence[float], now: float) -> int:
        """Do what the command asks for."""
        motor, share, seconds = int(params[4] + 0.5), params[0], min(params[1], LIMIT)
        if not self._allowed() or "motor-refused" in self._bench:
            return DENIED
        if not 1 <= motor <= COUNT:
            return UNSUPPORTED
        self._turn += 1
        self._shares = {}
        if seconds > 0:
            both = "motors-together" in self._bench
            self._shares = dict.fromkeys(range(1, COUNT + 1) if both else (motor,), share)
            turn = self._turn
            self._agenda.add(now + seconds, lambda _: self._end(turn))
        return ACCEPTED

    def _end(self, turn: int) -> None:
        if turn == self._turn:
            self._shares = {}

    def show(self, name: str, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give the fields of a message as turning motors make them."""
        if name == "SERVO_OUTPUT_RAW" and self._shares:
            return {**fields, **{f"servo{n}_raw": round(REST + SPAN * s) for n, s in self._shares.items()}}
        if name == "ESC_STATUS":
            return {**fields, "rpm": tuple(self._rpm(n) for n in range(1, COUNT + 1))}
        return fields

    def _rpm(self, motor: int) -> int:
        slow = 2 / 3 if motor == 3 and "motor-slow" in self._bench else 1.0
        return round(self._shares.get(motor, 0.0) * RPM_PER_SHARE * slow)
