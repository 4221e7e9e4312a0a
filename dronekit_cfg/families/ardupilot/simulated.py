"""Makes the simulated ArduCopter behind `sim:ardupilot-copter`.

It is a twin of the ArduCopter SITL of 4.5.6 or 4.7-dev in what a configuration tool sees: parameters, file transfer,
commands, texts, telemetry of a vehicle at rest, reboots. It does not fly and proves nothing about flight.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random

from dronekit_cfg.families.ardupilot.simulated_core import Core, Identity, derived_identity
from dronekit_cfg.families.ardupilot.simulated_data import Firmware, load_firmware
from dronekit_cfg.families.ardupilot.simulated_params import ParameterStore
from dronekit_cfg.families.ardupilot.simulated_vehicle import SimulatedCopter
from dronekit_cfg.sim.faults import NO_FAULTS, Faults, parse_faults
from dronekit_cfg.sim.memory import Memory
from dronekit_cfg.sim.others import LonelyGroundStation, Together
from dronekit_cfg.sim.twin_options import FIRST_ID, TwinOptions, check_target
from dronekit_cfg.sim.vehicle import SimulatedVehicle

__all__ = ["OPTIONS", "TARGET", "make_simulated"]

TARGET = "ardupilot-copter"
OPTIONS: Mapping[str, str] = {
    "boot": "cold: the vehicle boots when it is first connected, instead of having been on for a while",
    "fault": "faults to show; `dronekit-cfg sim list` lists them",
    "fresh": "forget everything that this vehicle has stored",
    "id": "another vehicle with its own UID and memory; letters, digits, - and _",
    "port": "which port of the vehicle this is: usb, or radio, which takes unsigned messages no more once it has a key",
    "seed": "of the noise and of random faults; a whole number",
    "streams": "send all telemetry streams at this rate in Hz from the start",
    "version": "of the firmware: 4.5 or 4.7",
}
"""Every option of the URL and what it does."""

MAX_RATE = 50.0


def make_simulated(target: str, options: Mapping[str, str], *, state_dir: Path | None) -> SimulatedVehicle:
    """Make a simulated vehicle that keeps its memory in a file in `state_dir`, or in RAM when that is None.

    The same options make the same vehicle. Raises `UsageError` for a target, option or value that there is not, and
    `StateError` when the memory cannot be read or written.
    """
    check_target("ardupilot", target, TARGET)
    given = TwinOptions(TARGET, options, OPTIONS)
    faults = parse_faults(given.text("fault"))
    if faults.gcs_only:
        return LonelyGroundStation()
    firmware = load_firmware(given.text("version", "4.7"))
    identifier = given.identifier
    memory = given.memory(state_dir, f"{TARGET}-{firmware.version}")
    identity = (
        Identity(firmware.system_id)
        if identifier == FIRST_ID
        else derived_identity(TARGET, firmware.version, identifier)
    )
    vehicle = _copter(firmware, identity, memory, faults, given)
    if not faults.second:
        return vehicle
    other = Memory()
    other.store(firmware.sysid_name, 2)
    stranger = derived_identity(TARGET, firmware.version, identifier, "second")
    return Together(vehicle, _copter(firmware, stranger, other, NO_FAULTS, given))


def _copter(
    firmware: Firmware, identity: Identity, memory: Memory, faults: Faults, given: TwinOptions
) -> SimulatedCopter:
    core = Core(
        firmware=firmware,
        identity=identity,
        store=ParameterStore(firmware.parameters, memory, denied=faults.deny),
        memory=memory,
        faults=faults,
        random=Random(f"{given.seed}/{identity.system_id}"),  # noqa: S311 - simulation, no secret
    )
    return SimulatedCopter(
        core,
        seed=given.seed,
        cold=given.choice("boot", "", {"": False, "cold": True}),
        stream_rate=given.number("streams", 0, MAX_RATE),
        usb=given.choice("port", "usb", {"usb": True, "radio": False}),
    )
