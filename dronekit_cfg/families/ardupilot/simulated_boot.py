"""What the simulated ArduCopter says and does while it boots, with the times recorded from the real SITL."""

from __future__ import annotations

from functools import partial

from dronekit_cfg.families.ardupilot.simulated_core import Core, Severity
from dronekit_cfg.families.ardupilot.simulated_scene import Noise
from dronekit_cfg.families.ardupilot.simulated_writes import MAV_TYPES, Writer

__all__ = ["FIRST_HEARTBEAT", "READY", "plan_boot", "plan_power_on"]

FIRST_HEARTBEAT = 0.92
RUNTIME_SECONDS = 30.0
TIMESYNC_SECONDS = 10.0
READY = 2.35
"""When the sensors are calibrated and the heartbeat says so."""

_CONSOLE: tuple[tuple[float, str], ...] = (
    (0.001, "\n\nInit {version}\n\nFree RAM: 524288\nBooting 0/0\n0 0 0 "),
    (0.003, "AP_Logger_File: buffer size=204800\n"),
    (1.823, "Init Gyro"),
    (1.85, "*"),
    (2.1, "*"),
    (2.35, "\n"),
)
"""Plain text between the messages: the firmware's console is the same port."""

_TEXTS: tuple[tuple[float, tuple[str, ...]], ...] = (
    (0.226, ("Calibrating barometer",)),
    (1.824, ("Barometer 1 calibration complete", "Barometer 2 calibration complete")),
    (2.35, ("ArduPilot Ready", "AHRS: DCM active")),
    (2.647, ("RC7: SaveWaypoint LOW",)),
    (4.356, ("EKF3 IMU0 initialised", "EKF3 IMU1 initialised", "AHRS: EKF3 active")),
    (5.703, ("EKF3 IMU0 tilt alignment complete", "EKF3 IMU1 tilt alignment complete")),
    (5.797, ("EKF3 IMU0 MAG0 initial yaw alignment complete", "EKF3 IMU1 MAG0 initial yaw alignment complete")),
    (20.0, ("EKF3 IMU1 origin set", "Field Elevation Set: 584m", "EKF3 IMU0 origin set")),
    (41.4, ("EKF3 IMU0 is using GPS", "EKF3 IMU1 is using GPS")),
)
GPS_FOUND = 9.71
BAROMETERS = ("BARO1_GND_PRESS", "BARO2_GND_PRESS")
GYROS = tuple(f"INS_GYR{which}OFFS_{axis}" for which in ("", "2") for axis in "XYZ")


def plan_power_on(core: Core, writer: Writer, start: float, now: float) -> None:
    """Put a vehicle on the agenda that has been on for a while: nothing is left of its boot."""
    core.booted_at = start
    core.initialised = True
    _plan_housekeeping(core, writer, now)


def _plan_housekeeping(core: Core, writer: Writer, now: float) -> None:
    core.agenda.add(now + RUNTIME_SECONDS, partial(_count_runtime, core, writer))
    core.agenda.add(now + TIMESYNC_SECONDS, partial(_synchronise, core))


def _count_runtime(core: Core, writer: Writer, due: float) -> None:
    """Count the time that the vehicle was on; like every stored change this is told to whoever listens."""
    _change(core, writer, "STAT_RUNTIME", core.parameter("STAT_RUNTIME") + RUNTIME_SECONDS)
    core.agenda.add(_next(core, due, RUNTIME_SECONDS), partial(_count_runtime, core, writer))


def _synchronise(core: Core, due: float) -> None:
    """Ask the ground station for its time, as the firmware does every 10 s."""
    if core.heard:
        core.send("TIMESYNC", tc1=0, ts1=int(core.uptime(due) * 1e9))
    core.agenda.add(_next(core, due, TIMESYNC_SECONDS), partial(_synchronise, core))


def _next(core: Core, due: float, period: float) -> float:
    return max(due + period, core.clock - period)


def plan_boot(core: Core, writer: Writer, noise: Noise, start: float, *, again: bool) -> None:
    """Put a whole boot on the agenda. `again`: not the first one, so counters and calibrations change."""
    core.booted_at = start
    core.initialised = False
    for offset, text in _CONSOLE:
        filled = text.format(version=core.firmware.version_text).encode()
        core.agenda.add(start + offset, partial(_print, core, filled))
    for offset, texts in (*_TEXTS, (GPS_FOUND, core.firmware.gps_found)):
        core.agenda.add(start + offset, partial(_say, core, texts))
    core.agenda.add(start + READY, partial(_ready, core))
    _plan_housekeeping(core, writer, start)
    if again:
        core.store.set_volatile({"STAT_BOOTCNT": core.parameter("STAT_BOOTCNT") + 1})
        if "forgetful" in core.faults.bench:
            core.store.set_volatile({"BATT_CAPACITY": core.parameter("BATT_CAPACITY") + core.faults.bench["forgetful"]})
        core.agenda.add(start + 1.824, partial(_calibrate, core, writer, noise, BAROMETERS, 0.00001))
        core.agenda.add(start + READY, partial(_calibrate, core, writer, noise, GYROS, 0.2))


def _print(core: Core, data: bytes, _due: float) -> None:
    core.out += data


def _ready(core: Core, _due: float) -> None:
    core.initialised = True


def _say(core: Core, texts: tuple[str, ...], _due: float) -> None:
    """Send texts, but only when somebody has been heard on the link, as the firmware does."""
    if core.heard:
        for text in texts:
            core.say(Severity.INFO, text)


def _calibrate(core: Core, writer: Writer, noise: Noise, names: tuple[str, ...], spread: float, _due: float) -> None:
    """Measure anew what is measured at every boot, store it, and tell whoever listens."""
    for name in names:
        fact = core.store.find(name)
        if fact is not None:
            _change(core, writer, name, fact.value * (1 + spread * noise(name, float(core.boots))))


def _change(core: Core, writer: Writer, name: str, value: float) -> None:
    core.store.set_volatile({name: value})
    fact = core.store.find(name)
    if core.heard and fact is not None:
        writer.echo(fact, core.store.value(name), MAV_TYPES[fact.type])
