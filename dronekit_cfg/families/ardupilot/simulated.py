"""Makes the simulated ArduCopter behind `sim:ardupilot-copter`.

It is a twin of the ArduCopter SITL of 4.5.6 or 4.7-dev in what a configuration tool sees: parameters, file transfer,
commands, texts, telemetry of a vehicle at rest, reboots. It does not fly and proves nothing about flight.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from random import Random

from dronekit_cfg.errors import UsageError
from dronekit_cfg.families.ardupilot.simulated_core import Core, Identity, derived_identity
from dronekit_cfg.families.ardupilot.simulated_data import Firmware, load_firmware
from dronekit_cfg.families.ardupilot.simulated_params import ParameterStore
from dronekit_cfg.families.ardupilot.simulated_vehicle import SimulatedCopter
from dronekit_cfg.sim.faults import NO_FAULTS, Faults, parse_faults
from dronekit_cfg.sim.memory import Memory
from dronekit_cfg.sim.others import LonelyGroundStation, Together
from dronekit_cfg.sim.vehicle import SimulatedVehicle
from dronekit_cfg.text import t

__all__ = ["OPTIONS", "TARGET", "make_simulated"]

TARGET = "ardupilot-copter"
OPTIONS: Mapping[str, str] = {
    "boot": "cold: the vehicle boots when it is first connected, instead of having been on for a while",
    "fault": "faults to show, see dronekit_cfg.sim.faults",
    "fresh": "forget everything that this vehicle has stored",
    "id": "another vehicle with its own UID and memory; letters, digits, - and _",
    "port": "which port of the vehicle this is: usb, or radio, which takes unsigned messages no more once it has a key",
    "seed": "of the noise and of random faults; a whole number",
    "streams": "send all telemetry streams at this rate in Hz from the start",
    "version": "of the firmware: 4.5 or 4.7",
}
"""Every option of the URL and what it does."""

_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_YES, _NO = frozenset({"", "1", "true", "yes"}), frozenset({"0", "false", "no"})
FIRST_ID = "1"
MAX_RATE = 50.0


def make_simulated(target: str, options: Mapping[str, str], *, state_dir: Path | None) -> SimulatedVehicle:
    """Make a simulated vehicle that keeps its memory in a file in `state_dir`, or in RAM when that is None.

    The same options make the same vehicle. Raises `UsageError` for a target, option or value that there is not, and
    `StateError` when the memory cannot be read or written.
    """
    if target != TARGET:
        raise UsageError(
            t("there is no simulated vehicle {target!r} in the family ardupilot", target=target),
            hint=t("use sim:{known}", known=TARGET),
        )
    for name in options:
        if name not in OPTIONS:
            raise UsageError(
                t("sim:{target} has no option {name!r}", target=TARGET, name=name),
                hint=t("the options are {known}", known=", ".join(OPTIONS)),
            )
    faults = parse_faults(options.get("fault", ""))
    if faults.gcs_only:
        return LonelyGroundStation()
    firmware = load_firmware(options.get("version", "4.7"))
    identifier = _identifier(options.get("id", FIRST_ID))
    path = None
    if state_dir is not None:
        path = state_dir / f"{TARGET}-{firmware.version}-{identifier}.log"
    memory = Memory(path, fresh=_flag("fresh", options.get("fresh", "0")))
    identity = (
        Identity(firmware.system_id)
        if identifier == FIRST_ID
        else derived_identity(TARGET, firmware.version, identifier)
    )
    vehicle = _copter(firmware, identity, memory, faults, options)
    if not faults.second:
        return vehicle
    other = Memory()
    other.store(firmware.sysid_name, 2)
    stranger = derived_identity(TARGET, firmware.version, identifier, "second")
    return Together(vehicle, _copter(firmware, stranger, other, NO_FAULTS, options))


def _copter(
    firmware: Firmware, identity: Identity, memory: Memory, faults: Faults, options: Mapping[str, str]
) -> SimulatedCopter:
    seed = _number("seed", options.get("seed", "0"))
    boot = options.get("boot", "")
    if boot not in ("", "cold"):
        raise _wrong("boot", boot)
    core = Core(
        firmware=firmware,
        identity=identity,
        store=ParameterStore(firmware.parameters, memory, denied=faults.deny),
        memory=memory,
        faults=faults,
        random=Random(f"{seed}/{identity.system_id}"),  # noqa: S311 - simulation, no secret
    )
    port = options.get("port", "usb")
    if port not in ("usb", "radio"):
        raise _wrong("port", port)
    rate = _rate(options.get("streams", "0"))
    return SimulatedCopter(core, seed=seed, cold=boot == "cold", stream_rate=rate, usb=port == "usb")


def _wrong(name: str, value: str) -> UsageError:
    return UsageError(
        t("option {name} of sim:{target} cannot be {value!r}", name=name, target=TARGET, value=value),
        hint=t("{name}: {meaning}", name=name, meaning=OPTIONS[name]),
    )


def _identifier(text: str) -> str:
    if not _ID.fullmatch(text):
        raise _wrong("id", text)
    return text


def _flag(name: str, text: str) -> bool:
    if text.lower() not in _YES | _NO:
        raise _wrong(name, text)
    return text.lower() in _YES


def _number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise _wrong(name, text) from None


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = -1.0
    if not 0 <= rate <= MAX_RATE:
        raise _wrong("streams", text)
    return rate
