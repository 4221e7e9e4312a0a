"""A small lossy vehicle that speaks MAVLink through pymavlink's packer and parser, and a bench with a virtual clock.

It is written from the facts in GCS_Param.cpp and GCS_FTP.cpp, independent of the code under test.
"""

from __future__ import annotations

import heapq
import math
import random
import struct
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from dronekit_cfg.errors import LinkLost
from dronekit_cfg.events import Event
from dronekit_cfg.talk.flow import Session

TYPES = {"INT8": (2, 1, "<b"), "INT16": (4, 2, "<h"), "INT32": (6, 3, "<i"), "REAL32": (9, 4, "<f")}
RANGES = {"INT8": (-128, 127), "INT16": (-32768, 32767), "INT32": (-(2**31), 2**31 - 1)}


def as_float32(x: float) -> float:
    return float(struct.unpack("<f", struct.pack("<f", x))[0])


@dataclass
class Fake:
    """One vehicle. `params` maps names to [kind, value]; names in `hidden` are known but not listed."""

    params: dict[str, list[Any]]
    hidden: set[str] = field(default_factory=set)
    system: int = 1
    component: int = 1
    type: int = 2
    autopilot: int = 3
    version: int = 0x040506FF
    board: int = 1013 << 16
    uid2: bytes = bytes(range(1, 13)) + bytes(6)
    capabilities: int = 0xFBEF
    base_mode: int = 81
    loss_up: float = 0.0
    loss_down: float = 0.0
    latency: float = 0.01
    seed: int = 1
    mute: bool = False
    deaf: bool = False
    only_v1: bool = False
    answers_512: bool = True
    late: dict[str, list[float]] = field(default_factory=dict)  # stale echoes: values sent before the true one
    lose_echo: Counter[str] = field(default_factory=Counter)
    lose_set: Counter[str] = field(default_factory=Counter)
    denied: set[str] = field(default_factory=set)
    read_only_quietly: set[str] = field(default_factory=set)
    full: bool = False
    param_error: bool = False
    reboot_result: int = 0
    lose_reboot_ack: bool = False
    packed: bytes = b""
    boot_time: float = 1000.0
    lose_blocks: set[int] = field(default_factory=set)
    key: bytes = b""

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.rx = mavlink.MAVLink(None)
        self.rx.robust_parsing = True
        self.tx = mavlink.MAVLink(None, srcSystem=self.system, srcComponent=self.component)
        if self.key:
            self.rx.signing.secret_key = self.key
            self.rx.signing.sign_outgoing = True
            self.rx.signing.timestamp = 1
            self.tx.signing = self.rx.signing
        self.outbox: list[tuple[float, int, bytes]] = []
        self.order = 0
        self.beat = 1000.3
        self.heard: list[Any] = []
        self.gone = False
        self.sets: list[tuple[str, float]] = []
        self.fd = ""
        self.session = -1
        self.ftp_used = -math.inf
        self.ftp_free = 0.0
        self.written = bytearray()
        self.uploads: list[bytes] = []
        self.read_size = 0
        self.last_reply: tuple[int, int, bytes] | None = None
        self.read_requests: list[int] = []
        self.stream: tuple[int, float, list[str]] = (0, 0.0, [])

    # --- link

    def put(self, message: Any, at: float) -> None:
        data = message.pack(self.tx, force_mavlink1=self.only_v1)
        self.tx.seq = (self.tx.seq + 1) % 256
        if self.mute or self.gone or self.rng.random() < self.loss_down:
            return
        self.order += 1
        heapq.heappush(self.outbox, (at + self.latency, self.order, data))

    def text(self, severity: int, text: str, at: float) -> None:
        self.put(mavlink.MAVLink_statustext_message(severity, text.encode()), at)

    def receive(self, data: bytes, now: float) -> None:
        for message in self.rx.parse_buffer(data) or []:
            assert self.key or message.get_type() != "BAD_DATA"
            if message.get_type() == "BAD_DATA" or self.deaf or self.gone or self.rng.random() < self.loss_up:
                continue
            if self.only_v1 and message.get_msgbuf()[0] != 0xFE:
                continue
            self.heard.append(message)
            target = getattr(message, "target_system", self.system)
            handler = getattr(self, "on_" + message.get_type().lower(), None)
            if handler and target in (0, self.system):
                handler(message, now + self.latency)

    def heartbeat(self, at: float) -> None:
        self.put(mavlink.MAVLink_heartbeat_message(self.type, self.autopilot, self.base_mode, 0, 3, 3), at)

    def next_due(self) -> float:
        stream = self.stream[1] if self.stream[0] < len(self.stream[2]) else math.inf
        return min(self.beat, stream, self.outbox[0][0] if self.outbox else math.inf)

    def poll(self, now: float) -> bytes:
        while self.beat <= now:
            self.heartbeat(self.beat)
            self.beat += 1.0
        index, at, names = self.stream
        while index < len(names) and at <= now:
            self.value(names[index], index, at, count=len(names))
            index, at = index + 1, at + 0.001
        self.stream = (index, at, names)
        data = b""
        while self.outbox and self.outbox[0][0] <= now:
            data += heapq.heappop(self.outbox)[2]
        return data

    # --- commands

    def on_command_long(self, m: Any, now: float) -> None:
        if m.command == 246:
            if self.reboot_result == 0:
                if not self.lose_reboot_ack:
                    self.ack(m, 0, now)
                self.gone = True
            else:
                self.ack(m, self.reboot_result, now)
            return
        if m.command == 520 or (m.command == 512 and self.answers_512):
            number = 148 if m.command == 520 else int(m.param1)
            self.ack(m, 0, now)
            if number == 0:
                self.heartbeat(now)
            if number == 2:
                self.put(mavlink.MAVLink_system_time_message(0, int((now - self.boot_time) * 1000)), now)
            if number == 148:
                self.put(
                    mavlink.MAVLink_autopilot_version_message(
                        self.capabilities,
                        self.version,
                        0,
                        0,
                        self.board,
                        list(b"7ce11b41"),
                        [0] * 8,
                        [0] * 8,
                        0,
                        0,
                        77,
                        list(self.uid2),
                    ),
                    now,
                )
            return
        self.ack(m, 3, now)

    def ack(self, m: Any, result: int, now: float) -> None:
        self.put(
            mavlink.MAVLink_command_ack_message(m.command, result, 0, 0, m.get_srcSystem(), m.get_srcComponent()), now
        )

    # --- settings

    def listed(self) -> list[str]:
        return [n for n in self.params if n not in self.hidden]

    def value(self, name: str, index: int, now: float, value: float | None = None, count: int = 0) -> None:
        kind, stored = self.params[name]
        number = as_float32(stored if value is None else value)
        total = count or len(self.listed())
        self.put(mavlink.MAVLink_param_value_message(name.encode(), number, TYPES[kind][0], total, index), now)

    def on_param_request_list(self, m: Any, now: float) -> None:
        self.stream = (0, now, self.listed())

    def on_param_request_read(self, m: Any, now: float) -> None:
        if m.param_index >= 0:
            names = self.listed()
            if m.param_index < len(names):
                self.value(names[m.param_index], m.param_index, now)
        elif m.param_id in self.params:
            for stale in self.late.pop(m.param_id + "?", []):
                self.value(m.param_id, 65535, now, stale)
            self.value(m.param_id, 65535, now)
        elif self.param_error:
            self.put(mavlink.MAVLink_param_error_message(255, 190, m.param_id.encode(), -1, 1), now)

    def on_param_set(self, m: Any, now: float) -> None:
        name = m.param_id
        self.sets.append((name, m.param_value))
        if self.lose_set[name] > 0:
            self.lose_set[name] -= 1
            return
        if name not in self.params or not math.isfinite(m.param_value):
            if self.param_error:
                self.put(mavlink.MAVLink_param_error_message(255, 190, name.encode(), -1, 1), now)
            return
        if name in self.denied:
            self.text(4, f"Param write denied ({name})", now)
            self.value(name, 65535, now)
            return
        for stale in self.late.pop(name, []):
            self.value(name, 65535, now, stale)
        kind = self.params[name][0]
        if name not in self.read_only_quietly:
            number: float = m.param_value
            if kind != "REAL32":
                low, high = RANGES[kind]
                number = min(max(int(number), low), high)
            self.params[name][1] = number
        if self.full:
            return
        if self.lose_echo[name] > 0:
            self.lose_echo[name] -= 1
            return
        self.value(name, 65535, now)

    # --- files

    def on_file_transfer_protocol(self, m: Any, now: float) -> None:
        payload = bytes(m.payload)
        seq, session, op, size, _, _, offset = struct.unpack_from("<HBBBBBxI", payload)
        data = payload[12 : 12 + size]
        now = max(now, self.ftp_free)
        if self.last_reply and self.last_reply[0] == seq + 1 and self.last_reply[1] == session:
            self.ftp_put(self.last_reply[2], now)
            return
        busy = self.fd and session != self.session and now - self.ftp_used < 3.0
        if op in (1, 2) and session != self.session:
            self.reply(seq + 1, session, 128, op, now)
        elif busy:
            self.reply(seq + 1, session, 129, op, now, b"\x04")
        else:
            if self.fd and session != self.session:
                self.close()
            {1: self.ftp_close, 2: self.ftp_close, 4: self.ftp_open, 6: self.ftp_open, 5: self.ftp_read}.get(
                op, self.ftp_write if op == 7 else self.ftp_burst
            )(seq, session, op, size, offset, data, now)

    def ftp_put(self, payload: bytes, now: float) -> None:
        self.ftp_used = now
        self.put(mavlink.MAVLink_file_transfer_protocol_message(0, 255, 190, list(payload)), now)

    def reply(
        self,
        seq: int,
        session: int,
        op: int,
        request: int,
        now: float,
        data: bytes = b"",
        offset: int = 0,
        end: int = 0,
    ) -> None:
        head = struct.pack("<HBBBBBxI", seq & 0xFFFF, session, op, len(data), request, end, offset)
        payload = (head + data).ljust(251, b"\0")
        self.last_reply = (seq & 0xFFFF, session, payload)
        self.ftp_put(payload, now)

    def close(self) -> None:
        if self.fd == "w":
            self.uploads.append(bytes(self.written))
        self.fd, self.session = "", -1

    def ftp_close(self, seq: int, session: int, op: int, size: int, offset: int, data: bytes, now: float) -> None:
        self.close()
        self.reply(seq + 1, session, 128, op, now)

    def ftp_open(self, seq: int, session: int, op: int, size: int, offset: int, data: bytes, now: float) -> None:
        if self.fd:
            self.reply(seq + 1, session, 129, op, now, b"\x01")
        elif not data.startswith(b"@PARAM/param.pck"):
            self.reply(seq + 1, session, 129, op, now, b"\x0a")
        else:
            self.fd, self.session, self.read_size = ("r" if op == 4 else "w"), session, 0
            self.written = bytearray()
            self.reply(seq + 1, session, 128, op, now, struct.pack("<I", 1234) if op == 4 else b"")

    def ftp_read(self, seq: int, session: int, op: int, size: int, offset: int, data: bytes, now: float) -> None:
        self.read_requests.append(offset)
        part = self.packed[offset : offset + size]
        if not self.fd:
            self.reply(seq + 1, session, 129, op, now, b"\x0a")
        elif not part:
            self.reply(seq + 1, session, 129, op, now, b"\x06")
        else:
            self.read_size = self.read_size or size
            assert size == self.read_size, "all reads of one session are of one size"
            self.reply(seq + 1, session, 128, op, now, part, offset)

    def ftp_burst(self, seq: int, session: int, op: int, size: int, offset: int, data: bytes, now: float) -> None:
        if not self.fd:
            self.reply(seq + 1, session, 129, op, now, b"\x0a")
            return
        self.read_size = self.read_size or size
        assert size == self.read_size, "all reads of one session are of one size"
        while part := self.packed[offset : offset + size]:
            seq += 1
            now += 0.006
            if offset not in self.lose_blocks:
                self.reply(seq, session, 128, op, now, part, offset, int(len(part) < size))
            offset += min(size, len(part))
        self.ftp_free = now
        self.reply(seq + 1, session, 129, op, now, b"\x06", offset)

    def ftp_write(self, seq: int, session: int, op: int, size: int, offset: int, data: bytes, now: float) -> None:
        self.written[len(self.written) :] = bytes(max(0, offset + size - len(self.written)))
        self.written[offset : offset + size] = data
        self.reply(seq + 1, session, 128, op, now, b"", offset)


