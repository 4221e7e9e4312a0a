"""Watch what a GNSS receiver itself says about jamming and spoofing, and compare it with how it was on a good day.

The CW indicator and the gain mean something only against the same receiver in the same airframe: they are recorded as a
baseline with everything switched on and the propellers off. The limits are ours: the
indicator above the baseline by three sigma, mean C/N0 down by 6 dB, 40 % of the satellites gone, the gain down by three
sigma and a tenth.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from dronekit_cfg.errors import UsageError
from dronekit_cfg.formats.records import from_data
from dronekit_cfg.hil.monitors import Alarm
from dronekit_cfg.talk.ubx_signals import Heard
from dronekit_cfg.text import t

__all__ = ["Baseline", "Spread", "Watch", "load_baseline", "make_baseline", "save_baseline"]

FORMAT = "dronekit-cfg/gnss-baseline/v1"
SIGMAS, STRENGTH_DB, LOST_SHARE, GAIN_SHARE = 3.0, 6.0, 0.4, 0.1
LEAST_SIGMA = 1.0
"""A receiver that stood still while the baseline was recorded must not alarm at its first step."""
FEWEST = 5
WARNING = 2
"""The state from which on a receiver reports jamming; for spoofing the same number means "indicated"."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Mean and standard deviation of one quantity."""

    mean: float
    sigma: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Give those of some values; at least one."""
        mean = sum(values) / len(values)
        return cls(mean, math.sqrt(sum((v - mean) ** 2 for v in values) / len(values)))


@dataclass(frozen=True, slots=True)
class Baseline:
    """How one receiver is without jamming: by front end the indicator and the gain; C/N0; satellites in use."""

    uid: str
    taken: str
    samples: int
    indicator: tuple[Spread, ...]
    gain: tuple[Spread, ...]
    strength: Spread
    used: Spread


def make_baseline(heard: Sequence[Heard], uid: str, taken: str) -> Baseline:
    """Make a baseline from what was heard. UsageError when that is too little, or the receiver reports jamming."""
    if not heard or any(h.jamming >= WARNING or h.spoofing >= WARNING for h in heard):
        raise UsageError(
            t("the receiver reports jamming or spoofing: that is no baseline"),
            hint=t("record it outside, away from transmitters, with a fix"),
        )
    if min(h.signals.used for h in heard) < FEWEST:
        raise UsageError(
            t("fewer than {number} satellites are in use: that is no baseline", number=FEWEST),
            hint=t("wait for a fix under open sky, then record it"),
        )
    bands = range(min(len(h.bands) for h in heard))
    return Baseline(
        uid,
        taken,
        len(heard),
        tuple(Spread.of([h.bands[n].indicator for h in heard]) for n in bands),
        tuple(Spread.of([h.bands[n].gain for h in heard]) for n in bands),
        Spread.of([h.signals.strength for h in heard]),
        Spread.of([h.signals.used for h in heard]),
    )


def save_baseline(path: Path, baseline: Baseline) -> None:
    """Write a baseline as JSON. UsageError when the file cannot be written."""
    try:
        path.write_text(json.dumps({"format": FORMAT, **asdict(baseline)}, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise UsageError(
            t("cannot write {file}: {error}", file=path, error=error), hint=t("name another file")
        ) from error


def load_baseline(path: Path, uid: str) -> Baseline:
    """Read the baseline of the receiver `uid`. UsageError for another file, or that of another receiver."""
    try:
        data = json.loads(path.read_text("utf-8"))
        data = {n: v for n, v in data.items() if (n, v) != ("format", FORMAT)}  # another format is an unknown field
        baseline = from_data(Baseline, data)
        spreads = (*baseline.indicator, *baseline.gain, baseline.strength, baseline.used)
        if not all(math.isfinite(s.mean) and s.sigma >= 0 for s in spreads):
            raise ValueError("a mean that is no number")  # noqa: TRY301  told like every other damage
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise UsageError(
            t("{file} is no baseline of a receiver: {error}", file=path, error=error),
            hint=t("record one with `hil monitor --save-baseline FILE`"),
        ) from error
    if baseline.uid != uid:
        raise UsageError(
            t("{file} is the baseline of receiver {theirs}, this is {ours}", file=path, theirs=baseline.uid, ours=uid),
            hint=t("record one for this receiver with `hil monitor --save-baseline FILE`"),
        )
    return baseline


class Watch:
    """Says what begins to be wrong. Each alarm is given once, and again after it had ended."""

    def __init__(self, baseline: Baseline | None = None) -> None:
        self._baseline = baseline
        self._most = 0
        self._on: set[str] = set()

    def feed(self, at: float, heard: Heard) -> tuple[Alarm, ...]:
        """Take one look at `at` seconds and give the alarms that begin with it."""
        self._most = max(self._most, heard.signals.used)
        found = {a.monitor: a for a in self._judge(at, heard)}
        new = tuple(alarm for name, alarm in found.items() if name not in self._on)
        self._on = set(found)
        return new

    def _judge(self, at: float, heard: Heard) -> list[Alarm]:
        alarms = []
        if heard.jamming >= WARNING:
            alarms.append(
                Alarm(at, t("jamming that the receiver reports"), heard.jamming, 1, t("(2 warning, 3 critical)"))
            )
        if heard.spoofing >= WARNING:
            alarms.append(
                Alarm(
                    at, t("spoofing that the receiver reports"), heard.spoofing, 1, t("(2 indicated, 3 several signs)")
                )
            )
        base = self._baseline
        usual = base.used.mean if base else self._most
        if usual >= FEWEST and heard.signals.used < (1 - LOST_SHARE) * usual:
            alarms.append(Alarm(at, t("satellites in use"), heard.signals.used, (1 - LOST_SHARE) * usual, ""))
        if base is None:
            return alarms
        limit = base.strength.mean - STRENGTH_DB
        if heard.signals.strength < limit:
            alarms.append(Alarm(at, t("mean C/N0"), heard.signals.strength, limit, "dBHz"))
        for n, (band, indicator, gain) in enumerate(zip(heard.bands, base.indicator, base.gain, strict=False), 1):
            high = indicator.mean + SIGMAS * max(indicator.sigma, LEAST_SIGMA)
            if band.indicator > high:
                alarms.append(Alarm(at, t("CW indicator of front end {n}", n=n), band.indicator, high, ""))
            low = gain.mean - max(SIGMAS * gain.sigma, GAIN_SHARE * gain.mean)
            if band.gain < low:
                alarms.append(Alarm(at, t("gain of front end {n}", n=n), band.gain, low, ""))
        return alarms
