"""What pages, files and texts of the program tell people to type exists: verbs and options, word for word."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML

from dronekit_cfg.cli.app import app
from dronekit_cfg.cli.verbs import VERBS

ROOT = Path(__file__).parents[2]
PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "action.yml",
    *(f"docs/{p.name}" for p in sorted((ROOT / "docs").glob("*.md"))),
)
COMMAND = re.compile(
    r"^ +(?:- run: )?dronekit-cfg ([^`#\n]+)|`dronekit-cfg ([^`]+)`|-w /data dronekit-cfg ([^`#\n]+)", re.MULTILINE
)
COMMON = {"--help", "--version"}


def commands(page: str) -> list[str]:
    text = (ROOT / page).read_text("utf-8").replace("\\\n", " ")
    return [next(filter(None, groups)).strip() for groups in COMMAND.findall(text)]


@cache
def program() -> Any:
    return typer.main.get_command(app)


def resolve(words: list[str]) -> tuple[Any, list[str]]:
    """Give the command that the words name, and the words that are left."""
    command = program()
    context = typer.Context(command)
    while words and hasattr(command, "get_command"):
        found = command.get_command(context, words[0])
        if found is None:
            break
        command, words = found, words[1:]
    return command, words


def problem(line: str) -> str:
    """Say what is wrong with what stands behind `dronekit-cfg`, "" when it can be typed like that."""
    words = line.split("|", maxsplit=1)[0].split(">", maxsplit=1)[0].split()
    command, rest = resolve(words)
    if command.name == "main":
        wrong = [w for w in rest if w not in COMMON]
        return f"there is no verb in: dronekit-cfg {line}" if wrong or not rest else ""
    if hasattr(command, "get_command"):  # a group is named, as in `dronekit-cfg hil`
        return f"{line}: no such sub-command" if [w for w in rest if w.isalpha()] else ""
    options = {o for p in command.params for o in (*p.opts, *p.secondary_opts)} | COMMON
    unknown = [w for w in rest if w.startswith("-") and w.split("=")[0].rstrip(".,") not in options and w != "-"]
    return f"dronekit-cfg {line}: {unknown}" if unknown else ""


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_exists_with_its_options(page: str) -> None:
    assert [found for line in commands(page) if (found := problem(line))] == []


def texts(path: Path) -> Iterator[str]:
    """Give the texts of a file: of Python what stands between quotes, with runs of white space as one blank."""
    text = path.read_text("utf-8")
    if path.suffix != ".py":
        yield " ".join(text.split())
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield " ".join(node.value.split())


def told(path: Path) -> list[str]:
    """Give the commands that a file names between backticks: `dronekit-cfg VERB ...`, or `VERB ...` alone."""
    found = []
    for text in texts(path):
        for quoted in re.findall(r"`([^`]+)`", text):
            first, _, rest = quoted.partition(" ")
            if first == "dronekit-cfg" and rest:
                found.append(rest)
            elif first in VERBS and rest:
                found.append(quoted)
    return found


SOURCES = [
    path
    for folder, suffix in (("dronekit_cfg", "py"), ("dronekit_cfg", "yaml"), ("profiles", "yaml"), ("hil", "yaml"),
                           ("docs", "md"), ("benchmarks", "py"), ("schemas", "json"))
    for path in sorted((ROOT / folder).rglob(f"*.{suffix}"))
    if "_data" not in path.parts
]  # fmt: skip


def test_every_command_that_a_text_names_exists_with_its_options() -> None:
    paths = [*SOURCES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    named = [(path.relative_to(ROOT), line) for path in paths for line in told(path)]
    assert len(named) > 40
    assert [f"{path}: {found}" for path, line in named if (found := problem(line))] == []


def known_options(command: Any, context: Any) -> set[str]:
    """Give the options of a command and of all below it."""
    found = {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
    names = command.list_commands(context) if hasattr(command, "list_commands") else ()
    return found.union(*(known_options(command.get_command(context, name), context) for name in names))


def test_every_option_that_a_text_names_is_one_of_ours() -> None:
    theirs = {"--bench", "--bench-link", "--board", "--now"}  # of pytest, waf and systemctl
    known = known_options(program(), typer.Context(program())) | COMMON | theirs
    named = [
        (path.relative_to(ROOT), option)
        for path in SOURCES
        if path.suffix == ".py" and "dronekit_cfg" in path.parts
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "t"
        for text in node.args
        if isinstance(text, ast.Constant)
        for option in re.findall(r"(?<![\w-])--[a-z][a-z0-9-]*[a-z0-9]", str(text.value))
    ]
    assert len(named) > 60
    assert [f"{path}: {option}" for path, option in named if option not in known] == []


def test_the_pages_do_show_commands() -> None:
    assert sum(len(commands(page)) for page in PAGES) > 20


def test_the_action_hands_over_every_input_that_it_takes() -> None:
    """An input that no step reads would be silently without effect."""
    action = YAML(typ="safe").load(ROOT / "action.yml")
    assert action["runs"]["using"] == "composite"
    used = set(re.findall(r"inputs\.([a-z-]+)", str(action["runs"])))
    assert used == set(action["inputs"])
    for step in action["runs"]["steps"]:
        assert "${{" not in step.get("run", ""), "an expression in a script lets an input run commands"
        if "run" in step:
            assert step["shell"] == "bash"


def test_the_workflow_runs_exactly_what_lands() -> None:
    jobs = YAML(typ="safe").load(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]
    assert {"run": "bash .ci/run"} in jobs["test"]["steps"]
    action = YAML(typ="safe").load(ROOT / "action.yml")
    (own,) = [step for step in jobs["action"]["steps"] if step.get("uses") == "./"]
    assert set(own["with"]) <= set(action["inputs"])


def test_the_workflow_for_other_repositories_hands_over_every_input_and_only_known_ones() -> None:
    flow = YAML(typ="safe").load(ROOT / ".github" / "workflows" / "drones.yml")
    action = YAML(typ="safe").load(ROOT / "action.yml")
    inputs = flow[True if True in flow else "on"]["workflow_call"]["inputs"]
    used = set(re.findall(r"inputs\.([a-z-]+)", str(flow["jobs"])))
    assert used == set(inputs)
    calls = [s for job in flow["jobs"].values() for s in job["steps"] if s.get("uses") == "./.dronekit-cfg"]
    assert len(calls) == len(flow["jobs"])
    for step in (s for job in flow["jobs"].values() for s in job["steps"]):
        assert "${{" not in step.get("run", ""), "an expression in a script lets an input run commands"
        assert step.get("uses") != "./.dronekit-cfg" or set(step["with"]) <= set(action["inputs"])


def test_the_workflow_of_the_page_can_be_called_as_it_is_shown() -> None:
    page = (ROOT / "docs" / "ci.md").read_text("utf-8")
    (shown,) = [
        y
        for y in map(YAML(typ="safe").load, re.findall(r"```yaml\n(.*?)```", page, re.DOTALL))
        if "on" in y or True in y
    ]
    call = shown["jobs"]["drones"]
    flow = YAML(typ="safe").load(ROOT / ".github" / "workflows" / "drones.yml")
    inputs = flow[True if True in flow else "on"]["workflow_call"]["inputs"]
    assert set(call["with"]) <= set(inputs)
    assert {n for n, i in inputs.items() if i.get("required")} <= set(call["with"])
    assert call["uses"].endswith("/.github/workflows/drones.yml@main")
