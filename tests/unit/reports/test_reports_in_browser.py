"""Reports in a real browser: nothing is asked of a network, nothing complains, nothing runs out of a phone's screen."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.model import Identity
from dronekit_cfg.model.checked import Band, Difference, Mark, Measure, Result, RunResult, Series, Subject, Verdict
from dronekit_cfg.reports.html import html

LONG = "/a/folder/with/a/name/that/has/no/place/to/break/" + "x" * 60
WHO = Identity("ardupilot", "copter", "4.7.0", "4.7.0-dev (2598e9d4)", "SITL_arm_linux_gnueabihf", "00ff" * 9)
SUBJECTS = tuple(Subject(f"heavy-lift+gnss-resilient-{i}", "sha256:" + "ab" * 32, "4.7.0-dev", LONG) for i in range(6))


def flown(name: str, verdict: Verdict, **more: Any) -> Result:
    points = tuple((s / 2, 15 - abs(s) / 10) for s in range(-10, 80))
    lines = ("altitude", "position error", "roll", "pitch", "velocity variance", "pos horiz variance", "satellites")
    reason = '"EKF Failsafe: changed to LAND Mode": never, expected within 6.5 to 9.5 s' if verdict != "pass" else ""
    return Result(
        name,
        "GNSS is lost in LOITER",
        verdict,
        reason,
        (Measure("mode LAND", 8.05, "s", 6.5, 9.5), Measure("largest roll or pitch", 51.0, "deg", high=15)),
        ("✗ mode RTL: never", f"rule R20: {LONG}"),
        "Check FS_EKF_ACTION. Fly this seed again with --seed 4.",
        45.0,
        tuple(Series(line, "m", points) for line in lines),
        (Band("GUIDED", -5, -4), Band("LOITER", -4, 8), Band("LAND", 8, 40)),
        (
            Mark(0.0, "SIM_GPS1_ENABLE = 0", "stimulus"),
            Mark(8.05, "mode LAND after 8.1 s", "reaction"),
            Mark(20.0, "said too late", "fault"),
            Mark(8.0, "EKF variance"),
        ),
        (LONG,),
        4,
        (("SIM_WIND_SPD", 4.11), ("later, in seconds", 0.5)),
        "s01",
        differs=(Difference("FS_EKF_ACTION", "1", "0", "the scenario set it"), Difference("LOG_BITMASK", LONG, "0")),
        about="Without GNSS the vehicle must land by itself.",
        **more,
    )


def run(*results: Result) -> RunResult:
    title, digest = "Scenarios on ArduCopter SITL", "sha256:" + "cd" * 32
    return RunResult("s", title, results, WHO, "2026-11-22T21:00:00Z", 95.0, "tool 1", LONG, "heavy-lift", digest)


REPORTS = {
    "flights": run(flown("s01-seed-4", Verdict.FAIL), flown("s02", Verdict.PASS), flown("s03", Verdict.ERROR)),
    "matrix": run(
        *(flown(f"s01-{i}", Verdict.PASS if i % 2 else Verdict.FAIL, subject=s) for i, s in enumerate(SUBJECTS)),
        Result("s02-1", "Left out", Verdict.SKIP, "heavy-lift is for ardupilot", base="s02", subject=SUBJECTS[0]),
    ),
    "nothing": run(),
}


@pytest.fixture(params=sorted(REPORTS))
def page(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "report.html"
    path.write_text(html(REPORTS[request.param]), "utf-8")
    return path


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_a_report_fits_the_screen_and_neither_complains_nor_asks_a_network(
    page: Path, width: int, browser: Any
) -> None:
    browser.open(page, width)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.said == []
    assert browser.asked == [page.as_uri()]


def test_what_does_not_fit_a_phone_scrolls_within_its_own_box(tmp_path: Path, browser: Any) -> None:
    path = tmp_path / "report.html"
    path.write_text(html(REPORTS["matrix"]), "utf-8")
    browser.open(path, 390)
    cut = """[...document.querySelectorAll('td,dd,li,p,h1,h2,span')].filter(e =>
        !e.closest('.scroll') && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 90))"""
    assert browser.evaluate(cut) == []
    assert browser.evaluate("getComputedStyle(document.querySelector('.scroll')).overflowX") == "auto"


def test_every_plot_is_drawn_with_its_marks_and_can_be_read(tmp_path: Path, browser: Any) -> None:
    path = tmp_path / "report.html"
    path.write_text(html(REPORTS["flights"]), "utf-8")
    for width, least in ((390, 8.0), (1280, 8.0)):
        browser.open(path, width)
        seen = browser.evaluate(
            """[...document.querySelectorAll('.plots svg')].map(s => ({
                marks: ['stimulus', 'reaction', 'fault'].every(k => s.querySelector('line.' + k).getBoundingClientRect()
                    .height > 40),
                line: s.querySelector('path').getTotalLength() > 50,
                letters: Math.min(...[...s.querySelectorAll('text')].map(e => e.getBoundingClientRect().height))}))"""
        )
        assert len(seen) == 3 * 5
        assert all(s["marks"] and s["line"] for s in seen)
        assert all(s["letters"] >= least for s in seen), f"text in plots is unreadably small at {width}"


def test_links_of_the_overview_lead_to_their_sections(tmp_path: Path, browser: Any) -> None:
    path = tmp_path / "report.html"
    path.write_text(html(REPORTS["matrix"]), "utf-8")
    browser.open(path, 1280)
    dead = """[...document.querySelectorAll('a')].filter(a => !document.getElementById(
        decodeURIComponent(a.hash.slice(1)))).map(a => a.href)"""
    assert browser.evaluate(dead) == []
    assert browser.evaluate("document.querySelectorAll('.matrix td a').length") == 7


def test_it_prints_on_a4_in_portrait_on_few_pages(tmp_path: Path, browser: Any) -> None:
    path = tmp_path / "report.html"
    path.write_text(html(REPORTS["flights"]), "utf-8")
    browser.open(path, 1280)
    pdf = browser.paper()
    boxes = {tuple(map(round, map(float, box.split()))) for box in re.findall(rb"/MediaBox\s*\[([\d. ]+)\]", pdf)}
    assert boxes == {(0, 0, 595, 842)}, "A4 is 595 by 842 points"
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 7
