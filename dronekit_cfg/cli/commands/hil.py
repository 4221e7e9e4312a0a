"""`hil`: checks on a bench, with evidence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from dronekit_cfg.cli.options import (
    Common,
    Device,
    InputOption,
    ProfilesOption,
    SetOption,
    argument,
    new_app,
    option,
    verb,
)
from dronekit_cfg.cli.output import Output
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.cli.session import ProfileRequest
    from dronekit_cfg.engine.connection import Connection
    from dronekit_cfg.engine.state import StateDir
    from dronekit_cfg.hil.operator import Operator
    from dronekit_cfg.model.checked import RunResult

__all__ = ["app", "list_suites", "monitor", "run"]

app = new_app(t("Check a vehicle on the bench."), no_args_is_help=True)

ASSUMABLE = ("operator", "props-off")
ReportOption = Annotated[
    Path | None, option("--report", metavar="FILE.html", help=t("Write a report that opens in any browser."))
]
JunitOption = Annotated[Path | None, option("--junit", metavar="FILE.xml", help=t("Write a JUnit file for CI."))]
JsonFileOption = Annotated[
    Path | None, option("--json-file", metavar="FILE", help=t("Write the results with all samples as JSON."))
]


@verb(app, "list")
def list_suites(
    out: Output,
    options: Common,
    checks: Annotated[bool, option("--checks", help=t("List the checks and their parameters too."))] = False,
) -> int:
    """List the suites, and with --checks every check with its parameters, units and limits."""
    from dronekit_cfg.cli.render import simple_table
    from dronekit_cfg.hil.checks import all_checks
    from dronekit_cfg.hil.suite import load_suite, shipped_suites

    del options
    suites = [load_suite(path) for family in shipped_suites().values() for path in family.values()]
    found = all_checks()
    out.document(
        "hil list",
        0,
        suites=[
            {"name": s.name, "family": s.family, "title": s.title, "checks": [e.check.name for e in s.entries]}
            for s in suites
        ],
        checks=[
            {
                "name": c.name,
                "number": c.number,
                "title": c.title,
                "families": sorted(c.families),
                "needs": sorted(c.needs),
                "parameters": [
                    {"name": p.name, "default": p.default, "unit": p.unit, "meaning": p.meaning} for p in c.parameters
                ],
            }
            for c in found.values()
        ],
    )
    rows = [(s.name, s.family, s.title, t("{n} checks", n=len(s.entries))) for s in suites]
    out.show(simple_table((t("Suite"), t("Family"), t("What for"), ""), rows))
    if checks:
        lines = [
            (c.number, c.name, c.title, "\n".join(f"{p.name} {p.default:g} {p.unit}".rstrip() for p in c.parameters))
            for c in found.values()
        ]
        out.show("", simple_table(("", t("Check"), t("What it proves"), t("Parameters")), lines))
    return 0


@verb(app)
def run(
    out: Output,
    device: Device,
    suite: Annotated[str, argument(metavar="SUITE", help=t("A suite of `hil list`, or a file."))],
    report: ReportOption = None,
    junit: JunitOption = None,
    json_file: JsonFileOption = None,
    assume: Annotated[
        list[str] | None,
        option(
            "--assume", metavar="WHAT", help=t("What an unattended bench promises: operator, props-off; repeatable.")
        ),
    ] = None,
    profile: Annotated[
        str,
        option("--profile", "-p", metavar="PROFILE", help=t("Check that the vehicle holds this profile too.")),
    ] = "",
    inputs: InputOption = None,
    sets: SetOption = None,
    profiles: ProfilesOption = None,
) -> int:
    """Run a suite of checks on the vehicle. Nothing is written to it but what a check says.

    With --profile the report also tells which settings differ from it, and bears its digest.
    Exit code 0: all passed or had a reason to be left out; 1: at least one failed or could not be judged.
    """
    from dronekit_cfg.cli.render_run import render_run, write_reports
    from dronekit_cfg.cli.session import vehicle
    from dronekit_cfg.hil.run import run_suite
    from dronekit_cfg.hil.suite import find_suite, known_suite
    from dronekit_cfg.model.checked import Verdict
    from dronekit_cfg.reports.json_run import run_data

    known_suite(suite)
    request = _request(profile, inputs, sets, profiles, device.state_dir) if profile else None
    promised = _promises(assume or [])
    with (
        vehicle(out, device, stopped=t("motors are stopped")) as (connection, state),
        state.lease(connection.identity.key),
    ):
        chosen = find_suite(suite, connection.identity.family)
        found = run_suite(connection, chosen, _operator(out, promised, connection))
        found = _with_profile(found, connection, state, request) if request else found
    write_reports(found, report=report, junit=junit, json_file=json_file)
    code = 0 if found.verdict is Verdict.PASS else 1
    out.document("hil run", code, **run_data(found))
    render_run(out, found, report)
    return code


def _request(
    profile: str,
    inputs: list[str] | None,
    sets: list[str] | None,
    profiles: list[Path] | None,
    state_dir: Path | None,
) -> ProfileRequest:
    """Read what was said about the profile, and find its mistakes early. Raises UsageError, FileProblems."""
    from dronekit_cfg.cli.session import ProfileRequest, library_for, parse_pairs

    pairs, library = parse_pairs(inputs, "--input"), library_for(profiles, state_dir)
    request = ProfileRequest(profile, pairs, tuple(sets or ()), None, frozenset(), library)
    request.check_early()
    return request


def _with_profile(run: RunResult, connection: Connection, state: StateDir, request: ProfileRequest) -> RunResult:
    """Put what differs from the profile before the results of the suite. Raises Unsupported where it does not fit."""
    from dataclasses import replace

    from dronekit_cfg.hil.holds import holds_profile

    goal, terms = request.goal(connection.identity)
    held = holds_profile(connection, goal, state, terms)
    return replace(run, results=(held, *run.results), profile=goal.profile, profile_digest=goal.digest)


@verb(app)
def monitor(
    out: Output,
    device: Device,
    log: Annotated[
        Path | None,
        option(
            "--log", metavar="FILE", help=t("Judge a recorded log instead: .bin, .tlog, .ulg, .ubx, or a --record.")
        ),
    ] = None,
    seconds: Annotated[
        float, option("--seconds", metavar="S", min=1, help=t("How long to watch; Ctrl-C ends it earlier."))
    ] = 60.0,
    baseline: Annotated[
        Path | None, option("--baseline", metavar="FILE", help=t("Compare a u-blox receiver with how it was then."))
    ] = None,
    save_baseline: Annotated[
        Path | None, option("--save-baseline", metavar="FILE", help=t("Record how a u-blox receiver is now."))
    ] = None,
) -> int:
    """Watch GNSS for signs of jamming and spoofing, on a vehicle or in a log of one. Writes nothing.

    Satellites, two receivers, height against barometer, time, C/N0, speed and path against optical flow: each as far
    as it is told, and the result says what was not. A u-blox receiver (a link to it, or `via:`) is asked itself:
    jamming and spoofing state, CW indicator, gain, C/N0. A SiK radio reports signal and noise of both ends; less than
    10 dB of fade margin is an alarm.
    Exit code 0: no alarm; 1: at least one.
    """
    from dronekit_cfg.cli.session import vehicle
    from dronekit_cfg.cli.watch_gnss import tell_alarms, watch_log, watch_vehicle
    from dronekit_cfg.cli.watch_receiver import watch_radio, watch_receiver
    from dronekit_cfg.errors import UsageError

    if log is not None:
        return watch_log(out, log)
    with vehicle(out, device) as (connection, _):
        if connection.identity.family == "sik":
            return tell_alarms(out, seconds, watch_radio(out, connection, seconds))
        if connection.identity.family == "ublox":
            return tell_alarms(out, seconds, watch_receiver(out, connection, seconds, baseline, save_baseline))
        if baseline or save_baseline:
            raise UsageError(
                t("baselines are for u-blox receivers, this is {family}", family=connection.identity.family),
                hint=t("reach the receiver itself, such as --link via:ardupilot:gps1+LINK"),
            )
        return watch_vehicle(out, connection, seconds)


def _promises(assume: list[str]) -> frozenset[str]:
    """Read what an unattended bench promises. Raises UsageError for an unknown promise."""
    from dronekit_cfg.errors import UsageError

    promised = frozenset(part for text in assume for part in text.split(",") if part)
    if unknown := sorted(promised - set(ASSUMABLE)):
        raise UsageError(
            t("--assume {what} is not known", what=unknown[0]), hint=t("choose {names}", names=", ".join(ASSUMABLE))
        )
    return promised


def _operator(out: Output, promised: frozenset[str], connection: Connection) -> Operator:
    """Give the person at the terminal, or what stands in for one."""
    import sys

    from dronekit_cfg.cli.ask import terminal_question
    from dronekit_cfg.hil.bench import keep_company
    from dronekit_cfg.hil.operator import Operator, nobody

    attended = not out.as_json and sys.stdin.isatty() and out.stderr.isatty()
    ask = terminal_question(out, lambda: keep_company(connection)) if attended else nobody
    return Operator(ask, promised, attended=attended)
