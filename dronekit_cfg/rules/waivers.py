"""Waivers: findings that somebody accepted, with a reason, a name and an end. Waivers are judged too."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from dronekit_cfg.errors import FileProblems, Problem
from dronekit_cfg.model import Finding, Origin, Waiver
from dronekit_cfg.rules.builtin import BUILTIN
from dronekit_cfg.rules.rule import Rule
from dronekit_cfg.text import t

__all__ = ["Waived", "apply_waivers", "load_waivers", "parse_waivers"]

_NEVER_WAIVED = ("VALUE-NAN", "VALUE-STORAGE", "VALUE-TYPE", "NAME-BOTH", "NAME-GENERATION")
"""Built-in checks whose finding means that the vehicle would not hold what was asked for."""


@dataclass(frozen=True, slots=True)
class Waived:
    """Findings that still count (those about waivers included), and those that were waived, each with its waiver."""

    findings: tuple[Finding, ...]
    waived: tuple[tuple[Finding, Waiver], ...]


def load_waivers(path: Path) -> tuple[Waiver, ...]:
    """Read a waivers file. Raises FileProblems."""
    from dronekit_cfg.rules.source import read_text

    return parse_waivers(read_text(path), str(path))


def parse_waivers(text: str, file: str) -> tuple[Waiver, ...]:
    """Read waivers from text. Raises FileProblems with everything that is wrong."""
    from dronekit_cfg.rules import source  # YAML and JSON Schema: not for those who only apply waivers

    document = source.load(text, file, "waivers.v1.schema.json")
    waivers: list[Waiver] = []
    problems: list[Problem] = []
    for i, raw in enumerate(document.data["waive"]):
        line, column = document.place(("waive", i))
        if _day(raw["until"]) is None:
            problems.append(document.problem(("waive", i, "until"), t("{day} is no date", day=raw["until"])))
        origin = Origin("waivers", file, line, column)
        waivers.append(Waiver(raw["rule"], raw["because"], raw["until"], origin, raw["who"]))
    if problems:
        raise FileProblems(tuple(problems))
    return tuple(waivers)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def apply_waivers(
    findings: Iterable[Finding], waivers: Iterable[Waiver], *, today: date, rules: Mapping[str, Rule]
) -> Waived:
    """Take the waived findings out, and add findings about expired, unused, unknown and refused waivers.

    A waiver counts on its `until` day and not after it; a date that cannot be read counts as expired. An error is
    waived only where its rule says that it can be. `rules` are all known rules by id.
    """
    left = list(findings)
    waived: list[tuple[Finding, Waiver]] = []
    about: list[Finding] = []
    used: set[str] = set()
    for waiver in waivers:
        if waiver.rule not in rules and waiver.rule not in BUILTIN:
            about.append(_unknown(waiver, rules))
            continue
        hits = [f for f in left if f.id == waiver.rule]
        if not hits:
            if waiver.rule not in used:
                about.append(
                    _about("WAIVER-UNUSED", waiver, t("nothing here needs the waiver of {rule}", rule=waiver.rule))
                )
            continue
        used.add(waiver.rule)
        if _expired(waiver, today):
            text = t("the waiver of {rule} ended on {day}", rule=waiver.rule, day=waiver.until)
            about.append(_about("WAIVER-EXPIRED", waiver, text))
            continue
        refused = [f for f in hits if not _waivable(f, rules)]
        if refused:
            text = t("{rule} cannot be waived: {message}", rule=waiver.rule, message=refused[0].message)
            about.append(_about("WAIVER-REFUSED", waiver, text))
        accepted = [f for f in hits if f not in refused]
        waived += [(f, waiver) for f in accepted]
        left = [f for f in left if f not in accepted]
    return Waived((*left, *about), tuple(waived))


def _expired(waiver: Waiver, today: date) -> bool:
    if not waiver.until:
        return False
    end = _day(waiver.until)
    return end is None or today > end


def _waivable(finding: Finding, rules: Mapping[str, Rule]) -> bool:
    rule = rules.get(finding.id)
    if rule is None:
        return finding.id not in _NEVER_WAIVED and not finding.id.startswith("WAIVER-")
    # A rule that could not be judged reports an error whatever its own severity is: that is never accepted.
    return rule.waivable and (finding.severity == rule.severity)


def _about(check: str, waiver: Waiver, text: str, remedy: str = "") -> Finding:
    facts = BUILTIN[check]
    who = f" ({waiver.who}: {waiver.because})" if waiver.who else f" ({waiver.because})"
    return Finding(check, facts.severity, waiver.rule, text + who, remedy or t(facts.remedy), waiver.origin)


def _unknown(waiver: Waiver, rules: Mapping[str, Rule]) -> Finding:
    close = difflib.get_close_matches(waiver.rule, [*rules, *BUILTIN], n=3)
    remedy = t("The closest rules are {ids}.", ids=", ".join(close)) if close else ""
    return _about("WAIVER-UNKNOWN", waiver, t("there is no rule {rule}", rule=waiver.rule), remedy)
