"""What broken parts do to the telemetry, health and texts of the simulated ArduCopter.

The texts are those of the real firmware. Each fault is the story that a bench would see: the part's own numbers, its
health bit where the firmware clears it, and what the vehicle then has against arming.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from dronekit_cfg.families.ardupilot.simulated_core import Core
from dronekit_cfg.sim import spoilers
from dronekit_cfg.sim.spoilers import (
    MG,
    MRAD,
    Fields,
    Spoiler,
    add,
    clipping,
    drifting_pressure,
    no_field,
    noisy_gyro,
    noisy_pressure,
)

__all__ = ["complaints", "heartbeat_seconds", "lost", "spoil"]

STREAMS_LOST = frozenset({"ATTITUDE", "RAW_IMU"})
"""What a lossy link is simulated with; answers to questions are lost by other faults."""
EKF_WITHOUT_GNSS = 167
"""EKF flags of the real SITL without GNSS: attitude, vertical speed and height, and a position held constant."""


def _put(field: str, scale: float = 1.0, whole: bool = True) -> Spoiler:
    def spoiler(fields: Fields, size: float, _seconds: float, _noise: Callable[[], float]) -> None:
        fields[field] = round(scale * size) if whole else scale * size

    return spoiler


def _unhealthy(*bits: int) -> Spoiler:
    def spoiler(fields: Fields, _size: float, _seconds: float, _noise: Callable[[], float]) -> None:
        for bit in bits:
            fields["onboard_control_sensors_health"] &= ~bit

    return spoiler


def _turned(fields: Fields, size: float, _seconds: float, _noise: Callable[[], float]) -> None:
    x, y, angle = fields["xmag"], fields["ymag"], math.radians(size)
    fields["xmag"] = round(x * math.cos(angle) - y * math.sin(angle))
    fields["ymag"] = round(x * math.sin(angle) + y * math.cos(angle))


def _no_pressure(fields: Fields, _size: float, _seconds: float, _noise: Callable[[], float]) -> None:
    fields["press_abs"] = 0.0


def _no_fix(fields: Fields, _size: float, _seconds: float, _noise: Callable[[], float]) -> None:
    unknown = 0xFFFFFFFF
    fields.update(fix_type=1, lat=0, lon=0, alt=0, eph=9999, epv=9999, satellites_visible=3)
    fields.update(h_acc=unknown, v_acc=unknown)


def _dropping(fields: Fields, size: float, seconds: float, _noise: Callable[[], float]) -> None:
    fields["satellites_visible"] = 10 if int(seconds / 3) % 2 else round(size)


def _channels_gone(fields: Fields, _size: float, _seconds: float, _noise: Callable[[], float]) -> None:
    fields.update(dict.fromkeys((f"chan{n}_raw" for n in range(1, 19)), 0))
    fields["chancount"] = 0


def _stuck(fields: Fields, size: float, _seconds: float, _noise: Callable[[], float]) -> None:
    fields[f"chan{int(size)}_raw"] = 1900


def _stirred(fields: Fields, _size: float, seconds: float, _noise: Callable[[], float]) -> None:
    for n in range(1, 5):
        fields[f"chan{n}_raw"] = round(1500 + 480 * math.sin(seconds * (1 + n / 3)))


def _vibrating(fields: Fields, size: float, _seconds: float, _noise: Callable[[], float]) -> None:
    fields["vibration_x"] = size


def _dropped(fields: Fields, _size: float, seconds: float, _noise: Callable[[], float]) -> None:
    fields["errors_count3"] = int(seconds * 5)


def _memory(fields: Fields, size: float, _seconds: float, _noise: Callable[[], float]) -> None:
    fields["freemem"] = fields["freemem32"] = int(size)


def _tilt(fields: Fields, size: float, _seconds: float, _noise: Callable[[], float]) -> None:
    fields["roll"] += math.radians(size)


_SPOILERS: Mapping[tuple[str, str], Spoiler] = {
    ("accel-scale", "RAW_IMU"): add("zacc", -MG),
    ("accels-apart", "SCALED_IMU2"): add("xacc", MG),
    ("baro-apart", "SCALED_PRESSURE2"): lambda f, size, _s, _n: f.update(press_abs=f["press_abs"] + size),
    ("baro-drift", "SCALED_PRESSURE"): drifting_pressure,
    ("baro-drift", "SCALED_PRESSURE2"): drifting_pressure,
    ("baro-noise", "SCALED_PRESSURE"): noisy_pressure,
    ("baro-noise", "SCALED_PRESSURE2"): noisy_pressure,
    ("clipping", "VIBRATION"): clipping,
    ("compass-apart", "SCALED_IMU2"): _turned,
    ("cpu-load", "SYS_STATUS"): _put("load", 10),
    ("dead-baro", "SCALED_PRESSURE"): _no_pressure,
    ("dead-baro", "SCALED_PRESSURE2"): _no_pressure,
    ("dead-baro", "SYS_STATUS"): _unhealthy(0x8),
    ("dead-compass", "RAW_IMU"): no_field,
    ("dead-compass", "SYS_STATUS"): _unhealthy(0x4),
    ("ekf-variance", "EKF_STATUS_REPORT"): _put("velocity_variance", whole=False),
    ("few-satellites", "GPS_RAW_INT"): _put("satellites_visible"),
    ("gnss-dropping", "GPS_RAW_INT"): _dropping,
    ("gyro-bias", "RAW_IMU"): add("zgyro", MRAD),
    ("gyro-noise", "RAW_IMU"): noisy_gyro,
    ("gyros-apart", "SCALED_IMU2"): add("zgyro", MRAD),
    ("internal-error", "SYS_STATUS"): _put("errors_count4"),
    ("log-drops", "SYS_STATUS"): _dropped,
    ("log-full", "SYS_STATUS"): _unhealthy(0x1000000),
    ("low-memory", "MEMINFO"): _memory,
    ("low-supply", "POWER_STATUS"): _put("Vcc", 1000),
    ("low-voltage", "SYS_STATUS"): _put("voltage_battery", 1000),
    ("mag-interference", "RAW_IMU"): add("zmag", -1),
    ("mag-interference", "SCALED_IMU2"): add("zmag", -1),
    ("no-fix", "EKF_STATUS_REPORT"): lambda f, _size, _s, _n: f.update(flags=EKF_WITHOUT_GNSS),
    ("no-fix", "GPS_RAW_INT"): _no_fix,
    ("no-fix", "SYS_STATUS"): _unhealthy(0x20),
    ("no-rc", "RC_CHANNELS"): _channels_gone,
    ("no-rc", "SYS_STATUS"): _unhealthy(0x10000),
    ("poor-hdop", "GPS_RAW_INT"): _put("eph", 100),
    ("sick-ahrs", "SYS_STATUS"): _unhealthy(0x200000),
    ("sticks-moving", "RC_CHANNELS"): _stirred,
    ("stuck-channel", "RC_CHANNELS"): _stuck,
    ("tilted", "ATTITUDE"): _tilt,
    ("vibrating", "VIBRATION"): _vibrating,
}
"""What a fault does to a message."""

_COMPLAINTS: Mapping[str, tuple[str, ...]] = {
    "accels-apart": ("Accels inconsistent",),
    "compass-apart": ("Compasses inconsistent",),
    "dead-baro": ("Baro: not healthy",),
    "dead-compass": ("Compass not healthy",),
    "gyros-apart": ("Gyros inconsistent",),
    "internal-error": ("Internal errors 0x100000 l:157 wdg",),
    "log-full": ("Logging failed",),
    "low-supply": ("Board (4.5v) out of range 4.3-5.8v",),
    "low-voltage": ("Battery 1 below minimum arming voltage",),
    "mag-interference": ("Check mag field: 1439, max 875, min 185",),
    "no-fix": ("GPS 1: Bad fix", "Need Position Estimate"),
    "no-rc": ("RC not found",),
    "poor-hdop": ("High GPS HDOP",),
    "prearm": ("Hardware safety switch",),
    "stuck-channel": ("Roll (RC1) is not neutral",),
}
"""What the vehicle then has against arming."""


def spoil(core: Core, name: str, fields: Mapping[str, Any], now: float) -> Mapping[str, Any]:
    """Give the fields of a message as the vehicle's broken parts make them."""
    return spoilers.spoil(_SPOILERS, core.faults.bench, name, fields, core.uptime(now), lambda: core.random.gauss(0, 1))


def complaints(core: Core) -> tuple[str, ...]:
    """Give what broken parts have against arming."""
    return tuple(text for fault in core.faults.bench for text in _COMPLAINTS.get(fault, ()))


def lost(core: Core, name: str, _now: float) -> bool:
    """Whether a telemetry message is lost on its way."""
    rate = core.faults.bench.get("telemetry-loss", 0.0)
    return bool(rate) and name in STREAMS_LOST and core.random.random() < rate


def heartbeat_seconds(core: Core, usual: float) -> float:
    """Give the time between two heartbeats."""
    return core.faults.bench.get("heartbeat-slow", usual)
