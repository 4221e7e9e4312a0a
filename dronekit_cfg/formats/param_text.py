"""Reads parameter files of Mission Planner (.param), MAVProxy (.parm) and QGroundControl (.params).

One reader takes what any of the tools would write: UTF-8 or UTF-16, any line ends, separators comma, space, tab and
`=`, hexadecimal integers, comments. What one of the tools would drop without a word becomes a warning, and what cannot
be a value becomes a problem with its line: a file is never half read in silence.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from dronekit_cfg.errors import FileProblems, Problem
from dronekit_cfg.formats.files import decode, is_html, lines_of, read_bytes
from dronekit_cfg.formats.param_file import MAV_TYPES, Dialect, ParamEntry, ParamFile
from dronekit_cfg.model import INT_RANGES, float32
from dronekit_cfg.text import t

__all__ = ["detect_dialect", "parse_params", "read_params"]

_DECIMAL = re.compile(r"[-+]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?")
_HEX = re.compile(r"0[xX][0-9a-fA-F]{1,8}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SEPARATORS = re.compile(r"[,=\s]+")
_QGC_ROW = re.compile(r"\s*\d+\s+\d+\s+\S+\s+\S+\s+\d+\s*")
_QGC_HEADER = re.compile(r"#\s*(Stack|Vehicle|Version|Git Revision|Onboard parameters for Vehicle)[: ]\s*(.*)")
_MAX_NAME = 16
_MAX_LINES = 50_000
_BY_SUFFIX = {".params": Dialect.QGC, ".parm": Dialect.MAVPROXY, ".param": Dialect.MISSION_PLANNER}


def read_params(path: Path) -> ParamFile:
    """Read a parameter file. Raises UsageError when it cannot be read, FileProblems when it is not text."""
    return parse_params(decode(read_bytes(path), str(path)), str(path))


def detect_dialect(text: str, file: str = "") -> Dialect | None:
    """Say which dialect a text is, by its first parameter line and then by the suffix of its file; None for neither."""
    suffix = _BY_SUFFIX.get(Path(file).suffix.lower())
    for line in lines_of(text[:100_000]):
        content = line.partition("#")[0].strip()
        if not content:
            continue
        if _QGC_ROW.fullmatch(content):
            return Dialect.QGC
        tokens = _tokens(content)
        if len(tokens) < 2 or not _NAME.fullmatch(tokens[0]) or _number(tokens[1]) is None:
            return suffix
        return Dialect.MISSION_PLANNER if "," in content else Dialect.MAVPROXY
    return suffix


def parse_params(text: str, file: str, *, dialect: Dialect | None = None) -> ParamFile:
    """Turn the text of a parameter file into a ParamFile; what is wrong with single lines is in its `problems`.

    Raises FileProblems when the file as a whole is something else (a web page, no parameter at all).
    """
    if is_html(text):
        hint = t("the download saved an error page: open the link in a browser, then save the raw file")
        raise FileProblems((Problem(file, 1, 1, t("this is a web page (HTML), not a parameter file"), hint),))
    reader = _Reader(file, dialect or detect_dialect(text, file) or Dialect.MISSION_PLANNER)
    lines = lines_of(text)
    if len(lines) > _MAX_LINES:
        hint = t("is it the right file? A vehicle has one or two thousand parameters")
        raise FileProblems((Problem(file, 0, 0, t("more than {count} lines", count=_MAX_LINES), hint),))
    for number, line in enumerate(lines, 1):
        reader.line(number, line)
    reader.compare_duplicates()
    if not reader.entries and not reader.problems:
        hint = t("a parameter line looks like NAME,VALUE or NAME VALUE")
        raise FileProblems((Problem(file, 1, 1, t("there is no parameter in this file"), hint),))
    return reader.result()


def _tokens(content: str) -> list[str]:
    return [token for token in _SEPARATORS.split(content.strip()) if token]


def _number(text: str) -> float | None:
    """Give the number as `ParamEntry.number` describes it; None when the text is none that a vehicle can hold."""
    if _HEX.fullmatch(text):
        return int(text, 16)
    if not _DECIMAL.fullmatch(text):
        return None
    number = float(text)
    if number.is_integer() and -(2**31) <= number < 2**32 and not (number == 0 and text.startswith("-")):
        return int(number)
    try:
        rounded = float32(number)
    except OverflowError:
        return None
    return rounded if math.isfinite(rounded) else None


@dataclass(slots=True)
class _Reader:
    file: str
    dialect: Dialect
    entries: list[ParamEntry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    header: dict[str, str] = field(default_factory=dict)
    ignored: list[tuple[int, str]] = field(default_factory=list)

    def result(self) -> ParamFile:
        lists = (self.entries, tuple(self.problems), tuple(self.warnings), self.header, tuple(self.ignored))
        return ParamFile(self.dialect, tuple(lists[0]), *lists[1:])

    def line(self, number: int, line: str) -> None:
        content, mark, comment = line.partition("#")
        if not content.strip():
            if mark:
                self.ignored.append((number, line))
                self.comment(line.strip())
            return
        entry = self.row(number, content) if self.dialect is Dialect.QGC else self.pair(number, content)
        if entry is None:
            self.ignored.append((number, line))
            return
        self.entries.append(replace(entry, comment=comment.strip()))
        self.check(entry, commented=bool(mark))

    def comment(self, line: str) -> None:
        """Keep what the comments before the first parameter tell about the vehicle."""
        if self.entries:
            return
        found = _QGC_HEADER.match(line)
        if found and self.dialect is Dialect.QGC:
            self.header.setdefault(found[1], found[2].strip())
        elif line.upper().startswith("#NOTE:"):
            self.header.setdefault("note", line[6:].strip())

    def pair(self, line: int, content: str) -> ParamEntry | None:
        """Read `NAME VALUE`, with `@READONLY` after it in a firmware defaults file."""
        tokens = _tokens(content)
        read_only = tokens[2:] == ["@READONLY"]
        if len(tokens) != 2 and not read_only:
            hint = t("write NAME,VALUE; a comment begins with #")
            if len(tokens) == 3 and tokens[1].lstrip("+-").isdigit() and tokens[2].isdigit():
                hint = t("write decimals with a point: {name},{a}.{b}", name=tokens[0], a=tokens[1], b=tokens[2])
            self.problem(line, t("not a name and a value: {text}", text=content.strip()[:60]), hint)
            return None
        name, text = tokens[:2]
        number = self.number(line, name, text)
        return None if number is None else ParamEntry(name, text, number, line=line, read_only=read_only)

    def row(self, line: int, content: str) -> ParamEntry | None:
        """Read the five columns of QGroundControl: system, component, name, value, type (any run of tabs or spaces)."""
        columns = content.split()
        if len(columns) != 5 or not all(c.isascii() and c.isdigit() for c in (*columns[:2], columns[4])):
            hint = t("a line has five columns: vehicle id, component id, name, value, type")
            self.problem(line, t("not a QGroundControl parameter line: {text}", text=content.strip()[:60]), hint)
            return None
        kind = MAV_TYPES.get(int(columns[4]))
        if kind is None:
            hint = t("types are {types}", types=", ".join(f"{n} {k}" for n, k in MAV_TYPES.items()))
            self.problem(line, t("{name}: type {type} is not supported", name=columns[2], type=columns[4]), hint)
            return None
        number = self.number(line, columns[2], columns[3])
        if number is None:
            return None
        entry = ParamEntry(
            columns[2], columns[3], number, kind, line, system=int(columns[0]), component=int(columns[1])
        )
        try:
            entry.value()
        except (ValueError, OverflowError):
            low, high = INT_RANGES[kind]
            hint = t("{kind} holds whole numbers from {low} to {high}", kind=kind, low=low, high=high)
            self.problem(line, t("{name}: {text} does not fit its type", name=entry.name, text=entry.text), hint)
            return None
        return entry

    def number(self, line: int, name: str, text: str) -> float | None:
        number = _number(text)
        if number is None:
            hint = t("write a finite number such as 0.5, 12 or 0x1F")
            self.problem(line, t("{name}: {text} is not a number", name=name[:20], text=text[:30]), hint)
        return number

    def check(self, entry: ParamEntry, *, commented: bool) -> None:
        """Say what is odd about a name, and what other tools would do with the line."""
        name = entry.name
        if not _NAME.fullmatch(name):
            self.problem(entry.line, t('"{name}" is not a parameter name', name=name[:40]), t("correct or remove it"))
        elif len(name) > _MAX_NAME:
            message = t('"{name}" is longer than {count} characters', name=name, count=_MAX_NAME)
            self.problem(entry.line, message, t("no vehicle has such a parameter: correct or remove it"))
        elif name != name.upper():
            message = t('"{name}" has small letters', name=name)
            self.warning(
                entry.line, message, t("ArduPilot and PX4 would not know it: probably {name}", name=name.upper())
            )
        if commented and self.dialect is Dialect.MISSION_PLANNER:
            hint = t("convert the file to .param to have comments removed")
            self.warning(entry.line, t("{name}: Mission Planner skips lines with a comment", name=name), hint)

    def compare_duplicates(self) -> None:
        first: dict[tuple[int, int, str], ParamEntry] = {}
        for entry in self.entries:
            earlier = first.setdefault((entry.system, entry.component, entry.name), entry)
            if earlier is entry:
                continue
            message = t("{name} stands here a second time, first in line {line}", name=entry.name, line=earlier.line)
            if earlier.number == entry.number:
                self.warning(entry.line, message, t("remove one of the two"))
            else:
                both = t("{message}: {old} there, {new} here", message=message, old=earlier.text, new=entry.text)
                self.problem(entry.line, both, t("keep the one that is right"))
        self.warnings += self.strangers()
        self.problems.sort(key=lambda p: p.line)
        self.warnings.sort(key=lambda p: p.line)

    def strangers(self) -> Iterator[Problem]:
        """Say where the file is about more than one autopilot."""
        systems = sorted({e.system for e in self.entries})
        components = sorted({e.component for e in self.entries})
        if len(systems) > 1:
            listed = ", ".join(map(str, systems))
            hint = t("split the file: one vehicle each")
            yield Problem(self.file, 0, 0, t("the file holds several vehicles: {ids}", ids=listed), hint)
        if len(components) > 1:
            listed = ", ".join(str(c) for c in components if c not in (0, 1))
            hint = t("only the autopilot's (component 1) are used")
            yield Problem(self.file, 0, 0, t("the file holds parameters of components {ids} too", ids=listed), hint)

    def problem(self, line: int, message: str, hint: str) -> None:
        self.problems.append(Problem(self.file, line, 1, message, hint))

    def warning(self, line: int, message: str, hint: str) -> None:
        self.warnings.append(Problem(self.file, line, 1, message, hint))
