"""Orders the results of a matrix into a table: scenarios down, what was flown across."""

from __future__ import annotations

from collections.abc import Sequence

from dronekit_cfg.model.checked import Result, RunResult, Subject

__all__ = ["grid"]


def grid(run: RunResult) -> tuple[Sequence[Subject], Sequence[tuple[str, Sequence[Result | None]]]]:
    """Give the columns, and each row as its name and one result a column; None where nothing was to be flown."""
    subjects = run.subjects
    rows: dict[str, dict[Subject, Result]] = {}
    for result in run.results:
        if result.subject is not None:
            name = result.base or result.name
            name += f" #{result.seed}" if result.seed is not None else ""
            rows.setdefault(name, {})[result.subject] = result
    return subjects, [(name, [row.get(s) for s in subjects]) for name, row in rows.items()]
