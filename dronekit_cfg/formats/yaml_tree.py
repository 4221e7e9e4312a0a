"""Reads one YAML document into plain data, and keeps the place of every key and value.

The parser is ruamel's; the data is built here from its events, because a profile reader wants all mistakes of a file
at once, with places, and none of YAML's traps: scalars follow the core schema of YAML 1.2.2 (section 10.3.2: `no` and
`on` are texts, `010` is ten), tags and merge keys are refused, anchors and nesting are bounded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dronekit_cfg.errors import FileProblems, Problem
from dronekit_cfg.text import t

__all__ = ["Document", "Path", "Place", "parse", "scalar"]

Place = tuple[int, int]
"""1-based line and column."""

Path = tuple[str | int, ...]
"""Keys and indexes from the root to a value."""

_MAX_NODES = 20_000
_MAX_DEPTH = 20

_INT = re.compile(r"[-+]?[0-9]+")
_BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL_FLOAT = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def scalar(text: str) -> bool | int | float | str | None:
    """Resolve an unquoted scalar by the core schema of YAML 1.2."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text) if len(text) <= 40 else float(text)
    if _BASED.fullmatch(text):
        return int(text, 0) if len(text) <= 40 else math.inf
    if _FLOAT.fullmatch(text):
        return float(text)
    if _SPECIAL_FLOAT.fullmatch(text):
        return float(text.replace(".", ""))
    return text


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data (dict, list, str, int, float, bool, None), the places in it, and what is wrong with it as YAML."""

    data: Any
    values: Mapping[Path, Place]
    keys: Mapping[Path, Place]
    problems: tuple[Problem, ...]

    def where(self, path: Path, *, key: bool = False) -> Place:
        """Give the place of the value at `path` (of its key, with `key`), or of the nearest parent that is known."""
        if key and path in self.keys:
            return self.keys[path]
        for length in range(len(path), -1, -1):
            place = self.values.get(path[:length])
            if place:
                return place
        return 1, 1


def parse(text: str, file: str) -> Document:
    """Parse one YAML document; what is wrong but could be read on is in `problems` of the result.

    Raises FileProblems when it is not YAML, is empty, or has more nesting or nodes than any profile.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    builder = _Builder(file)
    try:
        builder.build(iter(YAML(typ="safe", pure=True).parse(text)))
    except MarkedYAMLError as error:
        builder.refuse(*_syntax(error))
    except YAMLError as error:
        at = text.count("\n", 0, getattr(error, "position", 0)) + 1
        builder.refuse(t("a control character is not allowed"), (at, 0), t("remove it, or save the file as UTF-8"))
    return Document(builder.data, builder.values, builder.keys, tuple(builder.problems))


def _syntax(error: Any) -> tuple[str, Place, str]:
    """Give message, place and remedy for an error of the parser."""
    mark = error.problem_mark or error.context_mark
    place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
    why = str(error.problem or error.context)
    if "\\t" in why:
        return t("a tab is used for indentation"), place, t("YAML wants spaces: replace the tab by two spaces")
    if "mapping values are not allowed" in why:
        return t("not valid YAML: a second colon, or wrong indentation"), place, t("put texts with a colon into quotes")
    hint = t("check quotes, brackets, colons and indentation on this line and the one before")
    return t("not valid YAML: {why}", why=why), place, hint


