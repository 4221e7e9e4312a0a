"""Facts about the firmware that the simulated ArduCopter is a twin of: parameters, groups, identity, texts.

The facts were measured on the real ArduCopter SITL (quad, autotest defaults): names, types, values and defaults from
its packed parameter file, and for the groups behind a switch by turning each switch on, once without and once with a
reboot, and by asking for the names before. They are shipped as `twin-copter-<version>.json.gz` beside this module.
For 4.5.6 only the listed parameters were measured; the hidden ones are those that its metadata names, with the types
and defaults of its other instances or of 4.7.
"""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import resources
from typing import Any

from dronekit_cfg.errors import UsageError
from dronekit_cfg.text import t

__all__ = ["FLOAT", "INT8", "INT16", "INT32", "Condition", "Exists", "Fact", "Firmware", "load_firmware", "single"]

INT8, INT16, INT32, FLOAT = 1, 2, 3, 4
"""Storage types with ArduPilot's own numbers, as the packed file carries them."""

_FILES = {"4.5": "4.5.6", "4.5.6": "4.5.6", "4.7": "4.7-dev", "4.7-dev": "4.7-dev"}


class Exists(Enum):
    """How a switch governs the settings behind it."""

    HIDDEN = "hide"
    """They are always there, and only not listed while the switch is off."""
    REBOOT = "boot"
    """They come into being in a boot with the switch on."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A switch and the values of it that count as on (None: every value but 0)."""

    switch: str
    values: frozenset[int] | None
    exists: Exists

    def met(self, value: float) -> bool:
        """Whether `value` of the switch counts as on."""
        return value != 0 if self.values is None else value in self.values


@dataclass(frozen=True, slots=True)
class Fact:
    """One parameter: storage type, value on a fresh vehicle, default of the table, what it depends on.

    `internal` parameters refuse writes over MAVLink. `plain` ones stand outside any group. `kept` ones have a stored
    copy on a fresh vehicle.
    """

    name: str
    type: int
    value: int | float
    default: int | float
    conditions: tuple[Condition, ...]
    internal: bool
    plain: bool
    kept: bool


@dataclass(frozen=True, slots=True)
class Firmware:
    """One firmware: its parameters in listing order, and what it says about itself.

    `flight_sw_version` is major<<24|minor<<16|patch<<8|type. `system_id` is the hex text of a SITL's identity.
    `burst_ends_at_eof` tells whether the last short block of a burst bears the burst-complete flag.
    """

    version: str
    version_text: str
    git_hash: str
    system_id: str
    flight_sw_version: int
    capabilities: int
    sysid_name: str
    streams_prefix: str
    burst_ends_at_eof: bool
    boot_heartbeat: tuple[int, int]
    gps_found: tuple[str, ...]
    parameters: tuple[Fact, ...]


def single(value: float) -> float:
    """Round to what a float32 holds; too large values become infinite."""
    try:
        rounded: float = struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
    return rounded


def load_firmware(version: str) -> Firmware:
    """Give the facts of a version ("4.5", "4.5.6", "4.7", "4.7-dev"). Raises `UsageError` for any other."""
    file = _FILES.get(version)
    if file is None:
        raise UsageError(
            t("there is no simulated ArduCopter {version}", version=version),
            hint=t("the versions are {known}", known=", ".join(sorted(_FILES))),
        )
    return _load(file)


@cache
def _load(file: str) -> Firmware:
    data = resources.files(__package__).joinpath(f"twin-copter-{file}.json.gz").read_bytes()
    raw: dict[str, Any] = json.loads(gzip.decompress(data))
    identity: dict[str, Any] = raw["firmware"]
    return Firmware(
        version=file,
        gps_found=tuple(identity.pop("gps_found")),
        boot_heartbeat=tuple(identity.pop("boot_heartbeat")),
        parameters=_parameters(raw["parameters"]),
        **identity,
    )


def _parameters(raw: Mapping[str, Any]) -> tuple[Fact, ...]:
    """Turn columns into facts: `values` and `defaults` differ only where `defaults` names the row."""
    names: Sequence[str] = raw["names"].split()
    types = [int(letter) for letter in raw["types"]]
    values: list[int | float] = raw["values"]
    floats = [row for row, kind in enumerate(types) if kind == FLOAT]
    pattern = f"<{len(floats)}f"
    for row, value in zip(
        floats, struct.unpack(pattern, struct.pack(pattern, *(values[r] for r in floats))), strict=True
    ):
        values[row] = value
    defaults = list(values)
    for row, value in raw["defaults"].items():
        defaults[int(row)] = single(value) if types[int(row)] == FLOAT else value
    conditions = [
        Condition(switch, None if on is None else frozenset(on), Exists(exists))
        for switch, on, exists in raw["conditions"]
    ]
    gates = {int(row): tuple(conditions[i] for i in chosen) for row, chosen in _spread(raw["gates"]).items()}
    internal, plain, kept = set(raw["internal"]), set(raw["plain"]), set(raw["kept"])
    return tuple(
        Fact(
            name,
            types[row],
            values[row],
            defaults[row],
            conditions=gates.get(row, ()),
            internal=name in internal,
            plain=name in plain,
            kept=name in kept or values[row] != defaults[row],
        )
        for row, name in enumerate(names)
    )


def _spread(runs: Sequence[tuple[int, int, Sequence[int]]]) -> dict[int, Sequence[int]]:
    """Unfold runs of (first row, number of rows, conditions)."""
    return {row: chosen for first, length, chosen in runs for row in range(first, first + length)}
