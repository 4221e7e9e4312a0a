"""Rewrites a profile for another generation of setting names: names, units and meanings; all else stays as it was.

Only the characters that have to change are changed, so that comments, order and layout stay. A setting that is gone is
commented out with its reason. What only a person can decide is a problem with its place, and then nothing is rewritten.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from dronekit_cfg.catalog.renames import Dropped, Rename, Renames, carry, load_renames
from dronekit_cfg.engine.generations import strays
from dronekit_cfg.errors import FileProblems, Problem, UsageError
from dronekit_cfg.formats import yaml_tree
from dronekit_cfg.formats.firmware import allows
from dronekit_cfg.formats.profile_yaml import parse_layer
from dronekit_cfg.model import Scalar
from dronekit_cfg.text import t

__all__ = ["Migrated", "MigrationChange", "migrate"]

_SCALAR = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\']|\'\')*\'|[^,}\]#\s]+')


@dataclass(frozen=True, slots=True)
class MigrationChange:
    """One thing that was rewritten: line of the file, before, after ("" where it was dropped), and why."""

    line: int
    before: str
    after: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Migrated:
    """The new text, and what was changed in it."""

    text: str
    changes: tuple[MigrationChange, ...]
    notes: tuple[str, ...] = ()


def migrate(text: str, to: str, *, file: str = "profile") -> Migrated:
    """Rewrite the text of a profile for generation `to` ("4.7" or "copter@4.7").

    Raises UsageError for a generation that makes no sense, FileProblems when the profile has mistakes, mixes
    generations, or has a value that only a person can carry over.
    """
    layer = parse_layer(text, file)
    vehicle, _, wanted = to.rpartition("@")
    if not re.fullmatch(r"\d+(\.\d+)*", wanted) or (vehicle and vehicle not in (layer.vehicle, layer.family)):
        raise UsageError(t('"{to}" is no generation of this profile', to=to), hint=t("write it like copter@4.7"))
    table = load_renames(layer.family, layer.vehicle)
    if table is None:
        raise UsageError(
            t(
                "no changes of setting names are known for {family} {vehicle}",
                family=layer.family,
                vehicle=layer.vehicle,
            ),
            hint=t("the profile can stay as it is"),
        )
    if not layer.names:
        hint = t('add the firmware generation of its setting names, such as names: "4.6"')
        raise FileProblems((Problem(file, 1, 1, t('"names" is missing'), hint),))
    newest = max((x.since for x in (*table, *table.dropped, *table.words)), key=_key)
    if _key(wanted)[: len(_key(newest))] > _key(newest):
        message = t("nothing is known of {to}: the changes of names end with {newest}", to=to, newest=newest)
        raise UsageError(message, hint=t("migrate to {newest}, or use a newer dronekit-cfg", newest=newest))
    work = _Work(text, file, yaml_tree.parse(text, file), table, _key(layer.names), _key(wanted))
    done = work.run(layer.names, wanted)
    return replace(done, notes=_left_out(layer.firmware, wanted))


def _left_out(firmware: str, wanted: str) -> tuple[str, ...]:
    """Say that the profile's range of firmware still leaves out what its names are for by now."""
    if not firmware or allows(firmware, wanted):
        return ()
    text = t(
        'its firmware range is "{firmware}", which leaves out {wanted}: widen it', firmware=firmware, wanted=wanted
    )
    return (text,)


