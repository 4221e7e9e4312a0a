"""Runs scenarios on real simulators: one process, one folder and its own ports for each, several at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from dronekit_cfg import __version__
from dronekit_cfg.engine.connection import Connection, LinkOptions, connect, utc_now
from dronekit_cfg.engine.interrupt import Stop
from dronekit_cfg.errors import DronekitError, Interrupted, LinkError, LinkLost, NoAnswer, VehicleError
from dronekit_cfg.events import Reporter, silent
from dronekit_cfg.formats.shipped import shipped
from dronekit_cfg.hil.bench import mavlink
from dronekit_cfg.hil.flight import Flight
from dronekit_cfg.hil.fly_betaflight import fly_betaflight
from dronekit_cfg.hil.fly_parallel import in_parallel
from dronekit_cfg.hil.fly_px4 import SPEEDUP, fly_px4
from dronekit_cfg.hil.fly_steps import FlyOptions, apply_goal, differences, fly_and_land, fresh
from dronekit_cfg.hil.scenario import Scenario
from dronekit_cfg.hil.seeds import draw, with_seed
from dronekit_cfg.hil.tlog import write_tlog
from dronekit_cfg.links.clock import RealClock
from dronekit_cfg.model import Identity
from dronekit_cfg.model.checked import Result, RunResult, Verdict
from dronekit_cfg.sitl.ardupilot import FIRST_INSTANCE, ArduCopterSitl
from dronekit_cfg.sitl.pace import Pace
from dronekit_cfg.sitl.programs import find_program
from dronekit_cfg.text import t

__all__ = ["Flown", "FlyOptions", "fly_all", "fly_one"]

Flown = tuple[Result, Identity | None]
"""The result of a flight, and who flew it."""

SPACING, SPREAD = 8, 28
"""Simulators of one run look for free ports this far apart, so that two that start at once do not meet."""
STARTS = 3
FLIGHTS = 3
BUSY = 0.1
"""Share of its time that we wait for a processor above which a failed flight says nothing. Seen on two cores beside PX4
and Betaflight: 0.2 with a busy program or two, where all flights pass; 0.6 to 0.8 with more, where some fail."""
SIM_VOLTS, VOLT_MULT = 12.6, 10.1
"""The simulated battery, and the BATT_VOLT_MULT that measures it right [libraries/AP_HAL_SITL/SITL_State.cpp]."""
_MODELS = {1: "+", 2: "hexa", 3: "octa", 4: "octa-quad", 5: "y6"}
"""The simulator's aircraft for each FRAME_CLASS, with the arms of FRAME_TYPE 0 [libraries/SITL/SIM_Frame.cpp]."""
_NAMES = {"arducopter": "ArduCopter", "px4": "PX4", "betaflight": "Betaflight"}
_SPEEDS = {"arducopter": 10.0, "px4": SPEEDUP, "betaflight": 1.0}


def fly_all(
    scenarios: Sequence[Scenario], options: FlyOptions, tell: Callable[[Result], None] = lambda _: None
) -> RunResult:
    """Fly all scenarios, `jobs` at a time; `tell` hears each result as it comes. Raises LinkOpenError, Interrupted."""
    vehicles = sorted({s.vehicle for s in scenarios})
    given = options.binary if len(vehicles) == 1 else ""
    binaries = {vehicle: str(find_program(vehicle, given)) for vehicle in vehicles}
    started, start = utc_now(), time.monotonic()
    results: dict[str, Result] = {}
    identity: Identity | None = None

    def take(found: Flown) -> None:
        nonlocal identity
        results[found[0].name] = found[0]
        identity = identity or found[1]
        tell(found[0])

    if options.jobs <= 1:
        for i, scenario in enumerate(scenarios):
            take(fly_one(scenario, replace(options, binary=binaries[scenario.vehicle]), i))
    else:
        items = [(i, s, replace(options, binary=binaries[s.vehicle])) for i, s in enumerate(scenarios)]
        for found in in_parallel(_spread, items, options.jobs, _lost):
            take(found)
    goal = options.goal
    return RunResult(
        "scenarios",
        t("Scenarios on {firmware} SITL", firmware=t(" and ").join(_NAMES[v] for v in vehicles)),
        tuple(results[s.name] for s in scenarios),
        identity,
        started,
        time.monotonic() - start,
        f"dronekit-cfg {__version__}",
        t("simulator, {x} times real time", x=t(" and ").join(f"{_speed(options, v):g}" for v in vehicles)),
        goal.profile if goal else "",
        goal.digest if goal else "",
    )


