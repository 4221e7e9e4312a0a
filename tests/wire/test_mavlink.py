"""The MAVLink codec against recordings of real firmware and against pymavlink's own packer and parser."""

from __future__ import annotations

import json
import lzma
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from dronekit_cfg.wire.mavlink import BUFFER_LIMIT, MavlinkCodec, Message

GOLDEN = Path(__file__).parents[1] / "golden" / "ardupilot"
VERSIONS = ["4.5.6", "4.7-dev"]


def received(version: str) -> bytes:
    lines = lzma.decompress((GOLDEN / f"session-copter-{version}.jsonl.xz").read_bytes()).splitlines()
    records = (json.loads(line) for line in lines)
    return b"".join(bytes.fromhex(r["hex"]) for r in records if r["dir"] == "rx")


def drain(codec: MavlinkCodec) -> list[Message]:
    found = []
    while (message := codec.next_event()) is not None:
        found.append(message)
    return found


def decoded(data: bytes, codec: MavlinkCodec | None = None) -> list[Message]:
    codec = codec or MavlinkCodec()
    codec.receive_data(data)
    return drain(codec)


def plain(value: Any) -> Any:
    """Bring both decoders' ideas of arrays and texts together."""
    if isinstance(value, bytes | tuple | list):
        return list(value)
    return value


def by_pymavlink(data: bytes) -> list[tuple[str, int, int, dict[str, Any]]]:
    mav = mavlink.MAVLink(None)
    mav.robust_parsing = True
    good = [m for m in mav.parse_buffer(data) or [] if m.get_type() != "BAD_DATA"]
    return [
        (m.get_type(), m.get_srcSystem(), m.get_srcComponent(), {n: plain(getattr(m, n)) for n in m.get_fieldnames()})
        for m in good
    ]


def comparable(messages: list[Message]) -> list[tuple[str, int, int, dict[str, Any]]]:
    return [(m.name, m.system, m.component, {n: plain(v) for n, v in m.fields.items()}) for m in messages]


def sender(**options: Any) -> Any:
    return mavlink.MAVLink(None, srcSystem=1, srcComponent=1, **options)


def frames(count: int, mav: Any = None, *, v1: bool = False) -> list[bytes]:
    mav = mav or sender()
    made = []
    for i in range(count):
        name = f"NAME{i}".encode()
        made.append(mavlink.MAVLink_param_value_message(name, i * 1.5, 9, count, i).pack(mav, force_mavlink1=v1))
        mav.seq = (mav.seq + 1) % 256
    return made


@pytest.mark.parametrize("version", VERSIONS)
def test_a_recorded_session_decodes_as_pymavlink_decodes_it(version: str) -> None:
    data = received(version)
    codec = MavlinkCodec()
    assert comparable(decoded(data, codec)) == by_pymavlink(data)
    assert codec.counts.frames > 1500
    assert (codec.counts.bad_crc, codec.counts.unknown) == (0, 0)
    assert codec.counts.garbage > 100, "the boot text stands before the first frame"


@pytest.mark.parametrize("version", VERSIONS)
def test_the_split_of_the_bytes_does_not_matter(version: str) -> None:
    data = received(version)[:20000]
    whole = decoded(data)
    single = MavlinkCodec()
    one_by_one: list[Message] = []
    for byte in data:
        single.receive_data(bytes((byte,)))
        one_by_one += drain(single)
    assert one_by_one == whole
    rng = random.Random(5)
    pieces, at, codec = [], 0, MavlinkCodec()
    while at < len(data):
        size = rng.randint(1, 700)
        codec.receive_data(data[at : at + size])
        pieces += drain(codec)
        at += size
    assert pieces == whole


@pytest.mark.parametrize("v1", [False, True])
def test_half_a_frame_waits_for_the_rest(v1: bool) -> None:
    (frame,) = frames(1, v1=v1)
    for cut in range(1, len(frame)):
        codec = MavlinkCodec()
        assert decoded(frame[:cut], codec) == []
        (message,) = decoded(frame[cut:], codec)
        assert (message["param_id"], message.version) == ("NAME0", 1 if v1 else 2)


