"""Payload layouts of the MSP messages that identify a vehicle and read its settings.

Messages grow at their end with every API version, so trailing fields are optional: a layout stops where the bytes end
and the field is None [Betaflight src/main/msp/msp.c mspCommonProcessOutCommand; INAV docs/development/msp]. All numbers
are little endian. Every `parse_*` raises ValueError when even the oldest form does not fit.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from construct import (
    Array,
    Bytes,
    Construct,
    ConstructError,
    GreedyBytes,
    Int8ul,
    Int16ul,
    Int32sl,
    Int32ul,
    Optional,
    Prefixed,
    Struct,
    this,
)

__all__ = [
    "ApiVersion",
    "BoardInfo",
    "BuildInfo",
    "Code",
    "FirmwareVersion",
    "SettingInfo",
    "SettingType",
    "Status",
    "decode_setting",
    "parse_api_version",
    "parse_board_info",
    "parse_build_info",
    "parse_firmware_version",
    "parse_inav_status",
    "parse_pg_list",
    "parse_setting_info",
    "parse_status_ex",
    "parse_uid",
    "parse_variant",
]


class Code(IntEnum):
    """Message numbers used here."""

    API_VERSION = 1
    FC_VARIANT = 2
    FC_VERSION = 3
    BOARD_INFO = 4
    BUILD_INFO = 5
    REBOOT = 68
    BOXIDS = 119
    STATUS_EX = 150
    UID = 160
    INAV_SETTING = 0x1003
    INAV_SETTING_INFO = 0x1007
    INAV_PG_LIST = 0x1008
    INAV_STATUS = 0x2000


class SettingType(IntEnum):
    """Storage types of INAV settings [INAV src/main/fc/settings.h]."""

    UINT8 = 0
    INT8 = 1
    UINT16 = 2
    INT16 = 3
    UINT32 = 4
    FLOAT = 5
    STRING = 6


@dataclass(frozen=True, slots=True)
class ApiVersion:
    """MSP API version, for example 1.47."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


@dataclass(frozen=True, slots=True)
class FirmwareVersion:
    """Version as numbers, and as the full text where the firmware sends one (Betaflight 2025.12 and later)."""

    numbers: tuple[int, int, int]
    text: str


@dataclass(frozen=True, slots=True)
class BoardInfo:
    """Names of the board; "" where this firmware does not tell. `config_state` 2 is configured, 0 fresh defaults."""

    identifier: str
    target: str
    board_name: str = ""
    manufacturer: str = ""
    config_state: int | None = None
    problems: int | None = None


@dataclass(frozen=True, slots=True)
class BuildInfo:
    """When and from which commit the firmware was built."""

    date: str
    time: str
    revision: str


@dataclass(frozen=True, slots=True)
class Status:
    """Mode and arming state. `mode_bits` count as the BOXIDS list does; `flag_count` tells which flag table applies."""

    mode_bits: int
    arming_flags: int
    flag_count: int
    reboot_required: bool
    profile: int
    rate_profile: int


@dataclass(frozen=True, slots=True)
class SettingInfo:
    """One INAV setting. `section` 0 is master; `profile` is the active one, 0-based; `value` its raw bytes."""

    name: str
    group: int
    type: SettingType
    section: int
    lookup: bool
    minimum: int
    maximum: int
    index: int
    profile: int
    profile_count: int
    labels: tuple[str, ...]
    value: bytes


_TEXT = Prefixed(Int8ul, GreedyBytes)
_API = Struct("protocol" / Int8ul, "major" / Int8ul, "minor" / Int8ul)
_VERSION = Struct("numbers" / Array(3, Int8ul), "text" / Optional(_TEXT))
_BOARD = Struct(
    "id" / Bytes(4),
    "revision" / Int16ul,
    "type" / Optional(Int8ul),
    "capabilities" / Optional(Int8ul),
    "target" / Optional(_TEXT),
    "board_name" / Optional(_TEXT),
    "manufacturer" / Optional(_TEXT),
    "signature" / Optional(Bytes(32)),
    "mcu" / Optional(Int8ul),
    "config_state" / Optional(Int8ul),
    "gyro_hz" / Optional(Int16ul),
    "problems" / Optional(Int32ul),
)
_BUILD = Struct("date" / Bytes(11), "time" / Bytes(8), "revision" / Optional(GreedyBytes))
_UID = Array(3, Int32ul)
_STATUS_EX = Struct(
    "cycle" / Int16ul,
    "i2c" / Int16ul,
    "sensors" / Int16ul,
    "modes" / Int32ul,
    "profile" / Int8ul,
    "load" / Int16ul,
    "profiles" / Int8ul,
    "rate_profile" / Int8ul,
    "more" / Int8ul,
    "more_modes" / Bytes(this.more & 0x0F),
    "flag_count" / Int8ul,
    "arming" / Int32ul,
    "config" / Optional(Int8ul),
)
_INAV_STATUS = Struct(
    "cycle" / Int16ul,
    "i2c" / Int16ul,
    "sensors" / Int16ul,
    "load" / Int16ul,
    "profiles" / Int8ul,
    "arming" / Int32ul,
    "rest" / GreedyBytes,
)
_INFO = Struct(
    "group" / Int16ul,
    "type" / Int8ul,
    "section" / Int8ul,
    "mode" / Int8ul,
    "minimum" / Int32sl,
    "maximum" / Int32ul,
    "index" / Int16ul,
    "profile" / Int8ul,
    "profile_count" / Int8ul,
    "rest" / GreedyBytes,
)
_LOOKUP = 0x40


