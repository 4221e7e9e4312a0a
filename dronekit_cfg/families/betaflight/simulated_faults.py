"""Faults that the simulated Betaflight and INAV show on request: `sim:betaflight?fault=stall:0.5,deny:small_angle`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dronekit_cfg.families.betaflight.simulated_sensors import SENSOR_FAULTS
from dronekit_cfg.sim.fault_text import FaultKind, nth, rate, read_faults, seconds, setting

__all__ = ["CLI_FAULTS", "CliFaults", "parse_cli_faults"]


@dataclass(frozen=True, slots=True)
class CliFaults:
    """Which faults a vehicle has. Times in seconds, rates 0..1, counts in lines taken by the CLI since the boot."""

    armed: bool = False
    corrupted: bool = False
    deny: frozenset[str] = frozenset()
    error_at: int = 0
    lost: float = 0.0
    no_cli: bool = False
    reboot_mid: int = 0
    save_lost: bool = False
    save_torn: bool = False
    sensors: frozenset[str] = frozenset()
    slow: float = 0.0
    slow_boot: float = 0.0
    stall: float = 0.0
    stays: bool = False
    wrong_uid: bool = False


CLI_FAULTS: Mapping[str, FaultKind] = {
    "armed": FaultKind("is armed, and refuses its CLI"),
    "corrupted": FaultKind("writes CORRUPTED CONFIG into its dumps"),
    "deny": FaultKind("refuses every value of a setting", "NAME", setting),
    "error-at": FaultKind("answers the Nth line with an error", "N", nth),
    "lost-bytes": FaultKind("loses this share of the bytes it sends", "RATE", rate, attribute="lost"),
    "no-cli": FaultKind("was built without a CLI"),
    "reboot-mid": FaultKind("reboots by itself at the Nth line", "N", nth),
    "save-lost": FaultKind("loses power before a save is stored"),
    "save-torn": FaultKind("loses power amid a save, and comes back with defaults"),
    "slow-boot": FaultKind("takes this long to boot", "SECONDS", seconds),
    "slow-reply": FaultKind("answers each burst this much later", "SECONDS", seconds, attribute="slow"),
    "stall": FaultKind("stops for this long behind every `# ` of a dump", "SECONDS", seconds),
    "stays-in-cli": FaultKind("ignores `exit` once: it stays in its CLI", attribute="stays"),
    "wrong-uid-after-reboot": FaultKind("is another vehicle after the next reboot", attribute="wrong_uid"),
    **{part: FaultKind(meaning, default=part, attribute="sensors") for part, meaning in SENSOR_FAULTS.items()},
}
"""Every fault by the name that users type."""


def parse_cli_faults(text: str) -> CliFaults:
    """Read `a,b:argument`. Raises UsageError that lists every fault there is."""
    return read_faults(CliFaults(), text, CLI_FAULTS)
