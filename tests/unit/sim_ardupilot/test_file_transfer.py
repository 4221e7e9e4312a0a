"""The file server, against replies that the real 4.7-dev SITL gave to the same requests."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import pytest

PCK = b"@PARAM/param.pck"
ACK, NAK = 128, 129
TERMINATE, RESET, LIST, OPEN, READ, CREATE, WRITE, CRC, BURST = 1, 2, 3, 4, 5, 6, 7, 14, 15


def short(reply: Any) -> tuple[int, int, int, bytes]:
    """Give (sequence, session, op, data) of a reply."""
    return reply[0], reply[1], reply[2], reply[7]


@pytest.mark.parametrize(
    ("op", "data", "error"),
    [
        (READ, b"", b"\n"),
        (BURST, b"", b"\n"),
        (WRITE, b"12345678", b"\n"),
        (OPEN, b"@PARAM/nofile", b"\n"),
        (OPEN, b"/nope", b"\n"),
        (OPEN, PCK + b"?withdefaults=2", b"\x02\x16"),
        (12, b"", b"\x01"),
        (77, b"", b"\x01"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_error_of_the_real_one(
    rig: Any, op: int, data: bytes, error: bytes
) -> None:
    (reply,) = rig().ftp(10, 0, op, data)
    assert short(reply) == (11, 0, NAK, error)
    assert reply[4] == op


def test_a_name_of_the_wrong_length_is_refused(rig: Any) -> None:
    bench = rig()
    assert short(bench.ftp(1, 0, OPEN, PCK, size=3)[0]) == (2, 0, NAK, b"\x03")
    assert short(bench.ftp(5, 0, OPEN, PCK, size=0)[0]) == (6, 0, NAK, b"\x03")
    assert short(bench.ftp(9, 0, READ, size=250)[0]) == (10, 0, NAK, b"\x03")


def test_the_size_at_opening_is_an_estimate_of_twelve_bytes_a_parameter(rig: Any) -> None:
    (reply,) = rig().ftp(1, 0, OPEN, PCK + b"?foo=2")
    assert short(reply) == (2, 0, ACK, struct.pack("<I", 1354 * 12))


def test_there_is_one_session_at_a_time(rig: Any) -> None:
    bench = rig()
    bench.ftp(1, 0, OPEN, PCK)
    assert short(bench.ftp(3, 0, OPEN, PCK)[0]) == (4, 0, NAK, b"\x01")
    assert short(bench.ftp(5, 1, OPEN, PCK)[0]) == (6, 1, NAK, b"\x04")
    assert short(bench.ftp(7, 1, READ, size=80)[0]) == (8, 1, NAK, b"\x04")
    assert short(bench.ftp(9, 1, TERMINATE)[0]) == (10, 1, ACK, b"")
    assert bench.ftp(11, 0, READ, size=80)[0][2] == ACK


def test_a_silent_session_is_taken_over_after_three_seconds(rig: Any) -> None:
    bench = rig()
    bench.ftp(1, 0, OPEN, PCK)
    bench.wait(2.8)
    assert short(bench.ftp(3, 5, OPEN, PCK)[0]) == (4, 5, NAK, b"\x04")
    bench.wait(3.1)
    assert bench.ftp(5, 5, OPEN, PCK)[0][2] == ACK


def test_all_reads_of_a_file_have_one_size(rig: Any) -> None:
    bench = rig()
    bench.ftp(1, 0, OPEN, PCK)
    first = bench.ftp(3, 0, READ, size=80)[0]
    assert first[7].startswith(b"\x1bg\x4a\x05\x4a\x05\x02\xd0FORMAT_VERSIONx\x00")
    assert short(bench.ftp(5, 0, READ, size=60, offset=80)[0]) == (6, 0, NAK, b"\x02\x16")
    third = bench.ftp(9, 0, READ, size=80, offset=160)[0]
    assert third[7].startswith(b"\x88\x13\x00\x00\x01tALT_TYPE\x00\x01\xc0FS_GCS_")
    assert short(bench.ftp(11, 0, READ, size=80, offset=99999)[0]) == (12, 0, NAK, b"\x06")


def test_a_repeated_request_gets_the_last_reply_again(rig: Any) -> None:
    bench = rig()
    bench.ftp(1, 0, OPEN, PCK)
    first = bench.ftp(3, 0, READ, size=80)
    assert bench.ftp(3, 0, READ, size=80) == first


def test_a_request_numbered_just_below_the_last_reply_is_taken_for_a_repetition(rig: Any) -> None:
    """Measured: after a burst that ended with reply 36, the Terminate numbered 35 was answered with that reply."""
    bench = rig()
    bench.ftp(33, 0, OPEN, PCK + b"?start=10&count=5")
    replies = bench.ftp(34, 0, BURST, size=239)
    assert [r[0] for r in replies] == [35, 36]
    assert bench.ftp(35, 0, TERMINATE) == [replies[-1]]
    assert short(bench.ftp(37, 1, OPEN, PCK)[0])[2:] == (NAK, b"\x04")


def test_part_of_the_list_can_be_asked_for(rig: Any) -> None:
    bench = rig()
    bench.ftp(33, 0, OPEN, PCK + b"?start=10&count=5")
    block, end = bench.ftp(34, 0, BURST, size=239)
    assert block[7].startswith(b"\x1bg\x05\x00\x4a\x05\x03\xc0RTL_LOIT_TIME\x88\x13\x00")
    assert (block[5], end[2], end[5], end[6], end[7]) == (1, NAK, 1, len(block[7]), b"\x06")


def test_a_start_behind_the_end_is_refused_at_the_first_read(rig: Any) -> None:
    bench = rig()
    assert bench.ftp(1, 0, OPEN, PCK + b"?start=5000")[0][2] == ACK
    assert short(bench.ftp(3, 0, READ, size=80)[0]) == (4, 0, NAK, b"\x02\x16")


def test_a_burst_from_the_end_is_one_refusal(rig: Any) -> None:
    bench = rig()
    length = len(bench.download())
    bench.ftp(1, 0, OPEN, PCK + b"?withdefaults=1")
    bench.ftp(3, 0, READ, size=239)
    (reply,) = bench.ftp(5, 0, BURST, size=239, offset=length)
    assert (reply[2], reply[5], reply[6], reply[7]) == (NAK, 0, 0, b"\x06")


def test_blocks_of_a_burst_come_about_six_milliseconds_apart(rig: Any) -> None:
    bench = rig()
    bench.ftp(1, 0, OPEN, PCK)
    payload = struct.pack("<HBBBBBBI", 2, 0, BURST, 239, 0, 0, 0, 0)
    bench.send(bench.pack.file_transfer_protocol_encode(0, 1, 1, list(payload.ljust(251, b"\0"))))
    times = [at for at, m in bench.wait(2.0) if m.get_type() == "FILE_TRANSFER_PROTOCOL"]
    assert 0.35 < times[-1] - times[0] < 0.40  # recorded: 64 blocks in 0.37 s


def test_more_than_five_waiting_requests_are_lost(rig: Any) -> None:
    bench = rig()
    bench.ftp(1, 0, OPEN, PCK)
    for number in range(9):
        payload = struct.pack("<HBBBBBBI", 10 + 2 * number, 0, READ, 80, 0, 0, 0, 80 * number)
        bench.send(bench.pack.file_transfer_protocol_encode(0, 1, 1, list(payload.ljust(251, b"\0"))))
    replies = [m for _, m in bench.wait(0.5) if m.get_type() == "FILE_TRANSFER_PROTOCOL"]
    assert len(replies) == 5


def test_opening_the_file_is_followed_by_the_banner(rig: Any) -> None:
    bench = rig()
    payload = struct.pack("<HBBBBBBI", 1, 0, OPEN, len(PCK), 0, 0, 0, 0) + PCK
    heard = bench.ask(bench.pack.file_transfer_protocol_encode(0, 1, 1, list(payload.ljust(251, b"\0"))))
    assert [m.get_type() for m in heard] == ["FILE_TRANSFER_PROTOCOL", "STATUSTEXT", "STATUSTEXT", "STATUSTEXT"]
    assert [m.text for m in heard[1:]] == [
        "ArduCopter V4.7.0-dev (2598e9d4)",
        "3d1219c7c4c5404aaa1f6d2a48adfda4",
        "Frame: QUAD/PLUS",
    ]


def test_the_checksum_is_that_of_the_content_read_in_blocks_of_64(rig: Any) -> None:
    bench = rig()
    (reply,) = bench.ftp(501, 0, CRC, PCK)
    content = bench.download(query=b"", size=64)
    assert len(content) > 10000
    assert struct.unpack("<I", reply[7])[0] == zlib.crc32(content, 0xFFFFFFFF) ^ 0xFFFFFFFF


# --- uploads


def test_an_upload_is_applied_when_its_session_ends_and_not_before(rig: Any, make_upload: Any) -> None:
    bench = rig()
    content = make_upload([("RC1_MIN", 2, 1314), ("RC2_MIN", 2, 1315)])
    bench.ftp(1, 3, CREATE, PCK)
    bench.ftp(3, 3, WRITE, content)
    assert bench.get("RC1_MIN") == 1000
    bench.ftp(5, 3, TERMINATE)
    assert (bench.get("RC1_MIN"), bench.get("RC2_MIN")) == (1314, 1315)


def test_an_upload_without_end_is_applied_when_another_session_takes_over(rig: Any, make_upload: Any) -> None:
    bench = rig()
    bench.ftp(1, 3, CREATE, PCK)
    bench.ftp(3, 3, WRITE, make_upload([("RC1_MIN", 2, 1314)]))
    bench.wait(3.3)
    assert bench.get("RC1_MIN") == 1000
    bench.ftp(5, 8, OPEN, PCK)
    assert bench.get("RC1_MIN") == 1314


def test_an_upload_carries_integers_that_a_float_cannot(rig: Any, make_upload: Any) -> None:
    bench = rig()
    bench.set("LOG_BITMASK", 16777217)
    assert b"LOG_BITMASK\x00\x00\x00\x01" in bench.download(query=b"", size=200)
    bench.upload(make_upload([("LOG_BITMASK", 3, 16777217)]))
    assert b"LOG_BITMASK\x01\x00\x00\x01" in bench.download(query=b"", size=200)
    bench.reboot()
    assert b"LOG_BITMASK\x01\x00\x00\x01" in bench.download(query=b"", size=200)


def test_unknown_and_denied_names_are_passed_over_without_a_word(rig: Any, make_upload: Any) -> None:
    bench = rig()
    pressure = bench.get("BARO1_GND_PRESS")
    records = [("NO_SUCH", 4, 1.0), ("BARO1_GND_PRESS", 4, 3.0), ("RC2_MIN", 4, 1050.0), ("RC3_MIN", 1, 100)]
    bench.upload(make_upload(records))
    assert bench.get("BARO1_GND_PRESS") == pressure
    assert (bench.get("RC2_MIN"), bench.get("RC3_MIN")) == (1050, 100)


def test_a_rejected_upload_looks_like_success(rig: Any, make_upload: Any) -> None:
    bench = rig()
    bench.upload(make_upload([("RC1_MIN", 2, 1112)], magic=0x671C))
    bench.upload(make_upload([("RC1_MIN", 2, 1113)], length=10))
    assert bench.get("RC1_MIN") == 1000


def test_an_upload_whose_tail_never_came_is_applied_as_far_as_it_came(rig: Any, make_upload: Any) -> None:
    """Measured: with only the first block there, the file is zero-filled to the length its header names."""
    bench = rig()
    content = make_upload([("RC1_MIN", 2, 1114), ("RC2_MIN", 2, 1115), ("RC3_MIN", 2, 1116)])
    bench.ftp(1, 3, CREATE, PCK)
    bench.ftp(3, 3, WRITE, content[:20])
    bench.ftp(5, 3, RESET)
    assert [bench.get(f"RC{n}_MIN") for n in (1, 2, 3)] == [1114, 1000, 1000]


def test_an_upload_with_the_first_block_last_is_whole_or_nothing(rig: Any, make_upload: Any) -> None:
    bench = rig()
    content = make_upload([("RC1_MIN", 2, 1214), ("RC2_MIN", 2, 1215), ("RC3_MIN", 2, 1216)])
    bench.ftp(1, 3, CREATE, PCK)
    bench.ftp(3, 3, WRITE, content[20:], offset=20)
    bench.ftp(5, 3, RESET)
    assert bench.get("RC1_MIN") == 1000
    bench.ftp(11, 3, CREATE, PCK)
    bench.ftp(13, 3, WRITE, content[20:], offset=20)
    bench.ftp(15, 3, WRITE, content[:20])
    bench.ftp(17, 3, TERMINATE)
    assert [bench.get(f"RC{n}_MIN") for n in (1, 2, 3)] == [1214, 1215, 1216]


def test_each_switch_that_an_upload_turns_on_takes_a_tenth_of_a_second(rig: Any, make_upload: Any) -> None:
    bench = rig()
    names = ("BATT2_MONITOR", "SCR_ENABLE", "CAM1_TYPE", "OSD_TYPE")
    bench.ftp(1, 3, CREATE, PCK)
    bench.ftp(
        3, 3, WRITE, make_upload([*((n, 1, 1) for n in names), ("BATT2_CAPACITY", 3, 7777), ("RC1_MIN", 2, 1200)])
    )
    payload = struct.pack("<HBBBBBBI", 9, 3, TERMINATE, 0, 0, 0, 0, 0)
    sent = bench.now
    bench.send(bench.pack.file_transfer_protocol_encode(0, 1, 1, list(payload.ljust(251, b"\0"))))
    ends = [at for at, m in bench.wait(1.0) if m.get_type() == "FILE_TRANSFER_PROTOCOL"]
    assert 0.39 < ends[0] - sent < 0.45  # measured 0.427 s
    assert bench.get("BATT2_CAPACITY") == 7777


def test_what_an_upload_sets_close_to_the_default_is_lost_at_the_reboot(rig: Any, make_upload: Any) -> None:
    bench = rig()
    assert bench.get("PSC_POSXY_P") == 1.0
    bench.upload(make_upload([("PSC_POSXY_P", 4, 1.00005), ("PSC_POSZ_P", 4, 1.01)]))
    assert bench.get("PSC_POSXY_P") == pytest.approx(1.00005)
    bench.reboot()
    assert bench.get("PSC_POSXY_P") == 1.0
    assert bench.get("PSC_POSZ_P") == pytest.approx(1.01)


def test_the_same_value_set_by_name_is_kept(rig: Any) -> None:
    bench = rig()
    bench.set("PSC_POSXY_P", 1.00005)
    bench.reboot()
    assert bench.get("PSC_POSXY_P") == pytest.approx(1.00005)
