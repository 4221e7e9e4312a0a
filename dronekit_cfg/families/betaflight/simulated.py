"""Makes the simulated vehicle behind `sim:betaflight`.

It is a twin of the Betaflight SITL in what a configuration tool sees: MSP identification, the text CLI with its traps,
saving and reboots. It does not fly and proves nothing about flight.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random

from dronekit_cfg.errors import UsageError
from dronekit_cfg.families.betaflight.simulated_cli import BetaflightCli, TwinState
from dronekit_cfg.families.betaflight.simulated_data import load_twin
from dronekit_cfg.families.betaflight.simulated_faults import parse_cli_faults
from dronekit_cfg.families.betaflight.simulated_sensors import BenchSensors
from dronekit_cfg.families.betaflight.simulated_vehicle import CliVehicle, MspAnswers
from dronekit_cfg.sim.memory import Memory
from dronekit_cfg.sim.vehicle import SimulatedVehicle
from dronekit_cfg.text import t
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
    "fault": "faults to show, see dronekit_cfg.families.betaflight.simulated_faults",
    "fresh": "forget everything that this vehicle has stored",
    "id": "another vehicle with its own UID and memory; letters, digits, - and _",
    "parts": "bench: sensors, receiver, GNSS and battery at rest; none: nothing is connected, as on the simulator",
    "seed": "of random faults; a whole number",
    "version": "of the firmware",
}
_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
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
    if target != family:
        raise UsageError(
            t("there is no simulated vehicle {target!r} in the family {family}", target=target, family=family),
            hint=t("use sim:{family}", family=family),
        )
    if unknown := next((name for name in options if name not in OPTIONS), None):
        raise UsageError(
            t("sim:{family} has no option {name!r}", family=family, name=unknown),
            hint=t("the options are {known}", known=", ".join(OPTIONS)),
        )
    version = options.get("version", next(iter(versions)))
    if version not in versions:
        raise _wrong(family, "version", version, ", ".join(versions))
    identifier, seed = options.get("id", "1"), options.get("seed", "0")
    if not _ID.fullmatch(identifier):
        raise _wrong(family, "id", identifier, OPTIONS["id"])
    if not seed.lstrip("-").isdecimal():
        raise _wrong(family, "seed", seed, OPTIONS["seed"])
    parts = options.get("parts", "bench")
    if parts not in {"bench", "none"}:
        raise _wrong(family, "parts", parts, OPTIONS["parts"])
    data = load_twin(family, versions[version])
    path = state_dir / f"{family}-{versions[version]}-{identifier}.log" if state_dir else None
    fresh = options.get("fresh", "0").lower() in {"", "1", "true", "yes"}
    # All SITLs have the UID 0-1-2; a twin has its own, so that their states in the state folder are not mixed up.
    uid = hashlib.sha256(f"{family}/{versions[version]}/{identifier}".encode()).hexdigest()[:24]
    faults = parse_cli_faults(options.get("fault", ""))
    random = Random(f"{seed}/{uid}")  # noqa: S311  simulation, no secret
    vehicle = CliVehicle(data, Memory(path, fresh=fresh), faults, answers, cli, uid, random)
    vehicle.sensors = BenchSensors(family, faults.sensors) if parts == "bench" else None
    return vehicle


def _wrong(family: str, name: str, value: str, meaning: str) -> UsageError:
    return UsageError(
        t("option {name} of sim:{family} cannot be {value!r}", name=name, family=family, value=value),
        hint=t("{name}: {meaning}", name=name, meaning=meaning),
    )


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
