"""Monitors of GNSS trust: what can be seen of jamming and spoofing that the firmware does not tell.

Each monitor is fed observations with their time in seconds and says when it alarms; it is pure, so links and recordings
are judged by the same code. `monitor_mavlink`, `monitor_msp` and `logs` make observations of messages and records.

Thresholds (resilience table 1.6): receivers more than max(15 m, 3 sigma) apart; mean C/N0 down by 6 dB, or the CW
indicator above its baseline by 3 sigma; 40 % of the satellites gone within 10 s; GNSS height against barometer changed
by 30 m; GNSS speed against that of optical flow off by 3 m/s; GNSS time jumped by 2 s against the vehicle's clock. Two
more catch a position that walks too slowly for those: two receivers that part by 5 m (the bench's limit for two good
ones), and a path by optical flow that differs by 8 m from that by GNSS within 20 s.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from dronekit_cfg.hil.monitor_path import PATH_METRES, PATH_SHARE, Path, distance
from dronekit_cfg.text import t

__all__ = ["NAMES", "Alarm", "Fix", "GnssMonitors"]

APART_METRES, PARTED_METRES, APART_SIGMAS = 15.0, 5.0, 3.0
PAIRED_SECONDS = 2.0
"""Fixes of two receivers that are older than this are not compared."""
UNSURE_METRES = 0.5
LOST_SHARE, LOST_SECONDS, FEWEST = 0.4, 10.0, 5
HEIGHT_METRES = 30.0
SPEED, SPEED_SECONDS = 3.0, 2.0
TIME_SECONDS = 2.0
STRENGTH_DB, INDICATOR_SIGMAS, LEAST_SIGMA = 6.0, 3.0, 5.0
"""The CW indicator counts to 255; one that stood still while it was learnt must not alarm at its first step."""
LEARN_SECONDS, LEARN_LEAST = 30.0, 10
"""How long the usual strength and indicator are learnt, and from how many values at least."""
AGAIN_SECONDS = 10.0
"""An alarm that returns sooner than this is still the same one."""
WARNING = 2
"""State from which on a receiver reports jamming; for spoofing the same number means "indicated"."""

NAMES = {
    "satellites": t("satellites lost"),
    "apart": t("receivers apart"),
    "parted": t("receivers drift apart"),
    "height": t("GNSS height against barometer"),
    "time": t("GNSS time jumped"),
    "strength": t("mean C/N0 dropped"),
    "indicator": t("CW indicator above its usual level"),
    "flow": t("GNSS speed against optical flow"),
    "path": t("GNSS path against optical flow"),
    "jamming": t("jamming that the receiver reports"),
    "spoofing": t("spoofing that the receiver reports"),
}
"""Every monitor: its key, and its name for people."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One alarm: when, which monitor, how much against which limit."""

    at: float
    monitor: str
    value: float
    limit: float
    unit: str

    def __str__(self) -> str:
        return t(
            "{monitor}: {value:.1f} {unit}, the limit is {limit:.1f}",
            monitor=self.monitor,
            value=self.value,
            unit=self.unit,
            limit=self.limit,
        )


@dataclass(frozen=True, slots=True)
class Fix:
    """What one receiver tells. Degrees, metres, m/s; NaN is not told. `good` is a fix in three dimensions."""

    good: bool
    latitude: float
    longitude: float
    altitude: float = math.nan
    satellites: int | None = None
    accuracy: float = math.nan
    speed: float = math.nan


@dataclass(slots=True)
class _Usual:
    """Learns mean and deviation of a value in its first half minute."""

    begun: float = math.nan
    values: list[float] = field(default_factory=list)

    def learns(self, at: float, value: float) -> bool:
        """Take a value while it learns; gives whether it still does."""
        if math.isnan(self.begun):
            self.begun = at
        if at - self.begun < LEARN_SECONDS or len(self.values) < LEARN_LEAST:
            self.values.append(value)
            return True
        return False

    @property
    def mean(self) -> float:
        """The usual value."""
        return sum(self.values) / len(self.values)

    @property
    def sigma(self) -> float:
        """Its standard deviation."""
        return math.sqrt(sum((v - self.mean) ** 2 for v in self.values) / len(self.values))


