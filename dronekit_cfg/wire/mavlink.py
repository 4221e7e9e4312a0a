"""MAVLink 1 and 2 without I/O: bytes in, messages out, and messages to bytes.

The scanner believes nothing but a CRC: after a bad one it goes on one byte behind the false start, so that a frame is
never lost because garbage stood before it. Frames of messages that the dialect does not know cannot be checked; they
are skipped when another start byte (or nothing yet) follows them.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dronekit_cfg.wire.mavlink_layout import Layout, checksum, layout_of_id, layout_of_name
from dronekit_cfg.wire.mavlink_signing import SIGNATURE_SIZE, Signer, parse_signing_key, read_signing_key

__all__ = ["MavlinkCodec", "Message", "WireCounts", "parse_signing_key", "read_signing_key"]

V1, V2 = 0xFE, 0xFD
HEADER_V1, HEADER_V2 = 6, 10
CRC_SIZE = 2
FLAG_SIGNED = 0x01
BUFFER_LIMIT = 1 << 18
"""Unread bytes kept at most; older ones are dropped and counted as garbage."""
UNSIGNED_ALLOWED = frozenset({109, 166})
"""RADIO_STATUS and RADIO come from telemetry radios, which have no key. ArduPilot exempts the same two."""
GROUND_STATION, NO_AUTOPILOT, ACTIVE = 6, 8, 4
"""MAV_TYPE_GCS, MAV_AUTOPILOT_INVALID, MAV_STATE_ACTIVE."""
_START = re.compile(rb"[\xfd\xfe]")


@dataclass(frozen=True, slots=True)
class Message:
    """One message that arrived: `version` is 1 or 2, `signed` whether it bore a signature (valid, if we have a key).

    Fields are read by name: `message["param_id"]`. Texts are str without NULs, uint8 arrays bytes, other arrays tuples.
    `payload` are the bytes as they arrived, without the zeros that MAVLink 2 cuts: a float field that really holds an
    integer must be taken from them, as a Python float does not keep the bits of every NaN. `sequence` counts the frames
    of one sender from 0 to 255, so that a hole tells a loss; -1 when it is not known.
    """

    name: str
    system: int
    component: int
    fields: Mapping[str, Any]
    version: int = 2
    signed: bool = False
    payload: bytes = field(default=b"", compare=False, repr=False)
    sequence: int = field(default=-1, compare=False, repr=False)

    def __getitem__(self, field: str) -> Any:
        return self.fields[field]


@dataclass(slots=True)
class WireCounts:
    """What arrived so far; all zero means silence.

    Good frames, bytes that belong to no frame, frames with a bad CRC, frames of unknown messages (skipped), and frames
    rejected for a missing or wrong signature.
    """

    frames: int = 0
    garbage: int = 0
    bad_crc: int = 0
    unknown: int = 0
    unsigned: int = 0

    @property
    def silent(self) -> bool:
        """Whether nothing at all arrived."""
        return not (self.frames or self.garbage or self.bad_crc or self.unknown or self.unsigned)


class MavlinkCodec:
    """Decoder and encoder of one end of one link; implements `talk.flow.Codec`.

    `system` and `component` are ours (255:190 is a ground station). With a `signing_key` (32 bytes) every frame is
    signed and unsigned or wrongly signed frames are rejected; `now_unix` (seconds since 1970) is needed then.
    `outgoing_version` may be set to 1 for a peer that speaks nothing newer; MAVLink 1 cannot be signed.
    """

    def __init__(
        self,
        system: int = 255,
        component: int = 190,
        signing_key: bytes | None = None,
        link_id: int = 0,
        now_unix: Callable[[], float] | None = None,
    ) -> None:
        if signing_key is not None and now_unix is None:
            raise ValueError("signing needs the time: give now_unix")
        self.system = system
        self.component = component
        self.outgoing_version = 2
        self.counts = WireCounts()
        self.takes_unsigned = False
        """Whether what is not signed with the key is taken all the same, as ArduPilot does on its USB port."""
        self._signer = Signer(signing_key, link_id, now_unix) if signing_key is not None and now_unix else None
        self._sequence = 0
        self._buffer = bytearray()
        self._at = 0

    @property
    def signing(self) -> bool:
        """Whether frames are signed and checked."""
        return self._signer is not None

    def sign_with(self, key: bytes | None, now_unix: Callable[[], float], link_id: int = 0) -> None:
        """Sign and check with another key from now on; None stops that."""
        self._signer = Signer(key, link_id, now_unix) if key is not None else None

    # --- out

    def encode(self, name: str, first_bytes: bytes = b"", /, **fields: Any) -> bytes:
        """Give the frame of one message from us. Raises ValueError for unknown messages and fields that do not fit.

        `first_bytes` replace the beginning of the payload, where the largest fields are: the bits of a `param_value`.
        """
        layout = layout_of_name(name)
        payload = layout.encode(fields)
        payload = first_bytes + payload[len(first_bytes) :]
        sequence = self._sequence
        self._sequence = (sequence + 1) & 0xFF
        if self.outgoing_version == 1:
            if layout.id > 255 or self._signer:
                raise ValueError(f"{name} cannot be sent as MAVLink 1")
            payload = payload[: layout.base_size]
            head = struct.pack("<BBBBBB", V1, len(payload), sequence, self.system, self.component, layout.id)
            return self._sealed(head + payload, layout)
        # MAVLink 2 leaves out zero bytes at the end, but at least one byte stays.
        payload = payload.rstrip(b"\0") or payload[:1]
        flags = FLAG_SIGNED if self._signer else 0
        address = (sequence, self.system, self.component, layout.id & 0xFFFF, layout.id >> 16)
        frame = self._sealed(struct.pack("<BBBBBBBHB", V2, len(payload), flags, 0, *address) + payload, layout)
        return self._signer.sign(frame) if self._signer else frame

    def station_heartbeat(self) -> bytes:
        """Give the frame by which we, as a ground station that is active, say that we are there."""
        return self.encode(
            "HEARTBEAT",
            type=GROUND_STATION,
            autopilot=NO_AUTOPILOT,
            base_mode=0,
            custom_mode=0,
            system_status=ACTIVE,
            mavlink_version=3,
        )

    @staticmethod
    def _sealed(frame: bytes, layout: Layout) -> bytes:
        return frame + struct.pack("<H", checksum(frame[1:], layout.crc_extra))

    # --- in

    def receive_data(self, data: bytes) -> None:
        """Take bytes as they came from the link, in any split."""
        if self._at:
            del self._buffer[: self._at]
            self._at = 0
        self._buffer += data
        excess = len(self._buffer) - BUFFER_LIMIT
        if excess > 0:
            self._skip(excess)

    def reset(self) -> None:
        """Forget half-received bytes and what was counted (the link was reopened)."""
        self._buffer.clear()
        self._at = 0
        self.counts = WireCounts()

    def next_event(self) -> Message | None:
        """Give the next message, or None when more bytes are needed."""
        while True:
            found = _START.search(self._buffer, self._at)
            if found is None:
                self._skip(len(self._buffer) - self._at)
                return None
            self._skip(found.start() - self._at)
            size = self._frame_size(self._at)
            if size == 0:
                self._skip(1)
                continue
            if size < 0 or len(self._buffer) - self._at < size:
                if size < 0 or not self._overtake():
                    return None
                continue
            message = self._take(size)
            if message is not None:
                return message

    def _skip(self, count: int) -> None:
        self._at += count
        self.counts.garbage += count

    def _overtake(self) -> bool:
        """Skip an incomplete frame that is longer than its message can be, if a good frame stands behind it.

        A damaged length byte would otherwise hold back up to 280 bytes: several answers on a quiet link.
        """
        buffer, at = self._buffer, self._at
        second = buffer[at] == V2
        layout = layout_of_id(int.from_bytes(buffer[at + 7 : at + 10], "little") if second else buffer[at + 5])
        if layout is not None and buffer[at + 1] <= layout.packer.size:
            return False
        for found in _START.finditer(buffer, at + 1):
            size = self._frame_size(found.start())
            if 0 < size <= len(buffer) - found.start():
                inner, head, number = _header(bytes(buffer[found.start() : found.start() + size]))
                known = layout_of_id(number)
                if known is not None and _good(inner, head, known):
                    self._skip(found.start() - at)
                    return True
        return False

    def _frame_size(self, at: int) -> int:
        """Give the size of the frame that starts at `at`; -1 when its header is not complete, 0 when it is no frame."""
        buffer = self._buffer
        second = buffer[at] == V2
        if len(buffer) - at < (HEADER_V2 if second else HEADER_V1):
            # An unknown flag byte makes it no frame, however long one waits.
            return 0 if second and len(buffer) - at > 2 and buffer[at + 2] & ~FLAG_SIGNED else -1
        length = buffer[at + 1]
        if not second:
            layout = layout_of_id(buffer[at + 5])
            return 0 if layout is not None and length > layout.packer.size else HEADER_V1 + length + CRC_SIZE
        if buffer[at + 2] & ~FLAG_SIGNED:
            return 0
        return HEADER_V2 + length + CRC_SIZE + (SIGNATURE_SIZE if buffer[at + 2] else 0)

    def _take(self, size: int) -> Message | None:
        """Take `size` bytes as a frame if they are one, else skip one byte."""
        frame, head, number = _header(bytes(self._buffer[self._at : self._at + size]))
        layout = layout_of_id(number)
        if layout is None:
            self._pass_unknown(size)
            return None
        if not _good(frame, head, layout):
            self.counts.bad_crc += 1
            self._skip(1)
            return None
        self._at += size
        signed = head == HEADER_V2 and bool(frame[2])
        system, component = frame[head - 5 : head - 3] if head == HEADER_V2 else frame[3:5]
        trusted = self._signer is None or self._trusted(frame, signed, system, component)
        if not trusted and not self.takes_unsigned and number not in UNSIGNED_ALLOWED:
            self.counts.unsigned += 1
            return None
        self.counts.frames += 1
        payload = frame[head : head + frame[1]]
        version = 2 if head == HEADER_V2 else 1
        sequence = frame[4 if head == HEADER_V2 else 2]
        return Message(layout.name, system, component, layout.decode(payload), version, signed, payload, sequence)

    def _trusted(self, frame: bytes, signed: bool, system: int, component: int) -> bool:
        return signed and self._signer is not None and self._signer.accepts(frame, system, component)

    def _pass_unknown(self, size: int) -> None:
        follows = self._buffer[self._at + size : self._at + size + 1]
        if not follows or follows[0] in (V1, V2):
            self._at += size
            self.counts.unknown += 1
        else:
            self._skip(1)


def _header(frame: bytes) -> tuple[bytes, int, int]:
    """Give the frame, the size of its header and its message id."""
    if frame[0] == V2:
        return frame, HEADER_V2, int.from_bytes(frame[7:10], "little")
    return frame, HEADER_V1, frame[5]


def _good(frame: bytes, head: int, layout: Layout) -> bool:
    end = head + frame[1]
    return checksum(frame[1:end], layout.crc_extra) == frame[end] | frame[end + 1] << 8
