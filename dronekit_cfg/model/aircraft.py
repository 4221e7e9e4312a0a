"""The whole aircraft: a flight controller and the modules around it, planned, written down and restored as one."""

from __future__ import annotations

from dataclasses import dataclass

from dronekit_cfg.model.identity import Identity
from dronekit_cfg.model.plan import LeftOut, Plan
from dronekit_cfg.model.receipt import Receipt, Result
from dronekit_cfg.model.snapshot import Snapshot

__all__ = ["AircraftPlan", "AircraftReceipt", "AircraftSnapshot", "Part", "PartPlan", "PartSnapshot", "worst"]


@dataclass(frozen=True, slots=True)
class PartPlan:
    """The plan of one device; `role` is "vehicle" for the flight controller."""

    role: str
    link: str
    plan: Plan


@dataclass(frozen=True)
class AircraftPlan:
    """The plans of all devices in the order of the work."""

    profile: str
    parts: tuple[PartPlan, ...]


@dataclass(frozen=True, slots=True)
class PartSnapshot:
    """The snapshot of one device."""

    role: str
    link: str
    snapshot: Snapshot


@dataclass(frozen=True)
class AircraftSnapshot:
    """The snapshots of all devices, taken before any was written. `taken` is ISO 8601 UTC."""

    taken: str
    profile: str
    parts: tuple[PartSnapshot, ...]


@dataclass(frozen=True)
class Part:
    """What became of one device. `receipt` is None when it was not written to; `left_out` counts then too."""

    role: str
    link: str
    identity: Identity
    profile: str
    profile_digest: str
    result: Result
    receipt: Receipt | None = None
    problems: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True)
class AircraftReceipt:
    """The record of one apply, restore or recover of a whole aircraft, with its parts in the order of the work."""

    action: str
    result: Result
    who: str
    started: str
    finished: str
    seconds: float
    tool: str
    profile: str
    snapshot_file: str
    journal_file: str
    parts: tuple[Part, ...]
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether the aircraft holds other values than before."""
        return self.result is Result.DONE

    @property
    def main(self) -> Identity:
        """Who the flight controller is; of an aircraft without one, the first device."""
        return next((p.identity for p in self.parts if p.role == "vehicle"), self.parts[0].identity)


_BADNESS = (Result.IN_DOUBT, Result.ROLLED_BACK, Result.DONE, Result.UNCHANGED)


def worst(results: tuple[Result, ...]) -> Result:
    """Give the result of the whole: in doubt when any part is, unchanged only when all are."""
    return next((r for r in _BADNESS if r in results), Result.UNCHANGED)
