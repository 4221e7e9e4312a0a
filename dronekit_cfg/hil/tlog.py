"""Makes a telemetry log (.tlog) of a recorded link, as ground stations read it, on the vehicle's own clock.

The format [MAVLink guide, "Telemetry log"; pymavlink mavlogfile]: for each frame the time as 8 bytes, big-endian
microseconds since 1970, and then the frame as it was on the wire. Both directions are in it. The time is the moment of
the recording plus the vehicle's uptime as its messages tell it, so that a flight at ten times the speed of time has
its true length in the log.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from dronekit_cfg.wire.mavlink_layout import checksum, layout_of_id

__all__ = ["frames", "write_tlog"]

V2 = 0xFD
HEADER = {0xFE: 6, V2: 10}
CRC_SIZE, SIGNATURE_SIZE = 2, 13
BOOT_JUMP = 1.0
"""Seconds by which the uptime falls when the vehicle has rebooted, and not when messages overtake each other."""
_START = re.compile(rb"[\xfd\xfe]")


def write_tlog(recording: Path, log: Path, started: float) -> int:
    """Write the telemetry log of a recording; gives the number of frames. `started` is its moment (seconds since 1970).

    Frames of unknown messages are left out: nothing tells whether they are whole. Raises OSError.
    """
    halves: dict[str, bytearray] = {"rx": bytearray(), "tx": bytearray()}
    clock, count = _Uptime(), 0
    with recording.open(encoding="ascii") as lines, log.open("wb") as out:
        for line in lines:
            try:
                entry = json.loads(line)
            except ValueError:  # a killed process leaves half a line
                continue
            half = halves.get(entry.get("dir", ""))
            if half is None:
                continue
            half += bytes.fromhex(entry["hex"])
            for frame in frames(half):
                if entry["dir"] == "rx":
                    clock.hear(frame)
                out.write(struct.pack(">Q", round((started + clock.now) * 1e6)) + frame)
                count += 1
    return count


def frames(buffer: bytearray) -> Iterator[bytes]:
    """Take all whole frames with a good checksum out of a buffer; what may become one stays in it.

    A good frame behind the start of an unfinished one shows that to be no start.
    """
    at, unfinished = 0, -1
    while (found := _START.search(buffer, at)) is not None:
        at = found.start()
        size = _size(buffer, at)
        if size is None and unfinished < 0:
            unfinished = at
        frame = bytes(buffer[at : at + size]) if size else b""
        if frame and _good(frame):
            yield frame
            at, unfinished = at + len(frame), -1
        else:
            at += 1
    del buffer[: unfinished if unfinished >= 0 else len(buffer)]


def _size(buffer: bytearray, at: int) -> int | None:
    """Give the size of the frame that begins there, 0 when it cannot be one, None when more bytes are needed."""
    head = HEADER[buffer[at]]
    if len(buffer) - at < head:
        return None
    signed = buffer[at] == V2 and buffer[at + 2] & 1
    layout = layout_of_id(_number(buffer, at))
    if layout is None or buffer[at + 1] > layout.packer.size:
        return 0
    size = head + buffer[at + 1] + CRC_SIZE + (SIGNATURE_SIZE if signed else 0)
    return size if len(buffer) - at >= size else None


def _number(buffer: bytes | bytearray, at: int = 0) -> int:
    return int.from_bytes(buffer[at + 7 : at + 10], "little") if buffer[at] == V2 else buffer[at + 5]


def _good(frame: bytes) -> bool:
    layout = layout_of_id(_number(frame))
    assert layout is not None
    end = HEADER[frame[0]] + frame[1]
    return checksum(frame[1:end], layout.crc_extra) == frame[end] | frame[end + 1] << 8


@dataclass(slots=True)
class _Uptime:
    """The vehicle's uptime in seconds over all its boots."""

    now: float = 0.0
    _before: float = 0.0
    _fields: dict[int, bool] = field(default_factory=dict)

    def hear(self, frame: bytes) -> None:
        """Take the time of a message that tells it."""
        number = _number(frame)
        layout = layout_of_id(number)
        if layout is None or not self._fields.get(number, True):
            return
        head = HEADER[frame[0]]
        boot = layout.decode(frame[head : head + frame[1]]).get("time_boot_ms")
        self._fields[number] = boot is not None
        if boot is None:
            return
        seconds = self._before + boot / 1000
        if seconds < self.now - BOOT_JUMP:
            self._before, seconds = self.now, self.now + boot / 1000
        self.now = max(self.now, seconds)
