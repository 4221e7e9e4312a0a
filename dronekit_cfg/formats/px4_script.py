"""Reads PX4 start scripts of airframes: `param set-default NAME VALUE`, and `param set` as before PX4 1.11.

Only the settings are read. What a script does under a condition (`if ... then`) depends on the vehicle, so such lines
are told and left out. Also knows PX4's own storage file (BSON) by its looks, to refuse it by name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dronekit_cfg.errors import FileProblems, Problem
from dronekit_cfg.formats.files import lines_of
from dronekit_cfg.model import float32
from dronekit_cfg.text import t

__all__ = ["Script", "is_px4_storage", "is_script", "parse_script"]

_LINE = re.compile(r"\s*param\s+set(?:-default)?\s+(?:-\w+\s+)*([A-Z][A-Z0-9_]{0,15})\s+(\S+)\s*(?:#.*)?")
_ANY = re.compile(r"^\s*param\s+set(-default)?\s", re.MULTILINE)
_WORD = re.compile(r"\s*(\w+)")
_WHOLE = re.compile(r"[-+]?\d{1,10}")
_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?f?")


@dataclass(frozen=True)
class Script:
    """The settings of a script with their lines; a name that comes twice has its last value, as on the vehicle."""

    settings: Mapping[str, int | float]
    lines: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[Problem, ...] = ()


def is_script(text: str) -> bool:
    """Whether a text is a start script that sets parameters."""
    return bool(_ANY.search(text))


def is_px4_storage(data: bytes) -> bool:
    """Whether a file is PX4's own storage: a BSON document, whose first four bytes are its length."""
    return (
        len(data) > 5 and int.from_bytes(data[:4], "little") == len(data) and data[-1] == 0 and data[4] in (1, 16, 18)
    )


def parse_script(text: str, file: str) -> Script:
    """Read a script. Raises FileProblems for values that are no numbers, and when nothing is left."""
    settings: dict[str, int | float] = {}
    lines: dict[str, int] = {}
    warnings: list[Problem] = []
    problems: list[Problem] = []
    depth = 0
    for number, line in enumerate(lines_of(text), 1):
        first = _WORD.match(line)
        word = first[1] if first else ""
        depth += (word == "if") - (word == "fi")
        if not _ANY.match(line):
            continue
        found = _LINE.fullmatch(line)
        if depth > 0:
            hint = t("whether it applies depends on the vehicle; take it over by hand where it does")
            warnings.append(Problem(file, number, 1, t("left out, under a condition: {line}", line=line.strip()), hint))
        elif found is None or (value := _number(found[2])) is None:
            hint = t("write it as a number")
            problems.append(Problem(file, number, 1, t("no name and number: {line}", line=line.strip()), hint))
        else:
            settings[found[1]] = value
            lines[found[1]] = number
    if not settings and not problems:
        problems.append(Problem(file, 1, 1, t("this script sets nothing for certain"), t("is it the right file?")))
    if problems:
        raise FileProblems(tuple(problems))
    return Script(settings, lines, tuple(warnings))


def _number(text: str) -> int | float | None:
    """Give a number as PX4 keeps it, in 32 bits; None for what is none, or does not fit."""
    if not _NUMBER.fullmatch(text):
        return None
    plain = text.removesuffix("f")
    if _WHOLE.fullmatch(plain) and abs(int(plain)) < 1 << 31:
        return int(plain)
    try:
        number = float32(float(plain))
    except OverflowError:
        return None
    return number if math.isfinite(number) else None
