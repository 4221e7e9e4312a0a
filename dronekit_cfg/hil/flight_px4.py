"""Flies a scenario on PX4: other messages, other modes, settings with their types, and a transmitter over MAVLink.

Facts (PX4 of 2024-10, simulation in hardware): the firmware streams far more than a scenario needs, which at ten times
the speed floods the link, so that is switched off; the take-off mode climbs to MIS_TAKEOFF_ALT once it is armed, and
goes to HOLD there; MANUAL_CONTROL stands in for the transmitter (COM_RC_IN_MODE), thrust 500 holds the height.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from dronekit_cfg.hil.flight import CLIMB_SECONDS, READY_SECONDS, Flight
from dronekit_cfg.hil.modes import PX4
from dronekit_cfg.hil.scenario import Scenario
from dronekit_cfg.model import Kind, Value
from dronekit_cfg.talk.flow import Flow
from dronekit_cfg.talk.mavlink_params import read_by_name, value_of, write_bytes
from dronekit_cfg.text import t

__all__ = ["Px4Flight"]

RATES: Mapping[str, float] = {
    "ESTIMATOR_STATUS": 5,
    "ATTITUDE": 10,
    "GLOBAL_POSITION_INT": 5,
    "GPS_RAW_INT": 2,
    "HIL_STATE_QUATERNION": 5,
    "SYS_STATUS": 2,
    "BATTERY_STATUS": 1,
    "HEARTBEAT": 5,
    **dict.fromkeys(
        ("ALTITUDE", "ATTITUDE_QUATERNION", "ATTITUDE_TARGET", "DISTANCE_SENSOR", "LOCAL_POSITION_NED", "VFR_HUD"), 0
    ),
    **dict.fromkeys(("POSITION_TARGET_LOCAL_NED", "SCALED_PRESSURE", "SERVO_OUTPUT_RAW"), 0),
}
"""Messages and their rate in Hz of simulated time; 0 switches one off."""
STICKS_SECONDS = 0.05
PREARM, POSITION = 1 << 28, 0x37
TAKEOFF_ALTITUDE = "MIS_TAKEOFF_ALT"


@dataclass(slots=True)
class Px4Flight(Flight):
    """One flight of PX4. `radio`: whether the transmitter is on."""

    rates: ClassVar[Mapping[str, float]] = RATES
    modes: ClassVar[Mapping[int, str]] = PX4

    radio: bool = True
    _sticks_due: float = 0.0
    _kinds: dict[str, Kind] = field(default_factory=dict)

    def _frames(self) -> bytes:
        if not self.radio or self.recording.now < self._sticks_due:
            return b""
        self._sticks_due = self.recording.now + STICKS_SECONDS
        target = self.conversation.system
        return self.conversation.codec.encode("MANUAL_CONTROL", target=target, x=0, y=0, z=500, r=0, buttons=0)

    def _switch(self, *, on: bool) -> None:
        self.radio = on

    def _mode_numbers(self, number: int) -> tuple[int, ...]:
        return number >> 16 & 0xFF, number >> 24

    def _write_frame(self, name: str, value: float) -> Flow[bytes]:
        """Give the message; a write of the wrong type would be met with silence, so the type is asked for first."""
        c = self.conversation
        for _ in range(4):
            if name in self._kinds:
                break
            yield from c.next(read_by_name(c, name))
            end = c.now + 1.0
            while (message := (yield from c.next(until=end))) is not None and name not in self._kinds:
                if message.name == "PARAM_VALUE" and (found := value_of(message, bytewise=c.bytewise)) is not None:
                    self._kinds[message["param_id"]] = found.kind
        if name not in self._kinds:
            raise self._refusal(t("this firmware has no setting {name}", name=name))
        kind = self._kinds[name]
        return write_bytes(c, name, Value(kind, float(value) if kind is Kind.REAL32 else int(value)))

    def _ready(self) -> bool:
        r = self.recording
        return bool(r.health & PREARM and r.flags) and r.flags[-1][1] & POSITION == POSITION

    def _get_up(self, scenario: Scenario) -> Flow[None]:
        if not (yield from self.advance(READY_SECONDS, self._ready)):
            raise self._refusal(t("the vehicle is not ready to arm within {s:.0f} s", s=READY_SECONDS))
        if not scenario.altitude:
            yield from self.set_mode(scenario.mode)
            yield from self._arm()
            return
        yield from self.write(TAKEOFF_ALTITUDE, scenario.altitude)
        if not (yield from self.set_mode("TAKEOFF")):
            raise self._refusal(t("the vehicle does not go to {mode}", mode="TAKEOFF"))
        yield from self._arm()
        yield from self._climb(scenario)
        yield from self.advance(CLIMB_SECONDS, lambda: self.recording.mode == "HOLD")
        yield from self._go_to(scenario.mode)
