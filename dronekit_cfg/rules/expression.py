"""Rule expressions: checked when a pack loads, evaluated by simpleeval over one vehicle's settings.

The language is that of Python comparisons and arithmetic with the functions of `rules.functions`. No attributes,
subscripts, comprehensions, powers or assignments exist, and length, number of nodes and nesting are bounded, so that a
pack from a stranger can neither reach the interpreter nor keep it busy.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from dronekit_cfg.rules.functions import FUNCTIONS, Argument
from dronekit_cfg.rules.lookup import FEATURE_PREFIX, split_pattern
from dronekit_cfg.rules.version import release
from dronekit_cfg.text import t

__all__ = ["MAX_DEPTH", "MAX_LENGTH", "MAX_NODES", "Expression", "ExpressionError", "parse"]

MAX_LENGTH = 1000
MAX_NODES = 250
MAX_DEPTH = 20
_MAX_NUMBER = 2**53

_NODES: tuple[type[ast.AST], ...] = (
    ast.BoolOp,
    ast.UnaryOp,
    ast.BinOp,
    ast.Compare,
    ast.IfExp,
    ast.Call,
    ast.keyword,
    ast.Name,
    ast.Constant,
)
_OPERATORS: tuple[type[ast.AST], ...] = (
    ast.And,
    ast.Or,
    ast.Not,
    ast.USub,
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Div,
    ast.FloorDiv,
    ast.Mod,
    ast.Eq,
    ast.NotEq,
    ast.Lt,
    ast.LtE,
    ast.Gt,
    ast.GtE,
)


class ExpressionError(ValueError):
    """An expression that no pack may carry. `offset` is the 0-based place of the fault in its text."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression.

    `settings` are the setting names it reads, `exact` those of them that are meant in one generation only, `patterns`
    its wildcard names, `names` the inputs and flags it uses.
    """

    text: str
    node: ast.expr
    settings: tuple[str, ...]
    exact: tuple[str, ...]
    patterns: tuple[str, ...]
    names: tuple[str, ...]


def parse(text: str, known: Collection[str]) -> Expression:
    """Check `text`; `known` are the inputs and flags that it may use. Raises ExpressionError at the first fault."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(t("the expression has {n} characters, {most} are allowed", n=len(text), most=MAX_LENGTH))
    node = _tree(text)
    found = _Found()
    for nodes, (item, depth) in enumerate(_walk(node), 1):
        if depth > MAX_DEPTH:
            raise ExpressionError(t("the expression is nested deeper than {most}", most=MAX_DEPTH), _offset(item))
        if nodes > MAX_NODES:
            raise ExpressionError(t("the expression has more than {most} parts", most=MAX_NODES), _offset(item))
        _check(item, known, found)
    lists = (found.unique(what) for what in ("settings", "exact", "patterns", "names"))
    return Expression(text, node, *lists)


class _Found:
    """What a walk collects."""

    def __init__(self) -> None:
        self.seen: dict[str, list[str]] = {"settings": [], "exact": [], "patterns": [], "names": []}
        self.callees: set[int] = set()
        self.literals: set[int] = set()

    def unique(self, what: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.seen[what]))


def _tree(text: str) -> ast.expr:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        offset = max((error.offset or 1) - 1, 0)
        raise ExpressionError(t("the expression does not read: {why}", why=error.msg), offset) from None
    except (RecursionError, MemoryError, ValueError):
        raise ExpressionError(t("the expression does not read")) from None


def _walk(root: ast.expr) -> Iterator[tuple[ast.AST, int]]:
    """Give every node with its depth, parents first, without recursion."""
    todo: list[tuple[ast.AST, int]] = [(root, 1)]
    while todo:
        node, depth = todo.pop()
        yield node, depth
        children = [c for c in ast.iter_child_nodes(node) if not isinstance(c, ast.expr_context)]
        todo.extend((c, depth + 1) for c in reversed(children))


