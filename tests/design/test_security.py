"""No shell, no pickle, no objects out of YAML, no expanding XML; and the list of bounds names what is really there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]
PACKAGE = REPO / "dronekit_cfg"
MODULES = sorted(PACKAGE.rglob("*.py"))

FORBIDDEN_IMPORTS = {
    "pickle": "bytes of a file would become code",
    "marshal": "as pickle",
    "shelve": "is pickle",
    "dill": "is pickle",
    "yaml": "ruamel.yaml with the round-trip loader is what we read YAML with",
    "xml.sax": "expands entities; defusedxml does not",
    "xml.dom.minidom": "expands entities; defusedxml does not",
    "telnetlib": "left Python",
}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "tempfile.mktemp"}
PARSERS = {"parse", "fromstring", "iterparse", "XML", "XMLParser"}
"""Of xml.etree: reading with them expands entities. Making elements to write is fine."""


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def sins(source: str) -> Iterator[str]:
    """Give what is wrong in a module, with its line where that is not plain."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            if any(name == bad or name.startswith(f"{bad}.") for bad in FORBIDDEN_IMPORTS):
                yield f"imports {name}"
            if name.startswith("xml.etree") and name.rpartition(".")[2] in PARSERS:
                yield f"reads XML with {name}"
        if not isinstance(node, ast.Call):
            continue
        called = dotted(node.func)
        if called in FORBIDDEN_CALLS:
            yield f"{node.lineno}: calls {called}"
        if called.rpartition(".")[2] in PARSERS and called.split(".")[0] in {"ElementTree", "ET", "etree"}:
            yield f"{node.lineno}: reads XML with {called}"
        for keyword in node.keywords:
            text = ast.unparse(keyword.value)
            if keyword.arg == "shell" and text != "False":
                yield f"{node.lineno}: starts a shell"
            if called.endswith("YAML") and keyword.arg == "typ" and text not in {"'rt'", "'safe'"}:
                yield f"{node.lineno}: reads YAML with the loader {text}"


def test_no_module_runs_a_shell_or_makes_objects_out_of_files() -> None:
    found = [f"{path.relative_to(REPO)}:{sin}" for path in MODULES for sin in sins(path.read_text("utf-8"))]
    assert not found


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from yaml import load",
        "import subprocess\nsubprocess.run('ls', shell=True)",
        "import os\nos.system('ls')",
        "eval('1')",
        "from xml.etree.ElementTree import fromstring",
        "from xml.etree import ElementTree\nElementTree.parse('a')",
        "from ruamel.yaml import YAML\nYAML(typ='unsafe')",
    ],
)
def test_the_search_finds_what_it_is_for(source: str) -> None:
    assert list(sins(source))


def bounds() -> list[tuple[str, str]]:
    """Give (module, name) of every constant that docs/security.md lists."""
    text = (REPO / "docs" / "security.md").read_text("utf-8")
    table = text.split("## Bounds")[1].split("## ")[0]
    found = []
    for row in (line for line in table.splitlines() if line.startswith("| ")):
        module = ""
        for word in re.findall(r"`([^`]+)`", row.rsplit("|", 2)[1]):
            if word.endswith(".py"):
                module = word
            elif module:
                found.append((module, word))
    return found


def test_every_bound_that_is_listed_is_there() -> None:
    listed = bounds()
    assert len(listed) > 30
    missing = []
    for module, name in listed:
        tree = ast.parse((PACKAGE / module).read_text("utf-8"))
        targets = [t for n in tree.body if isinstance(n, ast.Assign) for t in n.targets]
        targets += [n.target for n in tree.body if isinstance(n, ast.AnnAssign)]
        known = {e.id for t in targets for e in ast.walk(t) if isinstance(e, ast.Name)}
        if name not in known:
            missing.append(f"{module}: {name}")
    assert not missing
