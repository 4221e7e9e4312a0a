"""`sitl`: real simulators: scenarios flown on the real firmware of ArduCopter and PX4."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from dronekit_cfg.cli.commands.hil import JsonFileOption, JunitOption, ReportOption
from dronekit_cfg.cli.commands.sitl_run import run
from dronekit_cfg.cli.options import Offline, argument, new_app, option, verb
from dronekit_cfg.cli.output import Output
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.model.checked import RunResult
    from dronekit_cfg.planner.plan import Goal

__all__ = ["app", "list_scenarios", "scenario"]

app = new_app(t("Fly on the real simulator of a firmware."), no_args_is_help=True)
verb(app, "run")(run)


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
        str, option("--binary", metavar="FILE", help=t("The SITL; else DRONEKIT_CFG_ARDUCOPTER, _PX4 or PATH."))
    ] = "",
    speedup: Annotated[
        float,
        option("--speedup", metavar="X", min=0, max=20, help=t("Times faster than real time; 0: 10, and 5 for PX4.")),
    ] = 0.0,
    jobs: Annotated[int, option("--jobs", "-j", metavar="N", min=1, max=64, help=t("Flights at the same time."))] = 1,
    keep: Annotated[
        Path | None, option("--keep", metavar="DIR", help=t("Keep logs and recordings of all flights here."))
    ] = None,
    report: ReportOption = None,
    junit: JunitOption = None,
    json_file: JsonFileOption = None,
) -> int:
    """Fly scenarios on the real firmware of ArduCopter or PX4 in a simulator, and judge what it does.

    `all` are those of --family, of the firmware whose program is given with --binary, else of ArduPilot.
    Exit code 0: all flights went as their data says; 1: at least one did not.
    """
    import tempfile

    from dronekit_cfg.cli.render_run import render_run, write_reports
    from dronekit_cfg.events import Note
    from dronekit_cfg.hil.fly import FlyOptions, fly_all
    from dronekit_cfg.hil.scenario import find_scenarios
    from dronekit_cfg.model.checked import Result, Verdict
    from dronekit_cfg.reports.json_run import run_data

    vehicle = _vehicle(options.family, binary)
    flights = {s.name: s for name in names for s in find_scenarios(name, vehicle)}
    goal = _goal(profile, options, {s.vehicle for s in flights.values()}) if profile else None

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
    rows = [(s.name, s.vehicle, s.title, s.expect_failure or s.known_gap) for s in flights]
    listed = [{"name": n, "vehicle": v, "title": title, "note": note} for n, v, title, note in rows]
    out.document("sitl list", 0, scenarios=listed)
    out.show(simple_table((t("Scenario"), t("Flown by"), t("What happens"), t("Planted mistake or known gap")), rows))
    return 0


def _vehicle(family: str, binary: str) -> str:
    """Say which vehicle "all" means."""
    if family:
        return {"ardupilot": "arducopter"}.get(family, family)
    return "px4" if binary and Path(binary).name.lower().startswith("px4") else "arducopter"


def _goal(profile: str, options: Offline, vehicles: set[str]) -> Goal:
    """Resolve the profile for the one family that flies. Raises UsageError where two do."""
    from dronekit_cfg.cli.session import library_for, parse_pairs
    from dronekit_cfg.engine.goals import goal_from_profile
    from dronekit_cfg.errors import UsageError
    from dronekit_cfg.formats.compose import resolve

    if len(vehicles) > 1:
        raise UsageError(
            t("{vehicles} fly these scenarios, and a profile is for one", vehicles=", ".join(sorted(vehicles))),
            hint=t("fly the scenarios of one firmware at a time"),
        )
    (vehicle,) = vehicles
    family = "ardupilot" if vehicle == "arducopter" else vehicle
    library = library_for(options.profiles, options.state_dir)
    inputs = parse_pairs(options.inputs, "--input")
    sets = tuple(options.sets or ())
    return goal_from_profile(resolve(profile, library, family=family, inputs=inputs, sets=sets))


def _without_files(run: RunResult) -> RunResult:
    from dataclasses import replace

    return replace(run, results=tuple(replace(r, files=()) for r in run.results))
