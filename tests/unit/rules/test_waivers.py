"""Waivers: what they take away, and what is said about them."""

from __future__ import annotations

from datetime import date

import pytest

from dronekit_cfg.errors import FileProblems
from dronekit_cfg.model import Finding, Origin, Waiver
from dronekit_cfg.rules.rule import Rule
from dronekit_cfg.rules.shipped import shipped_rules
from dronekit_cfg.rules.waivers import Waived, apply_waivers, parse_waivers

RULES: dict[str, Rule] = {rule.id: rule for rule in shipped_rules()}
TODAY = date(2026, 11, 22)
PLACE = Origin("heavy-lift", "heavy-lift.yaml", 31, 5)
WARNING = Finding("AP-R10", "warning", "FS_OPTIONS", "loiters on", "clear bit 4")
ERROR = Finding("AP-R01", "error", "FS_THR_ENABLE", "is off", "switch it on")


def waiver(rule: str, until: str = "2027-03-01") -> Waiver:
    return Waiver(rule, "pilot in sight", until, PLACE, "j.doe")


def run(findings: list[Finding], *waivers: Waiver, today: date = TODAY) -> Waived:
    return apply_waivers(findings, waivers, today=today, rules=RULES)


def test_a_waiver_takes_its_finding_out_and_keeps_it_on_record() -> None:
    result = run([WARNING, ERROR], waiver("AP-R10"))
    assert result.findings == (ERROR,)
    assert result.waived == ((WARNING, waiver("AP-R10")),)


@pytest.mark.parametrize(("today", "counts"), [(date(2027, 3, 1), True), (date(2027, 3, 2), False)])
def test_a_waiver_counts_on_its_last_day_and_not_after_it(today: date, counts: bool) -> None:
    result = run([WARNING], waiver("AP-R10"), today=today)
    assert bool(result.waived) is counts
    assert (WARNING in result.findings) is not counts


def test_an_expired_waiver_is_a_finding_beside_the_one_that_counts_again() -> None:
    result = run([WARNING], waiver("AP-R10", "2026-11-21"))
    assert [f.id for f in result.findings] == ["AP-R10", "WAIVER-EXPIRED"]
    about = result.findings[1]
    assert (about.severity, about.name, about.origin) == ("warning", "AP-R10", PLACE)
    assert "ended on 2026-11-21 (j.doe: pilot in sight)" in about.message


def test_a_date_that_cannot_be_read_counts_as_expired_and_no_date_as_for_ever() -> None:
    assert run([WARNING], waiver("AP-R10", "soon")).waived == ()
    assert run([WARNING], waiver("AP-R10", "")).waived


def test_an_unused_waiver_is_a_finding() -> None:
    (about,) = run([], waiver("AP-R10")).findings
    assert (about.id, about.severity) == ("WAIVER-UNUSED", "info")


def test_a_waiver_of_an_unknown_rule_is_an_error_with_the_closest_ids() -> None:
    (about,) = run([], waiver("AP-R100")).findings
    assert (about.id, about.severity) == ("WAIVER-UNKNOWN", "error")
    assert "AP-R10" in about.remedy


def test_an_error_cannot_be_waived() -> None:
    result = run([ERROR], waiver("AP-R01"))
    assert [f.id for f in result.findings] == ["AP-R01", "WAIVER-REFUSED"]
    assert result.waived == ()


def test_a_rule_that_could_not_be_judged_cannot_be_waived() -> None:
    broken = Finding("AP-R10", "error", "FS_OPTIONS", "could not be judged")
    assert run([broken], waiver("AP-R10")).waived == ()


@pytest.mark.parametrize(("check", "allowed"), [("VALUE-RANGE", True), ("VALUE-STORAGE", False), ("NAME-BOTH", False)])
def test_builtin_checks_are_waived_unless_the_vehicle_would_hold_something_else(check: str, allowed: bool) -> None:
    result = run([Finding(check, "warning", "X", "m", "r")], waiver(check))
    assert bool(result.waived) is allowed


def test_a_waiver_takes_every_finding_of_its_rule() -> None:
    several = [Finding("VALUE-RANGE", "warning", name, "m", "r") for name in "ABC"]
    assert len(run(several, waiver("VALUE-RANGE")).waived) == 3


GOOD = """\
format: dronekit-cfg/waivers/v1
waive:
  - {rule: AP-R10, because: pilot in sight, until: 2027-03-01, who: j.doe}
"""


def test_a_waivers_file_is_read_with_the_place_of_each_waiver() -> None:
    (found,) = parse_waivers(GOOD, "waivers.yaml")
    assert found == Waiver("AP-R10", "pilot in sight", "2027-03-01", Origin("waivers", "waivers.yaml", 3, 5), "j.doe")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("2027-03-01", "2027-02-30", "waivers.yaml:3:45: 2027-02-30 is no date"),
        ("2027-03-01", "soon", "waivers.yaml:3:45"),
        (", who: j.doe", "", "waivers.yaml:3:5"),
        ("because: pilot in sight", "because: x", "waivers.yaml:3:"),
        ("waive:", "waivers:", "waivers.yaml:1:1"),
    ],
)
def test_a_mistake_in_a_waivers_file_is_an_error_at_its_place(old: str, new: str, place: str) -> None:
    with pytest.raises(FileProblems) as caught:
        parse_waivers(GOOD.replace(old, new), "waivers.yaml")
    assert str(caught.value.problems[0]).startswith(place)
