"""What a setting may be: facts of one firmware version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dronekit_cfg.model.value import Kind, Value

__all__ = ["SettingSpec", "Spec"]


@dataclass(frozen=True, slots=True)
class SettingSpec:
    """Facts about one setting.

    `minimum`/`maximum` are the documented range (firmware may accept more), `unit` the vendor's unit text ("cdeg/s"),
    `values` number to label, `bits` bit number to label, `options` the allowed texts of a TEXT setting. `enabled_by`
    names the setting that must be non-zero for this one to be listed.
    """

    name: str
    kind: Kind | None = None
    label: str = ""
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    increment: float | None = None
    values: Mapping[int, str] = field(default_factory=dict)
    bits: Mapping[int, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    default: float | str | None = None
    read_only: bool = False
    volatile: bool = False
    calibration: bool = False
    identity: bool = False
    reboot: bool = False
    enabled_by: str = ""

    def describe(self, value: Value | None) -> str:
        """Give `value` as a person reads it: with its enum label or bit names, else with its unit."""
        if value is None:
            return "-"
        if not isinstance(value.raw, str) and float(value.raw).is_integer():
            number = int(value.raw)
            if self.bits:
                names = [label for bit, label in self.bits.items() if number & (1 << bit)]
                unknown = number >= 0 and number & ~sum(1 << bit for bit in self.bits)
                names += [f"bit {b}" for b in range(32) if unknown and unknown & (1 << b)]
                return f"{value} ({', '.join(names)})" if names else f"{value}"
            if number in self.values:
                return f"{value} ({self.values[number]})"
        return f"{value} {self.unit}".rstrip()


@dataclass(frozen=True)
class Spec:
    """The metadata of one firmware version. `exact` is False when it is the nearest and not the version at hand."""

    family: str
    vehicle: str
    version: str
    settings: Mapping[str, SettingSpec]
    source: str = ""
    exact: bool = True

    def get(self, name: str) -> SettingSpec:
        """Give the facts about `name`; an unknown name gets an empty spec."""
        return self.settings.get(name) or SettingSpec(name)
