"""What a run of checks or scenarios finds: verdicts, measures against limits, series over time. Plain frozen values."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from dronekit_cfg.model.identity import Identity
from dronekit_cfg.text import t

__all__ = [
    "Band",
    "Difference",
    "Mark",
    "Measure",
    "Outcome",
    "Result",
    "RunResult",
    "Series",
    "Subject",
    "Verdict",
    "worst",
]


class Verdict(StrEnum):
    """How a check ended. ERROR means that it could not be judged, which is never as good as PASS."""

    PASS = "pass"  # noqa: S105  a verdict, no password
    FAIL = "fail"
    SKIP = "skip"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Measure:
    """One number with its limits (inclusive; infinite where there is none) and unit. NaN is never within limits."""

    name: str
    value: float
    unit: str = ""
    low: float = -math.inf
    high: float = math.inf

    @property
    def ok(self) -> bool:
        """Whether the number is within its limits."""
        return self.low <= self.value <= self.high

    def __str__(self) -> str:
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.name} {_number(self.value)}{unit}" + (f" ({self.limits})" if self.limits else "")

    @property
    def limits(self) -> str:
        """The limits as a person writes them, "" when there are none."""
        low, high = _number(self.low), _number(self.high)
        if math.isinf(self.low):
            return "" if math.isinf(self.high) else t("at most {limit}", limit=high)
        if math.isinf(self.high):
            return t("at least {limit}", limit=low)
        return t("exactly {limit}", limit=low) if self.low == self.high else t("{a} to {b}", a=low, b=high)


def _number(value: float) -> str:
    if math.isnan(value):
        return t("unknown")
    return f"{value:.0f}" if value == int(value if math.isfinite(value) else 0) else f"{value:.3g}"


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a plot: (seconds, value) pairs in order of time."""

    name: str
    unit: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Band:
    """A stretch of time with a name, such as a flight mode."""

    name: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment: `kind` is "stimulus", "reaction" (as expected), "fault" (not so), "mode", "alarm" or "text"."""

    at: float
    text: str
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a judge finds. A measure outside its limits or an entry in `faults` fails; `skip` is the reason to skip.

    `faults` are whole sentences. `notes` inform and never fail.
    """

    measures: tuple[Measure, ...] = ()
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    skip: str = ""

    @property
    def verdict(self) -> Verdict:
        """The verdict that follows from what was found."""
        if self.faults or any(not m.ok for m in self.measures):
            return Verdict.FAIL
        if self.skip:
            return Verdict.SKIP
        return Verdict.PASS if self.measures or self.notes else Verdict.ERROR


@dataclass(frozen=True, slots=True)
class Subject:
    """What was flown in one column of a matrix: a profile ("" for the scenarios' own settings) on a firmware."""

    profile: str = ""
    digest: str = ""
    firmware: str = ""
    program: str = ""

    def __str__(self) -> str:
        profile = self.profile or t("own settings")
        return t("{profile} on {firmware}", profile=profile, firmware=self.firmware) if self.firmware else profile


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting that the vehicle holds otherwise than its profile asks for, and why where that is known."""

    name: str
    wanted: str
    found: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one check or scenario. `reason` says in one line why it did not pass.

    `seed` made the numbers in `drawn`; `base` is the name without the seed ("" where it is `name`). `subject` says what
    was flown where a run flies more than one thing. `differs` are settings that differ from the profile under test;
    None when no profile was compared. `about` tells one who was not there what was tried, and what it proves.
    """

    name: str
    title: str
    verdict: Verdict
    reason: str = ""
    measures: tuple[Measure, ...] = ()
    notes: tuple[str, ...] = ()
    remedy: str = ""
    seconds: float = 0.0
    series: tuple[Series, ...] = ()
    bands: tuple[Band, ...] = ()
    marks: tuple[Mark, ...] = ()
    files: tuple[str, ...] = ()
    seed: int | None = None
    drawn: tuple[tuple[str, float], ...] = ()
    base: str = ""
    subject: Subject | None = None
    differs: tuple[Difference, ...] | None = None
    about: str = ""


@dataclass(frozen=True, slots=True)
class RunResult:
    """A whole run: of a suite on one vehicle, or of scenarios on simulators. Times are ISO 8601 UTC."""

    suite: str
    title: str
    results: tuple[Result, ...]
    identity: Identity | None
    started: str
    seconds: float
    tool: str
    link: str = ""
    profile: str = ""
    profile_digest: str = ""

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """What was flown, in order; empty unless the run is a matrix."""
        return tuple(dict.fromkeys(r.subject for r in self.results if r.subject is not None))

    @property
    def verdict(self) -> Verdict:
        """PASS only when nothing failed or erred and at least one check passed."""
        return worst(r.verdict for r in self.results)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Give the verdict of many: ERROR over FAIL over PASS; nothing but skips (or nothing at all) proves nothing."""
    found = set(verdicts)
    for verdict in (Verdict.ERROR, Verdict.FAIL, Verdict.PASS):
        if verdict in found:
            return verdict
    return Verdict.SKIP
