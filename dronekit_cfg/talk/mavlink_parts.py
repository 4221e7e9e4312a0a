"""Asks a MAVLink vehicle what it sees of its parts: receivers, ESCs, batteries, radios, DroneCAN nodes, its board.

Everything is asked for at once and listened to for a moment: what does not answer is not there, or is not told. Texts
that name a part come at boot, and some again with the banner (MAV_CMD_DO_SEND_BANNER).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from dronekit_cfg.events import Event, VehicleText
from dronekit_cfg.model.part import Part
from dronekit_cfg.talk.flow import Flow
from dronekit_cfg.talk.mavlink_commands import REQUEST_MESSAGE, command_bytes
from dronekit_cfg.talk.mavlink_conversation import Conversation
from dronekit_cfg.text import t
from dronekit_cfg.wire.mavlink import Message

__all__ = ["LISTEN_SECONDS", "parts_of_messages", "parts_of_texts", "tell_parts"]

BANNER, NODE_INFO = 42428, 5200
LISTEN_SECONDS = 1.3
"""Long enough for a radio, which tells of itself once a second."""
_ASKED = {
    "GPS_RAW_INT": 24,
    "GPS2_RAW": 124,
    "BATTERY_STATUS": 147,
    "ESC_TELEMETRY_1_TO_4": 11030,
    "ESC_TELEMETRY_5_TO_8": 11031,
    "ESC_INFO": 290,
    "UAVCAN_NODE_INFO": 311,
}
_HEARD = frozenset({*_ASKED, "RADIO_STATUS", "RADIO"})
_UNKNOWN_CELL = 65535

_BOARD = re.compile(r"(\S+) (?:[0-9A-Fa-f]{8}[ -]?){3}")
_FOUND = re.compile(r"GPS (\d): (?:detected(?: as)?|specified as) (.+?)(?: at (\d+) baud)?")
_UBLOX = re.compile(r"u-?blox (\d) HW: (\S+) SW: (.+)", re.IGNORECASE)
_RECEIVER = re.compile(r"RCInput: decoding (.+)")


@dataclass(slots=True)
class _Heard:
    messages: list[Message] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)


def tell_parts(conversation: Conversation) -> Flow[tuple[Part, ...]]:
    """Ask for everything that tells of parts, listen for a moment, and give the parts; never raises NoAnswer."""
    heard = _Heard()
    session = conversation.session
    pass_on = session.report

    def report(event: Event) -> None:
        if isinstance(event, VehicleText):
            heard.texts.append(event.text)
        else:
            pass_on(event)

    session.report = report
    try:
        yield from _listen(conversation, heard)
    finally:
        session.report = pass_on
    return (*parts_of_texts(heard.texts), *parts_of_messages(heard.messages))


def _listen(conversation: Conversation, heard: _Heard) -> Flow[None]:
    asked = ((BANNER,), (NODE_INFO,), *((REQUEST_MESSAGE, number) for number in _ASKED.values()))
    send = b"".join(command_bytes(conversation, *command) for command in asked)
    until = conversation.now + LISTEN_SECONDS
    while (message := (yield from conversation.next(send, until))) is not None:
        send = b""
        if message.name in _HEARD:
            heard.messages.append(message)


def parts_of_texts(texts: Sequence[str]) -> tuple[Part, ...]:
    """Give the parts that texts of the vehicle name: its board, receivers with their firmware, the RC protocol."""
    found: dict[tuple[str, int], Part] = {}
    for text in texts:
        if match := _BOARD.fullmatch(text):
            found["board", 1] = Part("board", 1, match[1], setting="STATUSTEXT")
        elif match := _FOUND.fullmatch(text):
            number = int(match[1])
            place = t("{baud} baud", baud=match[3]) if match[3] else ""
            found["gps", number] = Part("gps", number, match[2], place, setting="STATUSTEXT")
        elif match := _UBLOX.fullmatch(text):
            number = int(match[1])
            found["gps", number] = Part(
                "gps", number, "u-blox", setting="STATUSTEXT", firmware=f"{match[3]} ({match[2]})"
            )
        elif match := _RECEIVER.fullmatch(text):
            found["radio", 1] = Part("radio", 1, t("RC receiver, {name}", name=match[1]), setting="STATUSTEXT")
    return tuple(found.values())


def parts_of_messages(messages: Sequence[Message]) -> tuple[Part, ...]:
    """Give the parts that messages tell of; each counts once."""
    found: dict[tuple[str, int], Part] = {}
    for message in messages:
        for part in _parts(message):
            found[part.kind, part.number] = part
    return tuple(found.values())


def _parts(message: Message) -> Iterator[Part]:
    name = message.name
    if name in {"GPS_RAW_INT", "GPS2_RAW"}:
        number = 1 if name == "GPS_RAW_INT" else 2
        state = t("answers") if message["fix_type"] else t("does not answer")
        yield Part("gps", number, "", state, setting=name)
    elif name == "BATTERY_STATUS":
        volts = sum(v for v in message["voltages"] if v != _UNKNOWN_CELL) / 1000
        yield Part("battery", message["id"] + 1, "", t("{volts:.1f} V", volts=volts), setting=name)
    elif name.startswith("ESC_TELEMETRY"):
        first = 1 if name.endswith("1_TO_4") else 5
        for index, count in enumerate(message["count"]):
            if count:
                yield Part("esc", first + index, t("ESC telemetry"), setting=name)
    elif name == "ESC_INFO":
        for index in range(min(message["count"], 4)):
            yield Part("esc", message["index"] + index + 1, t("ESC telemetry"), setting=name)
    elif name in {"RADIO_STATUS", "RADIO"}:
        yield Part("radio", 9, t("telemetry radio"), setting=name)
    else:
        firmware = f"{message['sw_version_major']}.{message['sw_version_minor']}"
        place = t("node {node}", node=message.component)
        yield Part("node", message.component, message["name"], place, setting=name, firmware=firmware)
