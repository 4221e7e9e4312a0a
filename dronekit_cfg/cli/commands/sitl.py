"""`sitl`: real simulators: scenarios flown on the real firmware of ArduCopter, PX4 and Betaflight."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from dronekit_cfg.cli.commands.hil import JsonFileOption, JunitOption, ReportOption
from dronekit_cfg.cli.commands.sitl_matrix import matrix
from dronekit_cfg.cli.commands.sitl_run import run
from dronekit_cfg.cli.flights import (
    KeepOption,
    ScenarioNames,
    SeedOption,
    SeedsOption,
    SpeedupOption,
    resolved_for,
    seeds_of,
    teller,
    vehicle_of,
    without_files,
)
from dronekit_cfg.cli.options import Offline, new_app, option, verb
from dronekit_cfg.cli.output import Output
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.planner.plan import Goal

__all__ = ["app", "list_scenarios", "scenario"]

app = new_app(t("Fly on the real simulator of a firmware."), no_args_is_help=True)
verb(app, "run")(run)
verb(app, "matrix")(matrix)


@verb(app)
def scenario(
    out: Output,
    options: Offline,
    names: ScenarioNames,
    profile: Annotated[
        str, option("--profile", "-p", metavar="PROFILE", help=t("Fly with this profile, applied by our own engine."))
    ] = "",
    binary: Annotated[
        str, option("--binary", metavar="FILE", help=t("The SITL; else DRONEKIT_CFG_ARDUCOPTER, _PX4 or PATH."))
    ] = "",
    speedup: SpeedupOption = 0.0,
    jobs: Annotated[int, option("--jobs", "-j", metavar="N", min=1, max=64, help=t("Flights at the same time."))] = 1,
    seeds: SeedsOption = 0,
    seed: SeedOption = None,
    keep: KeepOption = None,
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
    from dronekit_cfg.hil.fly import FlyOptions, fly_all
    from dronekit_cfg.hil.scenario import find_scenarios
    from dronekit_cfg.hil.seeds import seeded
    from dronekit_cfg.model.checked import Verdict
    from dronekit_cfg.reports.json_run import run_data

    vehicle = {"ardupilot": "arducopter"}.get(options.family, options.family) or vehicle_of(binary)
    flights = {s.name: s for name in names for s in find_scenarios(name, vehicle)}
    flown = seeded(flights.values(), seeds_of(seeds, seed))
    goal = _goal(profile, options, {s.vehicle for s in flown}) if profile else None
    with tempfile.TemporaryDirectory(prefix="dronekit-cfg-", ignore_cleanup_errors=True) as scratch:
        given = FlyOptions(keep or Path(scratch), binary, speedup, jobs, goal, options.state_dir)
        found = fly_all(flown, given, teller(out))
        if keep is None:
            found = without_files(found)
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
    rows = [
        (s.name, s.vehicle, t("yes") if s.is_random else "", s.title, s.expect_failure or s.known_gap) for s in flights
    ]
    listed = [
        {"name": s.name, "vehicle": s.vehicle, "title": s.title, "note": note, "random": s.is_random}
        for s, (*_, note) in zip(flights, rows, strict=True)
    ]
    out.document("sitl list", 0, scenarios=listed)
    out.show(
        simple_table(
            (t("Scenario"), t("Flown by"), t("Seeds"), t("What happens"), t("Planted mistake or known gap")), rows
        )
    )
    return 0


def _goal(profile: str, options: Offline, vehicles: set[str]) -> Goal:
    """Resolve the profile for the one family that flies. Raises UsageError where two do."""
    from dronekit_cfg.engine.goals import goal_from_profile
    from dronekit_cfg.errors import UsageError

    if len(vehicles) > 1:
        raise UsageError(
            t("{vehicles} fly these scenarios, and a profile is for one", vehicles=", ".join(sorted(vehicles))),
            hint=t("fly the scenarios of one firmware at a time, or `dronekit-cfg sitl matrix`"),
        )
    (vehicle,) = vehicles
    return goal_from_profile(resolved_for(profile, options, vehicle))
