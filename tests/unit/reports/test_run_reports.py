"""Reports of runs: nothing of a vehicle's texts becomes markup, numbers stand against limits, XML stays XML."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET
from html.parser import HTMLParser

import pytest

from dronekit_cfg.model import Identity
from dronekit_cfg.model.checked import Band, Mark, Measure, Result, RunResult, Series, Verdict, worst
from dronekit_cfg.reports.html import html
from dronekit_cfg.reports.json_run import run_data
from dronekit_cfg.reports.junit_run import junit_run
from dronekit_cfg.reports.plots import bar, plots

EVIL = '<script>alert(1)</script> & "quoted" \x00\x1b[31m'
WHO = Identity("ardupilot", "copter", "4.7.0", EVIL, "board", "00ff")


def run(*results: Result) -> RunResult:
    return RunResult("suite", "Suite", results, WHO, "2026-11-22T21:00:00Z", 12.0, "tool 1", EVIL)


def flown() -> Result:
    points = tuple((float(s), float(s % 7)) for s in range(-5, 40))
    return Result(
        "s01",
        EVIL,
        Verdict.FAIL,
        EVIL,
        (Measure("m", 8.0, "s", 6.5, 9.5), Measure("n", math.nan, "m", high=3), Measure("o", 1e9, "m", low=2)),
        (EVIL,),
        EVIL,
        40.0,
        (Series("altitude", "m", points), Series("roll", "deg", points)),
        (Band("LOITER", -5, 8), Band("LAND", 8, 40)),
        (Mark(0.0, EVIL, "stimulus"), Mark(8.0, "LAND", "reaction"), Mark(8.0, EVIL)),
    )


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)


def test_texts_of_a_vehicle_never_become_markup() -> None:
    parser = Tags()
    parser.feed(html(run(flown())))
    assert "script" not in parser.tags
    assert {"svg", "table", "style", "header"} <= set(parser.tags)


def test_the_verdict_and_its_reason_stand_before_everything_else() -> None:
    page = html(run(Result("a", "A", Verdict.PASS, measures=(Measure("x", 1.0),)), flown()))
    body = page[page.index("<body>") :]
    assert body.index("FAIL") < body.index("Overview")
    assert body.index('id="s01"') < body.index('id="a"'), "what failed comes first"


def test_junit_counts_and_stays_xml() -> None:
    text = junit_run(run(flown(), Result("b", "B", Verdict.SKIP, "no reason"), Result("c", "C", Verdict.ERROR, "x")))
    root = ET.fromstring(text)
    suite = root[0]
    assert [suite.get(n) for n in ("tests", "failures", "errors", "skipped")] == ["3", "1", "1", "1"]
    assert {p.get("name") for p in suite.iter("property")} >= {"uid", "firmware", "tool"}


def test_json_has_no_nan_and_no_infinity() -> None:
    data = run_data(run(flown()), series=True)
    text = json.dumps(data, allow_nan=False)
    measures = json.loads(text)["results"][0]["measures"]
    assert [m["value"] for m in measures] == [8.0, None, 1e9]
    assert measures[1]["ok"] is False


@pytest.mark.parametrize("value", [-1e9, -1.0, 0.0, 2.0, 5.0, 1e9, math.nan, math.inf])
@pytest.mark.parametrize("limits", [(0.0, 4.0), (-math.inf, 4.0), (2.0, math.inf), (0.0, 0.0), (-3.0, -1.0)])
def test_every_bar_can_be_drawn_and_shows_a_bad_value_as_bad(value: float, limits: tuple[float, float]) -> None:
    measure = Measure("x", value, "m", *limits)
    drawn = bar(measure)
    assert "nan" not in drawn.replace("unknown", "").lower().replace('aria-label="x inf', "")
    if math.isfinite(value):
        assert ("bad" in drawn) == (not measure.ok)


def test_a_measure_without_limits_has_no_bar() -> None:
    assert bar(Measure("x", 1.0)) == ""


def test_plots_show_modes_stimulus_and_reaction() -> None:
    drawn = plots(flown())
    assert "LOITER" in drawn
    assert 'class="stimulus"' in drawn
    assert 'class="reaction"' in drawn


def test_a_flat_line_can_be_plotted() -> None:
    assert plots(Result("x", "x", Verdict.PASS, series=(Series("altitude", "m", ((0.0, 5.0), (1.0, 5.0))),)))


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], Verdict.SKIP),
        ([Verdict.SKIP], Verdict.SKIP),
        ([Verdict.PASS, Verdict.SKIP], Verdict.PASS),
        ([Verdict.PASS, Verdict.FAIL], Verdict.FAIL),
        ([Verdict.FAIL, Verdict.ERROR], Verdict.ERROR),
    ],
)
def test_the_worst_verdict_wins_and_nothing_proves_nothing(verdicts: list[Verdict], expected: Verdict) -> None:
    assert worst(verdicts) is expected
