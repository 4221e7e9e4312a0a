"""Telemetry logs of recordings: read back by pymavlink, which ground stations build on, they hold what was sent."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from pymavlink.dialects.v20 import ardupilotmega as dialect

from dronekit_cfg.hil.tlog import frames, write_tlog

STARTED = 1_700_000_000.0


def packer() -> dialect.MAVLink:
    made = dialect.MAVLink(None, srcSystem=1, srcComponent=1)
    made.robust_parsing = True
    return made


def attitude(mav: dialect.MAVLink, boot: float) -> bytes:
    message = dialect.MAVLink_attitude_message(int(boot * 1000), 0.1, 0.2, 0.3, 0.0, 0.0, 0.0)
    return bytes(message.pack(mav))


def heartbeat(mav: dialect.MAVLink, version: int = 2) -> bytes:
    return bytes(dialect.MAVLink_heartbeat_message(2, 3, 0, 0, 4, 3).pack(mav, force_mavlink1=version == 1))


def recording(tmp_path: Path, *chunks: tuple[str, bytes]) -> Path:
    path = tmp_path / "link.jsonl"
    lines = [{"t": i / 10, "dir": way, "hex": data.hex()} for i, (way, data) in enumerate(chunks)]
    lines.insert(1, {"t": 0.0, "dir": "note", "text": "a remark"})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "ascii")
    return path


def entries(log: Path) -> list[tuple[float, str]]:
    """Read a telemetry log with nothing of our own: time and message name of each frame."""
    data, found = log.read_bytes(), []
    parser = packer()
    while data:
        (micros,) = struct.unpack(">Q", data[:8])
        size = data[9] + 12 + (13 if data[10] & 1 else 0) if data[8] == 0xFD else data[9] + 8
        (message,) = parser.parse_buffer(data[8 : 8 + size])
        found.append((micros / 1e6 - STARTED, message.get_type()))
        data = data[8 + size :]
    return found


def test_both_directions_stand_in_the_log_with_the_time_of_the_vehicle(tmp_path: Path) -> None:
    vehicle, ours = packer(), packer()
    chunks = (
        ("rx", b"boot text\n" + heartbeat(vehicle, 1) + attitude(vehicle, 2.0)),
        ("tx", heartbeat(ours)),
        ("rx", attitude(vehicle, 12.5) + heartbeat(vehicle)),
    )
    log = tmp_path / "x.tlog"
    assert write_tlog(recording(tmp_path, *chunks), log, STARTED) == 5
    assert entries(log) == [
        (0.0, "HEARTBEAT"), (2.0, "ATTITUDE"), (2.0, "HEARTBEAT"), (12.5, "ATTITUDE"), (12.5, "HEARTBEAT"),
    ]  # fmt: skip


def test_pymavlink_reads_the_log(tmp_path: Path) -> None:
    from pymavlink import mavutil

    vehicle = packer()
    log = tmp_path / "x.tlog"
    write_tlog(recording(tmp_path, ("rx", attitude(vehicle, 2.0)), ("rx", attitude(vehicle, 3.25))), log, STARTED)
    reader = mavutil.mavlink_connection(str(log), dialect="ardupilotmega")
    times = []
    while (message := reader.recv_match(type="ATTITUDE")) is not None:
        times.append(message._timestamp)
    reader.close()
    assert times == pytest.approx([STARTED + 2.0, STARTED + 3.25])


def test_time_goes_on_after_a_reboot_and_never_back(tmp_path: Path) -> None:
    vehicle = packer()
    boots = (50.0, 49.9, 51.0, 0.5, 2.0)
    log = tmp_path / "x.tlog"
    write_tlog(recording(tmp_path, *(("rx", attitude(vehicle, b)) for b in boots)), log, STARTED)
    assert [at for at, _ in entries(log)] == pytest.approx([50.0, 50.0, 51.0, 51.5, 53.0])


def test_broken_frames_and_half_lines_are_left_out(tmp_path: Path) -> None:
    vehicle = packer()
    good, broken = attitude(vehicle, 1.0), bytearray(attitude(vehicle, 1.5))
    broken[15] ^= 0xFF
    path = recording(tmp_path, ("rx", bytes(broken) + good), ("rx", good[:9]))
    with path.open("a", encoding="ascii") as file:
        file.write('{"t": 1, "dir": "rx", "he')
    log = tmp_path / "x.tlog"
    assert write_tlog(path, log, STARTED) == 1
    assert entries(log) == [(1.0, "ATTITUDE")]


@pytest.mark.parametrize("size", [1, 2, 5, 7, 64])
def test_frames_are_found_however_the_bytes_are_cut(size: int) -> None:
    vehicle = packer()
    sent = [heartbeat(vehicle, 1), attitude(vehicle, 1.0), heartbeat(vehicle)]
    stream = b"\xfd\xfe noise".join(sent)
    buffer = bytearray()
    found: list[bytes] = []
    for at in range(0, len(stream), size):
        buffer += stream[at : at + size]
        found += frames(buffer)
    assert found == sent
