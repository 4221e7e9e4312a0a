"""The frame of the JSON files that this tool writes for itself: snapshot, plan, receipt, lock; of an aircraft too.

Each is one object whose first key is `format` and whose last is `seal`, the SHA-256 of everything else: such files are
evidence or a way back, so a hand-made or damaged one is refused and not half believed. The layout is canonical: keys in
a fixed order, one list item or mapping entry per line, so that two files can be compared with any diff tool.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from dronekit_cfg.errors import FileProblems, Problem
from dronekit_cfg.formats.files import is_html
from dronekit_cfg.model import digest
from dronekit_cfg.text import t

__all__ = ["format_of", "parse_sealed", "refuse", "sealed_text"]

_PREFIX = "dronekit-cfg/"


def sealed_text(document: Mapping[str, Any]) -> str:
    """Give the text of a document (plain JSON data, `format` first), with its seal added."""
    complete = {**document, "seal": digest(dict(document))}
    body = ",\n".join(f"{json.dumps(k)}: {_layout(v)}" for k, v in complete.items())
    return "{\n" + body + "\n}\n"


def _layout(value: Any) -> str:
    """One line per item of a list or mapping on the second level; everything deeper stands on that line."""
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(_compact(v) for v in value) + "\n]"
    if isinstance(value, dict) and value:
        return "{\n" + ",\n".join(f"{json.dumps(k)}: {_compact(v)}" for k, v in value.items()) + "\n}"
    return _compact(value)


def _compact(value: Any) -> str:
    return json.dumps(value, allow_nan=False, ensure_ascii=False)


def parse_sealed(text: str, file: str, *, wanted: str) -> dict[str, Any]:
    """Parse a document of format `wanted` ("snapshot/v1") and check its seal; `seal` is left out of the result.

    Raises FileProblems for another format, damage, and changes by hand.
    """
    if is_html(text):
        refuse(file, t("this is a web page (HTML), not a {wanted} file", wanted=wanted), t("download the raw file"))
    data = _parse(text, file)
    found = data.get("format")
    if found != _PREFIX + wanted:
        kind = wanted.partition("/")[0]
        message = t('the format is "{found}", not "{wanted}"', found=found, wanted=_PREFIX + wanted)
        hint = t("name a {kind} file of this tool", kind=kind)
        if str(found).startswith(f"{_PREFIX}{kind}/"):
            hint = t("it was written by another version of dronekit-cfg: use that one")
        refuse(file, message, hint)
    body = {k: v for k, v in data.items() if k != "seal"}
    if data.get("seal") != digest(body):
        hint = t("use an undamaged copy; to change values by hand, write them into a profile")
        refuse(file, t("the file was changed or damaged after it was written (its seal does not match)"), hint)
    return body


def _parse(text: str, file: str) -> dict[str, Any]:
    hint = t("use an undamaged copy of the file")
    try:
        data = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        message = t("not valid JSON: {why}", why=error.msg)
        raise FileProblems((Problem(file, error.lineno, error.colno, message, hint),)) from error
    except (ValueError, RecursionError) as error:
        message = t("not valid JSON: {why}", why=error)
        raise FileProblems((Problem(file, 0, 0, message, hint),)) from error
    if not isinstance(data, dict):
        refuse(file, t("not a file of this tool"), hint)
    return dict(data)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) != len(pairs):
        twice = next(k for i, (k, _) in enumerate(pairs) if k in dict(pairs[:i]))
        raise ValueError(t('"{key}" stands there twice', key=twice))
    return data


def _no_constant(name: str) -> Any:
    raise ValueError(t("{name} is not JSON", name=name))


def format_of(text: str) -> str:
    """Give the format without its prefix ("snapshot/v1") when the text looks like one of our JSON files, else ""."""
    head = text[:300].lstrip()
    return next(_formats(head), "") if head.startswith("{") else ""


def _formats(head: str) -> Iterator[str]:
    marker = f'"{_PREFIX}'
    for part in head.split(marker)[1:]:
        yield part.partition('"')[0]


def refuse(file: str, message: str, hint: str) -> NoReturn:
    """Raise FileProblems for the file as a whole."""
    raise FileProblems((Problem(file, 0, 0, message, hint),))
