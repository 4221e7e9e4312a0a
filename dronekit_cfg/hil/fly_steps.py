"""What flights have in common whatever firmware flies: options, the profile under test, the flight, the landing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from dronekit_cfg.engine.connection import Connection
from dronekit_cfg.errors import Interrupted, LinkError, VehicleError
from dronekit_cfg.events import Reporter
from dronekit_cfg.hil.holds import differing
from dronekit_cfg.hil.judge_flight import judge_flight
from dronekit_cfg.hil.recording import Recording
from dronekit_cfg.hil.scenario import Scenario
from dronekit_cfg.model.checked import Difference, Result
from dronekit_cfg.planner.plan import Goal
from dronekit_cfg.talk.flow import Flow
from dronekit_cfg.text import t

__all__ = ["Flies", "FlyOptions", "apply_goal", "differences", "fly_and_land", "fresh"]


@dataclass(frozen=True, slots=True)
class FlyOptions:
    """How scenarios are flown. `goal` is the profile under test; `folder` gets one folder per scenario.

    `binary` is the simulator; where scenarios of two firmwares are flown, each is looked for instead. A `speedup` of 0
    is what the firmware can follow well.
    """

    folder: Path
    binary: str = ""
    speedup: float = 0.0
    jobs: int = 1
    goal: Goal | None = None
    state_dir: Path | None = None


class Flies(Protocol):
    """One flight of one firmware."""

    def listen(self) -> Reporter:
        """Take the vehicle's texts from now on; gives the reporter that was there."""

    def fly(self, scenario: Scenario) -> Flow[Recording]:
        """Carry out a scenario up to its end."""

    def land(self) -> Flow[None]:
        """Bring it down and switch it off, whatever it does now."""


def fly_and_land(connection: Connection, flight: Flies, scenario: Scenario) -> Result:
    """Fly and land. A stop request lands first, then is passed on."""
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


def apply_goal(connection: Connection, options: FlyOptions) -> tuple[str, ...]:
    """Apply the profile under test with our own engine.

    What the rules have against the profile is flown all the same, because a simulator is where its effect can be seen;
    the findings are given back as notes. Raises VehicleError when it cannot be applied.
    """
    from dronekit_cfg.engine.judge import Terms
    from dronekit_cfg.engine.state import StateDir
    from dronekit_cfg.engine.transaction import ApplyOptions, apply, prepare
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
    blocking = [f for f in plan.findings if f.severity in {"error", "warning"}]
    return tuple(t("rule {id}: {message}", id=f.id, message=f.message) for f in blocking)


def differences(connection: Connection, options: FlyOptions, scenario: Scenario) -> tuple[Difference, ...] | None:
    """Give the settings that the vehicle holds otherwise than the profile under test asks for, and why.

    None when no profile was flown, or when the vehicle cannot be read any more.
    """
    from dronekit_cfg.engine.state import StateDir
    from dronekit_cfg.engine.transaction import prepare

    if options.goal is None:
        return None
    try:
        plan = prepare(connection, options.goal, StateDir(options.folder / "state")).plan
    except LinkError:
        return None
    ours = {*scenario.settings, *(name for step in scenario.steps for name in step.settings)}
    ours |= {step.ramp.setting for step in scenario.steps if step.ramp}
    return differing(plan, lambda name: t("the scenario sets it") if name in ours else t("changed in flight"))


def fresh(path: Path) -> Path:
    """Give the path of a file that is not there any more."""
    path.unlink(missing_ok=True)
    return path
