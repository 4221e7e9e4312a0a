"""Shows a run of checks or scenarios on the terminal, and writes its report files."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from dronekit_cfg.errors import UsageError
from dronekit_cfg.model.checked import Result, RunResult, Verdict
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.cli.output import Output

__all__ = ["STYLES", "WORDS", "one_line", "render_run", "render_verdict", "write_reports"]

WORDS = {Verdict.PASS: "PASS", Verdict.FAIL: "FAIL", Verdict.SKIP: "skip", Verdict.ERROR: "ERROR"}
STYLES = {Verdict.PASS: "green", Verdict.FAIL: "bold red", Verdict.SKIP: "dim", Verdict.ERROR: "bold yellow"}


def write_reports(
    run: RunResult, *, report: Path | None = None, junit: Path | None = None, json_file: Path | None = None
) -> None:
    """Write the files that were asked for. Raises UsageError when one cannot be written."""
    import json

    from dronekit_cfg.reports.html import html
    from dronekit_cfg.reports.json_run import run_data
    from dronekit_cfg.reports.junit_run import junit_run

    writers: tuple[tuple[Path | None, Callable[[], str]], ...] = (
        (report, lambda: html(run)),
        (junit, lambda: junit_run(run)),
        (
            json_file,
            lambda: json.dumps(run_data(run, series=True), indent=1, ensure_ascii=False, allow_nan=False) + "\n",
        ),
    )
    for path, make in writers:
        if path is None:
            continue
        try:
            path.write_text(make(), "utf-8")
        except OSError as error:
            raise UsageError(
                t("cannot write {path}: {error}", path=path, error=error.strerror or error),
                hint=t("name a file in a folder that exists and can be written"),
            ) from error


def one_line(result: Result) -> str:
    """Give what is worth a line: why it did not pass, or the number nearest to its name."""
    if result.reason:
        return result.reason
    if result.measures:
        return "; ".join(str(m) for m in result.measures[:2])
    return result.notes[0] if result.notes else ""


def render_run(out: Output, run: RunResult, report: Path | None = None) -> None:
    """Show the table of all checks, what to do about those that failed, and the verdict."""
    from rich.text import Text

    from dronekit_cfg.cli.render import simple_table

    rows = [(Text(WORDS[r.verdict], STYLES[r.verdict]), r.name, one_line(r)) for r in run.results]
    out.detail(simple_table(("", t("Check"), t("Found")), rows))
    render_verdict(out, run, report)


def render_verdict(out: Output, run: RunResult, report: Path | None = None) -> None:
    """Show what to do about those that failed, how many there are of each, and the verdict."""
    from rich.text import Text

    bad = [r for r in run.results if r.verdict in (Verdict.FAIL, Verdict.ERROR)]
    # A link that breaks ends all checks in the same words: those are said once.
    for _, group in groupby(bad, lambda r: (r.verdict, r.reason, r.remedy)):
        alike = list(group)
        result = alike[0]
        title = result.title if len(alike) == 1 else t("{n} checks", n=len(alike))
        out.show("", Text(f"{WORDS[result.verdict]} {title}", STYLES[result.verdict]), Text(f"  {result.reason}"))
        if result.remedy:
            out.show(Text(t("  What to do: {remedy}", remedy=result.remedy)))
    counts = {v: sum(r.verdict is v for r in run.results) for v in Verdict}
    said = ", ".join(f"{n} {WORDS[v].lower()}" for v, n in counts.items() if n)
    verdict = Text(WORDS[run.verdict], STYLES[run.verdict]) + Text(f"  {run.title}: {said}", "")
    out.show("", verdict)
    if report is not None:
        out.detail(Text(t("Report: {path}", path=report)))
