"""Signed frames against pymavlink's signing, and key files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from dronekit_cfg.errors import UsageError
from dronekit_cfg.wire.mavlink import MavlinkCodec, Message, parse_signing_key, read_signing_key

KEY = hashlib.sha256(b"correct horse").digest()
UNIX = 1_795_000_000.0
TICKS = int((UNIX - 1420070400) * 100_000)


def codec(key: bytes | None = KEY, at: float = UNIX) -> MavlinkCodec:
    return MavlinkCodec(signing_key=key, link_id=3, now_unix=lambda: at)


def station(key: bytes = KEY, ticks: int = TICKS, system: int = 1) -> Any:
    mav = mavlink.MAVLink(None, srcSystem=system, srcComponent=1)
    mav.signing.secret_key = key
    mav.signing.sign_outgoing = True
    mav.signing.timestamp = ticks
    mav.signing.link_id = 7
    return mav


def heartbeat(mav: Any) -> bytes:
    data: bytes = mavlink.MAVLink_heartbeat_message(2, 3, 81, 0, 3, 3).pack(mav)
    return data


def got(ours: MavlinkCodec, data: bytes) -> list[Message]:
    ours.receive_data(data)
    found = []
    while (message := ours.next_event()) is not None:
        found.append(message)
    return found


def test_frames_signed_by_pymavlink_are_accepted_and_each_only_once() -> None:
    ours, mav = codec(), station()
    first, second = heartbeat(mav), heartbeat(mav)
    assert [m.signed for m in got(ours, first + second)] == [True, True]
    assert got(ours, first + second) == []
    assert ours.counts.unsigned == 2


def test_our_frames_are_accepted_by_pymavlink() -> None:
    ours, mav = codec(), station()
    mav.signing.sign_outgoing = False
    for _ in range(3):
        frame = ours.encode("PARAM_REQUEST_LIST", target_system=1, target_component=1)
        (message,) = mav.parse_buffer(frame)
        assert message.get_signed()
        assert message.get_link_id() == 3


def test_unsigned_and_wrongly_signed_frames_are_rejected() -> None:
    plain = mavlink.MAVLink(None, srcSystem=1, srcComponent=1)
    ours = codec()
    assert got(ours, heartbeat(plain)) == []
    assert got(ours, mavlink.MAVLink_heartbeat_message(2, 3, 81, 0, 3, 3).pack(plain, force_mavlink1=True)) == []
    assert got(ours, heartbeat(station(key=bytes(31) + b"\1"))) == []
    assert ours.counts.unsigned == 3
    assert ours.counts.frames == 0


def test_a_signature_damaged_in_any_byte_is_rejected() -> None:
    frame = heartbeat(station())
    for place in range(len(frame) - 13, len(frame)):
        damaged = bytearray(frame)
        damaged[place] ^= 0x10
        assert got(codec(), bytes(damaged)) == [], place


def test_telemetry_radios_have_no_key_and_are_let_in() -> None:
    plain = mavlink.MAVLink(None, srcSystem=51, srcComponent=68)
    frame = mavlink.MAVLink_radio_status_message(100, 100, 90, 40, 40, 0, 0).pack(plain)
    assert [m.name for m in got(codec(), frame)] == ["RADIO_STATUS"]


def test_an_old_recording_is_rejected_even_on_a_new_stream() -> None:
    assert got(codec(), heartbeat(station(ticks=TICKS - 61 * 100_000))) == []
    assert len(got(codec(), heartbeat(station(ticks=TICKS - 59 * 100_000)))) == 1


def test_our_clock_follows_a_vehicle_that_is_ahead() -> None:
    ours, ahead = codec(), station(ticks=TICKS + 10**9)
    got(ours, heartbeat(ahead))
    (message,) = ahead.parse_buffer(ours.encode("PARAM_REQUEST_LIST", target_system=1, target_component=1))
    assert message.get_signed()


def test_without_a_key_signed_frames_are_read_too() -> None:
    assert [m.signed for m in got(MavlinkCodec(), heartbeat(station()))] == [True]


def test_signing_needs_a_clock_and_mavlink_2() -> None:
    with pytest.raises(ValueError, match="now_unix"):
        MavlinkCodec(signing_key=KEY)
    ours = codec()
    ours.outgoing_version = 1
    with pytest.raises(ValueError, match="MAVLink 1"):
        ours.encode("PARAM_REQUEST_LIST", target_system=1, target_component=1)


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (KEY, KEY),
        (KEY.hex().encode() + b"\n", KEY),
        (KEY.hex().upper().encode(), KEY),
        (b"correct horse\r\n", KEY),
        (b"x" * 32, hashlib.sha256(b"x" * 32).digest()),
    ],
)
def test_a_key_is_raw_bytes_hex_or_a_passphrase(content: bytes, key: bytes) -> None:
    assert parse_signing_key(content) == key


@pytest.mark.parametrize("content", [b"", b"\n", b"two\nlines\n", b"\xff" * 31])
def test_what_is_no_key_is_refused_with_a_remedy(content: bytes) -> None:
    with pytest.raises(UsageError) as caught:
        parse_signing_key(content)
    assert "64 hex digits" in caught.value.hint


def test_a_key_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(KEY)
    path.chmod(0o600)
    assert read_signing_key(path) == KEY


@pytest.mark.skipif(os.name != "posix", reason="file modes are a POSIX matter")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    path.write_bytes(KEY)
    path.chmod(mode)
    with pytest.raises(UsageError, match="other users") as caught:
        read_signing_key(path)
    assert "chmod 600" in caught.value.hint


def test_a_missing_or_huge_key_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        read_signing_key(tmp_path / "none")
    path = tmp_path / "big"
    path.write_bytes(b"a" * 5000)
    path.chmod(0o600)
    with pytest.raises(UsageError, match="too large"):
        read_signing_key(path)
