"""Computes the values that a profile writes as expressions over its inputs, such as `round(cells * 3.5, 2)`.

A small part of Python: numbers, texts to compare, input names, arithmetic, comparisons, and/or/not, `a if c else b`,
and the functions of `FUNCTIONS`. What is allowed is decided here by a list of syntax nodes; simpleeval evaluates it.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from dronekit_cfg.errors import FileProblems, Problem
from dronekit_cfg.formats.suggest import did_you_mean
from dronekit_cfg.model import Origin, Scalar
from dronekit_cfg.text import t

__all__ = ["FUNCTIONS", "MAX_LENGTH", "evaluate", "names_needed"]

MAX_LENGTH = 500
"""Longer expressions are refused: nobody could check them."""


def _power(base: float, exponent: float) -> Any:
    """Raise to a power in floating point: fast whatever the numbers, OverflowError when too large."""
    return float(base) ** float(exponent)


def _of_numbers(operation: Callable[..., Any]) -> Callable[..., Any]:
    """Keep texts out of arithmetic: Python would repeat and format them without end."""

    def compute(*values: Any) -> Any:
        if any(isinstance(v, str) for v in values):
            raise TypeError(t("arithmetic needs numbers, not texts"))
        return operation(*values)

    return compute


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "ceil": math.ceil,
    "float": float,
    "floor": math.floor,
    "int": int,
    "max": max,
    "min": min,
    "round": round,
}
"""Every function an expression may call. `round` is Python's: halves go to the even neighbour."""

_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: _of_numbers(operator.add),
    ast.Sub: _of_numbers(operator.sub),
    ast.Mult: _of_numbers(operator.mul),
    ast.Div: _of_numbers(operator.truediv),
    ast.FloorDiv: _of_numbers(operator.floordiv),
    ast.Mod: _of_numbers(operator.mod),
    ast.Pow: _of_numbers(_power),
    ast.BitOr: _of_numbers(operator.or_),
    ast.BitAnd: _of_numbers(operator.and_),
    ast.UAdd: _of_numbers(operator.pos),
    ast.USub: _of_numbers(operator.neg),
    ast.Not: operator.not_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}

_NODES = (
    *_OPERATORS,
    ast.Expression,
    ast.BinOp,
    ast.UnaryOp,
    ast.BoolOp,
    ast.And,
    ast.Or,
    ast.Compare,
    ast.IfExp,
    ast.Call,
    ast.Name,
    ast.Load,
    ast.Constant,
)


def names_needed(expr: str, origin: Origin) -> frozenset[str]:
    """Give the input names that `expr` uses; raises FileProblems when it is no expression that may be evaluated."""
    tree = _parse(expr, origin)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return frozenset(n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and id(n) not in called)


def evaluate(expr: str, inputs: Mapping[str, Scalar], origin: Origin, *, text: bool = False) -> Scalar:
    """Compute `expr` with these inputs; the result is a finite number, or a text where `text` allows it.

    Raises FileProblems, with the place of `origin`, for unknown names, division by zero, overflow and other results.
    """
    result = _run(expr, inputs, origin)
    if isinstance(result, str) and text:
        return result
    if isinstance(result, bool) or not isinstance(result, int | float):
        message = t("{expr} gives {result}, which is not a number", expr=expr[:80], result=repr(result)[:40])
        raise _problems(origin, (message, t("for a yes or no write: 1 if ... else 0")))
    if isinstance(result, float) and not math.isfinite(result):
        message = t("{expr} gives no finite number", expr=expr[:80])
        raise _problems(origin, (message, t("correct the expression or the inputs")))
    return result


def _run(expr: str, inputs: Mapping[str, Scalar], origin: Origin) -> Any:
    from simpleeval import InvalidExpression, SimpleEval

    unknown = sorted(names_needed(expr, origin) - set(inputs))
    if unknown:
        raise _problems(
            origin,
            *((t('"{name}" is not an input', name=n), did_you_mean(n, inputs, otherwise=_declare())) for n in unknown),
        )
    evaluator = SimpleEval(operators=_OPERATORS, functions=FUNCTIONS, names=dict(inputs))
    why = ""
    result: Any = None
    try:
        result = evaluator.eval(expr, previously_parsed=_parse(expr, origin).body)
    except ZeroDivisionError:
        why = t("division by zero")
    except OverflowError:
        why = t("the result is too large")
    except RecursionError:
        why = t("too deeply nested")
    except (TypeError, ValueError, InvalidExpression) as error:
        why = str(error)
    if why:
        raise _problems(
            origin, (t("{expr}: {why}", expr=expr[:80], why=why), t("correct the expression or the inputs"))
        )
    return result


def _parse(expr: str, origin: Origin) -> ast.Expression:
    if len(expr) > MAX_LENGTH:
        message = t("the expression is longer than {count} characters", count=MAX_LENGTH)
        raise _problems(origin, (message, t("compute a part of it beforehand and make it an input")))
    try:
        tree = ast.parse(expr.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        why = getattr(error, "msg", None) or error
        message = t("{expr} is not an expression: {why}", expr=expr[:60], why=why)
        raise _problems(origin, (message, t("example: round(cells * 3.5, 2)"))) from error
    found = [found for node in ast.walk(tree) if (found := _objection(node))]
    if found:
        raise _problems(origin, *found)
    return tree


def _objection(node: ast.AST) -> tuple[str, str] | None:
    """Say what is wrong with one syntax node: message and remedy, None when it is allowed."""
    if not isinstance(node, _NODES):
        message = t("{what} is not allowed in an expression", what=type(node).__name__)
        return message, t("use arithmetic, comparisons, and: {names}", names=", ".join(FUNCTIONS))
    if isinstance(node, ast.Call):
        if node.keywords:
            return t("named arguments are not allowed in an expression"), t("write round(x, 2)")
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in FUNCTIONS:
            otherwise = t("use one of {names}", names=", ".join(FUNCTIONS))
            return t('unknown function "{name}"', name=name or "?"), did_you_mean(name, FUNCTIONS, otherwise=otherwise)
    if isinstance(node, ast.Constant) and not isinstance(node.value, bool | int | float | str):
        return t("{value} is not allowed in an expression", value=repr(node.value)[:20]), t("use numbers")
    return None


def _declare() -> str:
    return t("declare it under inputs: in this profile or one that it extends")


def _problems(origin: Origin, *found: tuple[str, str]) -> FileProblems:
    place = (origin.file or origin.layer, origin.line, origin.column)
    return FileProblems(tuple(Problem(*place, message, hint) for message, hint in found))
