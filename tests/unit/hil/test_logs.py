"""The GNSS monitors over recorded logs: real flights of simulators and a real receiver, and what is done to them here.

Numbers of the DataFlash logs were read with pymavlink's DFReader, those of the ULog file with pyulog.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from dronekit_cfg.errors import UsageError
from dronekit_cfg.hil.logs import dataflash, ulog
from dronekit_cfg.hil.logs.read import Judged, judge_log
from dronekit_cfg.wire.ubx import UbxCodec, encode

GOLDEN = Path(__file__).parents[2] / "golden" / "logs"
WALK_BEGINS = 14.8
"""Seconds into spoof.bin: half a metre a second reaches 5 m ten seconds later and 15 m after thirty."""


def data(name: str) -> bytes:
    return gzip.decompress((GOLDEN / f"{name}.gz").read_bytes())


def judged(content: bytes, folder: Path) -> Judged:
    path = folder / "log"
    path.write_bytes(content)
    return judge_log(path)


def alarms(found: Judged) -> dict[str, float]:
    """Give the first moment of each alarm."""
    return {a.monitor: a.at for a in reversed(found.alarms)}


def change(content: bytes, record: str, field: str, make: Callable[[float], float], after: float = 0.0) -> bytes:
    """Change a field of all records of a kind later than so many seconds after the first one."""
    out, place, layouts, first = bytearray(content), 0, {}, None
    while place < len(out):
        kind = out[place + 2]
        if kind == dataflash.FORMAT:
            number, length = out[place + 3], out[place + 4]
            texts = struct.unpack_from("<4s16s64s", out, place + 5)
            layouts[number] = (length, *(x.split(b"\0")[0].decode() for x in texts))
            place += 89
            continue
        length, name, letters, labels = layouts[kind]
        if name == record:
            index = labels.split(",").index(field)
            plain = [dataflash._LETTERS[x][0] for x in letters]
            offset = place + 3 + struct.calcsize("<" + "".join(plain[:index]))
            moment = struct.unpack_from("<Q", out, place + 3)[0] / 1e6
            first = moment if first is None else first
            if moment >= first + after:
                (old,) = struct.unpack_from("<" + plain[index], out, offset)
                struct.pack_into("<" + plain[index], out, offset, type(old)(make(old)))
        place += length
    return bytes(out)


def test_dataflash_records_are_read_as_pymavlink_reads_them() -> None:
    skipped = [0]
    found = list(dataflash.records(data("spoof.bin"), skipped))
    assert skipped == [0]
    counts = {name: sum(n == name for n, _ in found) for name in {n for n, _ in found}}
    assert counts == {"GPS": 520, "GPA": 52, "RFND": 260, "OF": 520, "BARO": 52, "ATT": 260}
    gps = next(f for n, f in found if n == "GPS")
    assert {k: gps[k] for k in ("TimeUS", "I", "Status", "GMS", "GWk", "NSats")} == {
        "TimeUS": 58009287,
        "I": 0,
        "Status": 6,
        "GMS": 96471800,
        "GWk": 2446,
        "NSats": 10,
    }
    assert [gps[k] for k in ("Lat", "Lng", "Alt")] == pytest.approx([-35.3632619, 149.165237, 594.18])
    flow = next(f for n, f in found if n == "OF")
    assert [flow[k] for k in ("flowX", "flowY", "bodyX", "bodyY")] == pytest.approx(
        [-0.043587375, 0.050387498, 0.0022890689, 0.0023521476]
    )


def test_ulog_data_is_read_as_pyulog_reads_it() -> None:
    found = [(n, f) for n, _, f in ulog.records(data("loss.ulg"), [0])]
    gps = [f for n, f in found if n == "sensor_gps"]
    assert len(gps) == 50
    assert {f["satellites_used"] for f in gps} == {0, 10}
    assert gps[0]["latitude_deg"] == pytest.approx(47.3977, abs=1e-3)


@pytest.mark.parametrize(("name", "begins"), [("spoof.bin", WALK_BEGINS), ("spoof.tlog", 12.1)])
def test_a_slow_walk_of_one_receiver_alarms_within_twenty_seconds(name: str, begins: float, tmp_path: Path) -> None:
    found = judged(data(name), tmp_path)
    first = {monitor: at - begins for monitor, at in alarms(found).items()}
    assert first == {
        "receivers drift apart": pytest.approx(10, abs=1),
        "GNSS path against optical flow": pytest.approx(15, abs=2),
        "receivers apart": pytest.approx(30, abs=1),
    }


def test_a_flight_about_with_nothing_wrong_alarms_nothing_though_all_is_watched(tmp_path: Path) -> None:
    found = judged(data("move.bin"), tmp_path)
    assert found.alarms == ()
    assert {"receivers apart", "GNSS speed against optical flow", "GNSS path against optical flow"} <= set(
        found.watched
    )
    assert "mean C/N0 dropped" in found.missing


@pytest.mark.parametrize(("name", "at"), [("jam.bin", 18.9), ("loss.ulg", 36.7)])
def test_satellites_that_are_jammed_away_alarm(name: str, at: float, tmp_path: Path) -> None:
    assert alarms(judged(data(name), tmp_path)) == {"satellites lost": pytest.approx(at, abs=0.3)}


@pytest.mark.parametrize(
    ("field", "more", "monitor"),
    [
        ("Alt", 2900, ""),
        ("Alt", 3100, "GNSS height against barometer"),
        ("GMS", 1900, ""),
        ("GMS", 2100, "GNSS time jumped"),
        ("Spd", 2.5, ""),
        ("Spd", 4.0, "GNSS speed against optical flow"),
    ],
)
def test_a_recorded_flight_that_is_tampered_with_alarms_above_the_threshold(
    field: str, more: float, monitor: str, tmp_path: Path
) -> None:
    tampered = change(data("move.bin"), "GPS", field, lambda value: value + more, after=2.0)
    found = [a.monitor for a in judged(tampered, tmp_path).alarms]
    assert set(found) == ({monitor} if monitor else set())


def strengths(content: bytes, less: int) -> bytes:
    """Give a receiver's recording three times over, later each time, the last time with weaker satellites."""
    codec, out = UbxCodec(), bytearray()
    for turn in range(3):
        for start in range(0, len(content), 512):
            codec.receive_data(content[start : start + 512])
            while (frame := codec.next_event()) is not None:
                payload = bytearray(frame.payload)
                struct.pack_into("<I", payload, 0, struct.unpack_from("<I", payload)[0] + turn * 40_000)
                if frame.kind == (0x01, 0x35) and turn == 2:
                    for place in range(8, len(payload), 12):
                        payload[place + 2] = max(0, payload[place + 2] - less)
                if frame.kind == (0x01, 0x03):
                    struct.pack_into("<I", payload, 12, struct.unpack_from("<I", payload, 12)[0] + turn * 40_000)
                out += encode(frame.cls, frame.id, bytes(payload))
    return bytes(out)


