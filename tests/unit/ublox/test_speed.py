"""The speed of a receiver's port: changed last with the link following, found where it is not known."""

from __future__ import annotations

from typing import Any

import pytest

from dronekit_cfg.engine.goals import goal_from_snapshot
from dronekit_cfg.engine.recover import recover
from dronekit_cfg.engine.transaction import ApplyOptions, apply
from dronekit_cfg.errors import LinkGarbage, NoAnswer
from dronekit_cfg.families.ublox.keys import BAUD
from dronekit_cfg.formats.compose import resolve
from dronekit_cfg.formats.library import Library
from dronekit_cfg.model import Change, Kind, Phase, Result, Value, Verdict
from dronekit_cfg.sim.link import MemoryLink

Bench = Any  # the fixture's class lives in conftest, which cannot be imported


@pytest.mark.parametrize("generation", ["m8", "m9", "f9", "m10"])
def test_the_link_follows_a_change_of_the_speed_and_comes_back_with_it(
    bench: Bench, twin: Any, generation: str
) -> None:
    with bench.connect(f"sim:ublox-{generation}") as connection:
        before = connection.snapshot()
        receiver = twin(connection)
        receipt = apply(connection, bench.goal_of({BAUD: 230400, "CFG-RATE-MEAS": 200}), bench.state, ApplyOptions())
        assert (receipt.result, receipt.problems) == (Result.DONE, ())
        assert receipt.persistence_verified
        assert [r.name for r in receipt.records][-1] == BAUD
        assert receiver.host_baud == receiver.ram[0x40520001] == 230400
        back = apply(connection, goal_from_snapshot(before, connection.identity), bench.state)
        assert back.result is Result.DONE
        assert receiver.host_baud == receiver.ram[0x40520001] == before.value(BAUD).number


def test_a_link_without_a_speed_is_told_and_nothing_is_changed(
    bench: Bench, twin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bench.connect("sim:ublox-f9") as connection:
        monkeypatch.setattr(MemoryLink, "set_baud", lambda *_: False)
        receipt = apply(connection, bench.goal_of({BAUD: 115200}), bench.state)
        assert receipt.result is Result.ROLLED_BACK
        assert any("cannot change its speed" in p for p in receipt.problems)
        assert twin(connection).ram[0x40520001] == 38400


@pytest.mark.parametrize("host", [9600, 115200, 460800])
def test_a_receiver_at_an_unknown_speed_is_found_by_listening(bench: Bench, twin: Any, host: int) -> None:
    with bench.connect(f"sim:ublox-m10?host={host}") as connection:
        assert connection.identity.vehicle == "m10"
        assert twin(connection).host_baud == 38400


def test_a_receiver_that_says_nothing_by_itself_is_asked_at_every_speed(
    bench: Bench, twin: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dronekit_cfg.families.ublox.simulated._NMEA", b"")
    with bench.connect("sim:ublox-f9?baud=921600&host=38400") as connection:
        assert twin(connection).host_baud == 921600


def test_nothing_is_sent_at_a_speed_before_all_were_listened_to(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[int] = []
    write = MemoryLink.write

    def spy(self: MemoryLink, data: bytes) -> None:
        heard.append(self.baud)
        write(self, data)

    monkeypatch.setattr(MemoryLink, "write", spy)
    with bench.connect("sim:ublox-f9?baud=115200&host=9600") as connection:
        assert connection.identity.vehicle == "f9"
    assert set(heard) == {9600, 115200}  # what the user named, and what was heard


def test_a_port_with_nothing_behind_it_keeps_its_speed_and_says_what_it_is(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dronekit_cfg.families.ublox.simulated.Receiver._take", lambda *_: None)
    monkeypatch.setattr("dronekit_cfg.families.ublox.simulated._NMEA", b"")
    with pytest.raises(NoAnswer, match="0A 04"), bench.connect("sim:ublox-f9"):
        pass
    monkeypatch.setattr("dronekit_cfg.families.ublox.simulated._NMEA", b"hello\r\n")
    with pytest.raises(LinkGarbage), bench.connect("sim:ublox-f9"):
        pass


def test_power_lost_between_two_memories_leaves_neither_half_written(bench: Bench, twin: Any) -> None:
    with bench.connect("sim:ublox-f9?fault=torn:1") as connection:
        receipt = apply(connection, bench.goal_of({"CFG-NAVSPG-DYNMODEL": 8, "CFG-RATE-MEAS": 200}), bench.state)
        assert (receipt.result, receipt.problems) == (Result.DONE, ())
        stored = twin(connection).memory.values
        for layer in ("bbr", "flash"):
            assert (stored[f"{layer}/CFG-NAVSPG-DYNMODEL"], stored[f"{layer}/CFG-RATE-MEAS"]) == (8, 200)


@pytest.mark.parametrize("fault", ["torn:1", "torn:2", "reboot-mid:2", "mute-after:2"])
def test_power_lost_around_the_change_of_the_speed_ends_in_one_of_both_states(
    bench: Bench, twin: Any, fault: str
) -> None:
    goal = bench.goal_of({BAUD: 115200, "CFG-RATE-MEAS": 200})
    with bench.connect(f"sim:ublox-f9?fault={fault}") as connection:
        result = apply(connection, goal, bench.state).result
    with bench.connect("sim:ublox-f9?host=38400") as connection:
        if result is Result.IN_DOUBT:
            receipt = recover(connection, bench.state)
            assert receipt is not None
            result = receipt.result
        found = connection.values([BAUD, "CFG-RATE-MEAS"])
    numbers = (found[BAUD].number, found["CFG-RATE-MEAS"].number)
    assert numbers == ((115200, 200) if result is Result.DONE else (38400, 1000))


def test_that_a_receiver_has_no_flash_stands_in_the_receipt(bench: Bench) -> None:
    for generation, said in (("m10", 1), ("f9", 0)):
        with bench.connect(f"sim:ublox-{generation}") as connection:
            receipt = apply(connection, bench.goal_of({"CFG-RATE-MEAS": 200}), bench.state)
            assert receipt.result is Result.DONE
            assert len([n for n in receipt.notes if "no flash" in n and "battery" in n]) == said


def test_the_speed_is_one_that_receivers_know(bench: Bench) -> None:
    with bench.connect("sim:ublox-f9") as connection:
        assert connection.driver.coerce(BAUD, 115200, None) == Value(Kind.UINT32, 115200)
        with pytest.raises(ValueError, match="921600"):
            connection.driver.coerce(BAUD, 100000, None)


def test_a_resilient_profile_is_written_and_read_back_within_a_second_at_115200(bench: Bench) -> None:
    for generation in ("m9", "f9", "m10"):
        with bench.connect(f"sim:ublox-{generation}?baud=115200") as connection:
            snapshot = connection.snapshot()
            wanted = resolve("base/ublox+gnss-ublox-resilient", Library(), family="ublox")
            changes = []
            for item in wanted.settings:
                old = snapshot.by_name.get(item.name)
                if old is None:
                    continue
                value = connection.driver.coerce(item.name, item.value, old)
                if not value.same(old.value):
                    changes.append(Change(item.name, old.value, value, Phase.SET))
            start = bench.clock.now()
            outcomes = connection.run(connection.driver.write(changes))
            assert bench.clock.now() - start <= 1.0
            assert len(changes) >= 5
            assert {o.verdict for o in outcomes} == {Verdict.WRITTEN}
