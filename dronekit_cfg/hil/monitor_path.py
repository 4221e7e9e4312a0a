"""Compares the path that satellites tell with the one that optical flow tells, over the last seconds."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

__all__ = ["PATH_METRES", "PATH_SECONDS", "PATH_SHARE", "Path", "distance"]

EARTH = 6371000.0
PATH_SECONDS, PATH_METRES, PATH_SHARE = 20.0, 8.0, 0.25
"""Flow that is off by a quarter (its scale, the height that it was made with) must not alarm in a fast flight."""
GAP_SECONDS = 1.0
"""Flow that fails for longer says nothing about the path meanwhile."""


def distance(start: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    """Give metres north and east from one place to another, both (latitude, longitude) in degrees."""
    north = math.radians(end[0] - start[0]) * EARTH
    return north, math.radians(end[1] - start[1]) * EARTH * math.cos(math.radians(start[0]))


@dataclass(slots=True)
class Path:
    """Both paths. `heading` is the direction of the vehicle's nose in rad from north, NaN while it is not known."""

    heading: float = math.nan
    _places: deque[tuple[float, float, float, float, float, float]] = field(default_factory=deque)
    _flown: tuple[float, float, float] = (0.0, 0.0, 0.0)
    _flow_at: float = math.nan

    def flow(self, at: float, forward: float, right: float) -> None:
        """Take a speed by flow along the vehicle's axes."""
        since = at - self._flow_at
        self._flow_at = at
        if math.isnan(self.heading) or math.isnan(since) or since > GAP_SECONDS:
            self._places.clear()
            return
        sine, cosine = math.sin(self.heading), math.cos(self.heading)
        north, east, length = self._flown
        self._flown = (
            north + since * (forward * cosine - right * sine),
            east + since * (forward * sine + right * cosine),
            length + since * math.hypot(forward, right),
        )

    def gnss(self, at: float, latitude: float, longitude: float) -> tuple[float, float] | None:
        """Take a place; give by how many metres the two paths differ since the oldest one kept, and the path's length.

        None while there is no flow, or not for long enough.
        """
        if not at - self._flow_at <= GAP_SECONDS:
            self._places.clear()
            return None
        self._places.append((at, latitude, longitude, *self._flown))
        while self._places[0][0] < at - PATH_SECONDS:
            self._places.popleft()
        _, *old = self._places[0]
        north, east = distance((old[0], old[1]), (latitude, longitude))
        flown = (self._flown[0] - old[2], self._flown[1] - old[3])
        return math.dist((north, east), flown), self._flown[2] - old[4]
