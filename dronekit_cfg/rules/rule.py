"""Rules as plain frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from dronekit_cfg.model import Scalar
from dronekit_cfg.rules.expression import Expression, parse

__all__ = ["FAMILIES", "FLAGS", "SEVERITIES", "Example", "Rule"]

FLAGS = ("vlos", "bvlos", "auto", "denied")
"""How the vehicle is operated: in sight, beyond it, by automatic missions, where GNSS or the radio may be denied."""

FAMILIES = ("ardupilot", "px4", "betaflight", "inav", "elrs", "sik", "ublox")
SEVERITIES = ("error", "warning", "info")


@dataclass(frozen=True, slots=True)
class Example:
    """A situation that a rule is tried on."""

    settings: Mapping[str, Scalar]
    inputs: Mapping[str, Scalar] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    firmware: str = ""


@dataclass(frozen=True)
class Rule:
    """One policy rule.

    `violation` is an expression that is true when the rule is broken; `when` one that must be true for the rule to say
    anything at all. `inputs` maps the inputs it uses to their defaults, None where the rule cannot be judged without
    one. `flags` lists operation flags of which at least one must be set. `message` has `{NAME}` fields. `setting` is
    the one that a finding points to. `law`: what a region allows, which
    nothing lifts. Line and column are those of the rule in its pack.
    """

    id: str
    title: str
    severity: str
    families: tuple[str, ...]
    violation: str
    message: str
    remedy: str
    why: str
    source: str
    bad: Example
    good: Example
    vehicles: tuple[str, ...] = ()
    firmware: str = ""
    flags: tuple[str, ...] = ()
    inputs: Mapping[str, Scalar | None] = field(default_factory=dict)
    when: str = ""
    measured: str = ""
    setting: str = ""
    waivable: bool = True
    law: bool = False
    pack: str = ""
    file: str = ""
    line: int = 0
    column: int = 0

    @property
    def names(self) -> frozenset[str]:
        """Inputs and flags that the expressions may use."""
        return frozenset((*self.inputs, *FLAGS))

    @cached_property
    def violated(self) -> Expression:
        """The violation expression, parsed. Raises ExpressionError."""
        return parse(self.violation, self.names)

    @cached_property
    def precondition(self) -> Expression | None:
        """The `when` expression, parsed; None when there is none. Raises ExpressionError."""
        return parse(self.when, self.names) if self.when else None

    @property
    def reads(self) -> tuple[str, ...]:
        """Setting names and wildcard names that the rule reads, the one a finding points to first."""
        both = [e for e in (self.violated, self.precondition) if e is not None]
        first = [self.setting] if self.setting else []
        return tuple(dict.fromkeys([*first, *(n for e in both for n in (*e.settings, *e.patterns))]))
