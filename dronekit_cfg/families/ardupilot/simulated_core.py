"""What all parts of the simulated ArduCopter share: identity, clock of the boot, arm state, and the way out."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from dronekit_cfg.families.ardupilot.simulated_data import Firmware
from dronekit_cfg.families.ardupilot.simulated_params import ParameterStore
from dronekit_cfg.sim.agenda import Agenda
from dronekit_cfg.sim.faults import Faults
from dronekit_cfg.sim.memory import Memory
from dronekit_cfg.wire.mavlink import MavlinkCodec

__all__ = ["COMPONENT", "Core", "Identity", "Severity", "derived_identity"]

COMPONENT = 1
UID_SIZE = 18


class Severity:
    """MAV_SEVERITY, as far as the vehicle uses it."""

    CRITICAL = 2
    WARNING = 4
    INFO = 6
    DEBUG = 7


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the vehicle is: 32 hex digits; a SITL gives their first 17 as its UID, and the whole in its banner."""

    system_id: str

    @property
    def uid(self) -> bytes:
        """The field uid2 of AUTOPILOT_VERSION."""
        return self.system_id.encode()[: UID_SIZE - 1].ljust(UID_SIZE, b"\0")


def derived_identity(*parts: str) -> Identity:
    """Make up an identity that depends on nothing but `parts`."""
    return Identity(hashlib.sha256("/".join(parts).encode()).hexdigest()[:32])


@dataclass(slots=True)
class Core:
    """The shared state. Times are seconds on the clock of the serving side.

    `turning` are the outputs that a motor test drives, with the share of full throttle.
    `gps_stands_at` is when the GNSS receiver was taken from the vehicle, None while it has it.
    `booted_at` is when the firmware started (its clock shows 0 then). `armed_at` is None while disarmed. `initialised`
    becomes true when the sensors are calibrated, some seconds after the boot. `clock` is the latest time that the
    serving side told; `heard` whether a ground station has spoken since the boot.
    """

    firmware: Firmware
    identity: Identity
    store: ParameterStore
    memory: Memory
    faults: Faults
    random: Random
    agenda: Agenda = field(default_factory=Agenda)
    codec: MavlinkCodec = field(default_factory=lambda: MavlinkCodec(1, COMPONENT))
    out: bytearray = field(default_factory=bytearray)
    booted_at: float = -math.inf
    initialised: bool = True
    mode: int = 0
    armed_at: float | None = None
    boots: int = 0
    clock: float = -math.inf
    heard: bool = False
    gps_stands_at: float | None = None
    turning: Mapping[int, float] = field(default_factory=dict)

    @property
    def armed(self) -> bool:
        """Whether the motors are armed."""
        return self.armed_at is not None

    def uptime(self, now: float) -> float:
        """Give the seconds since the boot."""
        return now - self.booted_at

    def send(self, name: str, /, **fields: Any) -> None:
        """Put one message on the link."""
        self.out += self.codec.encode(name, **fields)

    def say(self, severity: int, text: str) -> None:
        """Send a STATUSTEXT; all texts of the vehicle fit into one."""
        self.send("STATUSTEXT", severity=severity, text=text)

    def banner(self) -> None:
        """Say what the firmware says when parameters are asked for."""
        self.say(Severity.INFO, self.firmware.version_text)
        self.say(Severity.INFO, self.identity.system_id)
        self.say(Severity.INFO, "Frame: QUAD/PLUS")

    def parameter(self, name: str, default: float = 0.0) -> float:
        """Give the value of a parameter, `default` where this firmware or state does not have it."""
        return self.store.value(name) if self.store.find(name) else default

    def take_address(self) -> None:
        """Speak from the system id that the parameter holds; it takes effect at once."""
        self.codec.system = int(self.parameter(self.firmware.sysid_name, 1)) & 0xFF
