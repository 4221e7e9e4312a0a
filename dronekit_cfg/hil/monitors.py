"""Monitors of GNSS trust: what a ground station can see of jamming and spoofing that the firmware does not tell.

Each monitor is fed messages with their time and says when it alarms; it is pure, so links and recordings are judged
by the same code. Thresholds: resilience table 1.6 (receivers more than max(15 m, 3 sigma) apart; 40 % of the satellites
gone within 10 s; GNSS height against barometer changed by 30 m; GNSS time jumped by 2 s against the vehicle's clock).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dronekit_cfg.text import t

__all__ = ["WATCHES", "Alarm", "GnssMonitors"]

EARTH = 6371000.0
APART_METRES, APART_SIGMAS = 15.0, 3.0
LOST_SHARE, LOST_SECONDS, FEWEST = 0.4, 10.0, 5
HEIGHT_METRES = 30.0
TIME_SECONDS = 2.0
METRES_PER_HPA, SEA_LEVEL = 8.43, 1013.25
UNKNOWN32 = 0xFFFFFFFF
WATCHES = {"GPS_RAW_INT": 5.0, "GPS2_RAW": 5.0, "SCALED_PRESSURE": 5.0, "SYSTEM_TIME": 1.0}
"""Messages that the monitors need, with the rate in Hz to ask for."""

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm: when, which monitor, how much against which limit."""

    at: float
    monitor: str
    value: float
    limit: float
    unit: str

    def __str__(self) -> str:
        return t(
            "{monitor}: {value:.1f} {unit}, the limit is {limit:.1f}",
            monitor=self.monitor,
            value=self.value,
            unit=self.unit,
            limit=self.limit,
        )


@dataclass(slots=True)
class GnssMonitors:
    """All monitors of one vehicle. `feed` gives the alarms that begin with a message; each begins once."""

    _first: Fields | None = None
    _satellites: deque[tuple[float, int]] = field(default_factory=deque)
    _height_offset: float | None = None
    _pressure_height: float | None = None
    _base_pressure: float | None = None
    _time_offset: float | None = None
    _raised: set[str] = field(default_factory=set)

    def feed(self, at: float, name: str, fields: Fields) -> tuple[Alarm, ...]:
        """Take a message that came at `at` seconds."""
        taker = _TAKERS.get(name)
        return tuple(taker(self, at, fields)) if taker else ()

    def _judge(self, at: float, monitor: str, value: float, limit: float, unit: str) -> list[Alarm]:
        if value <= limit:
            self._raised.discard(monitor)
            return []
        if monitor in self._raised:
            return []
        self._raised.add(monitor)
        return [Alarm(at, monitor, value, limit, unit)]

    def receiver(self, at: float, fields: Fields) -> list[Alarm]:
        """Judge the first receiver: its satellites, and its height against the barometer."""
        self._first = fields
        count = int(fields["satellites_visible"])
        self._satellites.append((at, count))
        while self._satellites and self._satellites[0][0] < at - LOST_SECONDS:
            self._satellites.popleft()
        best = max(n for _, n in self._satellites)
        lost = (best - count) / best if best >= FEWEST else 0.0
        alarms = self._judge(at, t("satellites lost"), 100 * lost, 100 * LOST_SHARE, "%")
        if fields["fix_type"] >= 3 and self._pressure_height is not None:
            offset = fields["alt"] / 1000 - self._pressure_height
            if self._height_offset is None:
                self._height_offset = offset
            change = abs(offset - self._height_offset)
            alarms += self._judge(at, t("GNSS height against barometer"), change, HEIGHT_METRES, "m")
        return alarms

    def second(self, at: float, fields: Fields) -> list[Alarm]:
        """Judge the distance of two receivers that both have a fix."""
        one = self._first
        if one is None or one["fix_type"] < 3 or fields["fix_type"] < 3:
            return []
        north = math.radians((one["lat"] - fields["lat"]) * 1e-7) * EARTH
        east = math.radians((one["lon"] - fields["lon"]) * 1e-7) * EARTH * math.cos(math.radians(one["lat"] * 1e-7))
        known = [f.get("h_acc", UNKNOWN32) for f in (one, fields)]
        sigma = sum(a / 1000 for a in known if a != UNKNOWN32)
        limit = max(APART_METRES, APART_SIGMAS * sigma)
        return self._judge(at, t("receivers apart"), math.hypot(north, east), limit, "m")

    def pressure(self, at: float, fields: Fields) -> list[Alarm]:
        """Take the barometer's height."""
        del at
        pressure = float(fields["press_abs"])
        if pressure > 0:
            base = self._base_pressure = self._base_pressure or pressure
            self._pressure_height = (base - pressure) * METRES_PER_HPA * SEA_LEVEL / base
        return []

    def time(self, at: float, fields: Fields) -> list[Alarm]:
        """Judge GNSS time against the vehicle's own clock."""
        if not fields["time_unix_usec"]:
            return []
        offset = fields["time_unix_usec"] / 1e6 - fields["time_boot_ms"] / 1000
        if self._time_offset is None:
            self._time_offset = offset
        jump = abs(offset - self._time_offset)
        self._time_offset = offset
        return self._judge(at, t("GNSS time jumped"), jump, TIME_SECONDS, "s")


_TAKERS: Mapping[str, Callable[[GnssMonitors, float, Fields], list[Alarm]]] = {
    "GPS_RAW_INT": GnssMonitors.receiver,
    "GPS2_RAW": GnssMonitors.second,
    "SCALED_PRESSURE": GnssMonitors.pressure,
    "SYSTEM_TIME": GnssMonitors.time,
}
