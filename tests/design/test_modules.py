"""House rules that a machine can check: sizes, exported names, texts that can be translated, no path of one machine."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import dronekit_cfg
from dronekit_cfg import errors

PACKAGE = Path(dronekit_cfg.__file__).parent
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if "_data" not in p.relative_to(PACKAGE).parts[:-1])
LONGEST = 400
ROOT = PACKAGE.parent
SOURCES = [*MODULES, *(p for folder in ("tests", "benchmarks", ".ci") for p in sorted((ROOT / folder).rglob("*.py")))]
IGNORE = re.compile(r"[#] *(?:noqa|type: *ignore|pragma: *no)(?::|\[)?(?P<rest>.*)")
REASON = re.compile(r"[A-Z]+[0-9]+\s+(?:-\s+)?(?P<noqa>\S.*)|[a-z-]+\]\s+#\s+(?P<ignore>\S.*)")


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@pytest.fixture(params=MODULES, ids=name_of)
def module(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_files_stay_short() -> None:
    lines = {str(p.relative_to(ROOT)): len(p.read_text(encoding="utf-8").splitlines()) for p in SOURCES}
    assert {name: count for name, count in lines.items() if count >= LONGEST} == {}


def test_what_is_ignored_has_a_reason_beside_it_that_stands_on_its_own() -> None:
    bare = []
    for path in SOURCES:
        for found in IGNORE.finditer(path.read_text(encoding="utf-8")):
            reason = REASON.fullmatch(found["rest"].strip())
            text = (reason["noqa"] or reason["ignore"]) if reason else ""
            if len(text.split()) < 2 or re.search(r"\b(above|below|ditto)\b", text):
                bare.append(f"{path.relative_to(ROOT)}: {found[0]}")
    assert bare == []


def exported(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(x, ast.Name) and x.id == "__all__" for x in node.targets):
            value = ast.literal_eval(node.value)
            return list(value)
    return None


def defined(tree: ast.Module) -> tuple[set[str], set[str]]:
    """Give the functions and classes of a module, and all other names that it binds at its top level."""
    own: set[str] = set()
    other: set[str] = set()
    for node in tree.body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.AsyncFunctionDef(name=name):
                own.add(name)
            case ast.Assign(targets=targets):
                other |= {x.id for target in targets for x in ast.walk(target) if isinstance(x, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                other.add(name)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                other |= {alias.asname or alias.name.partition(".")[0] for alias in names}
    return own, other


def sort_key(name: str) -> tuple[object, ...]:
    """Order constants, then classes, then the rest, INT8 before INT16: the order that ruff (RUF022) keeps."""
    parts = [(part.zfill(9) if part.isdigit() else part) for part in re.split(r"(\d+)", name)]
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2, parts)


def test_exported_names_are_exact_and_sorted(module: Path) -> None:
    tree = tree_of(module)
    names = exported(tree)
    own, other = defined(tree)
    public = {name for name in own if not name.startswith("_")}
    if names is None:
        assert not public, "a module with public names says which: __all__ is missing"
        return
    assert names == sorted(set(names), key=sort_key)
    assert public <= set(names), "public functions and classes that __all__ does not name"
    assert set(names) <= own | other, "__all__ names what is not there"


def test_modules_say_what_they_are_for(module: Path) -> None:
    doc = ast.get_docstring(tree_of(module))
    if module.name == "__main__.py":
        return
    assert doc
    assert doc.splitlines()[0].strip()


def calls(tree: ast.AST, names: set[str]) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            yield node


def is_built_text(node: ast.expr) -> bool:
    """Whether an expression is text put together in the code, which no catalogue can hold."""
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod))


def test_translated_texts_are_literals_whose_fields_are_given(module: Path) -> None:
    for call in calls(tree_of(module), {"t"}):
        where = f"{name_of(module)}:{call.lineno}"
        template = call.args[0]
        assert not is_built_text(template), f"{where}: t() needs a literal"
        given = {k.arg for k in call.keywords}
        if isinstance(template, ast.Constant) and isinstance(template.value, str) and given and None not in given:
            fields = [field for _, field, _, _ in string.Formatter().parse(template.value) if field]
            wanted = {field.partition(".")[0] for field in fields}
            assert wanted == given, f"{where}: fields of the text and arguments differ"


ERROR_NAMES = {
    name
    for name in errors.__all__
    if isinstance(kind := getattr(errors, name), type)
    and issubclass(kind, errors.DronekitError)
    and kind is not errors.FileProblems
}


def test_error_texts_go_through_translation(module: Path) -> None:
    for call in calls(tree_of(module), ERROR_NAMES):
        if not call.args:
            continue
        first = call.args[0]
        plain = isinstance(first, ast.Constant) and isinstance(first.value, str)
        bare = plain or is_built_text(first)
        assert not bare, f"{name_of(module)}:{call.lineno}: wrap the text in t()"


def test_no_file_names_a_path_of_one_machine() -> None:
    root = PACKAGE.parent
    forbidden = ["/" + "work/", "/" + "root/"]
    places = ["dronekit_cfg", "tests", "profiles", "schemas", "hil", "benchmarks", "pyproject.toml", "README.md"]
    suffixes = {".py", ".toml", ".md", ".yaml", ".yml", ".json", ".jsonl", ".ambr", ".param", ".parm"}
    found = [
        str(path.relative_to(root))
        for place in places
        for path in ([root / place] if (root / place).is_file() else (root / place).rglob("*"))
        if path.suffix in suffixes
        and path.is_file()
        and any(word in path.read_text("utf-8", "replace") for word in forbidden)
    ]
    assert found == []
