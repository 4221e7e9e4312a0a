"""What a bench sees of the simulated PX4 copter: more messages on request, and what broken parts do to them.

Values at rest were measured on the PX4 SITL of 2024-10, without its noise. Each fault is the story that a bench would
see: the part's own numbers, its health bit where the firmware clears it, and what the vehicle then has against arming,
in the words and with the events of that build.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from dronekit_cfg.errors import UsageError
from dronekit_cfg.families.px4.simulated_events import COMPLAINTS
from dronekit_cfg.sim import spoilers
from dronekit_cfg.sim.bench_faults import BENCH_FAULTS
from dronekit_cfg.sim.fault_text import FaultKind
from dronekit_cfg.sim.faults import FAULTS, Faults
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
from dronekit_cfg.text import t

__all__ = [
    "ON_REQUEST",
    "PREARM",
    "beat_seconds",
    "check_faults",
    "complaints",
    "keeps_from_arming",
    "known_faults",
    "spoil",
]

ON_REQUEST: Mapping[str, Mapping[str, Any]] = {
    "ESC_STATUS": {"index": 0, "time_usec": 0, "rpm": (0,) * 4, "voltage": (16.2,) * 4, "current": (0.1,) * 4},
    "SCALED_IMU": {
        **dict.fromkeys(("time_boot_ms", "xacc", "yacc", "xgyro", "ygyro", "zgyro"), 0),
        "zacc": -1000,
        "xmag": 251,
        "ymag": -4,
        "zmag": 406,
        "temperature": 1500,
    },
    "SCALED_PRESSURE": {
        "time_boot_ms": 0,
        "press_abs": 955.774,
        "press_diff": 0.0,
        "temperature": 1182,
        "temperature_press_diff": 0,
    },
    "VIBRATION": {
        "time_usec": 0,
        "vibration_x": 1e-08,
        "vibration_y": 0.01,
        "vibration_z": 0.2,
        **dict.fromkeys(("clipping_0", "clipping_1", "clipping_2"), 0),
    },
}
"""Messages that the vehicle sends only when it is asked to."""
PREARM = 1 << 28
GNSS, MAG, BARO, LOGGING = 0x20, 0x4, 0x8, 0x1000000
WITHOUT_GNSS = 0x65
"""ESTIMATOR_STATUS flags of the real SITL without GNSS."""


def _put(**scaled: float) -> Spoiler:
    def spoiler(fields: Fields, size: float, _seconds: float, _noise: Callable[[], float]) -> None:
        for name, scale in scaled.items():
            value = scale * size
            fields[name] = value if isinstance(fields[name], float) else round(value)

    return spoiler


def _sick(bit: int) -> Spoiler:
    def spoiler(fields: Fields, _size: float, _seconds: float, _noise: Callable[[], float]) -> None:
        fields["onboard_control_sensors_health"] &= ~bit if bit == LOGGING else ~(bit | PREARM)

    return spoiler


def _no_fix(fields: Fields, _size: float, _seconds: float, _noise: Callable[[], float]) -> None:
    fields.update(fix_type=0, satellites_visible=0, eph=9999, epv=9999, h_acc=100000, v_acc=100000)


def _dropping(fields: Fields, size: float, seconds: float, _noise: Callable[[], float]) -> None:
    fields["satellites_visible"] = round(size) if int(seconds / 3) % 2 else 30


def _low_battery(fields: Fields, size: float, _seconds: float, _noise: Callable[[], float]) -> None:
    fields.update(voltages=[round(1000 * size), *[0xFFFF] * 9], battery_remaining=9, charge_state=2)


_SPOILERS: Mapping[tuple[str, str], Spoiler] = {
    ("accel-scale", "SCALED_IMU"): add("zacc", -MG),
    ("baro-drift", "SCALED_PRESSURE"): drifting_pressure,
    ("baro-noise", "SCALED_PRESSURE"): noisy_pressure,
    ("clipping", "VIBRATION"): clipping,
    ("cpu-load", "SYS_STATUS"): _put(load=10),
    ("dead-baro", "SCALED_PRESSURE"): _put(press_abs=0),
    ("dead-baro", "SYS_STATUS"): _sick(BARO),
    ("dead-compass", "SCALED_IMU"): no_field,
    ("dead-compass", "SYS_STATUS"): _sick(MAG),
    ("ekf-variance", "ESTIMATOR_STATUS"): _put(vel_ratio=1),
    ("few-satellites", "GPS_RAW_INT"): _put(satellites_visible=1),
    ("gnss-dropping", "GPS_RAW_INT"): _dropping,
    ("gyro-bias", "SCALED_IMU"): add("zgyro", MRAD),
    ("gyro-noise", "SCALED_IMU"): noisy_gyro,
    ("log-full", "SYS_STATUS"): _sick(LOGGING),
    ("low-voltage", "BATTERY_STATUS"): _low_battery,
    ("low-voltage", "SYS_STATUS"): _put(voltage_battery=1000),
    ("mag-interference", "SCALED_IMU"): add("zmag", 1),
    ("no-fix", "ESTIMATOR_STATUS"): lambda f, _size, _s, _n: f.update(flags=WITHOUT_GNSS),
    ("no-fix", "GPS_RAW_INT"): _no_fix,
    ("no-fix", "SYS_STATUS"): _sick(GNSS),
    ("poor-hdop", "GPS_RAW_INT"): _put(eph=100),
    ("prearm", "SYS_STATUS"): _sick(0),
    ("tilted", "ATTITUDE"): lambda f, size, _s, _n: f.update(roll=f["roll"] + math.radians(size)),
    ("vibrating", "VIBRATION"): _put(vibration_z=1),
}
"""What a fault does to a message."""
_KNOWN = {fault for fault, _ in _SPOILERS} | {"heartbeat-slow", "motor-refused", "motor-slow", "motors-together"}


def known_faults() -> Mapping[str, FaultKind]:
    """Give the faults that this twin can show."""
    return {name: kind for name, kind in FAULTS.items() if name not in BENCH_FAULTS or name in _KNOWN}


def check_faults(faults: Faults) -> None:
    """Refuse faults of parts that this twin does not have. Raises UsageError."""
    unknown = sorted(set(faults.bench) - _KNOWN)
    if unknown:
        raise UsageError(
            t("this simulated vehicle cannot show fault {name}", name=unknown[0]),
            hint=t("of broken parts it has: {names}", names=", ".join(sorted(_KNOWN))),
        )


def spoil(
    faults: Faults, name: str, fields: Mapping[str, Any], uptime: float, noise: Callable[[], float]
) -> Mapping[str, Any]:
    """Give the fields of a message as the vehicle's broken parts make them."""
    return spoilers.spoil(_SPOILERS, faults.bench, name, fields, uptime, noise)


def keeps_from_arming(faults: Faults) -> bool:
    """Whether a broken part keeps the vehicle from arming."""
    return any(fault in COMPLAINTS for fault in faults.bench)


def complaints(faults: Faults) -> tuple[tuple[str, int, bytes], ...]:
    """Give what broken parts have against arming: a text ("" for none), an event's number and its arguments."""
    return tuple(COMPLAINTS[fault] for fault in faults.bench if fault in COMPLAINTS)


def beat_seconds(faults: Faults) -> float:
    """Give the time between two heartbeats."""
    return faults.bench.get("heartbeat-slow", 1.0)
