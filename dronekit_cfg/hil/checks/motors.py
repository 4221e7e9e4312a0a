"""The motor test, with its interlocks (B13), and what the firmware must put back after it (S31).

Interlocks, all of them: props-off typed by the operator; disarmed, asked afresh before each motor; throttle at most
15 %; at most 3 s; one motor at a time; the test is cancelled on Ctrl-C, on any error, and when a motor's turn is over.
A link that breaks leaves the vehicle's own time limit, which is why the time is sent with each command.
"""

from __future__ import annotations

from dronekit_cfg.hil.bench import Bench
from dronekit_cfg.hil.check import Check, Needs, Parameter, Params
from dronekit_cfg.model.checked import Measure, Outcome
from dronekit_cfg.text import t

__all__ = ["CHECKS", "MAX_PERCENT", "MAX_SECONDS"]

MOTOR_TEST = 209
PERCENT = 0
MAX_PERCENT, MAX_SECONDS = 15.0, 3.0
RESTORED = ("FS_THR_ENABLE", "FS_GCS_ENABLE", "FS_EKF_ACTION")
"""The firmware sets these to 0 for the time of a motor test and must put them back (measured on 4.7-dev)."""
MOTORS = {1: 4, 2: 6, 3: 8, 4: 8, 5: 6, 7: 3}
"""Motors by FRAME_CLASS: quad, hexa, octa, octa-quad, Y6, tri."""
SETTLE = 1.0


def _motors(bench: Bench, params: Params) -> Outcome:
    bench.connection.require_disarmed()
    count = MOTORS.get(int(bench.numbers(("FRAME_CLASS",)).get("FRAME_CLASS", 0)))
    if count is None:
        return Outcome(skip=t("FRAME_CLASS names no frame with a known number of motors"))
    if not bench.operator.props_are_off():
        return Outcome(skip=t("nobody confirmed that the propellers are off; no motor was turned"))
    before = bench.numbers(RESTORED)
    faults: list[str] = []
    for motor in range(1, count + 1):
        fault = _turn(bench, motor, min(params["percent"], MAX_PERCENT), min(params["seconds"], MAX_SECONDS))
        if fault:
            faults.append(fault)
            break
    bench.listen(SETTLE)
    after = bench.numbers(RESTORED)
    lost = [n for n, v in before.items() if after.get(n) != v]
    faults += [
        t("{name} was {old:g} and is {new:g} after the motor test", name=n, old=before[n], new=after.get(n, -1))
        for n in lost
    ]
    measures = (
        Measure(t("motors turned"), motor - bool(faults and not lost), "", low=count),
        Measure(t("failsafe settings not put back"), len(lost), "", 0, 0),
    )
    return Outcome(measures, tuple(faults))


def _turn(bench: Bench, motor: int, percent: float, seconds: float) -> str:
    """Turn one motor; give what went wrong, "" if nothing did."""
    bench.connection.require_disarmed()
    bench.say(t("motor {n} at {p:g} % for {s:g} s", n=motor, p=percent, s=seconds))
    try:
        if bench.command(MOTOR_TEST, motor, PERCENT, percent, seconds, 1, 2) != 0:
            return t("the vehicle refuses to turn motor {n}", n=motor)
        bench.listen(seconds)
        _stop(bench, motor)
    except BaseException:
        # Ctrl-C or a bad link: say stop once more whatever the stop request says, then let it pass.
        with bench.connection.stop.shield():
            _stop(bench, motor)
        raise
    bench.listen(SETTLE)
    if not bench.operator.attended:
        return ""
    right = bench.operator.done(t("Did motor {n} of the test order turn, in its direction?", n=motor))
    return "" if right else t("the operator did not see motor {n} turn as it should", n=motor)


def _stop(bench: Bench, motor: int) -> None:
    """Ask for no throttle; the vehicle ends the running test with it."""
    bench.command(MOTOR_TEST, motor, PERCENT, 0, 0, 1, 2)


CHECKS = (
    Check(
        "motors",
        "B13",
        t("Motors turn in order, and failsafes are put back"),
        t("check motor order and wiring; if failsafes were not put back, apply the profile before any flight"),
        needs=frozenset({Needs.PROPS_OFF}),
        parameters=(
            Parameter("percent", 7.0, "%", t("throttle; never more than 15"), 1, MAX_PERCENT),
            Parameter("seconds", 2.0, "s", t("time per motor; never more than 3"), 0.5, MAX_SECONDS),
        ),
        act=_motors,
    ),
)
