"""Checks that act: the motor test's interlocks, settings over a reboot, and the operator who may be absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from dronekit_cfg.engine.connection import Connection, LinkOptions, connect
from dronekit_cfg.errors import Interrupted, LinkLost, Unsupported
from dronekit_cfg.hil.bench import Bench
from dronekit_cfg.hil.checks import find_check
from dronekit_cfg.hil.operator import PROPS_OFF, Operator
from dronekit_cfg.hil.run import run_suite
from dronekit_cfg.hil.suite import Suite, SuiteEntry, find_suite
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model.checked import Result, RunResult, Verdict

MOTOR_TEST = 209


def run(name: str, url: str, state: Path, operator: Operator | None = None, **params: float) -> Result:
    check = find_check(name)
    suite = Suite("one", "one", "ardupilot", 3.0, (SuiteEntry(check, check.params(params)),))
    with connect(LinkOptions(url, family="ardupilot", state_dir=state), clock=VirtualClock()) as connection:
        (result,) = run_suite(connection, suite, operator).results
        return result


UNATTENDED = Operator(assumed=frozenset({"props-off"}))


def test_without_an_operator_no_motor_turns(tmp_path: Path) -> None:
    assert run("motors", "sim:ardupilot-copter", tmp_path).verdict is Verdict.SKIP


@pytest.mark.parametrize("answer", ["", "yes", "y", "props on", None])
def test_anything_but_the_typed_words_turns_no_motor(answer: str | None, tmp_path: Path) -> None:
    asked: list[str] = []

    def ask(question: str, seconds: float) -> str | None:
        asked.append(question)
        return answer

    result = run("motors", "sim:ardupilot-copter", tmp_path, Operator(ask, attended=True))
    assert result.verdict is Verdict.SKIP
    assert len(asked) == 1


def test_all_four_motors_turn_and_failsafes_are_put_back(tmp_path: Path) -> None:
    result = run("motors", "sim:ardupilot-copter", tmp_path, UNATTENDED)
    assert result.verdict is Verdict.PASS, result.reason
    assert result.measures[0].value == 4


def test_failsafes_that_stay_off_after_a_motor_test_fail(tmp_path: Path) -> None:
    result = run("motors", "sim:ardupilot-copter?fault=motor-test-keeps", tmp_path, UNATTENDED)
    assert result.verdict is Verdict.FAIL
    assert "FS_THR_ENABLE" in result.reason


def test_an_armed_vehicle_turns_no_motor(tmp_path: Path) -> None:
    result = run("motors", "sim:ardupilot-copter?fault=armed", tmp_path, UNATTENDED)
    assert result.verdict is Verdict.ERROR
    assert "armed" in result.reason


def test_the_operator_sees_each_motor_and_a_no_ends_the_test(tmp_path: Path) -> None:
    answers = iter([PROPS_OFF, "", "s"])
    result = run("motors", "sim:ardupilot-copter", tmp_path, Operator(lambda _q, _s: next(answers), attended=True))
    assert result.verdict is Verdict.FAIL
    assert "motor 2" in result.reason


@pytest.mark.parametrize("error", [Interrupted("stopped"), LinkLost("gone")])
def test_a_stop_or_a_bad_link_in_mid_test_stops_the_motor(error: Exception, tmp_path: Path) -> None:
    sent: list[tuple[float, ...]] = []
    options = LinkOptions("sim:ardupilot-copter", family="ardupilot", state_dir=tmp_path)
    with connect(options, clock=VirtualClock()) as connection:
        bench = Breaking(connection, UNATTENDED)
        bench.prepare(sent, error)
        check = find_check("motors")
        assert check.act is not None
        with pytest.raises(type(error)):
            check.act(bench, check.params({}))
    assert [s[2:4] for s in sent] == [(7.0, 2.0), (0, 0)]


class Breaking(Bench):
    """A bench whose first listening after a motor was started goes wrong."""

    def prepare(self, sent: list[tuple[float, ...]], error: Exception) -> None:
        self.sent, self.error = sent, error

    def command(self, number: int, *params: float) -> int:
        if number == MOTOR_TEST:
            self.sent.append(params)
        return super().command(number, *params)

    def listen(self, seconds: float, each: object = None) -> None:
        if self.sent:
            raise self.error
        super().listen(seconds)


def test_throttle_and_time_cannot_be_set_beyond_the_interlock() -> None:
    check = find_check("motors")
    for name, value in (("percent", 16), ("seconds", 4)):
        with pytest.raises(Exception, match="makes no sense"):
            check.params({name: value})


def test_settings_that_survive_a_reboot_pass(tmp_path: Path) -> None:
    result = run("parameter-integrity", "sim:ardupilot-copter", tmp_path)
    assert result.verdict is Verdict.PASS, result.reason
    assert result.measures[1].value > 1000


def test_a_setting_that_changes_over_a_reboot_fails(tmp_path: Path) -> None:
    result = run("parameter-integrity", "sim:ardupilot-copter?fault=forgetful", tmp_path)
    assert result.verdict is Verdict.FAIL
    assert "BATT_CAPACITY" in result.reason


def test_moving_sticks_have_travel_and_resting_ones_have_none(tmp_path: Path) -> None:
    done = Operator(assumed=frozenset({"operator"}))
    moving = run("radio-travel", "sim:ardupilot-copter?fault=sticks-moving", tmp_path, done)
    resting = run("radio-travel", "sim:ardupilot-copter", tmp_path, done)
    assert (moving.verdict, resting.verdict) == (Verdict.PASS, Verdict.FAIL)


def test_a_receiver_that_holds_its_values_fails_the_failsafe_check(tmp_path: Path) -> None:
    done = Operator(assumed=frozenset({"operator"}))
    result = run("radio-failsafe", "sim:ardupilot-copter", tmp_path, done)
    assert result.verdict is Verdict.FAIL
    assert "holds its last values" in result.reason


def test_operator_steps_are_left_out_with_their_reason_when_nobody_is_there(tmp_path: Path) -> None:
    for name in ("radio-travel", "radio-failsafe", "compass-turn"):
        result = run(name, "sim:ardupilot-copter", tmp_path)
        assert (result.verdict, "operator" in result.reason) == (Verdict.SKIP, True)


def test_a_suite_for_another_family_is_refused(tmp_path: Path) -> None:
    options = LinkOptions("sim:betaflight", state_dir=tmp_path)
    with connect(options, clock=VirtualClock()) as connection, pytest.raises(Unsupported, match="ardupilot"):
        run_suite(connection, find_suite("preflight"))


def test_a_link_lost_while_checks_watch_makes_all_of_them_errors(tmp_path: Path) -> None:
    def lose(connection: Connection) -> RunResult:
        def read(timeout: float) -> bytes:
            raise LinkLost("the cable is out")

        connection.link.read = read  # type: ignore[method-assign]  # the cable is pulled
        return run_suite(connection, find_suite("preflight"))

    options = LinkOptions("sim:ardupilot-copter", family="ardupilot", state_dir=tmp_path)
    with connect(options, clock=VirtualClock()) as connection:
        result = lose(connection)
    assert {r.verdict for r in result.results} == {Verdict.ERROR}
    assert result.verdict is Verdict.ERROR
