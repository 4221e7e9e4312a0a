"""Shows a matrix of flights on the terminal: one row a scenario, one column a profile on a firmware."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dronekit_cfg.cli.render_run import STYLES, WORDS, render_verdict
from dronekit_cfg.model.checked import RunResult
from dronekit_cfg.reports.grid import grid
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.cli.output import Output

__all__ = ["render_matrix"]


def render_matrix(out: Output, run: RunResult, report: Path | None = None) -> None:
    """Show the table, what did not pass and what to do about it, and the verdict."""
    from rich.text import Text

    from dronekit_cfg.cli.render import simple_table

    subjects, rows = grid(run)
    heads = [f"{i}" for i in range(1, len(subjects) + 1)]
    cells: list[list[str | Text]] = [
        [name, *(Text(WORDS[r.verdict], STYLES[r.verdict]) if r else Text("-") for r in results)]
        for name, results in rows
    ]
    out.show(simple_table((t("Scenario"), *heads), cells))
    out.show("", *(Text(f"{i}  {subject}") for i, subject in enumerate(subjects, 1)))
    render_verdict(out, run, report)
