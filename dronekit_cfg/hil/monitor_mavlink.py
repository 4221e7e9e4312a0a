"""What the GNSS monitors make of MAVLink messages, of ArduPilot and PX4, live or from a telemetry log."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from dronekit_cfg.hil.monitors import Alarm, Fix, GnssMonitors

__all__ = ["METRES_PER_HPA", "WATCHES", "MavlinkSource", "pressure_height"]

Fields = Mapping[str, Any]
UNKNOWN8, UNKNOWN16, UNKNOWN32 = 0xFF, 0xFFFF, 0xFFFFFFFF
METRES_PER_HPA, SEA_LEVEL = 8.43, 1013.25
FIX_3D = 3
LEAST_QUALITY = 50
"""Quality of flow, of 255, below which it says nothing."""
WATCHES = {
    "GPS_RAW_INT": 5.0,
    "GPS2_RAW": 5.0,
    "GPS_STATUS": 1.0,
    "SCALED_PRESSURE": 5.0,
    "SYSTEM_TIME": 1.0,
    "OPTICAL_FLOW": 10.0,
    "OPTICAL_FLOW_RAD": 10.0,
    "ATTITUDE": 10.0,
}
"""Messages that the monitors need, with the rate in Hz to ask for."""


def pressure_height(pressure: float, base: float) -> float:
    """Give the height in metres over where the pressure was `base` (hPa)."""
    return (base - pressure) * METRES_PER_HPA * SEA_LEVEL / base


class MavlinkSource:
    """Feeds the messages of one vehicle to `monitors`."""

    def __init__(self, monitors: GnssMonitors) -> None:
        self.monitors = monitors
        self._base = 0.0

    def feed(self, at: float, name: str, fields: Fields) -> tuple[Alarm, ...]:
        """Take a message that came at `at` seconds; give the alarms that begin with it."""
        taker = _TAKERS.get(name)
        return tuple(taker(self, at, fields)) if taker else ()

    def receiver(self, at: float, fields: Fields) -> list[Alarm]:
        """Take the first receiver."""
        return self.monitors.fix(at, 0, _fix(fields))

    def second(self, at: float, fields: Fields) -> list[Alarm]:
        """Take the second receiver."""
        return self.monitors.fix(at, 1, _fix(fields))

    def pressure(self, _at: float, fields: Fields) -> list[Alarm]:
        """Take the barometer."""
        pressure = float(fields["press_abs"])
        if pressure <= 0:
            return []
        self._base = self._base or pressure
        return self.monitors.height(pressure_height(pressure, self._base))

    def time(self, at: float, fields: Fields) -> list[Alarm]:
        """Take both clocks."""
        if not fields["time_unix_usec"]:
            return []
        return self.monitors.clock(at, fields["time_unix_usec"] / 1e6, fields["time_boot_ms"] / 1000)

    def satellites(self, at: float, fields: Fields) -> list[Alarm]:
        """Take the strengths of satellites in use (PX4)."""
        count = min(fields["satellites_visible"], len(fields["satellite_snr"]))
        pairs = zip(fields["satellite_used"], fields["satellite_snr"], strict=True)
        return self.monitors.strength(at, 0, [snr for used, snr in list(pairs)[:count] if used and snr])

    def flow(self, at: float, fields: Fields) -> list[Alarm]:
        """Take optical flow: ArduPilot sends rates less those of the body in flow_comp_m_*, and the height it flies at.

        A ground that moves to the right of the image means that the vehicle moves forward [ArduPilot
        libraries/AP_NavEKF3/AP_NavEKF3_OptFlowFusion.cpp: losPred].
        """
        height = fields["ground_distance"]
        if fields["quality"] < LEAST_QUALITY or not height > 0:
            return []
        return self.monitors.flow(at, fields["flow_comp_m_y"] * height, -fields["flow_comp_m_x"] * height)

    def integrated_flow(self, at: float, fields: Fields) -> list[Alarm]:
        """Take optical flow integrated over some milliseconds (PX4), with the sensor's distance to the ground."""
        seconds, height = fields["integration_time_us"] / 1e6, fields["distance"]
        if fields["quality"] < LEAST_QUALITY or not height > 0 or not seconds > 0:
            return []
        x = (fields["integrated_x"] - fields["integrated_xgyro"]) / seconds
        y = (fields["integrated_y"] - fields["integrated_ygyro"]) / seconds
        return self.monitors.flow(at, y * height, -x * height)

    def attitude(self, _at: float, fields: Fields) -> list[Alarm]:
        """Take the heading."""
        return self.monitors.heading(fields["yaw"])


def _fix(fields: Fields) -> Fix:
    count, accuracy, speed = fields["satellites_visible"], fields.get("h_acc", 0), fields.get("vel", UNKNOWN16)
    return Fix(
        fields["fix_type"] >= FIX_3D,
        fields["lat"] * 1e-7,
        fields["lon"] * 1e-7,
        fields["alt"] / 1000,
        None if count == UNKNOWN8 else int(count),
        math.nan if accuracy in (0, UNKNOWN32) else accuracy / 1000,
        math.nan if speed == UNKNOWN16 else speed / 100,
    )


_TAKERS: Mapping[str, Callable[[MavlinkSource, float, Fields], list[Alarm]]] = {
    "ATTITUDE": MavlinkSource.attitude,
    "GPS2_RAW": MavlinkSource.second,
    "GPS_RAW_INT": MavlinkSource.receiver,
    "GPS_STATUS": MavlinkSource.satellites,
    "OPTICAL_FLOW": MavlinkSource.flow,
    "OPTICAL_FLOW_RAD": MavlinkSource.integrated_flow,
    "SCALED_PRESSURE": MavlinkSource.pressure,
    "SYSTEM_TIME": MavlinkSource.time,
}
