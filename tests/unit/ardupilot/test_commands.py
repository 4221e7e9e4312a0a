"""Arm state, uptime and reboot: fresh answers only, and refusals by name."""

from __future__ import annotations

from typing import Any

import pytest
from ardupilot_driver import ArdupilotDriver
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from dronekit_cfg.errors import Armed, NoAnswer, VehicleError
from dronekit_cfg.talk.mavlink_commands import run_command


def connected(rig: Any) -> ArdupilotDriver:
    driver = ArdupilotDriver(rig.session)
    rig.run(driver.codec, driver.identify())
    return driver


def ask(rig: Any, driver: ArdupilotDriver, verb: str) -> Any:
    return rig.run(driver.codec, getattr(driver, verb)())


@pytest.mark.parametrize(("mode", "armed"), [(81, False), (81 | 128, True)])
def test_the_arm_state_is_the_vehicles_own(bench: Any, fake: Any, mode: int, armed: bool) -> None:
    rig = bench(fake(base_mode=mode))
    state = ask(rig, connected(rig), "arm_state")
    assert (state.armed, state.detail) == (armed, "standby")


def test_heartbeats_that_waited_in_a_buffer_are_not_believed(bench: Any, fake: Any) -> None:
    vehicle = fake()
    rig = bench(vehicle)
    driver = connected(rig)
    # While nobody listened: disarmed heartbeats and even an old acknowledgement of the same request.
    for _ in range(20):
        vehicle.heartbeat(rig.time - 1)
    vehicle.put(mavlink.MAVLink_command_ack_message(512, 0, 0, 0, 255, 190), rig.time - 0.02)
    vehicle.heartbeat(rig.time - 0.02)
    vehicle.base_mode = 81 | 128
    assert ask(rig, driver, "arm_state").armed


def test_a_vehicle_that_sends_nothing_on_request_is_listened_to(bench: Any, fake: Any) -> None:
    vehicle = fake(answers_512=False)
    rig = bench(vehicle)
    driver = connected(rig)
    vehicle.heartbeat(rig.time)
    vehicle.base_mode = 81 | 128
    start = rig.time
    assert ask(rig, driver, "arm_state").armed
    assert rig.time - start < 2


@pytest.mark.parametrize("seed", range(10))
def test_the_arm_state_comes_through_a_lossy_link(bench: Any, fake: Any, seed: int) -> None:
    rig = bench(fake(loss_up=0.2, loss_down=0.2, seed=seed, base_mode=209))
    assert ask(rig, connected(rig), "arm_state").armed


def test_a_silent_vehicle_has_no_arm_state(bench: Any, fake: Any) -> None:
    rig = bench(fake())
    driver = connected(rig)
    rig.vehicles[0].mute = True
    with pytest.raises(NoAnswer):
        ask(rig, driver, "arm_state")


def test_uptime_is_in_seconds_since_the_start(bench: Any, fake: Any) -> None:
    rig = bench(fake(boot_time=900.0))
    assert ask(rig, connected(rig), "uptime") == pytest.approx(100, abs=1)


def test_a_vehicle_that_cannot_tell_its_uptime_gives_none(bench: Any, fake: Any) -> None:
    rig = bench(fake(answers_512=False))
    assert ask(rig, connected(rig), "uptime") is None


def test_a_reboot_is_accepted(bench: Any, fake: Any) -> None:
    rig = bench(fake())
    ask(rig, connected(rig), "reboot")
    orders = [m for m in rig.vehicles[0].heard if m.get_type() == "COMMAND_LONG" and m.command == 246]
    assert [(m.param1, m.param2, m.param3, m.param4, m.param6) for m in orders] == [(1, 0, 0, 0, 0)]


def test_an_armed_vehicle_is_not_asked_to_reboot(bench: Any, fake: Any) -> None:
    rig = bench(fake(base_mode=209))
    with pytest.raises(Armed):
        ask(rig, connected(rig), "reboot")
    assert not [m for m in rig.vehicles[0].heard if m.get_type() == "COMMAND_LONG" and m.command == 246]


def test_a_refused_reboot_says_so(bench: Any, fake: Any) -> None:
    rig = bench(fake(reboot_result=4))
    with pytest.raises(VehicleError, match="failed"):
        ask(rig, connected(rig), "reboot")


def test_a_lost_acknowledgement_of_a_reboot_does_no_harm(bench: Any, fake: Any) -> None:
    rig = bench(fake(lose_reboot_ack=True))
    ask(rig, connected(rig), "reboot")
    assert rig.vehicles[0].gone


def test_a_link_that_drops_on_reboot_counts_as_rebooting(bench: Any, fake: Any) -> None:
    rig = bench(fake(lose_reboot_ack=True))
    driver = connected(rig)
    rig.cut_when_gone = True
    start = rig.time
    ask(rig, driver, "reboot")
    assert rig.time - start < 0.1


def test_a_reboot_order_that_gets_lost_is_given_again(bench: Any, fake: Any) -> None:
    vehicle = fake()
    original, lost = vehicle.on_command_long, [1]

    def lossy(m: Any, now: float) -> None:
        if m.command == 246 and lost:
            lost.clear()
            return
        original(m, now)

    vehicle.on_command_long = lossy
    rig = bench(vehicle)
    ask(rig, connected(rig), "reboot")
    assert vehicle.gone


def test_a_command_in_progress_is_waited_for(bench: Any, fake: Any) -> None:
    vehicle = fake()

    def slow(m: Any, now: float) -> None:
        vehicle.ack(m, 5, now)
        vehicle.ack(m, 0, now + 6.0)

    rig = bench(vehicle)
    driver = connected(rig)
    vehicle.on_command_long = slow
    assert rig.run(driver.codec, run_command(driver._conversation, 401)) == 0
    assert len([m for m in vehicle.heard if m.get_type() == "COMMAND_LONG" and m.command == 401]) == 1


def test_repeats_of_a_command_count_up_their_confirmation(bench: Any, fake: Any) -> None:
    vehicle = fake()
    rig = bench(vehicle)
    driver = connected(rig)
    vehicle.on_command_long = lambda m, now: vehicle.ack(m, 0, now) if m.confirmation == 2 else None
    assert rig.run(driver.codec, run_command(driver._conversation, 401)) == 0
    assert [m.confirmation for m in vehicle.heard if m.get_type() == "COMMAND_LONG" and m.command == 401] == [0, 1, 2]


def test_acknowledgements_for_another_station_are_not_ours(bench: Any, fake: Any) -> None:
    vehicle = fake()
    rig = bench(vehicle)
    driver = connected(rig)

    def other(m: Any, now: float) -> None:
        vehicle.put(mavlink.MAVLink_command_ack_message(m.command, 2, 0, 0, 250, 190), now)
        vehicle.ack(m, 0, now + 0.01)

    vehicle.on_command_long = other
    assert rig.run(driver.codec, run_command(driver._conversation, 401)) == 0
