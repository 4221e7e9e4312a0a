"""What can be learnt by listening to a MAVLink link: how much is lost, what else fills it, and who else uses it."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field

from dronekit_cfg.wire.mavlink import Message

__all__ = ["LinkWatch", "Traffic"]

NO_INDEX = 65535
GCS = 6
JUMP = 40
"""A step of the sequence number beyond this is a restart of the sender and no loss."""
FRAME = 12
ENOUGH = 3
LIST_RUN = 12
"""Values with indexes in a row that tell a list: our own probes wrap around after eight."""
LIST_QUIET = 1.5
"""Seconds without a value of a list after which it counts as over."""
KEPT_SECONDS = 15.0
"""How long another station is remembered."""
OURS = frozenset(
    {
        "AUTOPILOT_VERSION",
        "COMMAND_ACK",
        "FILE_TRANSFER_PROTOCOL",
        "HEARTBEAT",
        "MESSAGE_INTERVAL",
        "PARAM_ERROR",
        "PARAM_VALUE",
        "STATUSTEXT",
    }
)
"""Messages that are no telemetry stream: answers, texts and the heartbeat."""


@dataclass(slots=True)
class Traffic:
    """One kind of telemetry message: how many came, their bytes, and when the first and the last one did."""

    count: int = 0
    size: int = 0
    first: float = 0.0
    last: float = 0.0


@dataclass(slots=True)
class LinkWatch:
    """Listens along. `received` (`size` bytes) and `missed` count frames of the vehicle, by their sequence numbers.

    `streams` is the telemetry by name since `since`; `stations` are other ground stations (system, component) and when
    they were last noticed; `listing` is when the last value of a list came that we did not ask for. `announces`: the
    vehicle tells changed settings again by itself, in the order of the list (PX4), so that only a run from the list's
    beginning on is a list.
    """

    received: int = 0
    missed: int = 0
    size: int = 0
    streams: dict[str, Traffic] = field(default_factory=lambda: defaultdict(Traffic))
    since: float = math.inf
    stations: dict[tuple[int, int], float] = field(default_factory=dict)
    listing: float = -math.inf
    announces: bool = False
    _sequence: int = -1
    _index: int = -1
    _run: int = 0

    @property
    def loss(self) -> float:
        """Share of the vehicle's frames that did not arrive."""
        total = self.received + self.missed
        return self.missed / total if total else 0.0

    @property
    def damage(self) -> float:
        """Share of bytes that ruined their frame, as far as was seen: 0 until three frames were missed."""
        return self.missed / self.size if self.missed >= ENOUGH else 0.0

    def vehicle(self, message: Message, now: float) -> None:
        """Note one message of the vehicle."""
        self.since = min(self.since, now)
        self.size += FRAME + len(message.payload)
        self._count(message.sequence)
        if message.name == "PARAM_VALUE":
            self._list(message["param_index"], now)
        elif message.name not in OURS:
            traffic = self.streams[message.name]
            if not traffic.count:
                traffic.first = now
            traffic.count += 1
            traffic.size += FRAME + len(message.payload)
            traffic.last = now

    def _count(self, sequence: int) -> None:
        if sequence < 0:
            return
        step = (sequence - self._sequence) & 0xFF
        if self._sequence >= 0 and 1 < step <= JUMP:
            self.missed += step - 1
        # A step back or no step is a repeat or a late frame: it says nothing about loss.
        if self._sequence < 0 or 0 < step <= JUMP:
            self.received += 1
            self._sequence = sequence
        elif JUMP < step < 256 - JUMP:
            self._sequence = sequence

    def _list(self, index: int, now: float) -> None:
        if index == NO_INDEX:
            return
        follows = 0 < index - self._index <= 3 and (self._run > 0 or not self.announces or self._index <= 3)
        self._run = self._run + 1 if follows else 0
        self._index = index
        if self._run >= LIST_RUN:
            self.listing = now

    def station(self, system: int, component: int, now: float) -> None:
        """Note that another station uses the link."""
        self.stations[system, component] = now

    def heartbeat(self, message: Message, own: tuple[int, int], now: float) -> None:
        """Note the heartbeat of another ground station."""
        if message["type"] == GCS and (message.system, message.component) != own:
            self.station(message.system, message.component, now)

    def others(self, now: float) -> str:
        """Name the other stations of the last seconds, such as "255:190"; "" when none was noticed."""
        recent = sorted(a for a, when in self.stations.items() if now - when < KEPT_SECONDS)
        return ", ".join(f"{system}:{component}" for system, component in recent)

    def listed_to_another(self, now: float) -> bool:
        """Whether a list of all settings that we did not ask for is on its way."""
        return now - self.listing < LIST_QUIET

    def list_is_ours(self) -> None:
        """Forget a list: it was asked for by us, or it was waited for."""
        self.listing, self._run = -math.inf, 0

    def forget(self) -> None:
        """Drop what a reopened link makes stale: the sequence and the traffic; the loss is of the line and stays."""
        self._sequence = self._index = -1
        self._run = 0
        self.streams.clear()
        self.since, self.listing = math.inf, -math.inf
