"""Read `diff all` and `dump all` of Betaflight (4.3 to 2026.12) and INAV (7 to 9) line by line, losing nothing.

The text is a script with state: a `set` behind `profile 1` belongs to profile 1. Each line becomes a typed `Line` that
keeps its text and line end, so `str(parse(text, dialect)) == text` for any text. The values end up in one flat map:

    set gyro_lpf1_static_hz = 250     gyro_lpf1_static_hz            feature -GPS        feature.GPS = OFF
    profile 1 ... set p_pitch = 50    profile.1.p_pitch              serial 0 64 1 2 3 4 serial.0 = "64 1 2 3 4"
    profile 0 (the last one)          profile = 0                    mmix 0 ... mmix 1   mmix = "0 ... | 1 ..."

Numbers of profiles are the firmware's own: from 0 in Betaflight, from 1 in INAV. A line that no rule knows is kept as
`line.<n>`, counted from 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from dronekit_cfg.formats.cli_dump_dialect import Dialect

__all__ = [
    "GROUP_SEPARATOR",
    "Dump",
    "Header",
    "Line",
    "LineKind",
    "detect_family",
    "parse",
    "parse_header",
    "told_defaults",
]

GROUP_SEPARATOR = " | "
"""Stands between the lines of a group ("mmix") in its one value."""


class LineKind(StrEnum):
    """What a line is."""

    BLANK = "blank"
    COMMENT = "comment"
    SET = "set"
    SCOPE = "scope"
    OBJECT = "object"
    FLAG = "flag"
    GROUP = "group"
    COMMAND = "command"
    ERROR = "error"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Line:
    """One line: its text without line end, the line end, and the setting and value that it states ("" for none)."""

    text: str
    end: str
    kind: LineKind
    name: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Header:
    """What the version comment tells; `api` is "" for INAV."""

    family: str
    target: str
    version: str
    revision: str
    api: str = ""


@dataclass(frozen=True)
class Dump:
    """A parsed dump; `str()` gives the text back byte for byte."""

    lines: tuple[Line, ...]
    dialect: Dialect

    def __str__(self) -> str:
        return "".join(line.text + line.end for line in self.lines)

    @cached_property
    def header(self) -> Header | None:
        """The firmware that wrote the dump, None when it does not say."""
        return parse_header(str(self))

    @cached_property
    def settings(self) -> dict[str, str]:
        """All values by setting name, in file order; where a name is set twice, the last one counts as on replay."""
        found: dict[str, str] = {}
        unknown = 0
        for line in self.lines:
            if line.kind is LineKind.UNKNOWN:
                unknown += 1
                found[f"line.{unknown}"] = line.text.strip()
            elif line.kind is LineKind.GROUP:
                before = found.get(line.name, "")
                joined = GROUP_SEPARATOR.join(part for part in (before, line.value) if part)
                found[line.name] = joined if line.value else ""
            elif line.name:
                found[line.name] = line.value
        return found


_LINES = re.compile(r"([^\r\n]*)(\r\n|\n|\r|\Z)")
_SET = re.compile(r"set\s+([A-Za-z0-9_]+)\s*=\s*(.*?)\s*", re.IGNORECASE)
_VERSIONS = (
    re.compile(
        r"^#? ?(?P<title>Betaflight) / (?P<target>\S+) \(\S*\) (?P<version>\d\S*) \w+ +\d+ +\d+ / [\d:]+"
        r" \((?P<revision>[^)]*)\)(?:.*MSP API: (?P<api>[\d.]+))?",
        re.MULTILINE,
    ),
    re.compile(
        r"^#? ?(?P<title>INAV)/(?P<target>\S+) (?P<version>\d\S*) \w+ +\d+ +\d+ / [\d:]+"
        r" \((?P<revision>[^)]*)\)(?P<api>)",
        re.MULTILINE,
    ),
)


def parse_header(text: str) -> Header | None:
    """Find the version line in a dump or in the reply to `version`."""
    for pattern in _VERSIONS:
        if match := pattern.search(text):
            part = match.groupdict(default="")
            return Header(part["title"].lower(), part["target"], part["version"], part["revision"], part["api"])
    return None


def detect_family(text: str) -> str:
    """Tell which family's dump `text` is: "betaflight", "inav", or "" when it is neither or does not say."""
    if header := parse_header(text):
        return header.family
    # Files without version line (`diff all bare`, cut pieces) still show INAV's own section names.
    if re.search(r"^(control_profile|mixer_profile|osd_layout|logic|gvar|safehome) \d", text, re.MULTILINE):
        return "inav"
    if re.search(r"^(rateprofile \d|set (gyro|motor|failsafe)_\w+ = |defaults nosave)", text, re.MULTILINE):
        return "betaflight"
    return ""


