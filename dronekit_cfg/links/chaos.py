"""A fault model around any link: loses, doubles, damages, swaps and delays frames, slows the line, cuts it.

Each direction is a lane: a line of limited speed that carries one unit after another (a MAVLink frame, or at most 64
other bytes, see `frames`), then a delay. Every unit draws the same number of random values whatever the faults are, and
each direction has its own generator, so one seed gives one story: the same traffic meets the same faults, on a real
clock as on a virtual one, and raising one fault does not reshuffle the others.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from typing import Any

from dronekit_cfg.errors import LinkError, LinkLost, LinkOpenError
from dronekit_cfg.links.base import Clock, Link
from dronekit_cfg.links.common import BaseLink
from dronekit_cfg.links.frames import FrameSplitter
from dronekit_cfg.text import t

__all__ = ["ChaosLink", "Counts", "Faults"]

_BITS_PER_BYTE = 10  # start bit, eight data bits, stop bit
_BUFFER_BYTES = 4096  # what a driver takes before a write waits, and what we read ahead of the line
_PARTIAL_SECONDS = 0.1  # after that the rest of a frame is not coming: 280 bytes last 49 ms at 57600 baud
_SWAP_SECONDS = 0.1  # a unit waits so long for the one that shall overtake it


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong. Shares are probabilities per unit from 0 to 1, times are seconds, `baud` is bits per second.

    `ber` is the share of bits that a radio gets wrong: long frames suffer more than short ones, which `loss` and
    `corrupt` do not tell apart. `rx_loss` and `tx_loss` replace `loss` for what we receive and send. The link is
    lost `cut_after` seconds after it was opened, once, and can be reopened `cut_for` seconds later (never, when
    that is None).

    `burst` is the probability that a burst of losses begins with a unit; it lasts `burst_units` on average. Nothing
    comes through for `stall_for` seconds from `stall_after` seconds after the first opening, and then everything
    does.
    """

    loss: float = 0.0
    rx_loss: float | None = None
    tx_loss: float | None = None
    dup: float = 0.0
    corrupt: float = 0.0
    ber: float = 0.0
    reorder: float = 0.0
    latency: float = 0.0
    jitter: float = 0.0
    baud: int = 0
    cut_after: float | None = None
    cut_for: float | None = None
    burst: float = 0.0
    burst_units: float = 8.0
    stall_after: float | None = None
    stall_for: float = 5.0
    seed: int = 0

    @classmethod
    def from_options(cls, options: Mapping[str, str]) -> Faults:
        """Read the options of a link URL (checked by `url.parse`)."""
        whole = {"baud", "seed"}
        known = {item.name for item in fields(cls)}
        values: dict[str, Any] = {n: int(v) if n in whole else float(v) for n, v in options.items() if n in known}
        return cls(**values)


@dataclass(slots=True)
class Counts:
    """What happened to the units of one direction so far."""

    units: int = 0
    lost: int = 0
    doubled: int = 0
    corrupted: int = 0
    swapped: int = 0


