"""Judges a recorded flight by a scenario's expectations. Pure: a recording and a scenario in, a result out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dronekit_cfg.hil.recording import Recording
from dronekit_cfg.hil.scenario import Expectation, Scenario
from dronekit_cfg.model.checked import Band, Mark, Measure, Result, Series, Verdict
from dronekit_cfg.text import t

__all__ = ["Finding", "judge_flight"]

PLOTTED = {
    "altitude": "m",
    "position error": "m",
    "roll": "deg",
    "pitch": "deg",
    "velocity_variance": "",
    "pos_horiz_variance": "",
    "vel_ratio": "",
    "pos_horiz_ratio": "",
    "satellites": "",
    "battery": "V",
    "motors": "us",
    "frames lost": "%",
}
BEFORE = 5.0
"""Seconds before the stimulus that plots show."""
POINTS = 400
WORTH_TELLING = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One expectation judged: whether it held, in words, with its number where it has one."""

    ok: bool
    words: str
    measure: Measure | None = None
    at: float = math.nan


def judge_flight(scenario: Scenario, recording: Recording) -> Result:
    """Judge a flight; a negative scenario passes when the planted mistake makes an expectation fail."""
    findings = [_JUDGES[e.kind](recording, e) for e in scenario.expect]
    failed = [f for f in findings if not f.ok]
    notes = [("✓ " if f.ok else "✗ ") + f.words for f in findings]
    if scenario.known_gap:
        notes.append(t("known gap of the firmware: {gap}", gap=scenario.known_gap))
    if scenario.expect_failure:
        verdict = Verdict.PASS if failed else Verdict.FAIL
        reason = "" if failed else t("the planted mistake was not caught: {what}", what=scenario.expect_failure)
        if failed:
            notes.insert(0, t("the planted mistake was caught: {what}", what=scenario.expect_failure))
    else:
        verdict = Verdict.FAIL if failed else Verdict.PASS
        reason = "; ".join(f.words for f in failed)
    return Result(
        scenario.name,
        scenario.title,
        verdict,
        reason,
        tuple(f.measure for f in findings if f.measure is not None),
        tuple(notes),
        scenario.about if verdict is Verdict.FAIL else "",
        recording.now,
        _series(recording),
        _bands(recording),
        _marks(recording, findings),
        about=_about(scenario),
    )


def _about(scenario: Scenario) -> str:
    """Tell how the flight began, and what it is to prove."""
    start = t("It begins {state} in {mode}", state=t("armed") if scenario.armed else t("disarmed"), mode=scenario.mode)
    start += t(" at {m:g} m.", m=scenario.altitude) if scenario.armed and scenario.altitude else t(" on the ground.")
    named = {**scenario.settings, **scenario.texts}
    values = ", ".join(
        f"{name} {value:g}" if isinstance(value, float | int) else f"{name} {value}" for name, value in named.items()
    )
    with_these = t("With {values}.", values=values) if values else ""
    return " ".join(filter(None, (scenario.about, start, with_these)))


# --- expectations


def _window(e: Expectation) -> str:
    return t("{a:g} to {b:g} s", a=e.low, b=e.high)


def _moment(what: str, at: float | None, e: Expectation) -> Finding:
    """Judge when something happened; None is never."""
    if at is None:
        return Finding(False, t("{what}: never, expected within {window}", what=what, window=_window(e)))
    measure = Measure(what, at, "s", e.low, e.high)
    words = t("{what} after {at:.1f} s (expected {window})", what=what, at=at, window=_window(e))
    return Finding(measure.ok, words, measure, at)


def _first(times: list[float], e: Expectation) -> float | None:
    """Give the first moment in the window, else the first after the stimulus."""
    return next((at for at in times if e.low <= at <= e.high), times[0] if times else None)


def _mode(r: Recording, e: Expectation) -> Finding:
    wanted = [e.wanted] if isinstance(e.wanted, str) else list(e.wanted)
    found = [(at - r.zero, mode) for at, mode in r.modes if mode in wanted and at >= r.zero]
    at = _first([at for at, _ in found], e)
    named = next((mode for when, mode in found if when == at), t(" or ").join(wanted))
    return _moment(t("mode {mode}", mode=named), at, e)


def _mode_stays(r: Recording, e: Expectation) -> Finding:
    during = [mode for at, mode in r.modes if at <= r.zero + e.low][-1:]
    during += [mode for at, mode in r.modes if r.zero + e.low < at <= r.zero + e.high]
    others = [mode for mode in during if mode != e.wanted]
    if others or not during:
        return Finding(False, t("mode did not stay {mode}: {others}", mode=e.wanted, others=", ".join(others)))
    return Finding(True, t("mode stayed {mode} for {s:g} s", mode=e.wanted, s=e.high))


