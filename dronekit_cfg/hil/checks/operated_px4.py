"""Checks of PX4 that need a person: the transmitter switched off (B11).

PX4 tells a lost transmitter in the health bits of SYS_STATUS, COM_RC_LOSS_T after the last pulse or stick message
and a little more, armed or not (measured on 2024-10: 1.0 to 2.1 s with 0.5 s; healthy and present become false).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dronekit_cfg.hil.bench import Bench
from dronekit_cfg.hil.check import Check, Needs, Parameter, Params
from dronekit_cfg.hil.checks.px4 import PX4
from dronekit_cfg.model.checked import Measure, Outcome
from dronekit_cfg.text import t

__all__ = ["CHECKS"]

RADIO = 0x10000
SOURCE, TIMEOUT = "COM_RC_IN_MODE", "COM_RC_LOSS_T"
NO_STICKS = 4


def _failsafe(bench: Bench, params: Params) -> Outcome:
    bench.connection.require_disarmed()
    settings = bench.numbers((SOURCE, TIMEOUT))
    if settings.get(SOURCE) == NO_STICKS:
        return Outcome(skip=t("the vehicle takes no sticks (COM_RC_IN_MODE = 4)"))
    allowed = settings.get(TIMEOUT, 0.5) + params["slack"]
    ask = bench.operator.done
    with bench.rates({"SYS_STATUS": 5.0}):
        if not ask(t("Switch the transmitter ON, then wait.")):
            return Outcome(skip=t("nobody is at the transmitter"))
        if math.isnan(_until(bench, params["wait"], heard=True)):
            return Outcome(faults=(t("no transmitter is heard before the test"),))
        if not ask(t("Switch the transmitter OFF, and answer at once.")):
            return Outcome(skip=t("nobody switched the transmitter off"))
        lost = _until(bench, params["wait"], heard=False)
        on_again = ask(t("Switch the transmitter ON again."))
        back = _until(bench, params["wait"], heard=True) if on_again else math.nan
    faults = [] if on_again else [t("nobody switched the transmitter on again")]
    if math.isnan(lost):
        faults.append(t("no loss is noticed within {s:.0f} s: the receiver holds its values", s=params["wait"]))
    return Outcome(
        (
            Measure(t("loss noticed after the answer"), lost, "s", high=allowed),
            Measure(t("return noticed after"), back, "s", high=params["wait"]),
        ),
        tuple(faults),
    )


def _until(bench: Bench, seconds: float, *, heard: bool) -> float:
    """Give seconds until the vehicle says that it hears a transmitter (or none), NaN when it does not in time."""
    now = bench.connection.runner.clock.now
    start = now()
    found: list[float] = []

    def each(name: str, fields: Mapping[str, Any]) -> bool:
        if name == "SYS_STATUS":
            there = fields["onboard_control_sensors_present"] & fields["onboard_control_sensors_health"] & RADIO
            if bool(there) is heard:
                found.append(now() - start)
        return bool(found)

    bench.listen(seconds, each)
    return found[0] if found else math.nan


CHECKS = (
    Check(
        "px4-radio-failsafe",
        "B11",
        t("A lost transmitter is noticed"),
        t("set the receiver to send no pulses when the link is lost, or RC_FAILS_THR to what it sends then"),
        families=PX4,
        needs=frozenset({Needs.OPERATOR}),
        parameters=(
            Parameter("slack", 3.0, "s", t("time allowed beyond COM_RC_LOSS_T, counted from the answer"), 0.1, 5),
            Parameter("wait", 15, "s", t("longest wait for anything"), 2, 60),
        ),
        act=_failsafe,
    ),
)
