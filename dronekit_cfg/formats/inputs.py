"""Checks what a technician supplies for one aircraft against what the profile declares."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

from dronekit_cfg.errors import Problem
from dronekit_cfg.formats.suggest import did_you_mean
from dronekit_cfg.model import InputSpec, Origin, Scalar
from dronekit_cfg.text import t

__all__ = ["fill", "fits", "missing", "read", "typed"]

_YES = frozenset({"true", "yes", "on", "1"})
_NO = frozenset({"false", "no", "off", "0"})


def _boolean(text: str) -> bool:
    word = text.strip().casefold()
    if word not in _YES | _NO:
        raise ValueError(text)
    return word in _YES


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number) or "_" in text:
        raise ValueError(text)
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _integer(text: str) -> int:
    if "_" in text:
        raise ValueError(text)
    return int(text, 10)


_READERS: dict[str, tuple[Callable[[str], Scalar], str]] = {
    "integer": (_integer, "a whole number"),
    "number": (_number, "a number"),
    "boolean": (_boolean, "yes or no"),
    "string": (str, "a text"),
}


def read(spec: InputSpec, text: str) -> Scalar:
    """Turn what was typed for an input into its value. Raises ValueError that says why it does not fit."""
    reader, wanted = _READERS[spec.type]
    try:
        value = reader(text)
    except ValueError:
        raise ValueError(t('"{text}" is not {wanted}', text=text, wanted=t(wanted))) from None
    if why := fits(spec, value):
        raise ValueError(why)
    return value


def fits(spec: InputSpec, value: Scalar) -> str:
    """Say why `value` does not fit the declaration; "" when it does."""
    _, wanted = _READERS[spec.type]
    if not _is(spec.type, value):
        return t("{value} is not {wanted}", value=repr(value), wanted=t(wanted))
    if spec.choices and value not in spec.choices:
        return t("{value} is not one of {choices}", value=value, choices=", ".join(map(str, spec.choices)))
    if isinstance(value, str):
        return ""
    if spec.minimum is not None and value < spec.minimum:
        return t("{value} is less than {minimum}", value=value, minimum=spec.minimum)
    if spec.maximum is not None and value > spec.maximum:
        return t("{value} is more than {maximum}", value=value, maximum=spec.maximum)
    return ""


def _is(kind: str, value: Scalar) -> bool:
    if kind == "string":
        return isinstance(value, str)
    if kind == "boolean":
        return isinstance(value, bool)
    if isinstance(value, bool | str):
        return False
    return kind == "number" or float(value).is_integer()


def fill(
    specs: Iterable[InputSpec],
    given: Mapping[str, str],
    known: Mapping[str, tuple[Scalar, Origin]],
    *,
    complete: bool = True,
) -> tuple[dict[str, Scalar], list[Problem]]:
    """Give every declared input its value: what was given, else what a layer knows, else its default.

    `known` maps names to values from layers and where they stand. Returns the values and all problems. An input
    without any value is left out: `missing` is the problem of it, for whoever needs it. Unless the declarations are
    `complete`, values without one are passed over.
    """
    declared = {s.name: s for s in specs}
    values: dict[str, Scalar] = {}
    problems = [
        Problem(
            *typed(n, text),
            t('there is no input "{name}"', name=n),
            did_you_mean(n, declared, otherwise=_declared(declared)),
        )
        for n, text in given.items()
        if n not in declared
    ]
    problems += [
        Problem(o.file, o.line, o.column, t('there is no input "{name}"', name=n), did_you_mean(n, declared))
        for n, (_, o) in known.items()
        if n not in declared
    ]
    if not complete:
        problems.clear()
    for name, spec in declared.items():
        if name in given:
            try:
                values[name] = read(spec, given[name])
            except ValueError as error:
                place = typed(name, given[name], value=True)
                problems.append(Problem(*place, t("input {name}: {why}", name=name, why=error), _ask(spec)))
        elif name in known:
            value, origin = known[name]
            if why := fits(spec, value):
                message = t("input {name}: {why}", name=name, why=why)
                problems.append(Problem(origin.file, origin.line, origin.column, message, _ask(spec)))
            values[name] = value
        elif spec.default is not None:
            values[name] = spec.default
    return values, problems


def typed(name: str, text: str, *, value: bool = False) -> tuple[str, int, int]:
    """Give the place of what was typed as `--input NAME=VALUE`: the argument, and the character of name or value."""
    return f'--input "{name}={text}"', 1, len(name) + 2 if value else 1


def missing(spec: InputSpec) -> Problem:
    """Give the problem of an input that is needed and has no value."""
    message = t("input {name} is missing{about}", name=spec.name, about=f" ({spec.help})" if spec.help else "")
    return Problem("", 0, 0, message, _ask(spec))


def _declared(specs: Mapping[str, InputSpec]) -> str:
    names = ", ".join(specs)
    return t("this profile takes: {names}", names=names) if names else t("this profile takes no inputs: leave it out")


def _ask(spec: InputSpec) -> str:
    """Give the remedy: how the input is supplied, and what is allowed."""
    bounds = ""
    if spec.choices:
        bounds = t(", one of {choices}", choices=", ".join(map(str, spec.choices)))
    elif spec.minimum is not None and spec.maximum is not None:
        bounds = t(" from {low} to {high}", low=spec.minimum, high=spec.maximum)
    elif spec.minimum is not None:
        bounds = t(", at least {low}", low=spec.minimum)
    elif spec.maximum is not None:
        bounds = t(", at most {high}", high=spec.maximum)
    wanted = t(_READERS[spec.type][1])
    return t("give it with --input {name}=VALUE: {wanted}{bounds}", name=spec.name, wanted=wanted, bounds=bounds)
