"""The shape of a simulated vehicle, whatever its family."""

from __future__ import annotations

from typing import Protocol

__all__ = ["SimulatedVehicle"]


class SimulatedVehicle(Protocol):
    """A simulated vehicle, without I/O: the same object serves `sim:` links in memory and `sim serve` on sockets."""

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes from the ground side."""

    def poll(self, now: float) -> bytes:
        """Give the bytes that the vehicle has to send at `now` (replies that are due, telemetry)."""

    def next_due(self, now: float) -> float:
        """When `poll` will next have something (absolute, same clock; infinity for never)."""

    def connected(self, now: float) -> None:
        """A ground station opened the link."""

    @property
    def hung_up(self) -> bool:
        """Whether the vehicle closed the link (reboot): the connection is to be dropped. `connected` clears it."""
