"""Predicted bytes and seconds, beside the bytes that the real protocols carry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import apply, prepare
from dronekit_cfg.families.ardupilot.quirks import phase_of, protected
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model import Change, Kind, Origin, Phase, Result, Setting, Snapshot, Value, Verdict, Wanted
from dronekit_cfg.planner.cost import Line, choose_way, predict, read_cost
from dronekit_cfg.planner.plan import Goal
from dronekit_cfg.talk.mavlink_conversation import Conversation
from dronekit_cfg.talk.mavlink_params import read_by_index, write_bytes
from dronekit_cfg.wire.mavlink import MavlinkCodec

RADIO = Line.of_baud(57600)


@pytest.fixture(scope="module")
def copter() -> Snapshot:
    with connect(LinkOptions("sim:ardupilot-copter?fresh", family="ardupilot"), clock=VirtualClock()) as connection:
        return connection.snapshot()


def next_to(value: Value) -> Value:
    if value.kind is Kind.REAL32:
        return Value(value.kind, value.number * 1.05 + 0.05)
    return Value(value.kind, value.number + (10 if value.number < 100 else -10))


def changes_of(snapshot: Snapshot, count: int) -> list[Change]:
    groups = ("ATC_", "PSC_", "RC", "SERVO", "SIM_", "EK3_")
    usual = [s for s in snapshot.settings if phase_of(s.name) is Phase.SET and not protected(s.name)]
    chosen = [s for s in usual if s.name.startswith(groups) and not s.name.endswith(("_OPTION", "_FUNCTION"))]
    return [Change(s.name, s.value, next_to(s.value), Phase.SET) for s in chosen[:count]]


def test_the_frame_sizes_are_those_of_the_encoder() -> None:
    conversation: Any = Conversation(session=None, codec=MavlinkCodec(), system=1, component=1)  # type: ignore[arg-type]  # no clock needed
    assert len(write_bytes(conversation, "A" * 16, Value(Kind.REAL32, 0.0))) == 35
    assert len(read_by_index(conversation, 300)) <= 32
    line = Line(bytes_per_second=1e9, round_trip=0.0)
    one = choose_way("px4", [Change("X", Value(Kind.INT32, 1), Value(Kind.INT32, 2), Phase.SET)], {}, line).cost
    two = choose_way(
        "px4", [Change(n, Value(Kind.INT32, 1), Value(Kind.INT32, 2), Phase.SET) for n in "XY"], {}, line
    ).cost
    assert (two.up - one.up, two.down - one.down) == (35, 37)


@pytest.mark.parametrize("baud", [9600, 57600])
def test_a_download_costs_what_was_predicted(baud: int, copter: Snapshot) -> None:
    clock = VirtualClock()
    url = f"chaos+sim:ardupilot-copter?fresh&baud={baud}&latency=0.02"
    with connect(LinkOptions(url, family="ardupilot"), clock=clock) as connection:
        before, start = connection.runner.received, clock.now()
        connection.snapshot()
        size, seconds = connection.runner.received - before, clock.now() - start
    cost = read_cost("ardupilot", copter.settings, Line.of_baud(baud))
    assert cost is not None
    assert cost.down == pytest.approx(size, rel=0.03)
    assert cost.seconds == pytest.approx(seconds, rel=0.05)


def test_one_by_one_is_chosen_where_it_is_as_fast_and_one_file_where_that_saves_a_second(copter: Snapshot) -> None:
    few = choose_way("ardupilot", changes_of(copter, 40), copter.by_name, RADIO)
    assert not few.packed
    assert len(few.single) == 40
    many = choose_way("ardupilot", changes_of(copter, 450), copter.by_name, RADIO)
    assert len(many.packed) > 350
    assert len(many.packed) + len(many.single) == 450
    assert many.alternative is not None
    assert many.cost.seconds <= many.alternative.seconds - 1.0
    assert not choose_way("ardupilot", changes_of(copter, 450), copter.by_name, Line()).packed
    assert not choose_way("px4", changes_of(copter, 450), copter.by_name, RADIO).packed


def test_families_whose_protocol_is_not_modelled_get_no_number(copter: Snapshot) -> None:
    assert read_cost("elrs", copter.settings, RADIO) is None


def test_a_text_family_costs_its_lines() -> None:
    settings = [Setting("gyro_lpf1_static_hz", Value(Kind.TEXT, "250"))] * 100
    cost = read_cost("betaflight", settings, RADIO)
    assert cost is not None
    assert cost.down == 100 * (19 + 3 + 8)


def test_loss_makes_everything_dearer(copter: Snapshot) -> None:
    clean = read_cost("ardupilot", copter.settings, RADIO)
    lossy = read_cost("ardupilot", copter.settings, Line(RADIO.bytes_per_second, RADIO.round_trip, 0.2))
    assert clean is not None
    assert lossy is not None
    assert lossy.seconds == pytest.approx(clean.seconds * 1.25, rel=0.01)


@pytest.mark.parametrize("count", [60, 450])
def test_an_apply_over_a_slow_line_takes_what_was_predicted_and_everything_is_as_wanted(
    count: int, tmp_path: Path
) -> None:
    clock = VirtualClock()
    url = "chaos+sim:ardupilot-copter?fresh&baud=57600&latency=0.02&loss=0.01&seed=3"
    with connect(LinkOptions(url, family="ardupilot", speed=57600), clock=clock) as connection:
        snapshot = connection.snapshot()
        wanted = changes_of(snapshot, count)
        goal = Goal("x", "", tuple(Wanted(c.name, c.wanted.raw, Origin("x")) for c in wanted), known_state=True)
        prepared = prepare(connection, goal, StateDir(tmp_path))
        cost = predict(prepared.plan, prepared.snapshot, connection.session.line)
        receipt = apply(connection, goal, StateDir(tmp_path))
    assert cost is not None
    assert receipt.result is Result.DONE
    assert {record.verdict for record in receipt.records} == {Verdict.WRITTEN}
    assert all(record.wanted.same(record.after_reboot) for record in receipt.records)
    seconds = receipt.seconds - connection.rebooting
    assert cost.seconds == pytest.approx(seconds, rel=0.3)
