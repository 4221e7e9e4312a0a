"""What may be loaded before a verb's work begins: start-up time is a promise, and a set of modules does not flicker."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {
    "asyncio",
    "concurrent.futures",
    "construct",
    "defusedxml",
    "filelock",
    "jsonschema_rs",
    "msgspec",
    "packaging.version",
    "platformdirs",
    "pydantic",
    "pymavlink",
    "rich",
    "ruamel",
    "serial",
    "simpleeval",
    "sqlalchemy",
}

REPORT = """
import json, sys
{body}
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def loaded_by(body: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", REPORT.format(body=body)], capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_importing_the_package_loads_nothing_but_itself() -> None:
    before = loaded_by("")
    assert loaded_by("import dronekit_cfg") - before == {"dronekit_cfg"}


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["apply", "--help"], ["profile", "--help"], ["no-such-verb"]]
)
def test_help_and_version_load_no_heavy_module(arguments: list[str]) -> None:
    loaded = loaded_by(f"from dronekit_cfg.cli.app import run; run({arguments!r})")
    assert "typer" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]])
def test_help_and_version_load_no_verb_and_no_other_layer(arguments: list[str]) -> None:
    ours = {
        m for m in loaded_by(f"from dronekit_cfg.cli.app import run; run({arguments!r})") if m.startswith("dronekit")
    }
    assert ours == {
        "dronekit_cfg",
        "dronekit_cfg.cli",
        "dronekit_cfg.cli.app",
        "dronekit_cfg.cli.failures",
        "dronekit_cfg.cli.verbs",
        "dronekit_cfg.errors",
        "dronekit_cfg.text",
    }


def test_help_of_one_verb_loads_no_other_verb() -> None:
    loaded = loaded_by("from dronekit_cfg.cli.app import run; run(['apply', '--help'])")
    verbs = {m for m in loaded if m.startswith("dronekit_cfg.cli.commands.")}
    assert verbs == {"dronekit_cfg.cli.commands.apply"}
