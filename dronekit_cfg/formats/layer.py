"""One profile file, read and checked but not yet merged with others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dronekit_cfg.model import InputSpec, ModuleSlot, Origin, Scalar, Waiver

__all__ = ["FAMILIES", "MODULE_FAMILIES", "NUMERIC_FAMILIES", "PROFILE_FORMAT", "Layer", "LayerSetting", "Reference"]

PROFILE_FORMAT = "dronekit-cfg/profile/v1"

FAMILIES = ("ardupilot", "px4", "betaflight", "inav", "elrs", "sik", "ublox")

MODULE_FAMILIES = ("elrs", "sik", "ublox")
"""Families of what is fitted around a flight controller."""

NUMERIC_FAMILIES = frozenset({"ardupilot", "px4"})
"""Families whose settings are numbers that travel as float32 or integers, never texts."""


@dataclass(frozen=True, slots=True)
class Reference:
    """The name of another profile, and where it is written."""

    name: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class LayerSetting:
    """One setting of one file: either a `value`, or an `expr` to compute from inputs.

    `optional`: left out, and said so, on firmware that was built without the setting.
    """

    name: str
    value: Scalar | None
    expr: str | None
    because: str
    source: str
    origin: Origin
    optional: bool = False


@dataclass(frozen=True)
class Layer:
    """One profile file. "" for `vehicle`, `firmware` and `names` means that it does not matter.

    `input_values` are answers to inputs that this layer gives itself (a unit file knows its aircraft). `requires` are
    layers that must be merged before this one, wherever they come from.
    """

    file: str
    name: str
    version: str
    family: str
    vehicle: str = ""
    firmware: str = ""
    names: str = ""
    summary: str = ""
    extends: tuple[Reference, ...] = ()
    overrides: tuple[Reference, ...] = ()
    requires: tuple[Reference, ...] = ()
    flags: tuple[str, ...] = ()
    inputs: tuple[InputSpec, ...] = ()
    input_values: Mapping[str, tuple[Scalar, Origin]] = field(default_factory=dict)
    settings: tuple[LayerSetting, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    region: str = ""
    modules: tuple[ModuleSlot, ...] = ()
    format: str = PROFILE_FORMAT

    @property
    def label(self) -> str:
        """Name and version, as `Resolved.layers` lists them."""
        return f"{self.name} {self.version}"
