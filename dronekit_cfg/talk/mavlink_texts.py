"""Numbers that MAVLink vehicles report about themselves, as names; and texts that arrive in pieces.

Sources: MAVLink minimal.xml and common.xml (MAV_TYPE, MAV_AUTOPILOT, MAV_STATE, MAV_PROTOCOL_CAPABILITY,
FIRMWARE_VERSION_TYPE, MAV_RESULT, STATUSTEXT).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from dronekit_cfg.wire.mavlink import Message

__all__ = [
    "ARDUPILOT",
    "NO_AUTOPILOT",
    "PX4",
    "RESULTS",
    "STATES",
    "TextAssembler",
    "VehicleSeen",
    "capability_names",
    "vehicle_name",
    "version_of",
]

ARDUPILOT, NO_AUTOPILOT, PX4 = 3, 8, 12
_AUTOPILOTS = {0: "generic autopilot", ARDUPILOT: "ArduPilot", PX4: "PX4"}
GROUND_STATION = 6
_COMPONENT_TYPES = frozenset({6, 18, 26, 27, *range(30, 35), *range(36, 43)})
"""Ground stations, onboard computers, gimbals, cameras, transponders, batteries: never a vehicle."""

_VEHICLES = {
    **dict.fromkeys((2, 3, 13, 14, 15, 29, 35, 43), "copter"),
    **dict.fromkeys((1, *range(19, 26)), "plane"),
    **dict.fromkeys((10, 11), "rover"),
    4: "heli",
    5: "tracker",
    7: "blimp",
    12: "sub",
}

_CAPABILITIES = {
    0: "mission-float",
    1: "param-c-cast",  # PARAM_FLOAT, the deprecated name; ArduPilot sets this one
    2: "mission-int",
    3: "command-int",
    4: "param-bytewise",
    5: "mavftp",
    6: "set-attitude-target",
    7: "set-position-target-local-ned",
    8: "set-position-target-global-int",
    9: "terrain",
    11: "flight-termination",
    12: "compass-calibration",
    13: "mavlink2",
    14: "mission-fence",
    15: "mission-rally",
    17: "param-c-cast",
}

_STAGES = ((192, "rc", "rc"), (128, "beta", "b"), (64, "alpha", "a"))

RESULTS = {
    0: "accepted",
    1: "temporarily rejected",
    2: "denied",
    3: "unsupported",
    4: "failed",
    5: "in progress",
    6: "cancelled",
    7: "to be sent as COMMAND_LONG",
    8: "to be sent as COMMAND_INT",
    9: "in an unsupported frame",
}
STATES = {
    0: "uninitialised",
    1: "booting",
    2: "calibrating",
    3: "standby",
    4: "active",
    5: "critical",
    6: "emergency",
    7: "shutting down",
    8: "terminated",
}


def vehicle_name(mav_type: int) -> str:
    """Give "copter", "plane", "rover" ... of a MAV_TYPE; "type N" of one that we have no name for."""
    return _VEHICLES.get(mav_type, f"type {mav_type}")


def capability_names(bits: int) -> tuple[str, ...]:
    """Give the names of the MAV_PROTOCOL_CAPABILITY bits that are set, sorted and without repeats."""
    return tuple(sorted({name for bit, name in _CAPABILITIES.items() if bits >> bit & 1}))


def version_of(word: int) -> tuple[str, str]:
    """Turn `flight_sw_version` into a PEP 440 version ("4.7.0.dev0") and a readable one ("4.7.0-dev").

    The bytes are major, minor, patch and type: 0 dev, 64 alpha, 128 beta, 192 release candidate (each plus its
    number), 255 official.
    """
    major, minor, patch, kind = word.to_bytes(4, "big")
    base = f"{major}.{minor}.{patch}"
    if kind == 255:
        return base, base
    if kind < 64:
        return f"{base}.dev{kind}", f"{base}-dev"
    stage, short, number = (
        ("alpha", "a", kind - 64)
        if kind < 128
        else ("beta", "b", kind - 128)
        if kind < 192
        else ("rc", "rc", kind - 192)
    )
    return f"{base}{short}{number}", f"{base}-{stage}{number or ''}"


@dataclass(frozen=True, slots=True)
class VehicleSeen:
    """One sender of heartbeats."""

    system: int
    component: int
    type: int
    autopilot: int

    @classmethod
    def of(cls, heartbeat: Message) -> VehicleSeen:
        """Take what a HEARTBEAT says about its sender."""
        return cls(heartbeat.system, heartbeat.component, heartbeat["type"], heartbeat["autopilot"])

    @property
    def is_vehicle(self) -> bool:
        """Whether this is an autopilot of a vehicle."""
        return self.autopilot != NO_AUTOPILOT and self.type not in _COMPONENT_TYPES

    @property
    def is_ground_station(self) -> bool:
        """Whether this is a ground station."""
        return self.type == GROUND_STATION

    def __str__(self) -> str:
        kind = _AUTOPILOTS.get(self.autopilot, f"autopilot {self.autopilot}")
        return f"{self.system}:{self.component} ({vehicle_name(self.type)}, {kind})"


@dataclass(slots=True)
class TextAssembler:
    """Puts the pieces of long STATUSTEXTs together. A text whose last piece is missing is given when the next comes."""

    CHUNK = 50
    _id: int = 0
    _severity: int = 6
    _chunks: dict[int, str] = field(default_factory=dict)

    def feed(self, message: Message) -> list[tuple[int, str]]:
        """Take one STATUSTEXT and give the texts (severity, text) that are complete now."""
        done: list[tuple[int, str]] = []
        text, number = message["text"], message["id"]
        if number != self._id and self._chunks:
            done.append(self._flush())
        if number == 0:
            return [*done, (message["severity"], text)]
        self._id, self._severity = number, message["severity"]
        self._chunks[message["chunk_seq"]] = text
        last = next((seq for seq, part in self._chunks.items() if len(part.encode()) < self.CHUNK), None)
        if last is not None and len(self._chunks) == last + 1:
            done.append(self._flush())
        return done

    def _flush(self) -> tuple[int, str]:
        top = max(self._chunks)
        text = "".join(self._chunks.get(seq, "[...]") for seq in range(top + 1))
        self._chunks.clear()
        return self._severity, text
