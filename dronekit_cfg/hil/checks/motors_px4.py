"""The motor test of PX4 (B13): ACTUATOR_TEST, motor by motor.

PX4 refuses it while armed, with the safety switch on, or with COM_MOT_TEST_EN = 0; it ends a test by itself after the
time sent with the command, 3 s at most [PX4 src/modules/commander/Commander.cpp handleCommandActuatorTest].
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from dronekit_cfg.hil.bench import Bench
from dronekit_cfg.hil.check import Check, Needs, Params
from dronekit_cfg.hil.checks.motor_turns import MOTOR_PARAMETERS, NOBODY, SETTLE, changed_settings, turn_motors
from dronekit_cfg.hil.checks.motors_mavlink import Fields, MavlinkDrive
from dronekit_cfg.hil.checks.px4 import PX4
from dronekit_cfg.model.checked import Outcome
from dronekit_cfg.text import t

__all__ = ["CHECKS"]

ACTUATOR_TEST = 310
ALLOWED, ROTORS = "COM_MOT_TEST_EN", "CA_ROTOR_COUNT"
MOST = 12
GEOMETRY = tuple(f"CA_ROTOR{n}_{axis}" for n in range(MOST) for axis in ("PX", "PY", "KM"))
"""Where each rotor is (forward, right, in m) and how it turns (above 0: counterclockwise)."""
WATCHED = (ALLOWED, "NAV_RCL_ACT", "NAV_DLL_ACT", "COM_LOW_BAT_ACT")
"""Settings that must be as before; PX4 changes none of them (measured on 2024-10)."""
PER_MESSAGE = 4


def _drive(bench: Bench, count: int) -> MavlinkDrive:
    geometry = bench.numbers(GEOMETRY[: 3 * count])

    def turn(motor: int, percent: float, seconds: float) -> int:
        return bench.command(ACTUATOR_TEST, percent / 100, seconds, 0, 0, motor)

    def halt(motor: int) -> int:
        return bench.command(ACTUATOR_TEST, math.nan, 0, 0, 0, motor)

    def speed(motor: int, _name: str, fields: Fields) -> float | None:
        place = motor - 1 - fields["index"]
        return float(abs(fields["rpm"][place])) if 0 <= place < PER_MESSAGE else None

    return MavlinkDrive(bench, count, turn, halt, ("ESC_STATUS",), speed, lambda motor: _place(geometry, motor))


def _place(geometry: Mapping[str, float], motor: int) -> str:
    """Say where the vehicle's own geometry puts a motor, and how it turns."""
    forward, right, turn = (geometry.get(f"CA_ROTOR{motor - 1}_{axis}", 0.0) for axis in ("PX", "PY", "KM"))
    if not forward and not right:
        return ""
    words = [t("front") if forward > 0 else t("rear")] if forward else []
    words += [t("right") if right > 0 else t("left")] if right else []
    direction = t("counterclockwise") if turn > 0 else t("clockwise")
    return t("{place}, {direction}", place=" ".join(words), direction=direction)


def _motors(bench: Bench, params: Params) -> Outcome:
    bench.connection.require_disarmed()
    settings = bench.numbers((ALLOWED, ROTORS))
    if settings.get(ALLOWED) == 0:
        return Outcome(skip=t("the vehicle allows no motor test (COM_MOT_TEST_EN = 0)"))
    count = min(int(settings.get(ROTORS, 0)), MOST)
    if not count:
        return Outcome(skip=t("CA_ROTOR_COUNT names no motors"))
    if not bench.operator.props_are_off():
        return Outcome(skip=NOBODY)
    before = bench.numbers(WATCHED)
    drive = _drive(bench, count)
    with drive.watched():
        turned = turn_motors(bench, drive, params)
    bench.listen(SETTLE)
    measure, faults = changed_settings(before, bench.numbers(WATCHED), t("settings changed by the test"))
    return Outcome((*turned.measures(params), measure), (*turned.faults, *faults))


CHECKS = (
    Check(
        "px4-motors",
        "B13",
        t("Motors turn in order"),
        t("check motor order and wiring, and the functions of the outputs (PWM_MAIN_FUNC1 and so on)"),
        families=PX4,
        needs=frozenset({Needs.PROPS_OFF}),
        parameters=MOTOR_PARAMETERS,
        act=_motors,
    ),
)
