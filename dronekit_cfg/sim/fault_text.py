"""The text that asks for faults, `name,name:argument`, read by tables: each family says which faults it can show.

A fault of a table becomes a field of the family's dataclass of faults. What it does is the business of the twin.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from dronekit_cfg.errors import UsageError
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = [
    "FaultKind",
    "count",
    "name_and_limit",
    "nth",
    "positive",
    "rate",
    "read_faults",
    "seconds",
    "setting",
    "usage",
]

F = TypeVar("F", bound="DataclassInstance")


@dataclass(frozen=True, slots=True)
class FaultKind:
    """One fault that can be asked for: what it does, its argument's name, and how the argument is read.

    `default` is what it is without its argument; None for one that needs an argument, or, where it has no argument, for
    True. `attribute` is the field that it sets, where that is not its name with underscores.
    """

    meaning: str
    argument: str = ""
    read: Callable[[str], Any] | None = None
    default: Any = None
    attribute: str = ""


def count(text: str) -> int:
    """Read a number of things, 0 or more. Raises ValueError, as all readers of arguments here do."""
    number = int(text)
    if number < 0:
        raise ValueError(text)
    return number


def nth(text: str) -> int:
    """Read which one of many it is, from 1 on."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def positive(text: str) -> float:
    """Read a number above 0; infinity is one."""
    number = float(text)
    if not number > 0:
        raise ValueError(text)
    return number


def seconds(text: str) -> float:
    """Read a time in seconds, below an hour."""
    number = float(text)
    if not 0 < number < 3600:
        raise ValueError(text)
    return number


def rate(text: str) -> float:
    """Read a share, above 0 and up to 1."""
    number = float(text)
    if not 0 < number <= 1:
        raise ValueError(text)
    return number


def setting(text: str) -> str:
    """Read the name of a setting."""
    if not text:
        raise ValueError(text)
    return text


def name_and_limit(text: str) -> tuple[str, float]:
    """Read NAME:VALUE; the name may have colons of its own."""
    name, _, value = text.rpartition(":")
    limit = float(value)
    if not (name and math.isfinite(limit)):
        raise ValueError(text)
    return name, limit


def usage(fault: str, kind: FaultKind) -> str:
    """Give how a fault is written: `deny:NAME`."""
    return f"{fault}:{kind.argument}" if kind.argument else fault


def _split(text: str) -> tuple[str, str | None]:
    """Give name and argument; `name=argument` is taken as well as `name:argument`."""
    for place, letter in enumerate(text):
        if letter in ":=":
            return text[:place], text[place + 1 :]
    return text, None


def _value(fault: str, argument: str | None, kinds: Mapping[str, FaultKind]) -> Any:
    kind = kinds.get(fault)
    if kind is None:
        listed = "\n".join(f"  {usage(n, k):<24} {k.meaning}" for n, k in kinds.items())
        raise UsageError(
            t("unknown fault {name!r}; there are:\n{list}", name=fault, list=listed),
            hint=t("write fault=NAME or fault=NAME:ARGUMENT, several with commas"),
        )
    if kind.read is None:
        if argument is None:
            return True if kind.default is None else kind.default
        problem = t("takes no argument")
    elif argument is None:
        if kind.default is not None:
            return kind.default
        problem = t("needs an argument")
    else:
        try:
            return kind.read(argument)
        except ValueError:
            problem = t("cannot use {argument!r}", argument=argument)
    message = t("fault {name} {problem}", name=fault, problem=problem)
    raise UsageError(message, hint=t("write fault={usage}", usage=usage(fault, kind)))


def read_faults(none: F, text: str, kinds: Mapping[str, FaultKind]) -> F:
    """Read `a,b:argument` into a dataclass of faults, beginning with the one that has `none`.

    A field that is a set or a mapping (of pairs that are read) gathers what comes several times; of others the last
    one counts. Raises `UsageError` for a fault that is not in the table, with the list of all, and for an argument that
    cannot be used.
    """
    faults = none
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        fault, argument = _split(part)
        value = _value(fault, argument, kinds)
        attribute = kinds[fault].attribute or fault.replace("-", "_")
        before = getattr(faults, attribute)
        if isinstance(before, frozenset):
            value = before | {value}
        elif isinstance(before, Mapping):
            value = {**before, value[0]: value[1]}
        faults = replace(faults, **{attribute: value})
    return faults
