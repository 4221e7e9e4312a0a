"""Runs a suite on one vehicle: one shared window for what only watches, then one by one what acts."""

from __future__ import annotations

from dataclasses import replace

from dronekit_cfg import __version__
from dronekit_cfg.engine.connection import Connection, utc_now
from dronekit_cfg.errors import DronekitError, Interrupted, LinkError, Unsupported
from dronekit_cfg.events import Stage
from dronekit_cfg.hil.bench import Bench
from dronekit_cfg.hil.check import Check, Needs
from dronekit_cfg.hil.evidence import Evidence
from dronekit_cfg.hil.operator import Operator
from dronekit_cfg.hil.suite import Suite, SuiteEntry
from dronekit_cfg.model.checked import Outcome, Result, RunResult, Verdict
from dronekit_cfg.text import t

__all__ = ["result_of", "run_suite"]


def run_suite(connection: Connection, suite: Suite, operator: Operator | None = None) -> RunResult:
    """Run every check and give all results in the suite's order.

    A check that cannot be judged is an ERROR and the others go on; when the link is lost, all that are left are errors.
    Raises Unsupported for a vehicle of another family, Interrupted on a stop request (motors are stopped by then).
    """
    identity = connection.identity
    if identity.family != suite.family:
        raise Unsupported(
            t(
                "suite {suite} is for {wanted}, and this is {found}",
                suite=suite.name,
                wanted=suite.family,
                found=identity.family,
            ),
            hint=t("`dronekit-cfg hil list` shows the suites"),
        )
    clock = connection.runner.clock
    started, start = utc_now(), clock.now()
    bench = Bench(connection, operator or Operator())
    results: dict[str, Result] = {}
    passive = [e for e in suite.entries if e.check.judge is not None]
    _judge_passive(bench, suite, passive, results)
    lost = ""
    for entry in suite.entries:
        if entry.check.act is not None:
            results[entry.check.name] = _failed_link(entry.check, lost) if lost else _act(bench, entry)
            if results[entry.check.name].verdict is Verdict.ERROR and results[entry.check.name].reason.startswith(
                _LOST
            ):
                lost = results[entry.check.name].reason
    return RunResult(
        suite.name,
        suite.title,
        tuple(results[e.check.name] for e in suite.entries),
        connection.identity,
        started,
        clock.now() - start,
        f"dronekit-cfg {__version__}",
        connection.link.url,
    )


_LOST = t("the link failed: ")


def _judge_passive(bench: Bench, suite: Suite, entries: list[SuiteEntry], results: dict[str, Result]) -> None:
    if not entries:
        return
    watches: dict[str, float] = {}
    for entry in entries:
        for name, rate in entry.check.watches.items():
            watches[name] = max(rate, watches.get(name, 0.0))
    settings = tuple(dict.fromkeys(s for e in entries for s in e.check.settings))
    try:
        sky = any(Needs.SKY in e.check.needs for e in entries)
        evidence = bench.observe(watches, settings, suite.seconds, sky=sky)
    except LinkError as error:
        for entry in entries:
            results[entry.check.name] = _failed_link(entry.check, _LOST + error.message)
        return
    for entry in sorted(entries, key=lambda e: e.check.residual):  # stable: what explains comes first
        result = _judge(entry, evidence)
        results[entry.check.name] = result
        if result.verdict is Verdict.FAIL:
            told = tuple((pattern, entry.check.name) for pattern in entry.check.explains)
            evidence = replace(evidence, explained=evidence.explained + told)


def _judge(entry: SuiteEntry, evidence: Evidence) -> Result:
    assert entry.check.judge is not None
    try:
        return result_of(entry.check, entry.check.judge(evidence, entry.params), evidence.seconds)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        return Result(
            entry.check.name,
            entry.check.title,
            Verdict.ERROR,
            t("the check broke on what the vehicle sent: {kind}: {error}", kind=type(error).__name__, error=error),
            remedy=t("report this with a --record file"),
        )


def _act(bench: Bench, entry: SuiteEntry) -> Result:
    check = entry.check
    assert check.act is not None
    missing = _missing(check, bench.operator)
    if missing:
        return Result(check.name, check.title, Verdict.SKIP, missing)
    bench.connection.session.report(Stage(check.title))
    clock = bench.connection.runner.clock
    start = clock.now()
    try:
        return result_of(check, check.act(bench, entry.params), clock.now() - start)
    except Interrupted:
        raise
    except LinkError as error:
        return _failed_link(check, _LOST + error.message, error.hint)
    except DronekitError as error:
        return Result(check.name, check.title, Verdict.ERROR, error.message, remedy=error.hint)


def _missing(check: Check, operator: Operator) -> str:
    """Say why a check cannot be run here, "" when it can."""
    for need, why in (
        (Needs.OPERATOR, t("needs an operator; run it on a terminal")),
        (Needs.PROPS_OFF, t("turns motors: needs an operator who confirms that the propellers are off")),
        (Needs.REBOOT, ""),
    ):
        if need in check.needs and why and not (operator.attended or operator.has(need)):
            return why
    return ""


def _failed_link(check: Check, reason: str, remedy: str = "") -> Result:
    remedy = remedy or t("check power and cable, then run again")
    return Result(check.name, check.title, Verdict.ERROR, reason, remedy=remedy)


def result_of(check: Check, outcome: Outcome, seconds: float) -> Result:
    """Give the result that follows from an outcome; the reason names what is wrong first."""
    verdict = outcome.verdict
    reasons = [*outcome.faults, *(str(m) for m in outcome.measures if not m.ok)]
    reason = "; ".join(reasons) if verdict is Verdict.FAIL else outcome.skip if verdict is Verdict.SKIP else ""
    if verdict is Verdict.ERROR:
        reason = t("the check found nothing to judge")
    return Result(
        check.name,
        check.title,
        verdict,
        reason,
        outcome.measures,
        outcome.notes,
        check.remedy if verdict in (Verdict.FAIL, Verdict.ERROR) else "",
        seconds,
    )