def _speed(options: FlyOptions, vehicle: str) -> float:
    return options.speedup if options.speedup and vehicle != "betaflight" else _SPEEDS[vehicle]


def _spread(item: tuple[int, Scenario, FlyOptions], stop: Stop) -> Flown:
    """Fly one of several in a process of its own."""
    number, scenario, options = item
    return fly_one(scenario, options, number, stop=stop)


def _lost(item: tuple[int, Scenario, FlyOptions]) -> Flown:
    scenario = item[1]
    remedy = t("fly it alone; run with fewer --jobs, as the computer may be short of memory")
    reason = t("the process that flew it ended")
    return with_seed(Result(scenario.name, scenario.title, Verdict.ERROR, reason, remedy=remedy), scenario), None


def fly_one(
    scenario: Scenario,
    options: FlyOptions,
    number: int = 0,
    report: Reporter = silent,
    stop: Stop | None = None,
) -> Flown:
    """Fly one scenario on a simulator of its own; a simulator that fails gives an ERROR, never an exception.

    With a `stop` of the caller's, signals are the caller's business. Raises Interrupted, after it has landed.

    A flight that fails on a busy computer, or on a simulator that hangs, says nothing about the settings: it is flown
    again at half the speed, and a note says so. What fails `FLIGHTS` times has failed.
    """
    if stop is None:
        with Stop().on_signals() as own:
            return fly_one(scenario, options, number, report, own)
    scenario = draw(scenario, None) if scenario.seed is None else scenario
    if options.goal is None:
        scenario = replace(scenario, settings={**scenario.baseline, **scenario.settings}, baseline={})
    speed = _speed(options, scenario.vehicle)
    again: list[str] = []
    while True:
        folder = options.folder / scenario.name / (f"again-{len(again)}" if again else "")
        folder.mkdir(parents=True, exist_ok=True)
        pace = Pace()
        given = replace(options, speedup=speed, folder=folder)
        result, identity, error = _fly(scenario, given, stop, number, report)
        why = "" if result.verdict is Verdict.PASS else _excuse(error, pace.waited())
        if not why or len(again) == FLIGHTS - 1:
            return with_seed(replace(result, notes=(*again, *result.notes)), scenario), identity
        speed = max(min(speed, 1.0), speed / 2)
        again.append(t("flown again, because {why}; before: {reason}", why=why, reason=result.reason))


def _excuse(error: DronekitError | None, waited: float) -> str:
    """Give why a failed flight says nothing about the settings, "" when it does."""
    if isinstance(error, NoAnswer):
        return t("the simulator hung")
    if waited > BUSY and (error is None or isinstance(error, VehicleError)):
        return t("this computer was busy (waited {share:.0%} of the time for a processor)", share=waited)
    return ""


def _fly(
    scenario: Scenario, options: FlyOptions, stop: Stop, number: int, report: Reporter
) -> tuple[Result, Identity | None, DronekitError | None]:
    """Fly it once, in the folder of the options; an error is told by the result too."""
    folder, started = options.folder, time.time()
    try:
        if scenario.vehicle == "px4":
            result, identity, notes, files = fly_px4(scenario, options, folder, stop, report)
        elif scenario.vehicle == "betaflight":
            result, identity, notes, files = fly_betaflight(scenario, options, folder, stop, report)
        else:
            result, identity, notes, files = _fly_arducopter(scenario, options, folder, stop, number, report)
    except Interrupted:
        raise
    except DronekitError as error:
        left = (folder / "link.jsonl", *sorted((folder / "logs").glob("*.BIN")), folder / "simulator.log")
        kept = (*(f for f in left if f.exists()), *_telemetry_log(scenario, folder, started))
        failed = Result(scenario.name, scenario.title, Verdict.ERROR, error.message, remedy=error.hint)
        return replace(failed, files=tuple(map(str, kept))), None, error
    kept = (*files, *_telemetry_log(scenario, folder, started))
    return replace(result, notes=(*notes, *result.notes), files=tuple(map(str, kept))), identity, None


