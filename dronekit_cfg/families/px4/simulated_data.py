"""Facts about the firmware that the simulated PX4 copter is a twin of: settings, identity, telemetry at rest.

Measured on the PX4 SITL of 2024-10 (simulation in hardware, quad) and shipped as `twin-copter-2024-10.json.gz` beside
this module: the 889 listed settings with their values, what the vehicle said about itself, and one of each telemetry
message. The settings that it knows but does not list are those of its own metadata, with their defaults. Which ones
appear behind TRIG_MODE was measured on a newer build by turning it on.
"""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from dronekit_cfg.model import Kind, Value

__all__ = ["Fact", "Firmware", "bits_of", "load_firmware"]

_KINDS = {"i": Kind.INT32, "f": Kind.REAL32}
_NOT_FINITE = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}


@dataclass(frozen=True, slots=True)
class Fact:
    """One setting: its value on a fresh vehicle and its default. `gate` must be above 0 at a boot for it to be listed.

    `listed` is False for one that no running module uses, and that is only given by name.
    """

    name: str
    value: Value
    default: Value
    listed: bool
    gate: str = ""


@dataclass(frozen=True, slots=True)
class Firmware:
    """One firmware. `parameters` stand in the order of the list, `telemetry` maps messages to (seconds, fields)."""

    capabilities: int
    flight_sw_version: int
    os_sw_version: int
    board_version: int
    flight_custom_version: bytes
    uid: int
    parameters: tuple[Fact, ...]
    telemetry: Mapping[str, tuple[float, Mapping[str, Any]]]


@cache
def load_firmware() -> Firmware:
    """Give the facts."""
    data = resources.files(__package__).joinpath("twin-copter-2024-10.json.gz").read_bytes()
    raw: dict[str, Any] = json.loads(gzip.decompress(data))
    identity: dict[str, Any] = raw["firmware"]
    gates = {name: gate for gate, names in raw["gates"].items() for name in names}
    listed, hidden = raw["parameters"], raw["hidden"]
    facts = [*_facts(listed, listed["defaults"], gates, listed=True), *_facts(hidden, {}, gates, listed=False)]
    return Firmware(
        **{**identity, "flight_custom_version": bytes.fromhex(identity["flight_custom_version"])},
        parameters=tuple(sorted(facts, key=lambda fact: fact.name)),
        telemetry={
            name: (seconds, {field: _number(value) for field, value in fields.items()})
            for name, (seconds, fields) in raw["telemetry"].items()
        },
    )


def _facts(
    raw: Mapping[str, Any], defaults: Mapping[str, float], gates: Mapping[str, str], *, listed: bool
) -> list[Fact]:
    names: Sequence[str] = raw["names"].split()
    facts = []
    for row, (name, letter, value) in enumerate(zip(names, raw["types"], raw["values"], strict=True)):
        kind = _KINDS[letter]
        gate = gates.get(name, "")
        default = Value(kind, defaults.get(str(row), value))
        facts.append(Fact(name, Value(kind, value), default, listed=listed or bool(gate), gate=gate))
    return facts


def _number(value: Any) -> Any:
    """Give a field of a message: JSON has no NaN."""
    if isinstance(value, list):
        return [_number(item) for item in value]
    return _NOT_FINITE.get(value, value) if isinstance(value, str) else value


def bits_of(value: Value) -> bytes:
    """Give the four bytes of a value, as PX4 keeps and sends them."""
    return struct.pack("<f" if value.kind is Kind.REAL32 else "<i", value.raw)
