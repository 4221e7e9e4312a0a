"""What a u-blox receiver tells about jamming, spoofing and the strength of its signals, without I/O.

Layouts: MON-RF, MON-HW, NAV-STATUS, NAV-SAT and SEC-SIG (versions 1 and 2) of the interface descriptions; compared with
frames of pyubx2 by a test. A state of 0 means unknown or switched off, never "clean".
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "MON_HW",
    "MON_RF",
    "NAV_SAT",
    "SEC_SIG",
    "Band",
    "Signals",
    "parse_hw",
    "parse_rf",
    "parse_sat",
    "parse_security",
    "parse_spoofing",
]

MON_HW = (0x0A, 0x09)
MON_RF = (0x0A, 0x38)
NAV_SAT = (0x01, 0x35)
SEC_SIG = (0x27, 0x09)
_USED = 1 << 3


@dataclass(frozen=True, slots=True)
class Band:
    """One front end: jamming state (0 unknown, 1 ok, 2 warning, 3 critical), CW indicator 0-255, gain 0-8191, noise."""

    state: int
    indicator: int
    gain: int
    noise: int


@dataclass(frozen=True, slots=True)
class Signals:
    """Satellites in use, and the mean of their C/N0 in dBHz (0 without any)."""

    used: int
    strength: float


def parse_rf(payload: bytes) -> tuple[Band, ...]:
    """Read MON-RF. ValueError when it is cut short."""
    if len(payload) < 4 or len(payload) < 4 + 24 * payload[1]:
        raise ValueError("MON-RF is too short")
    blocks = (payload[start : start + 24] for start in range(4, 4 + 24 * payload[1], 24))
    return tuple(Band(b[1] & 3, b[16], _u16(b, 14), _u16(b, 12)) for b in blocks)


def parse_hw(payload: bytes) -> tuple[Band, ...]:
    """Read MON-HW, of receivers that have one front end. ValueError when it is cut short."""
    if len(payload) < 60:
        raise ValueError("MON-HW is too short")
    return (Band(payload[22] >> 2 & 3, payload[45], _u16(payload, 18), _u16(payload, 16)),)


def parse_spoofing(payload: bytes) -> int:
    """Give the spoofing state of NAV-STATUS: 0 unknown, 1 none, 2 indicated, 3 several signs. ValueError when short."""
    if len(payload) < 16:
        raise ValueError("NAV-STATUS is too short")
    return payload[7] >> 3 & 3


def parse_security(payload: bytes) -> tuple[int, int]:
    """Give jamming and spoofing state of SEC-SIG, 0 where the detection is off. ValueError for an unknown layout."""
    version = payload[0] if payload else 0
    if version == 1 and len(payload) >= 12:
        jamming, spoofing = payload[4], payload[8]
    elif version == 2 and len(payload) >= 4:
        jamming, spoofing = payload[1] & 7, payload[1] >> 3
    else:
        raise ValueError("SEC-SIG of an unknown layout")
    return (jamming >> 1 & 3) * (jamming & 1), (spoofing >> 1 & 7) * (spoofing & 1)


def parse_sat(payload: bytes) -> Signals:
    """Read NAV-SAT. ValueError when it is cut short."""
    if len(payload) < 8 or len(payload) < 8 + 12 * payload[5]:
        raise ValueError("NAV-SAT is too short")
    used = [payload[p + 2] for p in range(8, 8 + 12 * payload[5], 12) if payload[p + 8] & _USED]
    return Signals(len(used), sum(used) / len(used) if used else 0.0)


def _u16(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "little")