def _offset(node: ast.AST) -> int:
    return int(getattr(node, "col_offset", 0))


def _check(node: ast.AST, known: Collection[str], found: _Found) -> None:
    if isinstance(node, _OPERATORS):
        return
    if not isinstance(node, _NODES):
        raise ExpressionError(t("{what} is not part of the rule language", what=type(node).__name__), _offset(node))
    if isinstance(node, ast.Call):
        _check_call(node, found)
    elif isinstance(node, ast.Name):
        _check_name(node, known, found)
    elif isinstance(node, ast.Constant):
        _check_constant(node, found)


def _closest(name: str, among: Collection[str]) -> str:
    close = difflib.get_close_matches(name, among, n=1)
    return t("; did you mean {name}?", name=close[0]) if close else ""


def _check_name(node: ast.Name, known: Collection[str], found: _Found) -> None:
    if id(node) in found.callees:
        return
    if node.id not in known:
        hint = _closest(node.id, [*known, *FUNCTIONS])
        text = t('{name} is neither a flag nor an input of this rule (settings are read with p("NAME"))', name=node.id)
        raise ExpressionError(text + hint, _offset(node))
    found.seen["names"].append(node.id)


def _check_constant(node: ast.Constant, found: _Found) -> None:
    value = node.value
    if isinstance(value, str):
        if id(node) not in found.literals and value != value.upper():
            text = t("texts are compared in upper case: write {text!r}", text=value.upper())
            raise ExpressionError(text, _offset(node))
    elif not isinstance(value, (bool, int, float)) or abs(value) > _MAX_NUMBER:
        raise ExpressionError(t("{value!r} is not a value of the rule language", value=value), _offset(node))


def _check_call(node: ast.Call, found: _Found) -> None:
    if not isinstance(node.func, ast.Name):
        raise ExpressionError(t("only functions may be called"), _offset(node))
    name = node.func.id
    signature = FUNCTIONS.get(name)
    if signature is None:
        text = t("there is no function {name}", name=name) + _closest(name, FUNCTIONS)
        raise ExpressionError(text, _offset(node))
    found.callees.add(id(node.func))
    if any(isinstance(a, ast.Starred) for a in node.args) or any(
        k.arg not in signature.keywords for k in node.keywords
    ):
        raise ExpressionError(t("{name} does not take this argument", name=name), _offset(node))
    if not signature.fewest <= len(node.args) <= signature.most:
        text = t(
            "{name} takes {a} to {b} arguments, not {n}",
            name=name,
            a=signature.fewest,
            b=signature.most,
            n=len(node.args),
        )
        raise ExpressionError(text, _offset(node))
    if name == "pick" and len(node.args) % 2:
        raise ExpressionError(t("pick needs pairs of key and value, then one value for all others"), _offset(node))
    if signature.first != Argument.VALUE:
        _check_literal(node.args[0], signature.first, found)
    if name == "count_serial":
        found.seen["patterns"] += ["SERIAL*_PROTOCOL", *(["SERIAL*_BAUD"] if node.keywords else [])]


def _check_literal(node: ast.expr, kind: str, found: _Found) -> None:
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or not node.value:
        raise ExpressionError(t("the first argument must be a literal text in quotes"), _offset(node))
    text = node.value
    found.literals.add(id(node))
    if kind == Argument.PATTERN:
        try:
            split_pattern(text)
        except ValueError as error:
            raise ExpressionError(str(error), _offset(node)) from None
        found.seen["patterns"].append(text)
    elif kind == Argument.VERSION:
        if release(text) is None:
            raise ExpressionError(t("{text!r} is no firmware version", text=text), _offset(node))
    elif "*" in text:
        raise ExpressionError(t("wildcards belong into any_p, count_p, sum_p or count_names"), _offset(node))
    else:
        found.seen["settings"].append(FEATURE_PREFIX + text if kind == Argument.FEATURE else text)
        if kind == Argument.EXACT:
            found.seen["exact"].append(text)
