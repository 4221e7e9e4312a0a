"""Monitors of GNSS trust: hand-computed situations on both sides of each limit."""

from __future__ import annotations

from typing import Any

import pytest

from dronekit_cfg.hil.monitors import Alarm, GnssMonitors


def gnss(**more: Any) -> dict[str, Any]:
    usual = {"fix_type": 3, "satellites_visible": 12, "lat": 0, "lon": 0, "alt": 100_000, "h_acc": 1000}
    return {**usual, **more}


def feed(*messages: tuple[float, str, dict[str, Any]]) -> list[Alarm]:
    monitors = GnssMonitors()
    return [alarm for at, name, fields in messages for alarm in monitors.feed(at, name, fields)]


@pytest.mark.parametrize(("count", "alarms"), [(8, 0), (7, 1)])  # 12 less 40 % is 7.2
def test_satellites_that_drop_within_ten_seconds_alarm(count: int, alarms: int) -> None:
    found = feed((0, "GPS_RAW_INT", gnss()), (9, "GPS_RAW_INT", gnss(satellites_visible=count)))
    assert len(found) == alarms


def test_satellites_that_drop_slowly_do_not_alarm() -> None:
    steps = [(15.0 * i, "GPS_RAW_INT", gnss(satellites_visible=12 - 2 * i)) for i in range(4)]
    assert feed(*steps) == []


@pytest.mark.parametrize(("metres", "alarms"), [(14, 0), (16, 1)])
def test_two_receivers_apart_alarm(metres: float, alarms: int) -> None:
    degrees = metres / 111_194.9  # one degree of a sphere of 6371 km
    found = feed((0, "GPS_RAW_INT", gnss()), (0.1, "GPS2_RAW", gnss(lat=round(degrees * 1e7))))
    assert len(found) == alarms
    if found:
        assert found[0].value == pytest.approx(metres, abs=0.1)


def test_poor_receivers_may_be_farther_apart() -> None:
    poor = {"h_acc": 5000}  # 3 x (5 + 5) m
    degrees = 25 / 111_194.9
    assert feed((0, "GPS_RAW_INT", gnss(**poor)), (0.1, "GPS2_RAW", gnss(lat=round(degrees * 1e7), **poor))) == []


def test_a_receiver_without_fix_is_not_compared() -> None:
    assert feed((0, "GPS_RAW_INT", gnss(fix_type=1)), (0.1, "GPS2_RAW", gnss(lat=10**8))) == []


@pytest.mark.parametrize(("height", "alarms"), [(128_000, 0), (132_000, 1)])
def test_gnss_height_that_leaves_the_barometer_alarms(height: int, alarms: int) -> None:
    air = (0.0, "SCALED_PRESSURE", {"press_abs": 1000.0})
    assert len(feed(air, (1, "GPS_RAW_INT", gnss()), (2, "GPS_RAW_INT", gnss(alt=height)))) == alarms


def test_a_climb_that_both_see_does_not_alarm() -> None:
    low, high = {"press_abs": 1013.25}, {"press_abs": 1013.25 - 50 / 8.43}  # 50 m up
    assert (
        feed(
            (0, "SCALED_PRESSURE", low),
            (1, "GPS_RAW_INT", gnss()),
            (2, "SCALED_PRESSURE", high),
            (3, "GPS_RAW_INT", gnss(alt=150_000)),
        )
        == []
    )


def test_a_jump_of_time_alarms_once() -> None:
    def told(boot: float, unix: float) -> tuple[float, str, dict[str, Any]]:
        return boot, "SYSTEM_TIME", {"time_unix_usec": int(unix * 1e6), "time_boot_ms": int(boot * 1000)}

    assert [a.at for a in feed(told(1, 1e9), told(2, 1e9 + 1), told(3, 1e9 + 62), told(4, 1e9 + 63))] == [3]


def test_an_alarm_that_lasts_is_told_once_and_again_when_it_returns() -> None:
    bad, good = gnss(satellites_visible=4), gnss()
    found = feed(*[(float(i), "GPS_RAW_INT", f) for i, f in enumerate([good, bad, bad, good, bad])])
    assert [a.at for a in found] == [1.0, 4.0]
