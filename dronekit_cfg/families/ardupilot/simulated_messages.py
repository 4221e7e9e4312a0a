"""The telemetry messages of the simulated ArduCopter: how each one is filled, and which stream it belongs to."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from dronekit_cfg.families.ardupilot.simulated_core import Core
from dronekit_cfg.families.ardupilot.simulated_readiness import obstacles
from dronekit_cfg.families.ardupilot.simulated_scene import Scene

__all__ = ["MESSAGES", "STREAMS", "Fill", "sensor_health"]

Fill: TypeAlias = Callable[[Core, Scene, float], Mapping[str, Any]]
"""Gives the fields of a message at a time (seconds on the serving side's clock)."""

STREAMS: Mapping[int, tuple[str, tuple[str, ...]]] = {
    1: ("RAW_SENS", ("RAW_IMU", "SCALED_IMU2", "SCALED_PRESSURE", "SCALED_PRESSURE2")),
    2: (
        "EXT_STAT",
        ("SYS_STATUS", "POWER_STATUS", "MEMINFO", "MISSION_CURRENT", "GPS_RAW_INT", "NAV_CONTROLLER_OUTPUT"),
    ),
    3: ("RC_CHAN", ("SERVO_OUTPUT_RAW", "RC_CHANNELS")),
    4: ("RAW_CTRL", ()),
    6: ("POSITION", ("GLOBAL_POSITION_INT", "LOCAL_POSITION_NED")),
    10: ("EXTRA1", ("ATTITUDE", "AHRS2")),
    11: ("EXTRA2", ("VFR_HUD",)),
    12: ("EXTRA3", ("AHRS", "SYSTEM_TIME", "BATTERY_STATUS", "EKF_STATUS_REPORT", "VIBRATION")),
}
"""Streams by MAV_DATA_STREAM: the end of the parameter that holds the rate, and the messages, as on the real SITL."""

_PRESENT = 1399979055
_ENABLED = 1398905903
_HEALTH = 1467063343
"""SYS_STATUS masks of the real SITL when it is ready to arm."""
PREARM_BIT = 1 << 28
GPS_BIT = 1 << 5
AHRS_BIT = 1 << 21
RPM_PER_SHARE = 90_000
EKF_READY, EKF_WITHOUT_GPS = 831, 167


def _ms(core: Core, now: float) -> int:
    return int(core.uptime(now) * 1000) & 0xFFFFFFFF


def _us(core: Core, now: float) -> int:
    return int(core.uptime(now) * 1e6)


def sensor_health(core: Core, scene: Scene, now: float) -> int:
    """Give the health mask of SYS_STATUS, with the bit that says "ready to arm"."""
    seconds = core.uptime(now)
    health = _HEALTH & ~PREARM_BIT if obstacles(core, scene, now) else _HEALTH | PREARM_BIT
    if not scene.located(seconds):
        health &= ~GPS_BIT
    return health if core.initialised else health & ~AHRS_BIT


def _raw_imu(core: Core, scene: Scene, now: float) -> Mapping[str, Any]:
    return {"time_usec": _us(core, now), "id": 0, **_imu(core, scene, now, "1")}


def _scaled_imu2(core: Core, scene: Scene, now: float) -> Mapping[str, Any]:
    return {"time_boot_ms": _ms(core, now), **_imu(core, scene, now, "2")}


def _imu(core: Core, scene: Scene, now: float, which: str) -> dict[str, Any]:
    seconds, noise = core.uptime(now), scene.noise
    rates = scene.rates(seconds)
    return {
        "xacc": round(3 * noise("ax" + which, seconds)),
        "yacc": round(3 * noise("ay" + which, seconds)),
        "zacc": round(-1001 + 3 * noise("az" + which, seconds)),
        "xgyro": round(rates[0] * 1000),
        "ygyro": round(rates[1] * 1000),
        "zgyro": round(rates[2] * 1000),
        "xmag": round(224 + 2 * noise("mx" + which, seconds)),
        "ymag": round(80 + 2 * noise("my" + which, seconds)),
        "zmag": round(-528 + 2 * noise("mz" + which, seconds)),
        "temperature": 2883,
    }


def _pressure(which: str) -> Fill:
    def fill(core: Core, scene: Scene, now: float) -> Mapping[str, Any]:
        press = scene.pressure + 0.02 * scene.noise("baro" + which, core.uptime(now))
        return {"time_boot_ms": _ms(core, now), "press_abs": press, "press_diff": 0.0, "temperature": 3051}

    return fill


def _sys_status(core: Core, scene: Scene, now: float) -> Mapping[str, Any]:
    seconds = core.uptime(now)
    return {
        "onboard_control_sensors_present": _PRESENT,
        "onboard_control_sensors_enabled": _ENABLED,
        "onboard_control_sensors_health": sensor_health(core, scene, now),
        "load": round(180 + 40 * scene.noise("load", seconds)),
        "voltage_battery": round(scene.voltage(seconds, armed=core.armed) * 1000),
        "current_battery": round(scene.current(seconds, armed=core.armed) * 100),
        "battery_remaining": 100,
        "drop_rate_comm": 0,
        "errors_comm": 0,
        "errors_count1": 0,
        "errors_count2": 0,
        "errors_count3": 0,
        "errors_count4": 0,
    }


def _power(core: Core, scene: Scene, now: float) -> Mapping[str, Any]:
    return {"Vcc": round(5000 + 8 * scene.noise("vcc", core.uptime(now))), "Vservo": 0, "flags": 0}


def _meminfo(_core: Core, _scene: Scene, _now: float) -> Mapping[str, Any]:
    return {"brkval": 0, "freemem": 65535, "freemem32": 524288}


def _mission(_core: Core, _scene: Scene, _now: float) -> Mapping[str, Any]:
    return {"seq": 0, "total": 0, "mission_state": 1, "mission_mode": 0}


def _gps(core: Core, scene: Scene, now: float) -> Mapping[str, Any]:
    now = now if core.gps_stands_at is None else core.gps_stands_at
    seconds = core.uptime(now)
    fixed = scene.located(seconds)
    north, east, up = scene.position(seconds)
    return {
        "time_usec": _us(core, now),
        "fix_type": 6 if fixed else 1,
        "lat": scene.latitude + round(north * 90) if fixed else 0,
        "lon": scene.longitude + round(east * 110) if fixed else 0,
        "alt": scene.altitude + round(up * 1000) if fixed else 0,
        "eph": 121 if fixed else 9999,
        "epv": 200 if fixed else 9999,
        "vel": 0,
        "cog": 0,
        "satellites_visible": scene.satellites(seconds),
        "alt_ellipsoid": scene.altitude if fixed else 0,
        "h_acc": 300 if fixed else 0xFFFFFFFF,
        "v_acc": 300 if fixed else 0xFFFFFFFF,
        "vel_acc": 0,
    }


def _navigation(_core: Core, _scene: Scene, _now: float) -> Mapping[str, Any]:
    floats = ("nav_roll", "nav_pitch", "alt_error", "aspd_error", "xtrack_error")
    return {"nav_bearing": -5, "target_bearing": 0, "wp_dist": 0, **dict.fromkeys(floats, 0.0)}


def _servos(core: Core, _scene: Scene, now: float) -> Mapping[str, Any]:
    idle = 0.15 if core.armed else 0.0
    motors = {f"servo{n}_raw": round(1000 + 1000 * core.turning.get(n, idle)) for n in range(1, 5)}
    return {"time_usec": _us(core, now) & 0xFFFFFFFF, "port": 0, **motors, **{f"servo{n}_raw": 0 for n in range(5, 9)}}


def _escs(core: Core, _scene: Scene, _now: float) -> Mapping[str, Any]:
    slow = {3: 2 / 3} if "motor-slow" in core.faults.bench else {}
    rpm = tuple(round(RPM_PER_SHARE * core.turning.get(n, 0.0) * slow.get(n, 1.0)) for n in range(1, 5))
    zeros = (0,) * 4
    return {
        "temperature": bytes(4),
        "voltage": (1260,) * 4,
        "current": zeros,
        "totalcurrent": zeros,
        "rpm": rpm,
        "count": zeros,
    }


def _channels(core: Core, scene: Scene, now: float) -> Mapping[str, Any]:
    pulses = scene.channels()
    raw = {f"chan{n}_raw": pulses[n - 1] if n <= len(pulses) else 0 for n in range(1, 19)}
    return {"time_boot_ms": _ms(core, now), "chancount": len(pulses), **raw, "rssi": 255}


def _global_position(core: Core, scene: Scene, now: float) -> Mapping[str, Any]:
    seconds = core.uptime(now)
    north, east, up = scene.position(seconds)
    velocity = scene.velocity(seconds)
    known = scene.aligned(seconds)
    return {
        "time_boot_ms": _ms(core, now),
        "lat": scene.latitude + round(north * 90) if known else 0,
        "lon": scene.longitude + round(east * 110) if known else 0,
        "alt": scene.altitude + round(up * 1000),
        "relative_alt": round(up * 1000),
        "vx": round(velocity[0] * 100),
        "vy": round(velocity[1] * 100),
        "vz": round(velocity[2] * 100),
        "hdg": round(math.degrees(scene.attitude(seconds)[2]) % 360 * 100),
    }


def _local_position(core: Core, scene: Scene, now: float) -> Mapping[str, Any]:
    seconds = core.uptime(now)
    north, east, up = scene.position(seconds)
    vx, vy, vz = scene.velocity(seconds)
    return {"time_boot_ms": _ms(core, now), "x": north, "y": east, "z": -up, "vx": vx, "vy": vy, "vz": vz}


def _attitude(core: Core, scene: Scene, now: float) -> Mapping[str, Any]:
    seconds = core.uptime(now)
    roll, pitch, yaw = scene.attitude(seconds)
    p, q, r = scene.rates(seconds)
    return {
        "time_boot_ms": _ms(core, now),
        "roll": roll,
        "pitch": pitch,
        "yaw": yaw,
        "rollspeed": p,
        "pitchspeed": q,
        "yawspeed": r,
    }


def _ahrs2(core: Core, scene: Scene, now: float) -> Mapping[str, Any]:
    roll, pitch, yaw = scene.attitude(core.uptime(now) + 0.1)
    altitude = scene.altitude / 1000
    return {
        "roll": roll,
        "pitch": pitch,
        "yaw": yaw,
        "altitude": altitude,
        "lat": scene.latitude,
        "lng": scene.longitude,
    }


def _hud(core: Core, scene: Scene, now: float) -> Mapping[str, Any]:
    seconds = core.uptime(now)
    vx, vy, vz = scene.velocity(seconds)
    return {
        "airspeed": math.hypot(vx, vy),
        "groundspeed": math.hypot(vx, vy),
        "heading": round(math.degrees(scene.attitude(seconds)[2]) % 360) % 360,
        "throttle": 0,
        "alt": scene.altitude / 1000 + scene.position(seconds)[2],
        "climb": -vz,
    }


def _ahrs(core: Core, scene: Scene, now: float) -> Mapping[str, Any]:
    seconds = core.uptime(now)
    drift = {f"omegaI{axis}": 0.0006 * scene.noise("drift" + axis, seconds) for axis in "xyz"}
    return {**drift, "accel_weight": 0.0, "renorm_val": 0.0, "error_rp": 0.0025, "error_yaw": 0.0011}


def _system_time(core: Core, scene: Scene, now: float) -> Mapping[str, Any]:
    unix = scene.unix_at_boot + core.uptime(now)
    return {"time_unix_usec": int(unix * 1e6), "time_boot_ms": _ms(core, now)}


def _battery(core: Core, scene: Scene, now: float) -> Mapping[str, Any]:
    seconds = core.uptime(now)
    volts = round(scene.voltage(seconds, armed=core.armed) * 1000)
    return {
        "id": 0,
        "battery_function": 0,
        "type": 0,
        "temperature": 32767,
        "voltages": (volts, *([65535] * 9)),
        "current_battery": round(scene.current(seconds, armed=core.armed) * 100),
        "current_consumed": 0,
        "energy_consumed": 0,
        "battery_remaining": 100,
        "charge_state": 1,
    }


def _ekf(core: Core, scene: Scene, now: float) -> Mapping[str, Any]:
    seconds, noise = core.uptime(now), scene.noise
    return {
        "flags": EKF_READY if scene.aligned(seconds) else EKF_WITHOUT_GPS,
        "velocity_variance": 0.007 + 0.003 * abs(noise("ekfv", seconds)),
        "pos_horiz_variance": 0.005 + 0.003 * abs(noise("ekfh", seconds)),
        "pos_vert_variance": 0.001 + 0.001 * abs(noise("ekfz", seconds)),
        "compass_variance": 0.02 + 0.005 * abs(noise("ekfm", seconds)),
        "terrain_alt_variance": 0.0,
    }


def _vibration(core: Core, scene: Scene, now: float) -> Mapping[str, Any]:
    level = 3.0 if core.armed else 0.003
    axes = {f"vibration_{axis}": level * (1 + 0.1 * scene.noise("vib" + axis, core.uptime(now))) for axis in "xyz"}
    return {"time_usec": _us(core, now), **axes, "clipping_0": 0, "clipping_1": 0, "clipping_2": 0}


def _home(_core: Core, scene: Scene, _now: float) -> Mapping[str, Any]:
    zeros = dict.fromkeys(("x", "y", "z", "approach_x", "approach_y", "approach_z"), 0.0)
    place = {"latitude": scene.latitude, "longitude": scene.longitude, "altitude": scene.altitude}
    return {**place, **zeros, "q": (math.nan,) * 4}


def _origin(_core: Core, scene: Scene, _now: float) -> Mapping[str, Any]:
    return {"latitude": scene.latitude, "longitude": scene.longitude, "altitude": scene.altitude}


MESSAGES: Mapping[str, Fill] = {
    "AHRS": _ahrs,
    "AHRS2": _ahrs2,
    "ATTITUDE": _attitude,
    "BATTERY_STATUS": _battery,
    "EKF_STATUS_REPORT": _ekf,
    "ESC_TELEMETRY_1_TO_4": _escs,
    "GLOBAL_POSITION_INT": _global_position,
    "GPS_GLOBAL_ORIGIN": _origin,
    "GPS_RAW_INT": _gps,
    "HOME_POSITION": _home,
    "LOCAL_POSITION_NED": _local_position,
    "MEMINFO": _meminfo,
    "MISSION_CURRENT": _mission,
    "NAV_CONTROLLER_OUTPUT": _navigation,
    "POWER_STATUS": _power,
    "RAW_IMU": _raw_imu,
    "RC_CHANNELS": _channels,
    "SCALED_IMU2": _scaled_imu2,
    "SCALED_PRESSURE": _pressure("1"),
    "SCALED_PRESSURE2": _pressure("2"),
    "SERVO_OUTPUT_RAW": _servos,
    "SYSTEM_TIME": _system_time,
    "SYS_STATUS": _sys_status,
    "VFR_HUD": _hud,
    "VIBRATION": _vibration,
}
"""Every telemetry message that the vehicle can send."""
