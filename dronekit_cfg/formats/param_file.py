"""What a parameter file holds, whichever ground station wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from dronekit_cfg.errors import Problem
from dronekit_cfg.model import Kind, Value

__all__ = ["MAV_TYPES", "Dialect", "ParamEntry", "ParamFile"]

MAV_TYPES: dict[int, Kind] = {
    1: Kind.UINT8,
    2: Kind.INT8,
    3: Kind.UINT16,
    4: Kind.INT16,
    5: Kind.UINT32,
    6: Kind.INT32,
    9: Kind.REAL32,
}
"""MAV_PARAM_TYPE numbers (MAVLink common message set) of the kinds that autopilots store."""


class Dialect(StrEnum):
    """Who writes a parameter file like this."""

    MISSION_PLANNER = "mission-planner"
    """`NAME,VALUE` (.param); MethodicConfigurator adds `# reason`."""
    MAVPROXY = "mavproxy"
    """`NAME VALUE` (.parm); also the firmware's own defaults file with `@READONLY`."""
    QGC = "qgc"
    """Five columns with types (.params)."""


@dataclass(frozen=True, slots=True)
class ParamEntry:
    """One parameter line. `text` is the value as written; `number` is what it means, on the wire's terms.

    A whole number within 32 bits is an int, exactly; everything else is a float that fits float32. `kind` is the
    storage type where the file tells it. `system` and `component` are 0 where it does not.
    """

    name: str
    text: str
    number: float
    kind: Kind | None = None
    line: int = 0
    comment: str = ""
    read_only: bool = False
    system: int = 0
    component: int = 0

    def value(self, kind: Kind | None = None) -> Value:
        """Give the value as a `kind` (the file's own, or the one given). Raises ValueError when it does not fit."""
        return Value(self.kind or kind or Kind.REAL32, self.number)


@dataclass(frozen=True)
class ParamFile:
    """A parameter file. `problems` make its values unusable, `warnings` are worth a look; both are in file order.

    `header` holds what leading comments say by name ("Version", "Git Revision", "note"); `ignored` the lines that are
    neither parameter nor blank (comments, and what could not be understood) with their numbers, so that none is lost.
    """

    dialect: Dialect
    entries: tuple[ParamEntry, ...]
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    header: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[tuple[int, str], ...] = ()

    @cached_property
    def by_name(self) -> dict[str, ParamEntry]:
        """Entries of the autopilot by name: in a file of several components, those of component 1 where it has any."""
        main = [e for e in self.entries if e.component in (0, 1)] or list(self.entries)
        return {e.name: e for e in main}
