"""Faults of a vehicle's parts, for the checks of a bench: `sim:ardupilot-copter?fault=dead-compass,low-voltage:10.2`.

Each is a name with one number, its size, which has a usual value. What a fault does to telemetry, health bits and texts
is the business of the family that simulates it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["BENCH_FAULTS", "BenchFault"]


@dataclass(frozen=True, slots=True)
class BenchFault:
    """One broken part: what is wrong, the usual size, and the size's unit ("" for a fault that has no size)."""

    meaning: str
    size: float = 1.0
    unit: str = ""


BENCH_FAULTS: Mapping[str, BenchFault] = {
    "accel-scale": BenchFault("the first accelerometer measures too much gravity", 0.6, "m/s2"),
    "accels-apart": BenchFault("the second accelerometer disagrees", 1.2, "m/s2"),
    "arms-blind": BenchFault("nothing keeps it from arming, no lack of a position either"),
    "baro-apart": BenchFault("the second barometer is off", 6.0, "hPa"),
    "baro-drift": BenchFault("the barometers drift", 1.0, "hPa/min"),
    "baro-noise": BenchFault("the barometers are noisy", 0.3, "hPa"),
    "clipping": BenchFault("an accelerometer clips"),
    "compass-apart": BenchFault("the second compass is turned", 100.0, "deg"),
    "cpu-load": BenchFault("the processor is overloaded", 96.0, "%"),
    "dead-baro": BenchFault("the barometers report nothing and are unhealthy"),
    "dead-compass": BenchFault("the first compass is dead"),
    "dead-man-ignored": BenchFault("it stays armed when the transmitter is lost on the ground"),
    "ekf-variance": BenchFault("the estimator's velocity variance is high", 0.9),
    "few-satellites": BenchFault("GNSS uses few satellites", 7.0),
    "forgetful": BenchFault("a setting is lost over a reboot: BATT_CAPACITY"),
    "gcs-loss-forever": BenchFault("it never notices that the ground station is back"),
    "gcs-loss-ignored": BenchFault("it does not notice that the ground station is lost"),
    "gnss-dropping": BenchFault("satellites drop away and come back: interference", 18.0),
    "gyro-bias": BenchFault("the first gyro shows a turn", 1.5, "deg/s"),
    "gyro-noise": BenchFault("the first gyro is noisy", 1.0, "deg/s"),
    "gyros-apart": BenchFault("the second gyro disagrees in a slow turn of both", 6.0, "deg/s"),
    "heartbeat-slow": BenchFault("heartbeats come only every N seconds", 2.0, "s"),
    "internal-error": BenchFault("the firmware counts internal errors", 3.0),
    "log-drops": BenchFault("the card is slow: log records are dropped"),
    "log-full": BenchFault("the card is full: no log is kept"),
    "low-memory": BenchFault("little memory is free", 4000.0, "B"),
    "low-supply": BenchFault("the board's supply is low", 4.5, "V"),
    "low-voltage": BenchFault("the battery is low", 10.2, "V"),
    "mag-interference": BenchFault("a magnet is near: the field is too strong", 900.0, "mG"),
    "motor-refused": BenchFault("motor tests are refused"),
    "motor-slow": BenchFault("the third output's motor turns a third slower"),
    "motor-test-keeps": BenchFault("after a motor test failsafes stay off"),
    "motors-together": BenchFault("all motors turn when one is to turn"),
    "no-fix": BenchFault("GNSS has no fix"),
    "no-rc": BenchFault("no radio receiver is heard"),
    "poor-hdop": BenchFault("GNSS geometry is poor", 2.4),
    "prearm": BenchFault("the vehicle has something else against arming"),
    "radio-holds": BenchFault("the receiver holds its last values when the transmitter is lost"),
    "sick-ahrs": BenchFault("the attitude estimate is unhealthy"),
    "sticks-moving": BenchFault("a pilot moves all sticks through their travel"),
    "stuck-channel": BenchFault("a stick's channel is stuck high", 1.0),
    "telemetry-loss": BenchFault("a share of the telemetry is lost", 0.4),
    "tilted": BenchFault("the vehicle stands tilted", 6.0, "deg"),
    "vibrating": BenchFault("the vehicle vibrates", 9.0, "m/s2"),
}
"""Every fault of a part by the name that users type."""
