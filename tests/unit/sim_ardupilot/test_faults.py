"""Faults on request: how they are asked for, and what each one does to the vehicle."""

from __future__ import annotations

import math
from typing import Any

import pytest

from dronekit_cfg.errors import UsageError
from dronekit_cfg.sim.bench_faults import BENCH_FAULTS
from dronekit_cfg.sim.faults import FAULTS, NO_FAULTS, Faults, parse_faults


def beats(bench: Any, seconds: float = 3.0) -> list[Any]:
    return [m for _, m in bench.wait(seconds) if m.get_type() == "HEARTBEAT"]


# --- asking for them


def test_no_text_is_no_fault() -> None:
    assert parse_faults("") == parse_faults(" , ") == NO_FAULTS == Faults()


def test_several_faults_and_their_arguments_are_read() -> None:
    found = parse_faults("deaf, echo-lost:0.25,reboot-mid=7,clamp:RTL_ALT:3000,clamp=RC1_MIN:900,deny:A,deny:B")
    assert found == Faults(
        deaf=True, echo_lost=0.25, reboot_mid=7, clamp={"RTL_ALT": 3000, "RC1_MIN": 900}, deny=frozenset("AB")
    )


def test_arguments_have_sensible_defaults() -> None:
    found = parse_faults("echo-lost,echo-old,slow-boot,storage-full,arms-after,ftp-busy")
    assert (found.echo_lost, found.echo_old, found.slow_boot) == (math.inf, math.inf, 20)
    assert (found.storage_full, found.arms_after, found.ftp_busy) == (0, 5, 5)


def test_an_unknown_fault_is_refused_with_the_list_of_all() -> None:
    with pytest.raises(UsageError) as caught:
        parse_faults("deaf,death")
    assert "'death'" in str(caught.value)
    assert all(name in str(caught.value) for name in FAULTS)
    assert caught.value.hint


@pytest.mark.parametrize(
    "text",
    ["reboot-mid:x", "reboot-mid:-1", "echo-lost:0", "echo-lost:nan", "clamp", "clamp:RTL_ALT", "clamp:A:nan", "deny",
     "deny:", "deaf:1", "drop-burst:2", "slow-boot:-1"],
)  # fmt: skip
def test_an_argument_that_cannot_be_used_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_faults(text)


def test_every_fault_that_is_listed_is_a_field_and_the_other_way_round() -> None:
    own = {name.replace("-", "_") for name in FAULTS if name not in BENCH_FAULTS}
    assert own | {"bench"} == set(Faults.__slots__)


# --- what they do


def test_a_deaf_vehicle_beats_and_answers_nothing(rig: Any) -> None:
    bench = rig(fault="deaf")
    assert bench.set("RC1_MIN", 1200, 1.0) == []
    assert bench.command(512, 148, seconds=1.0) == (None, [])
    assert len(beats(bench)) == 3


def test_a_vehicle_falls_silent_after_a_number_of_requests(rig: Any) -> None:
    bench = rig(fault="mute-after:3")
    assert [len(bench.set("RC1_MIN", 1200 + n)) for n in range(5)] == [1, 1, 1, 0, 0]
    assert beats(bench) == []


def test_the_first_echoes_are_lost_and_the_writes_are_not(rig: Any) -> None:
    bench = rig(fault="echo-lost:2")
    assert [len(bench.set("RC1_MIN", 1200 + n)) for n in range(4)] == [0, 0, 1, 1]
    bench = rig(fault="echo-lost")
    assert bench.set("RC1_MIN", 1200, 1.0) == []
    assert bench.get("RC1_MIN") == 1200


def test_echoes_are_lost_at_a_rate_that_the_seed_decides(rig: Any) -> None:
    def kept(seed: str) -> list[int]:
        bench = rig(fault="echo-lost:0.4", seed=seed)
        return [len(bench.set("RC1_MIN", 1200 + n)) for n in range(60)]

    assert 20 < sum(kept("1")) < 50
    assert kept("1") == kept("1") != kept("2")


def test_an_old_echo_carries_the_value_before_and_the_new_one_is_there(rig: Any) -> None:
    bench = rig(fault="echo-old:1")
    assert [m.param_value for m in bench.set("RC1_MIN", 1200)] == [1000]
    assert bench.get("RC1_MIN") == 1200
    assert [m.param_value for m in bench.set("RC1_MIN", 1300)] == [1300]


