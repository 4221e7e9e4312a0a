"""DataFlash logs (.bin) of ArduPilot: what is in them about GNSS, height, heading and flow.

A record is A3 95, its type, and a body as its FMT record tells: letters of types and names of fields [ArduPilot
libraries/AP_Logger/LogStructure.h]. Records of other types are stepped over; damaged parts are searched for the next
record and counted.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator, Mapping
from typing import Any

from dronekit_cfg.hil.monitors import Alarm, Fix, GnssMonitors

__all__ = ["MAGIC", "DataflashSource", "records"]

MAGIC = b"\xa3\x95"
FORMAT = 0x80
_LETTERS: Mapping[str, tuple[str, float]] = {
    **{letter: (letter, 1.0) for letter in "bBhHiIfdqQ"},
    "a": ("64s", 0.0),
    "n": ("4s", 0.0),
    "N": ("16s", 0.0),
    "Z": ("64s", 0.0),
    "g": ("e", 1.0),
    "M": ("B", 1.0),
    "c": ("h", 0.01),
    "C": ("H", 0.01),
    "e": ("i", 0.01),
    "E": ("I", 0.01),
    "L": ("i", 1e-7),
}
"""Each letter's struct letter and the factor of its number; 0: bytes."""
WANTED = frozenset({"ATT", "BARO", "GPA", "GPS", "GPS2", "GRXS", "OF", "RFND", "UBX1"})
FIX_3D, SOUND_RANGE, DOWN = 3, 4, 25
WEEK = 604_800.0
LEAST_QUALITY = 50
RANGE_SECONDS = 0.5


def records(data: Any, skipped: list[int]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give name and fields of each wanted record of bytes (or a memory map); damaged bytes are counted in `skipped`."""
    layouts: dict[int, tuple[str, struct.Struct, tuple[str, ...], tuple[float, ...]]] = {}
    lengths: dict[int, int] = {FORMAT: 89}
    place, size = 0, len(data)
    while place + 3 <= size:
        kind = data[place + 2]
        length = lengths.get(kind)
        if data[place : place + 2] != MAGIC or length is None:
            found = data.find(MAGIC, place + 1)
            skipped[0] += (found if found >= 0 else size) - place
            place = found if found >= 0 else size
            continue
        if place + length > size:
            skipped[0] += size - place
            return
        if kind == FORMAT:
            _learn(data[place + 3 : place + length], layouts, lengths)
        elif (layout := layouts.get(kind)) is not None:
            name, packer, labels, factors = layout
            values = packer.unpack_from(data, place + 3)
            yield (
                name,
                {n: v * f if f not in (0.0, 1.0) else v for n, v, f in zip(labels, values, factors, strict=True)},
            )
        place += length


def _learn(body: bytes, layouts: dict[int, Any], lengths: dict[int, int]) -> None:
    """Take a FMT record; one that makes no sense teaches nothing."""
    kind, length, name, letters, labels = struct.unpack("<BB4s16s64s", body)
    texts = [raw.split(b"\0")[0].decode("ascii", "replace") for raw in (name, letters, labels)]
    if length < 3 or kind == FORMAT:
        return
    lengths[kind] = length
    if texts[0] not in WANTED or not all(letter in _LETTERS for letter in texts[1]):
        return
    packer = struct.Struct("<" + "".join(_LETTERS[letter][0] for letter in texts[1]))
    names = tuple(texts[2].split(","))
    if packer.size == length - 3 and len(names) == len(texts[1]):
        layouts[kind] = (texts[0], packer, names, tuple(_LETTERS[letter][1] for letter in texts[1]))


class DataflashSource:
    """Feeds the records of one log to `monitors`."""

    def __init__(self, monitors: GnssMonitors) -> None:
        self.monitors = monitors
        self._accuracy: dict[int, float] = {}
        self._range = (-math.inf, 0.0)
        self._strengths: tuple[float, list[float]] = (math.nan, [])

    def feed(self, name: str, fields: Mapping[str, Any]) -> tuple[float, tuple[Alarm, ...]]:
        """Take a record; give its time in seconds since the boot, and the alarms that begin with it."""
        at = fields["TimeUS"] / 1e6 if "TimeUS" in fields else math.nan
        if math.isnan(at):
            return at, ()
        taker = getattr(self, "_" + name.lower())
        return at, tuple(taker(at, fields))

    def _gps(self, at: float, f: Mapping[str, Any], number: int | None = None) -> list[Alarm]:
        n = int(f.get("I", 0)) if number is None else number
        if n > 1:
            return []
        good = f["Status"] >= FIX_3D
        fix = Fix(good, f["Lat"], f["Lng"], f["Alt"], int(f["NSats"]), self._accuracy.get(n, math.nan), f["Spd"])
        alarms = self.monitors.fix(at, n, fix)
        if n == 0 and good and f["GWk"]:
            alarms += self.monitors.clock(at, f["GWk"] * WEEK + f["GMS"] / 1000, at)
        return alarms

    def _gps2(self, at: float, f: Mapping[str, Any]) -> list[Alarm]:
        return self._gps(at, f, 1)

    def _gpa(self, _at: float, f: Mapping[str, Any]) -> list[Alarm]:
        self._accuracy[int(f.get("I", 0))] = f["HAcc"]
        return []

    def _baro(self, _at: float, f: Mapping[str, Any]) -> list[Alarm]:
        return [] if f.get("I", 0) else self.monitors.height(f["Alt"])

    def _att(self, _at: float, f: Mapping[str, Any]) -> list[Alarm]:
        return self.monitors.heading(math.radians(f["Yaw"]))

    def _rfnd(self, at: float, f: Mapping[str, Any]) -> list[Alarm]:
        if f.get("Stat", SOUND_RANGE) == SOUND_RANGE and f.get("Orient", DOWN) == DOWN:
            self._range = (at, f["Dist"])
        return []

    def _of(self, at: float, f: Mapping[str, Any]) -> list[Alarm]:
        """Take flow; its signs are those of `monitor_mavlink`."""
        measured, height = self._range
        if f["Qual"] < LEAST_QUALITY or at > measured + RANGE_SECONDS:
            return []
        return self.monitors.flow(at, (f["flowY"] - f["bodyY"]) * height, -(f["flowX"] - f["bodyX"]) * height)

    def _ubx1(self, at: float, f: Mapping[str, Any]) -> list[Alarm]:
        return self.monitors.indicator(at, int(f.get("Instance", f.get("I", 0))), f["jamInd"])

    def _grxs(self, at: float, f: Mapping[str, Any]) -> list[Alarm]:
        """Take the strength of one satellite of raw data; those of one moment come with one time."""
        moment, values = self._strengths
        strength = f.get("cno", 0)
        if at != moment:
            self._strengths = (at, [strength] if strength else [])
            return self.monitors.strength(moment, 0, values) if values else []
        values += [strength] if strength else []
        return []
