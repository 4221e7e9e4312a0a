"""Checks that need a person: stick travel, the transmitter switched off (B11, B19), a turn of the vehicle (B07)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dronekit_cfg.hil.bench import Bench
from dronekit_cfg.hil.check import Check, Needs, Parameter, Params
from dronekit_cfg.model.checked import Measure, Outcome
from dronekit_cfg.text import t

__all__ = ["CHECKS", "FOUND", "LOST", "after", "said"]

SET_INTERVAL = 511
STICKS = ("ROLL", "PITCH", "THROTTLE", "YAW")
RC_CHANNELS, VFR_HUD = 65, 74
LOST, FOUND = "Radio Failsafe", "Radio Failsafe Cleared"
CLEARED = "Cleared"
"""What ArduCopter says [seen on SITL 4.7-dev, scenario s16]."""


def _watched(bench: Bench, number: int, hertz: float) -> None:
    bench.command(SET_INTERVAL, number, 1e6 / hertz if hertz else 0)


def _travel(bench: Bench, params: Params) -> Outcome:
    if not bench.operator.done(t("Get ready to move all sticks to all corners.")):
        return Outcome(skip=t("nobody moved the sticks"))
    bench.say(t("move all sticks to all corners for {s:.0f} s", s=params["seconds"]))
    names = {"px4": "RC_MAP_{}"}.get(bench.connection.identity.family, "RCMAP_{}")
    told = bench.numbers([names.format(stick) for stick in STICKS])
    order = [int(told.get(names.format(stick), n)) or n for n, stick in enumerate(STICKS, 1)]
    least: dict[str, float] = {}
    most: dict[str, float] = {}

    def each(name: str, fields: Mapping[str, Any]) -> None:
        if name == "RC_CHANNELS":
            for stick, n in zip(STICKS, order, strict=True):
                pulse = float(fields[f"chan{n}_raw"])
                least[stick], most[stick] = min(least.get(stick, pulse), pulse), max(most.get(stick, pulse), pulse)

    _watched(bench, RC_CHANNELS, 10)
    try:
        bench.listen(params["seconds"], each)
    finally:
        _watched(bench, RC_CHANNELS, 0)
    if not least:
        return Outcome(faults=(t("no radio receiver is seen"),))
    return Outcome(
        tuple(
            Measure(t("travel of {stick}", stick=stick.lower()), most[stick] - low, "us", low=params["travel"])
            for stick, low in least.items()
        )
    )


def _failsafe(bench: Bench, params: Params) -> Outcome:
    bench.connection.require_disarmed()
    allowed = bench.numbers(("RC_FS_TIMEOUT",)).get("RC_FS_TIMEOUT", 1.0) + params["slack"]
    bench.texts.clear()
    if not bench.operator.done(t("Switch the transmitter OFF, and answer at once.")):
        return Outcome(skip=t("nobody switched the transmitter off"))
    lost = after(bench, LOST, params["wait"])
    measures = [Measure(t("failsafe after the answer"), lost, "s", high=allowed)]
    faults = []
    if math.isnan(lost):
        faults.append(t("no radio failsafe within {s:.0f} s: the receiver holds its last values", s=params["wait"]))
    bench.texts.clear()
    if not bench.operator.done(t("Switch the transmitter ON again.")):
        faults.append(t("nobody switched the transmitter on again"))
    elif not math.isnan(lost):
        measures.append(
            Measure(t("failsafe cleared after"), after(bench, FOUND, params["wait"]), "s", high=params["wait"])
        )
    return Outcome(tuple(measures), tuple(faults))


def said(bench: Bench, opening: str) -> tuple[str, ...]:
    """Give what the vehicle said with an opening, without it, each once."""
    return tuple(dict.fromkeys(x.removeprefix(opening) for _, _, x in bench.texts if x.startswith(opening)))


def after(bench: Bench, text: str, seconds: float) -> float:
    """Give how long after now a text came, 0 when it had come already, NaN when it does not come in time."""
    start = bench.connection.runner.clock.now()

    def heard() -> list[float]:
        # A text that tells the end of a failsafe begins like the one that tells it.
        return [at for at, _, x in bench.texts if x.startswith(text) and (CLEARED in text or CLEARED not in x)]

    bench.listen(seconds, lambda _name, _fields: bool(heard()))
    return max(0.0, heard()[0] - start) if heard() else math.nan


def _turn(bench: Bench, params: Params) -> Outcome:
    if not bench.operator.done(t("Get ready to turn the vehicle once around its vertical axis, slowly.")):
        return Outcome(skip=t("nobody turned the vehicle"))
    seen: set[int] = set()

    def each(name: str, fields: Mapping[str, Any]) -> bool:
        if name == "VFR_HUD":
            seen.add(int(fields["heading"]) % 360 // 30)
        return len(seen) == 12

    _watched(bench, VFR_HUD, 10)
    try:
        bench.listen(params["seconds"], each)
    finally:
        _watched(bench, VFR_HUD, 0)
    return Outcome((Measure(t("headings seen"), 30 * len(seen), "deg", low=360),))


_OPERATED = frozenset({Needs.OPERATOR})
CHECKS = (
    Check(
        "radio-travel",
        "B11",
        t("Sticks move over their full travel"),
        t("calibrate the radio; check end points and the model in the transmitter"),
        families=frozenset({"ardupilot", "px4"}),
        needs=_OPERATED,
        parameters=(
            Parameter("seconds", 10, "s", t("time to move the sticks"), 3, 60),
            Parameter("travel", 700, "us", t("least travel of each stick"), 200, 1200),
        ),
        act=_travel,
    ),
    Check(
        "radio-failsafe",
        "B11",
        t("A lost transmitter is noticed"),
        t("set the receiver to send no pulses when the link is lost"),
        needs=_OPERATED,
        parameters=(
            Parameter("slack", 0.5, "s", t("time allowed beyond RC_FS_TIMEOUT, counted from the answer"), 0.1, 5),
            Parameter("wait", 15, "s", t("longest wait for the failsafe"), 2, 60),
        ),
        act=_failsafe,
    ),
    Check(
        "compass-turn",
        "B07",
        t("The heading follows a full turn"),
        t("calibrate the compasses; check their orientation"),
        families=frozenset({"ardupilot", "px4"}),
        needs=_OPERATED,
        parameters=(Parameter("seconds", 30, "s", t("time for the turn"), 5, 120),),
        act=_turn,
    ),
)
