"""Ask a MAVLink vehicle for the metadata that it carries: COMPONENT_METADATA and the files it names.

Facts (MAVLink component metadata protocol, and a recording of PX4 of 2024-10): the message gives the address of a
general file and its CRC; that file, JSON packed with xz, names one file per type with its own CRC. The CRC is a CRC-32
that starts with 0 and is not inverted. Addresses `mftp://` are read over this link; others would need the internet.
"""

from __future__ import annotations

import json
import lzma
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dronekit_cfg.errors import LinkGarbage
from dronekit_cfg.talk.flow import Flow
from dronekit_cfg.talk.mavlink_commands import request_message
from dronekit_cfg.talk.mavlink_conversation import Conversation
from dronekit_cfg.talk.mavlink_ftp import BLOCK, download
from dronekit_cfg.text import t

__all__ = [
    "EVENTS",
    "PARAMETERS",
    "Metadata",
    "MetadataFile",
    "crc32",
    "fetch",
    "listed_files",
    "metadata_files",
    "unpacked",
]

COMPONENT_METADATA = 397
PARAMETERS, EVENTS = 1, 4
"""COMP_METADATA_TYPE."""
_LOCAL = "mftp://"
_LARGEST = 8 << 20
"""Unpacked size of a file at most; PX4's parameters are 0.8 MB."""


@dataclass(frozen=True, slots=True)
class MetadataFile:
    """A file that the vehicle offers: its path there, and its CRC."""

    path: str
    crc: int


def crc32(data: bytes) -> int:
    """Give the CRC as the vehicle counts it."""
    return zlib.crc32(data, 0xFFFFFFFF) ^ 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the vehicle offers, by type.

    `matches` is False when the checksum that the firmware bears in itself is not that of its file, as in a build that
    was put together of two: then the files may be of another version.
    """

    files: Mapping[int, MetadataFile]
    matches: bool = True


def metadata_files(conversation: Conversation) -> Flow[Metadata]:
    """Give the files that the vehicle carries; none when it has none. Raises NoAnswer, FtpRefused, LinkGarbage."""
    message = yield from request_message(conversation, "COMPONENT_METADATA", COMPONENT_METADATA, tries=3)
    if message is None or not message["uri"].startswith(_LOCAL):
        return Metadata({})
    data = yield from download(conversation, _path(message["uri"]), block=BLOCK)
    general = unpacked(data, message["uri"])
    return Metadata(listed_files(general), matches=crc32(data) == message["file_crc"])


def listed_files(general: Any) -> dict[int, MetadataFile]:
    """Give the files on the vehicle that the general file names, by their type. Raises LinkGarbage."""
    found: dict[int, MetadataFile] = {}
    try:
        for entry in general.get("metadataTypes", ()):
            uri = str(entry.get("uri", ""))
            if uri.startswith(_LOCAL):
                found[int(entry.get("type", 0))] = MetadataFile(_path(uri), int(entry.get("fileCrc", 0)))
    except (AttributeError, TypeError, ValueError, OverflowError) as error:
        raise LinkGarbage(t("the vehicle's list of metadata makes no sense ({why})", why=error)) from error
    return found


def fetch(conversation: Conversation, file: MetadataFile) -> Flow[bytes]:
    """Read a file and check its CRC. Raises NoAnswer, FtpRefused, LinkGarbage."""
    data = yield from download(conversation, file.path, block=BLOCK)
    found = crc32(data)
    if found != file.crc:
        raise LinkGarbage(
            t(
                "{path}: its checksum is {found:08x} and should be {wanted:08x}",
                path=file.path,
                found=found,
                wanted=file.crc,
            )
        )
    return data


def unpacked(data: bytes, name: str) -> Any:
    """Give the content of a JSON file, packed with xz or not. Raises LinkGarbage."""
    try:
        if name.endswith((".xz", ".lzma")):
            packed = lzma.LZMADecompressor(memlimit=128 << 20)
            data = packed.decompress(data, max_length=_LARGEST)
            if not packed.eof:
                data = b""  # cut off or too large, which is no JSON either
        return json.loads(data)
    except (lzma.LZMAError, ValueError, EOFError, RecursionError) as error:
        raise LinkGarbage(t("{name}: no readable metadata ({why})", name=name, why=error)) from error


def _path(uri: str) -> str:
    """Give the path of an address: PX4 writes both `mftp:///etc/x` and `mftp://etc/x`."""
    return "/" + uri.removeprefix(_LOCAL).lstrip("/")
