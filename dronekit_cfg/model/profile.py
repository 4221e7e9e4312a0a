"""Profiles: what a person wants a vehicle to be set to, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dronekit_cfg.model.digest import digest
from dronekit_cfg.model.value import Scalar

__all__ = ["InputSpec", "ModuleSlot", "Origin", "Resolved", "Waiver", "Wanted"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was written: the layer's name, the file, 1-based line and column (0 when not from a file)."""

    layer: str
    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.layer} ({self.file}:{self.line})" if self.line else self.layer


@dataclass(frozen=True, slots=True)
class Wanted:
    """One value that a resolved profile asks for. `overrode` lists earlier layers that had set it, oldest first.

    An `optional` one is left out, and said so, where the vehicle's firmware was built without the setting.
    """

    name: str
    value: Scalar
    origin: Origin
    because: str = ""
    source: str = ""
    overrode: tuple[Origin, ...] = ()
    optional: bool = False


@dataclass(frozen=True, slots=True)
class InputSpec:
    """One input a technician supplies. `type` is integer, number, string or boolean."""

    name: str
    type: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Scalar, ...] = ()
    default: Scalar | None = None
    help: str = ""


@dataclass(frozen=True, slots=True)
class Waiver:
    """A rule finding that is accepted, why, and until when (ISO date, "" for ever)."""

    rule: str
    because: str
    until: str
    origin: Origin
    who: str = ""


@dataclass(frozen=True, slots=True)
class ModuleSlot:
    """A module of the aircraft that profiles speak of: its role, and what is known about it so far.

    `profile` is a stack of the module's family, `link` a link URL, `optional` that it is left alone where no link is
    known. Layers add up: a unit file may give only the link. `origin` is where it was last spoken of.
    """

    role: str
    family: str = ""
    profile: str = ""
    link: str = ""
    region: str = ""
    optional: bool | None = None
    origin: Origin = field(default_factory=lambda: Origin(""))


@dataclass(frozen=True)
class Resolved:
    """A profile stack with all layers merged, inputs filled in and expressions computed.

    `firmware` is a PEP 440 specifier text ("" for any), `names` the generation of its setting names ("" when it does
    not matter), `layers` the profile names in the order they were merged, each with its version. `notes` say what was
    left out on purpose, such as a serial role without a port. `region` names where it is operated ("" when nobody
    said), see `model.region`.
    """

    name: str
    version: str
    family: str
    vehicle: str
    firmware: str
    names: str
    settings: tuple[Wanted, ...]
    inputs: Mapping[str, Scalar] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    layers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    region: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of what is asked for: family, vehicle, firmware, names, settings, flags, region; not its wording."""
        return digest(
            {
                **({"region": self.region} if self.region else {}),
                "family": self.family,
                "vehicle": self.vehicle,
                "firmware": self.firmware,
                "names": self.names,
                "flags": sorted(self.flags),
                "settings": [
                    [w.name, w.value, *(["optional"] if w.optional else [])]
                    for w in sorted(self.settings, key=lambda w: w.name)
                ],
            }
        )
