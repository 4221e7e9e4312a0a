"""Reads, writes and echoes, against what the real 4.7-dev SITL was measured to answer."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("name", "sent", "echoed"),
    [
        ("RC1_MIN", 1e6, 32767),
        ("RC1_MIN", -1e6, -32768),
        ("RC1_MIN", 1100.995, 1101),
        ("RC1_MIN", 1100.98, 1100),
        ("RC1_MIN", -0.995, -1),
        ("RC1_MIN", -1.5, -1),
        ("ARMING_RUDDER", -200, -128),
        ("EK3_GPS_CHECK", 255, 127),
        ("LOG_BITMASK", -2147483648, -2147483648),
        ("LOG_BITMASK", 16777217, 16777216),
        ("LOG_BITMASK", 2147483520, 2147483520),
    ],
)
def test_a_write_is_limited_to_the_storage_type(rig: Any, name: str, sent: float, echoed: float) -> None:
    (echo,) = rig().set(name, sent)
    assert (echo.param_id, echo.param_value, echo.param_index, echo.param_count) == (name, echoed, 65535, 1354)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_met_with_silence(rig: Any, value: float) -> None:
    bench = rig()
    assert bench.set("FS_THR_VALUE", value, 1.0) == []
    assert bench.get("FS_THR_VALUE") == 975


def test_an_unknown_name_is_met_with_silence(rig: Any) -> None:
    bench = rig()
    assert bench.set("NO_SUCH_PARAM", 1.0, 1.0) == []
    assert bench.get("NO_SUCH_PARAM") is None


def test_a_protected_setting_is_refused_with_its_value_and_a_text(rig: Any) -> None:
    heard = rig().ask(rig().pack.param_set_encode(1, 1, b"MIS_TOTAL", 3, 9))
    assert [m.get_type() for m in heard] == ["STATUSTEXT", "PARAM_VALUE"]
    assert (heard[0].severity, heard[0].text) == (4, "Param write denied (MIS_TOTAL)")
    assert (heard[1].param_value, heard[1].param_type, heard[1].param_index) == (0, 4, 65535)


def test_the_type_in_a_write_is_ignored(rig: Any) -> None:
    bench = rig()
    bench.send(bench.pack.param_set_encode(1, 1, b"RC1_MIN", 1200, 2))
    assert [m.param_value for _, m in bench.wait(0.1) if m.get_type() == "PARAM_VALUE"] == [1200]


def test_names_are_taken_in_any_case_and_a_read_gives_them_back_as_asked(rig: Any) -> None:
    bench = rig()
    (echo,) = bench.set("rc1_min", 1001)
    assert (echo.param_id, echo.param_value) == ("RC1_MIN", 1001)
    (answer,) = bench.ask(bench.pack.param_request_read_encode(1, 1, b"rc1_min", -1))
    assert (answer.param_id, answer.param_value) == ("rc1_min", 1001)


def test_writing_what_is_there_already_is_echoed_with_the_odd_type_of_the_firmware(rig: Any) -> None:
    """Measured for all integers: without a stored copy, one in a group is echoed as REAL32, others with their own."""
    bench = rig()
    (grouped,) = bench.set("FFT_ENABLE", 0)
    (plain,) = bench.set("FLTMODE6", 0)
    (stored,) = bench.set("SERVO1_FUNCTION", 33)
    assert (grouped.param_type, plain.param_type, stored.param_type) == (9, 2, 4)


def test_an_echo_comes_after_the_save_within_milliseconds(rig: Any) -> None:
    bench = rig()
    for number in range(1, 11):
        bench.send(bench.pack.param_set_encode(1, 1, b"RC%d_TRIM" % number, 1501, 9))
    echoes = [(at, m.param_id) for at, m in bench.wait(0.5) if m.get_type() == "PARAM_VALUE"]
    assert [name for _, name in echoes] == [f"RC{n}_TRIM" for n in range(1, 11)]
    assert echoes[0][0] > 0.0005
    assert echoes[-1][0] < 0.01


def test_a_write_is_in_memory_at_once_and_lost_when_the_save_did_not_happen(rig: Any) -> None:
    bench = rig(fault="reboot-mid:1")
    bench.send(bench.pack.param_set_encode(1, 1, b"RC1_MIN", 1200, 9))
    assert bench.wait(0.1) == [] or bench.vehicle.hung_up
    bench.reconnect()
    assert bench.get("RC1_MIN") == 1000


def test_single_reads_are_answered_five_at_a_time_and_twenty_wait(rig: Any) -> None:
    """Measured on the real SITL: 30 requests at once, 20 answers, five each 0.1 s."""
    bench = rig()
    names = list(bench.listed())[:30]
    for name in names:
        bench.send(bench.pack.param_request_read_encode(1, 1, name.encode(), -1))
    answers = [(at, m.param_id) for at, m in bench.wait(1.0) if m.get_type() == "PARAM_VALUE"]
    assert [name for _, name in answers] == names[:20]
    times = sorted({round(at, 3) for at, _ in answers})
    assert len(times) == 4
    assert all(later - sooner == pytest.approx(0.1, abs=0.001) for sooner, later in itertools.pairwise(times))


def test_a_read_by_index_carries_the_index_and_one_by_name_does_not(rig: Any) -> None:
    bench = rig()
    (by_index,) = bench.ask(bench.pack.param_request_read_encode(1, 1, b"", 10))
    (by_name,) = bench.ask(bench.pack.param_request_read_encode(1, 1, b"RTL_LOIT_TIME", -1))
    assert (by_index.param_id, by_index.param_index) == ("RTL_LOIT_TIME", 10)
    assert by_name.param_index == 65535
    assert bench.ask(bench.pack.param_request_read_encode(1, 1, b"", 2000)) == []


def test_the_list_comes_in_passes_of_a_tenth_of_a_second(rig: Any) -> None:
    """Recorded: 1354 parameters in seven passes, about 221 each."""
    bench = rig()
    bench.send(bench.pack.param_request_list_encode(1, 1))
    times = [at for at, m in bench.wait(2.0) if m.get_type() == "PARAM_VALUE"]
    assert len(times) == 1354
    assert len({round(at, 3) for at in times}) == 7
    assert 0.55 < times[-1] - times[0] < 0.65


def test_asking_for_the_list_again_starts_it_again(rig: Any) -> None:
    bench = rig()
    bench.send(bench.pack.param_request_list_encode(1, 1))
    bench.wait(0.25)
    assert len(bench.listed()) == 1354


@pytest.mark.parametrize(("system", "component", "answers"), [(0, 0, 1), (1, 0, 1), (1, 1, 1), (1, 5, 1), (2, 1, 0)])
def test_only_messages_to_us_or_to_all_are_answered(rig: Any, system: int, component: int, answers: int) -> None:
    bench = rig()
    assert len(bench.ask(bench.pack.param_request_read_encode(system, component, b"RC1_MIN", -1))) == answers


def test_the_system_id_changes_at_once_when_it_is_written(rig: Any) -> None:
    """Measured: heartbeats and answers come from the new id, requests to the old one are not answered any more."""
    bench = rig()
    assert bench.set("MAV_SYSID", 7)[0].get_srcSystem() == 7
    beats = [m for _, m in bench.wait(2.0) if m.get_type() == "HEARTBEAT"]
    assert {m.get_srcSystem() for m in beats} == {7}
    assert bench.get("MAV_SYSID") is None
    assert len(bench.ask(bench.pack.param_request_read_encode(7, 1, b"MAV_SYSID", -1))) == 1
    bench.send(bench.pack.command_long_encode(7, 1, 246, 0, 1, 0, 0, 0, 0, 0, 0))
    bench.wait(0.3)
    assert {m.get_srcSystem() for m in bench.reconnect()} == {7}


def test_the_older_firmware_calls_it_otherwise(rig: Any) -> None:
    bench = rig(version="4.5.6")
    assert bench.set("SYSID_THISMAV", 9)[0].get_srcSystem() == 9
