"""Rule packs: YAML files turned into checked rules; all that is wrong with one is said at once, with file:line:col."""

from __future__ import annotations

import difflib
import string
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from dronekit_cfg.errors import FileProblems, Problem
from dronekit_cfg.rules import source
from dronekit_cfg.rules.build import build
from dronekit_cfg.rules.check import Outcome, check
from dronekit_cfg.rules.expression import Expression, ExpressionError, parse
from dronekit_cfg.rules.functions import FUNCTIONS
from dronekit_cfg.rules.lookup import FEATURE_PREFIX, split_pattern
from dronekit_cfg.rules.rule import FLAGS, Rule
from dronekit_cfg.rules.version import parse_specifier
from dronekit_cfg.text import t

__all__ = ["Pack", "load_folder", "load_pack", "parse_pack", "try_examples"]

_EXTRA_FIELDS = ("matches", "firmware")


@dataclass(frozen=True, slots=True)
class Pack:
    """A named list of rules from one file."""

    name: str
    file: str
    rules: tuple[Rule, ...]


def load_pack(path: Path, *, known: Collection[str] = ()) -> Pack:
    """Read a rule pack. Raises FileProblems. `known` as in `parse_pack`."""
    return parse_pack(source.read_text(path), str(path), known=known)


def load_folder(folder: Path, *, known: Collection[str] = ()) -> tuple[Pack, ...]:
    """Read every *.yaml pack of a folder (not of folders inside it). Raises FileProblems with those of all files."""
    packs: list[Pack] = []
    problems: list[Problem] = []
    for path in sorted((*folder.glob("*.yaml"), *folder.glob("*.yml"))):
        try:
            packs.append(load_pack(path, known=known))
        except FileProblems as bad:
            problems += bad.problems
    problems += _twice(packs)
    if problems:
        raise FileProblems(tuple(problems))
    return tuple(packs)


def _twice(packs: list[Pack]) -> list[Problem]:
    seen: dict[str, Rule] = {}
    problems: list[Problem] = []
    for rule in (r for p in packs for r in p.rules):
        first = seen.setdefault(rule.id, rule)
        if first is not rule:
            text = t("rule {id} is already in {file}", id=rule.id, file=first.file)
            problems.append(Problem(rule.file, rule.line, rule.column, text))
    return problems


def parse_pack(text: str, file: str, *, known: Collection[str] = ()) -> Pack:
    """Read a pack from text and check it. Raises FileProblems with all of its problems.

    Checked are the schema, every expression, the fields of messages, that each setting which an expression names occurs
    in an example, and that the rule fires on its bad example and passes its good one. With `known` (the setting names
    of a firmware) names that exist nowhere are problems too.
    """
    document = source.load(text, file, "rules.v1.schema.json")
    name = document.data["pack"]
    rules: list[Rule] = []
    problems: list[Problem] = []
    for i, raw in enumerate(document.data["rules"]):
        line, column = document.place(("rules", i))
        rule = build(raw, pack=name, file=file, line=line, column=column)
        found = _lint(rule, document, ("rules", i), frozenset(known))
        problems += found or _try(rule, document, ("rules", i))
        rules.append(rule)
    problems += _twice([Pack(name, file, tuple(rules))])
    if problems:
        raise FileProblems(tuple(sorted(problems, key=lambda p: (p.line, p.column))))
    return Pack(name, file, tuple(rules))


_Path = tuple[str | int, ...]


def _lint(rule: Rule, document: source.Document, path: _Path, known: frozenset[str]) -> list[Problem]:
    problems: list[Problem] = []
    if rule.firmware:
        try:
            parse_specifier(rule.firmware)
        except ValueError as error:
            problems.append(document.problem((*path, "applies", "firmware"), str(error)))
    problems += [
        document.problem((*path, "inputs", name), t("{name} is a word of the rule language; choose another", name=name))
        for name in rule.inputs
        if name in FUNCTIONS or name in FLAGS
    ]
    expressions: list[Expression] = []
    for key, text in (("violation", rule.violation), ("when", rule.when)):
        if text:
            try:
                expressions.append(parse(text, rule.names))
            except ExpressionError as error:
                line, column = document.inside((*path, key), error.offset)
                problems.append(Problem(document.file, line, column, f"{rule.id}: {error.message}"))
    if problems:
        return problems
    names = [n for e in expressions for n in (*e.settings, *e.patterns)]
    problems += _unknown_names(rule, names, document, path, known)
    problems += _unused_inputs(rule, expressions, document, path)
    return problems + _message_problems(rule, names, document, path)


