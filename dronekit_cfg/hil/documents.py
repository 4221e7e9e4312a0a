"""Reads the YAML data of checks and scenarios: validated by JSON Schema, every mistake with file:line:col."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dronekit_cfg.errors import FileProblems, Problem, UsageError
from dronekit_cfg.formats.schema import check
from dronekit_cfg.formats.yaml_tree import Document, parse
from dronekit_cfg.text import t

__all__ = ["problem", "read_document"]


def read_document(path: Path, schema: str) -> Document:
    """Read one YAML file. Raises UsageError when it cannot be read, FileProblems with everything that is wrong."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            t("cannot read {path}: {error}", path=path, error=error), hint=t("give the path of a YAML file")
        ) from error
    document = parse(text, str(path))
    problems = list(document.problems)
    if not problems:
        for v in check(schema, document.data):
            line, column = document.where(v.path, key=v.at_key)
            problems.append(Problem(str(path), line, column, v.message, v.hint))
    if problems:
        raise FileProblems(tuple(problems))
    return document


def problem(document: Document, path: Path, place: tuple[Any, ...], message: str, hint: str = "") -> FileProblems:
    """Make the error that points to one place of a file."""
    line, column = document.where(place)
    return FileProblems((Problem(str(path), line, column, message, hint),))
