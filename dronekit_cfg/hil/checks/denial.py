"""What the vehicle does without transmitter while armed (B19), without ground station (B20), without satellites (B21).

Texts as ArduCopter says them, times and behaviour on the ground as measured on its SITL (4.7-dev): a landed vehicle in
Stabilize disarms with the radio failsafe, the loss of the ground station is told while disarmed too, and a mode that
needs a position may be chosen while disarmed without one, but then the vehicle does not arm.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from dronekit_cfg.errors import Interrupted, LinkError
from dronekit_cfg.hil.bench import RUN_PREARM, Bench
from dronekit_cfg.hil.check import Check, Needs, Parameter, Params
from dronekit_cfg.hil.checks.motor_turns import NOBODY
from dronekit_cfg.hil.checks.operated import FOUND, LOST, after, said
from dronekit_cfg.hil.checks.system import PREARM_BIT
from dronekit_cfg.model.checked import Measure, Outcome
from dronekit_cfg.text import t

__all__ = ["CHECKS"]

SET_MODE, ARM, FORCE_DISARM = 176, 400, 21196
STABILIZE, LOITER = 0, 5
STATION_LOST, STATION_FOUND = "GCS Failsafe", "GCS Failsafe Cleared"
HORIZ_POS_ABS = 16
FIX_3D = 3
WATCHED = {"GPS_RAW_INT": 5.0, "EKF_STATUS_REPORT": 5.0, "SYS_STATUS": 4.0}
NOT_A_COPTER = t("written for copters")
READINESS_SECONDS = 3.0
"""How long after a change of mode the vehicle's own checks may take: it runs them every second."""


def _mode(bench: Bench) -> int:
    return int((bench.message("HEARTBEAT") or {}).get("custom_mode", STABILIZE))


@contextmanager
def _mode_kept(bench: Bench) -> Iterator[None]:
    """Bring the vehicle back to the mode it was in, whatever happens."""
    before = _mode(bench)
    try:
        yield
    finally:
        with bench.connection.stop.shield(), suppress(LinkError):  # what broke the link says more
            bench.command(SET_MODE, 1, before)


# --- B19


def _dead_man(bench: Bench, params: Params) -> Outcome:
    bench.connection.require_disarmed()
    settings = bench.numbers(("FS_THR_ENABLE", "RC_FS_TIMEOUT"))
    if against := _against(bench, settings):
        return Outcome(skip=against)
    operator = bench.operator
    bench.texts.clear()
    with _mode_kept(bench), _disarmed_after(bench):
        bench.command(SET_MODE, 1, STABILIZE)
        if bench.command(ARM, 1) != 0:
            bench.listen(1.0)
            why = "; ".join(dict.fromkeys(x.removeprefix("Arm: ") for _, s, x in bench.texts if s <= 4))
            return Outcome(skip=t("the vehicle does not arm: {why}", why=why or t("it does not say why")))
        bench.texts.clear()
        if not operator.done(t("Switch the transmitter OFF now, and answer at once."), params["answer"]):
            return Outcome(skip=t("nobody switched the transmitter off"))
        outcome = _dropped(bench, settings.get("RC_FS_TIMEOUT", 1.0) + params["slack"], params)
    back = operator.done(t("Switch the transmitter ON again."))
    found = after(bench, FOUND, params["wait"]) if back and not outcome.faults else 0.0
    faults = () if back else (t("nobody switched the transmitter on again"),)
    cleared = Measure(t("failsafe cleared after"), found, "s", high=params["wait"])
    return Outcome((*outcome.measures, cleared), (*outcome.faults, *faults))


def _against(bench: Bench, settings: Mapping[str, float]) -> str:
    """Give what is against arming the vehicle for this, "" when the operator is ready for it."""
    if bench.connection.identity.vehicle != "copter":
        return NOT_A_COPTER
    if settings.get("FS_THR_ENABLE", 1) == 0:
        return t("the radio failsafe is off (FS_THR_ENABLE = 0); see safety-functions")
    if not bench.operator.props_are_off():
        return NOBODY
    ready = t("The vehicle will be armed for some seconds. Throttle down, a hand at the transmitter's switch.")
    return "" if bench.operator.done(ready) else t("nobody is at the transmitter")


