"""What the vehicle does when its transmitter, its ground station or its satellites are taken away (B19 to B21)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from dronekit_cfg.engine.connection import Connection, LinkOptions, connect
from dronekit_cfg.errors import Interrupted
from dronekit_cfg.families.ardupilot.simulated_core import Core
from dronekit_cfg.families.ardupilot.simulated_vehicle import SimulatedCopter
from dronekit_cfg.hil.bench import Bench, mavlink
from dronekit_cfg.hil.checks import find_check
from dronekit_cfg.hil.checks.system import PREARM_BIT
from dronekit_cfg.hil.flight import Flight
from dronekit_cfg.hil.operator import PROPS_OFF, Operator
from dronekit_cfg.hil.run import run_suite
from dronekit_cfg.hil.suite import Suite, SuiteEntry, find_suite
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model.checked import Result, RunResult, Verdict

DENIALS = ("dead-man", "gcs-loss", "gnss-denial")


def twin(connection: Connection) -> SimulatedCopter:
    found = connection.link._vehicle  # type: ignore[attr-defined]  # the twin behind the link
    assert isinstance(found, SimulatedCopter)
    return found


def core(connection: Connection) -> Core:
    return twin(connection)._core


def write(connection: Connection, name: str, value: float) -> None:
    store = core(connection).store
    fact = store.find(name)
    assert fact
    store.set(fact, value)


@contextmanager
def vehicle(fault: str, state: Path) -> Iterator[Connection]:
    url = "sim:ardupilot-copter" + (f"?fault={fault}" if fault else "")
    options = LinkOptions(url, family="ardupilot", state_dir=state)
    with connect(options, clock=VirtualClock()) as connection:
        yield connection


def hands(connection: Connection, *, idle: str = "") -> Operator:
    """Give an operator who does what is asked, but for steps with the word `idle` in them."""
    clock = connection.runner.clock

    def ask(question: str, seconds: float) -> str | None:
        del seconds
        copter = twin(connection)
        if idle and idle in question:
            return None
        if "OFF now" in question or "transmitter OFF" in question:
            copter.failsafes.switch_radio(on=False, now=clock.now())
        elif "transmitter ON" in question:
            copter.failsafes.switch_radio(on=True, now=clock.now())
        elif "antenna" in question:
            copter.failsafes.cover_antenna(covered="Cover" in question)
        return PROPS_OFF if "propellers" in question else ""

    return Operator(ask, attended=True)


def checked(connection: Connection, name: str, operator: Operator | None = None) -> Result:
    check = find_check(name)
    suite = Suite("one", "one", "ardupilot", 3.0, (SuiteEntry(check, check.params({})),))
    (result,) = run_suite(connection, suite, operator or hands(connection)).results
    return result


def bench_full(connection: Connection) -> RunResult:
    suite = find_suite("bench-full")
    chosen = [e for e in suite.entries if e.check.act is None or e.check.name in (*DENIALS, "motors", "radio-failsafe")]
    return run_suite(connection, replace(suite, seconds=12.0, entries=tuple(chosen)), hands(connection))


def test_all_three_pass_on_a_sound_vehicle_and_leave_it_as_it_was(tmp_path: Path) -> None:
    with vehicle("", tmp_path) as connection:
        write(connection, "FS_GCS_ENABLE", 1)
        core(connection).mode = 2
        found = {name: checked(connection, name) for name in DENIALS}
        assert (core(connection).mode, core(connection).armed) == (2, False)
    assert {name: (r.verdict, r.reason) for name, r in found.items()} == dict.fromkeys(DENIALS, (Verdict.PASS, ""))
    assert {m.name: m.value for m in found["gcs-loss"].measures}["loss noticed after"] == pytest.approx(5, abs=1.1)


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        ("", ""),
        ("arms-blind", "gnss-denial"),
        ("dead-man-ignored", "dead-man"),
        ("gcs-loss-forever", "gcs-loss"),
        ("gcs-loss-ignored", "gcs-loss"),
    ],
)
def test_a_fault_fails_its_check_and_no_other(fault: str, check: str, tmp_path: Path) -> None:
    with vehicle(fault, tmp_path) as connection:
        write(connection, "FS_GCS_ENABLE", 1)
        result = bench_full(connection)
        assert not core(connection).armed
    bad = [r.name for r in result.results if r.verdict in (Verdict.FAIL, Verdict.ERROR)]
    assert bad == ([check] if check else []), [(r.name, r.reason) for r in result.results]


def test_a_receiver_that_holds_its_values_is_seen_armed_and_disarmed(tmp_path: Path) -> None:
    with vehicle("radio-holds", tmp_path) as connection:
        found = {name: checked(connection, name) for name in ("radio-failsafe", "dead-man")}
        assert not core(connection).armed
    assert all(r.verdict is Verdict.FAIL and "holds its" in r.reason for r in found.values())


def test_a_failsafe_that_is_off_tells_nothing_and_passes_with_a_note(tmp_path: Path) -> None:
    with vehicle("", tmp_path) as connection:
        write(connection, "FS_GCS_ENABLE", 0)
        result = checked(connection, "gcs-loss")
    assert (result.verdict, "FS_GCS_ENABLE = 0" in result.notes[0]) == (Verdict.PASS, True)


def test_a_vehicle_that_listens_to_another_ground_station_is_told_so(tmp_path: Path) -> None:
    with vehicle("", tmp_path) as connection:
        write(connection, "FS_GCS_ENABLE", 1)
        write(connection, "MAV_GCS_SYSID", 201)
        Bench(connection, Operator()).listen(12)  # it has long forgotten the heartbeats that it heard before
        result = checked(connection, "gcs-loss")
    assert result.verdict is Verdict.FAIL
    assert "listens to system 201, and we are 255" in result.reason


def test_heartbeats_go_on_after_the_check(tmp_path: Path) -> None:
    with vehicle("", tmp_path) as connection:
        checked(connection, "gcs-loss")
        assert mavlink(connection).speaking


@pytest.mark.parametrize(
    ("name", "idle", "words"),
    [
        ("dead-man", "propellers", "propellers are off"),
        ("dead-man", "will be armed", "nobody is at the transmitter"),
        ("dead-man", "OFF now", "nobody switched the transmitter off"),
        ("gnss-denial", "Cover", "nobody covered"),
    ],
)
def test_silence_at_any_step_leaves_the_vehicle_disarmed(name: str, idle: str, words: str, tmp_path: Path) -> None:
    with vehicle("", tmp_path) as connection:
        result = checked(connection, name, hands(connection, idle=idle))
        assert not core(connection).armed
    assert (result.verdict, words in result.reason) == (Verdict.SKIP, True)


def test_a_vehicle_that_does_not_arm_says_why(tmp_path: Path) -> None:
    with vehicle("prearm", tmp_path) as connection:
        result = checked(connection, "dead-man")
    assert (result.verdict, "Hardware safety switch" in result.reason) == (Verdict.SKIP, True)


def test_a_radio_failsafe_that_is_off_is_not_tried(tmp_path: Path) -> None:
    with vehicle("", tmp_path) as connection:
        write(connection, "FS_THR_ENABLE", 0)
        result = checked(connection, "dead-man")
    assert (result.verdict, "FS_THR_ENABLE = 0" in result.reason) == (Verdict.SKIP, True)


def test_an_antenna_that_is_not_covered_well_fails(tmp_path: Path) -> None:
    with vehicle("", tmp_path) as connection:
        result = checked(connection, "gnss-denial", Operator(lambda _q, _s: "", attended=True))
    assert (result.verdict, "position stays" in result.reason) == (Verdict.FAIL, True)


def test_a_stop_request_while_armed_disarms_first(tmp_path: Path) -> None:
    with vehicle("", tmp_path) as connection:
        usual = hands(connection).ask

        def ask(question: str, seconds: float) -> str | None:
            if "OFF now" in question:
                assert core(connection).armed
                connection.stop.ask()
            return usual(question, seconds)

        with pytest.raises(Interrupted):
            checked(connection, "dead-man", Operator(ask, attended=True))
        assert not core(connection).armed


def test_a_link_that_is_lost_while_armed_says_that_it_may_still_be_armed(tmp_path: Path) -> None:
    with vehicle("", tmp_path) as connection:
        usual, read = hands(connection).ask, connection.link.read

        def deaf(timeout: float) -> bytes:
            read(timeout)  # time passes
            return b""

        def ask(question: str, seconds: float) -> str | None:
            if "OFF now" in question:
                connection.link.read = deaf  # type: ignore[method-assign]  # the cable is pulled
            return usual(question, seconds)

        result = checked(connection, "dead-man", Operator(ask, attended=True))
    assert result.verdict is Verdict.ERROR
    assert "may still be armed" in result.reason
    assert "pull the battery" in result.remedy


def test_the_real_copter_notices_a_lost_station_and_disarms_without_its_transmitter(sitl_vehicle: Connection) -> None:
    steps: list[tuple[str, Callable[[], None]]] = []

    def put(name: str, value: float) -> None:
        sitl_vehicle.run(Flight(mavlink(sitl_vehicle)).write(name, value))

    put("FS_GCS_ENABLE", 1)
    steps += [("transmitter OFF", lambda: put("SIM_RC_FAIL", 1)), ("transmitter ON", lambda: put("SIM_RC_FAIL", 0))]

    def ask(question: str, seconds: float) -> str:
        del seconds
        for words, do in steps:
            if words in question:
                do()
        return PROPS_OFF if "propellers" in question else ""

    operator = Operator(ask, attended=True)
    bench = Bench(sitl_vehicle, operator)
    bench.stream(
        {"SYS_STATUS": 5.0},
        60,
        lambda name, fields: name == "SYS_STATUS" and bool(fields["onboard_control_sensors_health"] & PREARM_BIT),
    )
    for name in ("gcs-loss", "dead-man"):  # the third passes there too, but waits half a minute for a position
        result = checked(sitl_vehicle, name, operator)
        assert result.verdict is Verdict.PASS, (name, result.reason)
    assert not sitl_vehicle.run(sitl_vehicle.driver.arm_state()).armed
