"""Judges one vehicle's settings by rules: violated, passed, not applicable, or an error of the rule itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from simpleeval import SimpleEval

from dronekit_cfg.model import Finding, Origin, Scalar, Spec, Value
from dronekit_cfg.rules.expression import Expression, ExpressionError
from dronekit_cfg.rules.functions import Functions, UnknownVersion
from dronekit_cfg.rules.lookup import Missing, NotANumber, Renames, View
from dronekit_cfg.rules.rule import FLAGS, Rule
from dronekit_cfg.rules.version import release, within
from dronekit_cfg.text import t

__all__ = ["Outcome", "RuleResult", "check", "findings"]


class Outcome(StrEnum):
    """What became of one rule. Only PASSED says that the vehicle is fine in this respect."""

    VIOLATED = "violated"
    PASSED = "passed"
    NOT_APPLICABLE = "not-applicable"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class RuleResult:
    """Result of one rule on one vehicle.

    `message` is the rule's message with its values (VIOLATED), or why the rule said nothing (NOT_APPLICABLE,
    ERROR). `settings` are the listed settings that a violated or broken rule read, the one to point at first.
    """

    rule: Rule
    outcome: Outcome
    message: str = ""
    settings: tuple[str, ...] = ()

    def finding(self, origins: Mapping[str, Origin] | None = None) -> Finding | None:
        """Give the finding of a violated or broken rule, else None. `origins` tells where settings were written."""
        if self.outcome not in (Outcome.VIOLATED, Outcome.ERROR):
            return None
        places = origins or {}
        name = next((n for n in self.settings if n in places), self.settings[0] if self.settings else "")
        if self.outcome is Outcome.VIOLATED:
            return Finding(self.rule.id, self.rule.severity, name, self.message, self.rule.remedy, places.get(name))
        remedy = t("Check the values that the rule reads; if they are right, correct the rule.")
        return Finding(self.rule.id, "error", name, self.message, remedy, places.get(name))


@dataclass(frozen=True)
class _Subject:
    """What rules are judged against. `version` is a PEP 440 text, "" when it is not known."""

    settings: Mapping[str, Value | Scalar]
    family: str
    vehicle: str = ""
    version: str = ""
    spec: Spec | None = None
    inputs: Mapping[str, Scalar] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    renames: Renames | None = None


class _NotApplicable(Exception):
    """The rule has nothing to say here; the text says why."""


def check(
    rules: Iterable[Rule],
    settings: Mapping[str, Value | Scalar],
    *,
    family: str,
    vehicle: str = "",
    version: str = "",
    spec: Spec | None = None,
    inputs: Mapping[str, Scalar] | None = None,
    flags: Iterable[str] = (),
    renames: Renames | None = None,
) -> tuple[RuleResult, ...]:
    """Judge `settings` by every rule for this family, in the order of the rules.

    A rule that cannot be evaluated gives an ERROR result and does not disturb the others.
    """
    subject = _Subject(settings, family, vehicle, version, spec, dict(inputs or {}), tuple(flags), renames)
    judge = _Judge(subject)
    return tuple(judge.judge(rule) for rule in rules if family in rule.families)


def findings(results: Iterable[RuleResult], origins: Mapping[str, Origin] | None = None) -> tuple[Finding, ...]:
    """Give the findings of `results`; `origins` tells by name where a setting was written."""
    return tuple(f for f in (r.finding(origins) for r in results) if f is not None)


def _message_fields(rule: Rule, get: Callable[[str], str]) -> dict[str, str]:
    """Give the values for the fields of a rule's message; `get` describes a setting or an input by name."""
    names = [*rule.reads, *rule.inputs]
    return {name: get(name) for name in names if "*" not in name}


