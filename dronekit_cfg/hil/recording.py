"""What one simulated flight showed, on the simulator's own clock."""

from __future__ import annotations

import bisect
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dronekit_cfg.hil.modes import ARDUCOPTER
from dronekit_cfg.hil.monitor_mavlink import MavlinkSource
from dronekit_cfg.hil.monitors import Alarm

__all__ = ["Recording"]

EARTH = 6378137.0
ARMED = 0x80
HEIGHT_LIMIT = 1e5


@dataclass(slots=True)
class Recording:
    """All times are simulated seconds since the boot; `zero` is the moment of the first stimulus.

    `modes`, `armed` and `flags` hold changes; `lines` hold every sample by name; positions are metres north and east of
    the first true position. `names` are the vehicle's modes by number, `health` its last SYS_STATUS health bits.
    `source` feeds the GNSS monitors where a scenario asks for them, and `alarms` are what they told.
    """

    zero: float = math.nan
    now: float = 0.0
    modes: list[tuple[float, str]] = field(default_factory=list)
    armed: list[tuple[float, bool]] = field(default_factory=list)
    flags: list[tuple[float, int]] = field(default_factory=list)
    texts: list[tuple[float, int, str]] = field(default_factory=list)
    done: list[tuple[float, str]] = field(default_factory=list)
    lines: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    true: list[tuple[float, float, float]] = field(default_factory=list)
    estimate: list[tuple[float, float, float]] = field(default_factory=list)
    readings: list[tuple[float, str, float]] = field(default_factory=list)
    origin: tuple[float, float] | None = None
    names: Mapping[int, str] = field(default_factory=lambda: ARDUCOPTER)
    health: int = 0
    source: MavlinkSource | None = None
    alarms: list[Alarm] = field(default_factory=list)
    _sequence: int = -1
    _counted: tuple[float, int, int] = (0.0, 0, 0)

    def heard(self, sequence: int) -> None:
        """Count frames that did not arrive, by the holes in the vehicle's numbers (0 to 255); a sample each second."""
        if sequence < 0:
            return
        since, lost, got = self._counted
        lost += (sequence - self._sequence - 1) % 256 if self._sequence >= 0 else 0
        got += 1
        self._sequence = sequence
        if self.now >= since + 1.0:
            self.add("frames lost", 100.0 * lost / (lost + got))
            since, lost, got = self.now, 0, 0
        self._counted = since, lost, got

    def take(self, name: str, fields: Mapping[str, Any]) -> None:
        """Take one message of the vehicle."""
        boot = fields.get("time_boot_ms")
        if boot is not None:
            self.now = max(self.now, boot / 1000)
        taker = _TAKERS.get(name)
        if taker is not None:
            taker(self, fields)
        if self.source is not None:
            self.alarms += self.source.feed(self.now, name, fields)

    def add(self, line: str, value: float) -> None:
        """Add a sample to a line."""
        self.lines.setdefault(line, []).append((self.now, value))

    def place(self, latitude: float, longitude: float) -> tuple[float, float]:
        """Give metres north and east of the origin for degrees."""
        if self.origin is None:
            self.origin = latitude, longitude
        north = math.radians(latitude - self.origin[0]) * EARTH
        return north, math.radians(longitude - self.origin[1]) * EARTH * math.cos(math.radians(self.origin[0]))

    @property
    def mode(self) -> str:
        """The mode now."""
        return self.modes[-1][1] if self.modes else ""

    @property
    def is_armed(self) -> bool:
        """Whether it is armed now."""
        return bool(self.armed and self.armed[-1][1])

    @property
    def height(self) -> float:
        """Estimated height above home in metres."""
        line = self.lines.get("altitude", ())
        return line[-1][1] if line else math.nan

    def at(self, track: list[tuple[float, float, float]], when: float) -> tuple[float, float]:
        """Give the place of a track at a time (the sample before it)."""
        index = max(0, bisect.bisect_right(track, (when, math.inf, math.inf)) - 1)
        return track[index][1:] if track else (math.nan, math.nan)


def _heartbeat(r: Recording, f: Mapping[str, Any]) -> None:
    mode = r.names.get(f["custom_mode"], str(f["custom_mode"]))
    if r.mode != mode:
        r.modes.append((r.now, mode))
    armed = bool(f["base_mode"] & ARMED)
    if not r.armed or r.armed[-1][1] != armed:
        r.armed.append((r.now, armed))


def _attitude(r: Recording, f: Mapping[str, Any]) -> None:
    r.add("roll", math.degrees(f["roll"]))
    r.add("pitch", math.degrees(f["pitch"]))


def _position(r: Recording, f: Mapping[str, Any]) -> None:
    r.add("altitude", f["relative_alt"] / 1000)
    if r.origin is not None and (f["lat"] or f["lon"]):
        r.estimate.append((r.now, *r.place(f["lat"] * 1e-7, f["lon"] * 1e-7)))
        truth = r.true[-1][1:] if r.true else (math.nan, math.nan)
        r.add("position error", math.dist(r.estimate[-1][1:], truth))


def _truth(r: Recording, f: Mapping[str, Any]) -> None:
    r.true.append((r.now, *r.place(f["lat_int"] * 1e-7, f["lon_int"] * 1e-7)))
    if abs(f["alt"]) < HEIGHT_LIMIT:
        r.add("true altitude", f["alt"])


def _ekf(r: Recording, f: Mapping[str, Any]) -> None:
    if not r.flags or r.flags[-1][1] != f["flags"]:
        r.flags.append((r.now, f["flags"]))
    for name in ("velocity_variance", "pos_horiz_variance", "compass_variance"):
        r.add(name, f[name])


def _estimator(r: Recording, f: Mapping[str, Any]) -> None:
    if not r.flags or r.flags[-1][1] != f["flags"]:
        r.flags.append((r.now, f["flags"]))
    for name in ("vel_ratio", "pos_horiz_ratio", "mag_ratio"):
        r.add(name, f[name])


def _ground_truth(r: Recording, f: Mapping[str, Any]) -> None:
    r.true.append((r.now, *r.place(f["lat"] * 1e-7, f["lon"] * 1e-7)))
    r.add("true altitude", f["alt"] / 1000)


def _gnss(r: Recording, f: Mapping[str, Any]) -> None:
    r.add("satellites", f["satellites_visible"])


def _battery(r: Recording, f: Mapping[str, Any]) -> None:
    r.add("charge state", f["charge_state"])


def _status(r: Recording, f: Mapping[str, Any]) -> None:
    r.add("battery", f["voltage_battery"] / 1000)
    r.health = f["onboard_control_sensors_health"]


def _setting(r: Recording, f: Mapping[str, Any]) -> None:
    r.readings.append((r.now, f["param_id"], f["param_value"]))


_TAKERS = {
    "ATTITUDE": _attitude,
    "BATTERY_STATUS": _battery,
    "EKF_STATUS_REPORT": _ekf,
    "ESTIMATOR_STATUS": _estimator,
    "GLOBAL_POSITION_INT": _position,
    "GPS_RAW_INT": _gnss,
    "HEARTBEAT": _heartbeat,
    "HIL_STATE_QUATERNION": _ground_truth,
    "PARAM_VALUE": _setting,
    "SIM_STATE": _truth,
    "SYS_STATUS": _status,
}