def parse(text: str, dialect: Dialect) -> Dump:
    """Read any text as a dump of `dialect`. Never fails: what it does not know it keeps (see `cli_dump_checks`)."""
    return Dump(tuple(_lines(text, dialect)), dialect)


def _lines(text: str, dialect: Dialect) -> Iterator[Line]:
    scope = ""
    for match in _LINES.finditer(text):
        body, end = match.groups()
        if not body and not end:
            return
        line = _line(body, end, scope, dialect)
        if line.kind is LineKind.SCOPE:
            scope = f"{line.name}.{line.value}."
        yield line


def _line(body: str, end: str, scope: str, dialect: Dialect) -> Line:
    stripped = body.strip()
    if not stripped:
        return Line(body, end, LineKind.BLANK)
    if dialect.error_pattern.search(stripped):
        return Line(body, end, LineKind.ERROR)
    if stripped.startswith("#"):
        return Line(body, end, LineKind.COMMENT)
    if (match := _SET.fullmatch(stripped)) and match[1].lower() not in _no_settings(dialect):
        return Line(body, end, LineKind.SET, scope + match[1], match[2])
    return _command(body, end, scope, dialect)


def _no_settings(dialect: Dialect) -> frozenset[str]:
    """Give the words that name other things than a setting: no firmware has a setting called so."""
    return frozenset({*dialect.scope_names, *dialect.flags, *dialect.groups})


def _command(body: str, end: str, scope: str, dialect: Dialect) -> Line:
    words = body.split()
    head = words[0].lower()
    if head in dialect.scope_names and len(words) == 2 and words[1].isdecimal():
        return Line(body, end, LineKind.SCOPE, head, words[1])
    if " ".join(words).lower() in _script_commands(dialect):
        return Line(body, end, LineKind.COMMAND)
    if head in dialect.groups and len(words) > 1:
        kept = "" if words[1:] == [dialect.groups[head]] else " ".join(words[1:])
        owner = scope if scope.startswith("mixer_profile.") else ""
        return Line(body, end, LineKind.GROUP, owner + head, kept)
    if head in dialect.flags and len(words) == 2 and re.fullmatch(r"-?[^-.][^.]*", words[1]):
        return Line(body, end, LineKind.FLAG, f"{head}.{words[1].lstrip('-')}", "OFF" if words[1][0] == "-" else "ON")
    return _object(body, end, words, dialect)


def _script_commands(dialect: Dialect) -> frozenset[str]:
    commands = {dialect.commands[key] for key in ("batch_start", "batch_end", "save", "defaults", "leave")}
    return frozenset(commands | {"defaults", *dialect.ignored})


def _object(body: str, end: str, words: list[str], dialect: Dialect) -> Line:
    head = words[0].lower()
    pair = " ".join(word.lower() for word in words[:2])
    if pair in dialect.subkeys:
        named = 2 + dialect.subkeys[pair]
    elif head in dialect.keys:
        named = 1 + dialect.keys[head]
    else:
        return Line(body, end, LineKind.UNKNOWN)
    if len(words) < named or any("." in word for word in words[1:named]):  # dots separate the parts of our names
        return Line(body, end, LineKind.UNKNOWN)
    value = body.split(None, named)[named].strip() if len(words) > named else ""
    return Line(body, end, LineKind.OBJECT, ".".join([head, *words[1:named]]), value)


def told_defaults(text: str, dialect: Dialect) -> dict[str, str]:
    """Give the defaults that `diff all defaults` tells in its lines `#set x = 1`, by setting name.

    Kinds of lines for which this firmware is known to print nonsense there are left out.
    """
    kept = []
    for line in parse(text, dialect).lines:
        if line.kind is LineKind.SCOPE:
            kept.append(line.text)
        elif re.match(r"#[^#\s]", line.text):
            kept.append(line.text[1:])
    told = parse("\n".join(kept), dialect).lines
    useless = dialect.false_defaults
    return {
        x.name: x.value for x in told if x.name and x.kind is not LineKind.SCOPE and x.text.split()[0] not in useless
    }
