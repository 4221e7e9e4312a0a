"""What the settings of Betaflight and INAV tell of parts, and what their `status` says that was found at boot."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dronekit_cfg.model import Snapshot
from dronekit_cfg.model.part import Part
from dronekit_cfg.text import t

__all__ = ["cli_parts", "status_parts"]

_GPS_BIT, _RX_BIT = 2, 64
_KINDS = {"GYRO": "imu", "MAG": "compass", "BARO": "baro", "RANGEFINDER": "rangefinder", "OPFLOW": "flow"}
_PAIR = re.compile(r"\b(GYRO|BARO|MAG|RANGEFINDER|OPFLOW)=([A-Za-z0-9_]+)")
_LINE = re.compile(r"^(GYRO|BARO|MAG|RANGEFINDER|OPFLOW): (?:\(\d+\) )?([A-Za-z0-9_]+)", re.MULTILINE)
_GPS_LINE = re.compile(r"^GPS: (.+)$", re.MULTILINE)
_VERSION = re.compile(r"version = ([A-Za-z0-9_.]+)")
_ABSENT = frozenset({"AUTO", "NONE", "OK", "NO", "FAILED", "UNAVAILABLE"})
"""Words that name no part: what is looked for, what is absent, and how one that was named elsewhere is doing."""


def cli_parts(snapshot: Snapshot) -> tuple[Part, ...]:
    """Give the parts that the settings tell of: what they are set to expect, and where."""
    return tuple(_settings(snapshot))


def _text(snapshot: Snapshot, name: str) -> str:
    found = snapshot.value(name)
    return "" if found is None else str(found)


def _settings(snapshot: Snapshot) -> Iterator[Part]:
    if _text(snapshot, "feature.GPS") == "ON":
        place = _place(snapshot, _GPS_BIT, "gps_uart")
        yield Part("gps", 1, _text(snapshot, "gps_provider") or t("unknown"), place, setting="feature.GPS")
    on = _text(snapshot, "feature.RX_SERIAL") == "ON" or _text(snapshot, "receiver_type") == "SERIAL"
    if on:
        name = _text(snapshot, "serialrx_provider") or t("unknown")
        place = _place(snapshot, _RX_BIT, "rx_uart")
        yield Part("radio", 1, t("RC receiver, {name}", name=name), place, setting="serialrx_provider")
    for name in ("battery_meter", "vbat_meter_type"):
        meter = _text(snapshot, name)
        if meter not in {"", "NONE"}:
            yield Part("battery", 1, meter, setting=name)
    if _text(snapshot, "feature.ESC_SENSOR") == "ON":
        yield Part("esc", 1, t("ESC telemetry"), setting="feature.ESC_SENSOR")


def _place(snapshot: Snapshot, bit: int, setting: str) -> str:
    """Give the UART whose line has a function bit, or that a setting of its own names."""
    named = _text(snapshot, setting)
    if named not in {"", "NONE"}:
        return named
    for entry in snapshot.settings:
        head, _, port = entry.name.partition(".")
        words = str(entry.value).split()
        if head == "serial" and words and words[0].isdecimal() and int(words[0]) & bit:
            return f"UART{int(port) + 1}" if port.isdecimal() else port
    return ""


def status_parts(text: str) -> tuple[Part, ...]:
    """Give the parts that `status` names: "GYRO=BMI270, BARO=DPS310" or, since 2025, a line for each."""
    found: dict[str, Part] = {}
    for name, type_ in (*_PAIR.findall(text), *_LINE.findall(text)):
        kind = _KINDS[name]
        if type_.upper() not in _ABSENT:
            found.setdefault(kind, Part(kind, 1, type_, setting="status"))
    line = _GPS_LINE.search(text)
    if line and "NOT CONNECTED" not in line[1].upper() and not line[1].lower().startswith("not "):
        version = _VERSION.search(line[1])
        firmware = version[1] if version else ""
        found["gps"] = Part("gps", 1, line[1].split(",")[0], setting="status", firmware=firmware)
    return tuple(found.values())
