"""UBX frames of u-blox receivers, without I/O: bytes in, frames out, whatever else is between them.

``B5 62 class id length:u16 payload ck_a ck_b``, little endian; the checksum is an 8-bit Fletcher over class to payload
[u-blox interface descriptions, "UBX Frame Structure"]. NMEA and RTCM on the same port are skipped.
"""

from __future__ import annotations

from dataclasses import dataclass

from dronekit_cfg.wire.decoder import FrameFinder

__all__ = ["UbxCodec", "UbxFrame", "checksum", "encode"]

SYNC = b"\xb5\x62"
LONGEST = 4096
"""A longer payload is taken for a damaged length: the longest that we ask for (NAV-SAT) stays below 3.1 kB."""
_HEAD = 6
_TAIL = 2


@dataclass(frozen=True, slots=True)
class UbxFrame:
    """One message: class, id and payload."""

    cls: int
    id: int
    payload: bytes = b""

    @property
    def kind(self) -> tuple[int, int]:
        """Class and id."""
        return self.cls, self.id


def checksum(data: bytes) -> bytes:
    """Give the two checksum bytes over class, id, length and payload."""
    a = b = 0
    for byte in data:
        a = (a + byte) & 0xFF
        b = (b + a) & 0xFF
    return bytes((a, b))


def encode(cls: int, id_: int, payload: bytes = b"") -> bytes:
    """Give one message as bytes. ValueError for a payload that no receiver takes."""
    if len(payload) > LONGEST:
        raise ValueError(f"a UBX payload of {len(payload)} bytes is too long")
    body = bytes((cls, id_)) + len(payload).to_bytes(2, "little") + payload
    return SYNC + body + checksum(body)


class UbxCodec(FrameFinder[UbxFrame]):
    """A `talk.flow.Codec` of `UbxFrame`."""

    def _step(self) -> bool:
        start = self._buffer.find(SYNC)
        if start < 0:
            # The first sync byte may be the last one that came.
            self._drop(len(self._buffer) - (self._buffer[-1:] == SYNC[:1]))
            return False
        if start:
            self._drop(start)
        if len(self._buffer) < _HEAD:
            return False
        length = int.from_bytes(self._buffer[4:_HEAD], "little")
        if length > LONGEST:
            self._drop(len(SYNC))
            return True
        end = _HEAD + length
        if len(self._buffer) < end + _TAIL:
            return False
        if self._buffer[end : end + _TAIL] != checksum(bytes(self._buffer[2:end])):
            self._drop(len(SYNC))
            return True
        self.heard = True
        self._events.append(UbxFrame(self._buffer[2], self._buffer[3], bytes(self._buffer[_HEAD:end])))
        del self._buffer[: end + _TAIL]
        return True
