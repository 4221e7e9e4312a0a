"""What the simulated ArduCopter does when its transmitter or its ground station falls silent, and who stands at it.

Texts and times are those of the real SITL (4.7-dev, measured on the ground): "Radio Failsafe - Disarming" RC_FS_TIMEOUT
after the last pulse while armed, "GCS Failsafe" FS_GCS_TIMEOUT after the last heartbeat of MAV_GCS_SYSID, also while
disarmed.
"""

from __future__ import annotations

from dataclasses import replace

from dronekit_cfg.families.ardupilot.simulated_core import Core, Severity
from dronekit_cfg.wire.mavlink import Message

__all__ = ["Failsafes"]

GROUND_STATION = 255
CLEARED_AFTER = 0.1


class Failsafes:
    """The two failsafes of links, and switches for what a person does at the bench."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._beats = 0
        self._station_lost = False
        self._radio_lost = False
        self._switched = 0

    def beat(self, message: Message, now: float) -> None:
        """Take the heartbeat of a ground station."""
        core = self._core
        station = core.parameter("MAV_GCS_SYSID", core.parameter("SYSID_MYGCS", GROUND_STATION))
        if message.system != station:
            return
        self._beats += 1
        count = self._beats
        if self._station_lost and "gcs-loss-forever" not in core.faults.bench:
            self._station_lost = False
            core.say(Severity.WARNING, "GCS Failsafe Cleared")
        timeout = core.parameter("FS_GCS_TIMEOUT", 5.0)
        core.agenda.add(now + timeout, lambda _: self._station_gone(count))

    def _station_gone(self, count: int) -> None:
        core = self._core
        watched = core.parameter("FS_GCS_ENABLE") and "gcs-loss-ignored" not in core.faults.bench
        if count != self._beats or self._station_lost or not watched:
            return
        self._station_lost = True
        core.say(Severity.WARNING, "GCS Failsafe")

    def switch_radio(self, *, on: bool, now: float) -> None:
        """Switch the transmitter."""
        core = self._core
        self._switched += 1
        turn = self._switched
        if "radio-holds" in core.faults.bench:
            return
        self._part("no-rc", broken=not on)
        if on:
            core.agenda.add(now + CLEARED_AFTER, lambda _: self._radio_back(turn))
        else:
            core.agenda.add(now + core.parameter("RC_FS_TIMEOUT", 1.0), lambda _: self._radio_gone(turn))

    def cover_antenna(self, *, covered: bool) -> None:
        """Put a pot over the GNSS antenna, or take it away."""
        self._part("no-fix", broken=covered)

    def _part(self, fault: str, *, broken: bool) -> None:
        faults = {name: size for name, size in self._core.faults.bench.items() if name != fault}
        self._core.faults = replace(self._core.faults, bench={**faults, **({fault: 1.0} if broken else {})})

    def _radio_gone(self, turn: int) -> None:
        core = self._core
        if turn != self._switched or not core.parameter("FS_THR_ENABLE"):
            return
        self._radio_lost = True
        if not core.armed:
            core.say(Severity.WARNING, "Radio Failsafe")
            return
        core.say(Severity.WARNING, "Radio Failsafe - Disarming")
        if "dead-man-ignored" not in core.faults.bench:
            core.armed_at = None
            core.say(Severity.INFO, "Disarming motors")

    def _radio_back(self, turn: int) -> None:
        if turn == self._switched and self._radio_lost:
            self._radio_lost = False
            self._core.say(Severity.WARNING, "Radio Failsafe Cleared")
