"""What the settings of Betaflight and INAV tell of parts, and what their `status` says that was found at boot."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dronekit_cfg.model import Snapshot
from dronekit_cfg.model.part import Part
from dronekit_cfg.text import t

__all__ = ["cli_parts", "motor_parts", "status_parts"]

_GPS_BIT, _RX_BIT = 2, 64
_KINDS = {"GYRO": "imu", "MAG": "compass", "BARO": "baro", "RANGEFINDER": "rangefinder", "OPFLOW": "flow"}
_PAIR = re.compile(r"\b(GYRO|BARO|MAG|RANGEFINDER|OPFLOW)=([A-Za-z0-9_]+)")
_LINE = re.compile(r"^(GYRO|BARO|MAG|RANGEFINDER|OPFLOW): (?:\(\d+\) )?([A-Za-z0-9_]+)", re.MULTILINE)
_GPS_LINE = re.compile(r"^GPS: (.+)$", re.MULTILINE)
_VERSION = re.compile(r"version =\s+([A-Za-z0-9_.]+)")
_GPS_STATE = re.compile(r"\bGPS=([A-Z]+)")
_NO_ANSWER, _SILENT_AGE = 10_000, 255
"""Betaflight's share of invalid telemetry for a motor that never told anything, and INAV's age of what never came."""
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
    line, state = _GPS_LINE.search(text), _GPS_STATE.search(text)
    if line:
        found["gps"] = _receiver(line[1])
    elif state and state[1] != "NONE":
        answers = state[1] == "OK"
        found["gps"] = Part("gps", 1, "", "" if answers else t("does not answer"), setting="status", answers=answers)
    return tuple(found.values())


def _receiver(line: str) -> Part:
    """Read Betaflight's line on the receiver: "connected, UART3 115200 (set to 57600), configured, version = M10"."""
    answers = line.lower().startswith("connected")
    version = _VERSION.search(line)
    firmware = version[1] if version and version[1] != "unknown" else ""
    place = "" if answers else t("does not answer")
    return Part("gps", 1, "", place, setting="status", firmware=firmware, answers=answers)


def motor_parts(motors: Sequence[Mapping[str, Any]], snapshot: Snapshot) -> tuple[Part, ...]:
    """Give the ESCs that answer: by bidirectional DShot, or by their telemetry wire."""
    dshot = _text(snapshot, "dshot_bidir") == "ON"
    protocol = _text(snapshot, "motor_pwm_protocol")
    found = []
    for number, motor in enumerate(motors, 1):
        wire = motor["age"] < _SILENT_AGE if "age" in motor else bool(motor["voltage"] or motor["temperature"])
        if wire or (dshot and motor["invalid"] < _NO_ANSWER):
            name = t("ESC on {bus}", bus=protocol) if protocol else t("ESC with telemetry")
            found.append(Part("esc", number, name, setting="MSP", answers=True))
    if motors and not found:  # set up, asked, and silent: number 0 stands for all of the kind
        found.append(Part("esc", 0, "", t("does not answer"), setting="MSP", answers=False))
    return tuple(found)