class Bench:
    """Drives flows against vehicles on one link, in virtual time."""

    def __init__(self, *vehicles: Fake) -> None:
        self.vehicles = list(vehicles)
        self.time = 1000.0
        self.events: list[Event] = []
        self.sent: list[tuple[float, bytes]] = []
        self.noise: deque[tuple[float, bytes]] = deque()
        self.session = Session(lambda: self.time, self.events.append)
        self.hook: Callable[[float], None] | None = None
        self.cut_when_gone = False

    def run(self, codec: Any, flow: Any) -> Any:
        try:
            wait = next(flow)
            while True:
                if wait.send:
                    self.sent.append((self.time, wait.send))
                    for vehicle in self.vehicles:
                        vehicle.receive(wait.send, self.time)
                if self.cut_when_gone and self.vehicles[0].gone:
                    wait = flow.throw(LinkLost("gone"))
                    continue
                wait = flow.send(None if wait.until is None else self.event(codec, wait.until))
        except StopIteration as done:
            return done.value

    def event(self, codec: Any, until: float) -> Any:
        while (event := codec.next_event()) is None:
            due = min([v.next_due() for v in self.vehicles] + [t for t, _ in self.noise], default=math.inf)
            if max(due, self.time) >= until:
                self.time = max(self.time, until)
                return None
            self.time = max(self.time, due)
            if self.hook:
                self.hook(self.time)
            data = b"".join(v.poll(self.time) for v in self.vehicles)
            while self.noise and self.noise[0][0] <= self.time:
                data += self.noise.popleft()[1]
            codec.receive_data(data)
        return event


def many(count: int = 60) -> dict[str, list[Any]]:
    """Settings of all four kinds; the names share beginnings, and one has 16 characters."""
    kinds = ["INT8", "INT16", "INT32", "REAL32"]
    params = {f"GRP{i // 10}_SETTING{i}": [kinds[i % 4], i] for i in range(count)}
    params |= {"SIXTEEN_CHARS_16": ["INT16", 7], "BATT_CAPACITY": ["INT32", 3300], "FS_THR_VALUE": ["INT16", 975]}
    return params | {"EK3_GPS_CHECK": ["INT8", 31], "PSC_JERK_XY": ["REAL32", 5.0]}


@pytest.fixture
def fake() -> Callable[..., Fake]:
    def make(**options: Any) -> Fake:
        return Fake(options.pop("params", None) or many(), **options)

    return make


@pytest.fixture
def bench() -> Callable[..., Bench]:
    return Bench
