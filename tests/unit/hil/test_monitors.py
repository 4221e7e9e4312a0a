"""Monitors of GNSS trust: hand-computed situations on both sides of each limit."""

from __future__ import annotations

import math
from typing import Any

import pytest

from dronekit_cfg.hil.monitor_mavlink import MavlinkSource
from dronekit_cfg.hil.monitor_msp import MspSource
from dronekit_cfg.hil.monitors import Alarm, Fix, GnssMonitors


def gnss(**more: Any) -> dict[str, Any]:
    usual = {"fix_type": 3, "satellites_visible": 12, "lat": 0, "lon": 0, "alt": 100_000, "h_acc": 1000}
    return {**usual, **more}


def feed(*messages: tuple[float, str, dict[str, Any]]) -> list[Alarm]:
    source = MavlinkSource(GnssMonitors())
    return [alarm for at, name, fields in messages for alarm in source.feed(at, name, fields)]


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


def test_an_alarm_that_lasts_is_told_once_and_again_when_it_returns_after_a_while() -> None:
    bad, good = gnss(fix_type=1, satellites_visible=4), gnss(satellites_visible=12)
    times = [0, 1, 2, 3, 4, 8, 9, 19, 20, 21]
    found = feed(*[(float(i), "GPS_RAW_INT", bad if i in (1, 2, 4, 21) else good) for i in times])
    assert [a.at for a in found] == [1.0, 21.0]


@pytest.mark.parametrize(("metres", "alarms"), [(4.9, []), (5.2, ["receivers drift apart"])])
def test_two_receivers_that_part_slowly_alarm_before_they_are_far_apart(metres: float, alarms: list[str]) -> None:
    lever = 3.0  # they may stand apart from the first
    monitors = GnssMonitors()
    found = [
        alarm
        for at in range(31)
        for n, away in ((0, 0.0), (1, lever + metres * at / 30))
        for alarm in monitors.fix(at, n, Fix(True, away / 111_194.9, 0.0, accuracy=0.5))
    ]
    assert [a.monitor for a in found] == alarms


def test_receivers_of_a_fast_vehicle_that_are_told_one_after_the_other_do_not_alarm() -> None:
    monitors = GnssMonitors()
    found = [
        alarm
        for at in range(20)
        for n, late in ((0, 0.0), (1, 0.5))
        for alarm in monitors.fix(at + late, n, Fix(True, 30.0 * (at + late) / 111_194.9, 0.0, speed=30.0))
    ]
    assert found == []


@pytest.mark.parametrize(("speed", "alarms"), [(2.9, 0), (3.1, 1)])
def test_a_gnss_speed_that_flow_does_not_see_alarms(speed: float, alarms: int) -> None:
    monitors = GnssMonitors()
    found = []
    for step in range(40):
        found += monitors.flow(step / 10, 0.0, 0.0)
        found += monitors.fix(step / 10, 0, Fix(True, 0.0, 0.0, speed=speed))
    assert len(found) == alarms


@pytest.mark.parametrize(("wander", "alarms"), [(0.35, 0), (0.5, 1)])  # metres a second, over 20 s
def test_a_position_that_walks_while_flow_stands_still_alarms(wander: float, alarms: int) -> None:
    monitors = GnssMonitors()
    monitors.heading(1.0)
    found = []
    for step in range(300):
        found += monitors.flow(step / 10, 0.0, 0.0)
        found += monitors.fix(step / 10, 0, Fix(True, 0.0, wander * step / 10 / 111_194.9))
    assert [a.monitor for a in found] == ["GNSS path against optical flow"] * alarms


def test_a_flight_that_flow_sees_too_does_not_alarm_whatever_the_heading() -> None:
    monitors = GnssMonitors()
    monitors.heading(math.radians(90))  # nose to the east
    found = []
    for step in range(400):
        found += monitors.flow(step / 10, 5.0, 0.0)
        found += monitors.fix(step / 10, 0, Fix(True, 0.0, 5.0 * step / 10 / 111_194.9, speed=5.0))
    assert found == []


def usual(value: float) -> list[tuple[float, float]]:
    return [(float(at), value + (1 if at % 2 else -1)) for at in range(35)]


@pytest.mark.parametrize(("strength", "alarms"), [(38.5, 0), (37.5, 1)])
def test_a_drop_of_the_mean_strength_alarms(strength: float, alarms: int) -> None:
    monitors = GnssMonitors()
    found = [a for at, v in [*usual(44.0), (40.0, strength)] for a in monitors.strength(at, 0, [v, v])]
    assert [a.unit for a in found] == ["dB"] * alarms


@pytest.mark.parametrize(("indicator", "alarms"), [(34, 0), (36, 1)])  # 20 and three times 5
def test_an_indicator_above_its_usual_level_alarms(indicator: float, alarms: int) -> None:
    monitors = GnssMonitors()
    assert len([a for at, v in [*usual(20.0), (40.0, indicator)] for a in monitors.indicator(at, 0, v)]) == alarms


def test_what_a_receiver_says_itself_is_an_alarm_and_silence_is_nothing() -> None:
    monitors = GnssMonitors()
    assert monitors.reported(0, 0, 0, 0) == []
    assert monitors.watched == set()
    assert monitors.reported(1, 0, 1, 1) == []
    assert monitors.watched == {"jamming", "spoofing"}
    assert [a.monitor for a in monitors.reported(2, 1, 3, 2)] == [
        "jamming that the receiver reports (receiver 2)",
        "spoofing that the receiver reports (receiver 2)",
    ]


@pytest.mark.parametrize(("family", "watched"), [("betaflight", False), ("inav", True)])
def test_only_a_height_that_is_of_the_barometer_alone_is_compared(family: str, watched: bool) -> None:
    monitors = GnssMonitors()
    source = MspSource(monitors, family)
    source.feed(0, "MSP_ALTITUDE", {"altitude": 100, **({"baro": 90} if watched else {})})
    gps = {"fix": 2, "satellites": 12, "latitude": 0, "longitude": 0, "altitude": 100, "speed": 0}
    source.feed(1, "MSP_RAW_GPS", gps)
    assert ("height" in monitors.watched) is watched
