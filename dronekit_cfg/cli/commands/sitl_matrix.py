"""`sitl matrix`: every profile with every scenario on every firmware program, over all cores."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from dronekit_cfg.cli.commands.hil import JsonFileOption, JunitOption, ReportOption
from dronekit_cfg.cli.flights import (
    KeepOption,
    ScenarioNames,
    SeedOption,
    SeedsOption,
    SpeedupOption,
    family_of,
    resolved_for,
    seeds_of,
    teller,
    vehicle_of,
    without_files,
)
from dronekit_cfg.cli.options import Offline, option
from dronekit_cfg.cli.output import Output
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.hil.matrix import Cell
    from dronekit_cfg.hil.scenario import Scenario
    from dronekit_cfg.planner.plan import Goal

__all__ = ["matrix"]


def matrix(
    out: Output,
    options: Offline,
    names: ScenarioNames,
    profiles_flown: Annotated[
        list[str] | None,
        option("--profile", "-p", metavar="PROFILE", help=t("A profile under test; repeatable. None: own settings.")),
    ] = None,
    binaries: Annotated[
        list[str] | None,
        option("--binary", metavar="FILE", help=t("A simulator program; repeatable. None: the one that is found.")),
    ] = None,
    speedup: SpeedupOption = 0.0,
    jobs: Annotated[
        int, option("--jobs", "-j", metavar="N", min=0, max=64, help=t("Flights at the same time; 0: one a core."))
    ] = 0,
    seeds: SeedsOption = 0,
    seed: SeedOption = None,
    keep: KeepOption = None,
    report: ReportOption = None,
    junit: JunitOption = None,
    json_file: JsonFileOption = None,
) -> int:
    """Fly every scenario with every profile on every firmware program, and give a table of the verdicts.

    A profile that is for another family than a program is left out there, and said so. Needs pytest-xdist
    (`dronekit-cfg[matrix]`).
    Exit code 0: all flights went as their data says; 1: at least one did not.
    """
    import os
    import tempfile

    from dronekit_cfg.cli.render_matrix import render_matrix
    from dronekit_cfg.cli.render_run import write_reports
    from dronekit_cfg.hil.matrix import fly_matrix
    from dronekit_cfg.hil.scenario import find_scenarios
    from dronekit_cfg.hil.seeds import seeded
    from dronekit_cfg.model.checked import Verdict
    from dronekit_cfg.reports.json_run import run_data

    programs = [(vehicle_of(b), b) for b in binaries or ()]
    family = {"ardupilot": "arducopter"}.get(options.family, options.family)
    meant = [family] if family else list(dict.fromkeys(v for v, _ in programs)) or ["arducopter"]
    flights = {s.name: s for name in names for v in meant for s in find_scenarios(name, v)}
    flown = seeded(flights.values(), seeds_of(seeds, seed))
    with tempfile.TemporaryDirectory(prefix="dronekit-cfg-", ignore_cleanup_errors=True) as scratch:
        given = Path(scratch)
        cells = _cells(flown, profiles_flown or [""], programs, options, (keep or given).absolute(), speedup)
        exchange = given / "workers"
        exchange.mkdir()
        found = fly_matrix(cells, exchange, jobs or os.cpu_count() or 1, teller(out))
        if keep is None:
            found = without_files(found)
    write_reports(found, report=report, junit=junit, json_file=json_file)
    code = 0 if found.verdict is Verdict.PASS else 1
    out.document("sitl matrix", code, **run_data(found))
    render_matrix(out, found, report)
    return code


def _cells(
    scenarios: Sequence[Scenario],
    profiles: Sequence[str],
    programs: Sequence[tuple[str, str]],
    options: Offline,
    folder: Path,
    speedup: float,
) -> list[Cell]:
    """Give all flights, scenario by scenario. Raises LinkOpenError where a program is missing, and of profiles."""
    from dronekit_cfg.hil.fly_steps import FlyOptions
    from dronekit_cfg.hil.matrix import Cell, Column
    from dronekit_cfg.sitl.programs import find_program

    vehicles = list(dict.fromkeys(s.vehicle for s in scenarios))
    named = {v: [b for vehicle, b in programs if vehicle == v] or [""] for v in vehicles}
    columns: list[tuple[str, Column, FlyOptions, str]] = []
    for vehicle in vehicles:
        for program in (str(find_program(vehicle, binary)) for binary in named[vehicle]):
            for profile in profiles:
                goal, misfit = _goal(profile, options, vehicle)
                place = folder / f"{len(columns) + 1}"
                columns.append(
                    (
                        vehicle,
                        Column(profile, goal.digest if goal else "", program),
                        FlyOptions(place, program, speedup, 1, goal, options.state_dir),
                        misfit,
                    )
                )
    return [
        Cell(scenario, column, given, misfit)
        for scenario in scenarios
        for vehicle, column, given, misfit in columns
        if vehicle == scenario.vehicle
    ]


def _goal(profile: str, options: Offline, vehicle: str) -> tuple[Goal | None, str]:
    """Give the goal of a profile, None where none is flown; and why this vehicle cannot have it, else ""."""
    from dronekit_cfg.cli.session import library_for
    from dronekit_cfg.engine.goals import goal_from_profile

    if not profile:
        return None, ""
    family = family_of(vehicle)
    known = library_for(options.profiles, options.state_dir).families(profile.split("+", maxsplit=1)[0])
    if known and family not in known:
        return None, t("{profile} is for {families}", profile=profile, families=", ".join(sorted(known)))
    resolved = resolved_for(profile, options, vehicle)
    if resolved.family != family:
        return None, t("{profile} is for {families}", profile=profile, families=resolved.family)
    return goal_from_profile(resolved), ""
