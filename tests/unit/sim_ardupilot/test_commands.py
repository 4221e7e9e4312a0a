"""Commands and telemetry, against results measured on the real 4.7-dev SITL."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest

UID = b"3d1219c7c4c5404aa\0"


def texts(messages: list[Any]) -> list[str]:
    return [m.text for m in messages if m.get_type() == "STATUSTEXT"]


def kinds(messages: list[Any]) -> list[str]:
    return [m.get_type() for m in messages]


@pytest.mark.parametrize(
    ("number", "params", "result"),
    [
        (31999, (), 3),
        (245, (0,), 2),
        (245, (1,), 2),
        (245, (0, 2), 2),
        (246, (7,), 3),
        (512, (12345,), 4),
        (512, (0,), 0),
        (512, (24,), 0),
        (510, (24,), 0),
        (511, (24, 200000), 0),
        (511, (9999, 100000), 2),
        (519, (1,), 3),
        (520, (1,), 0),
        (241, (1,), 0),
        (241, (0, 0, 1), 0),
        (241, (), 3),
        (209, (1, 0, 5, 1), 0),
        (176, (1, 5), 0),
        (176, (1, 99), 4),
        (400, (1,), 0),
        (400, (0,), 0),
        (401, (), 0),
        (410, (), 0),
    ],
)
def test_a_command_has_the_result_of_the_real_one(
    rig: Any, number: int, params: tuple[float, ...], result: int
) -> None:
    assert rig().command(number, *params)[0] == result


def test_a_command_in_its_integer_form_works_as_well(rig: Any) -> None:
    bench = rig()
    heard = bench.ask(bench.pack.command_int_encode(1, 1, 0, 512, 0, 0, 148, 0, 0, 0, 0, 0, 0))
    assert kinds(heard) == ["COMMAND_ACK", "AUTOPILOT_VERSION"]


def test_a_vehicle_tells_who_it_is_also_when_all_are_asked(rig: Any) -> None:
    result, heard = rig().command(512, 148, system=0)
    assert result == 0
    (version,) = heard
    assert bytes(version.uid2) == UID
    assert (version.flight_sw_version, version.capabilities) == (67567616, 64495)
    assert bytes(version.flight_custom_version) == b"2598e9d4"


def test_another_id_is_another_vehicle_with_its_own_identity(rig: Any) -> None:
    def uid(**options: str) -> bytes:
        return bytes(rig(**options).command(512, 148)[1][0].uid2)

    uids = [uid(), uid(id="2"), uid(id="3"), uid(version="4.5"), uid(version="4.5", id="2")]
    assert len(set(uids)) == 5
    assert uid(id="2") == uids[1]
    assert all(len(u.rstrip(b"\0")) == 17 for u in uids)


def test_the_old_way_to_ask_for_the_version_is_answered(rig: Any) -> None:
    bench = rig()
    assert kinds(bench.ask(bench.pack.autopilot_version_request_encode(1, 1))) == ["AUTOPILOT_VERSION"]


def test_a_vehicle_at_rest_is_ready_to_arm_and_says_nothing(rig: Any) -> None:
    bench = rig()
    assert bench.command(401) == (0, [])
    (status,) = bench.command(512, 1)[1]
    assert status.onboard_control_sensors_health & 1 << 28


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"FS_THR_VALUE": 900}, ["Check FS_THR_VALUE"]),
        ({"FS_THR_VALUE": 995}, ["Check FS_THR_VALUE"]),
        ({"BATT_ARM_VOLT": 14}, ["Battery 1 below minimum arming voltage"]),
        ({"BATT_CRT_VOLT": 12}, ["Battery 1 voltage failsafe critical >= low"]),
        ({"ANGLE_MAX": 500}, ["Check ANGLE_MAX"]),
        ({"ANGLE_MAX": 500, "ARMING_CHECK": 0}, []),
    ],
)
def test_settings_that_the_firmware_refuses_to_arm_with_are_named(
    rig: Any, changes: dict[str, float], said: list[str]
) -> None:
    bench = rig()
    for name, value in changes.items():
        bench.set(name, value)
    result, heard = bench.command(401)
    assert result == 0
    assert texts(heard) == [f"PreArm: {text}" for text in said]
    result, heard = bench.command(400, 1)
    assert result == (4 if said else 0)
    assert bool(bench.command(512, 1)[1][0].onboard_control_sensors_health & 1 << 28) is (not said)


def test_arming_shows_in_the_heartbeat_and_ends_by_itself(rig: Any) -> None:
    """Measured: "Disarming motors" 10.1 s after arming, as DISARM_DELAY says."""
    bench = rig()
    result, heard = bench.command(400, 1)
    assert result == 0
    assert kinds(heard) == ["GPS_GLOBAL_ORIGIN", "HOME_POSITION", "STATUSTEXT"]
    assert texts(heard) == ["Arming motors"]
    beats = [m for _, m in bench.wait(3.0) if m.get_type() == "HEARTBEAT"]
    assert {(m.base_mode, m.system_status) for m in beats} == {(81 | 128, 4)}
    assert "Disarming motors" in texts([m for _, m in bench.wait(8.0)])
    assert {m.base_mode for _, m in bench.wait(2.0) if m.get_type() == "HEARTBEAT"} == {81}


def test_nothing_reboots_while_armed(rig: Any) -> None:
    bench = rig()
    bench.command(400, 1)
    assert bench.command(246, 1, seconds=1.0)[0] == 4
    assert not bench.vehicle.hung_up
    assert bench.command(401)[0] == 1
    assert bench.set("RC1_MIN", 1001)[0].param_value == 1001
    assert bench.command(400, 0)[0] == 0
    assert bench.command(246, 1, seconds=1.0)[0] == 0
    assert bench.vehicle.hung_up


def test_erasing_all_settings_takes_effect_at_the_reboot(rig: Any) -> None:
    bench = rig()
    bench.set("RC1_MIN", 1234)
    result, heard = bench.command(245, 2)
    assert (result, texts(heard)) == (0, ["All parameters reset, reboot board"])
    assert bench.get("RC1_MIN") == 1234
    bench.reboot()
    assert bench.get("RC1_MIN") == 1000


@pytest.mark.parametrize(("mode", "text"), [(99, "No such mode 99"), (3, "Mode change to AUTO failed: init failed")])
def test_a_mode_that_cannot_be_entered_is_refused_with_the_reason(rig: Any, mode: int, text: str) -> None:
    bench = rig()
    result, heard = bench.command(176, 1, mode)
    assert (result, texts(heard)) == (4, [text])


def test_a_mode_that_was_entered_shows_in_the_heartbeat(rig: Any) -> None:
    bench = rig()
    assert bench.command(176, 1, 5)[0] == 0
    assert {m.custom_mode for _, m in bench.wait(2.0) if m.get_type() == "HEARTBEAT"} == {5}


def test_a_mode_that_needs_a_position_is_refused_until_there_is_one(rig: Any) -> None:
    bench = rig(boot="cold")
    bench.wait(5.0)
    assert bench.command(176, 1, 5)[0] == 4
    bench.wait(20.0)
    assert bench.command(176, 1, 5)[0] == 0


def test_a_vehicle_asks_a_ground_station_that_it_heard_for_the_time(rig: Any) -> None:
    """Recorded: a TIMESYNC every 10 s."""
    bench = rig()
    assert "TIMESYNC" not in {m.get_type() for _, m in bench.wait(15.0)}
    bench.send(bench.pack.heartbeat_encode(6, 8, 0, 0, 4))
    asked = [m.tc1 for _, m in bench.wait(20.0) if m.get_type() == "TIMESYNC"]
    assert asked == [0, 0]


def test_a_motor_test_ends_when_its_time_is_over(rig: Any) -> None:
    bench = rig()
    result, heard = bench.command(209, 1, 0, 5, 1)
    assert (result, texts(heard)) == (0, ["starting motor test"])
    assert texts([m for _, m in bench.wait(1.5)]) == ["finished motor test"]


def test_nothing_but_heartbeats_comes_until_it_is_asked_for(rig: Any) -> None:
    bench = rig()
    counts = Counter(m.get_type() for _, m in bench.wait(10.0))
    assert counts == {"HEARTBEAT": 10}


def test_a_message_interval_is_kept_and_told_and_ended(rig: Any) -> None:
    bench = rig()
    bench.command(511, 24, 200000)
    assert Counter(m.get_type() for _, m in bench.wait(2.0))["GPS_RAW_INT"] == 10
    (told,) = [m for m in bench.command(510, 24)[1] if m.get_type() == "MESSAGE_INTERVAL"]
    assert (told.message_id, told.interval_us) == (24, 200000)
    bench.command(511, 24, -1)
    assert "GPS_RAW_INT" not in Counter(m.get_type() for _, m in bench.wait(2.0))
    assert [m.interval_us for m in bench.command(510, 24)[1]] == [-1]


def test_streams_run_at_the_rate_asked_for_until_the_reboot(rig: Any) -> None:
    bench = rig()
    bench.send(bench.pack.request_data_stream_encode(1, 1, 0, 4, 1))
    counts = Counter(m.get_type() for _, m in bench.wait(5.0))
    asked = {
        "ATTITUDE", "BATTERY_STATUS", "EKF_STATUS_REPORT", "GLOBAL_POSITION_INT", "GPS_RAW_INT", "RC_CHANNELS",
        "SYSTEM_TIME", "SYS_STATUS", "VFR_HUD", "VIBRATION",
    }  # fmt: skip
    assert {name: counts[name] for name in asked} == dict.fromkeys(asked, 20)
    assert bench.get("MAV1_EXTRA1") == 4
    bench.reboot(5.0)
    assert bench.get("MAV1_EXTRA1") == 0
    assert set(Counter(m.get_type() for _, m in bench.wait(5.0))) <= {"HEARTBEAT", "STATUSTEXT", "TIMESYNC"}


def test_one_stream_can_be_asked_for_and_stopped(rig: Any) -> None:
    bench = rig()
    bench.send(bench.pack.request_data_stream_encode(1, 1, 11, 5, 1))
    assert Counter(m.get_type() for _, m in bench.wait(2.0)) == {"HEARTBEAT": 2, "VFR_HUD": 10}
    bench.send(bench.pack.request_data_stream_encode(1, 1, 11, 5, 0))
    assert Counter(m.get_type() for _, m in bench.wait(2.0)) == {"HEARTBEAT": 2}


def test_stored_stream_rates_hold_from_the_next_boot(rig: Any) -> None:
    """Measured: writing the parameter changes nothing until the reboot."""
    bench = rig()
    bench.set("MAV1_EXTRA2", 3)
    assert Counter(m.get_type() for _, m in bench.wait(2.0)) == {"HEARTBEAT": 2}
    bench.reboot()
    assert Counter(m.get_type() for _, m in bench.wait(2.0))["VFR_HUD"] == 6


def test_streams_can_be_on_from_the_start(rig: Any) -> None:
    assert Counter(m.get_type() for _, m in rig(streams="2").wait(5.0))["ATTITUDE"] in (9, 10)


def test_telemetry_is_that_of_a_vehicle_at_rest(rig: Any) -> None:
    bench = rig(streams="10")
    last = {m.get_type(): m for _, m in bench.wait(3.0)}
    assert last["GPS_RAW_INT"].fix_type == 6
    assert last["GPS_RAW_INT"].satellites_visible == 10
    assert last["EKF_STATUS_REPORT"].flags == 831
    assert max(last["EKF_STATUS_REPORT"].velocity_variance, last["EKF_STATUS_REPORT"].compass_variance) < 0.5
    assert 12000 < last["SYS_STATUS"].voltage_battery < 13000
    assert last["BATTERY_STATUS"].voltages[0] == pytest.approx(12600, abs=100)
    assert math.hypot(last["ATTITUDE"].roll, last["ATTITUDE"].pitch) < math.radians(2)
    imu = last["RAW_IMU"]
    assert math.hypot(imu.xacc, imu.yacc, imu.zacc) == pytest.approx(1000, abs=20)
    assert 185 < math.hypot(imu.xmag, imu.ymag, imu.zmag) < 875
    assert last["RC_CHANNELS"].chan3_raw == 1000
    assert last["GLOBAL_POSITION_INT"].lat == pytest.approx(-353632621, abs=50)
    assert abs(last["VFR_HUD"].climb) < 0.1


def test_the_noise_depends_on_the_seed_and_on_nothing_else(rig: Any) -> None:
    def rolls(seed: str, step: float) -> list[float]:
        bench = rig(streams="5", seed=seed)
        heard = [m for _ in range(round(2 / step)) for m in bench.wait(step)]
        return [m.roll for _, m in heard if m.get_type() == "ATTITUDE"]

    assert rolls("1", 0.5) == rolls("1", 0.1) != rolls("2", 0.5)


def test_a_serving_side_that_comes_late_is_not_flooded(rig: Any) -> None:
    bench = rig(streams="10")
    bench.wait(1.0)
    bench.now += 3600
    late = Counter(m.get_type() for m in bench._parse(bench.vehicle.poll(bench.now)))
    assert late["ATTITUDE"] < 30
    assert late["HEARTBEAT"] < 5


def test_ground_stations_find_no_mission_and_no_logs(rig: Any) -> None:
    bench = rig()
    (mission,) = bench.ask(bench.pack.mission_request_list_encode(1, 1, 0))
    assert (mission.get_type(), mission.count) == ("MISSION_COUNT", 0)
    (logs,) = bench.ask(bench.pack.log_request_list_encode(1, 1, 0, 0xFFFF))
    assert (logs.get_type(), logs.num_logs) == ("LOG_ENTRY", 0)


def test_time_is_synchronised(rig: Any) -> None:
    bench = rig()
    (answer,) = bench.ask(bench.pack.timesync_encode(0, 123456789))
    assert (answer.get_type(), answer.ts1) == ("TIMESYNC", 123456789)
    assert answer.tc1 > 0
