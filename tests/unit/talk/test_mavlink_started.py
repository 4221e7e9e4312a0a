"""A vehicle that is still starting is not read; whether it is is asked once for each opening of the link."""

from __future__ import annotations

from typing import Any

from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.talk.flow import Session
from dronekit_cfg.talk.mavlink_conversation import Conversation
from dronekit_cfg.wire.mavlink import MavlinkCodec, Message

REQUEST_MESSAGE = 512


def test_a_second_read_does_not_ask_again_and_one_after_a_reboot_does() -> None:
    clock = VirtualClock()
    asked: list[float] = []
    with connect(LinkOptions("sim:ardupilot-copter?fresh", family="ardupilot"), clock=clock) as connection:
        codec: Any = connection.driver.codec
        encode = codec.encode

        def spy(name: str, *first: bytes, **values: Any) -> bytes:
            if name == "COMMAND_LONG" and values["command"] == REQUEST_MESSAGE and values["param1"] == 0:
                asked.append(clock.now())
            frame: bytes = encode(name, *first, **values)
            return frame

        codec.encode = spy
        connection.snapshot()
        assert len(asked) == 1
        connection.snapshot()
        assert len(asked) == 1
        connection.reboot()
        asked.clear()
        connection.snapshot()
        assert asked


def test_a_heartbeat_of_a_vehicle_that_starts_again_makes_it_unready() -> None:
    conversation = Conversation(Session(lambda: 0.0), MavlinkCodec(), system=1, component=1, ready=True)
    fields = {"type": 2, "autopilot": 3, "base_mode": 0, "custom_mode": 0}
    conversation._is_ours(Message("HEARTBEAT", 1, 1, {**fields, "system_status": 3}))
    assert conversation.ready
    conversation._is_ours(Message("HEARTBEAT", 1, 1, {**fields, "system_status": 1}))
    assert not conversation.ready
