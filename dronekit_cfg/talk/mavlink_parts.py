"""What a MAVLink vehicle tells of its parts: receivers, ESCs, batteries, radios, DroneCAN nodes, its board.

Everything is asked for at once; what does not answer is not there, or is not told. Texts that name a part come at boot,
and some again with the banner (MAV_CMD_DO_SEND_BANNER). What was heard without asking counts as well
(`mavlink_heard`).

Forms of texts and meanings of fields: ArduPilot AP_GPS_UBLOX.cpp, AP_GPS.cpp, GPS_Backend.cpp, AP_RCProtocol.cpp,
AP_CRSF_Telem.cpp, GCS_Common.cpp and AP_DroneCAN.cpp of 4.7-dev and 4.4; PX4 streams/ESC_INFO.hpp; SiK mavlink.c for
the address of its radios; common.xml for the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from dronekit_cfg.model.part import Part
from dronekit_cfg.talk.flow import Flow
from dronekit_cfg.talk.mavlink_commands import REQUEST_MESSAGE, command_bytes
from dronekit_cfg.talk.mavlink_conversation import Conversation
from dronekit_cfg.talk.mavlink_heard import STARTING
from dronekit_cfg.text import t
from dronekit_cfg.wire.mavlink import Message

__all__ = ["ANSWER_SECONDS", "LISTEN_SECONDS", "heard_parts", "parts_of_messages", "parts_of_texts", "tell_parts"]

BANNER, NODE_INFO = 42428, 5200
LISTEN_SECONDS = 1.3
"""Long enough for a radio, which tells of itself once a second."""
ANSWER_SECONDS = 0.6
"""How long answers are waited for where nobody wants to listen any longer; radios are heard along the way."""
_ASKED = {
    "SYSTEM_TIME": 2,
    "SYS_STATUS": 1,
    "GPS_RAW_INT": 24,
    "GPS2_RAW": 124,
    "BATTERY_STATUS": 147,
    "ESC_INFO": 290,
    "ESC_STATUS": 291,
    "UAVCAN_NODE_INFO": 311,
    "SMART_BATTERY_INFO": 370,
    "ESC_TELEMETRY_1_TO_4": 11030,
    "ESC_TELEMETRY_5_TO_8": 11031,
    "ESC_TELEMETRY_9_TO_12": 11032,
}
_UNKNOWN_CELL = 65535
_SIK = (51, 68)
_PRESENT = {"compass": 0x4, "baro": 0x8, "gps": 0x20}
"""Bits of SYS_STATUS that say that at least one of a kind is there (MAV_SYS_STATUS_SENSOR)."""
_RC_RECEIVER = 0x10000
_COMPONENTS = {18: "onboard computer", 26: "gimbal", 27: "ADS-B", 30: "camera", 34: "Remote ID", 36: "battery"}
"""Things that send heartbeats of their own beside the autopilot (MAV_TYPE)."""
_CONNECTIONS = ("PPM", "serial", "OneShot", "I2C", "CAN", "DShot")
"""ESC_CONNECTION_TYPE."""


def tell_parts(conversation: Conversation, *, seconds: float = LISTEN_SECONDS) -> Flow[tuple[Part, ...]]:
    """Ask for everything that tells of parts, wait for the answers, and give all that was heard so far.

    Listens `seconds` long; with ANSWER_SECONDS it ends as soon as every question is answered. Never raises NoAnswer.
    """
    asked = ((BANNER,), (NODE_INFO,), *((REQUEST_MESSAGE, number) for number in _ASKED.values()))
    send = b"".join(command_bytes(conversation, *command) for command in asked)
    until = conversation.now + seconds
    left = len(_ASKED)  # the other two are no business of every firmware, and may not even be refused
    while left or seconds > ANSWER_SECONDS:
        message = yield from conversation.next(send, until)
        send = b""
        if message is None:
            break
        left -= message.name == "COMMAND_ACK" and message["command"] == REQUEST_MESSAGE
    return heard_parts(conversation)


def heard_parts(conversation: Conversation) -> tuple[Part, ...]:
    """Give the parts that were heard of so far, without asking."""
    heard = conversation.parts
    own = [m for m in heard.messages.values() if m.name != "HEARTBEAT" or m.system == conversation.system]
    return (*parts_of_texts(list(heard.texts)), *parts_of_messages(own))


def _board(match: re.Match[str]) -> Part:
    return Part("board", 1, match[1], setting="STATUSTEXT")


def _found_receiver(match: re.Match[str]) -> Part:
    place = t("{baud} baud", baud=match[3]) if match[3] else ""
    return Part("gps", int(match[1]), match[2], place, setting="STATUSTEXT", answers=True)


def _lost_receiver(match: re.Match[str]) -> Part:
    return Part("gps", int(match[1]), "", t("was not found"), setting="STATUSTEXT", answers=False)


def _ublox(match: re.Match[str]) -> Part:
    name = f"u-blox {match[1].strip()}" if match[1] else "u-blox"
    firmware = f"{match[4]} ({match[3]})"
    return Part("gps", int(match[2]), name, setting="STATUSTEXT", firmware=firmware, answers=True)


def _receiver(match: re.Match[str]) -> Part:
    return Part("radio", 1, t("RC receiver, {name}", name=match[1]), setting="STATUSTEXT", answers=True)


def _crsf(match: re.Match[str]) -> Part:
    name = t("RC receiver, {name}", name=match[1])
    return Part("radio", 1, name, setting="STATUSTEXT", firmware=match[2] or "", answers=True)


def _outputs(match: re.Match[str]) -> Part:
    return Part("output", 1, match[1], setting="STATUSTEXT")


def _speaking_node(match: re.Match[str]) -> Part:
    number = int(match[1])
    return Part("node", number, t("DroneCAN node"), t("node {node}", node=number), setting="STATUSTEXT", answers=True)


_TEXTS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Part]], ...] = (
    (re.compile(r"(\S+) (?:[0-9A-Fa-f]{8}[ -]?){3}"), _board),
    (re.compile(r"GPS (\d): (?:detected(?: as)?|specified as) (.+?)(?: at (\d+) baud)?"), _found_receiver),
    (re.compile(r"GPS (\d): was not found"), _lost_receiver),
    (re.compile(r"u-?blox (\S+ )?(\d) HW: (\S+) SW: (.+)", re.IGNORECASE), _ublox),
    (re.compile(r"RCInput: decoding (.+)"), _receiver),
    (re.compile(r"(ELRS|CRSF\w*|Tracer): .*?(?:fw (\d+\.\d+))?"), _crsf),
    (re.compile(r"RCOut: (.+)"), _outputs),
    (re.compile(r"CAN\[(\d+)\] .*"), _speaking_node),
)


def parts_of_texts(texts: Sequence[str]) -> tuple[Part, ...]:
    """Give the parts that texts of the vehicle name: its board, receivers with their firmware, the RC link."""
    found: dict[tuple[str, int], Part] = {}
    for text in texts:
        for pattern, make in _TEXTS:
            if match := pattern.fullmatch(text.strip()):
                part = make(match)
                before = found.get((part.kind, part.number))
                found[part.kind, part.number] = _newer(before, part)
                break
    return tuple(found.values())


def _newer(before: Part | None, part: Part) -> Part:
    """Join two texts on one part: each tells something; the later one holds, and the fuller name does."""
    if before is None:
        return part
    type_ = before.type if before.type.startswith(part.type) else part.type
    return Part(
        part.kind,
        part.number,
        type_,
        part.place or before.place,
        setting=part.setting,
        firmware=part.firmware or before.firmware,
        answers=part.answers,
    )


def parts_of_messages(messages: Sequence[Message]) -> tuple[Part, ...]:
    """Give the parts that messages tell of; each counts once."""
    found: dict[tuple[str, int], Part] = {}
    for message in messages:
        for part in _READERS.get(message.name, _nothing)(message):
            before = found.get((part.kind, part.number))
            found[part.kind, part.number] = part if before is None or part.type or part.place else before
    return tuple(found.values())


def _nothing(_message: Message) -> Iterator[Part]:
    yield from ()


def _gps(message: Message) -> Iterator[Part]:
    number = 1 if message.name == "GPS_RAW_INT" else 2
    answers = message["fix_type"] > 0
    yield Part("gps", number, "", "" if answers else _silent(message), setting=message.name, answers=answers)


def _silent(message: Message) -> str:
    """Say that a part is silent, and where the vehicle has only just started, that this may be why."""
    uptime = message.fields.get("uptime")
    if uptime is None or uptime >= STARTING:
        return t("does not answer")
    return t("does not answer, {seconds:.0f} s after the start", seconds=uptime)


def _battery(message: Message) -> Iterator[Part]:
    volts = sum(v for v in message["voltages"] if v != _UNKNOWN_CELL) / 1000
    yield Part("battery", message["id"] + 1, "", t("{volts:.1f} V", volts=volts), setting=message.name)


def _smart_battery(message: Message) -> Iterator[Part]:
    serial = message["serial_number"]
    place = t("serial number {number}", number=serial) if serial else ""
    yield Part("battery", message["id"] + 1, message["device_name"], place, setting=message.name, answers=True)


_FIRST_ESC = {"ESC_TELEMETRY_1_TO_4": 1, "ESC_TELEMETRY_5_TO_8": 5, "ESC_TELEMETRY_9_TO_12": 9}


def _esc_telemetry(message: Message) -> Iterator[Part]:
    for index, count in enumerate(message["count"]):
        if count:
            number = _FIRST_ESC[message.name] + index
            yield Part("esc", number, t("ESC with telemetry"), setting=message.name, answers=True)


def _esc_info(message: Message) -> Iterator[Part]:
    first, kind = message["index"], message["connection_type"]
    name = _CONNECTIONS[kind] if kind < len(_CONNECTIONS) else t("type {number}", number=kind)
    for number in range(first, min(first + 4, message["count"])):
        online = bool(message["info"] >> number & 1)
        place = "" if online else t("does not answer")
        yield Part("esc", number + 1, t("ESC on {bus}", bus=name), place, setting=message.name, answers=online)


def _esc_status(message: Message) -> Iterator[Part]:
    for index in range(4):
        if message["voltage"][index] > 0 or message["rpm"][index]:
            number = message["index"] + index + 1
            yield Part("esc", number, "", setting=message.name, answers=True)


def _radio(message: Message) -> Iterator[Part]:
    address = (message.system, message.component)
    name = t("telemetry radio, SiK") if address == _SIK else t("telemetry radio")
    place = t("address {system}:{component}", system=message.system, component=message.component)
    yield Part("radio", 9, name, place, setting=message.name, answers=True)


def _node(message: Message) -> Iterator[Part]:
    firmware = f"{message['sw_version_major']}.{message['sw_version_minor']}"
    place = t("node {node}", node=message.component)
    number = message.component
    yield Part("node", number, message["name"], place, setting=message.name, firmware=firmware, answers=True)


def _component(message: Message) -> Iterator[Part]:
    """Name what sends heartbeats of its own; other vehicles and ground stations are no parts."""
    if name := _COMPONENTS.get(message["type"]):
        place = t("address {system}:{component}", system=message.system, component=message.component)
        yield Part("component", message.component, name, place, setting=message.name, answers=True)


def _status(message: Message) -> Iterator[Part]:
    """Say of which kinds there is none (number 0: all of the kind), and whether an RC receiver was ever heard."""
    present = message["onboard_control_sensors_present"]
    for kind, bit in _PRESENT.items():
        if not present & bit:
            yield Part(kind, 0, "", _silent(message), setting=message.name, answers=False)
    heard = bool(present & _RC_RECEIVER)
    yield Part("radio", 1, "", "" if heard else t("not heard yet"), setting=message.name, answers=heard)


_READERS: Mapping[str, Callable[[Message], Iterator[Part]]] = {
    "BATTERY_STATUS": _battery,
    "ESC_INFO": _esc_info,
    "ESC_STATUS": _esc_status,
    "ESC_TELEMETRY_1_TO_4": _esc_telemetry,
    "ESC_TELEMETRY_5_TO_8": _esc_telemetry,
    "ESC_TELEMETRY_9_TO_12": _esc_telemetry,
    "GPS2_RAW": _gps,
    "GPS_RAW_INT": _gps,
    "HEARTBEAT": _component,
    "RADIO": _radio,
    "RADIO_STATUS": _radio,
    "SMART_BATTERY_INFO": _smart_battery,
    "SYS_STATUS": _status,
    "UAVCAN_NODE_INFO": _node,
}
