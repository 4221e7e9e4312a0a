"""`validate`: files against schema and rules, with no vehicle at hand."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from dronekit_cfg.cli.options import (
    AcceptOption,
    Offline,
    RulesOption,
    StrictOption,
    WaiversOption,
    argument,
    new_app,
    option,
    verb,
)
from dronekit_cfg.cli.output import Output
from dronekit_cfg.errors import UsageError
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.cli.judge import JudgeOptions
    from dronekit_cfg.reports.judged import Judged, RuleText

__all__ = ["app", "validate"]

app = new_app()

PARALLEL_FROM = 8
"""From this many files on, starting more processes costs less than it saves."""


@verb(app)
def validate(
    out: Output,
    options: Offline,
    files: Annotated[list[Path], argument(metavar="FILE...", help=t("Settings files, profiles, or folders."))],
    firmware: Annotated[
        str, option("--firmware", metavar="VEHICLE@VERSION", help=t("Judge as this firmware, such as copter@4.5."))
    ] = "",
    strict: StrictOption = False,
    fail_on: Annotated[
        str, option("--fail-on", metavar="SEVERITY", help=t("What makes the exit code 1: error, warning or info."))
    ] = "warning",
    rules: RulesOption = None,
    waivers: WaiversOption = None,
    accept: AcceptOption = None,
    flag: Annotated[
        list[str] | None, option("--flag", metavar="FLAG", help=t("How it flies: vlos, bvlos, auto or denied."))
    ] = None,
    junit: Annotated[Path | None, option("--junit", metavar="FILE", help=t("Write a JUnit XML report."))] = None,
    sarif: Annotated[Path | None, option("--sarif", metavar="FILE", help=t("Write a SARIF 2.1.0 report."))] = None,
    github: Annotated[bool, option("--github", help=t("Print findings as GitHub annotations."))] = False,
) -> int:
    """Check settings files against the metadata of their firmware and the policy rules.

    Exit code 0: nothing found; 1: findings.
    """
    from datetime import UTC, datetime

    from dronekit_cfg.cli.judge import JudgeOptions, all_rules, files_in
    from dronekit_cfg.cli.session import parse_pairs
    from dronekit_cfg.engine.state import StateDir
    from dronekit_cfg.reports.judged import FAIL_ON, failing
    from dronekit_cfg.rules.rule import FLAGS

    _require(fail_on, FAIL_ON, "--fail-on")
    for name in flag or ():
        _require(name, FLAGS, "--flag")
    started = time.monotonic()
    root = StateDir(options.state_dir).root
    wanted = JudgeOptions(
        firmware=firmware,
        family=options.family,
        strict=strict,
        rules=tuple(rules or ()),
        waivers=tuple(waivers or ()),
        accept=tuple(accept or ()),
        flags=tuple(flag or ()),
        inputs=tuple(parse_pairs(options.inputs, "--input").items()),
        profiles=tuple(options.profiles or ()),
        specs=root / "specs",
        today=datetime.now(UTC).date(),
    )
    all_rules(wanted.rules)  # mistakes in packs are said once, and before any work
    judged = _judge_all(files_in(files), wanted)
    failed = failing(judged, fail_on)
    code = 1 if failed else 0
    _write_reports(judged, wanted, junit=junit, sarif=sarif, fail_on=fail_on, seconds=time.monotonic() - started)
    _document(out, judged, code)
    if github:
        from dronekit_cfg.reports.github import github as annotations

        out.write_text(annotations(judged) or t("nothing found"))
    else:
        _show(out, judged)
    return code


def _require(text: str, known: Sequence[str] | dict[str, tuple[str, ...]], what: str) -> None:
    if text not in known:
        raise UsageError(
            t("{what} {text} is not known", what=what, text=text),
            hint=t("choose one of {names}", names=", ".join(known)),
        )


def _judge_all(paths: Sequence[Path], options: JudgeOptions) -> list[Judged]:
    from dronekit_cfg.cli.judge import judge_file

    if len(paths) < PARALLEL_FROM:
        return [judge_file(path, options) for path in paths]
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor() as pool:
        return list(pool.map(partial(judge_file, options=options), paths, chunksize=8))


def _write_reports(
    judged: Sequence[Judged],
    options: JudgeOptions,
    *,
    junit: Path | None,
    sarif: Path | None,
    fail_on: str,
    seconds: float,
) -> None:
    from dronekit_cfg import __version__
    from dronekit_cfg.cli.judge import all_rules
    from dronekit_cfg.formats.files import write_atomic
    from dronekit_cfg.rules.builtin import BUILTIN

    if junit is not None:
        from dronekit_cfg.reports.junit import junit as junit_text

        write_atomic(junit, junit_text(judged, fail_on=fail_on, seconds=seconds))
    if sarif is not None:
        from dronekit_cfg.reports.sarif import sarif as sarif_text

        known: list[RuleText] = [*all_rules(options.rules).values(), *BUILTIN.values()]
        write_atomic(sarif, sarif_text(judged, rules=known, version=__version__))


def _document(out: Output, judged: Sequence[Judged], code: int) -> None:
    from dronekit_cfg.formats.records import to_data

    out.document(
        "validate",
        code,
        files=[
            {
                "file": j.file,
                "judged": j.note,
                "findings": [to_data(f) for f in j.findings],
                "waived": [{"finding": to_data(f), "waiver": to_data(w)} for f, w in j.waived],
            }
            for j in judged
        ],
    )


def _show(out: Output, judged: Sequence[Judged]) -> None:
    from rich.text import Text

    from dronekit_cfg.cli.render import findings_view, headline, plural

    for one in judged:
        if one.findings or len(judged) == 1:
            head = Text(one.file, style="bold")
            out.detail(head, Text(f"  {one.note}", style="dim") if one.note else "")
            out.detail(findings_view(one.findings), "") if one.findings else out.detail("")
    count = {s: sum(f.severity == s for j in judged for f in j.findings) for s in ("error", "warning", "info")}
    files = plural(len(judged), t("file"), t("files"))
    waived = sum(len(j.waived) for j in judged)
    words = [
        plural(count["error"], t("error"), t("errors")),
        plural(count["warning"], t("warning"), t("warnings")),
        *([t("{count} notes", count=count["info"])] if count["info"] else []),
        *([t("{count} waived", count=waived)] if waived else []),
    ]
    good = not (count["error"] or count["warning"])
    word = t("PASS") if good else t("FAIL") if count["error"] else t("LOOK")
    text = t("{files} judged: {findings}", files=files, findings=", ".join(words))
    out.show(headline(word, text, good=good, warn=not good and not count["error"]))
