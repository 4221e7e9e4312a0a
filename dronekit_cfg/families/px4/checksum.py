"""PX4's checksum over all settings, `_HASH_CHECK`: proves in four bytes what a vehicle holds.

It is a CRC-32 (reflected, 0xEDB88320, start 0, not inverted) over name and four value bytes of each listed setting in
list order, without those that the metadata flags volatile [src/lib/parameters, param_hash_check]. Checked against a
recording of 2024-10: 889 settings give 0x79D4FEDA.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable

from dronekit_cfg.families.px4.quirks import is_left_out_of_checksum
from dronekit_cfg.model import Kind, Setting

__all__ = ["NAME", "checksum"]

NAME = "_HASH_CHECK"
_ALL_ONES = 0xFFFFFFFF


def checksum(settings: Iterable[Setting]) -> int:
    """Give the checksum of settings in list order."""
    crc = 0
    for setting in settings:
        if is_left_out_of_checksum(setting.name):
            continue
        value = setting.value
        bits = struct.pack("<f" if value.kind is Kind.REAL32 else "<i", value.raw)
        # zlib inverts before and after; PX4 does neither.
        crc = zlib.crc32(setting.name.encode() + bits, crc ^ _ALL_ONES) ^ _ALL_ONES
    return crc