def _dropped(bench: Bench, allowed: float, params: Params) -> Outcome:
    """Judge that the failsafe comes, and disarms."""
    lost = after(bench, LOST, params["wait"])
    if math.isnan(lost):
        return Outcome(
            faults=(
                t("no radio failsafe within {s:.0f} s while armed: the receiver holds its values", s=params["wait"]),
            )
        )
    now = bench.connection.runner.clock.now
    start = now()
    while armed := bench.run(bench.connection.driver.arm_state()).armed:
        if now() > start + params["disarm"]:
            break
    faults = (t("the vehicle stays armed after the radio failsafe"),) if armed else ()
    return Outcome(
        (
            Measure(t("failsafe after the answer"), lost, "s", high=allowed),
            Measure(t("still armed"), float(armed), "", 0, 0),
        ),
        faults,
    )


@contextmanager
def _disarmed_after(bench: Bench) -> Iterator[None]:
    """Leave the vehicle disarmed, by force, whatever happens: it stands on a bench."""
    try:
        yield
    finally:
        with bench.connection.stop.shield():
            try:
                bench.command(ARM, 0, FORCE_DISARM)
                bench.connection.require_disarmed()
            except (Interrupted, LinkError) as error:
                why = t("the vehicle may still be armed: pull the battery")
                raise type(error)(t("stopped; {why}", why=why), hint=why) from error


# --- B20


def _station(bench: Bench, params: Params) -> Outcome:
    bench.connection.require_disarmed()
    settings = bench.numbers(("FS_GCS_ENABLE", "FS_GCS_TIMEOUT", "MAV_GCS_SYSID", "SYSID_MYGCS"))
    enabled = settings.get("FS_GCS_ENABLE", 0) != 0
    timeout = settings.get("FS_GCS_TIMEOUT", 5.0)
    conversation = bench.conversation
    stations = [system for (system, _), at in conversation.watch.stations.items() if at > conversation.now - RECENT]
    if stations:
        listed = ", ".join(map(str, stations))
        return Outcome(skip=t("another ground station (system {list}) talks to the vehicle: end it", list=listed))
    silence = max(params["silence"], timeout + params["slack"])
    bench.say(t("no heartbeats of ours for {s:.0f} s", s=silence))
    bench.texts.clear()
    conversation.speaking = False
    try:
        lost = after(bench, STATION_LOST, silence)
    finally:
        conversation.speaking = True
    if not enabled:
        told = Measure(t("failsafe told though it is off"), float(not math.isnan(lost)), "", 0, 0)
        return Outcome((told,), notes=(t("the failsafe of the ground station is off (FS_GCS_ENABLE = 0)"),))
    if math.isnan(lost):
        ours = conversation.codec.system
        expected = settings.get("MAV_GCS_SYSID", settings.get("SYSID_MYGCS", ours))
        if int(expected) != ours:
            why = t("it listens to system {theirs}, and we are {ours}", theirs=int(expected), ours=ours)
            return Outcome(faults=(t("the loss is not noticed: {why}", why=why),))
        return Outcome(faults=(t("the loss of the ground station is not noticed within {s:.0f} s", s=silence),))
    found = after(bench, STATION_FOUND, params["wait"])
    return Outcome(
        (
            Measure(t("loss noticed after"), lost, "s", max(0.0, timeout - 1.5), timeout + params["slack"]),
            Measure(t("return noticed after"), found, "s", high=params["wait"]),
        )
    )


RECENT = 5.0


# --- B21


