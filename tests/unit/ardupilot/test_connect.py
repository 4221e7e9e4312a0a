"""Who is on the link: passive listening, identity, several vehicles, and what else may be there."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from ardupilot_driver import ArdupilotDriver
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from dronekit_cfg.errors import DronekitError, LinkGarbage, NoAnswer, SeveralVehicles, Unsupported


def identify(bench: Any, **options: Any) -> Any:
    driver = ArdupilotDriver(bench.session, **options)
    return bench.run(driver.codec, driver.identify())


def parsed(data: bytes) -> list[Any]:
    mav = mavlink.MAVLink(None)
    return list(mav.parse_buffer(data) or [])


def test_identity_is_read_from_the_vehicle(bench: Any, fake: Any) -> None:
    found = identify(bench(fake()))
    assert (found.family, found.vehicle, found.version, found.address) == ("ardupilot", "copter", "4.5.6", "1:1")
    assert found.version_text == "4.5.6 (7ce11b41)"
    assert found.board == "1013"
    assert found.uid == "0102030405060708090a0b0c"
    assert {"mavftp", "param-c-cast"} <= set(found.capabilities)


@pytest.mark.parametrize(
    ("mav_type", "name"), [(1, "plane"), (2, "copter"), (4, "heli"), (10, "rover"), (12, "sub"), (13, "copter")]
)
def test_the_kind_of_vehicle_comes_from_its_heartbeat(bench: Any, fake: Any, mav_type: int, name: str) -> None:
    assert identify(bench(fake(type=mav_type))).vehicle == name


def test_nothing_is_sent_before_a_frame_was_heard(bench: Any, fake: Any) -> None:
    rig = bench(fake())
    identify(rig)
    assert rig.sent[0][0] >= 1000.3
    rig = bench(fake(mute=True))
    with pytest.raises(NoAnswer):
        identify(rig)
    assert rig.sent == []


def test_speaking_first_sends_our_heartbeat_at_once(bench: Any, fake: Any) -> None:
    rig = bench(fake())
    identify(rig, speak_first=True)
    assert rig.sent[0][0] == 1000.0
    assert parsed(rig.sent[0][1])[0].get_type() == "HEARTBEAT"


def test_our_heartbeat_is_that_of_a_ground_station_and_comes_each_second(bench: Any, fake: Any) -> None:
    rig = bench(fake())
    driver = ArdupilotDriver(rig.session)
    rig.run(driver.codec, driver.identify())
    rig.vehicles[0].mute = True
    with pytest.raises(NoAnswer):
        rig.run(driver.codec, driver.read(["X"]))
    beats = [t for t, data in rig.sent for m in parsed(data) if m.get_type() == "HEARTBEAT"]
    assert len(beats) > 4
    assert all(0.99 < b - a < 1.1 for a, b in itertools.pairwise(beats))
    first = next(m for _, data in rig.sent for m in parsed(data) if m.get_type() == "HEARTBEAT")
    assert (first.get_srcSystem(), first.get_srcComponent(), first.type, first.autopilot) == (255, 190, 6, 8)


def test_silence_is_no_answer(bench: Any, fake: Any) -> None:
    with pytest.raises(NoAnswer, match="nothing arrives"):
        identify(bench(fake(mute=True)))


def test_other_bytes_are_garbage_not_silence(bench: Any) -> None:
    rig = bench()
    rig.noise.extend((1000.0 + i / 10, b"$M>\x03\x01\x01\x00# entering CLI") for i in range(30))
    with pytest.raises(LinkGarbage, match="no MAVLink") as caught:
        identify(rig)
    assert "baud" in caught.value.hint


def test_boot_text_before_the_first_frame_does_no_harm(bench: Any, fake: Any) -> None:
    rig = bench(fake())
    rig.noise.append((1000.1, b"\n\nInit ArduCopter V4.5.6 (7ce11b41)\n\nFree RAM: 131072\n"))
    assert identify(rig).version == "4.5.6"


def test_a_ground_station_is_not_a_vehicle(bench: Any, fake: Any) -> None:
    with pytest.raises(LinkGarbage, match="ground station"):
        identify(bench(fake(type=6, autopilot=8, system=255)))


def test_ground_stations_and_gimbals_beside_a_vehicle_are_passed_over(bench: Any, fake: Any) -> None:
    rig = bench(
        fake(type=6, autopilot=8, system=254), fake(type=26, autopilot=8, component=154), fake(system=3, latency=0.05)
    )
    assert identify(rig).address == "3:1"


def test_px4_is_refused_by_name(bench: Any, fake: Any) -> None:
    with pytest.raises(Unsupported, match="PX4"):
        identify(bench(fake(autopilot=12)))


def test_a_second_vehicle_is_found_before_its_heartbeat(bench: Any, fake: Any) -> None:
    second = fake(system=2, type=1)
    second.beat = 1000.9
    rig = bench(fake(), second)
    with pytest.raises(SeveralVehicles, match=r"1:1 \(copter, ArduPilot\), 2:1 \(plane, ArduPilot\)") as caught:
        identify(rig)
    assert "--target" in caught.value.hint
    assert rig.time < 1001.1


def test_a_second_vehicle_that_comes_later_is_noticed_in_the_next_flow(bench: Any, fake: Any) -> None:
    rig = bench(fake())
    driver = ArdupilotDriver(rig.session)
    rig.run(driver.codec, driver.identify())
    second = fake(system=2)
    second.beat = rig.time + 0.05
    rig.vehicles.append(second)
    with pytest.raises(SeveralVehicles, match="2:1"):
        rig.run(driver.codec, driver.snapshot(taken=""))


def test_a_named_target_is_taken_among_several(bench: Any, fake: Any) -> None:
    rig = bench(fake(), fake(system=2, uid2=bytes(range(20, 32)) + bytes(6)))
    found = identify(rig, target=(2, None))
    assert (found.address, found.uid) == ("2:1", bytes(range(20, 32)).hex())
    assert all(m.target_system == 2 for m in rig.vehicles[0].heard if m.get_type() == "COMMAND_LONG")


def test_a_named_target_that_is_not_there_names_those_that_are(bench: Any, fake: Any) -> None:
    with pytest.raises(NoAnswer, match="9:") as caught:
        identify(bench(fake()), target=(9, None))
    assert "1:1" in caught.value.hint


def test_two_vehicles_with_one_address_are_told_apart_by_their_boards(bench: Any, fake: Any) -> None:
    with pytest.raises(SeveralVehicles, match="address 1:1"):
        identify(bench(fake(), fake(uid2=bytes(range(40, 52)) + bytes(6))))


def test_an_old_vehicle_is_asked_in_the_old_way(bench: Any, fake: Any) -> None:
    assert identify(bench(fake(answers_512=False))).version == "4.5.6"


def test_a_vehicle_that_only_speaks_mavlink_1_is_spoken_to_in_it(bench: Any, fake: Any) -> None:
    # uid2 is an extension field, which MAVLink 1 does not carry.
    rig = bench(fake(only_v1=True, uid2=bytes(18)))
    assert identify(rig).uid == f"{77:016x}"
    assert rig.sent[0][1][0] == 0xFD
    assert rig.sent[-1][1][0] == 0xFE


@pytest.mark.parametrize("seed", range(20))
def test_a_lossy_link_is_asked_again(bench: Any, fake: Any, seed: int) -> None:
    assert identify(bench(fake(loss_up=0.2, loss_down=0.2, seed=seed))).uid


def test_a_vehicle_that_hears_nothing_is_no_answer_with_a_hint(bench: Any, fake: Any) -> None:
    with pytest.raises(NoAnswer) as caught:
        identify(bench(fake(deaf=True)))
    assert "--signing-key" in caught.value.hint


@pytest.mark.parametrize(
    ("word", "version", "text"),
    [
        (0x04070000, "4.7.0.dev0", "4.7.0-dev"),
        (0x040600FF, "4.6.0", "4.6.0"),
        (0x04060081, "4.6.0b1", "4.6.0-beta1"),
        (0x040600C1, "4.6.0rc1", "4.6.0-rc1"),
        (0x04060040, "4.6.0a0", "4.6.0-alpha"),
    ],
)
def test_versions_are_pep_440(bench: Any, fake: Any, word: int, version: str, text: str) -> None:
    found = identify(bench(fake(version=word)))
    assert (found.version, found.version_text) == (version, f"{text} (7ce11b41)")


def test_every_failure_says_what_to_do(bench: Any, fake: Any) -> None:
    for rig in (bench(), bench(fake(deaf=True)), bench(fake(autopilot=12)), bench(fake(), fake(system=2))):
        with pytest.raises(DronekitError) as caught:
            identify(rig)
        assert caught.value.hint


KEY = bytes(range(32))


def test_a_signing_vehicle_whose_clock_is_years_behind_is_spoken_to_until_it_catches_up(bench: Any, fake: Any) -> None:
    rig = bench(fake(key=KEY))
    assert identify(rig, signing_key=KEY).version == "4.5.6"
    assert rig.sent[0][0] > 1000.3, "not before a frame was seen"


def test_a_vehicle_with_another_key_is_named_as_such(bench: Any, fake: Any) -> None:
    with pytest.raises(LinkGarbage, match="not signed with this key"):
        identify(bench(fake(key=KEY)), signing_key=bytes(32))
    with pytest.raises(LinkGarbage, match="not signed with this key"):
        identify(bench(fake()), signing_key=KEY)


def test_a_signing_vehicle_without_our_key_leads_to_the_key(bench: Any, fake: Any) -> None:
    with pytest.raises(NoAnswer) as caught:
        identify(bench(fake(key=KEY)))
    assert "--signing-key" in caught.value.hint
