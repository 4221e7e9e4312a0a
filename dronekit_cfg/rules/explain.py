"""What `rules list` and `rules explain` show, as plain data and as lines of text."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from dronekit_cfg.errors import UsageError
from dronekit_cfg.rules.builtin import BUILTIN, Builtin
from dronekit_cfg.rules.check import check
from dronekit_cfg.rules.rule import Example, Rule
from dronekit_cfg.text import t

__all__ = ["Explanation", "explain", "listing"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """Everything there is to say about one rule. `bad` and `good` are lines; `shows` is the message for `bad`."""

    id: str
    title: str
    severity: str
    applies: str
    why: str
    measured: str
    remedy: str
    source: str
    condition: str
    inputs: str
    waivable: bool
    bad: tuple[str, ...]
    shows: str
    good: tuple[str, ...]

    def data(self) -> dict[str, object]:
        """Give it as JSON data."""
        return asdict(self)

    def lines(self) -> tuple[str, ...]:
        """Give it as lines for a person."""
        rows = (
            (t("What"), f"{self.title} ({self.severity})"),
            (t("Applies to"), self.applies),
            (t("Why"), self.why),
            (t("Measured"), self.measured),
            (t("Remedy"), self.remedy),
            (t("Source"), self.source),
            (t("Broken when"), self.condition),
            (t("Inputs"), self.inputs),
            (t("Waiver"), t("may be waived") if self.waivable else t("cannot be waived")),
        )
        head = [self.id, *(f"  {label + ':':<13}{text}" for label, text in rows if text)]
        bad = [f"  {t('Breaks it:')}", *(f"    {line}" for line in self.bad)]
        said = [f"    -> {self.shows}"] if self.shows else []
        return (*head, *bad, *said, f"  {t('Keeps it:')}", *(f"    {line}" for line in self.good))


def listing(rules: Iterable[Rule]) -> tuple[tuple[str, str, str, str], ...]:
    """Give (id, severity, applies to, title) of every rule and built-in check, in the order of the packs."""
    packs = [(r.id, r.severity, _applies(r), t(r.title)) for r in rules]
    return (*packs, *((b.id, b.severity, t("every family"), t(b.title)) for b in BUILTIN.values()))


def explain(rule_id: str, rules: Sequence[Rule]) -> Explanation:
    """Explain one rule or built-in check; case does not matter. Raises UsageError for an unknown id."""
    wanted = rule_id.casefold()
    for rule in rules:
        if rule.id.casefold() == wanted:
            return _rule(rule)
    for builtin in BUILTIN.values():
        if builtin.id.casefold() == wanted:
            return _builtin(builtin)
    ids = [*(r.id for r in rules), *BUILTIN]
    close = difflib.get_close_matches(rule_id.upper(), ids, n=3)
    hint = t("The closest are {ids}.", ids=", ".join(close)) if close else t("`dronekit-cfg rules list` shows them.")
    raise UsageError(t("there is no rule {id}", id=rule_id), hint=hint)


def _applies(rule: Rule) -> str:
    parts = [", ".join(rule.families)]
    if rule.vehicles:
        parts.append(", ".join(rule.vehicles))
    if rule.firmware:
        parts.append(t("firmware {range}", range=rule.firmware))
    if rule.flags:
        parts.append(t("with the flag {flags}", flags=t(" or ").join(rule.flags)))
    return "; ".join(parts)


def _example(example: Example) -> tuple[str, ...]:
    lines = [f"{name}: {value}" for name, value in example.settings.items()] or [t("(no settings)")]
    lines += [t("input {name} = {value}", name=n, value=v) for n, v in example.inputs.items()]
    if example.flags:
        lines.append(t("flags: {flags}", flags=", ".join(example.flags)))
    if example.firmware:
        lines.append(t("firmware {version}", version=example.firmware))
    return tuple(lines)


def _rule(rule: Rule) -> Explanation:
    (result,) = check(
        (rule,),
        rule.bad.settings,
        family=rule.families[0],
        vehicle=rule.vehicles[0] if rule.vehicles else "",
        version=rule.bad.firmware,
        inputs=rule.bad.inputs,
        flags=rule.bad.flags,
    )
    inputs = [name if default is None else f"{name} ({default})" for name, default in rule.inputs.items()]
    condition = rule.violation if not rule.when else t("{a}; judged when {b}", a=rule.violation, b=rule.when)
    return Explanation(
        id=rule.id,
        title=t(rule.title),
        severity=rule.severity,
        applies=_applies(rule),
        why=t(rule.why),
        measured=t(rule.measured) if rule.measured else "",
        remedy=t(rule.remedy),
        source=rule.source,
        condition=" ".join(condition.split()),
        inputs=", ".join(inputs),
        waivable=rule.waivable,
        bad=_example(rule.bad),
        shows=result.message,
        good=_example(rule.good),
    )


def _builtin(check_: Builtin) -> Explanation:
    return Explanation(
        id=check_.id,
        title=t(check_.title),
        severity=check_.severity,
        applies=t("every family"),
        why=t(check_.why),
        measured="",
        remedy=t(check_.remedy),
        source=check_.source,
        condition="",
        inputs="",
        waivable=check_.severity != "error",
        bad=(check_.bad,),
        shows="",
        good=(check_.good,),
    )
