"""Inline SVG of reports: a number against its limits as a bar, and lines over time with mode bands and marks."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dronekit_cfg.model.checked import Band, Mark, Measure, Result, Series
from dronekit_cfg.reports.markup import Markup, el
from dronekit_cfg.text import t

__all__ = ["bar", "plots"]

BAR_W, BAR_H = 160, 16
PLOT_W, PLOT_H, LEFT, RIGHT, BAND_H = 460, 132, 40, 8, 14
BOTTOM = PLOT_H - 18
LEGEND = {
    "stimulus": t("what we did"),
    "reaction": t("what was expected"),
    "fault": t("what was not as expected"),
}
"""Kinds of marks that plots show."""
GROUPS: tuple[tuple[str, tuple[str, ...], float], ...] = (
    (t("Altitude above home"), ("altitude",), 4.0),
    (t("Position error of the estimator"), ("position error",), 2.0),
    (t("Roll and pitch"), ("roll", "pitch"), 4.0),
    (t("Estimator variances (1 is a failure)"), ("velocity variance", "pos horiz variance"), 1.0),
    (t("Estimator ratios (1 is a failure)"), ("vel ratio", "pos horiz ratio"), 1.0),
    (t("Frames lost on the telemetry link"), ("frames lost",), 10.0),
    (t("Motors"), ("motors",), 100.0),
    (t("Satellites"), ("satellites",), 10.0),
    (t("Battery"), ("battery",), 2.0),
)
"""Plots: title, series, and the smallest range that is shown, so that noise does not look like an event."""
COLOURS = ("#0b62c4", "#b4430b")
BAND_COLOURS = ("#dfe9f5", "#f5e8d5", "#e3f0df", "#f0e0ee", "#e4e4f4", "#f4f0d8")


def _extent(measure: Measure) -> tuple[float, float]:
    """Give the range that a bar shows, wide enough for the limits and the value where that is near."""
    low, high, value = measure.low, measure.high, measure.value
    known = [x for x in (low, high) if math.isfinite(x)]
    span = (high - low) if len(known) == 2 else abs(known[0])
    span = span or max(abs(value) if math.isfinite(value) else 0.0, 1.0)
    left = low - span / 3 if math.isfinite(low) else min(0.0, high - span)
    right = high + span / 3 if math.isfinite(high) else low + span
    if math.isfinite(low) and not math.isfinite(high):
        left = min(left, 0.0) if low >= 0 else left
        left = 0.0 if low >= 0 else left
    if math.isfinite(value):
        right = max(right, min(value, right + span)) if value > right else right
        left = min(left, max(value, left - span)) if value < left else left
    return left, right


def bar(measure: Measure) -> Markup:
    """Draw a number against its limits: the good range green, the value as a tick; outside the bar as an arrow."""
    if not (math.isfinite(measure.low) or math.isfinite(measure.high)):
        return Markup("")
    left, right = _extent(measure)

    def x(value: float) -> float:
        return BAR_W * (min(max(value, left), right) - left) / (right - left)

    good_from = x(measure.low) if math.isfinite(measure.low) else 0.0
    good_to = x(measure.high) if math.isfinite(measure.high) else float(BAR_W)
    width = max(good_to - good_from, 2.0)
    parts = [
        el("rect", x=0, y=5, width=BAR_W, height=6, rx=3, class_="track"),
        el("rect", x=f"{good_from:.1f}", y=5, width=f"{width:.1f}", height=6, rx=3, class_="good"),
    ]
    if math.isfinite(measure.value):
        at = x(measure.value)
        kind = "tick" if measure.ok else "tick bad"
        parts.append(
            el("rect", x=f"{min(max(at - 1.5, 0), BAR_W - 3):.1f}", y=1, width=3, height=14, rx=1, class_=kind)
        )
        if measure.value > right:
            parts.append(el("path", d=f"M{BAR_W - 9} 1 L{BAR_W} 8 L{BAR_W - 9} 15 Z", class_=kind))
        elif measure.value < left:
            parts.append(el("path", d="M9 1 L0 8 L9 15 Z", class_=kind))
    return el("svg", *parts, viewBox=f"0 0 {BAR_W} {BAR_H}", class_="bar", role="img", aria_label=str(measure))


def plots(result: Result) -> Markup:
    """Draw all lines of a result over one time axis, with modes and marks in each, "" when it has none."""
    times = [x for s in result.series for x, _ in s.points]
    if not times:
        return Markup("")
    span = min(times), max(times)
    by_name = {s.name: s for s in result.series}
    drawn = []
    for title, names, least in GROUPS:
        series = [by_name[n] for n in names if n in by_name]
        if series:
            drawn.append(_plot(title, series, result, span, least))
    kinds = dict.fromkeys(m.kind for m in result.marks if m.kind in LEGEND)
    keys = [el("span", LEGEND[kind], class_=f"key {kind}") for kind in LEGEND if kind in kinds]
    return Markup(el("div", *drawn, class_="plots") + (el("p", *keys, class_="keys") if keys else ""))


def _x(value: float, first: float, last: float) -> float:
    return LEFT + (PLOT_W - LEFT - RIGHT) * (value - first) / ((last - first) or 1)


def _bands(bands: Sequence[Band], first: float, last: float) -> list[Markup]:
    """Draw the flight modes: a strip with their names, and their colour behind the lines."""
    names = list(dict.fromkeys(b.name for b in bands))
    parts: list[Markup] = []
    for band in bands:
        start, end = max(band.start, first), min(band.end, last)
        if end <= start:
            continue
        a, b = _x(start, first, last), _x(end, first, last)
        colour = BAND_COLOURS[names.index(band.name) % len(BAND_COLOURS)]
        parts += [
            el("rect", el("title", band.name), x=f"{a:.1f}", y=0, width=f"{b - a:.1f}", height=BAND_H, fill=colour),
            el("rect", x=f"{a:.1f}", y=BAND_H, width=f"{b - a:.1f}", height=BOTTOM - BAND_H, fill=colour, opacity=0.35),
        ]
        if b - a > 7 * len(band.name):
            parts.append(el("text", band.name, x=f"{(a + b) / 2:.1f}", y=11, text_anchor="middle", class_="band"))
    return parts


def _nice(low: float, high: float) -> list[float]:
    """Give two to four round numbers that cover the range."""
    span = (high - low) or max(abs(high), 1.0)
    step = 10 ** math.floor(math.log10(span / 2))
    step *= next(k for k in (1, 2, 5, 10) if span / (step * k) <= 3)
    start = math.floor(low / step) * step
    count = math.ceil((high - start) / step - 1e-9)
    return [round(start + step * i, 10) for i in range(max(count, 1) + 1)]


def _ticks(series: Sequence[Series], least: float) -> list[float]:
    """Give the ticks of an axis that shows at least this range; nothing below zero where no value is."""
    values = [y for s in series for _, y in s.points]
    low, high = min(values), max(values)
    missing = max(least - (high - low), 0.0)
    down = min(missing / 2, max(low, 0.0)) if low >= 0 else missing / 2
    return _nice(low - down, high + missing - down)


def _plot(title: str, series: Sequence[Series], result: Result, span: tuple[float, float], least: float) -> Markup:
    first, last = span
    ticks = _ticks(series, least)
    low, high = ticks[0], ticks[-1]
    top = BAND_H + 6

    def y(value: float) -> float:
        return BOTTOM - (BOTTOM - top) * (value - low) / ((high - low) or 1)

    parts = _bands(result.bands, first, last)
    for tick in ticks:
        parts.append(el("line", x1=LEFT, x2=PLOT_W - RIGHT, y1=f"{y(tick):.1f}", y2=f"{y(tick):.1f}", class_="grid"))
        parts.append(el("text", f"{tick:g}", x=LEFT - 5, y=f"{y(tick) + 3.5:.1f}", text_anchor="end"))
    parts += [
        el("text", f"{tick:g} s", x=f"{_x(tick, first, last):.1f}", y=PLOT_H - 4, text_anchor="middle")
        for tick in _nice(first, last)
        if first <= tick <= last
    ]
    parts += [_mark(mark, _x(mark.at, first, last)) for mark in result.marks if _drawn(mark, first, last)]
    for i, one in enumerate(series):
        d = "".join(
            f"{'L' if n else 'M'}{_x(px, first, last):.1f} {y(py):.1f}" for n, (px, py) in enumerate(one.points)
        )
        parts.append(el("path", d=d, fill="none", stroke=COLOURS[i % 2], stroke_width=1.6))
    unit = f" ({series[0].unit})" if series[0].unit else ""
    legend = [el("span", s.name, class_=f"line{i % 2}") for i, s in enumerate(series)] if len(series) > 1 else []
    caption = el("figcaption", el("b", title), unit, *legend)
    svg = el("svg", *parts, viewBox=f"0 0 {PLOT_W} {PLOT_H}", role="img", aria_label=title)
    return el("figure", caption, svg, class_="plot")


def _drawn(mark: Mark, first: float, last: float) -> bool:
    return mark.kind in LEGEND and first <= mark.at <= last


def _mark(mark: Mark, at: float) -> Markup:
    title = el("title", t("{at:.1f} s: {text}", at=mark.at, text=mark.text))
    return el("line", title, x1=f"{at:.1f}", x2=f"{at:.1f}", y1=BAND_H, y2=BOTTOM, class_=mark.kind)