def _parse(layout: Construct[Any, Any], payload: bytes, what: str) -> Any:
    try:
        return layout.parse(payload)
    except ConstructError as error:
        raise ValueError(f"{what} of {len(payload)} bytes is too short or damaged") from error


def _text(raw: bytes | None) -> str:
    return (raw or b"").rstrip(b"\0").decode("latin-1").strip()


def parse_api_version(payload: bytes) -> ApiVersion:
    """Read API_VERSION."""
    found = _parse(_API, payload, "API_VERSION")
    return ApiVersion(found.major, found.minor)


def parse_variant(payload: bytes) -> str:
    """Read FC_VARIANT: "BTFL", "INAV", "ARDU" ..."""
    if len(payload) < 4:
        raise ValueError("FC_VARIANT is too short")
    return _text(payload[:4])


def parse_firmware_version(payload: bytes) -> FirmwareVersion:
    """Read FC_VERSION; from 2025.12 on the first number counts from the year 2000 and a full text follows.

    A text that does not begin with a number, as of somebody's own build, names no version: then the numbers do.
    """
    found = _parse(_VERSION, payload, "FC_VERSION")
    major, minor, patch = found.numbers
    text = _text(found.text)
    if text:
        major += 2000
    return FirmwareVersion((major, minor, patch), text if text[:1].isdecimal() else f"{major}.{minor}.{patch}")


def parse_board_info(payload: bytes) -> BoardInfo:
    """Read BOARD_INFO of any age; INAV's ends after the target name."""
    found = _parse(_BOARD, payload, "BOARD_INFO")
    return BoardInfo(
        _text(found.id),
        _text(found.target),
        _text(found.board_name),
        _text(found.manufacturer),
        found.config_state,
        found.problems,
    )


def parse_build_info(payload: bytes) -> BuildInfo:
    """Read BUILD_INFO; the revision is 7 characters in Betaflight and 8 in INAV."""
    found = _parse(_BUILD, payload, "BUILD_INFO")
    revision = (found.revision or b"")[:8]
    if len(found.revision or b"") != 8:
        revision = revision[:7]
    return BuildInfo(_text(found.date), _text(found.time), _text(revision.split(b"\0")[0]))


def parse_uid(payload: bytes) -> str:
    """Read UID as 24 hex digits, in the order in which the CLI prints `mcu_id`."""
    return "".join(f"{word:08x}" for word in _parse(_UID, payload, "UID"))


def parse_status_ex(payload: bytes) -> Status:
    """Read Betaflight's STATUS_EX."""
    found = _parse(_STATUS_EX, payload, "STATUS_EX")
    modes = found.modes | int.from_bytes(found.more_modes, "little") << 32
    required = bool((found.config or 0) & 1)
    return Status(modes, found.arming, found.flag_count, required, found.profile, found.rate_profile)


def parse_inav_status(payload: bytes) -> Status:
    """Read INAV_STATUS. Its profile byte holds control profile (low half) and battery profile (high half)."""
    found = _parse(_INAV_STATUS, payload, "INAV_STATUS")
    modes = int.from_bytes(found.rest[:-1], "little")
    return Status(modes, found.arming, 32, False, found.profiles & 15, found.profiles >> 4)


def parse_pg_list(payload: bytes) -> tuple[tuple[int, int, int], ...]:
    """Read COMMON_PG_LIST: (group, first setting, last setting) of each parameter group."""
    if len(payload) % 6:
        raise ValueError("PG_LIST is not a whole number of entries")
    return tuple(struct.iter_unpack("<HHH", payload))


def parse_setting_info(payload: bytes) -> SettingInfo:
    """Read COMMON_SETTING_INFO."""
    name, end, rest = payload.partition(b"\0")
    if not end or not name:
        raise ValueError("SETTING_INFO has no name")
    found = _parse(_INFO, rest, "SETTING_INFO")
    labels: tuple[str, ...] = ()
    value = found.rest
    if found.mode & _LOOKUP:
        count = found.maximum - found.minimum + 1
        parts = value.split(b"\0", count)
        if not 0 < count <= 256 or len(parts) != count + 1:
            raise ValueError(f"SETTING_INFO of {name!r} has a damaged list of labels")
        labels, value = tuple(_text(p) for p in parts[:-1]), parts[-1]
    return SettingInfo(
        _text(name),
        found.group,
        SettingType(found.type),
        found.section,
        bool(found.mode & _LOOKUP),
        found.minimum,
        found.maximum,
        found.index,
        found.profile,
        found.profile_count,
        labels,
        value,
    )


_NUMBERS = {
    SettingType.UINT8: "<B",
    SettingType.INT8: "<b",
    SettingType.UINT16: "<H",
    SettingType.INT16: "<h",
    SettingType.UINT32: "<I",
    SettingType.FLOAT: "<f",
}


def decode_setting(info: SettingInfo, raw: bytes) -> int | float | str:
    """Turn the raw bytes of a setting into its number, label or text. Raises ValueError when they do not fit."""
    if info.type is SettingType.STRING:
        return raw.split(b"\0")[0].decode("latin-1")
    try:
        number: int | float = struct.unpack(_NUMBERS[info.type], raw)[0]
    except struct.error as error:
        raise ValueError(f"{info.name} has {len(raw)} bytes") from error
    if not info.lookup:
        return number
    place = int(number) - info.minimum
    return info.labels[place] if 0 <= place < len(info.labels) else str(number)
