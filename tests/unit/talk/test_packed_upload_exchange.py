"""The byte exchange of a packed upload, held to what was recorded from ArduCopter 4.7-dev."""

from __future__ import annotations

import json
from collections import deque
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.errors import Armed
from dronekit_cfg.families.ardupilot import packed
from dronekit_cfg.model import Change, Kind, Phase, Value, Verdict
from dronekit_cfg.talk.flow import Flow, Session
from dronekit_cfg.talk.mavlink_conversation import Conversation
from dronekit_cfg.wire.mavlink import MavlinkCodec, Message

GOLDEN = json.loads(
    (Path(__file__).parents[2] / "golden" / "ardupilot" / "packed-upload-4.7-dev.json").read_text(encoding="utf-8")
)
CHANGES = [Change(name, None, Value(Kind(kind), raw), Phase.SET) for name, kind, raw in GOLDEN["settings"]]


def file_message(payload: bytes) -> Message:
    fields = {"target_system": 255, "target_component": 190, "payload": payload + bytes(251 - len(payload))}
    return Message("FILE_TRANSFER_PROTOCOL", 1, 1, fields)


def heartbeat(*, armed: bool) -> Message:
    fields = {"type": 2, "autopilot": 3, "base_mode": 0x80 if armed else 0, "system_status": 3, "custom_mode": 0}
    return Message("HEARTBEAT", 1, 1, fields)


def acknowledgement() -> Message:
    return Message("COMMAND_ACK", 1, 1, {"command": 512, "result": 0, "target_system": 255, "target_component": 190})


def play(flow: Flow[Any], frames: list[list[str]], sent: list[str], *, armed: bool = False) -> Any:
    """Answer as the recorded vehicle did, each answer once what it answers was sent; `sent` takes what we sent."""
    decoder = MavlinkCodec()
    script = deque(frames)
    inbox: deque[Message] = deque()
    wait = next(flow)
    while True:
        decoder.receive_data(wait.send)
        while (message := decoder.next_event()) is not None:
            if message.name == "FILE_TRANSFER_PROTOCOL":
                payload: bytes = message["payload"]
                sent.append(payload[: 12 + payload[4]].hex())
                expect = script.popleft()
                assert armed or expect == ["up", sent[-1]]
            elif message.name == "COMMAND_LONG":
                sent.append(message.name)
                assert script.popleft() == ["up", "COMMAND_LONG"]
        while script and script[0][0] == "down" and (not armed or sent[-1][6:8] != "01"):
            _, what = script.popleft()
            known = {"COMMAND_ACK": acknowledgement(), "HEARTBEAT": heartbeat(armed=armed)}
            inbox.append(known[what] if what in known else file_message(bytes.fromhex(what)))
        try:
            event = inbox.popleft() if inbox and wait.until is not None else None
            wait = flow.send(event)
        except StopIteration as done:
            return done.value


@pytest.fixture
def conversation(monkeypatch: pytest.MonkeyPatch) -> Conversation:
    monkeypatch.setattr(packed, "block_size", lambda _: 80)
    clock = iter(range(1000))
    started = Session(lambda: next(clock) * 1e-3)
    return Conversation(started, MavlinkCodec(), system=1, component=1, ftp_sequence=100)


def test_an_upload_is_byte_for_byte_what_the_real_vehicle_took(conversation: Conversation) -> None:
    sent: list[str] = []
    outcomes = play(packed.write_bulk(conversation, CHANGES), GOLDEN["frames"], sent)
    assert sent == [frame for way, frame in GOLDEN["frames"] if way == "up"]
    # The vehicle applied all of it in the recording, but it told nothing: only reading back may call them written.
    assert {outcome.verdict for outcome in outcomes} == {Verdict.LOST}
    assert [outcome.name for outcome in outcomes] == [change.name for change in CHANGES]


def test_the_block_with_the_header_comes_after_all_others_and_after_the_arm_state() -> None:
    up = [frame for way, frame in GOLDEN["frames"] if way == "up"]
    offsets = [int.from_bytes(bytes.fromhex(f)[8:12], "little") for f in up if f != "COMMAND_LONG" and f[6:8] == "07"]
    assert offsets == [80, 160, 0]
    assert up.index("COMMAND_LONG") == len(up) - 3
    header = bytes.fromhex(up[-2])[12:18]
    assert header == b"\x1b\x67" + (16).to_bytes(2, "little") + (196).to_bytes(2, "little")


def test_a_vehicle_that_was_armed_meanwhile_gets_no_header_and_the_file_is_closed(conversation: Conversation) -> None:
    sent: list[str] = []
    with pytest.raises(Armed, match="nothing of it was applied"):
        play(packed.write_bulk(conversation, CHANGES), GOLDEN["frames"], sent, armed=True)
    operations = [(f[6:8], f[16:24]) for f in sent if f != "COMMAND_LONG"]
    assert operations[-1][0] == "01"
    assert ("07", "00000000") not in operations
    assert ("07", "50000000") in operations