def _key(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


@dataclass(slots=True)
class _Work:
    text: str
    file: str
    document: yaml_tree.Document
    table: Renames
    now: tuple[int, ...]
    wanted: tuple[int, ...]
    changes: list[MigrationChange] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    edits: list[tuple[int, int, int, str]] = field(default_factory=list)
    """Line (from 0), column (from 0), length, and the new text."""
    gone: list[tuple[int, str]] = field(default_factory=list)

    def run(self, before: str, after: str) -> Migrated:
        settings: dict[str, Any] = self.document.data.get("settings") or {}
        self.problems += self.mixed(settings, before)
        for name, entry in settings.items():
            self.setting(name, entry)
        if self.problems:
            raise FileProblems(tuple(sorted(self.problems, key=lambda p: p.line)))
        if before != after:
            self.scalar(("names",), f'"{after}"')
            self.note(("names",), f"names: {before}", f"names: {after}")
        return Migrated(self.edited(), tuple(sorted(self.changes, key=lambda c: c.line)))

    def mixed(self, settings: Mapping[str, Any], names: str) -> Iterator[Problem]:
        """Name every setting of another generation than the profile says."""
        values = {n: e.get("value") if isinstance(e, dict) else e for n, e in settings.items()}
        for stray in strays(values, self.table, names):
            yield self.problem(("settings", stray.name), stray.message, stray.hint)

    def setting(self, name: str, entry: Any) -> None:
        if dropped := self.dropped(name):
            line = self.document.where(("settings", name), key=True)[0]
            self.gone.append((line, t("gone in {since}: {why}", since=dropped.since, why=dropped.reason)))
            self.changes.append(MigrationChange(line, name, "", dropped.reason))
            return
        value, expr = (entry.get("value"), entry.get("expr")) if isinstance(entry, dict) else (entry, None)
        for rename, forward in self.steps(name):
            try:
                new, value, expr = _carried(rename, value, expr, forward=forward)
            except ValueError as error:
                hint = t("decide on the value for this firmware, and write it under its new name")
                self.problems.append(self.problem(("settings", name), str(error), hint))
                return
            self.replace(name, new, entry, value, expr)
        self.words(name, entry, value)

    def steps(self, name: str) -> Sequence[tuple[Rename, bool]]:
        """Give the renames of one setting between the two generations; a name changes at most once in the tables."""
        low, high = sorted((self.now, self.wanted))
        forward = self.wanted > self.now
        found = [e for e in self.table if low < _key(e.since) <= high and (e.old if forward else e.new) == name]
        found.sort(key=lambda e: e.scale is None)  # the one that needs no person
        return [(e, forward) for e in found[:1]]

    def dropped(self, name: str) -> Dropped | None:
        if self.wanted <= self.now:
            return None
        plain = name.rpartition(".")[2]  # without the profile that it is in
        found = (d for d in self.table.dropped if plain in d.names and self.now < _key(d.since) <= self.wanted)
        return next(found, None)

    def words(self, name: str, entry: Any, value: Scalar | None) -> None:
        for w in self.table.words:
            if w.name == name and self.now < _key(w.since) <= self.wanted and value in w.words:
                new = w.words[str(value)]
                self.scalar(self.path(name, entry, "value"), new)
                self.note(("settings", name), f"{name}: {value}", f"{name}: {new}")

    def path(self, name: str, entry: Any, key: str) -> yaml_tree.Path:
        return ("settings", name, key) if isinstance(entry, dict) else ("settings", name)

    def replace(self, old: str, new: str, entry: Any, value: Scalar | None, expr: str | None) -> None:
        line, column = self.document.where(("settings", old), key=True)
        quoted = int(self.lines()[line - 1][column - 1] in "\"'")
        self.edits.append((line - 1, column - 1 + quoted, len(old), new))
        was = (entry.get("value"), entry.get("expr")) if isinstance(entry, dict) else (entry, None)
        if value != was[0] and value is not None:
            self.scalar(self.path(old, entry, "value"), _shown(value))
        if expr != was[1] and expr is not None:
            self.expression(old, expr)
        shown = [str(x if x is not None else y) for x, y in (was, (value, expr))]
        self.note(("settings", old), f"{old}: {shown[0]}", f"{new}: {shown[1]}")

    def expression(self, name: str, expr: str) -> None:
        path = ("settings", name, "expr")
        line, column = self.document.where(path)
        if self.lines()[line - 1][column - 1] in ">|":
            hint = t("write the expression on one line, and migrate again")
            self.problems.append(self.problem(path, t("{name}: its unit changes", name=name), hint))
            return
        rest = self.lines()[line - 1][column - 1 :]
        found = re.match(r'"(?:[^"\\]|\\.)*"|\'(?:[^\']|\'\')*\'', rest)
        plain = found[0] if found else rest.split(" #")[0].rstrip()
        if (
            not found
            and isinstance(self.document.data["settings"][name], dict)
            and "{" in self.lines()[line - 1][:column]
        ):
            plain = re.split(r"[,}]", plain)[0].rstrip()
        text = f'"{expr}"' if '"' not in expr else f"'{expr}'" if "'" not in expr else expr
        self.edits.append((line - 1, column - 1, len(plain), text))

    def scalar(self, path: yaml_tree.Path, new: str) -> None:
        line, column = self.document.where(path)
        found = _SCALAR.match(self.lines()[line - 1], column - 1)
        if found:
            self.edits.append((line - 1, column - 1, len(found[0]), new))

    def note(self, path: yaml_tree.Path, before: str, after: str) -> None:
        self.changes.append(MigrationChange(self.document.where(path, key=True)[0], before, after))

    def problem(self, path: yaml_tree.Path, message: str, hint: str) -> Problem:
        return Problem(self.file, *self.document.where(path, key=True), message, hint)

    def lines(self) -> list[str]:
        return self.text.splitlines()

    def edited(self) -> str:
        lines = self.text.splitlines(keepends=True)
        for line, column, length, new in sorted(self.edits, reverse=True):
            lines[line] = lines[line][:column] + new + lines[line][column + length :]
        for line, why in self.gone:
            _comment_out(lines, line - 1, why)
        return "".join(lines)


def _comment_out(lines: list[str], first: int, why: str) -> None:
    """Make comments of a setting and of the lines that belong to it."""
    indent = len(lines[first]) - len(lines[first].lstrip())
    last = first + 1
    while last < len(lines) and lines[last].strip() and len(lines[last]) - len(lines[last].lstrip()) > indent:
        last += 1
    pad = " " * indent
    for number in range(first, last):
        lines[number] = f"{pad}# {lines[number][indent:]}"
    lines[first] = f"{pad}# {why}\n{lines[first]}"


def _carried(
    rename: Rename, value: Scalar | None, expr: str | None, *, forward: bool
) -> tuple[str, Scalar | None, str | None]:
    """Give name, value and expression under the other name. Raises ValueError where a person must decide."""
    new = rename.new if forward else rename.old
    if expr is None:
        return new, None if value is None else carry(rename, value, forward=forward), None
    if rename.scale is None:
        raise ValueError(t("{name} is computed, and its meaning changes: {why}", name=rename.old, why=rename.reason))
    if rename.scale == 1.0:
        return new, None, expr
    factor = rename.scale if forward else 1 / rename.scale
    return new, None, _scaled(expr, factor)


def _scaled(expr: str, factor: float) -> str:
    """Give an expression times a factor; one that was multiplied before is divided again, and the other way round."""
    shown = f"* {_shown(factor)}" if factor >= 1 else f"/ {_shown(round(1 / factor, 9))}"
    inverse = f"/ {_shown(factor)}" if factor >= 1 else f"* {_shown(round(1 / factor, 9))}"
    found = re.fullmatch(rf"\((.*)\) {re.escape(inverse)}", expr)
    return found[1] if found else f"({expr}) {shown}"


def _shown(value: Scalar) -> str:
    whole = isinstance(value, float) and value.is_integer()
    return str(int(value)) if whole else str(value)
