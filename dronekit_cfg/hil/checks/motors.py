"""The motor test of ArduPilot (B13), and what the firmware must put back after it (S31).

The time is sent with each command, so that a link that breaks leaves the vehicle's own limit. For the interlocks see
`motor_turns`.
"""

from __future__ import annotations

from dronekit_cfg.hil.bench import Bench
from dronekit_cfg.hil.check import Check, Needs, Params
from dronekit_cfg.hil.checks.motor_turns import MOTOR_PARAMETERS, NOBODY, SETTLE, changed_settings, turn_motors
from dronekit_cfg.hil.checks.motors_mavlink import Fields, MavlinkDrive
from dronekit_cfg.model.checked import Outcome
from dronekit_cfg.text import t

__all__ = ["CHECKS"]

MOTOR_TEST = 209
PERCENT, BOARD_ORDER = 0, 2
RESTORED = ("FS_THR_ENABLE", "FS_GCS_ENABLE", "FS_EKF_ACTION")
"""The firmware sets these to 0 for the time of a motor test and must put them back (measured on 4.7-dev)."""
MOTORS = {1: 4, 2: 6, 3: 8, 4: 8, 5: 6, 7: 3}
"""Motors by FRAME_CLASS: quad, hexa, octa, octa-quad, Y6, tri."""
SPEEDS = {"ESC_TELEMETRY_1_TO_4": 1, "ESC_TELEMETRY_5_TO_8": 5}
"""Messages with the speeds of four outputs each, with the first of them."""


def _drive(bench: Bench, count: int) -> MavlinkDrive:
    def turn(motor: int, percent: float, seconds: float) -> int:
        return bench.command(MOTOR_TEST, motor, PERCENT, percent, seconds, 1, BOARD_ORDER)

    def speed(motor: int, name: str, fields: Fields) -> float | None:
        """Give the fastest of four: the test order is not that of the outputs, and one motor turns at a time."""
        del motor
        return float(max(fields["rpm"])) or None if name in SPEEDS else None

    def where(motor: int) -> str:
        return t("number {n} clockwise from the front", n=motor)

    return MavlinkDrive(bench, count, turn, lambda motor: turn(motor, 0, 0), tuple(SPEEDS), speed, where)


def _motors(bench: Bench, params: Params) -> Outcome:
    bench.connection.require_disarmed()
    count = MOTORS.get(int(bench.numbers(("FRAME_CLASS",)).get("FRAME_CLASS", 0)))
    if count is None:
        return Outcome(skip=t("FRAME_CLASS names no frame with a known number of motors"))
    if not bench.operator.props_are_off():
        return Outcome(skip=NOBODY)
    before = bench.numbers(RESTORED)
    drive = _drive(bench, count)
    with drive.watched():
        turned = turn_motors(bench, drive, params)
    bench.listen(SETTLE)
    measure, faults = changed_settings(before, bench.numbers(RESTORED), t("failsafe settings not put back"))
    return Outcome((*turned.measures(params), measure), (*turned.faults, *faults))


CHECKS = (
    Check(
        "motors",
        "B13",
        t("Motors turn in order, and failsafes are put back"),
        t("check motor order and wiring; if failsafes were not put back, apply the profile before any flight"),
        needs=frozenset({Needs.PROPS_OFF}),
        parameters=MOTOR_PARAMETERS,
        act=_motors,
    ),
)
