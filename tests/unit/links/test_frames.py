from __future__ import annotations

import random

import pytest
from pymavlink.dialects.v20 import common as mavlink  # an independent packer

from dronekit_cfg.links.frames import PIECE, FrameSplitter, pack


def _frames() -> list[bytes]:
    """Frames of both versions and a signed one, as pymavlink packs them."""
    writer = mavlink.MAVLink(None, srcSystem=1, srcComponent=1)
    beat = writer.heartbeat_encode(2, 3, 0, 0, 4)
    text = writer.statustext_encode(6, b"PreArm: check the 0xFD and 0xFE bytes \xfd\xfe")
    frames = [beat.pack(writer), text.pack(writer), beat.pack(writer, force_mavlink1=True)]
    frames.append(text.pack(writer, force_mavlink1=True))
    writer.signing.secret_key = bytes(32)
    writer.signing.sign_outgoing = True
    writer.signing.timestamp = 1
    frames.append(beat.pack(writer))
    return [bytes(frame) for frame in frames]


def test_frames_of_an_independent_packer_are_found_in_any_split() -> None:
    frames = _frames()
    assert {frame[0] for frame in frames} == {0xFD, 0xFE}
    assert len(frames[-1]) == len(frames[0]) + 13
    stream = b"".join(frames)
    for step in (1, 2, 3, 7, 50, len(stream)):
        splitter = FrameSplitter()
        units = [u for i in range(0, len(stream), step) for u in splitter.feed(stream[i : i + step])]
        assert units == frames
        assert splitter.pending == 0


def test_text_between_frames_is_cut_off_from_them() -> None:
    frame = bytes.fromhex("fd09000000ffbe0000000000000006080004033d48")
    assert FrameSplitter().feed(b"Init ArduCopter\n" + frame + b"done\n" + frame) == [
        b"Init ArduCopter\n", frame, b"done\n", frame,
    ]  # fmt: skip


def test_other_protocols_are_cut_into_pieces_of_64_bytes() -> None:
    text = b"set gps_provider = UBLOX\r\n" * 7
    units = FrameSplitter().feed(text)
    assert [len(u) for u in units] == [64, 64, len(text) - 128]
    assert b"".join(units) == text


def test_a_frame_that_never_gets_complete_is_given_out_by_flush() -> None:
    splitter = FrameSplitter()
    assert splitter.feed(b"\xfd\xff\x00" + b"x" * 100) == []
    assert splitter.pending == 103
    assert [len(u) for u in splitter.flush()] == [64, 39]
    assert splitter.pending == 0


@pytest.mark.parametrize("seed", range(20))
def test_no_byte_is_lost_or_changed_whatever_the_stream_is(seed: int) -> None:
    rng = random.Random(seed)
    stream = bytes(rng.choice((0xFD, 0xFE, 0, 1, 9, rng.randrange(256))) for _ in range(3000))
    splitter = FrameSplitter()
    units: list[bytes] = []
    at = 0
    while at < len(stream):
        step = rng.randrange(1, 300)
        units += splitter.feed(stream[at : at + step])
        at += step
        assert splitter.pending < 300
    units += splitter.flush()
    assert b"".join(units) == stream
    assert all(len(u) <= PIECE or u[0] in (0xFD, 0xFE) for u in units)


def test_datagrams_never_cut_a_frame() -> None:
    frames = _frames() * 20
    parts = pack(b"".join(frames), 200)
    assert b"".join(parts) == b"".join(frames)
    assert all(len(part) <= 200 for part in parts)
    borders = {0}
    for frame in frames:
        borders.add(max(borders) + len(frame))
    at = 0
    for part in parts:
        at += len(part)
        assert at in borders
    assert pack(b"", 200) == []
    assert pack(b"short", 200) == [b"short"]
