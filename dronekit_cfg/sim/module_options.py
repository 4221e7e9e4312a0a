"""Options and faults of simulated radio and GNSS modules: `sim:ublox-m10?fault=deny:CFG-RATE-MEAS,lost:0.1&seed=3`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from dronekit_cfg.sim.fault_text import FaultKind, name_and_limit, nth, rate, read_faults, setting
from dronekit_cfg.sim.memory import Memory
from dronekit_cfg.sim.twin_options import TwinOptions

__all__ = ["FAULTS", "OPTIONS", "ModuleFaults", "ModuleSetup", "parse_module_faults", "read_options"]

OPTIONS: Mapping[str, str] = {
    "baud": "bits per second of the port; paces what the module says",
    "fault": "faults to show; `dronekit-cfg sim list` lists them",
    "fresh": "forget everything that this module has stored",
    "id": "another module with its own id and memory; letters, digits, - and _",
    "host": "bits per second that the other end begins with; the same as the module's where it is left out",
    "seed": "of random faults; a whole number",
}


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


def _whole_limit(text: str) -> tuple[str, int]:
    name, limit = name_and_limit(text)
    if not limit.is_integer():
        raise ValueError(text)
    return name, int(limit)


FAULTS: Mapping[str, FaultKind] = {
    "clamp": FaultKind("limits a setting to at most VALUE", "NAME:VALUE", _whole_limit),
    "deny": FaultKind("refuses every value of a setting", "NAME", setting),
    "jammed": FaultKind("hears a jammer"),
    "lost": FaultKind("loses this share of its answers", "RATE", rate),
    "mute-after": FaultKind("falls silent for good after N writes", "N", nth),
    "no-flash": FaultKind("has no flash memory"),
    "ram-only": FaultKind("says that it stores, and keeps all in RAM only"),
    "reboot-mid": FaultKind("restarts by itself at the Nth write", "N", nth),
    "remote-gone": FaultKind("the far end is out of range from the Nth write on", "N", nth),
    "spoofed": FaultKind("hears false satellites"),
    "torn": FaultKind("loses power at the Nth write, stored in the battery's memory and not yet in flash", "N", nth),
    "weak": FaultKind("hears its other end weakly"),
    "wrong-uid-after-reboot": FaultKind("is another module after the next restart", attribute="wrong_uid"),
}
"""Every fault by the name that users type."""


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
    return read_faults(ModuleFaults(), text, FAULTS)


def read_options(target: str, options: Mapping[str, str], state_dir: Path | None, *, baud: int) -> ModuleSetup:
    """Read the options of `sim:<target>`; its memory is a file in `state_dir`, or RAM when that is None.

    Raises UsageError for an option or value that there is not.
    """
    given = TwinOptions(target, options, OPTIONS)
    return ModuleSetup(
        given.identifier,
        given.whole("baud", baud, least=1),
        parse_module_faults(given.text("fault")),
        given.memory(state_dir, target),
        Random(f"{given.seed}/{target}/{given.identifier}"),  # noqa: S311  simulation, no secret
        given.whole("host", 0, least=0),
    )
