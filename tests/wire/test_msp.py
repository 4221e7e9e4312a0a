"""Framing of MSP, judged by what real firmware sent and by an independent CRC."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dronekit_cfg.wire.msp import Direction, MspDecoder, MspFrame, Noise, crc8_dvb_s2, encode, encode_reply

GOLDEN = Path(__file__).parents[1] / "golden"
SESSIONS = (
    "betaflight/4.6.0/session",
    "betaflight/2026.12.0-alpha/session",
    "inav/9.0.0/session",
    "inav/9.0.0/settings",
)


def golden(name: str) -> list[tuple[bytes, bytes]]:
    """Requests and replies as real firmware exchanged them."""
    pairs = json.loads((GOLDEN / f"{name}.json").read_text())
    return [(bytes.fromhex(p["msp"]), bytes.fromhex(p["reply"])) for p in pairs if "msp" in p]


def decode(*chunks: bytes) -> list[MspFrame | Noise]:
    decoder = MspDecoder()
    found = []
    for chunk in chunks:
        decoder.receive_data(chunk)
        while (event := decoder.next_event()) is not None:
            found.append(event)
    return found


def frames(*chunks: bytes) -> list[MspFrame]:
    return [event for event in decode(*chunks) if isinstance(event, MspFrame)]


def test_the_crc_is_dvb_s2() -> None:
    # The check value of CRC-8/DVB-S2 in Greg Cook's catalogue of parametrised CRC algorithms.
    assert crc8_dvb_s2(b"123456789") == 0xBC
    assert crc8_dvb_s2(b"56789", crc8_dvb_s2(b"1234")) == 0xBC


@pytest.mark.parametrize("name", SESSIONS)
def test_requests_are_built_as_they_were_sent_to_real_firmware(name: str) -> None:
    for request, _ in golden(name):
        (frame,) = frames(request)
        assert frame.direction is Direction.REQUEST
        assert encode(frame.code, frame.payload) == request


@pytest.mark.parametrize("name", SESSIONS)
def test_replies_of_real_firmware_are_found_whole_and_byte_by_byte(name: str) -> None:
    for request, reply in golden(name):
        (asked,) = frames(request)
        whole = decode(reply)
        assert whole == decode(*(bytes([b]) for b in reply))
        (frame,) = whole
        assert isinstance(frame, MspFrame)
        assert frame.code == asked.code
        assert frame.direction in (Direction.REPLY, Direction.REFUSAL)


def test_a_refusal_is_told_from_a_reply() -> None:
    # INAV 9.0.0 on COMMON_SETTING of an unknown name.
    assert decode(bytes.fromhex("2458210003100000d6")) == [MspFrame(0x1003, b"", Direction.REFUSAL, 2)]


def test_a_jumbo_reply_carries_its_size_in_two_more_bytes() -> None:
    payload = bytes(range(256)) + b"tail"
    raw = b"$M>\xff\x42" + len(payload).to_bytes(2, "little") + payload
    crc = 0
    for byte in raw[3:]:
        crc ^= byte
    assert frames(raw + bytes([crc])) == [MspFrame(0x42, payload)]
    assert encode_reply(0x42, payload) == raw + bytes([crc])


def test_replies_one_after_the_other_come_out_in_order() -> None:
    pairs = golden(SESSIONS[0])
    stream = b"".join(reply for _, reply in pairs)
    assert [f.code for f in frames(stream)] == [frames(request)[0].code for request, _ in pairs]


def test_noise_around_a_frame_is_kept_apart() -> None:
    reply = golden(SESSIONS[0])[0][1]
    assert decode(b"\r\n# hello" + reply + b"$")[0] == Noise(b"\r\n# hello")
    assert frames(b"$$M$X$" + reply) == frames(reply)


@pytest.mark.parametrize("place", [3, 4, 5, 8])
def test_a_damaged_frame_is_dropped_and_the_next_one_found(place: int) -> None:
    pairs = golden(SESSIONS[0])
    damaged = bytearray(pairs[0][1])
    damaged[place] ^= 0x10
    decoder = MspDecoder()
    decoder.receive_data(bytes(damaged) + pairs[1][1])
    decoder.give_up_half_frame()
    events = []
    while (event := decoder.next_event()) is not None:
        events.append(event)
    assert frames(pairs[1][1])[0] in events


def test_a_header_that_promises_more_than_comes_hides_nothing_for_ever() -> None:
    reply = golden(SESSIONS[0])[0][1]
    decoder = MspDecoder()
    decoder.receive_data(b"$X>\0\x03\x10\x00\x10" + reply)
    assert decoder.next_event() is None
    for _ in range(10):
        decoder.give_up_half_frame()
    found = []
    while (event := decoder.next_event()) is not None:
        found.append(event)
    assert frames(reply)[0] in found


def test_a_size_that_no_vehicle_sends_is_no_frame() -> None:
    assert not frames(b"$X>\0\x03\x10\xff\xff" + b"x" * 100)
    assert decode(b"$X>\0\x03\x10\xff\xff")[0] == Noise(b"$X>\0\x03\x10\xff\xff")


def test_a_truncated_frame_waits() -> None:
    reply = golden(SESSIONS[0])[3][1]
    for cut in range(1, len(reply)):
        assert not frames(reply[:cut])
    assert len(frames(reply)) == 1


def test_a_request_that_a_vehicle_would_drop_is_refused() -> None:
    assert len(encode(1, bytes(192))) == 198
    with pytest.raises(ValueError, match="192"):
        encode(1, bytes(193))
    with pytest.raises(ValueError):
        encode(70000)


def test_commands_above_254_go_out_as_v2() -> None:
    assert encode(254)[:2] == b"$M"
    assert encode(255)[:2] == b"$X"
    assert encode(0x1007, b"\0\0\0") == bytes.fromhex("24583c000710030000000035")


@given(st.lists(st.binary(max_size=60), max_size=12))
def test_no_bytes_crash_the_decoder_and_none_are_lost(chunks: list[bytes]) -> None:
    decoder = MspDecoder()
    size = 0
    for chunk in chunks:
        decoder.receive_data(chunk)
        decoder.give_up_half_frame()
    for _ in range(sum(map(len, chunks)) + 1):
        decoder.give_up_half_frame()
    while (event := decoder.next_event()) is not None:
        size += len(event.data) if isinstance(event, Noise) else _length(event)
    assert size == sum(map(len, chunks))


def _length(frame: MspFrame) -> int:
    return len(encode_reply(frame.code, frame.payload, version=frame.version))


@given(
    st.integers(0, 0xFFFF),
    st.binary(max_size=600),
    st.booleans(),
    st.binary(max_size=20).filter(lambda b: b"$" not in b),
    st.integers(1, 7),
)
def test_any_reply_survives_any_split(code: int, payload: bytes, ok: bool, noise: bytes, step: int) -> None:
    raw = noise + encode_reply(code, payload, ok=ok)
    (frame,) = frames(*(raw[i : i + step] for i in range(0, len(raw), step)))
    assert (frame.code, frame.payload, frame.direction is Direction.REPLY) == (code, payload, ok)