def test_a_frame_behind_garbage_and_before_garbage_is_found() -> None:
    frame = frames(1)[0]
    for junk in (b"\xfd", b"\xfe\x09", b"\xfd\xff\x00\x00\x00", b"Booting\n", b"\xfd" * 30, bytes(range(256))):
        found = decoded(junk + frame + junk + frames(1)[0] + bytes(300))
        assert [m["param_id"] for m in found] == ["NAME0", "NAME0"]


def test_a_single_damaged_byte_costs_at_most_its_own_frame() -> None:
    made = frames(6)
    for place in range(len(made[0]), len(made[0]) + len(made[1])):
        for mask in (0x01, 0x80, 0xFF):
            data = bytearray(b"".join(made) + bytes(280))
            data[place] ^= mask
            found = [m["param_id"] for m in decoded(bytes(data))]
            assert found == ["NAME0", "NAME2", "NAME3", "NAME4", "NAME5"], (place, mask)


def test_a_damaged_length_does_not_hold_back_the_frames_behind_it() -> None:
    for v1 in (False, True):
        first, second = frames(2, v1=v1)
        damaged = bytearray(first)
        damaged[1] = 255
        assert [m["param_id"] for m in decoded(bytes(damaged) + second)] == ["NAME1"]


def test_lost_bytes_in_the_middle_cost_only_frames_that_they_touch() -> None:
    rng = random.Random(11)
    for _ in range(200):
        made = frames(12)
        data = b"".join(made)
        start = rng.randrange(len(data) // 2)
        cut = data[:start] + data[start + rng.randint(1, 60) :] + bytes(300)
        touched = {i for i in range(12) if made[i] not in cut}
        assert [m["param_index"] for m in decoded(cut)] == [i for i in range(12) if i not in touched]


def test_noise_never_becomes_a_message() -> None:
    rng = random.Random(3)
    codec = MavlinkCodec()
    noise = bytes(rng.choice(b"\xfd\xfe\x00\x09\x15\x16\x01\xff") for _ in range(60000))
    assert decoded(noise, codec) == []
    assert not codec.counts.silent


def test_frames_of_unknown_messages_are_skipped_and_counted() -> None:
    unknown = bytes((0xFD, 3, 0, 0, 0, 1, 1, 0x39, 0x30, 0, 1, 2, 3, 9, 9))
    codec = MavlinkCodec()
    assert [m["param_id"] for m in decoded(frames(1)[0] + unknown + frames(1)[0], codec)] == ["NAME0", "NAME0"]
    assert codec.counts.unknown == 1


def test_silence_and_garbage_are_told_apart() -> None:
    codec = MavlinkCodec()
    silent = [codec.counts.silent]
    decoded(b"hello", codec)
    silent.append(codec.counts.silent)
    codec.reset()
    silent.append(codec.counts.silent)
    assert silent == [True, False, True]


def test_a_reset_forgets_half_a_frame() -> None:
    frame = frames(1)[0]
    codec = MavlinkCodec()
    codec.receive_data(frame[:20])
    codec.reset()
    assert decoded(frame[20:] + frame, codec)[0]["param_id"] == "NAME0"


def test_the_buffer_is_bounded() -> None:
    codec = MavlinkCodec()
    for _ in range(20):
        codec.receive_data(bytes(BUFFER_LIMIT // 4))
    codec.receive_data(frames(1)[0])
    assert len(codec._buffer) <= BUFFER_LIMIT + 100
    assert [m["param_id"] for m in drain(codec)] == ["NAME0"]


def examples() -> Iterator[tuple[str, dict[str, Any], Any]]:
    yield (
        "HEARTBEAT",
        {"type": 6, "autopilot": 8, "base_mode": 0, "custom_mode": 0, "system_status": 4, "mavlink_version": 3},
        mavlink.MAVLink_heartbeat_message(6, 8, 0, 0, 4, 3),
    )
    yield (
        "PARAM_SET",
        {
            "target_system": 1,
            "target_component": 1,
            "param_id": "SIXTEEN_CHARS_16",
            "param_value": 0.1,
            "param_type": 9,
        },
        mavlink.MAVLink_param_set_message(1, 1, b"SIXTEEN_CHARS_16", 0.1, 9),
    )
    yield (
        "PARAM_REQUEST_READ",
        {"target_system": 1, "target_component": 1, "param_id": "RTL_ALT", "param_index": -1},
        mavlink.MAVLink_param_request_read_message(1, 1, b"RTL_ALT", -1),
    )
    yield (
        "COMMAND_LONG",
        {"target_system": 1, "target_component": 1, "command": 512, "confirmation": 0, "param1": 148.0}
        | {f"param{i}": 0.0 for i in range(2, 8)},
        mavlink.MAVLink_command_long_message(1, 1, 512, 0, 148, 0, 0, 0, 0, 0, 0),
    )
    yield (
        "FILE_TRANSFER_PROTOCOL",
        {"target_network": 0, "target_system": 1, "target_component": 1, "payload": bytes(range(40))},
        mavlink.MAVLink_file_transfer_protocol_message(0, 1, 1, [*range(40), *[0] * 211]),
    )
    yield (
        "GPS_INJECT_DATA",
        {"target_system": 0, "target_component": 0, "len": 0, "data": b""},
        mavlink.MAVLink_gps_inject_data_message(0, 0, 0, [0] * 110),
    )


@pytest.mark.parametrize(("name", "fields", "theirs"), [*examples()], ids=lambda x: x if isinstance(x, str) else "")
@pytest.mark.parametrize("sequence", [0, 255])
def test_what_we_send_is_what_pymavlink_would_send(
    name: str, fields: dict[str, Any], theirs: Any, sequence: int
) -> None:
    codec = MavlinkCodec(system=255, component=190)
    mav = mavlink.MAVLink(None, srcSystem=255, srcComponent=190)
    for _ in range(sequence):
        codec.encode("PARAM_REQUEST_LIST", target_system=1, target_component=1)
    mav.seq = sequence
    assert codec.encode(name, **fields) == theirs.pack(mav)


@pytest.mark.parametrize(("name", "fields", "theirs"), [*examples()], ids=lambda x: x if isinstance(x, str) else "")
def test_mavlink_1_is_sent_to_those_who_speak_nothing_else(name: str, fields: dict[str, Any], theirs: Any) -> None:
    codec = MavlinkCodec(system=255, component=190)
    codec.outgoing_version = 1
    mav = mavlink.MAVLink(None, srcSystem=255, srcComponent=190)
    assert codec.encode(name, **fields) == theirs.pack(mav, force_mavlink1=True)


def test_extension_fields_are_not_sent_in_mavlink_1() -> None:
    codec = MavlinkCodec()
    codec.outgoing_version = 1
    frame = codec.encode("COMMAND_ACK", command=512, result=0, target_system=255)
    assert frame[1] == 3
    assert decoded(frame)[0]["target_system"] == 0


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("NO_SUCH_MESSAGE", {}),
        ("PARAM_REQUEST_LIST", {"target_system": 1}),
        ("PARAM_REQUEST_LIST", {"target_system": 1, "target_component": 1, "color": 3}),
        ("PARAM_REQUEST_LIST", {"target_system": 256, "target_component": 1}),
        (
            "PARAM_REQUEST_READ",
            {"target_system": 1, "target_component": 1, "param_id": "SEVENTEEN_CHARS_X", "param_index": -1},
        ),
        (
            "FILE_TRANSFER_PROTOCOL",
            {"target_network": 0, "target_system": 1, "target_component": 1, "payload": bytes(252)},
        ),
    ],
)
def test_messages_that_do_not_fit_are_refused(name: str, fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        MavlinkCodec().encode(name, **fields)


def test_the_heartbeat_of_a_ground_station_is_what_pymavlink_packs() -> None:
    ours = MavlinkCodec(254, 190)
    theirs = mavlink.MAVLink(None, srcSystem=254, srcComponent=190)
    message = mavlink.MAVLink_heartbeat_message(
        mavlink.MAV_TYPE_GCS, mavlink.MAV_AUTOPILOT_INVALID, 0, 0, mavlink.MAV_STATE_ACTIVE, 3
    )
    assert ours.station_heartbeat() == bytes(message.pack(theirs))
