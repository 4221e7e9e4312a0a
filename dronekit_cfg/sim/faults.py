"""Faults that a simulated vehicle shows on request: `sim:ardupilot-copter?fault=echo-lost:0.3,clamp:RTL_ALT:3000`.

A fault is a name, with an argument after a colon where it takes one. `parse_faults` turns the text into `Faults`;
what a fault does to a vehicle is the business of the family that simulates it. `FAULTS` says what each one means.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from dronekit_cfg.sim.bench_faults import BENCH_FAULTS
from dronekit_cfg.sim.fault_text import FaultKind, count, name_and_limit, positive, rate, read_faults, seconds, setting

__all__ = ["FAULTS", "NO_FAULTS", "Faults", "parse_faults"]


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


def _of_part(part: str) -> FaultKind:
    """Give the fault of a vehicle's part, whose size is its argument."""
    broken = BENCH_FAULTS[part]
    return FaultKind(
        broken.meaning,
        broken.unit or "SIZE",
        lambda text: (part, positive(text)),
        (part, broken.size),
        "bench",
    )


FAULTS: Mapping[str, FaultKind] = {
    "armed": FaultKind("is armed and stays so"),
    "arms-after": FaultKind("arms by itself once N settings were written", "N", count, 5),
    "brownout": FaultKind("loses power once N settings were written; the last 3 were not stored yet", "N", count, 5),
    "clamp": FaultKind("limits a setting to at most VALUE", "NAME:VALUE", name_and_limit),
    "deaf": FaultKind("sends heartbeats and answers nothing"),
    "deny": FaultKind("refuses writes to a setting", "NAME", setting),
    "drop-burst": FaultKind("loses this rate of file transfer burst blocks", "RATE", rate, 0.1),
    "echo-lost": FaultKind("loses echoes of writes: a rate below 1, else the first N", "RATE|N", positive, math.inf),
    "echo-old": FaultKind("stores, but echoes the old value: the first N times", "N", positive, math.inf),
    "ftp-busy": FaultKind("another ground station holds the file transfer session", "SECONDS", seconds, 5.0),
    "gcs-only": FaultKind("is no vehicle, only the heartbeat of a ground station"),
    "mute-after": FaultKind("falls silent for good after N requests of any kind", "N", count, 20),
    "no-ftp": FaultKind("has file transfer switched off"),
    "reboot-mid": FaultKind("reboots by itself once N settings were written", "N", count, 5),
    "second": FaultKind("has a second vehicle on the same link"),
    "second-gcs": FaultKind("a second ground station reads all settings and writes one", "NAME:VALUE", name_and_limit),
    "slow-boot": FaultKind("takes this long to boot", "SECONDS", seconds, 20.0),
    "storage-full": FaultKind("has room for N more; others stay in RAM, no echo", "N", count, 0),
    "wrong-uid-after-reboot": FaultKind("is another vehicle after the next reboot"),
    **{part: _of_part(part) for part in BENCH_FAULTS},
}
"""Every fault by the name that users type."""

NO_FAULTS = Faults()


def parse_faults(text: str) -> Faults:
    """Read `a,b:argument`; an empty text is no fault. Raises `UsageError` that lists every fault there is."""
    return read_faults(NO_FAULTS, text, FAULTS)
