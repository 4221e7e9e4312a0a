"""Faults that a simulated vehicle shows on request: `sim:ardupilot-copter?fault=echo-lost:0.3,clamp:RTL_ALT:3000`.

A fault is a name, with an argument after a colon where it takes one. `parse_faults` turns the text into `Faults`;
what a fault does to a vehicle is the business of the family that simulates it. `FAULTS` says what each one means.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from dronekit_cfg.errors import UsageError
from dronekit_cfg.sim.bench_faults import BENCH_FAULTS
from dronekit_cfg.text import t

__all__ = ["FAULTS", "NO_FAULTS", "FaultKind", "Faults", "parse_faults"]


@dataclass(frozen=True, slots=True)
class Faults:
    """Which faults a simulated vehicle has; None and False mean "not this one".

    Counts are in settings written (`PARAM_SET` taken) unless said otherwise; rates are 0..1; times are seconds.
    """

    armed: bool = False
    arms_after: int | None = None
    bench: Mapping[str, float] = field(default_factory=dict)
    """Faults of the vehicle's parts with their size, see `BENCH_FAULTS`."""
    brownout: int | None = None
    clamp: Mapping[str, float] = field(default_factory=dict)
    deaf: bool = False
    deny: frozenset[str] = frozenset()
    drop_burst: float | None = None
    echo_lost: float | None = None
    """Below 1.0 a rate; from 1 on the number of echoes that are lost, infinity for all."""
    echo_old: float | None = None
    """The number of echoes that carry the old value, infinity for all."""
    ftp_busy: float | None = None
    gcs_only: bool = False
    mute_after: int | None = None
    no_ftp: bool = False
    reboot_mid: int | None = None
    second: bool = False
    second_gcs: tuple[str, float] | None = None
    """A setting that the other ground station writes once we wrote three, and the value it writes."""
    slow_boot: float | None = None
    storage_full: int | None = None
    wrong_uid_after_reboot: bool = False


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One fault that can be asked for: how its argument is read and what it does."""

    meaning: str
    argument: str = ""
    read: Callable[[str], Any] | None = None
    default: Any = None


def _count(text: str) -> int:
    count = int(text)
    if count < 0:
        raise ValueError(text)
    return count


def _positive(text: str) -> float:
    number = float(text)
    if not number > 0:
        raise ValueError(text)
    return number


def _rate(text: str) -> float:
    number = float(text)
    if not 0 < number <= 1:
        raise ValueError(text)
    return number


def _name(text: str) -> str:
    if not text:
        raise ValueError(text)
    return text


def _name_and_limit(text: str) -> tuple[str, float]:
    name, colon, value = text.partition(":")
    limit = float(value)
    if not (name and colon and math.isfinite(limit)):
        raise ValueError(text)
    return name, limit


FAULTS: Mapping[str, FaultKind] = {
    "armed": FaultKind("is armed and stays so"),
    "arms-after": FaultKind("arms by itself once N settings were written", "N", _count, 5),
    "brownout": FaultKind("loses power once N settings were written; the last 3 were not stored yet", "N", _count, 5),
    "clamp": FaultKind("limits a setting to at most VALUE", "NAME:VALUE", _name_and_limit),
    "deaf": FaultKind("sends heartbeats and answers nothing"),
    "deny": FaultKind("refuses writes to a setting", "NAME", _name),
    "drop-burst": FaultKind("loses this rate of file transfer burst blocks", "RATE", _rate, 0.1),
    "echo-lost": FaultKind("loses echoes of writes: a rate below 1, else the first N", "RATE|N", _positive, math.inf),
    "echo-old": FaultKind("stores, but echoes the old value: the first N times", "N", _positive, math.inf),
    "ftp-busy": FaultKind("another ground station holds the file transfer session", "SECONDS", _positive, 5.0),
    "gcs-only": FaultKind("is no vehicle, only the heartbeat of a ground station"),
    "mute-after": FaultKind("falls silent for good after N requests of any kind", "N", _count, 20),
    "no-ftp": FaultKind("has file transfer switched off"),
    "reboot-mid": FaultKind("reboots by itself once N settings were written", "N", _count, 5),
    "second": FaultKind("has a second vehicle on the same link"),
    "second-gcs": FaultKind("a second ground station reads all settings and writes one", "NAME:VALUE", _name_and_limit),
    "slow-boot": FaultKind("takes this long to boot", "SECONDS", _positive, 20.0),
    "storage-full": FaultKind("has room for N more; others stay in RAM, no echo", "N", _count, 0),
    "wrong-uid-after-reboot": FaultKind("is another vehicle after the next reboot"),
    **{name: FaultKind(b.meaning, b.unit or "SIZE", _positive, b.size) for name, b in BENCH_FAULTS.items()},
}
"""Every fault by the name that users type."""

NO_FAULTS = Faults()


def _explain() -> str:
    rows = []
    for name, kind in FAULTS.items():
        usage = f"{name}:{kind.argument}" if kind.argument else name
        rows.append(f"  {usage:<24} {kind.meaning}")
    return "\n".join(rows)


def _split(text: str) -> tuple[str, str | None]:
    """Give name and argument; `name=argument` is taken as well as `name:argument`."""
    for place, letter in enumerate(text):
        if letter in ":=":
            return text[:place], text[place + 1 :]
    return text, None


def _value(name: str, argument: str | None) -> Any:
    kind = FAULTS.get(name)
    if kind is None:
        raise UsageError(
            t("unknown fault {name!r}; there are:\n{list}", name=name, list=_explain()),
            hint=t("write fault=NAME or fault=NAME:ARGUMENT, several with commas"),
        )
    if kind.read is None:
        if argument is None:
            return True
        problem = t("takes no argument")
    elif argument is None:
        if kind.default is not None:
            return kind.default
        problem = t("needs an argument")
    else:
        try:
            return kind.read(argument)
        except ValueError:
            problem = t("cannot use {argument!r}", argument=argument)
    usage = f"{name}:{kind.argument}" if kind.argument else name
    message = t("fault {name} {problem}", name=name, problem=problem)
    raise UsageError(message, hint=t("write fault={usage}", usage=usage))


def parse_faults(text: str) -> Faults:
    """Read `a,b:argument`; an empty text is no fault. Raises `UsageError` that lists every fault there is."""
    faults = NO_FAULTS
    known = {f.name for f in fields(Faults)}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        name, argument = _split(part)
        value = _value(name, argument)
        if name in BENCH_FAULTS:
            faults = replace(faults, bench={**faults.bench, name: value})
            continue
        attribute = name.replace("-", "_")
        assert attribute in known
        if name == "clamp":
            value = {**faults.clamp, value[0]: value[1]}
        elif name == "deny":
            value = faults.deny | {value}
        faults = replace(faults, **{attribute: value})
    return faults
