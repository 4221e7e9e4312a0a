"""A ground station on a virtual clock that talks to the simulated ArduCopter through pymavlink's packer and parser."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from dronekit_cfg.families.ardupilot.simulated import make_simulated

GOLDEN = Path(__file__).parents[2] / "golden" / "ardupilot_twin"
PCK = b"@PARAM/param.pck"


class Rig:
    """One vehicle and what it said; `now` only moves when a method lets time pass."""

    def __init__(self, state_dir: Path | None, options: dict[str, str]) -> None:
        self.vehicle = make_simulated("ardupilot-copter", options, state_dir=state_dir)
        self.now = 0.0
        self.console = b""
        self.pack = mavlink.MAVLink(None, srcSystem=255, srcComponent=190)
        self._parser = mavlink.MAVLink(None)
        self._parser.robust_parsing = True
        self.vehicle.connected(0.0)

    def send(self, message: Any) -> None:
        self.vehicle.receive(message.pack(self.pack), self.now)

    def wait(self, seconds: float) -> list[tuple[float, Any]]:
        """Let time pass; give (time, message) of everything that was said."""
        until = self.now + seconds
        heard: list[tuple[float, Any]] = []
        while True:
            heard += [(self.now, m) for m in self._parse(self.vehicle.poll(self.now))]
            if self.now >= until or self.vehicle.hung_up:
                break
            self.now = min(until, max(self.vehicle.next_due(self.now), self.now + 0.0001))
        self.now = until
        return heard

    def ask(self, message: Any, seconds: float = 0.5) -> list[Any]:
        self.send(message)
        return [m for _, m in self.wait(seconds) if m.get_type() != "HEARTBEAT"]

    def set(self, name: str, value: float, seconds: float = 0.02) -> list[Any]:
        """Give the echoes of a write (all PARAM_VALUE that came)."""
        heard = self.ask(self.pack.param_set_encode(1, 1, name.encode(), value, 9), seconds)
        return [m for m in heard if m.get_type() == "PARAM_VALUE"]

    def get(self, name: str) -> float | None:
        heard = self.ask(self.pack.param_request_read_encode(1, 1, name.encode(), -1), 0.15)
        values = [m.param_value for m in heard if m.get_type() == "PARAM_VALUE"]
        return values[0] if values else None

    def command(self, number: int, *params: float, seconds: float = 0.05, system: int = 1) -> tuple[int | None, Any]:
        """Give (result, everything else that was said)."""
        filled = [*params, *([0.0] * (7 - len(params)))]
        heard = self.ask(self.pack.command_long_encode(system, 1, number, 0, *filled), seconds)
        acks = [m.result for m in heard if m.get_type() == "COMMAND_ACK" and m.command == number]
        return (acks[0] if acks else None), [m for m in heard if m.get_type() != "COMMAND_ACK"]

    def listed(self) -> dict[str, tuple[int, float, int]]:
        """Download the list; give index, value and type by name."""
        heard = self.ask(self.pack.param_request_list_encode(1, 1), 2.0)
        return {
            m.param_id: (m.param_index, m.param_value, m.param_type)
            for m in heard
            if m.get_type() == "PARAM_VALUE" and m.param_index != 65535
        }

    def reboot(self, seconds: float = 3.0) -> list[Any]:
        """Reboot by command, reconnect at once, and let the boot pass; give what was said."""
        assert self.command(246, 1, seconds=0.3)[0] == 0
        assert self.vehicle.hung_up
        return self.reconnect(seconds)

    def reconnect(self, seconds: float = 3.0) -> list[Any]:
        self.vehicle.connected(self.now)
        assert not self.vehicle.hung_up
        self.send(self.pack.heartbeat_encode(6, 8, 0, 0, 4))
        return [m for _, m in self.wait(seconds)]

    def ftp(
        self, sequence: int, session: int, op: int, data: bytes = b"", **more: Any
    ) -> list[tuple[int, int, int, int, int, int, int, bytes]]:
        """Send a file transfer request; give (sequence, session, op, size, request op, complete, offset, data)."""
        size, offset = more.get("size", len(data)), more.get("offset", 0)
        payload = struct.pack("<HBBBBBBI", sequence, session, op, size, 0, 0, 0, offset) + data
        heard = self.ask(
            self.pack.file_transfer_protocol_encode(0, 1, 1, list(payload.ljust(251, b"\0"))), more.get("seconds", 0.05)
        )
        return [unpacked(bytes(m.payload)) for m in heard if m.get_type() == "FILE_TRANSFER_PROTOCOL"]

    def download(self, query: bytes = b"?withdefaults=1", size: int = 239) -> bytes:
        """Fetch the packed file with one burst."""
        name = PCK + query
        assert self.ftp(1, 0, 4, name)[0][2] == 128
        blocks = {r[6]: r[7] for r in self.ftp(2, 0, 15, size=size, seconds=3.0) if r[2] == 128}
        self.ftp(900, 0, 1)
        return b"".join(blocks[offset] for offset in sorted(blocks))

    def upload(self, content: bytes, session: int = 3) -> None:
        assert self.ftp(100, session, 6, PCK)[0][2] == 128
        for number, offset in enumerate(range(0, len(content), 200)):
            assert self.ftp(101 + number, session, 7, content[offset : offset + 200], offset=offset)[0][2] == 128
        assert self.ftp(800, session, 1, seconds=1.0)[0][2] == 128

    def _parse(self, data: bytes) -> list[Any]:
        found = self._parser.parse_buffer(data) or []
        self.console += b"".join(bytes(m.data) for m in found if m.get_type() == "BAD_DATA")
        return [m for m in found if m.get_type() != "BAD_DATA"]


def unpacked(payload: bytes) -> tuple[int, int, int, int, int, int, int, bytes]:
    head = struct.unpack_from("<HBBBBBxI", payload)
    return (*head, payload[12 : 12 + head[3]])


def packed(records: list[tuple[str, int, float]], magic: int = 0x671B, length: int | None = None) -> bytes:
    """Write an upload file by hand, without common prefixes."""
    formats = {1: "<b", 2: "<h", 3: "<i", 4: "<f"}
    body = b"".join(
        bytes((kind, (len(name) - 1) << 4)) + name.encode() + struct.pack(formats[kind], value)
        for name, kind, value in records
    )
    return struct.pack("<HHH", magic, len(records), len(body) + 6 if length is None else length) + body


@pytest.fixture
def rig() -> Callable[..., Rig]:
    """Make a vehicle: `rig(version="4.5", fault="deaf")`; `state_dir=` gives it a memory."""

    def make(state_dir: Path | None = None, **options: str) -> Rig:
        return Rig(state_dir, options)

    return make


@pytest.fixture
def make_upload() -> Callable[..., bytes]:
    return packed


@pytest.fixture
def golden() -> Callable[[str], bytes]:
    def read(name: str) -> bytes:
        return gzip.decompress((GOLDEN / name).read_bytes())

    return read


@pytest.fixture
def session() -> Callable[[str], Iterator[tuple[float, str, bytes]]]:
    """Give (time, direction, bytes) of a session recorded from the real firmware."""

    def read(version: str) -> Iterator[tuple[float, str, bytes]]:
        for line in gzip.decompress((GOLDEN / f"session-{version}.jsonl.gz").read_bytes()).splitlines():
            row = json.loads(line)
            yield row["t"], row["dir"], bytes.fromhex(row["hex"])

    return read
