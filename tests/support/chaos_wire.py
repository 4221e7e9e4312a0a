"""A wire on a virtual clock behind a chaos link, and frames that carry their number, so that each can be followed."""

from __future__ import annotations

import math
from collections import deque

from dronekit_cfg.errors import LinkLost
from dronekit_cfg.links.chaos import ChaosLink, Faults
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.links.common import BaseLink


def frame(number: int, size: int = 13) -> bytes:
    """Make a MAVLink 2 shaped frame of `size` + 12 bytes that carries its number."""
    return bytes([0xFD, size, 0, 0, number & 0xFF, 1, 1, 0, 0, 0]) + number.to_bytes(4, "big") + bytes(size - 2)


def number(data: bytes) -> int:
    return int.from_bytes(data[10:14], "big")


class Wire(BaseLink):
    """What a test puts into `arrives` can be read at its time; what is written is kept with its time."""

    def __init__(self, clock: VirtualClock, baud: int = 0) -> None:
        super().__init__("test:wire", baud)
        self.clock = clock
        self.arrives: deque[tuple[float, bytes]] = deque()
        self.written: list[tuple[float, bytes]] = []
        self.state = "closed"
        self.lost_at = math.inf

    def open(self) -> None:
        self.state = "open"

    def close(self) -> None:
        self.state = "closed"

    def read(self, timeout: float) -> bytes:
        deadline = self.clock.now() + timeout
        moment = min(self.arrives[0][0] if self.arrives else math.inf, self.lost_at)
        if moment > deadline:
            self.clock.sleep(timeout)
            return b""
        self.clock.sleep(moment - self.clock.now())
        if self.clock.now() >= self.lost_at and not (self.arrives and self.arrives[0][0] <= self.lost_at):
            raise LinkLost("unplugged")
        return self.arrives.popleft()[1]

    def write(self, data: bytes) -> None:
        self.written.append((self.clock.now(), data))

    @property
    def frames(self) -> list[int]:
        stream = b"".join(data for _, data in self.written)
        return [number(stream[i : i + 25]) for i in range(0, len(stream), 25)]


def opened(clock: VirtualClock, faults: Faults, baud: int = 0) -> tuple[ChaosLink, Wire]:
    wire = Wire(clock, baud)
    link = ChaosLink(wire, faults, clock)
    link.open()
    return link, wire


def send(link: ChaosLink, count: int) -> None:
    for i in range(count):
        link.write(frame(i))


def receive(link: ChaosLink, wire: Wire, count: int, seconds: float = 5.0) -> bytes:
    now = wire.clock.now()
    wire.arrives.extend((now, frame(i)) for i in range(count))
    got = bytearray()
    while data := link.read(seconds):
        got += data
    return bytes(got)


def split(stream: bytes) -> list[int]:
    return [number(stream[i : i + 25]) for i in range(0, len(stream), 25)]
