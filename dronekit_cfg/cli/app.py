"""The program `dronekit-cfg`: its verbs, and what happens around every one of them.

Verbs are modules that are loaded when they are used, so `--help` and `--version` stay fast. Exit codes: 0 ok,
1 differences or findings, 2 usage or profile error, 3 link or no vehicle, 4 vehicle refused, 5 failed and rolled back,
6 in doubt, 70 a mistake of ours, 130 interrupted.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Iterator, MutableMapping, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from dronekit_cfg import __version__
from dronekit_cfg.cli.failures import write_error
from dronekit_cfg.cli.verbs import SECTIONS, VERBS
from dronekit_cfg.text import t

__all__ = ["app", "main", "run"]


class _LazyCommands(MutableMapping[str, Any]):
    """The verbs by name; the module of a verb is imported when it is asked for."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            if name not in VERBS:
                raise KeyError(name)
            module = importlib.import_module(f"dronekit_cfg.cli.commands.{VERBS[name].module}")
            command = typer.main.get_command(module.app)
            command.name = name
            self._loaded[name] = command
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(VERBS)

    def __len__(self) -> int:
        return len(VERBS)


class _LazyGroup(TyperGroup):
    """The root command, which knows the help of its verbs without importing them."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = _LazyCommands()

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the verbs, section by section."""
        del ctx
        for title, names in SECTIONS:
            with formatter.section(title):
                formatter.write_dl([(name, VERBS[name].help) for name in names])


app = typer.Typer(
    cls=_LazyGroup,
    name="dronekit-cfg",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=t("New here? `dronekit-cfg demo` shows the whole job on a simulated vehicle in seconds."),
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"dronekit-cfg {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help=t("Show the version and exit."))
    ] = False,
) -> None:
    """Put a flight controller into a known, proven configuration, and show that it is so."""
    del version


def run(arguments: Sequence[str]) -> int:
    """Run the program with `arguments` and give the exit code; nothing but the code leaves this function."""
    command = typer.main.get_command(app)
    try:
        code = command.main(args=list(arguments), prog_name="dronekit-cfg", standalone_mode=False)
        sys.stdout.flush()
    except SystemExit as error:  # shell completion ends this way
        return error.code if isinstance(error.code, int) else 0
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last resort of the program
        if type(error).__name__ == "NoArgsIsHelpError":
            sys.stderr.write(f"{error}\n")
            return 2
        return write_error(error, as_json=_wants_json(arguments), stdout=sys.stdout, stderr=sys.stderr)
    return code if isinstance(code, int) else 0


def _wants_json(arguments: Sequence[str]) -> bool:
    """Whether errors outside a verb (a bad option) are to be JSON."""
    yes = {"1", "true", "yes", "on", "t", "y"}
    return "--json" in arguments or os.environ.get("DRONEKIT_CFG_JSON", "").lower() in yes


def main() -> None:
    """Be the program. A label with a degree sign must not end a run on an old code page."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    sys.exit(run(sys.argv[1:]))