def _matches(name: str, among: Collection[str]) -> bool:
    if name.startswith(FEATURE_PREFIX):
        name = "feature." + name[len(FEATURE_PREFIX) :]
    if "*" not in name:
        return name in among
    head, tail = split_pattern(name)
    return any(n.startswith(head) and n.endswith(tail) for n in among)


def _unknown_names(
    rule: Rule, names: list[str], document: source.Document, path: _Path, known: frozenset[str]
) -> list[Problem]:
    problems: list[Problem] = []
    shown = {*rule.bad.settings, *rule.good.settings}
    for name in dict.fromkeys([*names, *([rule.setting] if rule.setting else [])]):
        if not _matches(name, shown):
            text = t(
                "{id}: the setting {name} occurs in neither example, so nothing shows that it is spelt right",
                id=rule.id,
                name=name,
            )
            problems.append(document.problem((*path, "violation"), text + _closest(name, shown)))
        elif known and not _matches(name, known) and not name.startswith(FEATURE_PREFIX):
            text = t("{id}: no known firmware has a setting {name}", id=rule.id, name=name)
            problems.append(document.problem((*path, "violation"), text + _closest(name, known)))
    return problems


def _closest(name: str, among: Collection[str]) -> str:
    close = difflib.get_close_matches(name, among, n=1)
    return t("; did you mean {name}?", name=close[0]) if close else ""


def _unused_inputs(rule: Rule, expressions: list[Expression], document: source.Document, path: _Path) -> list[Problem]:
    used = {n for e in expressions for n in e.names}
    return [
        document.problem((*path, "inputs", name), t("{id}: the input {name} is not used", id=rule.id, name=name))
        for name in rule.inputs
        if name not in used
    ]


def _message_problems(rule: Rule, names: list[str], document: source.Document, path: _Path) -> list[Problem]:
    place = (*path, "message")
    allowed = {*(n for n in names if "*" not in n), *rule.inputs, *_EXTRA_FIELDS}
    if rule.setting:
        allowed.add(rule.setting)
    try:
        fields = list(string.Formatter().parse(rule.message))
    except ValueError as error:
        return [document.problem(place, t("{id}: braces in the message: {why}", id=rule.id, why=error))]
    return [
        document.problem(place, t("{id}: {{{field}}} is not a setting or input of this rule", id=rule.id, field=field))
        for _, field, spec, conversion in fields
        if field is not None and (field not in allowed or spec or conversion)
    ]


def try_examples(rule: Rule) -> tuple[str, ...]:
    """Try a rule on its own examples; give what is wrong, empty when it fires on the bad and passes the good one."""
    wrong: list[str] = []
    for what, example, wanted in (("bad", rule.bad, Outcome.VIOLATED), ("good", rule.good, Outcome.PASSED)):
        (result,) = check(
            (rule,),
            example.settings,
            family=rule.families[0],
            vehicle=rule.vehicles[0] if rule.vehicles else "",
            version=example.firmware,
            inputs=example.inputs,
            flags=example.flags,
        )
        if result.outcome is not wanted:
            why = f" ({result.message})" if result.message else ""
            text = t(
                "the {what} example gives {outcome}, not {wanted}", what=what, outcome=result.outcome, wanted=wanted
            )
            wrong.append(text + why)
    return tuple(wrong)


def _try(rule: Rule, document: source.Document, path: _Path) -> list[Problem]:
    return [document.problem((*path, "examples"), f"{rule.id}: {wrong}") for wrong in try_examples(rule)]
