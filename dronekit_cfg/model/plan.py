"""Plans: which settings change, in which order, with which reboots. A plan is data."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from dronekit_cfg.model.digest import digest
from dronekit_cfg.model.identity import Identity
from dronekit_cfg.model.profile import Origin, Wanted
from dronekit_cfg.model.value import Value

__all__ = ["Change", "Finding", "LeftOut", "Phase", "Plan", "Step", "StepKind"]


class Phase(StrEnum):
    """When a change is written. Order of writing is the order here; rollback goes the other way."""

    ROOT = "root"
    """Settings that give others new defaults at the next boot (an airframe); each is followed by a reboot."""
    ENABLE = "enable"
    """Settings that make others appear (enable, type, frame, protocol)."""
    SET = "set"
    """Everything else."""
    LINK = "link"
    """Settings that can cut our own connection; they come last."""


class StepKind(StrEnum):
    """What a step does."""

    WRITE = "write"
    REBOOT = "reboot"
    VERIFY = "verify"


@dataclass(frozen=True, slots=True)
class Change:
    """One setting that changes. `old` is None while the setting is not listed yet (hidden behind `appears_after`)."""

    name: str
    old: Value | None
    wanted: Value
    phase: Phase
    reboot: bool = False
    because: str = ""
    origin: Origin | None = None
    appears_after: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step: write these settings (names, in order), reboot, or read everything back."""

    kind: StepKind
    names: tuple[str, ...] = ()
    because: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something the planner or a rule has to say. `severity` is "error", "warning" or "info"; errors block an apply."""

    id: str
    severity: str
    name: str
    message: str
    remedy: str = ""
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A wanted setting that is not written although the vehicle holds something else (None: does not show it).

    `reason` is "read-only", "volatile", "calibration" or "identity".
    """

    name: str
    found: Value | None
    wanted: Value
    reason: str


@dataclass(frozen=True)
class Plan:
    """What an apply would do to one vehicle, as found in one snapshot.

    `missing` are wanted settings that the vehicle does not list and that no known setting makes appear: they are tried
    by name, and fail the apply when the vehicle does not know them. `skipped` are settings that are never written
    without being asked for (calibration, identity, volatile, read-only); `left_out` says which of them will then not be
    as wanted, which somebody has to accept. `wanted` is what is to hold at the end, so that the engine can plan again
    after a reboot. `region` is whose law is judged again before every write. Units of `reboots`: count foreseen.
    """

    identity: Identity
    profile: str
    profile_digest: str
    snapshot_digest: str
    changes: tuple[Change, ...]
    steps: tuple[Step, ...]
    wanted: tuple[Wanted, ...]
    findings: tuple[Finding, ...] = ()
    skipped: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    spec: str = ""
    notes: tuple[str, ...] = field(default=())
    region: str = ""
    left_out: tuple[LeftOut, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings that block an apply."""
        return tuple(f for f in self.findings if f.severity == "error")

    @property
    def reboots(self) -> int:
        """How many reboots are foreseen."""
        return sum(1 for s in self.steps if s.kind is StepKind.REBOOT)

    @property
    def digest(self) -> str:
        """SHA-256 over vehicle, profile digest, base snapshot and changes."""
        return digest(
            {
                "uid": self.identity.uid,
                "profile": self.profile_digest,
                "snapshot": self.snapshot_digest,
                "changes": [[c.name, str(c.old), str(c.wanted), c.phase.value] for c in self.changes],
            }
        )
