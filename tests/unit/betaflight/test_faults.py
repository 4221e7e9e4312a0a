"""What the drivers do when a vehicle misbehaves: nothing wrong is ever called done."""

from __future__ import annotations

from typing import Any

import pytest

from dronekit_cfg.engine.runner import Runner
from dronekit_cfg.errors import (
    Armed,
    DronekitError,
    LinkError,
    LinkGarbage,
    NoAnswer,
    Unsupported,
    VehicleError,
    WriteRefused,
)
from dronekit_cfg.families.betaflight.driver import BetaflightDriver
from dronekit_cfg.families.inav.driver import InavDriver
from dronekit_cfg.model import Kind, Value, Verdict
from dronekit_cfg.wire.msp import encode_reply

Make = Any
READING_LINES = {"betaflight": 10, "inav": 6}
"""Lines that the CLI takes for a snapshot: every command twice."""
FAMILIES = pytest.mark.parametrize("family", ["betaflight", "inav"])


@FAMILIES
def test_output_that_stalls_behind_a_prompt_is_waited_for(make_sim: Make, family: str) -> None:
    bench = make_sim(family, fault="stall:0.3")
    bench.identify()
    assert len(bench.snapshot().settings) > 840


@FAMILIES
def test_slow_replies_are_waited_for(make_sim: Make, family: str) -> None:
    bench = make_sim(family, fault="slow-reply:0.2")
    bench.identify()
    snapshot = bench.snapshot()
    assert all(o.ok for o in bench.write(snapshot, {"small_angle": 40}))


@FAMILIES
@pytest.mark.parametrize("seed", [str(n) for n in range(8)])
def test_lost_bytes_never_pass_for_a_value(make_sim: Make, family: str, seed: str) -> None:
    good = make_sim(family)
    good.identify()
    truth = good.snapshot()
    bench = make_sim(family, fault="lost-bytes:0.00002", seed=seed)
    try:
        bench.identify()
        snapshot = bench.snapshot()
    except (LinkError, VehicleError):
        return  # refusing to give a snapshot is right as well
    assert snapshot.settings == truth.settings


@FAMILIES
def test_an_error_amid_a_batch_forbids_the_save(make_sim: Make, family: str) -> None:
    bench = make_sim(family, fault=f"error-at:{READING_LINES[family] + 3}")
    bench.identify()
    snapshot = bench.snapshot()
    values = {"small_angle": 40, "rssi_channel": 3, "failsafe_delay": 5, "deadband": 4, "yaw_deadband": 4}
    outcomes = bench.write(snapshot, values)
    assert [o for o in outcomes if not o.ok]
    with pytest.raises(WriteRefused):
        bench.run(bench.driver.commit())
    bench.run(bench.driver.discard())
    bench.back()
    assert bench.snapshot().digest == snapshot.digest


@FAMILIES
def test_a_denied_setting_is_named(make_sim: Make, family: str) -> None:
    bench = make_sim(family, fault="deny:small_angle")
    bench.identify()
    (outcome,) = bench.write(bench.snapshot(), {"small_angle": 40})
    assert outcome.verdict is Verdict.DENIED


@FAMILIES
def test_a_reboot_amid_the_work_is_noticed(make_sim: Make, family: str) -> None:
    bench = make_sim(family, fault=f"reboot-mid:{READING_LINES[family] + 2}")
    bench.identify()
    snapshot = bench.snapshot()
    with pytest.raises(LinkError):
        bench.write(snapshot, {"small_angle": 40, "failsafe_delay": 5})
    bench.back()
    assert bench.snapshot().value("small_angle") == Value(Kind.UINT8, 25)


@FAMILIES
def test_a_save_that_lost_power_is_found_by_reading_back(make_sim: Make, family: str) -> None:
    bench = make_sim(family, fault="save-lost")
    bench.identify()
    bench.write(bench.snapshot(), {"small_angle": 40})
    with pytest.raises(LinkError):
        bench.run(bench.driver.commit())
    bench.back()
    assert bench.snapshot().value("small_angle") == Value(Kind.UINT8, 25)


@FAMILIES
def test_a_vehicle_that_stays_in_its_cli_is_told_again(make_sim: Make, family: str) -> None:
    bench = make_sim(family, fault="stays-in-cli")
    bench.identify()
    bench.snapshot()
    bench.run(bench.driver.discard())
    assert bench.back().family == family


@FAMILIES
def test_a_vehicle_without_a_cli_is_told_from_one_that_is_armed(make_sim: Make, family: str) -> None:
    bench = make_sim(family, fault="no-cli")
    bench.identify()
    with pytest.raises(Unsupported, match="no CLI"):
        bench.snapshot()
    armed = make_sim(family, fault="armed")
    armed.identify()
    assert armed.run(armed.driver.arm_state()).armed
    with pytest.raises(Armed):
        armed.snapshot()
    with pytest.raises(VehicleError, match="refuses to reboot"):
        armed.run(armed.driver.reboot())


