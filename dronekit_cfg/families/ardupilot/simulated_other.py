"""The second ground station of the fault `second-gcs`, at another radio of the same vehicle.

We see of it what the vehicle passes on: its heartbeat, and what the vehicle says to everybody, that is the list that it
asks for and the echo of what it writes.
"""

from __future__ import annotations

from dronekit_cfg.families.ardupilot.simulated_core import Core
from dronekit_cfg.families.ardupilot.simulated_requests import Reader
from dronekit_cfg.families.ardupilot.simulated_writes import Writer
from dronekit_cfg.wire.mavlink import MavlinkCodec

__all__ = ["OtherStation"]

SYSTEM, COMPONENT = 254, 190
LIST_SECONDS = 7.0
WRITES_AFTER = 3
"""How many settings we have written when it writes its own."""
WRITE_SECONDS = 0.004


class OtherStation:
    """It sends heartbeats, downloads the list every 7 s, and writes one setting while we write ours."""

    def __init__(self, core: Core, writer: Writer, reader: Reader) -> None:
        self._core = core
        self._writer = writer
        self._reader = reader
        self._codec = MavlinkCodec(SYSTEM, COMPONENT)

    def start(self, now: float) -> None:
        """Begin with each boot of the vehicle, where the fault is asked for."""
        if self._core.faults.second_gcs is not None:
            self._core.agenda.add(now, self._beat)
            self._core.agenda.add(now + 0.3, self._download)

    def written(self, count: int, now: float) -> None:
        """Write as soon as enough settings were written, our own included."""
        wish = self._core.faults.second_gcs
        if wish is not None and count == WRITES_AFTER:
            self._core.agenda.add(now + WRITE_SECONDS, lambda due: self._writer.write(*wish, due))

    def _beat(self, due: float) -> None:
        self._core.out += self._codec.station_heartbeat()
        self._core.agenda.add(due + 1.0, self._beat)

    def _download(self, due: float) -> None:
        self._reader.request_list(due)
        self._core.agenda.add(due + LIST_SECONDS, self._download)
