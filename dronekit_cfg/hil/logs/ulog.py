"""ULog files (.ulg) of PX4: what is in them about GNSS, height and flow.

Layout: a header of 16 bytes, then messages with a size, a type and a body: F tells the fields of a topic, A gives a
topic a number, D is data [PX4 user guide, "ULog File Format"]. A damaged part is searched for the next sync message.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dronekit_cfg.hil.monitors import Alarm, Fix, GnssMonitors

__all__ = ["MAGIC", "UlogSource", "records"]

MAGIC = b"ULog\x01\x12\x35"
SYNC = bytes((0x2F, 0x73, 0x13, 0x20, 0x25, 0x0C, 0xBB, 0x12))
HEAD = 16
MOST = 65535
"""Items of a topic: a message's size has 16 bits."""
_TYPES = {
    "int8_t": "b",
    "uint8_t": "B",
    "int16_t": "h",
    "uint16_t": "H",
    "int32_t": "i",
    "uint32_t": "I",
    "int64_t": "q",
    "uint64_t": "Q",
    "float": "f",
    "double": "d",
    "bool": "?",
    "char": "c",
}
_FIELD = re.compile(r"(\w+?)(?:\[(\d{1,5})\])? (\w+)", re.ASCII)
KNOWN = frozenset(b"FADBIMPQLCSOR")
WANTED = frozenset(
    {"estimator_optical_flow_vel", "satellite_info", "sensor_gps", "vehicle_air_data", "vehicle_gps_position"}
)
FIX_3D = 3


@dataclass(frozen=True, slots=True)
class _Layout:
    packer: struct.Struct
    fields: tuple[tuple[str, int, int], ...]
    """Name, first item, number of items (0: no array)."""

    def read(self, body: bytes) -> dict[str, Any]:
        items = self.packer.unpack(body[: self.packer.size].ljust(self.packer.size, b"\0"))
        return {n: items[a : a + count] if count else items[a] for n, a, count in self.fields}


def _layout(text: str) -> _Layout | None:
    """Make the layout of a topic; None when it holds what is not plain numbers."""
    letters, fields, place = "<", [], 0
    for part in filter(None, text.split(";")):
        found = _FIELD.fullmatch(part.strip())
        if found is None or found[1] not in _TYPES:
            return None
        count = int(found[2] or 0)
        if place + count > MOST:
            return None
        letters += _TYPES[found[1]] * max(count, 1)
        fields.append((found[3], place, count))
        place += max(count, 1)
    return _Layout(struct.Struct(letters), tuple(fields)) if fields else None


def records(data: Any, skipped: list[int]) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Give topic, instance and fields of all wanted data; damaged bytes are counted in `skipped`."""
    formats: dict[str, str] = {}
    topics: dict[int, tuple[str, int, _Layout]] = {}
    place, size = HEAD, len(data)
    while place + 3 <= size:
        length, kind = struct.unpack_from("<HB", data, place)
        end = place + 3 + length
        if kind not in KNOWN or end > size:
            found = data.find(SYNC, place + 1)
            stop = found + len(SYNC) if found >= 0 else size
            skipped[0] += stop - place
            place = stop
            continue
        body = data[place + 3 : end]
        place = end
        if kind == ord("D") and (topic := topics.get(int.from_bytes(body[:2], "little"))):
            yield topic[0], topic[1], topic[2].read(body[2:])
        elif kind == ord("F"):
            name, _, text = body.decode("ascii", "replace").partition(":")
            formats[name] = text
        elif kind == ord("A"):
            name = body[3:].decode("ascii", "replace")
            layout = _layout(formats.get(name, "")) if name in WANTED else None
            if layout is not None:
                topics[int.from_bytes(body[1:3], "little")] = (name, body[0], layout)


class UlogSource:
    """Feeds the data of one log to `monitors`."""

    def __init__(self, monitors: GnssMonitors) -> None:
        self.monitors = monitors
        self._raw = False
        """Whether each receiver is logged by itself; then what was made of all of them is left out."""
        monitors.heading(0.0)  # flow is told north and east

    def feed(self, topic: str, instance: int, fields: Mapping[str, Any]) -> tuple[float, tuple[Alarm, ...]]:
        """Take the data of a topic; give its time in seconds since the boot, and the alarms that begin with it."""
        at = fields["timestamp"] / 1e6
        return at, tuple(getattr(self, "_" + topic)(at, instance, fields))

    def _sensor_gps(self, at: float, instance: int, f: Mapping[str, Any]) -> list[Alarm]:
        self._raw = True
        return self._receiver(at, instance, f)

    def _vehicle_gps_position(self, at: float, instance: int, f: Mapping[str, Any]) -> list[Alarm]:
        return [] if self._raw or instance else self._receiver(at, 0, f)

    def _receiver(self, at: float, number: int, f: Mapping[str, Any]) -> list[Alarm]:
        if number > 1:
            return []
        old = "lat" in f  # whole numbers before 1.15
        north, east, up = (f["lat"] * 1e-7, f["lon"] * 1e-7, f["alt"] / 1000) if old else _place(f)
        accuracy, speed = f.get("eph", math.nan), f.get("vel_m_s", math.nan)
        good = f["fix_type"] >= FIX_3D
        fix = Fix(good, north, east, up, f.get("satellites_used"), accuracy, speed)
        alarms = self.monitors.fix(at, number, fix)
        alarms += self.monitors.reported(at, number, f.get("jamming_state", 0), f.get("spoofing_state", 0))
        if f.get("jamming_indicator", 0) > 0:
            alarms += self.monitors.indicator(at, number, f["jamming_indicator"])
        if number == 0 and good and f.get("time_utc_usec"):
            alarms += self.monitors.clock(at, f["time_utc_usec"] / 1e6, at)
        return alarms

    def _vehicle_air_data(self, _at: float, _instance: int, f: Mapping[str, Any]) -> list[Alarm]:
        return self.monitors.height(f["baro_alt_meter"])

    def _satellite_info(self, at: float, instance: int, f: Mapping[str, Any]) -> list[Alarm]:
        pairs = list(zip(f["used"], f["snr"], strict=True))[: f["count"]]
        return self.monitors.strength(at, instance, [snr for used, snr in pairs if used and snr])

    def _estimator_optical_flow_vel(self, at: float, instance: int, f: Mapping[str, Any]) -> list[Alarm]:
        return [] if instance else self.monitors.flow(at, *f["vel_ne"])


def _place(fields: Mapping[str, Any]) -> tuple[float, float, float]:
    return fields["latitude_deg"], fields["longitude_deg"], fields["altitude_msl_m"]
