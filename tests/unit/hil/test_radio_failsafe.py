"""The radio failsafe check on the real ArduCopter: its simulator's receiver is switched off and on as asked."""

from __future__ import annotations

import math
from collections.abc import Collection

from dronekit_cfg.engine.connection import Connection
from dronekit_cfg.hil.bench import Bench, mavlink
from dronekit_cfg.hil.checks import find_check
from dronekit_cfg.hil.flight import Flight
from dronekit_cfg.hil.operator import Operator
from dronekit_cfg.hil.run import run_suite
from dronekit_cfg.hil.suite import Suite, SuiteEntry
from dronekit_cfg.model.checked import Result, Verdict


def checked(vehicle: Connection, *, answers: bool, slack: float = 1.5) -> Result:
    def ask(question: str, seconds: float) -> str:
        del seconds
        if answers:
            off = 1.0 if "OFF" in question else 0.0
            vehicle.run(Flight(mavlink(vehicle)).write("SIM_RC_FAIL", off))
        return ""

    check = find_check("radio-failsafe")
    entry = SuiteEntry(check, check.params({"slack": slack, "wait": 6}))
    (result,) = run_suite(
        vehicle, Suite("one", "one", "ardupilot", 3.0, (entry,)), Operator(ask, attended=True)
    ).results
    return result


def test_a_lost_transmitter_and_its_return_are_noticed_in_time(sitl_vehicle: Connection) -> None:
    result = checked(sitl_vehicle, answers=True)
    assert result.verdict is Verdict.PASS, result.reason
    lost, cleared = result.measures
    assert 0 <= lost.value < 2.5
    assert 0 <= cleared.value < 6


def test_a_transmitter_that_stays_on_fails_with_the_reason(sitl_vehicle: Connection) -> None:
    result = checked(sitl_vehicle, answers=False)
    assert result.verdict is Verdict.FAIL
    assert math.isnan(result.measures[0].value)
    assert "holds its last values" in result.reason


class Unread(Bench):
    """A bench that reads no settings, so that the check allows the usual timeout of 1 s."""

    def numbers(self, names: Collection[str]) -> dict[str, float]:
        del names
        return {}


def test_a_failsafe_that_comes_late_fails(sitl_vehicle: Connection) -> None:
    sitl_vehicle.run(Flight(mavlink(sitl_vehicle)).write("RC_FS_TIMEOUT", 5.0))

    def ask(question: str, seconds: float) -> str:
        del seconds
        if "OFF" in question:
            sitl_vehicle.run(Flight(mavlink(sitl_vehicle)).write("SIM_RC_FAIL", 1.0))
        return ""

    check = find_check("radio-failsafe")
    assert check.act is not None
    bench = Unread(sitl_vehicle, Operator(ask, attended=True))
    outcome = check.act(bench, check.params({"slack": 0.5, "wait": 10}))
    assert outcome.verdict is Verdict.FAIL
    assert outcome.measures[0].value > 1.5
