"""Keeps what a link says by itself about the parts of a vehicle, so that nobody has to ask at a bad moment.

Receivers and radios name themselves once, in a text at boot, or once a second in messages of their own. Whoever writes
down what is fitted takes it from here, without another word to the vehicle.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from dronekit_cfg.wire.mavlink import Message

__all__ = ["PART_TEXTS", "STARTING", "PartsHeard"]

PART_TEXTS = re.compile(
    r"\S+ (?:[0-9A-Fa-f]{8}[ -]?){3}|GPS \d: |u-?blox .*HW: |RCInput: decoding |RCOut: |(?:ELRS|CRSF|Tracer)\w*: |CAN\["
)
"""How texts begin that may name a part."""
_OF_VEHICLE = frozenset(
    {
        "BATTERY_STATUS",
        "ESC_INFO",
        "ESC_STATUS",
        "ESC_TELEMETRY_1_TO_4",
        "ESC_TELEMETRY_5_TO_8",
        "ESC_TELEMETRY_9_TO_12",
        "GPS_RAW_INT",
        "GPS2_RAW",
        "SMART_BATTERY_INFO",
        "SYS_STATUS",
    }
)
_OF_ANYBODY = frozenset({"HEARTBEAT", "RADIO", "RADIO_STATUS", "UAVCAN_NODE_INFO"})
"""A radio has a system number of its own, a DroneCAN node the component number of its node."""
_RECEIVERS = frozenset({"GPS_RAW_INT", "GPS2_RAW"})
_STATES = _RECEIVERS | {"SYS_STATUS"}
_PRESENT = "onboard_control_sensors_present"
_MOST = 64
STARTING = 30.0
"""Seconds after a start in which a vehicle may not have found its parts yet."""


@dataclass(slots=True)
class PartsHeard:
    """The last message of each sender and part, and texts that name parts; a handful of each, whatever is sent.

    `uptime` is how long the vehicle had been up when it last told, in seconds. What is said of receivers and sensors
    gets it as a field: shortly after the start the silence of one means little.
    """

    messages: dict[tuple[str, int, int, int], Message] = field(default_factory=dict)
    texts: dict[str, None] = field(default_factory=dict)
    uptime: float | None = None

    def message(self, message: Message, *, mine: bool) -> None:
        """Note a message; `mine` says that the vehicle itself sent it."""
        name = message.name
        if mine and name == "SYSTEM_TIME":
            self.uptime = message["time_boot_ms"] / 1000
        if name not in (_OF_VEHICLE if mine else _OF_ANYBODY):
            return
        which = message.fields.get("index", message.fields.get("id", 0))
        key = (name, message.system, message.component, which)
        if name in _STATES:
            before = self.messages.get(key)
            if before is not None and name in _RECEIVERS and message["fix_type"] < before["fix_type"]:
                return  # a receiver that answered is not yet found again after a restart, which says nothing
            message = replace(message, fields={**message.fields, "uptime": self.uptime, **self._found(before, message)})
        if key in self.messages or len(self.messages) < _MOST:
            self.messages[key] = message

    def _found(self, before: Message | None, message: Message) -> dict[str, int]:
        """While a vehicle starts, what was found before counts beside what is found by now."""
        starting = self.uptime is not None and self.uptime < STARTING
        if before is None or message.name != "SYS_STATUS" or not starting:
            return {}
        return {_PRESENT: before[_PRESENT] | message[_PRESENT]}

    def text(self, text: str) -> None:
        """Note a text of the vehicle if it names a part."""
        if len(self.texts) < _MOST and PART_TEXTS.match(text):
            self.texts[text] = None