class _Judge:
    def __init__(self, subject: _Subject) -> None:
        self._subject = subject
        self._view = View(subject.settings, subject.renames)
        self._functions = Functions(self._view, subject.version)
        self._evaluator = SimpleEval(functions=self._functions.table(), names={})
        self._flags = {flag: flag in subject.flags for flag in FLAGS}

    def judge(self, rule: Rule) -> RuleResult:
        """Judge one rule."""
        self._functions.matches.clear()
        try:
            broken = self._is_broken(rule)
        except Missing as missing:
            return RuleResult(rule, Outcome.NOT_APPLICABLE, t("{name} is not on this vehicle", name=missing.name))
        except UnknownVersion:
            return RuleResult(rule, Outcome.NOT_APPLICABLE, t("the firmware version is not known"))
        except _NotApplicable as why:
            return RuleResult(rule, Outcome.NOT_APPLICABLE, str(why))
        except Exception as error:  # noqa: BLE001 - one broken rule must not hide the findings of the others
            return self._broken(rule, error)
        if not broken:
            return RuleResult(rule, Outcome.PASSED)
        return RuleResult(rule, Outcome.VIOLATED, self._message(rule), self._read(rule))

    def _is_broken(self, rule: Rule) -> bool:
        self._scope(rule)
        names = {**self._inputs(rule), **self._flags}
        if rule.precondition is not None and not self._evaluate(rule.precondition, names):
            raise _NotApplicable(t("not the case here: {condition}", condition=rule.when))
        self._functions.matches.clear()
        return bool(self._evaluate(rule.violated, names))

    def _evaluate(self, expression: Expression, names: Mapping[str, Any]) -> Any:
        self._evaluator.names = names
        return self._evaluator.eval(expression.text, previously_parsed=expression.node)

    def _scope(self, rule: Rule) -> None:
        subject = self._subject
        if rule.vehicles and subject.vehicle and subject.vehicle not in rule.vehicles:
            raise _NotApplicable(t("only for {kinds}", kinds=", ".join(rule.vehicles)))
        if rule.firmware:
            numbers = release(subject.version) if subject.version else None
            if numbers is None:
                raise UnknownVersion
            if not within(numbers, rule.firmware):
                text = t("firmware {have} is outside {wanted}", have=subject.version, wanted=rule.firmware)
                raise _NotApplicable(text)
        if rule.flags and not any(self._flags[f] for f in rule.flags):
            raise _NotApplicable(t("only with the flag {flags}", flags=t(" or ").join(rule.flags)))

    def _inputs(self, rule: Rule) -> dict[str, Scalar]:
        given: dict[str, Scalar] = {}
        for name, default in rule.inputs.items():
            value = self._subject.inputs.get(name, default)
            if value is None:
                raise _NotApplicable(t("the input {name} was not given", name=name))
            given[name] = value.upper() if isinstance(value, str) else value
        return given

    def _read(self, rule: Rule) -> tuple[str, ...]:
        hits = self._functions.matches
        named = self._view.actual([n for n in rule.reads if "*" not in n])
        first = [n for n in named[:1] if rule.setting]
        patterns = [n for n in rule.reads if "*" in n]
        wild = [n for pattern in patterns for n in self._view.matching(pattern)]
        return tuple(dict.fromkeys([*first, *hits, *named, *wild]))

    def _message(self, rule: Rule) -> str:
        def describe(name: str) -> str:
            if name in rule.inputs:
                return str(self._subject.inputs.get(name, rule.inputs[name]))
            return self._view.describe(name, self._subject.spec)

        fields = _message_fields(rule, describe)
        fields["matches"] = ", ".join(self._functions.matches) or t("none")
        fields["firmware"] = self._subject.version or t("unknown")
        return t(rule.message, **fields)

    def _broken(self, rule: Rule, error: Exception) -> RuleResult:
        ours = isinstance(error, (NotANumber, ExpressionError))
        why = str(error) if ours else f"{type(error).__name__}: {error}"
        place = f"{rule.file}:{rule.line}" if rule.file else rule.pack
        text = t("rule {id} ({place}) could not be judged: {why}", id=rule.id, place=place, why=why)
        return RuleResult(rule, Outcome.ERROR, text, self._read_safely(rule))

    def _read_safely(self, rule: Rule) -> tuple[str, ...]:
        try:
            return self._read(rule)
        except ExpressionError:
            return ()
