"""Predict bytes and seconds of reading, writing and verifying, from the sizes of each protocol's frames. Pure.

Sizes: MAVLink 2 frames have 12 bytes around their payload (13 more when signed); PARAM_SET has 23, PARAM_VALUE 25 and
PARAM_REQUEST_READ 20, none of which end in zeros that could be left out; a file transfer message has 15 before its
data [common.xml; checked against recordings of ArduCopter 4.7-dev]. A text CLI echoes what it is sent, line by line.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dronekit_cfg.model import Change, Plan, Setting, Snapshot, StepKind
from dronekit_cfg.model.cost import Cost
from dronekit_cfg.planner.packed import SIZES, file_order, packable, packed_size

__all__ = ["Forecast", "Line", "Way", "choose_way", "forecast", "predict", "read_cost"]

FRAME = 12
SET, VALUE, READ, HEARTBEAT = FRAME + 23, FRAME + 25, FRAME + 20, FRAME + 9
FTP = FRAME + 15
"""A file transfer message without data; its acknowledgement is as long, or a few zeros shorter."""
WINDOW, FTP_WINDOW, BLOCK = 10, 4, 239
TRIPS_OF_ARM_CHECK, TRIPS_OF_DOWNLOAD, TRIPS_OF_UPLOAD = 1, 2, 4
BATCH = 100
"""Writes between two looks at the arm state (the engine's)."""
WORTH_SECONDS = 1.0
"""What a packed upload must save. Writes one by one tell at once what became of each, so they win a near tie."""
USB_BYTES = 45_000.0
"""What an ArduPilot gives per second where the line is no limit (14.8 kB in 0.33 s, simulator over TCP)."""
TEXT_LINE, TEXT_ECHO = 8, 24
"""A line `set name = value` without name and value, and what a CLI adds to its echo."""


@dataclass(frozen=True, slots=True)
class Line:
    """A link: bytes per second each way, seconds there and back, and the share of frames that are lost.

    `known` says that the speed was told or measured; else it is that of a USB port.
    """

    bytes_per_second: float = USB_BYTES
    round_trip: float = 0.01
    loss: float = 0.0
    known: bool = False

    @classmethod
    def of_baud(cls, baud: int) -> Line:
        """Give the line of a serial speed: ten bits for each byte, and the 40 ms there and back of a radio."""
        return cls(baud / 10, 0.04 if baud <= 115_200 else 0.01, known=True) if baud else cls()

    def cost(self, up: float, down: float, trips: float) -> Cost:
        """Give the cost of bytes both ways at once and of waits; what is lost is sent again."""
        again = 1 / (1 - min(self.loss, 0.9))
        seconds = max(up, down) * again / self.bytes_per_second + trips * self.round_trip * again
        return Cost(round(up * again), round(down * again), round(seconds, 3))


@dataclass(frozen=True, slots=True)
class Way:
    """How a set of changes is written: `packed` as one file (in its order), `single` one by one, and what each costs.

    `alternative` is the cost of the way that was not taken.
    """

    packed: tuple[Change, ...]
    single: tuple[Change, ...]
    cost: Cost
    alternative: Cost | None = None


def read_cost(family: str, settings: Sequence[Setting], line: Line) -> Cost | None:
    """Cost of reading every setting; None for families whose protocol is not modelled."""
    reader = _READERS.get(family)
    return reader(settings, line) if reader else None


def _read_packed(settings: Sequence[Setting], line: Line) -> Cost:
    size = packed_size([(s.name, s.value.kind) for s in settings])
    size += sum(SIZES.get(s.value.kind, 4) for s in settings if s.default and not s.value.same(s.default))
    return line.cost(3 * FTP + 30, size + (math.ceil(size / BLOCK) + 1) * FTP, TRIPS_OF_DOWNLOAD)


def _read_list(settings: Sequence[Setting], line: Line) -> Cost:
    return line.cost(FRAME + 2, len(settings) * VALUE, 1)


def _read_text(settings: Sequence[Setting], line: Line) -> Cost:
    return line.cost(20, sum(len(s.name) + len(str(s.value)) + TEXT_LINE for s in settings), 2)


_READERS: Mapping[str, Callable[[Sequence[Setting], Line], Cost]] = {
    "ardupilot": _read_packed,
    "px4": _read_list,
    "betaflight": _read_text,
    "inav": _read_text,
}


def _singles(count: int, line: Line) -> Cost:
    """PARAM_SETs, ten in flight, each echoed, and the arm state before each hundred."""
    if not count:
        return Cost()
    checks = math.ceil(count / BATCH)
    bytes_trips = count * VALUE / line.bytes_per_second
    waits = max(0.0, count / WINDOW * line.round_trip - bytes_trips) / max(line.round_trip, 1e-9)
    return line.cost(count * SET + checks * SET, count * VALUE + checks * HEARTBEAT * 2, waits + 1 + checks)


def _upload(changes: Sequence[Change], line: Line) -> Cost:
    size = packed_size([(c.name, c.wanted.kind) for c in changes])
    blocks = math.ceil(size / BLOCK)
    trips = TRIPS_OF_UPLOAD + TRIPS_OF_ARM_CHECK + blocks / FTP_WINDOW
    return line.cost(size + (blocks + 3) * FTP, (blocks + 3) * FTP, trips)


def choose_way(family: str, changes: Sequence[Change], known: Mapping[str, Setting], line: Line) -> Way:
    """Choose between one by one and, for ArduPilot, one packed file for what may go packed."""
    if family in {"betaflight", "inav"}:
        up = sum(len(c.name) + len(str(c.wanted)) + TEXT_LINE for c in changes)
        return Way((), tuple(changes), line.cost(up, up + TEXT_ECHO * len(changes), len(changes)))
    alone = _singles(len(changes), line)
    packed = file_order([c for c in changes if packable(c, known.get(c.name))]) if family == "ardupilot" else ()
    if not packed:
        return Way((), tuple(changes), alone)
    names = {c.name for c in packed}
    single = tuple(c for c in changes if c.name not in names)
    mixed = _upload(packed, line) + _singles(len(single), line)
    if alone.seconds - mixed.seconds < WORTH_SECONDS:
        return Way((), tuple(changes), alone, mixed)
    return Way(packed, single, mixed, alone)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What carrying out a plan costs on a line, and how its writes go: `packed` as one file and `single` one by one.

    `saved` are the seconds that the packed file saves over writing all of them one by one.
    """

    cost: Cost
    line: Line
    packed: int = 0
    single: int = 0
    saved: float = 0.0


def forecast(plan: Plan, snapshot: Snapshot, line: Line, *, prove: bool = True) -> Forecast | None:
    """Predict a plan; None where the protocol of the family is not modelled."""
    cost = predict(plan, snapshot, line, prove=prove)
    if cost is None:
        return None
    way = choose_way(snapshot.identity.family, [c for c in plan.changes if c.old is not None], snapshot.by_name, line)
    saved = way.alternative.seconds - way.cost.seconds if way.packed and way.alternative else 0.0
    packed = len(way.packed)
    return Forecast(cost, line, packed, len(plan.changes) - packed, round(saved, 3))


def predict(plan: Plan, snapshot: Snapshot, line: Line, *, prove: bool = True) -> Cost | None:
    """Cost of carrying out a plan: every write, and every read-back; None where the protocol is not modelled.

    The time of reboots is not in it: it depends on the board. `prove` is the reboot and read-back at the end.
    """
    family = snapshot.identity.family
    look = read_cost(family, snapshot.settings, line)
    if look is None:
        return None
    total = Cost()
    if not plan.changes:
        return total
    by_name = {c.name: c for c in plan.changes}
    for step in plan.steps:
        if step.kind is StepKind.WRITE:
            changes = [by_name[name] for name in step.names if name in by_name]
            total += choose_way(family, changes, snapshot.by_name, line).cost
        elif step.kind is StepKind.VERIFY:
            total += look
    # Hidden settings are looked for after the reboot that makes them appear.
    reboots = plan.reboots - 1
    for _ in range(max(0, reboots)):
        total += look
    if not prove:
        total = Cost(total.up - look.up, total.down - look.down, round(total.seconds - look.seconds, 3))
    return Cost(total.up, total.down, round(total.seconds, 3))
