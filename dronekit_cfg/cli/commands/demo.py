"""`demo`: the whole job on the embedded simulator, with the very commands a user would type."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dronekit_cfg.cli.failures import INTERRUPTED
from dronekit_cfg.cli.options import Common, new_app, verb
from dronekit_cfg.cli.output import Output
from dronekit_cfg.errors import DronekitError
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["app", "demo"]

app = new_app()

VEHICLE = "sim:ardupilot-copter"
LOSSY = f"chaos+{VEHICLE}?loss=0.05&dup=0.02&corrupt=0.01&seed=7"
SPEED = 3.0
"""How much faster time passes here than at the bench: a simulated boot takes as long as a real one."""

STUBBORN = f"{VEHICLE}?fault=clamp:RTL_ALT:4000"
PROFILE = ("heavy-lift+gnss-resilient", "--input", "cells=6")

INTRO = t(
    "This is the whole job, on a simulated vehicle inside this program, with time running three times as fast. It shows"
    " how the tool behaves and proves nothing about flight: only real firmware does. Your own files are not touched."
)


@dataclass(frozen=True, slots=True)
class _Step:
    """One step: what it shows, the command, the exit code it must have. `{dir}` stands for the demo's own folder."""

    title: str
    story: str
    command: tuple[str, ...]
    code: int = 0


STEPS = (
    _Step(
        t("Who is there?"),
        t("A link is a URL: serial:auto for a board on USB, tcp:, udp:, or sim: as here."),
        ("info", "--link", VEHICLE),
    ),
    _Step(
        t("Keep a way back"),
        t("Every setting, with its type, in one file. `apply` does this by itself too, before it writes anything."),
        ("snapshot", "--link", VEHICLE, "--output", "{dir}/first.json"),
    ),
    _Step(
        t("What would change?"),
        t("A profile for a heavy aircraft, and an overlay for places where GNSS is jammed. Nothing is written yet."),
        ("plan", *PROFILE, "--link", VEHICLE, "--first", "6"),
        code=1,
    ),
    _Step(
        t("Do it, over a bad link"),
        t(
            "This link loses, repeats and garbles frames, on purpose. Each value is confirmed, read back, and read"
            " again after a reboot."
        ),
        ("apply", *PROFILE, "--link", LOSSY, "--yes"),
    ),
    _Step(
        t("Is it so?"),
        t("At any later time, on any aircraft of the fleet. Exit code 0 is yes, 1 is drift."),
        ("verify", *PROFILE, "--link", VEHICLE, "--quiet"),
    ),
    _Step(
        t("And when something fails?"),
        t("Now the vehicle limits RTL_ALT to 4000, and we ask for 6000 and another change. It is all or nothing."),
        (
            "apply",
            *PROFILE,
            "--set",
            "RTL_ALT=6000",
            "--set",
            "FENCE_RADIUS=500",
            "--link",
            STUBBORN,
            "--yes",
            "--quiet",
        ),
        code=5,
    ),
    _Step(
        t("Really as before?"),
        t("The rollback verified itself, and we look once more."),
        ("verify", *PROFILE, "--link", VEHICLE, "--quiet"),
    ),
    _Step(
        t("Back to the start"),
        t("A snapshot is restored like a profile is applied: verified twice, or undone."),
        ("restore", "{dir}/first.json", "--link", VEHICLE, "--yes"),
    ),
)


@verb(app)
def demo(out: Output, options: Common) -> int:
    """Show the whole job on a simulated vehicle: detect, snapshot, plan, apply, verify, rollback, restore.

    It takes some seconds and needs nothing but this program.
    """
    del options
    started = time.monotonic()
    out.detail(*_intro_view())
    done: list[dict[str, object]] = []
    with _own_place() as folder, _fast_clock():
        for number, step in enumerate(STEPS, start=1):
            out.detail(*_step_view(number, step))
            code = _run(out, tuple(word.format(dir=folder) for word in step.command))
            done.append({"command": _typed(step), "exit_code": code})
            if code == INTERRUPTED:
                return code
            if code != step.code:
                raise DronekitError(
                    t(
                        "step {number} of the demo ended with exit code {code}, not {wanted}",
                        number=number,
                        code=code,
                        wanted=step.code,
                    ),
                    hint=t("this is a mistake in dronekit-cfg: please report it with the output above"),
                )
    seconds = time.monotonic() - started
    out.document("demo", 0, steps=done, seconds=round(seconds, 1))
    out.detail(*_end_view(seconds))
    return 0


class _FastClock:
    """Real time, several times as fast, for the tool and the simulated vehicle alike."""

    def now(self) -> float:
        """Give the time in seconds."""
        return time.monotonic() * SPEED

    def sleep(self, seconds: float) -> None:
        """Let `seconds` of this clock pass."""
        time.sleep(max(0.0, seconds) / SPEED)


@contextlib.contextmanager
def _fast_clock() -> Iterator[None]:
    from dronekit_cfg.cli.session import clock_in_use

    token = clock_in_use.set(_FastClock())
    try:
        yield
    finally:
        clock_in_use.reset(token)


@contextlib.contextmanager
def _own_place() -> Iterator[Path]:
    """Give a folder that is removed at the end; nothing of the user's settings or files plays a part meanwhile."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("DRONEKIT_CFG_")}
    with tempfile.TemporaryDirectory(prefix="dronekit-cfg-demo-", ignore_cleanup_errors=True) as folder:
        for name in kept:
            del os.environ[name]
        os.environ["DRONEKIT_CFG_STATE_DIR"] = folder
        try:
            yield Path(folder)
        finally:
            del os.environ["DRONEKIT_CFG_STATE_DIR"]
            os.environ.update(kept)


def _run(out: Output, words: tuple[str, ...]) -> int:
    """Run one command the way the program does; with --json and --quiet its words are dropped."""
    from dronekit_cfg.cli.app import run

    if out.as_json or out.quiet:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return run(words)
    return run(words)


def _typed(step: _Step) -> str:
    from dronekit_cfg.cli.render import command_text

    return command_text(*(word.replace("{dir}/", "") for word in step.command))


def _folded(step: _Step, width: int = 76) -> str:
    """Give the command over several lines that can be copied and pasted as they are."""
    import shlex

    lines = ["dronekit-cfg"]
    for word in step.command:
        quoted = shlex.quote(word.replace("{dir}/", ""))
        if len(lines[-1]) + len(quoted) + 3 > width:
            lines.append("   ")
        lines[-1] += f" {quoted}"
    return " \\\n".join(lines)


def _intro_view() -> list[RenderableType]:
    from rich.text import Text

    return [Text(""), Text(INTRO)]


def _step_view(number: int, step: _Step) -> list[RenderableType]:
    from rich.text import Text

    title = Text(f" {number}/{len(STEPS)} ", style="bold white on blue").append(Text(f" {step.title}", style="bold"))
    command = Text("$ ", style="dim", no_wrap=True, overflow="ignore").append(_folded(step), style="bold cyan")
    return [Text(""), title, Text(step.story, style="dim"), command, Text("")]


def _end_view(seconds: float) -> list[RenderableType]:
    from rich.text import Text

    from dronekit_cfg.cli.render import Verbatim, facts, headline

    return [
        Text(""),
        headline(t("PASS"), t("That was the whole job, in {seconds:.0f} seconds.", seconds=seconds), good=True),
        facts(
            [
                (t("next"), Verbatim("dronekit-cfg detect")),
                (t("profiles"), Verbatim("dronekit-cfg profile list")),
                (t("practice"), Verbatim("dronekit-cfg sim serve")),
            ]
        ),
    ]
