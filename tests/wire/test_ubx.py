"""UBX framing and messages, compared with frames that pyubx2 built."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dronekit_cfg.wire.ubx import UbxCodec, UbxFrame, encode
from dronekit_cfg.wire.ubx_messages import (
    CFG_RST,
    MON_VER,
    NAV_STATUS,
    SEC_UNIQID,
    VALGET,
    VALSET,
    key_size,
    parse_status_uptime,
    parse_uniqid,
    parse_valget,
    parse_version,
    reset_payload,
    valget_payload,
    valset_payload,
)

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parents[1] / "golden" / "ublox" / "pyubx2.json").read_text())
FRAMES: dict[str, Any] = GOLDEN["frames"]
KEYS: dict[str, list[Any]] = GOLDEN["keys"]


def decode(data: bytes) -> list[UbxFrame]:
    codec = UbxCodec()
    codec.receive_data(data)
    found = []
    while (frame := codec.next_event()) is not None:
        found.append(frame)
    return found


def payload_of(name: str) -> bytes:
    (frame,) = decode(bytes.fromhex(FRAMES[name]))
    return frame.payload


def test_polls_are_the_bytes_that_pyubx2_builds() -> None:
    for kind, name in ((MON_VER, "mon_ver_poll"), (SEC_UNIQID, "sec_uniqid_poll"), (NAV_STATUS, "nav_status_poll")):
        assert encode(*kind).hex() == FRAMES[name]
    assert encode(*CFG_RST, reset_payload()).hex() == FRAMES["reset"]


@pytest.mark.parametrize("name", ["valset", "valset_negative"])
def test_valset_is_the_bytes_that_pyubx2_builds(name: str) -> None:
    facts = FRAMES[name]
    raw = {KEYS[n][0]: v % (1 << 8 * key_size(KEYS[n][0])) for n, v in facts["values"].items()}
    assert encode(*VALSET, valset_payload(facts["layers"], raw)).hex() == facts["hex"]
    assert parse_valget(valset_payload(facts["layers"], raw))[1] == raw


def test_valget_is_the_bytes_that_pyubx2_builds() -> None:
    facts = FRAMES["valget"]
    asked = valget_payload(facts["layer"], [KEYS[n][0] for n in facts["keys"]])
    assert encode(*VALGET, asked).hex() == facts["hex"]


def test_versions_are_read() -> None:
    version = parse_version(payload_of("mon_ver"))
    assert (version.generation, version.firmware, version.protocol) == ("f9", "HPG 1.32", "27.31")
    assert version.module == "ZED-F9P"
    assert parse_status_uptime(payload_of("nav_status")) == 123.456


@pytest.mark.parametrize(
    ("software", "hardware", "generation"),
    [
        ("EXT CORE 3.01 (107900)", "00080000", "m8"),
        ("EXT CORE 4.04 (7f89f7)", "00190000", "m9"),
        ("EXT CORE 1.00 (500086)", "00190000", "f9"),
        ("ROM SPG 5.10 (7b202e)", "000A0000", "m10"),
        ("ROM SPG 9.99", "000B0000", ""),
    ],
)
def test_generations_are_told_apart(software: str, hardware: str, generation: str) -> None:
    payload = software.encode().ljust(30, b"\0") + hardware.encode().ljust(10, b"\0")
    assert parse_version(payload).generation == generation


@pytest.mark.parametrize(
    "read", [parse_version, parse_uniqid, parse_status_uptime, parse_valget], ids=lambda f: str(f.__name__)
)
def test_messages_that_are_cut_short_are_refused(read: Any) -> None:
    for length in range(4):
        with pytest.raises(ValueError):
            read(bytes(length))
    with pytest.raises(ValueError, match="half"):
        parse_valget(bytes(4) + (0x20110021).to_bytes(4, "little"))


def test_frames_are_found_in_any_split_amid_nmea_and_damage() -> None:
    good = bytes.fromhex(FRAMES["ack"])
    damaged = good[:6] + bytes([good[6] ^ 1]) + good[7:]
    stream = b"$GNGGA,,*56\r\n" + good + damaged + b"\xb5" + good + b"\xb5\x62\x01\x07\xff\xff" + good
    for size in (1, 2, 3, 7, len(stream)):
        codec = UbxCodec()
        found = []
        for start in range(0, len(stream), size):
            codec.receive_data(stream[start : start + size])
            while (frame := codec.next_event()) is not None:
                found.append(frame)
        assert found == [UbxFrame(5, 1, b"\x06\x8a")] * 3
        assert codec.heard


def test_noise_is_kept_to_tell_what_is_on_the_port_and_stays_bounded() -> None:
    codec = UbxCodec()
    for _ in range(200):
        codec.receive_data(b"$GNRMC,,V,,,,,,,,,,N,V*37\r\n")
    assert b"$GNRMC" in codec.noise
    assert len(codec.noise) <= 256
    assert not codec.heard


@given(st.binary(max_size=600))
def test_no_bytes_break_the_codec_and_a_frame_behind_them_is_found_in_the_end(data: bytes) -> None:
    good = bytes.fromhex(FRAMES["ack"])
    codec = UbxCodec()
    codec.receive_data(data)
    # A damaged length may swallow what follows, at most the longest frame.
    codec.receive_data(good * 900)
    last = None
    while (frame := codec.next_event()) is not None:
        last = frame
    assert last == UbxFrame(5, 1, b"\x06\x8a")


def test_a_flipped_bit_never_gives_a_frame() -> None:
    random = Random(1)
    good = encode(*VALSET, valset_payload(7, {0x30210001: 200}))
    for _ in range(300):
        place = random.randrange(2, len(good))
        bad = bytearray(good)
        bad[place] ^= 1 << random.randrange(8)
        assert decode(bytes(bad)) == []
