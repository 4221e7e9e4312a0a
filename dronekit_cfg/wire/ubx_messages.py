"""The few UBX messages that configure and identify a receiver: their numbers, how they are packed and read.

Layouts from the u-blox interface descriptions of M8 (18), M9 (32), F9 (27) and M10 (34); checked against pyubx2.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum, IntFlag

__all__ = [
    "ACK",
    "CFG_CFG",
    "CFG_RST",
    "MON_VER",
    "NAK",
    "NAV_STATUS",
    "SEC_UNIQID",
    "VALGET",
    "VALSET",
    "Layers",
    "ReadLayer",
    "Version",
    "key_size",
    "parse_status_uptime",
    "parse_uniqid",
    "parse_valget",
    "parse_version",
    "reset_payload",
    "save_payload",
    "valget_payload",
    "valset_payload",
    "wildcard",
]

ACK = (0x05, 0x01)
NAK = (0x05, 0x00)
CFG_RST = (0x06, 0x04)
CFG_CFG = (0x06, 0x09)
VALSET = (0x06, 0x8A)
VALGET = (0x06, 0x8B)
MON_VER = (0x0A, 0x04)
NAV_STATUS = (0x01, 0x03)
SEC_UNIQID = (0x27, 0x03)

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8}
_GENERATIONS = {"00040007": "m6", "00070000": "m7", "00080000": "m8", "00190000": "m9", "000A0000": "m10"}
_TEXT = 30


class Layers(IntFlag):
    """Where VALSET writes: what runs now, what a backup battery keeps, what stays for ever."""

    RAM = 1
    BBR = 2
    FLASH = 4


class ReadLayer(IntEnum):
    """Where VALGET reads."""

    RAM = 0
    BBR = 1
    FLASH = 2
    DEFAULT = 7


@dataclass(frozen=True, slots=True)
class Version:
    """What MON-VER tells. `generation` is m6 to m10 or f9, "" for hardware that we do not know."""

    software: str
    hardware: str
    generation: str
    firmware: str
    protocol: str
    module: str
    extensions: tuple[str, ...] = ()


def key_size(key: int) -> int:
    """Give how many bytes a value of `key` takes; ValueError for a key whose size bits mean nothing."""
    size = _SIZES.get(key >> 28 & 7)
    if size is None:
        raise ValueError(f"0x{key:08x} is no configuration key")
    return size


def valset_payload(layers: int, values: Mapping[int, int]) -> bytes:
    """Pack a VALSET of raw unsigned values, 1 to 64 of them: all are stored, or none. ValueError for others."""
    if not 0 < len(values) <= 64:
        raise ValueError("a VALSET takes 1 to 64 values")
    body = b"".join(struct.pack("<I", k) + v.to_bytes(key_size(k), "little") for k, v in values.items())
    return bytes((0, layers, 0, 0)) + body


def valget_payload(layer: int, keys: Iterable[int]) -> bytes:
    """Pack a request for some keys of one layer."""
    return bytes((0, layer, 0, 0)) + b"".join(struct.pack("<I", key) for key in keys)


def wildcard(key: int) -> int:
    """Give the key that asks for every key of the same group and size."""
    return key | 0xFFFF


def parse_valget(payload: bytes) -> tuple[int, dict[int, int]]:
    """Give layer and raw unsigned values by key of a VALGET answer (or VALSET). ValueError when cut short."""
    if len(payload) < 4:
        raise ValueError("VALGET without its head")
    values: dict[int, int] = {}
    place = 4
    while place < len(payload):
        if place + 4 > len(payload):
            raise ValueError("VALGET with half a key")
        key = int.from_bytes(payload[place : place + 4], "little")
        end = place + 4 + key_size(key)
        if end > len(payload):
            raise ValueError("VALGET with half a value")
        values[key] = int.from_bytes(payload[place + 4 : end], "little")
        place = end
    return payload[1], values


def _text(raw: bytes) -> str:
    return raw.partition(b"\0")[0].decode("ascii", "replace").strip()


def parse_version(payload: bytes) -> Version:
    """Read MON-VER. ValueError when it is cut short."""
    if len(payload) < _TEXT + 10:
        raise ValueError("MON-VER is too short")
    software, hardware = _text(payload[:_TEXT]), _text(payload[_TEXT : _TEXT + 10]).upper()
    extensions = tuple(_text(payload[i : i + _TEXT]) for i in range(_TEXT + 10, len(payload), _TEXT))
    facts = {m[1]: m[2] for e in extensions if (m := re.fullmatch(r"(\w+)[= ](.+)", e))}
    generation = _GENERATIONS.get(hardware, "")
    if generation == "m9" and software.startswith("EXT CORE 1"):
        generation = "f9"
    return Version(
        software,
        hardware,
        generation,
        facts.get("FWVER", software),
        facts.get("PROTVER", ""),
        facts.get("MOD", ""),
        extensions,
    )


def parse_uniqid(payload: bytes) -> str:
    """Give the chip's unique id as hex: 5 bytes up to M9 and F9, 6 from M10 on. ValueError when it is cut short."""
    if len(payload) < 9:
        raise ValueError("SEC-UNIQID is too short")
    return payload[4:10].hex()


def parse_status_uptime(payload: bytes) -> float:
    """Give the seconds since start or reset from NAV-STATUS (its field msss). ValueError when it is cut short."""
    if len(payload) < 16:
        raise ValueError("NAV-STATUS is too short")
    return int.from_bytes(payload[12:16], "little") / 1000


def reset_payload() -> bytes:
    """Pack CFG-RST: hot start (nothing is forgotten), hardware reset after an orderly shutdown.

    The configuration in RAM is built anew from what is stored.
    """
    return struct.pack("<HBB", 0x0000, 0x04, 0)


def save_payload() -> bytes:
    """Pack CFG-CFG that saves all sections of the running configuration to every memory there is (M8 and older)."""
    return struct.pack("<IIIB", 0, 0xFFFF, 0, 0x17)
