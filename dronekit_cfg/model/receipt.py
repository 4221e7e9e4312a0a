"""Outcomes of writes, and the receipt of an apply."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from dronekit_cfg.model.cost import Cost
from dronekit_cfg.model.identity import Identity
from dronekit_cfg.model.part import Part
from dronekit_cfg.model.plan import LeftOut
from dronekit_cfg.model.value import Value

__all__ = ["Outcome", "Receipt", "Record", "Result", "Verdict"]


class Verdict(StrEnum):
    """What became of one write."""

    WRITTEN = "written"
    """The vehicle echoed or read back the wanted value."""
    CLAMPED = "clamped"
    """The vehicle holds another value than the wanted and the old one."""
    DENIED = "denied"
    """The vehicle kept the old value."""
    UNKNOWN = "unknown"
    """The vehicle does not know the setting."""
    LOST = "lost"
    """No answer in time; the value is not known."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Result of one write. `echoed` is what the vehicle answered, None for silence; `detail` is for a person."""

    name: str
    wanted: Value
    echoed: Value | None
    verdict: Verdict
    detail: str = ""

    @property
    def ok(self) -> bool:
        """Whether the vehicle confirmed the wanted value."""
        return self.verdict is Verdict.WRITTEN


class Result(StrEnum):
    """How an apply, restore or recover ended."""

    DONE = "done"
    UNCHANGED = "unchanged"
    ROLLED_BACK = "rolled-back"
    IN_DOUBT = "in-doubt"


@dataclass(frozen=True, slots=True)
class Record:
    """One change in a receipt: what it was, should be, was echoed, and was read back before and after the reboot."""

    name: str
    old: Value | None
    wanted: Value
    echoed: Value | None
    read_back: Value | None
    after_reboot: Value | None
    verdict: Verdict
    because: str = ""
    layer: str = ""


@dataclass(frozen=True)
class Receipt:
    """The record of one apply, restore or recover. Times are ISO 8601 UTC; `seconds` is the duration.

    `side_effects` are settings that changed although nobody asked (old and new value), `volatile` ones left out.
    `parts` is the as-built record: what is fitted, as far as the vehicle tells. `predicted` and `actual` are what the
    transfers were to cost and did cost, from the first write on and without the reboots. `left_out` are wanted settings
    that the vehicle does not hold, because they are not written; that was accepted.
    """

    action: str
    result: Result
    identity: Identity
    who: str
    started: str
    finished: str
    seconds: float
    tool: str
    profile: str
    profile_digest: str
    plan_digest: str
    snapshot_file: str
    snapshot_digest: str
    journal_file: str
    records: tuple[Record, ...]
    reboots: int
    persistence_verified: bool
    side_effects: tuple[tuple[str, Value | None, Value | None], ...] = ()
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())
    parts: tuple[Part, ...] = ()
    predicted: Cost | None = None
    actual: Cost | None = None
    left_out: tuple[LeftOut, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether the vehicle holds other values than before."""
        return self.result is Result.DONE and bool(self.records)