@dataclass(slots=True)
class _Lane:
    """One direction of the line. Units come out in order of their due time."""

    faults: Faults
    loss: float
    rng: random.Random
    burst_rng: random.Random
    counts: Counts = field(default_factory=Counts)
    _splitter: FrameSplitter = field(default_factory=FrameSplitter)
    _queue: deque[tuple[float, bytes]] = field(default_factory=deque)
    _held: tuple[float, bytes] | None = None
    _line_free: float = -math.inf
    _partial_until: float = math.inf
    _in_burst: bool = False
    stalled: tuple[float, float] = (math.inf, math.inf)
    """From when to when nothing comes through."""

    def put(self, data: bytes, now: float) -> None:
        """Take bytes that enter the lane at `now`."""
        for unit in self._splitter.feed(data):
            self._carry(unit, now)
        self._partial_until = now + _PARTIAL_SECONDS if self._splitter.pending else math.inf

    def _carry(self, unit: bytes, now: float) -> None:
        lose, double, damage, swap, late, place, bit = (self.rng.random() for _ in range(7))
        self.counts.units += 1
        if self.faults.baud:
            self._line_free = max(now, self._line_free) + len(unit) * _BITS_PER_BYTE / self.faults.baud
        if self._burst_takes_it() or lose < self.loss:
            self.counts.lost += 1
            return
        sent = max(now, self._line_free)
        due = max(sent + self.faults.latency + late * self.faults.jitter, self._last_due())
        if self.stalled[0] <= due < self.stalled[1]:
            due = self.stalled[1]
        if damage < self._damaged(len(unit)):
            self.counts.corrupted += 1
            at = int(place * len(unit))
            unit = unit[:at] + bytes([unit[at] ^ (1 << int(bit * 8))]) + unit[at + 1 :]
        copies = 1
        if double < self.faults.dup:
            self.counts.doubled += 1
            copies = 2
        if swap < self.faults.reorder and self._held is None:
            self.counts.swapped += 1
            self._held = (due + _SWAP_SECONDS, unit * copies)
            return
        self._queue.extend([(due, unit)] * copies)
        if self._held is not None:
            self._queue.append((due, self._held[1]))
            self._held = None

    def _burst_takes_it(self) -> bool:
        """Go on with a burst of losses or begin one [Gilbert's model]; bursts have dice of their own."""
        if not self.faults.burst:
            return False
        chance = 1 - 1 / max(1.0, self.faults.burst_units) if self._in_burst else self.faults.burst
        self._in_burst = self.burst_rng.random() < chance
        return self._in_burst

    def _damaged(self, size: int) -> float:
        """Give the probability that a unit is damaged: the longer it is, the likelier at a given bit error rate."""
        return 1 - (1 - self.faults.corrupt) * (1 - self.faults.ber) ** (8 * size)

    def _last_due(self) -> float:
        return self._queue[-1][0] if self._queue else -math.inf

    def take(self, now: float) -> bytes:
        """Give what has come out by `now`."""
        if now >= self._partial_until:
            self._partial_until = math.inf
            for piece in self._splitter.flush():
                self._carry(piece, now)
        if self._held is not None and now >= self._held[0]:
            self._queue.append((max(now, self._last_due()), self._held[1]))
            self._held = None
        out = bytearray()
        while self._queue and self._queue[0][0] <= now:
            out += self._queue.popleft()[1]
        return bytes(out)

    def next_due(self) -> float:
        """When `take` will next have something, infinity for never."""
        first = self._queue[0][0] if self._queue else math.inf
        return min(first, self._partial_until, self._held[0] if self._held else math.inf)

    def room_at(self) -> float:
        """When the line's buffer has room again (a moment, because sums of waits never quite meet it)."""
        if not self.faults.baud:
            return -math.inf
        return self._line_free - _BUFFER_BYTES * _BITS_PER_BYTE / self.faults.baud

    def drain(self) -> bytes:
        """Give all that is still under way, whenever it is due."""
        return self.take(math.inf)

    def clear(self) -> None:
        """Forget what is under way; the random story goes on."""
        self._splitter.flush()
        self._queue.clear()
        self._held = None
        self._line_free = -math.inf
        self._partial_until = math.inf


