"""YAML files of rules and waivers, read with line numbers and validated by JSON Schema; every problem at once."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema_rs
from ruamel.yaml import YAML
from ruamel.yaml.constructor import RoundTripConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from dronekit_cfg.errors import FileProblems, Problem, UsageError
from dronekit_cfg.text import t

__all__ = ["MAX_BYTES", "MAX_DEPTH", "Document", "load", "read_text", "schema"]

MAX_BYTES = 2_000_000
"""A pack of a thousand rules has a third of this; more is no pack."""

MAX_DEPTH = 20
"""Levels of nesting; a pack needs seven."""

_QUOTED = 80
"""Characters of a long message that are shown from its start and from its end."""

_Key = str | int


def schema(name: str) -> dict[str, Any]:
    """Read a JSON Schema that this package ships, from the wheel or from the repository. UsageError without it."""
    package = files("dronekit_cfg")
    for folder in (package / "_data" / "schemas", Path(str(package)).parent / "schemas"):
        found = folder / name
        if found.is_file():
            data: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))
            return data
    raise UsageError(t("the schema {name} is missing", name=name), hint=t("Install dronekit-cfg again."))


def read_text(path: Path) -> str:
    """Read a rules or waivers file. Raises FileProblems when it is absent, too big, or not UTF-8 text."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _problem(path.name, t("the file is larger than {n} bytes", n=MAX_BYTES))
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _problem(path.name, t("byte {n} is not UTF-8: this is no text file", n=error.start)) from None
    except OSError as error:
        raise _problem(path.name, t("cannot be read: {why}", why=error.strerror or error)) from None


def _problem(file: str, message: str, line: int = 0, column: int = 0) -> FileProblems:
    return FileProblems((Problem(file, line, column, message),))


class _Constructor(RoundTripConstructor):
    """Reads dates as the texts that they are written as."""


_Constructor.add_constructor("tag:yaml.org,2002:timestamp", lambda _, node: node.value)


class Document:
    """A loaded file: `data` in plain builtins, and where each value stands."""

    def __init__(self, file: str, text: str, root: Any) -> None:
        self.file = file
        self.data: Any = _plain(root)
        self._root = root
        self._lines = text.splitlines()

    def place(self, path: Sequence[_Key]) -> tuple[int, int]:
        """Give 1-based line and column of the key or list item at `path`; of its nearest parent when it is absent."""
        return self._walk(path, value=False)

    def _walk(self, path: Sequence[_Key], *, value: bool) -> tuple[int, int]:
        node = self._root
        mark = getattr(node, "lc", None)
        # A document that is one tagged scalar has a mark without numbers.
        line, column = (mark.line or 0, mark.col or 0) if mark is not None else (0, 0)
        for i, key in enumerate(path):
            try:
                marks = node.lc.data[key]
                line, column = marks[2:4] if value and i == len(path) - 1 and len(marks) == 4 else marks[:2]
                node = node[key]
            except (AttributeError, KeyError, IndexError, TypeError):
                break
        return line + 1, column + 1

    def inside(self, path: Sequence[_Key], offset: int) -> tuple[int, int]:
        """Give the place of character `offset` of a text value; the value's own place where it spans several lines."""
        line, column = self._walk(path, value=True)
        written = self._lines[line - 1][column - 1 :] if line <= len(self._lines) else ""
        if written[:1] in "|>":
            return line + 1, 1
        return line, column + offset + (written[:1] in ("'", '"'))

    def problem(self, path: Sequence[_Key], message: str, hint: str = "") -> Problem:
        """Make a problem that points to `path`."""
        line, column = self.place(path)
        return Problem(self.file, line, column, message, hint)


def load(text: str, file: str, schema_name: str) -> Document:
    """Read `text` and validate it. Raises FileProblems with everything that is wrong."""
    yaml = YAML()
    yaml.allow_duplicate_keys = False
    yaml.Constructor = _Constructor
    try:
        _refuse_traps(yaml.parse(io.StringIO(text)), file)
        root = yaml.load(io.StringIO(text))
    except FileProblems:
        raise
    except MarkedYAMLError as error:
        mark = error.problem_mark
        place = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise _problem(file, t("not valid YAML: {why}", why=error.problem or error.context), *place) from None
    except (YAMLError, ValueError, RecursionError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise _problem(file, t("not valid YAML: {why}", why=why)) from None
    document = Document(file, text, root)
    validator = jsonschema_rs.validator_for(schema(schema_name))
    problems = [
        document.problem(list(e.instance_path), _short(e.message)) for e in validator.iter_errors(document.data)
    ]
    if problems:
        raise FileProblems(tuple(sorted(problems, key=lambda p: (p.line, p.column))))
    return document


def _short(message: str) -> str:
    """Cut the value out of the middle of a message that quotes all of it; what is wrong with it stands at the end."""
    return message if len(message) <= 2 * _QUOTED else f"{message[:_QUOTED]} ... {message[-_QUOTED:]}"


def _refuse_traps(events: Iterable[Any], file: str) -> None:
    """Refuse what makes a small file endless: aliases, and nesting that the parser takes minutes for."""
    depth = 0
    for event in events:
        depth += isinstance(event, (MappingStartEvent, SequenceStartEvent))
        depth -= isinstance(event, (MappingEndEvent, SequenceEndEvent))
        mark = event.start_mark
        if depth > MAX_DEPTH:
            raise _problem(file, t("nested deeper than {n} levels", n=MAX_DEPTH), mark.line + 1, mark.column + 1)
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            raise _problem(file, t("anchors and aliases are not allowed here"), mark.line + 1, mark.column + 1)


def _plain(node: Any) -> Any:
    """Turn ruamel's values into builtins; jsonschema-rs takes no subclasses."""
    if isinstance(node, dict):
        return {str(k): _plain(v) for k, v in node.items()}
    if isinstance(node, list):
        return [_plain(v) for v in node]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node if node is None else str(node)
