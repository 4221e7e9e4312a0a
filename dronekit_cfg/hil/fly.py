"""Runs scenarios on real simulators: one process, one folder and its own ports for each, several at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

from dronekit_cfg import __version__
from dronekit_cfg.engine.connection import Connection, LinkOptions, connect, utc_now
from dronekit_cfg.engine.interrupt import Stop
from dronekit_cfg.errors import DronekitError, Interrupted, LinkError
from dronekit_cfg.events import Reporter, silent
from dronekit_cfg.formats.shipped import shipped
from dronekit_cfg.hil.bench import mavlink
from dronekit_cfg.hil.flight import Flight
from dronekit_cfg.hil.judge_flight import judge_flight
from dronekit_cfg.hil.scenario import Scenario
from dronekit_cfg.links.clock import RealClock
from dronekit_cfg.model import Identity
from dronekit_cfg.model.checked import Result, RunResult, Verdict
from dronekit_cfg.planner.plan import Goal
from dronekit_cfg.sitl.ardupilot import FIRST_INSTANCE, ArduCopterSitl, find_arducopter
from dronekit_cfg.text import t

__all__ = ["FlyOptions", "fly_all", "fly_one"]

SPACING, SPREAD = 8, 28
"""Simulators of one run look for free ports this far apart, so that two that start at once do not meet."""
STARTS = 3


@dataclass(frozen=True, slots=True)
class FlyOptions:
    """How scenarios are flown. `goal` is the profile under test; `folder` gets one folder per scenario."""

    folder: Path
    binary: str = ""
    speedup: float = 10.0
    jobs: int = 1
    goal: Goal | None = None
    state_dir: Path | None = None


def fly_all(
    scenarios: Sequence[Scenario], options: FlyOptions, tell: Callable[[Result], None] = lambda _: None
) -> RunResult:
    """Fly all scenarios, `jobs` at a time; `tell` hears each result as it comes. Raises LinkOpenError, Interrupted."""
    binary = str(find_arducopter(options.binary))
    options = replace(options, binary=binary)
    started, start = utc_now(), time.monotonic()
    results: dict[str, Result] = {}
    identity: Identity | None = None

    def take(found: tuple[Result, Identity | None]) -> None:
        nonlocal identity
        results[found[0].name] = found[0]
        identity = identity or found[1]
        tell(found[0])

    if options.jobs <= 1:
        for i, scenario in enumerate(scenarios):
            take(fly_one(scenario, options, i))
    else:
        for found in _parallel(scenarios, options):
            take(found)
    goal = options.goal
    return RunResult(
        "scenarios",
        t("Scenarios on ArduCopter SITL"),
        tuple(results[s.name] for s in scenarios),
        identity,
        started,
        time.monotonic() - start,
        f"dronekit-cfg {__version__}",
        t("simulator, {x:g} times real time", x=options.speedup),
        goal.profile if goal else "",
        goal.digest if goal else "",
    )


def _parallel(scenarios: Sequence[Scenario], options: FlyOptions) -> Iterable[tuple[Result, Identity | None]]:
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(fly_one, s, options, i) for i, s in enumerate(scenarios)]
        try:
            for future in as_completed(waiting):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def fly_one(
    scenario: Scenario, options: FlyOptions, number: int = 0, report: Reporter = silent
) -> tuple[Result, Identity | None]:
    """Fly one scenario on a simulator of its own; a simulator that fails gives an ERROR, never an exception."""
    folder = options.folder / scenario.name
    folder.mkdir(parents=True, exist_ok=True)
    defaults = [shipped("hil") / "simulator" / "arducopter-quad.param"]
    usual = {**scenario.baseline, **scenario.settings}
    if options.goal is None and usual:
        own = folder / "scenario.param"
        own.write_text("".join(f"{n},{v:g}\n" for n, v in usual.items()), "utf-8")
        defaults.append(own)
    clock = RealClock()
    # The engine tells a reboot by the vehicle's uptime against our clock, so a profile is applied in real time.
    sitl = ArduCopterSitl(Path(options.binary), folder, clock, defaults, 1.0 if options.goal else options.speedup)
    stop = Stop()
    try:
        with stop.on_signals():
            url = _start(sitl, number)
            link = LinkOptions(
                url, family="ardupilot", record=_fresh(folder / "link.jsonl"), state_dir=options.state_dir
            )
            with connect(link, clock=clock, report=report, stop=stop) as connection:
                identity = connection.identity
                notes = _prepare(connection, options, scenario.settings) if options.goal else ()
                result = _fly(connection, sitl, scenario)
                result = replace(result, notes=(*notes, *result.notes))
    except Interrupted:
        raise
    except DronekitError as error:
        reason = (
            error.message if sitl.running else t("the simulator ended: {log}", log=sitl.last_words or error.message)
        )
        return Result(scenario.name, scenario.title, Verdict.ERROR, reason, remedy=error.hint), None
    finally:
        sitl.stop()
    logs = sorted((folder / "logs").glob("*.BIN"))
    return replace(result, files=tuple(str(f) for f in (*logs, folder / "link.jsonl"))), identity


def _fresh(path: Path) -> Path:
    path.unlink(missing_ok=True)
    return path


def _start(sitl: ArduCopterSitl, number: int) -> str:
    for attempt in range(STARTS):
        sitl.first_instance = FIRST_INSTANCE + SPACING * (number % SPREAD) + attempt
        try:
            return sitl.start()
        except LinkError:
            if attempt == STARTS - 1:
                raise
    raise AssertionError


def _fly(connection: Connection, sitl: ArduCopterSitl, scenario: Scenario) -> Result:
    """Fly and land. A stop request lands first, then is passed on."""
    flight = Flight(mavlink(connection), sitl.send_radio)
    before = flight.listen()
    try:
        recording = connection.run(flight.fly(scenario))
    except Interrupted:
        with connection.stop.shield():
            connection.run(flight.land())
        raise
    else:
        result = judge_flight(scenario, recording)
        connection.run(flight.land())
        return result
    finally:
        connection.session.report = before


def _prepare(connection: Connection, options: FlyOptions, settings: Mapping[str, float]) -> tuple[str, ...]:
    """Apply the profile under test with our own engine, then what the scenario itself needs, and reboot.

    What the rules have against the profile is flown all the same, because a simulator is where its effect can be seen;
    the findings are given back as notes.
    """
    from dronekit_cfg.engine.judge import Terms
    from dronekit_cfg.engine.state import StateDir
    from dronekit_cfg.engine.transaction import ApplyOptions, apply, prepare
    from dronekit_cfg.errors import VehicleError
    from dronekit_cfg.model.receipt import Result as Ended

    assert options.goal is not None
    state = StateDir(options.folder / "state")
    plan = prepare(connection, options.goal, state).plan
    receipt = apply(connection, options.goal, state, ApplyOptions(terms=Terms(simulator=True)))
    if receipt.result not in (Ended.DONE, Ended.UNCHANGED):
        raise VehicleError(
            t("the profile could not be applied to the simulator: {result}", result=receipt.result),
            hint=t("run `dronekit-cfg apply` against a simulator to see why"),
        )
    flight = Flight(mavlink(connection), lambda _: None)
    if settings:
        connection.run(flight.write_all(settings))
        connection.reboot()
    connection.run(flight.write_all({"SIM_SPEEDUP": options.speedup}))
    blocking = [f for f in plan.findings if f.severity in {"error", "warning"}]
    return tuple(t("rule {id}: {message}", id=f.id, message=f.message) for f in blocking)
