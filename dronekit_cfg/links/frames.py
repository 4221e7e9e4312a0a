"""A small scanner that cuts a byte stream where a radio would: on MAVLink frame borders, else into short pieces.

It looks only at the outer shape of a frame (start byte, length byte, incompatibility flags), so it needs no message
table and no checksum. A wrong guess only changes where a stream is cut; no byte is ever lost or changed.

Frame sizes (MAVLink guide, "Packet Serialization"): version 1 is 8 bytes around the payload, version 2 is 12 bytes
around it, and 13 more when bit 0 of the incompatibility flags (signed) is set.
"""

from __future__ import annotations

__all__ = ["PIECE", "FrameSplitter", "pack"]

PIECE = 64
"""Longest piece of bytes that are not MAVLink; a USB full-speed packet, and what small radios buffer."""

_V1, _V2 = 0xFE, 0xFD
_SIGNED = 0x01


def _frame_length(data: bytes, at: int) -> int | None:
    """Give the length of the frame that starts at `at`, 0 when it is not complete yet, None when it is no frame."""
    start, have = data[at], len(data) - at
    if start not in (_V1, _V2):
        return None
    if have < 3:
        return 0
    if start == _V1:
        length = data[at + 1] + 8
    else:
        flags = data[at + 2]
        if flags & ~_SIGNED:
            return None
        length = data[at + 1] + 12 + (13 if flags & _SIGNED else 0)
    return length if have >= length else 0


def _next_start(data: bytes, at: int) -> int:
    """Give the place of the next possible frame start at or after `at`, or the end."""
    places = [place for place in (data.find(_V1, at), data.find(_V2, at)) if place >= 0]
    return min(places, default=len(data))


class FrameSplitter:
    """Takes bytes in any split and gives units: whole frames, or pieces of at most `PIECE` other bytes."""

    def __init__(self) -> None:
        self._rest = b""

    @property
    def pending(self) -> int:
        """How many bytes of an unfinished frame are held back (less than 300)."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[bytes]:
        """Give the units that are complete now; the beginning of a frame is held back."""
        buffer, self._rest = self._rest + data, b""
        units: list[bytes] = []
        at = 0
        while at < len(buffer):
            length = _frame_length(buffer, at)
            if length is None:
                end = _next_start(buffer, at + 1)
                units.extend(buffer[i : min(i + PIECE, end)] for i in range(at, end, PIECE))
                at = end
            elif length == 0:
                self._rest = buffer[at:]
                break
            else:
                units.append(buffer[at : at + length])
                at += length
        return units

    def flush(self) -> list[bytes]:
        """Give what is held back, as pieces: the frame never got complete."""
        rest, self._rest = self._rest, b""
        return [rest[i : i + PIECE] for i in range(0, len(rest), PIECE)]


def pack(data: bytes, limit: int) -> list[bytes]:
    """Cut `data` into datagrams of at most `limit` bytes without cutting a frame. The parts joined are `data`."""
    if len(data) <= limit:
        return [data] if data else []
    splitter = FrameSplitter()
    parts: list[bytes] = []
    current = bytearray()
    for unit in splitter.feed(data) + splitter.flush():
        if current and len(current) + len(unit) > limit:
            parts.append(bytes(current))
            current.clear()
        current += unit
    parts.append(bytes(current))
    return parts
