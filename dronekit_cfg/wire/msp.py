"""Frame MSP, the request and reply protocol of Betaflight and INAV, and find its frames in any stream of bytes.

Three framings are in use [Betaflight src/main/msp/msp_serial.c, msp.h]::

    v1        $ M dir  size:u8       cmd:u8                payload crc   XOR of size, cmd, payload
    v1 jumbo  $ M dir  255           cmd:u8  size:u16le    payload crc   XOR of 255, cmd, both size bytes, payload
    v2        $ X dir  flags:u8      cmd:u16le size:u16le  payload crc   CRC-8/DVB-S2 over flags..payload

`dir` is `<` request, `>` reply, `!` refusal. Only the vehicle sends jumbo frames. "v2 over v1" is never used: its jumbo
replies cannot be told apart from plain ones.

A vehicle drops a frame with a wrong checksum without a word, so a caller needs a deadline and a second try.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from dronekit_cfg.wire.decoder import Decoder

__all__ = ["MAX_REQUEST", "Direction", "MspDecoder", "MspFrame", "Noise", "crc8_dvb_s2", "encode", "encode_reply"]

MAX_REQUEST = 192
"""Payload bytes a vehicle accepts in one request; longer ones it drops silently [MSP_PORT_INBUF_SIZE]."""

_LARGEST_REPLY = 8192
"""Largest payload taken for real: reply buffers hold 4112 bytes with flash, 512 without."""
_NOISE_KEPT = 4096
_BUFFER_KEPT = _LARGEST_REPLY + 16
_DOLLAR = 0x24


class Direction(IntEnum):
    """Who speaks, and with which result; the value is the byte on the wire."""

    REQUEST = 0x3C
    REPLY = 0x3E
    REFUSAL = 0x21


@dataclass(frozen=True, slots=True)
class MspFrame:
    """One frame. `version` is 1 or 2; a reply has the version of its request."""

    code: int
    payload: bytes = b""
    direction: Direction = Direction.REPLY
    version: int = 1


@dataclass(frozen=True, slots=True)
class Noise:
    """Bytes between frames: a CLI that talks, another protocol, or line noise."""

    data: bytes


def _dvb_s2_table() -> bytes:
    table = bytearray()
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = ((crc << 1) ^ 0xD5) & 0xFF if crc & 0x80 else crc << 1
        table.append(crc)
    return bytes(table)


_TABLE = _dvb_s2_table()


def crc8_dvb_s2(data: bytes, start: int = 0) -> int:
    """Give CRC-8/DVB-S2 of `data`: polynomial 0xD5, not reflected, no final XOR; `start` continues an earlier one."""
    crc = start
    for byte in data:
        crc = _TABLE[crc ^ byte]
    return crc


def _xor(data: bytes) -> int:
    crc = 0
    for byte in data:
        crc ^= byte
    return crc


def encode(code: int, payload: bytes = b"") -> bytes:
    """Give the request frame for `code` (0..65535): v1 up to 254, v2 above.

    Raises ValueError for a code or payload that a vehicle cannot take.
    """
    if len(payload) > MAX_REQUEST:
        raise ValueError(f"an MSP request carries at most {MAX_REQUEST} bytes, not {len(payload)}")
    return _frame(code, payload, Direction.REQUEST, 1 if code <= 254 else 2)


def encode_reply(code: int, payload: bytes = b"", *, ok: bool = True, version: int = 0) -> bytes:
    """Give the frame a vehicle answers with, jumbo where v1 needs it; `version` 0 picks as `encode` does."""
    return _frame(code, payload, Direction.REPLY if ok else Direction.REFUSAL, version or (1 if code <= 254 else 2))


def _frame(code: int, payload: bytes, direction: Direction, version: int) -> bytes:
    if not 0 <= code <= (254 if version == 1 else 0xFFFF):
        raise ValueError(f"MSP v{version} has no command {code}")
    if version == 2:
        body = b"\0" + code.to_bytes(2, "little") + len(payload).to_bytes(2, "little") + payload
        return b"$X" + bytes([direction]) + body + bytes([crc8_dvb_s2(body)])
    if len(payload) < 255:
        body = bytes([len(payload), code]) + payload
    else:
        body = bytes([255, code]) + len(payload).to_bytes(2, "little") + payload
    return b"$M" + bytes([direction]) + body + bytes([_xor(body)])


class MspDecoder(Decoder[MspFrame | Noise]):
    """Find frames in bytes that come in any split; what is no frame comes out as `Noise`. Buffers are bounded.

    A false header inside noise may promise more bytes than will ever come. `give_up_half_frame` looks for frames
    behind such a header; callers use it when a deadline passes.
    """

    def __init__(self) -> None:
        super().__init__()
        self._noise = bytearray()

    def receive_data(self, data: bytes) -> None:
        """Take bytes as they came."""
        self._buffer += data
        while self._step():
            pass
        self._flush_noise()

    def reset(self) -> None:
        """Forget everything that came."""
        super().reset()
        self._noise.clear()

    def give_up_half_frame(self) -> None:
        """Treat the start of the unfinished frame as noise and look for frames behind it."""
        if self._buffer:
            self._skip(1)
            self.receive_data(b"")

    def _skip(self, count: int) -> None:
        self._noise += self._buffer[:count]
        del self._buffer[:count]
        if len(self._noise) >= _NOISE_KEPT:
            self._flush_noise()

    def _flush_noise(self) -> None:
        if self._noise:
            self._events.append(Noise(bytes(self._noise)))
            self._noise.clear()

    def _step(self) -> bool:
        """Take one frame or some noise off the buffer; False when more bytes are needed."""
        buffer = self._buffer
        start = buffer.find(_DOLLAR)
        if start:
            self._skip(start if start > 0 else len(buffer))
            return bool(buffer)
        measured = _measure(buffer)
        if measured is None:
            return False
        head, size = measured
        if size > _LARGEST_REPLY:
            self._skip(1)
            return True
        end = head + size
        if len(buffer) <= end:
            return False
        frame = _parse(bytes(buffer[: end + 1]), head)
        if frame is None:
            self._skip(1)
            return True
        self._flush_noise()
        self._events.append(frame)
        del buffer[: end + 1]
        return True


def _measure(buffer: bytearray) -> tuple[int, int] | None:
    """Give header and payload size of the frame at the start; None when too short; a huge size when it is none."""
    none = 0, _BUFFER_KEPT
    if len(buffer) > 1 and buffer[1] not in b"MX":
        return none
    if len(buffer) > 2 and buffer[2] not in b"<>!":
        return none
    if len(buffer) < 5:
        return None
    if buffer[1] == 0x58:
        return (8, int.from_bytes(buffer[6:8], "little")) if len(buffer) >= 8 else None
    if buffer[3] != 255:
        return 5, buffer[3]
    return (7, int.from_bytes(buffer[5:7], "little")) if len(buffer) >= 7 else None


def _parse(raw: bytes, head: int) -> MspFrame | None:
    body = raw[3:-1]
    direction = Direction(raw[2])
    if raw[1] == 0x58:
        if crc8_dvb_s2(body) != raw[-1]:
            return None
        return MspFrame(int.from_bytes(raw[4:6], "little"), raw[head:-1], direction, 2)
    if _xor(body) != raw[-1]:
        return None
    return MspFrame(raw[4], raw[head:-1], direction, 1)