def test_a_vehicle_reboots_in_the_middle_and_the_write_in_hand_is_lost(rig: Any) -> None:
    bench = rig(fault="reboot-mid:3")
    bench.set("RC1_MIN", 1201)
    bench.set("RC2_MIN", 1202)
    assert bench.set("RC3_MIN", 1203) == []
    assert bench.vehicle.hung_up
    bench.reconnect()
    assert [bench.get(f"RC{n}_MIN") for n in (1, 2, 3)] == [1201, 1202, 1000]
    assert bench.set("RC3_MIN", 1203)[0].param_value == 1203
    assert bench.set("RC4_MIN", 1204)[0].param_value == 1204


def test_a_full_storage_keeps_settings_in_memory_without_an_echo_until_the_reboot(rig: Any) -> None:
    bench = rig(fault="storage-full:1")
    assert len(bench.set("RC1_MIN", 1201)) == 1
    assert bench.set("RC2_MIN", 1202, 1.0) == []
    assert bench.get("RC2_MIN") == 1202
    bench.reboot()
    assert (bench.get("RC1_MIN"), bench.get("RC2_MIN")) == (1201, 1000)


def test_a_full_storage_still_overwrites_what_it_holds(rig: Any) -> None:
    bench = rig(fault="storage-full:1")
    bench.set("RC1_MIN", 1201)
    assert len(bench.set("RC1_MIN", 1202)) == 1
    assert len(bench.set("SERVO1_FUNCTION", 0)) == 1
    bench.reboot()
    assert (bench.get("RC1_MIN"), bench.get("SERVO1_FUNCTION")) == (1202, 0)


def test_a_brownout_takes_back_the_last_echoed_writes(rig: Any) -> None:
    bench = rig(fault="brownout:5")
    for n in range(1, 6):
        assert len(bench.set(f"RC{n}_TRIM", 1510 + n, 0.005)) == 1
    bench.wait(0.1)
    assert bench.vehicle.hung_up
    bench.reconnect()
    assert [bench.get(f"RC{n}_TRIM") for n in range(1, 6)] == [1511, 1512, 1500, 1500, 1500]


def test_a_brownout_takes_back_to_what_was_stored_before(rig: Any) -> None:
    bench = rig(fault="brownout:3")
    for value in (1511, 1512, 1513):
        bench.set("RC1_TRIM", value, 0.005)
    bench.wait(0.1)
    bench.reconnect()
    assert bench.get("RC1_TRIM") == 1500


def test_an_armed_vehicle_stays_armed_and_does_not_reboot(rig: Any) -> None:
    bench = rig(fault="armed")
    assert {m.base_mode & 128 for m in beats(bench, 30.0)} == {128}
    assert bench.command(400, 0)[0] == 4
    assert bench.command(246, 1, seconds=1.0)[0] == 4
    assert not bench.vehicle.hung_up


def test_a_vehicle_arms_after_some_writes(rig: Any) -> None:
    bench = rig(fault="arms-after:2")
    bench.set("RC1_MIN", 1201)
    assert {m.base_mode & 128 for m in beats(bench)} == {0}
    bench.set("RC2_MIN", 1202)
    assert {m.base_mode & 128 for m in beats(bench, 30.0)} == {128}


def test_a_second_vehicle_beats_and_answers_on_the_same_link(rig: Any) -> None:
    bench = rig(fault="second")
    assert {m.get_srcSystem() for m in beats(bench)} == {1, 2}
    heard = bench.command(512, 148, system=0)[1]
    assert {m.get_srcSystem() for m in heard} == {1, 2}
    assert len({bytes(m.uid2) for m in heard}) == 2
    assert [m.get_srcSystem() for m in bench.set("RC1_MIN", 1201)] == [1]
    assert [m.get_srcSystem() for m in bench.ask(bench.pack.param_set_encode(2, 1, b"RC1_MIN", 1300, 9))] == [2]
    assert bench.get("RC1_MIN") == 1201


def test_a_lonely_ground_station_is_no_vehicle(rig: Any) -> None:
    bench = rig(fault="gcs-only")
    assert {(m.get_srcSystem(), m.get_srcComponent(), m.type, m.autopilot) for m in beats(bench)} == {(255, 190, 6, 8)}
    assert bench.command(512, 148, system=0, seconds=2.0) == (None, [])


def test_a_clamped_setting_takes_no_more_than_its_limit(rig: Any, make_upload: Any) -> None:
    bench = rig(fault="clamp:RTL_ALT:3000")
    assert [m.param_value for m in bench.set("RTL_ALT", 5000)] == [3000]
    assert [m.param_value for m in bench.set("RTL_ALT", 2000)] == [2000]
    bench.upload(make_upload([("RTL_ALT", 3, 9000)]))
    assert bench.get("RTL_ALT") == 3000


