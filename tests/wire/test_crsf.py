"""CRSF frames and parameters: against vectors of the ExpressLRS sources and values computed by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dronekit_cfg.wire.crsf import CrsfCodec, CrsfFrame, EntryType, encode, parse_device, parse_entry
from dronekit_cfg.wire.msp import crc8_dvb_s2

PING = bytes.fromhex("c8042800ea54")
"""A broadcast ping of a handset, from the facts that were collected for this project."""


def decode(data: bytes, size: int = 1000) -> list[CrsfFrame]:
    codec = CrsfCodec()
    found = []
    for start in range(0, len(data), size):
        codec.receive_data(data[start : start + size])
        while (frame := codec.next_event()) is not None:
            found.append(frame)
    return found


def test_the_checksum_is_that_of_dvb_s2() -> None:
    assert crc8_dvb_s2(b"123456789") == 0xBC  # check value of CRC-8/DVB-S2 in the catalogue of CRC algorithms


def test_a_ping_is_the_known_bytes() -> None:
    assert encode(CrsfFrame(0x28, 0x00, 0xEA)) == PING
    assert decode(PING) == [CrsfFrame(0x28, 0x00, 0xEA)]


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_frames_are_found_in_any_split_amid_telemetry_and_damage(size: int) -> None:
    telemetry = bytes([0xC8, 0x04, 0x14, 1, 2]) + bytes([crc8_dvb_s2(bytes([0x14, 1, 2]))])
    damaged = PING[:-1] + b"\0"
    stream = b"\x55" + PING + telemetry + damaged + PING + b"\xc8\xff" + PING
    assert decode(stream, size) == [CrsfFrame(0x28, 0x00, 0xEA)] * 3


def test_a_frame_that_is_too_long_is_never_sent() -> None:
    assert len(encode(CrsfFrame(0x2D, 0xEE, 0x10, bytes(58)))) == 64
    with pytest.raises(ValueError, match="too long"):
        encode(CrsfFrame(0x2D, 0xEE, 0x10, bytes(59)))


def test_device_info_is_read() -> None:
    device = parse_device(b"RadioMaster Ranger\0ELRS" + bytes(4) + bytes([0, 3, 5, 1]) + bytes([27, 0]))
    assert (device.name, device.serial, device.software, device.count) == ("RadioMaster Ranger", b"ELRS", 0x030501, 27)
    with pytest.raises(ValueError, match="short"):
        parse_device(b"x\0ELRS")


def test_entries_are_read_by_type() -> None:
    entry = parse_entry(1, b"\6\x09Dynamic\0Off;Dyn;;AUX9\0\1\0\3\0mW\0and more")
    assert (entry.parent, entry.type, entry.options, entry.value, entry.unit) == (
        6,
        EntryType.SELECTION,
        ("Off", "Dyn", "", "AUX9"),
        1,
        "mW",
    )
    hidden = parse_entry(2, b"\0\x80Channel\0\4\1\x08\1\0")
    assert (hidden.hidden, hidden.value, hidden.low, hidden.high) == (True, 4, 1, 8)
    wide = parse_entry(3, b"\0\3Trim\0\xff\xfe\xff\x00\x01\x00\x00\x00us\0")
    assert (wide.value, wide.low, wide.high, wide.unit) == (-2, -256, 256, "us")
    assert parse_entry(4, b"\0\x0c4.0.0 ISM2G4\0a1b2c3\0").value == "a1b2c3"
    assert parse_entry(5, b"\0\x0dBind\0\0\xc8\0").type is EntryType.COMMAND


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"\0\x09", b"\0\x09Rate\0a;b", b"\0\x09Rate\0a;b\0\1", b"\0\x63x\0", b"\0\0C\0\1"]
)
def test_entries_that_are_cut_short_or_unknown_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        parse_entry(1, data)


@given(st.binary(max_size=300))
def test_no_bytes_break_codec_or_parsers(data: bytes) -> None:
    codec = CrsfCodec()
    codec.receive_data(data)
    codec.receive_data(bytes(64) + PING * 20)
    last = None
    while (frame := codec.next_event()) is not None:
        last = frame
    assert last == CrsfFrame(0x28, 0x00, 0xEA)
    for parse in (parse_device, lambda body: parse_entry(1, body)):
        try:
            parse(data)
        except ValueError:
            continue