def _denial(bench: Bench, params: Params) -> Outcome:
    connection, operator = bench.connection, bench.operator
    connection.require_disarmed()
    if connection.identity.vehicle != "copter":
        return Outcome(skip=NOT_A_COPTER)
    with bench.rates(WATCHED), _mode_kept(bench):
        if not math.isfinite(_position(bench, 3.0, there=True)):
            return Outcome(skip=t("there is no position to take away; see gnss"))
        if not operator.done(t("Cover the GNSS antenna with a metal pot, or unplug the receiver. Transmit nothing!")):
            return Outcome(skip=t("nobody covered the antenna"))
        lost = _position(bench, params["wait"], there=False)
        if math.isnan(lost):
            why = t(
                "the position stays for {s:.0f} s: the antenna is not covered, or another source feeds it",
                s=params["wait"],
            )
            return Outcome(faults=(why,))
        loiter, reasons = _readiness(bench, LOITER)
        stabilize, _ = _readiness(bench, STABILIZE)
        back = operator.done(t("Uncover the antenna, or plug the receiver in again."))
        found = _position(bench, params["back"], there=True) if back else math.nan
    arms = t("arms") if stabilize else t("does not arm")
    notes = (t("Loiter: {reasons}", reasons="; ".join(reasons) or t("refused")), t("Stabilize: {it}", it=arms))
    return Outcome(
        (
            Measure(t("position lost after"), lost, "s", high=params["wait"]),
            Measure(t("ready to arm in Loiter"), float(loiter), "", 0, 0),
            Measure(t("position back after"), found, "s", high=params["back"]),
        ),
        () if back else (t("nobody uncovered the antenna"),),
        notes,
    )


def _position(bench: Bench, seconds: float, *, there: bool) -> float:
    """Give seconds until the vehicle has a fix and a position (or neither), NaN when that does not come in time."""
    start = bench.connection.runner.clock.now()
    seen: dict[str, bool] = {}

    def each(name: str, fields: Mapping[str, Any]) -> bool:
        if name == "GPS_RAW_INT":
            seen["fix"] = fields["fix_type"] >= FIX_3D
        if name == "EKF_STATUS_REPORT":
            seen["position"] = bool(fields["flags"] & HORIZ_POS_ABS)
        return len(seen) == 2 and set(seen.values()) == {there}

    bench.listen(seconds, each)
    passed = len(seen) == 2 and set(seen.values()) == {there}
    return bench.connection.runner.clock.now() - start if passed else math.nan


def _readiness(bench: Bench, mode: int) -> tuple[bool, tuple[str, ...]]:
    """Say whether the vehicle would arm in a mode, and what it has against it. A mode that it refuses is a no."""
    bench.texts.clear()
    if bench.command(SET_MODE, 1, mode) != 0 or _mode(bench) != mode:
        return False, ()
    bench.command(RUN_PREARM)
    health: list[int] = []
    bench.listen(
        READINESS_SECONDS,
        lambda name, fields: health.append(fields["onboard_control_sensors_health"]) if name == "SYS_STATUS" else None,
    )
    return bool(health and health[-1] & PREARM_BIT), said(bench, "PreArm: ")


_WAIT = Parameter("wait", 15, "s", t("longest wait for a text of the vehicle"), 2, 60)
_SLACK = Parameter("slack", 1.0, "s", t("time allowed beyond the vehicle's own timeout"), 0.1, 5)
CHECKS = (
    Check(
        "dead-man",
        "B19",
        t("A lost transmitter disarms on the ground"),
        t("set FS_THR_ENABLE, and the receiver to send no pulses when the link is lost"),
        needs=frozenset({Needs.OPERATOR, Needs.PROPS_OFF}),
        parameters=(
            _SLACK,
            Parameter("answer", 9, "s", t("time to switch the transmitter off; DISARM_DELAY ends it too"), 3, 30),
            Parameter("disarm", 1.5, "s", t("longest time from the failsafe to the disarming"), 0.2, 10),
            Parameter("wait", 8, "s", t("longest wait for the failsafe"), 2, 60),
        ),
        act=_dead_man,
    ),
    Check(
        "gcs-loss",
        "B20",
        t("A lost ground station is noticed as it is set"),
        t("set FS_GCS_ENABLE and FS_GCS_TIMEOUT, and MAV_GCS_SYSID (SYSID_MYGCS) to your ground station's number"),
        parameters=(
            Parameter("silence", 10, "s", t("time without our heartbeats"), 2, 60),
            _SLACK,
            _WAIT,
        ),
        act=_station,
    ),
    Check(
        "gnss-denial",
        "B21",
        t("Without GNSS it arms in no mode that needs it"),
        t("switch the arming checks on (ARMING_CHECK, ARMING_SKIPCHK), and look for a second source of position"),
        needs=frozenset({Needs.OPERATOR}),
        parameters=(
            Parameter("wait", 60, "s", t("longest time until the position is lost"), 5, 300),
            Parameter("back", 120, "s", t("longest time until it is back"), 5, 600),
        ),
        act=_denial,
    ),
)