class ChaosLink(BaseLink):
    """A link with faults. `rx` and `tx` count what happened; `baud` is the slower of the inner link and the fault."""

    def __init__(self, inner: Link, faults: Faults, clock: Clock) -> None:
        known = [baud for baud in (inner.baud, faults.baud) if baud]
        super().__init__(inner.url, min(known, default=0))
        self._inner = inner
        self._faults = faults
        self._clock = clock
        self._rx_lane = self._lane("rx", faults.rx_loss)
        self._tx_lane = self._lane("tx", faults.tx_loss)
        self._is_open = False
        self._gone: LinkLost | None = None
        self._cut_at: float | None = None
        self._back_at = -math.inf

    def _lane(self, direction: str, loss: float | None) -> _Lane:
        seed = f"{self._faults.seed}:{direction}"
        rng, bursts = random.Random(seed), random.Random(f"{seed}:burst")  # noqa: S311  a repeatable story, no secret
        return _Lane(self._faults, self._faults.loss if loss is None else loss, rng, bursts)

    @property
    def rx(self) -> Counts:
        """What happened to what we receive."""
        return self._rx_lane.counts

    @property
    def tx(self) -> Counts:
        """What happened to what we send."""
        return self._tx_lane.counts

    def open(self) -> None:
        """Open the inner link; the time to the cut runs from the first opening."""
        if self._is_open:
            return
        self._refuse_while_cut()
        self._inner.open()
        self.place = self._inner.place
        self._start()

    def _start(self) -> None:
        self._is_open = True
        self._gone = None
        if self._cut_at is None:
            after = self._faults.cut_after
            self._cut_at = math.inf if after is None else self._clock.now() + after
            if self._faults.stall_after is not None:
                start = self._clock.now() + self._faults.stall_after
                for lane in (self._rx_lane, self._tx_lane):
                    lane.stalled = (start, start + self._faults.stall_for)

    def _refuse_while_cut(self) -> None:
        if self._clock.now() < self._back_at:
            raise LinkOpenError(
                t("cannot open {url}: the link is cut", url=self.url), hint=t("wait, or leave cut_after out of the URL")
            )

    def _check_cut(self) -> None:
        """Lose the link when its time has come."""
        if self._gone is not None and not self._is_open:
            raise self._gone
        if self._cut_at is None or self._clock.now() < self._cut_at:
            return
        self._back_at = math.inf if self._faults.cut_for is None else self._cut_at + self._faults.cut_for
        self._cut_at = math.inf
        self._rx_lane.clear()
        self._tx_lane.clear()
        self._is_open = False
        self._inner.close()
        self._gone = LinkLost(
            t("{url} was lost: cut by the fault model", url=self.url), hint=t("leave cut_after out of the URL")
        )
        raise self._gone

    def write(self, data: bytes) -> None:
        """Put `data` on the line; waits while the line's buffer is full, as a driver does."""
        self._check_cut()
        self._tx_lane.put(data, self._clock.now())
        self._deliver()
        while (room_at := self._tx_lane.room_at()) > self._clock.now():
            self._clock.sleep(self._until(room_at))
            self._check_cut()
            self._deliver()

    def _deliver(self) -> None:
        """Hand to the inner link what has come through."""
        data = self._tx_lane.take(self._clock.now())
        if data:
            self._inner.write(data)

    def _until(self, moment: float) -> float:
        """Give how long to wait for `moment`, the next unit to send, or the cut: whichever is first."""
        cut = math.inf if self._cut_at is None else self._cut_at
        return max(0.0, min(moment, self._tx_lane.next_due(), cut) - self._clock.now())

    def read(self, timeout: float) -> bytes:
        """Give what came through, waiting at most `timeout` seconds."""
        deadline = self._clock.now() + timeout
        while True:
            self._check_cut()
            self._deliver()
            if data := self._rx_lane.take(self._clock.now()):
                return data
            if self._gone is not None and self._rx_lane.next_due() == math.inf:
                raise self._gone
            self._take_in(self._until(min(deadline, self._rx_lane.next_due())))
            if self._clock.now() >= deadline:
                return self._rx_lane.take(self._clock.now())

    def _take_in(self, wait: float) -> None:
        """Let at most `wait` seconds pass, taking what the inner link gives unless the line is behind with it."""
        start = self._clock.now()
        if self._gone is not None or (room_at := self._rx_lane.room_at()) > start:
            self._clock.sleep(wait if self._gone is not None else min(wait, room_at - start))
            return
        try:
            data = self._inner.read(wait)
        except LinkLost as error:
            self._gone = error  # first give out what was under way
            return
        now = self._clock.now()
        if data:
            self._rx_lane.put(data, now)
        elif now < start + wait:  # an inner link that does not wait on our clock
            self._clock.sleep(start + wait - now)

    def set_baud(self, baud: int) -> bool:
        """Change the speed of the inner link, once all that was sent has left."""
        self._settle()
        changed = self._inner.set_baud(baud)
        self.baud = self._inner.baud
        return changed

    def reopen(self) -> None:
        """Open again; raises `LinkOpenError` while the link is cut."""
        self._settle()
        self._refuse_while_cut()
        self._is_open = False
        self._inner.reopen()
        self._start()

    def close(self) -> None:
        """Send what is still under way, and close."""
        self._settle()
        self._is_open = False
        self._inner.close()

    def _settle(self) -> None:
        """Let what we sent arrive (a reboot command is often the last thing sent); forget what we did not read."""
        rest = self._tx_lane.drain()
        if rest and self._is_open:
            with suppress(LinkError):  # it is closed for good in a moment
                self._inner.write(rest)
        self._rx_lane.clear()
        self._tx_lane.clear()
