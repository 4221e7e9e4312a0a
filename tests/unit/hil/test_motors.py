"""The motor test of each family: what it turns, what it refuses, and that nothing turns when anything goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.engine.connection import Connection, LinkOptions, connect
from dronekit_cfg.errors import Interrupted
from dronekit_cfg.events import Event, Note
from dronekit_cfg.families.betaflight.simulated_motors import STOP, BenchMotors
from dronekit_cfg.families.betaflight.simulated_vehicle import CliVehicle
from dronekit_cfg.hil.bench import Bench
from dronekit_cfg.hil.check import Check
from dronekit_cfg.hil.checks import find_check
from dronekit_cfg.hil.operator import PROPS_OFF, Operator
from dronekit_cfg.hil.run import run_suite
from dronekit_cfg.hil.suite import Suite, SuiteEntry, find_suite
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model.checked import Result, RunResult, Verdict

MSP = ["betaflight", "inav"]
UNATTENDED = Operator(assumed=frozenset({"props-off"}))


@contextmanager
def vehicle(url: str, state: Path, report: Any = lambda _: None) -> Iterator[Connection]:
    family = url.partition(":")[2].partition("?")[0].partition("-")[0]
    with connect(LinkOptions(url, family=family, state_dir=state), clock=VirtualClock(), report=report) as connection:
        yield connection


def suite_of(connection: Connection, check: Check, **params: float) -> Suite:
    return Suite("one", "one", connection.identity.family, 3.0, (SuiteEntry(check, check.params(params)),))


def run(name: str, url: str, state: Path, operator: Operator = UNATTENDED, **params: float) -> Result:
    with vehicle(url, state) as connection:
        (result,) = run_suite(connection, suite_of(connection, find_check(name), **params), operator).results
    return result


def motors(connection: Connection) -> BenchMotors:
    twin = connection.link._vehicle  # type: ignore[attr-defined]  # the twin behind the link
    assert isinstance(twin, CliVehicle)
    assert twin.sensors
    return twin.sensors.motors


@pytest.mark.parametrize("family", MSP)
def test_all_four_motors_turn_one_after_the_other_and_rest_again(family: str, tmp_path: Path) -> None:
    seen: list[tuple[int, ...]] = []
    with vehicle(f"sim:{family}", tmp_path) as connection:
        board = motors(connection)
        usual = board.answer

        def answer(code: int, payload: bytes, faults: frozenset[str]) -> bytes | None:
            found = usual(code, payload, faults)
            if not seen or seen[-1] != tuple(board.pulses):
                seen.append(tuple(board.pulses))
            return found

        board.answer = answer  # type: ignore[method-assign]  # a look at each question
        check = find_check("msp-motors")
        (result,) = run_suite(connection, suite_of(connection, check, percent=6), UNATTENDED).results
        assert board.pulses == [STOP] * 4
        assert not board.arming_off
    assert result.verdict is Verdict.PASS, result.reason
    rest = (STOP,) * 4
    turns = [tuple(1060 if n == motor else STOP for n in range(4)) for motor in range(4)]
    assert seen == [rest, *(step for turn in turns for step in (turn, rest))]


def test_speeds_are_compared_where_they_are_told(tmp_path: Path) -> None:
    result = run("msp-motors", "sim:betaflight", tmp_path)
    assert [m.value for m in result.measures if m.unit == "rpm"] == [6300.0] * 4  # 70 us of the twin's 90 rpm each


@pytest.mark.parametrize("family", MSP)
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("motor-refused", "refuses to turn motor 1"),
        ("motor-stuck", "motor 2 goes on turning although it was stopped"),
        ("motors-together", "motor 1 was to turn, and 1, 2, 3, 4 are driven"),
        ("motor-slow", "speed of motor"),
    ],
)
def test_a_motor_fault_fails_the_motor_test_and_no_other_check(
    fault: str, words: str, family: str, tmp_path: Path
) -> None:
    if (family, fault) == ("inav", "motor-slow"):
        pytest.skip("INAV tells no speeds over this message")
    result = bench_full(f"sim:{family}?fault={fault}", tmp_path)
    bad = {r.name: r.reason for r in result.results if r.verdict in (Verdict.FAIL, Verdict.ERROR)}
    assert list(bad) == ["msp-motors"]
    assert words in bad["msp-motors"]


def bench_full(url: str, state: Path) -> RunResult:
    with vehicle(url, state) as connection:
        suite = replace(find_suite("bench-full", connection.identity.family), seconds=8.0)
        return run_suite(connection, suite, UNATTENDED)


@pytest.mark.parametrize(
    ("check", "url"), [("msp-motors", f"sim:{f}") for f in MSP] + [("px4-motors", "sim:px4-copter")]
)
@pytest.mark.parametrize("answer", ["", "yes", "props on", None])
def test_anything_but_the_typed_words_turns_no_motor(check: str, url: str, answer: str | None, tmp_path: Path) -> None:
    asked: list[str] = []

    def ask(question: str, seconds: float) -> str | None:
        asked.append(question)
        return answer

    assert run(check, url, tmp_path, Operator(ask, attended=True)).verdict is Verdict.SKIP
    assert len(asked) == 1


@pytest.mark.parametrize("check", ["msp-motors", "motors", "px4-motors"])
def test_without_an_operator_no_motor_turns(check: str, tmp_path: Path) -> None:
    url = {"motors": "sim:ardupilot-copter", "px4-motors": "sim:px4-copter"}.get(check, "sim:betaflight")
    result = run(check, url, tmp_path, Operator())
    assert (result.verdict, "propellers are off" in result.reason) == (Verdict.SKIP, True)


def test_the_operator_is_told_that_the_firmware_stops_no_motor_by_itself(tmp_path: Path) -> None:
    asked: list[str] = []

    def ask(question: str, seconds: float) -> str | None:
        asked.append(question)
        return None

    run("msp-motors", "sim:betaflight", tmp_path, Operator(ask, attended=True))
    assert "battery's plug" in asked[0]


@pytest.mark.parametrize(("check", "url"), [("msp-motors", "sim:betaflight"), ("px4-motors", "sim:px4-copter")])
def test_the_operator_sees_each_motor_and_a_no_ends_the_test(check: str, url: str, tmp_path: Path) -> None:
    answers = iter([PROPS_OFF, "", "s"])
    result = run(check, url, tmp_path, Operator(lambda _q, _s: next(answers), attended=True))
    assert (result.verdict, "motor 2" in result.reason) == (Verdict.FAIL, True)


def test_an_armed_vehicle_turns_no_motor(tmp_path: Path) -> None:
    for check, url in (("msp-motors", "sim:betaflight?fault=armed"), ("px4-motors", "sim:px4-copter?fault=armed")):
        result = run(check, url, tmp_path)
        assert (result.verdict, "armed" in result.reason) == (Verdict.ERROR, True)


def test_motors_that_turn_both_ways_are_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    features = {"betaflight": 1 << 12, "inav": 0}
    monkeypatch.setattr("dronekit_cfg.families.betaflight.simulated_motors.PLAIN_FEATURES", features)
    result = run("msp-motors", "sim:betaflight", tmp_path)
    assert (result.verdict, "3D" in result.reason) == (Verdict.SKIP, True)


def test_a_board_without_motors_is_left_out_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BenchMotors, "answer", lambda _s, code, _p, _f: bytes(16) if code == 104 else None)
    result = run("msp-motors", "sim:inav", tmp_path)
    assert (result.verdict, "mixer is empty" in result.reason) == (Verdict.SKIP, True)


def test_a_stop_request_stops_the_motor_before_anything_else(tmp_path: Path) -> None:
    with vehicle("sim:betaflight", tmp_path) as connection:
        board = motors(connection)
        usual = board.answer

        def answer(code: int, payload: bytes, faults: frozenset[str]) -> bytes | None:
            if code == 104 and max(board.pulses) > STOP:
                connection.stop.ask()
            return usual(code, payload, faults)

        board.answer = answer  # type: ignore[method-assign]  # Ctrl-C while a motor turns
        with pytest.raises(Interrupted):
            run_suite(connection, suite_of(connection, find_check("msp-motors")), UNATTENDED)
        assert board.pulses == [STOP] * 4
        assert not board.arming_off


def _silent_after_start(connection: Connection) -> None:
    """Pull the cable as soon as a motor turns; it comes back when the link is opened again."""
    link, board = connection.link, motors(connection)
    read = link.read
    cut = [False]

    def pulled(timeout: float) -> bytes:
        cut[0] = cut[0] or max(board.pulses) > STOP
        data = read(timeout)
        return b"" if cut[0] else data

    def reopen() -> None:
        link.read = read  # type: ignore[method-assign]  # the twin is changed on purpose

    link.read, link.reopen = pulled, reopen  # type: ignore[method-assign]  # the twin is changed on purpose


def test_a_lost_link_is_opened_again_to_stop_the_motor(tmp_path: Path) -> None:
    with vehicle("sim:betaflight", tmp_path) as connection:
        _silent_after_start(connection)
        (result,) = run_suite(connection, suite_of(connection, find_check("msp-motors")), UNATTENDED).results
        assert motors(connection).pulses == [STOP] * 4
    assert (result.verdict, "the link failed" in result.reason) == (Verdict.ERROR, True)


def test_a_motor_that_cannot_be_stopped_is_said_aloud(tmp_path: Path) -> None:
    heard: list[Event] = []
    with vehicle("sim:betaflight", tmp_path, heard.append) as connection:
        _silent_after_start(connection)
        connection.link.reopen = lambda: None  # type: ignore[method-assign]  # the cable stays out
        (result,) = run_suite(connection, suite_of(connection, find_check("msp-motors")), UNATTENDED).results
    assert "pull the battery" in result.remedy
    assert "may still turn" in result.reason
    assert any(isinstance(e, Note) and "may still turn" in e.text for e in heard)


def test_px4_turns_all_motors_and_changes_no_setting(tmp_path: Path) -> None:
    result = run("px4-motors", "sim:px4-copter", tmp_path)
    assert result.verdict is Verdict.PASS, result.reason
    assert result.measures[0].value == 4


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("motor-refused", "refuses to turn motor 1"),
        ("motor-slow", "speed of motor"),
        ("motors-together", "outputs 1, 2, 3, 4 were driven at once"),
    ],
)
@pytest.mark.parametrize(("check", "url"), [("px4-motors", "sim:px4-copter"), ("motors", "sim:ardupilot-copter")])
def test_a_motor_fault_fails_the_motor_test_over_mavlink(
    check: str, url: str, fault: str, words: str, tmp_path: Path
) -> None:
    result = run(check, f"{url}?fault={fault}", tmp_path)
    assert (result.verdict, words in result.reason) == (Verdict.FAIL, True), result.reason


def test_px4_that_allows_no_motor_test_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Bench, "numbers", lambda _s, _n: {"COM_MOT_TEST_EN": 0.0, "CA_ROTOR_COUNT": 4.0})
    result = run("px4-motors", "sim:px4-copter", tmp_path)
    assert (result.verdict, "COM_MOT_TEST_EN" in result.reason) == (Verdict.SKIP, True)


@pytest.mark.parametrize(
    ("fault", "words"), [("", "stopped on request"), ("motor-stuck", "stopped; motor 2 may still turn")]
)
def test_a_stop_request_says_stopped_only_when_the_motor_is(fault: str, words: str, tmp_path: Path) -> None:
    with vehicle(f"sim:betaflight?fault={fault}", tmp_path) as connection:
        board = motors(connection)
        usual = board.answer

        def answer(code: int, payload: bytes, faults: frozenset[str]) -> bytes | None:
            if code == 104 and board.pulses[1] > STOP and not connection.stop.asked:
                connection.stop.ask()
            return usual(code, payload, faults)

        board.answer = answer  # type: ignore[method-assign]  # Ctrl-C while the second motor turns
        with pytest.raises(Interrupted, match=words):
            run_suite(connection, suite_of(connection, find_check("msp-motors")), UNATTENDED)


def test_a_second_stop_request_amid_the_stop_does_not_claim_that_it_stopped(tmp_path: Path) -> None:
    with vehicle("sim:betaflight", tmp_path) as connection:
        board = motors(connection)
        usual = board.answer

        def answer(code: int, payload: bytes, faults: frozenset[str]) -> bytes | None:
            if max(board.pulses) > STOP:
                connection.stop.ask()  # again and again
            return usual(code, payload, faults)

        board.answer = answer  # type: ignore[method-assign]  # an impatient person
        with pytest.raises(Interrupted, match="motor 1 may still turn"):
            run_suite(connection, suite_of(connection, find_check("msp-motors")), UNATTENDED)
