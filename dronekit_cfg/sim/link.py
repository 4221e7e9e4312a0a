"""A link to a simulated vehicle in this process: what `sim:` URLs open."""

from __future__ import annotations

from dronekit_cfg.errors import LinkLost
from dronekit_cfg.links.base import Clock
from dronekit_cfg.links.common import BaseLink, not_open
from dronekit_cfg.sim.vehicle import SimulatedVehicle
from dronekit_cfg.text import t

__all__ = ["MemoryLink"]

_STEP_SECONDS = 0.001


class MemoryLink(BaseLink):
    """Carries bytes between one ground station and `vehicle`, on a real or a virtual clock.

    On a virtual clock `read` advances time to the moment the vehicle has something to say, so hours pass in
    milliseconds. When the vehicle hangs up (reboot), what it said before is still given out, then `LinkLost`.
    """

    def __init__(self, url: str, vehicle: SimulatedVehicle, clock: Clock) -> None:
        super().__init__(url, getattr(vehicle, "host_baud", 0))
        self._vehicle = vehicle
        self.place = getattr(vehicle, "place", "")
        self._clock = clock
        self._is_open = False
        self._is_lost = False

    def open(self) -> None:
        """Connect to the vehicle."""
        if self._is_open:
            return
        self._vehicle.connected(self._clock.now())
        self._is_open = True
        self._is_lost = False

    def _check(self) -> None:
        if self._is_lost:
            raise LinkLost(
                t("{url} was lost: the vehicle closed the link", url=self.url),
                hint=t("it restarts: open the link again"),
            )
        if not self._is_open:
            raise not_open(self.url)

    def read(self, timeout: float) -> bytes:
        """Give what the vehicle says, letting at most `timeout` seconds pass."""
        self._check()
        deadline = self._clock.now() + timeout
        while True:
            now = self._clock.now()
            if data := self._vehicle.poll(now):
                return data
            if self._vehicle.hung_up:
                self._is_lost = True
                self._is_open = False
                self._check()
            if now >= deadline:
                return b""
            # a vehicle that is due but says nothing must not stop time
            due = max(self._vehicle.next_due(now), now + _STEP_SECONDS)
            self._clock.sleep(min(due, deadline) - now)

    def write(self, data: bytes) -> None:
        """Give bytes to the vehicle; `LinkLost` when it hung up."""
        self._check()
        if self._vehicle.hung_up:
            self._is_lost = True
            self._is_open = False
            self._check()
        self._vehicle.receive(data, self._clock.now())

    def set_baud(self, baud: int) -> bool:
        """Change the speed at which we speak to a vehicle whose port has one."""
        change = getattr(self._vehicle, "set_host_baud", None)
        if change is None:
            return False
        change(baud)
        self.baud = baud
        return True

    def close(self) -> None:
        """Let go of the vehicle; it keeps its memory."""
        self._is_open = False
        self._is_lost = False
