"""The files that the simulated PX4 copter carries: metadata of its settings and events, read over file transfer.

The file server answers as PX4's does for reading: open, read, burst, close, one session for each client. The files are
made of the facts that this package ships; a real vehicle's also hold descriptions.
"""

from __future__ import annotations

import json
import lzma
import struct
from collections.abc import Iterator, Mapping
from typing import Any

from dronekit_cfg.catalog.store import spec_for
from dronekit_cfg.families.px4.simulated_events import EVENTS
from dronekit_cfg.model import Kind, SettingSpec
from dronekit_cfg.talk.mavlink_metadata import EVENTS as EVENT_TYPE
from dronekit_cfg.talk.mavlink_metadata import PARAMETERS as PARAMETER_TYPE
from dronekit_cfg.talk.mavlink_metadata import crc32

__all__ = ["GENERAL", "FileServer", "make_files"]

GENERAL = "/etc/extras/component_general.json.xz"
PARAMETERS = "/etc/extras/parameters.json.xz"
ALL_EVENTS = "/etc/extras/all_events.json.xz"
_HEAD = struct.Struct("<HBBBBBxI")
_TYPES = {Kind.INT32: "Int32", Kind.REAL32: "Float"}
TERMINATE, RESET, OPEN, READ, BURST, ACK, NAK = 1, 2, 4, 5, 15, 128, 129
UNKNOWN_COMMAND, NO_FILE, END_OF_FILE, NOT_OPEN = 7, 10, 6, 4
BLOCK, SESSION = 239, 0


def make_files(*, wrong_crc: bool = False) -> Mapping[str, bytes]:
    """Give every file by its path. `wrong_crc`: what the general file says of the parameters is not true."""
    spec = spec_for("px4", "copter", "1.16.0")
    entries = [_entry(s) for s in spec.settings.values()] if spec else []
    files = {
        PARAMETERS: _packed({"version": 1, "parameters": entries}),
        ALL_EVENTS: _packed(EVENTS),
    }
    crc = crc32(files[PARAMETERS]) ^ wrong_crc
    kinds = ((PARAMETER_TYPE, PARAMETERS, crc), (EVENT_TYPE, ALL_EVENTS, crc32(files[ALL_EVENTS])))
    types = [{"type": kind, "uri": f"mftp:/{path}", "fileCrc": crc} for kind, path, crc in kinds]
    return {GENERAL: _packed({"version": 1, "metadataTypes": types}), **files}


def _packed(content: Any) -> bytes:
    return lzma.compress(json.dumps(content, separators=(",", ":")).encode(), preset=0)


def _entry(fact: SettingSpec) -> dict[str, Any]:
    raw: dict[str, Any] = {"name": fact.name, "type": _TYPES.get(fact.kind or Kind.REAL32, "Float")}
    raw |= {"min": fact.minimum, "max": fact.maximum, "default": fact.default, "units": fact.unit}
    raw |= {"values": [{"value": v, "description": label} for v, label in fact.values.items()]}
    raw |= {"bitmask": [{"index": i, "description": label} for i, label in fact.bits.items()]}
    raw |= {"rebootRequired": fact.reboot, "volatile": fact.volatile, "readOnly": fact.read_only}
    return {key: value for key, value in raw.items() if value not in (None, "", [], False)}


class FileServer:
    """Answers file transfer requests."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self._open = b""

    def answer(self, payload: bytes) -> Iterator[bytes]:
        """Give the replies to one request."""
        sequence, session, op, size, _, _, offset = _HEAD.unpack_from(payload)
        data = payload[_HEAD.size : _HEAD.size + size]

        def reply(kind: int, content: bytes, number: int = 1, at: int = offset, *, last: bool = False) -> bytes:
            return _HEAD.pack((sequence + number) & 0xFFFF, SESSION, kind, len(content), op, last, at) + content

        if op in (TERMINATE, RESET):
            self._open = b""
            yield reply(ACK, b"")
        elif op == OPEN:
            found = self._files.get("/" + data.rstrip(b"\0").decode("utf-8", "replace").lstrip("/"))
            self._open = found or b""
            yield reply(NAK, bytes((NO_FILE,))) if found is None else reply(ACK, struct.pack("<I", len(found)))
        elif op not in (READ, BURST):
            yield reply(NAK, bytes((UNKNOWN_COMMAND,)))
        elif session != SESSION or not self._open:
            yield reply(NAK, bytes((NOT_OPEN,)))
        elif offset >= len(self._open):
            yield reply(NAK, bytes((END_OF_FILE,)))
        elif op == READ:
            yield reply(ACK, self._open[offset : offset + min(size, BLOCK)])
        else:
            for number, at in enumerate(range(offset, len(self._open), min(size or BLOCK, BLOCK)), 1):
                part = self._open[at : at + min(size or BLOCK, BLOCK)]
                yield reply(ACK, part, number, at, last=at + len(part) >= len(self._open))
