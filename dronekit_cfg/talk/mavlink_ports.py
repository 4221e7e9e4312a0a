"""Reach a serial port of an ArduPilot vehicle through MAVLink: SERIAL_CONTROL, and its passthrough parameters.

What the firmware does was settled on ArduCopter 4.7-dev (GCS_serial_control.cpp, and the real SITL): a port is taken by
the flag EXCLUSIVE of any SERIAL_CONTROL message and given back by a message without it. Nothing else gives it back, no
time and no closed connection, only a restart. A taken GPS port keeps its last fix, and its clock stands still. Flag
BLOCKING makes an empty answer come too; on a write it may overrun its buffer, so it is never sent with data.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import IntFlag

from dronekit_cfg.errors import Armed, LeaseHeld, NoAnswer, Unsupported, VehicleError
from dronekit_cfg.model import Change, Kind, Phase, Value, Verdict
from dronekit_cfg.talk.flow import Flow, Wait
from dronekit_cfg.talk.mavlink_commands import fresh_heartbeat, is_armed, request_message
from dronekit_cfg.talk.mavlink_conversation import Conversation
from dronekit_cfg.talk.mavlink_params import read_values, write_bytes
from dronekit_cfg.talk.mavlink_write import write_values
from dronekit_cfg.text import t
from dronekit_cfg.wire.mavlink import Message

__all__ = [
    "CHUNK",
    "PORTS",
    "PortFlags",
    "connect_ports",
    "port_bytes",
    "release",
    "require_disarmed",
    "require_free",
    "require_lockable",
    "said",
    "serial_number",
    "set_parameters",
    "take",
]

PORTS: Mapping[str, int] = {"telem1": 0, "telem2": 1, "gps1": 2, "gps2": 3} | {f"serial{n}": 100 + n for n in range(10)}
"""SERIAL_CONTROL_DEV by the name that users type."""
CHUNK = 70
"""Bytes that one SERIAL_CONTROL carries."""
_GPS_MESSAGES = {"gps1": ("GPS_RAW_INT", 24), "gps2": ("GPS2_RAW", 124)}
_GPS_PROTOCOL = 5
_LOCKABLE = frozenset({-1, 1, 2})
"""SERIALn_PROTOCOL: none, MAVLink 1, MAVLink 2."""
STANDS_STILL_SECONDS = 1.6
"""A receiver that gives less than one fix in this time is not used by the vehicle; one per second is the slowest."""
LISTEN_SECONDS = 0.3
QUIET_SECONDS = 1.2
"""A vehicle sends a heartbeat each second: after this much silence its port carries no MAVLink."""
TRIES = 6


class PortFlags(IntFlag):
    """SERIAL_CONTROL_FLAG."""

    REPLY = 1
    RESPOND = 2
    EXCLUSIVE = 4
    BLOCKING = 8
    MULTI = 16


def port_bytes(conversation: Conversation, port: str, flags: PortFlags, data: bytes = b"", *, baud: int = 0) -> bytes:
    """Give the frame of a SERIAL_CONTROL that writes at most `CHUNK` bytes; `baud` 0 leaves the port's speed.

    It bears no address: every vehicle on the link takes it for its own.
    """
    return conversation.codec.encode(
        "SERIAL_CONTROL",
        device=PORTS[port],
        flags=int(flags),
        timeout=0,
        baudrate=baud,
        count=len(data),
        data=data,
    )


def said(message: Message, port: str) -> bytes | None:
    """Give what the device behind the port said; None for another message."""
    if message.name != "SERIAL_CONTROL" or message["device"] != PORTS[port] or not message["flags"] & PortFlags.REPLY:
        return None
    return bytes(message["data"][: message["count"]])


def require_disarmed(conversation: Conversation) -> Flow[None]:
    """See that the vehicle is disarmed: its receiver or radio is taken from it for a while. Raises VehicleError."""
    if is_armed((yield from fresh_heartbeat(conversation))):
        raise Armed(
            t("the vehicle is armed; its ports are not taken from it while it is"),
            hint=t("disarm it, then run the command again"),
        )


def require_free(conversation: Conversation, port: str) -> Flow[None]:
    """See that nobody else has taken the port. Raises LeaseHeld, NoAnswer.

    The firmware does not tell who holds a port. Two things give another program away: answers that we did not ask for,
    and a GPS whose clock stands still though it has a fix.
    """
    gps = _GPS_MESSAGES.get(port)
    first = (yield from _position(conversation, *gps)) if gps else None
    still = first is not None and first["fix_type"] > 0
    until = conversation.now + (STANDS_STILL_SECONDS if still else LISTEN_SECONDS)
    while (pause := min(until, conversation.now + LISTEN_SECONDS)) < until or conversation.now < until:
        while (message := (yield from conversation.next(until=pause))) is not None:
            if said(message, port) is not None:
                raise _held(port, t("it gets answers from it"))
        if still and gps and first is not None:
            now = yield from _position(conversation, *gps)
            if now is None or (now["time_usec"], now["fix_type"]) != (first["time_usec"], first["fix_type"]):
                return
    if still:
        raise _held(port, t("the vehicle has a fix from its receiver, and hears nothing of it any more"))


def _position(conversation: Conversation, name: str, number: int) -> Flow[Message | None]:
    """Ask for the position of a receiver; None from a vehicle that has none yet."""
    try:
        return (yield from request_message(conversation, name, number, tries=2))
    except NoAnswer:
        return None


def _held(port: str, why: str) -> LeaseHeld:
    return LeaseHeld(
        t("another program holds {port} of the flight controller: {why}", port=port, why=why),
        hint=t("end its passthrough (u-center, Mission Planner) or restart the flight controller; ?take=1 takes it"),
    )


def require_lockable(conversation: Conversation, port: str) -> Flow[None]:
    """See that the firmware stops using SERIALn while it is taken: it does so for MAVLink only. Raises Unsupported."""
    name = f"{port.upper()}_PROTOCOL"
    value = (yield from read_values(conversation, (name,)))[name]
    if value is None or value.number not in _LOCKABLE:
        raise Unsupported(
            t("the flight controller goes on using {port} while it is taken ({name})", port=port, name=name),
            hint=t("name the port gps1 or gps2 if it is one, or use ?pass=15"),
        )


def take(conversation: Conversation, port: str) -> Flow[None]:
    """Take the port from the vehicle. Raises Unsupported when the vehicle does not answer for it."""
    flags = PortFlags.EXCLUSIVE | PortFlags.RESPOND | PortFlags.BLOCKING
    if not (yield from _answered(conversation, port, flags)):
        raise Unsupported(
            t("the flight controller does not give access to {port}", port=port),
            hint=t("its firmware may leave SERIAL_CONTROL out: try ?pass=15, its serial passthrough"),
        )


def release(conversation: Conversation, port: str, *, baud: int = 0) -> Flow[None]:
    """Give the port back to the vehicle, and see it said. `baud` is the speed to give it back with. Raises NoAnswer."""
    flags = PortFlags.RESPOND | PortFlags.BLOCKING
    if not (yield from _answered(conversation, port, flags, baud=baud)):
        raise NoAnswer(
            t("the flight controller does not confirm that it has {port} back", port=port),
            hint=t("the next command on this vehicle gives it back; a restart does so too"),
        )


def _answered(conversation: Conversation, port: str, flags: PortFlags, *, baud: int = 0) -> Flow[bool]:
    for attempt in range(TRIES):
        send = port_bytes(conversation, port, flags, baud=baud)
        until = conversation.now + conversation.round_trip.wait(attempt)
        while (message := (yield from conversation.next(send, until))) is not None:
            send = b""
            if said(message, port) is not None:
                return True
    return False


def serial_number(conversation: Conversation, port: str) -> Flow[int]:
    """Give which SERIALn a port is, by the parameters. Raises VehicleError when no port has that use."""
    if port.startswith("serial"):
        return int(port.removeprefix("serial"))
    if port.startswith("telem"):
        return int(port.removeprefix("telem"))
    names = [f"SERIAL{n}_PROTOCOL" for n in range(1, 10)]
    values = yield from read_values(conversation, names)
    found = [n for n, name in enumerate(names, 1) if (v := values[name]) is not None and v.number == _GPS_PROTOCOL]
    place = int(port.removeprefix("gps")) - 1
    if place >= len(found):
        raise VehicleError(
            t("no serial port of the flight controller is set up for {port}", port=port),
            hint=t("name the port itself, such as via:ardupilot:serial3"),
        )
    return found[place]


def connect_ports(conversation: Conversation, number: int) -> Flow[None]:
    """Connect our port to SERIAL`number` and see MAVLink stop on it. Raises VehicleError when it goes on.

    What we send behind the parameter would reach the device, so it is sent once and then listened.
    """
    for _ in range(3):
        send = write_bytes(conversation, "SERIAL_PASS2", Value(Kind.INT8, number))
        yield Wait(send)
        start, last = conversation.now, -math.inf
        while (now := conversation.now) < start + QUIET_SECONDS * 2 and now < max(start, last) + QUIET_SECONDS:
            message = yield Wait(b"", now + 0.1)
            if message is not None:
                last = conversation.now
        if last < conversation.now - QUIET_SECONDS + 0.1:
            return
    raise VehicleError(
        t("the flight controller does not connect its ports: MAVLink goes on"),
        hint=t("?from= must name the serial port that this link is connected to; 0 is USB"),
    )


def set_parameters(conversation: Conversation, wanted: Mapping[str, float]) -> Flow[dict[str, float]]:
    """Set some parameters and give what they were. Raises VehicleError when one is not taken."""
    old: dict[str, float] = {}
    changes = []
    for name, value in (yield from read_values(conversation, tuple(wanted))).items():
        if value is None:
            raise Unsupported(
                t("the flight controller has no parameter {name}", name=name),
                hint=t("leave ?pass out, or use another way to the device"),
            )
        old[name] = value.number
        changes.append(Change(name, value, Value(value.kind, type(value.raw)(wanted[name])), Phase.SET))
    for outcome in (yield from write_values(conversation, changes)):
        if outcome.verdict is not Verdict.WRITTEN:
            raise VehicleError(
                t("the flight controller does not take {name}: {why}", name=outcome.name, why=outcome.detail),
                hint=t("check the parameter, or use another way to the device"),
            )
    return old
