"""Faults that the simulated Betaflight and INAV show on request: `sim:betaflight?fault=stall:0.5,deny:small_angle`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dronekit_cfg.errors import UsageError
from dronekit_cfg.families.betaflight.simulated_sensors import SENSOR_FAULTS
from dronekit_cfg.text import t

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


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 < rate < 1:
        raise ValueError(text)
    return rate


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < 3600:
        raise ValueError(text)
    return seconds


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise ValueError(text)
    return count


_Reader = Callable[[str], Any]
CLI_FAULTS: Mapping[str, tuple[str, str, _Reader | None, str]] = {
    "armed": ("armed", "is armed, and refuses its CLI", None, ""),
    "corrupted": ("corrupted", "writes CORRUPTED CONFIG into its dumps", None, ""),
    "deny": ("deny", "refuses every value of a setting", lambda text: frozenset({text}), "NAME"),
    "error-at": ("error_at", "answers the Nth line with an error", _count, "N"),
    "lost-bytes": ("lost", "loses this share of the bytes it sends", _rate, "RATE"),
    "no-cli": ("no_cli", "was built without a CLI", None, ""),
    "reboot-mid": ("reboot_mid", "reboots by itself at the Nth line", _count, "N"),
    "save-lost": ("save_lost", "loses power before a save is stored", None, ""),
    "save-torn": ("save_torn", "loses power amid a save, and comes back with defaults", None, ""),
    "slow-boot": ("slow_boot", "takes this long to boot", _seconds, "SECONDS"),
    "slow-reply": ("slow", "answers each burst this much later", _seconds, "SECONDS"),
    "stall": ("stall", "stops for this long behind every `# ` of a dump", _seconds, "SECONDS"),
    "stays-in-cli": ("stays", "ignores `exit` once: it stays in its CLI", None, ""),
    "wrong-uid-after-reboot": ("wrong_uid", "is another vehicle after the next reboot", None, ""),
}
"""Every fault by the name that users type: attribute, meaning, how its argument is read, the argument's name."""


def parse_cli_faults(text: str) -> CliFaults:
    """Read `a,b:argument`. Raises UsageError that lists every fault there is."""
    faults = CliFaults()
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, argument = part.replace("=", ":").partition(":")
        if name in SENSOR_FAULTS and not argument:
            faults = replace(faults, sensors=faults.sensors | {name})
            continue
        if name not in CLI_FAULTS:
            known = {n + (":" + k[3] if k[3] else ""): k[1] for n, k in CLI_FAULTS.items()} | dict(SENSOR_FAULTS)
            listed = "\n".join(f"  {n:<24} {meaning}" for n, meaning in sorted(known.items()))
            raise UsageError(
                t("unknown fault {name!r}; there are:\n{listed}", name=name, listed=listed),
                hint=t("write fault=NAME or fault=NAME:ARGUMENT, several with commas"),
            )
        attribute, _, read, usage = CLI_FAULTS[name]
        try:
            value: Any = read(argument) if read else True
        except ValueError:
            raise UsageError(
                t("fault {name} cannot use {argument!r}", name=name, argument=argument),
                hint=t("write fault={name}:{usage}", name=name, usage=usage),
            ) from None
        if attribute == "deny":
            value = faults.deny | value
        faults = replace(faults, **{attribute: value})
    return faults
