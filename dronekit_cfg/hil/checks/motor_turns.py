"""Turns motors one by one with the interlocks that all families share (B13).

Interlocks, all of them: props-off typed by the operator; disarmed, asked afresh before each motor; throttle at most
15 %; at most 3 s; one motor at a time; each motor is stopped when its time is over, on Ctrl-C, and on any error. How a
family turns and stops a motor, and what it must put back, is its own business: a `Drive`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dronekit_cfg.errors import Interrupted
from dronekit_cfg.events import Note
from dronekit_cfg.hil.bench import Bench
from dronekit_cfg.hil.check import Parameter, Params
from dronekit_cfg.hil.evidence import mean
from dronekit_cfg.model.checked import Measure
from dronekit_cfg.text import t

__all__ = [
    "MAX_PERCENT",
    "MAX_SECONDS",
    "MOTOR_PARAMETERS",
    "NOBODY",
    "SETTLE",
    "Drive",
    "Turned",
    "changed_settings",
    "turn_motors",
]

MAX_PERCENT, MAX_SECONDS = 15.0, 3.0
SETTLE = 1.0
"""Seconds that a motor is given to come to rest before the next one turns."""
NOBODY = t("nobody confirmed that the propellers are off; no motor was turned")
MOTOR_PARAMETERS = (
    Parameter("percent", 7.0, "%", t("throttle; never more than 15"), 1, MAX_PERCENT),
    Parameter("seconds", 2.0, "s", t("time per motor; never more than 3"), 0.5, MAX_SECONDS),
    Parameter("speed", 10, "%", t("how far a motor's speed may be off the mean, where speeds are told"), 1, 100),
)


class Drive(Protocol):
    """How one vehicle turns its motors. Motors count from 1."""

    count: int
    ends_alone: bool
    """Whether the vehicle ends a motor's turn by itself when its time is over."""

    def place(self, motor: int) -> str:
        """Say where the motor is, "" when that is not known."""

    def start(self, motor: int, percent: float, seconds: float) -> str:
        """Turn a motor for at most so long; give what is against it, "" when it turns."""

    def hold(self, motor: int, seconds: float) -> tuple[str, Sequence[float]]:
        """Let it turn for so long; give what went wrong, "" if nothing did, and its speeds in rpm as far as told.

        Raises LinkError when the vehicle falls silent.
        """

    def stop(self, motor: int) -> str:
        """Stop it now; give what is against it. Raises LinkError when the vehicle cannot be told."""

    def wait(self, seconds: float) -> None:
        """Let time pass."""


@dataclass(slots=True)
class Turned:
    """What came of it: how many motors turned as they should, what went wrong, speeds in rpm by motor."""

    count: int
    done: int = 0
    faults: list[str] = field(default_factory=list)
    speeds: dict[int, float] = field(default_factory=dict)

    def measures(self, params: Params) -> list[Measure]:
        """Give the numbers to judge."""
        found = [Measure(t("motors turned"), self.done, "", low=self.count)]
        if len(self.speeds) < 2:
            return found
        middle, off = mean(list(self.speeds.values())), params["speed"] / 100
        return found + [
            Measure(t("speed of motor {n}", n=n), rpm, "rpm", middle * (1 - off), middle * (1 + off))
            for n, rpm in self.speeds.items()
        ]


def changed_settings(
    before: Mapping[str, float], after: Mapping[str, float], what: str
) -> tuple[Measure, tuple[str, ...]]:
    """Judge that a motor test left settings as they were: the number of changed ones, and each in words."""
    lost = [n for n, v in before.items() if after.get(n) != v]
    return Measure(what, len(lost), "", 0, 0), tuple(
        t("{name} was {old:g} and is {new:g} after the motor test", name=n, old=before[n], new=after.get(n, math.nan))
        for n in lost
    )


def turn_motors(bench: Bench, drive: Drive, params: Params) -> Turned:
    """Turn all motors, one after the other; the first fault ends it. The caller has had the props-off confirmed."""
    found = Turned(drive.count)
    for motor in range(1, drive.count + 1):
        fault = _turn(bench, drive, motor, params, found.speeds)
        if fault:
            found.faults.append(fault)
            break
        found.done += 1
    return found


def _turn(bench: Bench, drive: Drive, motor: int, params: Params, speeds: dict[int, float]) -> str:
    percent, seconds = min(params["percent"], MAX_PERCENT), min(params["seconds"], MAX_SECONDS)
    bench.connection.require_disarmed()
    bench.say(t("motor {n} at {p:g} % for {s:g} s", n=motor, p=percent, s=seconds))
    try:
        fault = drive.start(motor, percent, seconds)
        heard: Sequence[float] = ()
        if not fault:
            fault, heard = drive.hold(motor, seconds)
        fault = drive.stop(motor) or fault
    except BaseException as error:
        if not _stopped_anyway(bench, drive, motor) and isinstance(error, Interrupted):
            raise Interrupted(t("stopped; {warning}", warning=_warning(drive, motor))) from error
        raise
    drive.wait(SETTLE)
    if fault:
        return fault
    if heard:
        speeds[motor] = mean(heard)
    if not bench.operator.attended:
        return ""
    name = t("motor {n} ({place})", n=motor, place=place) if (place := drive.place(motor)) else t("motor {n}", n=motor)
    right = bench.operator.done(t("Did {motor} alone turn, in its direction?", motor=name))
    return "" if right else t("the operator did not see motor {n} turn as it should", n=motor)


def _stopped_anyway(bench: Bench, drive: Drive, motor: int) -> bool:
    """Stop after Ctrl-C or a bad link, whatever the stop request says; say so when the vehicle does not confirm it."""
    stopped = False
    with bench.connection.stop.shield():
        try:
            stopped = not drive.stop(motor)
        except Interrupted as error:  # asked twice: the person means it
            raise Interrupted(t("stopped; {warning}", warning=_warning(drive, motor))) from error
        finally:
            if not stopped:
                bench.connection.session.report(Note(_warning(drive, motor), level="warning"))
    return stopped


def _warning(drive: Drive, motor: int) -> str:
    if drive.ends_alone:
        return t(
            "motor {n} may turn for up to {s:g} s more: then the vehicle ends it by itself", n=motor, s=MAX_SECONDS
        )
    return t("motor {n} may still turn: the vehicle did not confirm the stop. Pull the battery!", n=motor)