def _telemetry_log(scenario: Scenario, folder: Path, started: float) -> tuple[Path, ...]:
    """Make what ground stations read of the recording of a MAVLink vehicle; gives where it is."""
    if scenario.vehicle == "betaflight":
        return ()
    log = folder / "flight.tlog"
    with suppress(OSError):
        write_tlog(folder / "link.jsonl", log, started)
        return (log,)
    return ()


def _fly_arducopter(
    scenario: Scenario, options: FlyOptions, folder: Path, stop: Stop, number: int, report: Reporter
) -> tuple[Result, Identity, tuple[str, ...], tuple[Path, ...]]:
    """Fly it; gives the result, who flew, what the rules had to say before, and the files to keep."""
    defaults = [shipped("hil") / "simulator" / "arducopter-quad.param"]
    if options.goal is None and scenario.settings:
        own = folder / "scenario.param"
        own.write_text("".join(f"{n},{v:g}\n" for n, v in scenario.settings.items()), "utf-8")
        defaults.append(own)
    clock = RealClock()
    # The engine tells a reboot by the vehicle's uptime against our clock, so a profile is applied in real time.
    sitl = ArduCopterSitl(
        Path(options.binary),
        folder,
        clock,
        defaults,
        1.0 if options.goal else options.speedup,
        _model(options, scenario.settings),
    )
    try:
        url = _start(sitl, number)
        link = LinkOptions(url, family="ardupilot", record=fresh(folder / "link.jsonl"), state_dir=options.state_dir)
        with connect(link, clock=clock, report=report, stop=stop) as connection:
            identity = connection.identity
            notes = (
                _prepare(connection, options, {**_surroundings(options), **scenario.settings}) if options.goal else ()
            )
            result = fly_and_land(connection, Flight(mavlink(connection), sitl.send_radio), scenario)
            result = replace(result, differs=differences(connection, options, scenario))
    except Interrupted:
        raise
    except DronekitError as error:
        if sitl.running:
            raise
        said = sitl.last_words or error.message
        raise LinkLost(t("the simulator ended: {log}", log=said), hint=error.hint) from error
    finally:
        sitl.stop()
    return result, identity, notes, (*sorted((folder / "logs").glob("*.BIN")), folder / "link.jsonl")


def _model(options: FlyOptions, settings: Mapping[str, float]) -> str:
    """Give the simulator's aircraft: as many motors as the settings say."""
    wanted = {**settings, **_wanted(options)}
    return _MODELS.get(int(wanted.get("FRAME_CLASS", 1)), _MODELS[1])


def _surroundings(options: FlyOptions) -> dict[str, float]:
    """Give what the simulator has to be for a profile: a full battery of its cells, or it would not arm.

    The simulated motors get their thrust from the simulated volts, so these stay; the vehicle measures more of them.
    """
    full = _wanted(options).get("MOT_BAT_VOLT_MAX")
    return {"BATT_VOLT_MULT": VOLT_MULT * full / SIM_VOLTS} if full else {}


def _wanted(options: FlyOptions) -> dict[str, float]:
    given = options.goal.wanted if options.goal else ()
    return {w.name: float(w.value) for w in given if isinstance(w.value, int | float)}


def _start(sitl: ArduCopterSitl, number: int) -> str:
    for attempt in range(STARTS):
        sitl.first_instance = FIRST_INSTANCE + SPACING * (number % SPREAD) + attempt
        try:
            return sitl.start()
        except LinkError:
            if attempt == STARTS - 1:
                raise
    raise AssertionError


def _prepare(connection: Connection, options: FlyOptions, settings: Mapping[str, float]) -> tuple[str, ...]:
    """Apply the profile under test, then what the scenario needs, and reboot; gives what the rules had to say."""
    notes = apply_goal(connection, options)
    flight = Flight(mavlink(connection))
    if settings:
        connection.run(flight.write_all(settings))
        connection.reboot()
    connection.run(flight.write_all({"SIM_SPEEDUP": options.speedup}))
    return notes
