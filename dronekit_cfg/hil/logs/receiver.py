"""Recordings of a u-blox receiver's own messages (.ubx): position, strengths, indicators and states."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping

from dronekit_cfg.hil.monitors import Alarm, Fix, GnssMonitors
from dronekit_cfg.wire.ubx import UbxCodec, UbxFrame
from dronekit_cfg.wire.ubx_messages import NAV_STATUS
from dronekit_cfg.wire.ubx_signals import (
    MON_HW,
    MON_RF,
    NAV_SAT,
    SEC_SIG,
    Band,
    parse_hw,
    parse_rf,
    parse_sat,
    parse_security,
    parse_spoofing,
)

__all__ = ["UbxSource"]

NAV_PVT = (0x01, 0x07)
PVT_SIZE = 92
FIX_3D = 3


class UbxSource:
    """Feeds the messages of one receiver to `monitors`. Times are those of the satellites, from the first one on."""

    def __init__(self, monitors: GnssMonitors) -> None:
        self.monitors = monitors
        self.at = 0.0
        self.frames = 0
        self._codec = UbxCodec()
        self._begun = math.nan
        self._takers: Mapping[tuple[int, int], Callable[[bytes], list[Alarm]]] = {
            NAV_PVT: self._position,
            NAV_STATUS: self._status,
            NAV_SAT: self._strength,
            MON_RF: lambda payload: self._bands(parse_rf(payload)),
            MON_HW: lambda payload: self._bands(parse_hw(payload)),
            SEC_SIG: lambda payload: self.monitors.reported(self.at, 0, *parse_security(payload)),
        }

    def feed(self, data: bytes) -> list[Alarm]:
        """Take bytes in any split; give the alarms that begin with them."""
        self._codec.receive_data(data)
        alarms: list[Alarm] = []
        while (frame := self._codec.next_event()) is not None:
            self.frames += 1
            alarms += self._take(frame)
        return alarms

    def _take(self, frame: UbxFrame) -> list[Alarm]:
        taker = self._takers.get(frame.kind)
        try:
            return taker(frame.payload) if taker else []
        except ValueError:  # a message that is cut short, or of a layout that is not known, says nothing
            return []

    def _time(self, milliseconds: int) -> None:
        if math.isnan(self._begun):
            self._begun = milliseconds / 1000
        self.at = milliseconds / 1000 - self._begun

    def _position(self, payload: bytes) -> list[Alarm]:
        if len(payload) < PVT_SIZE:
            raise ValueError("NAV-PVT is too short")
        moment = struct.unpack_from("<I", payload)[0]
        self._time(moment)
        good = payload[20] == FIX_3D and bool(payload[21] & 1)
        longitude, latitude, _, altitude, accuracy = struct.unpack_from("<iiiiI", payload, 24)
        speed = struct.unpack_from("<i", payload, 60)[0]
        place = latitude * 1e-7, longitude * 1e-7, altitude / 1000
        return self.monitors.fix(self.at, 0, Fix(good, *place, payload[23], accuracy / 1000, speed / 1000))

    def _status(self, payload: bytes) -> list[Alarm]:
        """Take the state of spoofing, and the receiver's own clock beside that of the satellites."""
        spoofing = parse_spoofing(payload)
        moment, since_start = struct.unpack_from("<I8xI", payload)
        self._time(moment)
        alarms = self.monitors.reported(self.at, 0, 0, spoofing)
        return alarms + self.monitors.clock(self.at, moment / 1000, since_start / 1000)

    def _strength(self, payload: bytes) -> list[Alarm]:
        signals = parse_sat(payload)
        return self.monitors.strength(self.at, 0, [signals.strength] if signals.used else [])

    def _bands(self, bands: tuple[Band, ...]) -> list[Alarm]:
        if not bands:
            return []
        alarms = self.monitors.reported(self.at, 0, max(b.state for b in bands), 0)
        return alarms + self.monitors.indicator(self.at, 0, max(b.indicator for b in bands))