@pytest.mark.parametrize(("less", "monitor"), [(4, set()), (9, {"mean C/N0 dropped"})])
def test_weaker_satellites_of_a_real_receiver_alarm(less: int, monitor: set[str], tmp_path: Path) -> None:
    found = judged(strengths(data("receiver.ubx"), less), tmp_path)
    assert {a.monitor for a in found.alarms} == monitor


def test_damage_is_stepped_over_and_counted(tmp_path: Path) -> None:
    whole = data("spoof.bin")
    middle = len(whole) // 3
    found = judged(whole[:middle] + b"\x00" * 77 + whole[middle + 60 :], tmp_path)
    assert 77 <= found.skipped < 300
    assert "receivers apart" in alarms(found)


@pytest.mark.parametrize("name", ["spoof.bin", "spoof.tlog", "loss.ulg"])
@pytest.mark.parametrize("share", [0.3, 0.501, 0.97])
def test_a_log_that_ends_amid_a_record_is_judged_as_far_as_it_goes(name: str, share: float, tmp_path: Path) -> None:
    whole = data(name)
    assert judged(whole[: int(len(whole) * share)], tmp_path).watched


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "cannot read"),
        (b"just a text, no log at all", "is no log"),
        (data("spoof.bin")[:600], "nothing of GNSS"),
    ],
)
def test_what_is_no_log_is_a_usage_error_with_a_remedy(content: bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=words) as caught:
        judged(content, tmp_path)
    assert caught.value.hint