def _said(r: Recording, e: Expectation) -> list[float]:
    return [at - r.zero for at, _, text in r.texts if str(e.wanted) in text and at >= r.zero - 0.2]


def _text(r: Recording, e: Expectation) -> Finding:
    times = _said(r, e)
    if e.at_most is not None:
        count = len([x for x in times if e.low <= x <= e.high])
        measure = Measure(t('"{text}" said', text=e.wanted), count, t("times"), 0, e.at_most)
        return Finding(measure.ok, str(measure), measure)
    return _moment(f'"{e.wanted}"', _first(times, e), e)


def _no_text(r: Recording, e: Expectation) -> Finding:
    times = [at for at in _said(r, e) if e.low <= at <= e.high]
    if times:
        return Finding(False, t('said "{text}" after {at:.1f} s', text=e.wanted, at=times[0]), at=times[0])
    return Finding(True, t('never said "{text}"', text=e.wanted))


def _quiet(r: Recording, e: Expectation) -> Finding:
    loud = [(at - r.zero, x) for at, severity, x in r.texts if severity <= e.wanted and e.low <= at - r.zero <= e.high]
    if loud:
        return Finding(False, t('said "{text}" after {at:.1f} s', text=loud[0][1], at=loud[0][0]), at=loud[0][0])
    return Finding(True, t("no warning for {s:g} s", s=e.high))


def _flags(gained: bool) -> Callable[[Recording, Expectation], Finding]:
    def judge(r: Recording, e: Expectation) -> Finding:
        times = [
            at - r.zero
            for at, flags in r.flags
            if at >= r.zero and (flags & e.wanted == e.wanted if gained else not flags & e.wanted)
        ]
        what = t("estimator flags gain {m:#x}", m=e.wanted) if gained else t("estimator flags lose {m:#x}", m=e.wanted)
        return _moment(what, _first(times, e), e)

    return judge


def _armed_stays(r: Recording, e: Expectation) -> Finding:
    word = t("armed") if e.wanted else t("disarmed")
    during = [armed for at, armed in r.armed if at <= r.zero + e.low][-1:]
    during += [armed for at, armed in r.armed if r.zero + e.low < at <= r.zero + e.high]
    if not during or any(armed is not e.wanted for armed in during):
        return Finding(False, t("it did not stay {word}", word=word))
    return Finding(True, t("stayed {word} for {s:g} s", word=word, s=e.high - e.low))


def _armed(r: Recording, e: Expectation) -> Finding:
    times = [at - r.zero for at, armed in r.armed if armed == e.wanted and at >= r.zero]
    before = [armed for at, armed in r.armed if at <= r.zero][-1:]
    if before == [e.wanted]:
        changed = [at - r.zero for at, armed in r.armed if armed != e.wanted and r.zero <= at <= r.zero + e.high]
        state = t("armed") if e.wanted else t("disarmed")
        if changed:
            return Finding(False, t("did not stay {state}", state=state), at=changed[0])
        return Finding(True, t("stayed {state}", state=state))
    return _moment(t("armed") if e.wanted else t("disarmed"), _first(times, e), e)


def _values(r: Recording, line: str, e: Expectation) -> list[float]:
    return [v for at, v in r.lines.get(line, ()) if e.low <= at - r.zero <= e.high]


def _limit(name: str, values: list[float], unit: str, high: float) -> Finding:
    measure = Measure(name, max(values) if values else math.nan, unit, high=high)
    return Finding(measure.ok, str(measure), measure)


def _attitude(r: Recording, e: Expectation) -> Finding:
    values = [abs(v) for line in ("roll", "pitch") for v in _values(r, line, e)]
    return _limit(t("largest roll or pitch"), values, "deg", e.wanted)


def _drifts(r: Recording, e: Expectation) -> list[float]:
    start = r.at(r.true, r.zero)
    return [math.dist((n, x), start) for at, n, x in r.true if e.low <= at - r.zero <= e.high]


def _drift(r: Recording, e: Expectation) -> Finding:
    return _limit(t("true drift"), _drifts(r, e), "m", e.wanted)


def _drift_above(r: Recording, e: Expectation) -> Finding:
    values = _drifts(r, e)
    measure = Measure(t("true drift"), max(values) if values else math.nan, "m", low=e.wanted)
    return Finding(measure.ok, str(measure), measure)


def _distance(r: Recording, e: Expectation) -> Finding:
    """Judge the farthest true distance from home, which is where the recording begins."""
    values = [math.hypot(n, x) for at, n, x in r.true if e.low <= at - r.zero <= e.high]
    low, high = e.wanted
    measure = Measure(t("farthest from home"), max(values) if values else math.nan, "m", low, high)
    return Finding(measure.ok, str(measure), measure)


