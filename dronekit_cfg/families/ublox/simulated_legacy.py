"""The configuration messages of the simulated M8: their bytes, and what a write changes in them."""

from __future__ import annotations

from collections.abc import Mapping

from dronekit_cfg.families.ublox.legacy import MESSAGES, Message, places
from dronekit_cfg.wire.ubx import UbxFrame

__all__ = ["LegacyMemory"]

_GNSS = (0x06, 0x3E)
_BLOCKS = bytes.fromhex(
    "00202007 0008100001000101"  # GPS
    "0101030001000101"  # SBAS
    "0204080000000101"  # Galileo
    "0308100000000101"  # BeiDou
    "0400080000000103"  # IMES
    "0500030001000105"  # QZSS
    "06080e0001000101"  # GLONASS
)
"""CFG-GNSS of a NEO-M8N as it comes: id, reserved and most channels, a zero, flags with the enable bit first."""


class LegacyMemory:
    """The running configuration of one receiver."""

    def __init__(self, values: Mapping[str, int]) -> None:
        self._payloads: dict[Message, bytearray] = {}
        for message in MESSAGES:
            payload = bytearray(_BLOCKS if message.kind == _GNSS else bytes(message.size))
            payload[: len(message.request)] = message.request
            for name, field in places(message, bytes(payload)):
                field.put(payload, values[name])
            self._payloads[message] = payload

    def values(self) -> dict[str, int]:
        """Give the raw value of every setting."""
        return {
            name: field.get(bytes(payload))
            for message, payload in self._payloads.items()
            for name, field in places(message, bytes(payload))
        }

    def poll(self, frame: UbxFrame) -> bytes | None:
        """Give the answer to a poll, None when the frame is none."""
        return next(
            (bytes(p) for m, p in self._payloads.items() if (m.kind, m.request) == (frame.kind, frame.payload)), None
        )

    def _message(self, frame: UbxFrame) -> Message | None:
        return next(
            (
                m
                for m, p in self._payloads.items()
                if m.kind == frame.kind and frame.payload.startswith(m.request) and len(frame.payload) == len(p)
            ),
            None,
        )

    def changed_by(self, frame: UbxFrame) -> set[str] | None:
        """Give the settings that a write would change; None for a message that there is not."""
        message = self._message(frame)
        if message is None:
            return None
        here = self._payloads[message]
        fields = places(message, bytes(here))
        return {name for name, field in fields if field.get(bytes(here)) != field.get(frame.payload)}

    def take(self, frame: UbxFrame) -> None:
        """Carry out a write."""
        message = self._message(frame)
        assert message is not None
        self._payloads[message][:] = frame.payload

    def clamp(self, limits: Mapping[str, int]) -> None:
        """Limit some settings."""
        for message, payload in self._payloads.items():
            for name, field in places(message, bytes(payload)):
                if name in limits and field.get(bytes(payload)) > limits[name]:
                    field.put(payload, limits[name])
