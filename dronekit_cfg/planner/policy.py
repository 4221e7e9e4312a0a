"""What the planner asks a family and a rename table; both are handed in, so the planner stays pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, runtime_checkable

from dronekit_cfg.model import Phase, Scalar, Setting, Value

__all__ = ["NoRenames", "Policy", "Renames", "Resets"]


class Policy(Protocol):
    """The family's knowledge about single settings (a `families.base.Driver` is one)."""

    def phase(self, name: str) -> Phase:
        """Say when `name` has to be written."""

    def protected(self, name: str) -> str:
        """Give "calibration", "identity", "volatile", "read-only" or ""."""

    def coerce(self, name: str, value: Any, known: Setting | None) -> Value:
        """Turn a wanted scalar into the Value that is stored; ValueError says why it does not fit."""


@runtime_checkable
class Resets(Protocol):
    """A family with a setting that orders a reset for the next boot, and then clears itself."""

    def resets_with(self, name: str) -> str:
        """Give the setting whose change a reset goes with, "" when `name` orders no reset."""

    def kept_by_reset(self, name: str) -> bool:
        """Whether a reset leaves the setting alone."""


class Renames(Protocol):
    """Names and units that changed between firmware versions."""

    def translate(self, name: str, value: Scalar, has: Callable[[str], bool]) -> tuple[str, Scalar] | None:
        """Give the counterpart of `name` that the vehicle has, with the value in its unit; None when there is none.

        Raises ValueError with the reason when a counterpart exists but the value cannot be carried over unseen.
        """


class NoRenames:
    """A family without renames."""

    def translate(self, name: str, value: Scalar, has: Callable[[str], bool]) -> tuple[str, Scalar] | None:
        """Never finds a counterpart."""
        del name, value, has
        return None
