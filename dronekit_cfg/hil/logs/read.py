"""Runs the GNSS monitors over a recorded log, whatever program wrote it: the format is told by its first bytes."""

from __future__ import annotations

import json
import math
import mmap
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from dronekit_cfg.errors import UsageError
from dronekit_cfg.hil.logs import dataflash, ulog
from dronekit_cfg.hil.logs.receiver import UbxSource
from dronekit_cfg.hil.monitor_mavlink import MavlinkSource
from dronekit_cfg.hil.monitors import NAMES, Alarm, GnssMonitors
from dronekit_cfg.text import t
from dronekit_cfg.wire.mavlink import MavlinkCodec, Message
from dronekit_cfg.wire.ubx import SYNC

__all__ = ["Judged", "judge_log"]

FRAME_STARTS = b"\xfd\xfe"
STAMP = 8
GROUND_STATION, NO_AUTOPILOT = 6, 8
CHUNK = 4096
_Found = tuple[float, tuple[Alarm, ...]]


@dataclass(frozen=True, slots=True)
class Judged:
    """What the monitors found: alarms by time (seconds since the log's beginning), which ones had what they need.

    `skipped` counts damaged bytes.
    """

    kind: str
    seconds: float
    alarms: tuple[Alarm, ...]
    watched: tuple[str, ...]
    missing: tuple[str, ...]
    skipped: int


def judge_log(path: Path) -> Judged:
    """Read a whole log. Raises UsageError for one that cannot be read, or has nothing to judge in it."""
    with _mapped(path) as data:
        return _judge(path, data)


@contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap]:
    """Give the bytes of a file without reading all of it: logs have hundreds of megabytes."""
    with ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
            data = stack.enter_context(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        except (OSError, ValueError) as error:  # an empty file cannot be mapped
            raise UsageError(
                t("cannot read {file}: {error}", file=path, error=error), hint=t("give the log of a flight")
            ) from error
        yield data


def _judge(path: Path, data: mmap.mmap) -> Judged:
    monitors, skipped = GnssMonitors(), [0]
    kind, read = _kind(path, data)
    alarms: list[Alarm] = []
    first, last = math.nan, math.nan
    for at, found in read(data, monitors, skipped):
        if math.isnan(at):
            continue
        first, last = (at if math.isnan(first) else first), at
        alarms += found
    if not monitors.watched:
        raise UsageError(
            t("{file}: there is nothing of GNSS in this {kind}", file=path, kind=kind),
            hint=t("log GPS (and BARO, OF, RFND, UBX1) on the vehicle; a telemetry log needs GPS_RAW_INT"),
        )
    shifted = tuple(Alarm(a.at - first, a.monitor, a.value, a.limit, a.unit) for a in alarms)
    watched = tuple(name for key, name in NAMES.items() if key in monitors.watched)
    missing = tuple(name for key, name in NAMES.items() if key not in monitors.watched)
    return Judged(kind, last - first, shifted, watched, missing, skipped[0])


_Reader = Callable[[Any, GnssMonitors, list[int]], Iterator[_Found]]


def _kind(path: Path, data: mmap.mmap) -> tuple[str, _Reader]:
    head = data[:CHUNK]
    if head.startswith(ulog.MAGIC):
        return t("ULog file"), _ulog
    if head.startswith(dataflash.MAGIC) and head[2] == dataflash.FORMAT:
        return t("DataFlash log"), _dataflash
    if head.startswith(b'{"t":'):
        return t("recording of a link"), _recording
    if len(head) > STAMP and head[STAMP] in FRAME_STARTS:
        return t("telemetry log"), _tlog
    if SYNC in head:
        return t("recording of a u-blox receiver"), _ubx
    raise UsageError(
        t("{file} is no log that can be read here", file=path),
        hint=t("give a DataFlash log (.bin), a telemetry log (.tlog), a ULog file (.ulg), UBX messages, or a --record"),
    )


def _said(take: Callable[[], _Found], skipped: list[int]) -> _Found:
    """Give what a record says. One that lacks what its name promises, or holds no numbers there, says nothing."""
    try:
        return take()
    except (LookupError, TypeError, ValueError, ArithmeticError):
        skipped[0] += 1
        return math.nan, ()


def _dataflash(data: Any, monitors: GnssMonitors, skipped: list[int]) -> Iterator[_Found]:
    source = dataflash.DataflashSource(monitors)
    for name, fields in dataflash.records(data, skipped):
        yield _said(partial(source.feed, name, fields), skipped)


def _ulog(data: Any, monitors: GnssMonitors, skipped: list[int]) -> Iterator[_Found]:
    source = ulog.UlogSource(monitors)
    for topic, instance, fields in ulog.records(data, skipped):
        yield _said(partial(source.feed, topic, instance, fields), skipped)


def _ubx(data: Any, monitors: GnssMonitors, _skipped: list[int]) -> Iterator[_Found]:
    source = UbxSource(monitors)
    for place in range(0, len(data), CHUNK):
        found = source.feed(data[place : place + CHUNK])
        yield source.at, tuple(found)


class _Vehicle:
    """Takes messages of one vehicle, the first one that is heard, and of its autopilot alone."""

    def __init__(self, monitors: GnssMonitors) -> None:
        self._source = MavlinkSource(monitors)
        self._address: tuple[int, int] | None = None

    def take(self, at: float, message: Message) -> _Found:
        address = (message.system, message.component)
        if message.name == "HEARTBEAT" and self._address is None:
            apart = message["type"] == GROUND_STATION or message["autopilot"] == NO_AUTOPILOT
            self._address = None if apart else address
        return at, self._source.feed(at, message.name, message.fields) if address == self._address else ()


def _tlog(data: Any, monitors: GnssMonitors, skipped: list[int]) -> Iterator[_Found]:
    """Read frames with the time (8 bytes, big-endian microseconds) before each."""
    vehicle, codec = _Vehicle(monitors), MavlinkCodec()
    place, size = 0, len(data)
    while place + STAMP + 8 < size:
        frame = place + STAMP
        length = _length(data, frame)
        codec.receive_data(data[frame : frame + length])
        message = codec.next_event() if length else None
        if message is None:
            codec.reset()
            skipped[0] += 1 + length
            place += max(length + STAMP, 1) if length and _length(data, frame + length + STAMP) else 1
            continue
        at = int.from_bytes(data[place:frame], "big") / 1e6
        yield _said(partial(vehicle.take, at, message), skipped)
        place = frame + length


def _length(data: Any, place: int) -> int:
    """Give the length of the frame that begins there, 0 for none."""
    if place + 3 > len(data) or data[place] not in FRAME_STARTS:
        return 0
    if data[place] == FRAME_STARTS[1]:
        return 8 + int(data[place + 1])
    return 12 + int(data[place + 1]) + (13 if data[place + 2] & 1 else 0)


def _recording(data: Any, monitors: GnssMonitors, skipped: list[int]) -> Iterator[_Found]:
    """Read what `--record` wrote: what came from the vehicle, with times."""
    vehicle, codec = _Vehicle(monitors), MavlinkCodec()
    data.seek(0)
    for line in iter(data.readline, b""):
        try:
            entry = json.loads(line)
            at = float(entry["t"])
            codec.receive_data(bytes.fromhex(entry["hex"]) if entry["dir"] == "rx" else b"")
        except (ValueError, LookupError, TypeError, RecursionError):
            skipped[0] += len(line)
            continue
        while (message := codec.next_event()) is not None:
            yield _said(partial(vehicle.take, at, message), skipped)
