"""One self-contained HTML file of a run: opens offline, prints on A4, verdict on top."""

from __future__ import annotations

import math

from dronekit_cfg.model.checked import Difference, Mark, Result, RunResult, Verdict
from dronekit_cfg.reports.grid import grid
from dronekit_cfg.reports.markup import Markup, el
from dronekit_cfg.reports.plots import bar, plots
from dronekit_cfg.reports.style import STYLE
from dronekit_cfg.text import t

__all__ = ["html"]

WORDS = {Verdict.PASS: t("PASS"), Verdict.FAIL: t("FAIL"), Verdict.SKIP: t("SKIPPED"), Verdict.ERROR: t("ERROR")}
MARKS_SHOWN = 40
WIDE = 34
"""Letters above which a value gets two columns."""


def html(run: RunResult) -> str:
    """Give the whole report as one HTML document."""
    bad = [r for r in run.results if r.verdict in (Verdict.FAIL, Verdict.ERROR)]
    told = [r for r in run.results if r.measures or r.notes or r.marks or r.subject]
    parts = [
        _verdict(run, bad),
        _identity(run),
        _matrix(run) if run.subjects else _overview(run),
        *(_section(r) for r in sorted(told, key=lambda r: r not in bad)),
        _signature(run),
    ]
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("title", f"{WORDS[run.verdict]} - {run.title}"),
        el("style", Markup(STYLE)),
    )
    return "<!DOCTYPE html>\n" + el("html", head, el("body", el("main", *parts)), lang="en") + "\n"


def _verdict(run: RunResult, bad: list[Result]) -> Markup:
    counts = {v: sum(r.verdict is v for r in run.results) for v in Verdict}
    said = [f"{n} {WORDS[v].lower()}" for v, n in counts.items() if n]
    reasons = [
        el("li", el("b", el("a", r.title, href=f"#{r.name}")), f" ({r.subject})" if r.subject else "", ": ", r.reason)
        for r in bad
    ]
    return el(
        "header",
        el("p", WORDS[run.verdict], class_="word"),
        el("div", el("h1", run.title), el("p", ", ".join(said)), el("ul", *reasons) if reasons else None),
        class_=f"verdict {run.verdict}",
    )


def _identity(run: RunResult) -> Markup:
    who = run.identity
    rows = [
        (t("Suite"), run.suite),
        (t("Link"), run.link),
        (t("Started"), run.started.replace("T", " ").replace("Z", " UTC")),
    ]
    rows.append((t("Took"), t("{s:.0f} s", s=run.seconds)))
    if who is not None:
        rows += [
            (t("Vehicle"), f"{who.family} {who.vehicle}"),
            (t("Firmware"), who.version_text),
            (t("Board"), who.board),
            (t("UID"), who.uid),
        ]
    rows += [(t("Profile"), run.profile), (t("Profile digest"), run.profile_digest), (t("Tool"), run.tool)]
    cells = [
        el("div", el("dt", name), el("dd", value), class_="wide" if len(value) > WIDE else None)
        for name, value in rows
        if value
    ]
    return el("dl", *cells, class_="identity")


def _overview(run: RunResult) -> Markup:
    rows = [
        el(
            "tr",
            el("td", _pill(r)),
            el("td", el("a", r.title, href=f"#{r.name}"), el("small", r.name)),
            el("td", r.reason or _summary(r)),
        )
        for r in run.results
    ]
    return el("section", el("h2", t("Overview")), el("table", el("tbody", *rows), class_="overview"))


def _matrix(run: RunResult) -> Markup:
    """One row a scenario, one column a profile on a firmware, each verdict a link to its section."""
    subjects, rows = grid(run)
    heads = [el("th", str(i)) for i in range(1, len(subjects) + 1)]
    body = [el("tr", el("td", name), *(_cell(r) for r in results)) for name, results in rows]
    table = el("table", el("thead", el("tr", el("th", t("Scenario")), *heads)), el("tbody", *body), class_="matrix")
    legend = [el("li", str(s), " ", el("small", " ".join(filter(None, (s.digest, s.program))))) for s in subjects]
    left_out = [r for r in run.results if r.verdict is Verdict.SKIP]
    reasons = [
        el("tr", el("td", _pill(r)), el("td", el("a", r.title, href=f"#{r.name}"), _where(r)), el("td", r.reason))
        for r in left_out
    ]
    return el(
        "section",
        el("h2", t("Overview")),
        el("ol", *legend, class_="columns"),
        el("div", table, class_="scroll"),
        el("table", el("tbody", *reasons), class_="overview") if reasons else None,
    )


