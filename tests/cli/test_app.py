"""The program around its verbs: help, version, unknown words, options that every verb has."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import typer

from dronekit_cfg import __version__
from dronekit_cfg.cli.app import app
from dronekit_cfg.cli.verbs import SECTIONS, VERBS

Run = Callable[..., Any]


def commands() -> Iterator[tuple[str, Any]]:
    """Give every command of the program by its full name."""
    for name in VERBS:
        command = typer.main.get_command(app).commands[name]  # type: ignore[attr-defined]  # typer says Command where it gives a group
        if hasattr(command, "commands"):
            yield from ((f"{name} {sub}", c) for sub, c in command.commands.items())
        else:
            yield name, command


COMMANDS = dict(commands())


def test_version_is_that_of_the_package(cli: Run) -> None:
    said = cli("--version")
    assert (said.code, said.out) == (0, f"dronekit-cfg {__version__}\n")


def test_help_lists_every_verb_once(cli: Run) -> None:
    said = cli("--help")
    assert said.code == 0
    listed = [name for _, names in SECTIONS for name in names]
    assert sorted(listed) == sorted(VERBS)
    for name in VERBS:
        assert f"\n  {name} " in said.out


def test_no_arguments_show_help_and_are_a_usage_error(cli: Run) -> None:
    said = cli()
    assert said.code == 2
    assert "Usage: dronekit-cfg" in said.err
    assert said.out == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_verb_explains_itself_within_80_columns(cli: Run, name: str) -> None:
    said = cli(*name.split(), "--help")
    assert said.code == 0
    assert max(map(len, said.out.splitlines())) <= 80


@pytest.mark.parametrize("name", COMMANDS)
def test_every_verb_has_the_promised_options(name: str) -> None:
    flags = {flag for p in COMMANDS[name].params for flag in p.opts}
    assert {"--json", "--quiet", "--yes", "--timeout"} <= flags


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_has_its_environment_variable(name: str) -> None:
    for parameter in COMMANDS[name].params:
        long = [flag for flag in parameter.opts if flag.startswith("--")]
        if not long or long[0] in {"--help", "--install-completion", "--show-completion"}:
            continue
        assert parameter.envvar == "DRONEKIT_CFG_" + long[0][2:].upper().replace("-", "_")


@pytest.mark.parametrize("name", ["info", "snapshot", "plan", "apply", "verify", "restore", "recover", "detect"])
def test_every_verb_for_a_vehicle_has_the_options_of_a_link(name: str) -> None:
    flags = {flag for p in COMMANDS[name].params for flag in p.opts}
    assert {"--link", "-l", "--target", "--family", "--signing-key", "--state-dir", "--record"} <= flags


def test_an_unknown_verb_names_the_closest(cli: Run) -> None:
    said = cli("aply")
    assert said.code == 2
    assert "Did you mean 'apply'?" in said.err
    assert "what to do:" in said.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan",),
        ("plan", "x", "--no-such-option"),
        ("snapshot", "--timeout", "soon"),
        ("snapshot", "--timeout", "-1"),
        ("info", "unexpected"),
    ],
)
def test_wrong_options_are_usage_errors_in_words_and_in_json(cli: Run, arguments: tuple[str, ...]) -> None:
    said = cli(*arguments)
    assert said.code == 2
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert "Traceback" not in said.err
    document = cli(*arguments, "--json").document
    assert document["error"]["exit_code"] == 2
    assert document["error"]["message"]


def test_the_environment_can_ask_for_json(cli: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DRONEKIT_CFG_JSON", "1")
    assert cli("plan").document["error"]["exit_code"] == 2


def test_a_reader_that_goes_away_is_no_error() -> None:
    code = "import sys; from dronekit_cfg.cli.app import main; sys.argv = ['dronekit-cfg', 'sim', 'list']; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(60) == 0


def test_python_m_runs_the_program() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dronekit_cfg", "sim", "list", "--json"], capture_output=True, text=True, check=True
    )
    assert "sim:ardupilot-copter" in json.loads(done.stdout)["vehicles"]


def test_the_list_of_simulated_vehicles_says_which_fault_is_whose(cli: Run) -> None:
    faults = {(f["fault"], w) for f in cli("sim", "list", "--json").document["faults"] for w in f["families"]}
    assert {("echo-lost:RATE|N", "px4"), ("stall:SECONDS", "inav"), ("torn:N", "ublox")} <= faults
    assert ("internal-error:SIZE", "ardupilot") in faults
    assert ("internal-error:SIZE", "px4") not in faults
    shown = cli("sim", "list").out
    assert "ublox sik elrs" in " ".join(shown.split())