@dataclass(slots=True)
class _Builder:
    file: str
    data: Any = None
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    anchors: dict[str, tuple[Any, int]] = field(default_factory=dict)
    nodes: int = 0

    def refuse(self, message: str, place: Place, hint: str) -> None:
        """Give up on the file, with what was found so far."""
        raise FileProblems((*self.problems, Problem(self.file, *place, message, hint)))

    def complain(self, message: str, place: Place, hint: str) -> None:
        self.problems.append(Problem(self.file, *place, message, hint))

    def build(self, events: Iterator[Any]) -> None:
        documents = 0
        for event in events:
            kind = type(event).__name__
            if kind == "DocumentStartEvent":
                documents += 1
                if documents > 1:
                    hint = t("keep one document per file; remove the line ---")
                    self.refuse(t("a second YAML document begins here"), _place(event), hint)
            elif not kind.startswith(("Stream", "Document")):
                self.data = self.node(event, events, (), 0)
        if documents == 0 or self.data is None:
            self.refuse(t("the file is empty"), (1, 1), t("a profile begins with: format: dronekit-cfg/profile/v1"))

    def node(self, event: Any, events: Iterator[Any], path: Path, depth: int) -> Any:
        place = _place(event)
        self.values[path] = place
        self.count(1, place)
        if depth > _MAX_DEPTH:
            self.refuse(t("nested too deep"), place, t("a profile needs no more than a few levels"))
        kind = type(event).__name__
        if kind == "AliasEvent":
            return self.alias(event, place)
        if event.tag is not None:
            hint = t("remove the tag {tag}; put texts into quotes", tag=event.tag)
            self.complain(t("YAML tags are not supported"), place, hint)
        before = self.nodes
        if kind == "ScalarEvent":
            data: Any = self.scalar(event, place)
        elif kind == "SequenceStartEvent":
            data = self.sequence(events, path, depth)
        else:
            data = self.mapping(events, path, depth)
        if event.anchor is not None:
            self.anchors[event.anchor] = (data, self.nodes - before + 1)
        return data

    def count(self, nodes: int, place: Place) -> None:
        self.nodes += nodes
        if self.nodes > _MAX_NODES:
            self.refuse(
                t("too many values, or anchors (*) that multiply"), place, t("write the values without anchors")
            )

    def alias(self, event: Any, place: Place) -> Any:
        if event.anchor not in self.anchors:
            self.complain(t("unknown anchor *{name}", name=event.anchor), place, t("write the value here"))
            return None
        data, size = self.anchors[event.anchor]
        self.count(size, place)
        return data

    def scalar(self, event: Any, place: Place) -> bool | int | float | str | None:
        if not event.implicit[0]:
            return str(event.value)
        value = scalar(event.value)
        if isinstance(value, float) and not math.isfinite(value):
            self.complain(t("{text} is not a number", text=event.value[:20]), place, t("write a finite number"))
            return 0
        return value

    def sequence(self, events: Iterator[Any], path: Path, depth: int) -> list[Any]:
        data: list[Any] = []
        for event in events:
            if type(event).__name__ == "SequenceEndEvent":
                break
            data.append(self.node(event, events, (*path, len(data)), depth + 1))
        return data

    def mapping(self, events: Iterator[Any], path: Path, depth: int) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for event in events:
            if type(event).__name__ == "MappingEndEvent":
                break
            place = _place(event)
            key = self.key(event, events, path, depth, place)
            if key in data:
                first = self.keys[(*path, key)][0]
                message = t('"{key}" stands here a second time, first in line {first}', key=key, first=first)
                self.complain(message, place, t("keep one of the two"))
                self.node(next(events), events, (*path, key, "duplicate"), depth + 1)
                continue
            self.keys[(*path, key)] = place
            data[key] = self.node(next(events), events, (*path, key), depth + 1)
            if data[key] is None:  # the parser puts what is not there behind the next line break
                self.values[(*path, key)] = place
        return data

    def key(self, event: Any, events: Iterator[Any], path: Path, depth: int, place: Place) -> str:
        """Give a key as text. `<<` and keys that are lists or mappings are complained about."""
        self.count(1, place)
        if type(event).__name__ == "ScalarEvent":
            if event.value == "<<" and event.implicit[0]:
                hint = t("use extends: to build on another profile")
                self.complain(t("merge keys (<<) are not supported"), place, hint)
            return str(event.value)
        self.node(event, events, (*path, "key"), depth + 1)
        self.complain(t("a key must be a plain text"), place, t("check brackets and question marks on this line"))
        return f"?{len(self.keys)}"


def _place(event: Any) -> Place:
    return event.start_mark.line + 1, event.start_mark.column + 1
