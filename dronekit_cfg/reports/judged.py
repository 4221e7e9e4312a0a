"""What reports are made from: the findings of one judged file or vehicle."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from dronekit_cfg.model import Finding, Waiver

__all__ = ["FAIL_ON", "Judged", "RuleText", "failing"]

FAIL_ON = {"error": ("error",), "warning": ("error", "warning"), "info": ("error", "warning", "info")}
"""Which severities fail a run, by the value of --fail-on."""


@dataclass(frozen=True, slots=True)
class Judged:
    """The result of one file or vehicle. `file` is what it is called; `note` says what it was judged against."""

    file: str
    findings: tuple[Finding, ...]
    waived: tuple[tuple[Finding, Waiver], ...] = ()
    note: str = ""


class RuleText(Protocol):
    """What a report tells of a rule; rules and built-in checks both have it."""

    @property
    def id(self) -> str:
        """Id."""

    @property
    def title(self) -> str:
        """One line."""

    @property
    def severity(self) -> str:
        """Usual severity: error, warning or info."""

    @property
    def why(self) -> str:
        """What happens."""

    @property
    def remedy(self) -> str:
        """What to do."""

    @property
    def source(self) -> str:
        """Where the fact comes from."""


def failing(judged: Iterable[Judged], fail_on: str) -> tuple[Finding, ...]:
    """Give the findings that fail a run with this `--fail-on`. Raises KeyError for an unknown severity."""
    severities = FAIL_ON[fail_on]
    return tuple(f for j in judged for f in j.findings if f.severity in severities)
