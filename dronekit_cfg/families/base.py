"""The shape that every family of flight controllers and modules has, so that one engine serves them all."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from dronekit_cfg.model import Change, Identity, Outcome, Phase, Setting, Snapshot, Spec, Value
from dronekit_cfg.talk.flow import Codec, Flow

__all__ = ["ArmState", "Driver", "LooksOnly", "StartsOver", "Traits", "WritesBulk"]


@dataclass(frozen=True, slots=True)
class Traits:
    """How a family behaves, as far as the engine must know.

    `staged`: writes live in a session and are thrown away unless `commit` is called (text CLI families); `commit`
    reboots such a vehicle. Where False, each write is kept at once and `commit` does nothing.
    `boot_seconds` is how long a vehicle may take until it answers after a reboot; `settle_seconds` how long to wait
    between the last write and a reboot (autosave).
    """

    staged: bool
    boot_seconds: float
    settle_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ArmState:
    """Whether the vehicle is armed, and what it says about being ready to arm."""

    armed: bool
    detail: str = ""


class Driver(Protocol):
    """One connection to one vehicle of a family. Every method that talks is a flow (see `talk.flow`).

    A driver keeps what it learnt (address, types) between flows; `forget` drops what a reboot makes stale.
    """

    family: str
    traits: Traits
    restarting: bool
    """Whether `identify` had to restart a vehicle that was left in its CLI: a lost link is then opened again."""

    @property
    def codec(self) -> Codec:
        """The decoder of what arrives."""

    def identify(self) -> Flow[Identity]:
        """Find the vehicle and ask who it is. Raises NoAnswer, LinkGarbage, SeveralVehicles, Unsupported."""

    def arm_state(self) -> Flow[ArmState]:
        """Ask for a fresh arm state. Raises NoAnswer."""

    def snapshot(self, *, taken: str) -> Flow[Snapshot]:
        """Read every setting. `taken` is the ISO time to put into it. Raises NoAnswer."""

    def spec(self) -> Flow[Spec | None]:
        """Read the metadata that the vehicle itself carries (ranges, labels, defaults); None when it has none."""

    def read(self, names: Collection[str]) -> Flow[Mapping[str, Setting | None]]:
        """Read some settings by name, listed or not; None for those the vehicle does not know. Raises NoAnswer."""

    def write(self, changes: Sequence[Change]) -> Flow[tuple[Outcome, ...]]:
        """Write in the given order (windowed) and compare each echo. Refusals are outcomes, not exceptions."""

    def commit(self) -> Flow[None]:
        """Make staged writes permanent. Does nothing where `traits.staged` is False."""

    def discard(self) -> Flow[None]:
        """Throw staged writes away. Does nothing where `traits.staged` is False."""

    def reboot(self) -> Flow[None]:
        """Ask for a reboot and see it accepted. The engine then reopens the link and identifies again."""

    def uptime(self) -> Flow[float | None]:
        """Ask how many seconds the vehicle has been up; None when it cannot tell. Proves that a reboot happened."""

    def forget(self) -> None:
        """Drop half-received bytes and everything that a reboot or reconnect makes stale; keep the pinned target."""

    def phase(self, name: str) -> Phase:
        """Say when `name` has to be written."""

    def protected(self, name: str) -> str:
        """Give "calibration", "identity", "volatile", "read-only" or "" from the family's own list."""

    def coerce(self, name: str, value: Any, known: Setting | None) -> Value:
        """Turn a profile's value into the Value the vehicle stores; ValueError says why it does not fit."""


@runtime_checkable
class LooksOnly(Protocol):
    """A family that restarts a vehicle that was left in its CLI, unless it shall only look: then `identify` asks there.

    `left_in_cli` says that this was so: the identity has no uid then, and nothing but `identify` may be asked.
    """

    look_only: bool
    left_in_cli: bool


@runtime_checkable
class WritesBulk(Protocol):
    """A driver that can also carry many writes at once, without an answer for each."""

    def bulk(self, changes: Sequence[Change]) -> tuple[Change, ...]:
        """Give those changes that are better written so, in the order to write them; empty for none."""

    def write_bulk(self, changes: Sequence[Change]) -> Flow[tuple[Outcome, ...]]:
        """Write what `bulk` gave. Those whose outcome is LOST have to be read back, which alone tells."""


@runtime_checkable
class StartsOver(Protocol):
    """A driver whose writes may begin with a reset to defaults that is not stored before `commit`.

    What the reset changed and nobody asked for is written back in the same session, so the outcome is the same as
    without it; what no dump shows is at its default then.
    """

    start_over: bool
