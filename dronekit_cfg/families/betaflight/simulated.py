"""Makes the simulated vehicle behind `sim:betaflight`.

It is a twin of the Betaflight SITL in what a configuration tool sees: MSP identification, the text CLI with its traps,
saving and reboots. It does not fly and proves nothing about flight.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

from dronekit_cfg.families.betaflight.simulated_cli import BetaflightCli, TwinState
from dronekit_cfg.families.betaflight.simulated_data import load_twin
from dronekit_cfg.families.betaflight.simulated_faults import parse_cli_faults
from dronekit_cfg.families.betaflight.simulated_sensors import BenchSensors
from dronekit_cfg.families.betaflight.simulated_vehicle import CliVehicle, MspAnswers
from dronekit_cfg.sim.twin_options import TwinOptions, check_target
from dronekit_cfg.sim.vehicle import SimulatedVehicle
from dronekit_cfg.wire.msp import Direction, MspFrame
from dronekit_cfg.wire.msp_messages import Code

__all__ = ["OPTIONS", "TARGET", "VERSIONS", "make_simulated", "make_twin"]

TARGET = "betaflight"
VERSIONS: Mapping[str, str] = {
    "2026.12": "2026.12.0-alpha",
    "2026.12.0-alpha": "2026.12.0-alpha",
    "4.6": "4.6.0",
    "4.6.0": "4.6.0",
}
"""What may be written behind `version=`; the first is the one that is taken without it."""
OPTIONS: Mapping[str, str] = {
    "fault": "faults to show; `dronekit-cfg sim list` lists them",
    "fresh": "forget everything that this vehicle has stored",
    "id": "another vehicle with its own UID and memory; letters, digits, - and _",
    "parts": "bench: sensors, receiver, GNSS and battery at rest; none: nothing is connected, as on the simulator",
    "seed": "of random faults; a whole number",
    "version": "of the firmware",
}
_ARM_FLAG_RXLOSS = 2


def make_simulated(target: str, options: Mapping[str, str], *, state_dir: Path | None) -> SimulatedVehicle:
    """Make a simulated vehicle that keeps its memory in a file in `state_dir`, or in RAM when that is None.

    Raises UsageError for a target, option or value that there is not.
    """
    return make_twin(TARGET, target, options, state_dir, VERSIONS, _answer, BetaflightCli)


def make_twin(
    family: str,
    target: str,
    options: Mapping[str, str],
    state_dir: Path | None,
    versions: Mapping[str, str],
    answers: MspAnswers,
    cli: Callable[[TwinState, Callable[[], None]], BetaflightCli],
) -> CliVehicle:
    """Make the twin of a text CLI family; see `make_simulated`."""
    check_target(family, target, family)
    given = TwinOptions(family, options, {**OPTIONS, "version": f"of the firmware: {', '.join(versions)}"})
    version = given.choice("version", next(iter(versions)), versions)
    memory = given.memory(state_dir, f"{family}-{version}")
    # All SITLs have the UID 0-1-2; a twin has its own, so that their states in the state folder are not mixed up.
    uid = hashlib.sha256(f"{family}/{version}/{given.identifier}".encode()).hexdigest()[:24]
    faults = parse_cli_faults(given.text("fault"))
    random = Random(f"{given.seed}/{uid}")  # noqa: S311  simulation, no secret
    vehicle = CliVehicle(load_twin(family, version), memory, faults, answers, cli, uid, random)
    bench = given.choice("parts", "bench", {"bench": True, "none": False})
    vehicle.sensors = BenchSensors(family, faults.sensors) if bench else None
    return vehicle


def _answer(request: MspFrame, state: TwinState, armed: bool) -> bytes | None:
    """Give the payload that Betaflight answers with, None for a refusal."""
    if request.code == Code.REBOOT:
        return None if armed else request.payload[:1] or b"\0"
    if request.code == Code.BOXIDS:
        return bytes([0, 1, 2])
    recorded = state.data.msp.get((request.code, request.payload))
    if recorded is None or recorded.direction is Direction.REFUSAL:
        return None
    if armed and request.code == Code.STATUS_EX:
        return recorded.payload[:6] + bytes([recorded.payload[6] | 1]) + recorded.payload[7:]
    return recorded.payload
