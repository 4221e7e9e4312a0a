"""Who a vehicle is: what is pinned into plans and checked after every reconnect."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Identity"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Identity of one vehicle, as it reports it.

    `version` is a PEP 440 compatible text ("4.7.0.dev0", "4.5.6"), `version_text` what a person reads ("4.7.0-dev
    (2598e9d4)"). `uid` is lower-case hex, unique per board ("" when the board has none). `address` is where it answers
    on its link ("1:1" for MAVLink system:component); it may change by configuration and is no part of `key`.
    `capabilities` are family-specific flags by name.
    """

    family: str
    vehicle: str
    version: str
    version_text: str
    board: str
    uid: str
    address: str = ""
    capabilities: tuple[str, ...] = field(default=())

    @property
    def key(self) -> str:
        """Name of the vehicle's folder in the state directory, safe on every file system."""
        raw = f"{self.family}-{self.uid or 'no-uid-' + self.board}"
        return "".join(c if c.isalnum() or c in "-_." else "_" for c in raw)

    def differences(self, other: Identity) -> tuple[str, ...]:
        """Names of the pinned fields in which `other` differs from this identity; empty for the same vehicle."""
        pinned = ("family", "vehicle", "version", "board", "uid")
        return tuple(n for n in pinned if getattr(self, n) != getattr(other, n))