def test_a_denied_setting_answers_with_its_old_value_and_a_text(rig: Any, make_upload: Any) -> None:
    bench = rig(fault="deny:RTL_ALT")
    heard = bench.ask(bench.pack.param_set_encode(1, 1, b"RTL_ALT", 5000, 9))
    assert [getattr(m, "text", None) or m.param_value for m in heard] == ["Param write denied (RTL_ALT)", 1500]
    bench.upload(make_upload([("RTL_ALT", 3, 9000)]))
    assert bench.get("RTL_ALT") == 1500


def test_after_a_reboot_another_vehicle_is_there(rig: Any) -> None:
    bench = rig(fault="wrong-uid-after-reboot")
    before = bytes(bench.command(512, 148)[1][0].uid2)
    bench.reboot()
    after = bytes(bench.command(512, 148)[1][0].uid2)
    assert before != after
    honest = rig()
    honest.reboot()
    assert bytes(honest.command(512, 148)[1][0].uid2) == before


def test_without_file_transfer_there_is_a_text_and_no_capability(rig: Any) -> None:
    bench = rig(fault="no-ftp")
    assert not bench.command(512, 148)[1][0].capabilities & 32
    payload = [0] * 251
    payload[3] = 2
    heard = bench.ask(bench.pack.file_transfer_protocol_encode(0, 1, 1, payload))
    assert [m.text for m in heard] == ["failed to initialize MAVFTP"]


def test_a_busy_file_transfer_is_free_again_after_its_time(rig: Any) -> None:
    bench = rig(fault="ftp-busy:4")
    name = b"@PARAM/param.pck"
    assert bench.ftp(1, 0, 4, name)[0][7] == b"\x04"
    bench.wait(3.5)
    assert bench.ftp(3, 0, 4, name)[0][7] == b"\x04"
    bench.wait(0.6)
    assert bench.ftp(5, 0, 4, name)[0][2] == 128


def test_bursts_lose_blocks_and_single_reads_do_not(rig: Any) -> None:
    bench = rig(fault="drop-burst:0.2")
    bench.ftp(1, 0, 4, b"@PARAM/param.pck")
    blocks = [r for r in bench.ftp(2, 0, 15, size=239, seconds=3.0) if r[2] == 128]
    assert 35 < len(blocks) < 62
    assert all(bench.ftp(200 + 2 * n, 0, 5, size=239, offset=239 * n)[0][2] == 128 for n in range(20))


def test_a_slow_boot_takes_its_time(rig: Any) -> None:
    bench = rig(fault="slow-boot:12")
    assert bench.command(246, 1, seconds=0.3)[0] == 0
    began = bench.now
    bench.vehicle.connected(began)
    bench.send(bench.pack.command_long_encode(1, 1, 512, 0, 148, 0, 0, 0, 0, 0, 0))
    heard = bench.wait(20.0)
    first = next(at for at, m in heard if m.get_type() == "HEARTBEAT")
    assert first - began == pytest.approx(12.0, abs=0.01)
    assert "AUTOPILOT_VERSION" not in {m.get_type() for _, m in heard}


def test_faults_are_seen_in_uploads_too(rig: Any, make_upload: Any) -> None:
    bench = rig(fault="storage-full")
    bench.upload(make_upload([("RC1_MIN", 2, 1201)]))
    assert bench.get("RC1_MIN") == 1201
    bench.reboot()
    assert bench.get("RC1_MIN") == 1000


def test_a_second_ground_station_is_heard_and_writes_one_setting_while_we_write_ours(rig: Any) -> None:
    bench = rig(fault="second-gcs:RTL_SPEED:7")
    heard = [m for _, m in bench.wait(2.5)]
    beats = [m for m in heard if m.get_type() == "HEARTBEAT" and m.get_srcSystem() == 254]
    assert len(beats) >= 2
    assert sum(m.get_type() == "PARAM_VALUE" for m in heard) > 1000  # the list that it asked for
    bench.wait(3)
    for name, value in (("FENCE_ALT_MAX", 70), ("LAND_SPEED", 44)):
        assert "RTL_SPEED" not in {m.param_id for m in bench.set(name, value)}
    echoes = {m.param_id: m.param_value for m in bench.set("FS_THR_VALUE", 960)}
    assert echoes == {"FS_THR_VALUE": 960, "RTL_SPEED": 7}
