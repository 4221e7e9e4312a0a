"""What is learnt by listening: loss from holes in the numbering, damage, other stations, lists of others."""

from __future__ import annotations

from typing import Any

import pytest

from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.events import Note
from dronekit_cfg.families.mavlink import MavlinkDriver
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model import Change, Kind, Phase, Value, Verdict
from dronekit_cfg.talk.flow import Session, Wait
from dronekit_cfg.talk.mavlink_conversation import Conversation
from dronekit_cfg.talk.mavlink_ftp import BLOCK, BLOCK_SLOW, block_size
from dronekit_cfg.talk.mavlink_watch import LinkWatch
from dronekit_cfg.talk.mavlink_write import write_values
from dronekit_cfg.wire.mavlink import MavlinkCodec, Message


def frame(sequence: int, name: str = "ATTITUDE", **fields: Any) -> Message:
    return Message(name, 1, 1, fields, payload=bytes(28), sequence=sequence)


def test_holes_in_the_numbering_are_losses_and_repeats_and_restarts_are_none() -> None:
    watch = LinkWatch()
    for sequence in (250, 251, 253, 255, 0, 3, 3, 2, 4, 200, 201):
        watch.vehicle(frame(sequence), 1.0)
    assert watch.missed == 1 + 1 + 2
    assert watch.received == 8
    assert watch.loss == pytest.approx(4 / 12)


def test_blocks_are_small_only_where_long_frames_suffer() -> None:
    conversation = Conversation(Session(lambda: 0.0), MavlinkCodec(), system=1, component=1)
    assert block_size(conversation) == BLOCK == 239
    assert block_size(conversation, slow=True) == BLOCK_SLOW == 80
    for sequence in range(0, 200, 2):  # every second frame of 40 bytes is lost: 1/40 of all bytes ruins its frame
        conversation.watch.vehicle(frame(sequence), 1.0)
    assert block_size(conversation) == 80


@pytest.mark.parametrize(("fault", "block"), [("loss=0.02", 239), ("ber=0.00002", 239), ("ber=0.0004", 80)])
def test_the_block_follows_the_damage_that_was_measured(fault: str, block: int) -> None:
    url = f"chaos+sim:ardupilot-copter?fresh&baud=57600&latency=0.02&{fault}&seed=1"
    with connect(LinkOptions(url, family="ardupilot"), clock=VirtualClock()) as connection:
        connection.snapshot()
        assert isinstance(connection.driver, MavlinkDriver)
        assert block_size(connection.driver.conversation) == block


def value(index: int, name: str = "X") -> Message:
    fields = {"param_id": name, "param_value": 1.0, "param_type": 9, "param_count": 900, "param_index": index}
    return Message("PARAM_VALUE", 1, 1, fields)


def test_settings_that_px4_tells_again_are_no_list_but_a_list_is() -> None:
    """PX4 sends every setting that is not stored yet again, in the order of its list."""
    watch = LinkWatch(announces=True)
    for index in range(300, 360):
        watch.vehicle(value(index), 1.0)
    assert not watch.listed_to_another(1.0)
    for index in range(30):
        watch.vehicle(value(index), 2.0)
    assert watch.listed_to_another(2.0)


def test_a_list_that_somebody_else_reads_is_noticed_and_our_own_probes_are_no_list() -> None:
    watch = LinkWatch()
    for probe in range(200):
        watch.vehicle(value(probe % 8), 1.0)
    assert not watch.listed_to_another(1.0)
    for index in (5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18, 19, 20):  # with two lost ones
        watch.vehicle(value(index), 2.0)
    assert watch.listed_to_another(2.5)
    assert not watch.listed_to_another(4.0)


def test_writes_wait_until_another_stations_list_is_over_and_the_station_is_named() -> None:
    now = 100.0
    events: list[Any] = []
    conversation = Conversation(Session(lambda: now, events.append), MavlinkCodec(), system=1, component=1)
    gcs = Message("HEARTBEAT", 254, 190, {"type": 6, "autopilot": 8, "base_mode": 0, "system_status": 4})
    assert not conversation._is_ours(gcs)
    for index in range(100, 120):
        conversation._is_ours(value(index))
    change = Change("ATC_X", Value(Kind.REAL32, 1.0), Value(Kind.REAL32, 2.0), Phase.SET)
    flow = write_values(conversation, [change])
    wait: Wait = next(flow)
    assert wait.send == b""
    for index in range(120, 130):
        now += 0.2
        wait = flow.send(value(index))
        assert wait.send == b""
    (note,) = (e.text for e in events if isinstance(e, Note))
    assert "254:190 reads all settings" in note
    while not wait.send:
        now += 0.3
        wait = flow.send(None)
    assert now == pytest.approx(102.0 + 1.5, abs=0.4)
    with pytest.raises(StopIteration) as done:
        flow.send(Message("PARAM_VALUE", 1, 1, {**value(65535, "ATC_X").fields, "param_value": 2.0}))
    assert done.value.value[0].verdict is Verdict.WRITTEN