def _error(r: Recording, e: Expectation) -> Finding:
    return _limit(t("position error of the estimator"), _values(r, "position error", e), "m", e.wanted)


def _height(r: Recording, e: Expectation) -> Finding:
    line = r.lines.get("true altitude", [])
    start = next((v for at, v in reversed(line) if at <= r.zero), math.nan)
    values = [abs(v - start) for v in _values(r, "true altitude", e)]
    return _limit(t("change of the true height"), values, "m", e.wanted)


def _lands(r: Recording, e: Expectation) -> Finding:
    """Judge when it was down by its true height; a firmware that is jammed may notice that much later."""
    line = r.lines.get("true altitude", [])
    ground = line[0][1] if line else math.nan
    times = [at - r.zero for at, height in line if at >= r.zero and height - ground < e.wanted]
    return _moment(t("on the ground within {m:g} m", m=e.wanted), _first(times, e), e)


def _alarm(r: Recording, e: Expectation) -> Finding:
    """Judge when a monitor spoke; one that did before anything had happened would have cried wolf."""
    times = [alarm.at - r.zero for alarm in r.alarms if str(e.wanted) in str(alarm)]
    what = t('monitor "{name}"', name=e.wanted)
    if times and times[0] < 0:
        return Finding(False, t("{what} spoke {s:.1f} s before the stimulus", what=what, s=-times[0]), at=times[0])
    return _moment(what, _first(times, e), e)


def _loss(r: Recording, e: Expectation) -> Finding:
    """Judge the share of frames that did not arrive, in the middle of the window."""
    values = _values(r, "frames lost", e)
    low, high = e.wanted
    measure = Measure(t("frames lost"), sum(values) / len(values) if values else math.nan, "%", low, high)
    return Finding(measure.ok, str(measure), measure)


def _setting(r: Recording, e: Expectation) -> Finding:
    found = [v for at, n, v in r.readings if n == e.wanted and e.low <= at - r.zero <= e.high]
    measure = Measure(str(e.wanted), found[-1] if found else math.nan, "", e.reads, e.reads)
    return Finding(measure.ok, t("{m} in {window}", m=measure, window=_window(e)), measure)


_JUDGES: Mapping[str, Callable[[Recording, Expectation], Finding]] = {
    "alarm": _alarm,
    "armed": _armed,
    "armed_stays": _armed_stays,
    "attitude_below": _attitude,
    "distance_between": _distance,
    "drift_above": _drift_above,
    "drift_below": _drift,
    "error_below": _error,
    "flags_gained": _flags(gained=True),
    "flags_lost": _flags(gained=False),
    "height_within": _height,
    "lands_within": _lands,
    "loss_between": _loss,
    "mode": _mode,
    "mode_stays": _mode_stays,
    "no_text": _no_text,
    "quiet": _quiet,
    "setting": _setting,
    "text": _text,
}


# --- what the report shows


def _thin(points: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    every = max(1, len(points) // POINTS)
    return tuple((round(x, 2), round(y, 4)) for x, y in points[::every])


def _series(r: Recording) -> tuple[Series, ...]:
    shown = []
    for name, unit in PLOTTED.items():
        points = [(at - r.zero, v) for at, v in r.lines.get(name, ()) if at >= r.zero - BEFORE and math.isfinite(v)]
        if len(points) > 1:
            shown.append(Series(name.replace("_", " "), unit, _thin(points)))
    return tuple(shown)


def _bands(r: Recording) -> tuple[Band, ...]:
    ends = [*(at for at, _ in r.modes[1:]), r.now][: len(r.modes)]
    spans = [(m, max(at - r.zero, -BEFORE), end - r.zero) for (at, m), end in zip(r.modes, ends, strict=True)]
    return tuple(Band(m, a, b) for m, a, b in spans if b > a)


def _marks(r: Recording, findings: list[Finding]) -> tuple[Mark, ...]:
    marks = [Mark(at - r.zero, text, "stimulus") for at, text in r.done]
    marks += [
        Mark(f.at, f.words, "reaction" if f.ok else "fault")
        for f in findings
        if math.isfinite(f.at) and f.at >= -BEFORE
    ]
    marks += [Mark(at - r.zero, x, "text") for at, s, x in r.texts if s <= WORTH_TELLING and at >= r.zero - BEFORE]
    marks += [Mark(at - r.zero, mode, "mode") for at, mode in r.modes if at >= r.zero - BEFORE]
    marks += [Mark(alarm.at - r.zero, str(alarm), "alarm") for alarm in r.alarms if alarm.at >= r.zero - BEFORE]
    return tuple(sorted(marks, key=lambda m: m.at))
