"""`sitl`: real simulators: scenarios flown on the real ArduCopter firmware."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from dronekit_cfg.cli.commands.hil import JsonFileOption, JunitOption, ReportOption
from dronekit_cfg.cli.options import Offline, argument, new_app, option, verb
from dronekit_cfg.cli.output import Output
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.model.checked import RunResult
    from dronekit_cfg.planner.plan import Goal

__all__ = ["app", "list_scenarios", "scenario"]

app = new_app(t("Fly on the real simulator of a firmware."), no_args_is_help=True)


@verb(app)
def scenario(
    out: Output,
    options: Offline,
    names: Annotated[
        list[str], argument(metavar="NAME...", help=t("Scenarios by name or number (s01), files, or all."))
    ],
    profile: Annotated[
        str, option("--profile", "-p", metavar="PROFILE", help=t("Fly with this profile, applied by our own engine."))
    ] = "",
    binary: Annotated[
        str, option("--binary", metavar="FILE", help=t("The arducopter SITL; else DRONEKIT_CFG_ARDUCOPTER or PATH."))
    ] = "",
    speedup: Annotated[
        float, option("--speedup", metavar="X", min=1, max=20, help=t("How many times faster than real time."))
    ] = 10.0,
    jobs: Annotated[int, option("--jobs", "-j", metavar="N", min=1, max=64, help=t("Flights at the same time."))] = 1,
    keep: Annotated[
        Path | None, option("--keep", metavar="DIR", help=t("Keep logs and recordings of all flights here."))
    ] = None,
    report: ReportOption = None,
    junit: JunitOption = None,
    json_file: JsonFileOption = None,
) -> int:
    """Fly scenarios on the real ArduCopter firmware in a simulator, and judge what it does.

    Exit code 0: all flights went as their data says; 1: at least one did not.
    """
    import tempfile

    from dronekit_cfg.cli.render_run import render_run, write_reports
    from dronekit_cfg.events import Note
    from dronekit_cfg.hil.fly import FlyOptions, fly_all
    from dronekit_cfg.hil.scenario import find_scenarios
    from dronekit_cfg.model.checked import Result, Verdict
    from dronekit_cfg.reports.json_run import run_data

    flights = {s.name: s for name in names for s in find_scenarios(name)}
    goal = _goal(profile, options) if profile else None

    def tell(result: Result) -> None:
        out.report(Note(f"{result.verdict.upper()} {result.name}" + (f": {result.reason}" if result.reason else "")))

    with tempfile.TemporaryDirectory(prefix="dronekit-cfg-", ignore_cleanup_errors=True) as scratch:
        given = FlyOptions(keep or Path(scratch), binary, speedup, jobs, goal, options.state_dir)
        found = fly_all(tuple(flights.values()), given, tell)
        if keep is None:
            found = _without_files(found)
    write_reports(found, report=report, junit=junit, json_file=json_file)
    code = 0 if found.verdict is Verdict.PASS else 1
    out.document("sitl scenario", code, **run_data(found))
    render_run(out, found, report)
    return code


@verb(app, "list")
def list_scenarios(out: Output, options: Offline) -> int:
    """List the scenarios."""
    from dronekit_cfg.cli.render import simple_table
    from dronekit_cfg.hil.scenario import find_scenarios

    del options
    flights = find_scenarios("all")
    rows = [(s.name, s.title, s.expect_failure or s.known_gap) for s in flights]
    out.document("sitl list", 0, scenarios=[{"name": n, "title": title, "note": note} for n, title, note in rows])
    out.show(simple_table((t("Scenario"), t("What happens"), t("Planted mistake or known gap")), rows))
    return 0


def _goal(profile: str, options: Offline) -> Goal:
    from dronekit_cfg.cli.session import library_for, parse_pairs
    from dronekit_cfg.engine.goals import goal_from_profile
    from dronekit_cfg.formats.compose import resolve

    library = library_for(options.profiles, options.state_dir)
    inputs = parse_pairs(options.inputs, "--input")
    return goal_from_profile(resolve(profile, library, inputs=inputs, sets=tuple(options.sets or ())))


def _without_files(run: RunResult) -> RunResult:
    from dataclasses import replace

    return replace(run, results=tuple(replace(r, files=()) for r in run.results))
