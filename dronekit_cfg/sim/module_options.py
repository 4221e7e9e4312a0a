"""Options and faults of simulated radio and GNSS modules: `sim:ublox-m10?fault=deny:CFG-RATE-MEAS,lost:0.1&seed=3`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from dronekit_cfg.errors import UsageError
from dronekit_cfg.sim.memory import Memory
from dronekit_cfg.text import t

__all__ = ["FAULTS", "OPTIONS", "ModuleFaults", "ModuleSetup", "parse_module_faults", "read_options"]

OPTIONS: Mapping[str, str] = {
    "baud": "bits per second of the port; paces what the module says",
    "fault": "faults to show, see dronekit_cfg.sim.module_options",
    "fresh": "forget everything that this module has stored",
    "id": "another module with its own id and memory; letters, digits, - and _",
    "host": "bits per second that the other end begins with; the same as the module's where it is left out",
    "seed": "of random faults; a whole number",
}
_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")


@dataclass(frozen=True, slots=True)
class ModuleFaults:
    """Which faults a module has. Counts are in writes taken; rates are 0..1."""

    clamp: Mapping[str, int] = field(default_factory=dict)
    deny: frozenset[str] = frozenset()
    jammed: bool = False
    lost: float = 0.0
    mute_after: int = 0
    no_flash: bool = False
    ram_only: bool = False
    reboot_mid: int = 0
    torn: int = 0
    remote_gone: int = 0
    spoofed: bool = False
    weak: bool = False
    wrong_uid: bool = False


def _rate(text: str) -> float:
    rate = float(text)
    if not 0 < rate < 1:
        raise ValueError(text)
    return rate


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise ValueError(text)
    return count


def _limit(text: str) -> tuple[str, int]:
    name, _, number = text.rpartition(":")
    if not name:
        raise ValueError(text)
    return name, int(number)


FAULTS: Mapping[str, tuple[str, str, Callable[[str], Any] | None, str]] = {
    "clamp": ("clamp", "limits a setting to at most VALUE", _limit, "NAME:VALUE"),
    "deny": ("deny", "refuses every value of a setting", str, "NAME"),
    "jammed": ("jammed", "hears a jammer", None, ""),
    "lost": ("lost", "loses this share of its answers", _rate, "RATE"),
    "mute-after": ("mute_after", "falls silent for good after N writes", _count, "N"),
    "no-flash": ("no_flash", "has no flash memory", None, ""),
    "ram-only": ("ram_only", "says that it stores, and keeps all in RAM only", None, ""),
    "reboot-mid": ("reboot_mid", "restarts by itself at the Nth write", _count, "N"),
    "remote-gone": ("remote_gone", "the far end is out of range from the Nth write on", _count, "N"),
    "spoofed": ("spoofed", "hears false satellites", None, ""),
    "torn": (
        "torn",
        "loses power at the Nth write, stored in the battery's memory and not yet in flash",
        _count,
        "N",
    ),
    "weak": ("weak", "hears its other end weakly", None, ""),
    "wrong-uid-after-reboot": ("wrong_uid", "is another module after the next restart", None, ""),
}
"""Every fault by the name that users type: attribute, meaning, how its argument is read, the argument's name."""


@dataclass(frozen=True, slots=True)
class ModuleSetup:
    """What every simulated module is made from."""

    identifier: str
    baud: int
    faults: ModuleFaults
    memory: Memory
    random: Random
    host_baud: int = 0


def parse_module_faults(text: str) -> ModuleFaults:
    """Read `a,b:argument`. Raises UsageError that lists every fault there is."""
    faults = ModuleFaults()
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, _, argument = part.partition(":")
        if name not in FAULTS:
            listed = "\n".join(f"  {n + (':' + k[3] if k[3] else ''):<24} {k[1]}" for n, k in FAULTS.items())
            raise UsageError(
                t("unknown fault {name!r}; there are:\n{listed}", name=name, listed=listed),
                hint=t("write fault=NAME or fault=NAME:ARGUMENT, several with commas"),
            )
        attribute, _, read, usage = FAULTS[name]
        try:
            value: Any = read(argument) if read else True
        except ValueError:
            raise UsageError(
                t("fault {name} cannot use {argument!r}", name=name, argument=argument),
                hint=t("write fault={name}:{usage}", name=name, usage=usage),
            ) from None
        if attribute == "deny":
            value = faults.deny | {value}
        elif attribute == "clamp":
            value = {**faults.clamp, value[0]: value[1]}
        faults = replace(faults, **{attribute: value})
    return faults


def read_options(target: str, options: Mapping[str, str], state_dir: Path | None, *, baud: int) -> ModuleSetup:
    """Read the options of `sim:<target>`; its memory is a file in `state_dir`, or RAM when that is None.

    Raises UsageError for an option or value that there is not.
    """
    if unknown := next((name for name in options if name not in OPTIONS), None):
        raise UsageError(
            t("sim:{target} has no option {name!r}", target=target, name=unknown),
            hint=t("the options are {known}", known=", ".join(OPTIONS)),
        )
    identifier, seed, speed = options.get("id", "1"), options.get("seed", "0"), options.get("baud", str(baud))
    host = options.get("host", "0")
    for name, value, fits in (
        ("id", identifier, bool(_ID.fullmatch(identifier))),
        ("seed", seed, seed.lstrip("-").isdecimal()),
        ("baud", speed, speed.isdecimal() and int(speed) > 0),
        ("host", host, host.isdecimal()),
    ):
        if not fits:
            raise UsageError(
                t("option {name} of sim:{target} cannot be {value!r}", name=name, target=target, value=value),
                hint=t("{name}: {meaning}", name=name, meaning=OPTIONS[name]),
            )
    fresh = options.get("fresh", "0").lower() in {"", "1", "true", "yes"}
    path = state_dir / f"{target}-{identifier}.log" if state_dir else None
    random = Random(f"{seed}/{target}/{identifier}")  # noqa: S311  simulation, no secret
    faults = parse_module_faults(options.get("fault", ""))
    return ModuleSetup(identifier, int(speed), faults, Memory(path, fresh=fresh), random, int(host))
