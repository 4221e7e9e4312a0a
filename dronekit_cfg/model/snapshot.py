"""All settings of one vehicle at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from dronekit_cfg.model.digest import digest
from dronekit_cfg.model.identity import Identity
from dronekit_cfg.model.value import Value

__all__ = ["Setting", "Snapshot"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as read: its value and, where the vehicle tells it, its default."""

    name: str
    value: Value
    default: Value | None = None


@dataclass(frozen=True)
class Snapshot:
    """Every setting a vehicle listed. `taken` is ISO 8601 UTC; `source` is how it was read ("mavftp", "list", "cli").

    `typed` is False when the way it was read does not tell true storage types. `raw` holds family-specific originals
    by name (for Betaflight the text of `diff all`), so that nothing is lost.
    """

    identity: Identity
    taken: str
    source: str
    settings: tuple[Setting, ...]
    typed: bool = True
    raw: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def by_name(self) -> dict[str, Setting]:
        """Settings by name."""
        return {s.name: s for s in self.settings}

    def value(self, name: str) -> Value | None:
        """Give the value of `name`, or None when it is not listed."""
        found = self.by_name.get(name)
        return found.value if found else None

    @cached_property
    def digest(self) -> str:
        """SHA-256 of names, kinds and values (not of time or source)."""
        return digest([[s.name, s.value.kind.value, str(s.value)] for s in sorted(self.settings, key=lambda s: s.name)])
