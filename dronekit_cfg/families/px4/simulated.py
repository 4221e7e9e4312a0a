"""Makes the simulated PX4 copter behind `sim:px4-copter`.

It is a twin of the PX4 SITL of 2024-10 in what a configuration tool sees: settings, commands, telemetry of a vehicle at
rest, reboots. It does not fly and proves nothing about flight.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from random import Random

from dronekit_cfg.families.px4.simulated_bench import check_faults
from dronekit_cfg.families.px4.simulated_data import load_firmware
from dronekit_cfg.families.px4.simulated_files import make_files
from dronekit_cfg.families.px4.simulated_state import Unit
from dronekit_cfg.families.px4.simulated_vehicle import SimulatedPx4
from dronekit_cfg.sim.faults import NO_FAULTS, Faults, parse_faults
from dronekit_cfg.sim.memory import Memory
from dronekit_cfg.sim.others import LonelyGroundStation, Together
from dronekit_cfg.sim.twin_options import FIRST_ID, TwinOptions, check_target
from dronekit_cfg.sim.vehicle import SimulatedVehicle

__all__ = ["OPTIONS", "TARGET", "make_simulated"]

TARGET = "px4-copter"
OPTIONS: Mapping[str, str] = {
    "boot": "cold: the vehicle boots when it is first connected, instead of having been on for a while",
    "fault": "faults to show; `dronekit-cfg sim list` lists them",
    "fresh": "forget everything that this vehicle has stored",
    "id": "another vehicle with its own UID and memory; letters, digits, - and _",
    "metadata": "that the vehicle carries: own, none (default), or own with a checksum that is wrong: bad-crc",
    "seed": "of random faults; a whole number",
    "version": "that the vehicle tells: 1.16, or none as the recorded build without a version tag",
}
"""Every option of the URL and what it does."""

_VERSIONS = {"1.16": 0x01100040, "none": 0x000000FF}
"""The recorded build was on its way to 1.16 and bore no tag, so that it told 0.0.0."""


def make_simulated(target: str, options: Mapping[str, str], *, state_dir: Path | None) -> SimulatedVehicle:
    """Make a simulated vehicle that keeps its memory in a file in `state_dir`, or in RAM when that is None.

    Raises `UsageError` for a target, option or value that there is not, and `StateError` when the memory cannot be read
    or written.
    """
    check_target("px4", target, TARGET)
    given = TwinOptions(TARGET, options, OPTIONS)
    faults = parse_faults(given.text("fault"))
    check_faults(faults)
    if faults.gcs_only:
        return LonelyGroundStation()
    identifier = given.identifier
    memory = given.memory(state_dir, TARGET)
    vehicle = _copter(_unit(identifier), memory, faults, given)
    if not faults.second:
        return vehicle
    other = Memory()
    other.store("MAV_SYS_ID", 2)
    return Together(vehicle, _copter(_unit(identifier + "/second"), other, NO_FAULTS, given))


def _unit(identifier: str) -> Unit:
    """Give the identity: the first one is the recorded vehicle."""
    first = load_firmware().uid
    if identifier == FIRST_ID:
        return Unit(first)
    return Unit(int.from_bytes(hashlib.sha256(f"{TARGET}/{identifier}".encode()).digest()[:8], "little"))


def _copter(unit: Unit, memory: Memory, faults: Faults, given: TwinOptions) -> SimulatedPx4:
    carries = given.choice("metadata", "none", {"none": "", "own": "own", "bad-crc": "bad-crc"})
    return SimulatedPx4(
        load_firmware(),
        memory,
        unit,
        faults,
        flight_sw_version=given.choice("version", "1.16", _VERSIONS),
        random=Random(f"{given.seed}/{unit.uid}"),  # noqa: S311 - simulation, no secret
        cold=given.choice("boot", "", {"": False, "cold": True}),
        files=make_files(wrong_crc=carries == "bad-crc") if carries else None,
    )