@FAMILIES
def test_a_corrupted_configuration_is_no_snapshot(make_sim: Make, family: str) -> None:
    bench = make_sim(family, fault="corrupted")
    bench.identify()
    with pytest.raises(VehicleError, match="CORRUPTED CONFIG"):
        bench.snapshot()


def test_another_vehicle_after_the_reboot_has_another_identity(make_sim: Make) -> None:
    bench = make_sim(fault="wrong-uid-after-reboot")
    first = bench.identify()
    bench.run(bench.driver.reboot())
    assert first.differences(bench.back()) == ("uid",)


def test_a_slow_boot_is_waited_for(make_sim: Make) -> None:
    bench = make_sim(fault="slow-boot:9")
    bench.identify()
    bench.run(bench.driver.reboot())
    assert bench.back().family == "betaflight"


class Deaf:
    """A port on which something else talks, or nothing."""

    def __init__(self, *data: bytes) -> None:
        self.data = list(data)
        self.sent = b""

    def replace(self, bench: Any) -> Any:
        bench.runner.link = self
        self.clock = bench.clock
        return bench

    def write(self, data: bytes) -> None:
        self.sent += data

    def read(self, timeout: float) -> bytes:
        self.clock.sleep(timeout)
        return self.data.pop(0) if self.data else b""


HEARTBEAT = bytes.fromhex("fd09000001010100000000000000020351040393a1")


@pytest.mark.parametrize(
    ("port", "kind", "word"),
    [
        (Deaf(), NoAnswer, "neither MSP nor a CLI"),
        (Deaf(HEARTBEAT * 3, HEARTBEAT), LinkGarbage, "MAVLink"),
        (Deaf(b"\xf3\x81\x00" * 30, b"\x11" * 40), LinkGarbage, "neither"),
        (Deaf(encode_reply(1, b"")), LinkGarbage, "make no sense"),
        (Deaf(b"$GNGGA,1,2,3*4B\r\n" * 3), LinkGarbage, "neither"),
    ],
)
def test_a_port_that_is_no_flight_controller_is_told_apart(make_sim: Make, port: Deaf, kind: type, word: str) -> None:
    bench = port.replace(make_sim())
    with pytest.raises(kind, match=word) as caught:
        bench.run(bench.driver.identify())
    assert isinstance(caught.value, DronekitError)
    assert caught.value.hint
    assert b"R" not in port.sent  # to a vehicle in MSP mode that letter means "go to the bootloader"
    assert b"#" not in port.sent


@FAMILIES
def test_looking_at_a_vehicle_in_its_cli_names_it_and_leaves_what_is_staged_there(make_sim: Make, family: str) -> None:
    bench = make_sim(family)
    over_msp = bench.identify()
    bench.run(bench.driver.enter())
    bench.run(bench.driver.cli.line("set small_angle = 31"))
    bench.driver.forget()  # another program had opened that session
    bench.driver.look_only = True
    in_cli = bench.identify()
    assert (in_cli.family, in_cli.version, in_cli.board) == (family, over_msp.version, "SITL")
    assert (in_cli.uid, bench.driver.left_in_cli) == ("", True)
    bench.run(bench.driver.discard())  # what the engine does at the end of every command
    assert "small_angle = 31" in bench.run(cli_line(bench, "get small_angle"))


def cli_line(bench: Any, line: str) -> Any:
    yield from bench.driver.cli.enter(expect_open=True)
    return (yield from bench.driver.cli.line(line))


@FAMILIES
def test_looking_at_a_vehicle_of_the_other_family_in_its_cli_lets_that_family_answer(
    make_sim: Make, family: str
) -> None:
    bench = make_sim(family)
    bench.identify()
    bench.run(bench.driver.enter())
    other = {"betaflight": InavDriver, "inav": BetaflightDriver}[family](bench.driver.session)
    other.look_only = True
    with pytest.raises(LinkGarbage, match="does not run"):
        Runner(bench.link, other.codec, bench.clock).run(other.identify(), limit=60)


@FAMILIES
def test_a_cli_that_opens_late_is_entered_all_the_same(make_sim: Make, family: str) -> None:
    bench = make_sim(family)
    bench.identify()
    receive, held = bench.vehicle.receive, []

    def late(data: bytes, now: float) -> None:
        """A busy vehicle finds the `#` and the first marker in its buffer together, seconds later."""
        held.append(data)
        if len(held) == 3:
            receive(held[0] + held[1], now - 0.2)
            bench.vehicle.poll_inputs(now)
            bench.vehicle.receive = receive
            receive(data, now)

    bench.vehicle.receive = late
    bench.run(bench.driver.enter())
    assert len(held) == 3
    assert bench.driver.cli.open
    assert len(bench.snapshot().settings) > 840