@dataclass(slots=True)
class GnssMonitors:
    """All monitors of one vehicle. Each method takes one observation and gives the alarms that begin with it.

    `watched` are the keys of the monitors that had what they need at least once.
    """

    watched: set[str] = field(default_factory=set)
    _fixes: dict[int, tuple[float, Fix]] = field(default_factory=dict)
    _parting: tuple[float, float, float] | None = None
    """Metres north and east between the receivers at first, and by how much the vehicle's motion blurs that."""
    _satellites: dict[int, deque[tuple[float, int]]] = field(default_factory=dict)
    _height_offset: float | None = None
    _height: float | None = None
    _time_offset: float | None = None
    _strengths: dict[int, _Usual] = field(default_factory=dict)
    _indicators: dict[int, _Usual] = field(default_factory=dict)
    _speeds: dict[str, deque[tuple[float, float]]] = field(default_factory=dict)
    _path: Path = field(default_factory=Path)
    _raised: dict[str, float] = field(default_factory=dict)

    def fix(self, at: float, receiver: int, fix: Fix) -> list[Alarm]:
        """Take what a receiver (0 or 1) tells: its satellites, its height, its place and speed."""
        alarms = [] if fix.satellites is None else self._count(at, receiver, fix.satellites)
        self._fixes[receiver] = (at, fix)
        if not fix.good:
            return alarms
        alarms += self._distance(at)
        if receiver == 0:
            alarms += self._above(at, fix.altitude)
            alarms += self._speed(at, "gnss", fix.speed)
            alarms += self._paths(at, self._path.gnss(at, fix.latitude, fix.longitude))
        return alarms

    def height(self, metres: float) -> list[Alarm]:
        """Take the barometer's height over any fixed level."""
        self._height = metres
        return []

    def clock(self, at: float, gnss: float, own: float) -> list[Alarm]:
        """Take the time that satellites tell and the vehicle's own, both in seconds since any moment."""
        offset = gnss - own
        jump = 0.0 if self._time_offset is None else abs(offset - self._time_offset)
        self._time_offset = offset
        return self._judge(at, "time", jump, TIME_SECONDS, "s")

    def strength(self, at: float, receiver: int, values: Sequence[float]) -> list[Alarm]:
        """Take the C/N0 in dBHz of the satellites in use; none is no news."""
        if not values:
            return []
        now, usual = sum(values) / len(values), self._strengths.setdefault(receiver, _Usual())
        drop = 0.0 if usual.learns(at, now) else usual.mean - now
        return self._judge(at, "strength", drop, STRENGTH_DB, "dB", receiver)

    def indicator(self, at: float, receiver: int, value: float) -> list[Alarm]:
        """Take the CW indicator of a receiver, 0 to 255."""
        usual = self._indicators.setdefault(receiver, _Usual())
        if usual.learns(at, value):
            return self._judge(at, "indicator", 0.0, LEAST_SIGMA, "", receiver)
        limit = usual.mean + INDICATOR_SIGMAS * max(usual.sigma, LEAST_SIGMA)
        return self._judge(at, "indicator", value, limit, "", receiver)

    def reported(self, at: float, receiver: int, jamming: int, spoofing: int) -> list[Alarm]:
        """Take what a receiver itself says: 0 unknown, 1 none, from 2 on there is some."""
        alarms = []
        for key, state in (("jamming", jamming), ("spoofing", spoofing)):
            if state:
                alarms += self._judge(at, key, state, WARNING - 1, "", receiver)
        return alarms

    def flow(self, at: float, forward: float, right: float) -> list[Alarm]:
        """Take the speed over the ground by optical flow, along the vehicle's axes in m/s."""
        alarms = self._speed(at, "flow", math.hypot(forward, right))
        self._path.flow(at, forward, right)
        return alarms

    def heading(self, radians: float) -> list[Alarm]:
        """Take the direction of the vehicle's nose, from north."""
        self._path.heading = radians
        return []

    def _judge(self, at: float, key: str, value: float, limit: float, unit: str, receiver: int = 0) -> list[Alarm]:
        self.watched.add(key)
        raised = f"{key} {receiver}"
        if not value > limit:
            return []
        last, self._raised[raised] = self._raised.get(raised, -math.inf), at
        if at - last <= AGAIN_SECONDS:
            return []
        name = NAMES[key] if receiver == 0 else t("{monitor} (receiver {n})", monitor=NAMES[key], n=receiver + 1)
        return [Alarm(at, name, value, limit, unit)]

    def _count(self, at: float, receiver: int, count: int) -> list[Alarm]:
        seen = self._satellites.setdefault(receiver, deque())
        seen.append((at, count))
        while seen[0][0] < at - LOST_SECONDS:
            seen.popleft()
        best = max(n for _, n in seen)
        lost = (best - count) / best if best >= FEWEST else 0.0
        return self._judge(at, "satellites", 100 * lost, 100 * LOST_SHARE, "%", receiver)

    def _above(self, at: float, altitude: float) -> list[Alarm]:
        if self._height is None or math.isnan(altitude):
            return []
        offset = altitude - self._height
        if self._height_offset is None:
            self._height_offset = offset
        return self._judge(at, "height", abs(offset - self._height_offset), HEIGHT_METRES, "m")

    def _distance(self, at: float) -> list[Alarm]:
        """Judge two receivers: how far apart, and how far they parted since they were first seen together."""
        if len(self._fixes) < 2:
            return []
        (first_at, one), (second_at, two) = self._fixes[0], self._fixes[1]
        late = abs(first_at - second_at)
        if not (one.good and two.good) or late > PAIRED_SECONDS:
            return []
        north, east = distance((two.latitude, two.longitude), (one.latitude, one.longitude))
        sigma = sum(f.accuracy for f in (one, two) if not math.isnan(f.accuracy))
        # They are not told at the same moment: a moving vehicle is elsewhere by then.
        moved = late * max((f.speed for f in (one, two) if not math.isnan(f.speed)), default=0.0)
        if self._parting is None or moved < self._parting[2] / 2 > UNSURE_METRES:
            self._parting = north, east, moved
        parted = math.dist(self._parting[:2], (north, east))
        limit = max(PARTED_METRES, APART_SIGMAS * sigma) + moved + self._parting[2]
        alarms = self._judge(at, "parted", parted, limit, "m")
        limit = max(APART_METRES, APART_SIGMAS * sigma) + moved
        return alarms + self._judge(at, "apart", math.hypot(north, east), limit, "m")

    def _speed(self, at: float, source: str, speed: float) -> list[Alarm]:
        """Compare the two speeds, each as its mean over some seconds."""
        if math.isnan(speed):
            return []
        for values in (self._speeds.setdefault(source, deque()), *self._speeds.values()):
            while values and values[0][0] < at - SPEED_SECONDS:
                values.popleft()
        self._speeds[source].append((at, speed))
        if len(self._speeds) < 2 or any(len(v) < 2 for v in self._speeds.values()):
            return []
        gnss, flow = (sum(s for _, s in self._speeds[n]) / len(self._speeds[n]) for n in ("gnss", "flow"))
        return self._judge(at, "flow", abs(gnss - flow), SPEED, "m/s")

    def _paths(self, at: float, found: tuple[float, float] | None) -> list[Alarm]:
        if found is None:
            return []
        differ, length = found
        return self._judge(at, "path", differ, max(PATH_METRES, PATH_SHARE * length), "m")
