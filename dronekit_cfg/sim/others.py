"""Who else may be on the link of a simulated vehicle: a second vehicle, or a ground station and no vehicle at all."""

from __future__ import annotations

import math

from dronekit_cfg.sim.agenda import Agenda
from dronekit_cfg.sim.vehicle import SimulatedVehicle
from dronekit_cfg.wire.mavlink import MavlinkCodec

__all__ = ["LonelyGroundStation", "Together"]


class Together:
    """Several vehicles on one link, as behind a telemetry radio. The first one decides when the link is closed."""

    def __init__(self, *vehicles: SimulatedVehicle) -> None:
        self._vehicles = vehicles

    def receive(self, data: bytes, now: float) -> None:
        """Let all of them hear it."""
        for vehicle in self._vehicles:
            vehicle.receive(data, now)

    def poll(self, now: float) -> bytes:
        """Give what any of them says."""
        return b"".join(vehicle.poll(now) for vehicle in self._vehicles)

    def next_due(self, now: float) -> float:
        """When any of them will next say something."""
        return min(vehicle.next_due(now) for vehicle in self._vehicles)

    def connected(self, now: float) -> None:
        """Tell all of them."""
        for vehicle in self._vehicles:
            vehicle.connected(now)

    @property
    def hung_up(self) -> bool:
        """Whether the first one closed the link."""
        return self._vehicles[0].hung_up


class LonelyGroundStation:
    """Sends the heartbeat of a ground station every second and hears nothing."""

    hung_up = False

    def __init__(self) -> None:
        self._codec = MavlinkCodec(255, 190)
        self._agenda = Agenda()
        self._out = bytearray()
        self._started = False

    def receive(self, _data: bytes, _now: float) -> None:
        """Ignore what is said."""

    def poll(self, now: float) -> bytes:
        """Give the heartbeat when it is due."""
        if not self._started:
            self.connected(now)
        self._agenda.run(now)
        data = bytes(self._out)
        self._out.clear()
        return data

    def next_due(self, now: float) -> float:
        """When the next heartbeat is due."""
        due = self._agenda.next_due()
        return now if math.isinf(due) else due

    def connected(self, now: float) -> None:
        """Begin when somebody listens."""
        if not self._started:
            self._started = True
            self._agenda.add(now, self._beat)

    def _beat(self, due: float) -> None:
        self._out += self._codec.station_heartbeat()
        self._agenda.add(due + 1.0, self._beat)
