"""What the README, the pages, the action and the image tell people to type exists: verbs and options, word for word."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import typer
from ruamel.yaml import YAML

from dronekit_cfg.cli.app import app

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


def resolve(words: list[str]) -> tuple[Any, list[str]]:
    """Give the command that the words name, and the words that are left."""
    command: Any = typer.main.get_command(app)
    context = typer.Context(command)
    while words and hasattr(command, "get_command"):
        found = command.get_command(context, words[0])
        if found is None:
            break
        command, words = found, words[1:]
    return command, words


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_exists_with_its_options(page: str) -> None:
    for line in commands(page):
        words = line.split("|")[0].split(">")[0].split()
        command, rest = resolve(words)
        assert command.name != "main", f"{page}: there is no verb in: dronekit-cfg {line}"
        if hasattr(command, "get_command"):  # a group is named, as in `dronekit-cfg hil`
            assert not [w for w in rest if w.isalpha()], f"{page}: {line}"
            continue
        options = {o for p in command.params for o in (*p.opts, *p.secondary_opts)} | COMMON
        unknown = [w for w in rest if w.startswith("-") and w.split("=")[0] not in options and w != "-"]
        assert not unknown, f"{page}: dronekit-cfg {line}: {unknown}"


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