def _cell(result: Result | None) -> Markup:
    return el("td", el("a", _pill(result), href=f"#{result.name}") if result else "-")


def _pill(result: Result) -> Markup:
    return el("span", WORDS[result.verdict], class_=f"pill {result.verdict}")


def _where(result: Result) -> Markup | None:
    return el("small", str(result.subject)) if result.subject else None


def _summary(result: Result) -> str:
    """Give the two numbers nearest to their limits, or the first note."""
    if result.measures:
        return "; ".join(str(m) for m in result.measures[:2])
    return result.notes[0] if result.notes else ""


def _section(result: Result) -> Markup:
    """What it was about, why it did not pass, its numbers, what happened when, and what is kept."""
    measured = tuple(f"{sign} {m.name}" for sign in "✓✗" for m in result.measures)
    notes = [n for n in result.notes if not n.startswith(measured)]
    return el(
        "section",
        el("h2", _pill(result), " ", result.title),
        el("p", _where(result)) if result.subject else None,
        el("p", result.reason, class_="reason") if result.reason else None,
        el("p", el("b", t("What to do: ")), result.remedy, class_="remedy") if result.remedy else None,
        el("p", result.about, class_="about") if result.about else None,
        _measures(result),
        el("ul", *(el("li", n) for n in notes), class_="notes") if notes else None,
        _drawn(result),
        _differs(result.differs),
        plots(result),
        _timeline(result.marks),
        el("p", t("Recorded: "), ", ".join(result.files), class_="files") if result.files else None,
        id=result.name,
        class_="result",
    )


def _measures(result: Result) -> Markup | None:
    if not result.measures:
        return None
    rows = [
        el(
            "tr",
            el("td", m.name),
            el(
                "td",
                _value(m.value),
                el("small", f" {m.unit}" if m.unit else ""),
                class_="number" + ("" if m.ok else " bad"),
            ),
            el("td", m.limits, class_="limits"),
            el("td", bar(m), class_="barcell"),
        )
        for m in result.measures
    ]
    return el("table", el("tbody", *rows), class_="measures")


def _drawn(result: Result) -> Markup | None:
    """Tell what the seed drew."""
    if result.seed is None:
        return None
    said = "; ".join(f"{name} {value:g}" for name, value in result.drawn)
    return el("p", el("b", t("Seed {n}: ", n=result.seed)), said)


def _differs(differs: tuple[Difference, ...] | None) -> Markup | None:
    """Tell which settings differ from the profile under test; nothing where no profile was compared."""
    if differs is None:
        return None
    if not differs:
        return el("p", t("Every setting of the profile was on the vehicle at the end."))
    heads = [el("th", name) for name in (t("Setting"), t("Profile"), t("Vehicle"), t("Why"))]
    rows = [el("tr", el("td", d.name), el("td", d.wanted), el("td", d.found), el("td", d.why)) for d in differs]
    table = el("table", el("thead", el("tr", *heads)), el("tbody", *rows), class_="differs")
    return Markup(el("h3", t("Settings that differ from the profile")) + el("div", table, class_="scroll"))


def _value(value: float) -> str:
    if math.isnan(value):
        return t("unknown")
    return f"{value:.0f}" if value == int(value) else f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"


def _timeline(marks: tuple[Mark, ...]) -> Markup | None:
    if not marks:
        return None
    names = {
        "stimulus": t("we did"),
        "reaction": t("expected"),
        "fault": t("not expected"),
        "text": t("vehicle says"),
        "mode": t("mode"),
        "alarm": t("monitor says"),
    }
    rows = [
        el(
            "tr",
            el("td", f"{m.at:.1f} s", class_="number"),
            el("td", names.get(m.kind, m.kind), class_=f"kind {m.kind}"),
            el("td", m.text),
        )
        for m in marks[:MARKS_SHOWN]
    ]
    title = t("What happened when (0 s is the first stimulus)")
    more = el("p", t("and {n} more", n=len(marks) - MARKS_SHOWN)) if len(marks) > MARKS_SHOWN else None
    return Markup(el("h3", title) + el("table", el("tbody", *rows), class_="timeline") + (more or ""))


def _signature(run: RunResult) -> Markup:
    lines = [el("div", el("span", name), class_="line") for name in (t("Name"), t("Date"), t("Signature"))]
    return el("footer", el("div", *lines, class_="signature"), el("p", f"{run.tool}, {run.started}"))
