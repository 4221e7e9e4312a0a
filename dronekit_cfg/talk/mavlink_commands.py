"""Commands to a MAVLink vehicle: send, see the acknowledgement, ask for one message, arm state, uptime, reboot."""

from __future__ import annotations

import math

from dronekit_cfg.errors import Armed, LinkLost, NoAnswer, VehicleError
from dronekit_cfg.talk.flow import Flow
from dronekit_cfg.talk.mavlink_conversation import STARTING, Conversation
from dronekit_cfg.talk.mavlink_texts import RESULTS
from dronekit_cfg.text import t
from dronekit_cfg.wire.mavlink import Message

__all__ = [
    "ACCEPTED",
    "command_bytes",
    "fresh_heartbeat",
    "is_ack",
    "is_armed",
    "reboot",
    "request_message",
    "run_command",
    "started",
    "uptime",
]

ACCEPTED, TEMPORARILY_REJECTED, IN_PROGRESS = 0, 1, 5
REQUEST_MESSAGE, REBOOT = 512, 246
HEARTBEAT_ID, SYSTEM_TIME_ID = 0, 2
ARMED_FLAG = 0x80
TRIES = 5
PROGRESS_SECONDS = 10.0
"""How long a command may take after the vehicle said that it is in progress."""
START_SECONDS = 30.0
GONE_SECONDS = 1.3
"""A vehicle that is silent for so long after a reboot command sends no 1 Hz heartbeat any more: it reboots."""


def command_bytes(
    conversation: Conversation,
    command: int,
    *params: float,
    confirmation: int = 0,
    target: tuple[int, int] | None = None,
) -> bytes:
    """Give the frame of a COMMAND_LONG; parameters left out are 0. `target` replaces the vehicle's address."""
    system, component = target or (conversation.system, conversation.component)
    values = {f"param{i + 1}": params[i] if i < len(params) else 0.0 for i in range(7)}
    return conversation.codec.encode(
        "COMMAND_LONG",
        target_system=system,
        target_component=component,
        command=command,
        confirmation=confirmation,
        **values,
    )


def run_command(conversation: Conversation, command: int, *params: float, tries: int = TRIES) -> Flow[int]:
    """Send a command until it is acknowledged and give its MAV_RESULT. Raises NoAnswer."""
    for attempt in range(tries):
        send = command_bytes(conversation, command, *params, confirmation=attempt)
        asked = conversation.now
        until = asked + conversation.round_trip.wait(attempt)
        while (message := (yield from conversation.next(send, until))) is not None:
            send = b""
            if not is_ack(conversation, message, command):
                continue
            if not attempt:
                conversation.round_trip.measured(conversation.now - asked)
            if message["result"] != IN_PROGRESS:
                return int(message["result"])
            until = conversation.now + PROGRESS_SECONDS
    raise NoAnswer(
        t("the vehicle does not answer command {command}", command=command),
        hint=t("check the link; if the vehicle signs its messages, give --signing-key"),
    )


def is_ack(conversation: Conversation, message: Message, command: int) -> bool:
    """Whether this acknowledges our command; acknowledgements for other stations bear their address."""
    if message.name != "COMMAND_ACK" or message["command"] != command:
        return False
    return message["target_system"] in (0, conversation.codec.system)


def request_message(conversation: Conversation, name: str, number: int, *, tries: int = TRIES) -> Flow[Message | None]:
    """Ask for one message and give it; None when the vehicle says that it cannot send it. Raises NoAnswer.

    The message counts only after the acknowledgement of the request, so it is newer than the question. ArduPilot
    acknowledges first and sends then (seen in recordings of 4.5.6 and 4.7-dev); PX4 sends first and acknowledges 3 ms
    later (seen in a recording of 2024-10), so there the message before the acknowledgement is the answer.
    """
    yield from conversation.drain()
    for attempt in range(tries):
        send = command_bytes(conversation, REQUEST_MESSAGE, number, confirmation=attempt)
        asked = conversation.now
        until = asked + conversation.round_trip.wait(attempt)
        acknowledged = False
        early: Message | None = None
        while (message := (yield from conversation.next(send, until))) is not None:
            send = b""
            if is_ack(conversation, message, REQUEST_MESSAGE):
                if message["result"] == TEMPORARILY_REJECTED:
                    continue
                if message["result"] not in (ACCEPTED, IN_PROGRESS):
                    return None
                if early is not None:
                    return early
                acknowledged = True
                until = max(until, conversation.now + conversation.round_trip.wait(attempt))
            elif message.name == name and acknowledged:
                if not attempt:
                    conversation.round_trip.measured(conversation.now - asked)
                return message
            elif message.name == name and conversation.answers_first:
                early = message
    raise NoAnswer(
        t("the vehicle does not send {name} when asked", name=name),
        hint=t("check the link; if the vehicle signs its messages, give --signing-key"),
    )


def fresh_heartbeat(conversation: Conversation) -> Flow[Message]:
    """Give a heartbeat that was sent after the question, never one that waited in a buffer. Raises NoAnswer.

    Vehicles that send no message on request are listened to: a heartbeat that comes alone, some time after the buffers
    were emptied, is fresh.
    """
    try:
        message = yield from request_message(conversation, "HEARTBEAT", HEARTBEAT_ID, tries=3)
    except NoAnswer:
        message = None
    if message is not None:
        return message
    start = conversation.now
    end = start + 3.5
    while (message := (yield from conversation.next(until=end))) is not None:
        if message.name == "HEARTBEAT" and conversation.now - start > 0.5:
            return message
    raise NoAnswer(t("the vehicle sends no heartbeat"), hint=t("check the link"))


def started(conversation: Conversation) -> Flow[None]:
    """Wait until the vehicle has finished starting. Raises NoAnswer after START_SECONDS.

    ArduPilot answers while it still calibrates its gyros and detects its sensors, and writes what it finds into its
    settings (seen on 4.7-dev: INS_*_ID and INS_*_CALTEMP change until "ArduPilot Ready"). A snapshot of that time is
    stale. It is asked once for each opening of the link, and again when a heartbeat tells that it is starting.
    """
    if conversation.ready:
        return
    end = conversation.now + START_SECONDS
    while (yield from fresh_heartbeat(conversation))["system_status"] in STARTING:
        if conversation.now > end:
            raise NoAnswer(
                t("the vehicle has been starting for {seconds:g} s and is not ready", seconds=START_SECONDS),
                hint=t("keep it still while it starts; look at its messages"),
            )
        pause = conversation.now + 0.1
        while (yield from conversation.next(until=pause)) is not None:
            pass
    conversation.ready = True


def is_armed(heartbeat: Message) -> bool:
    """Whether a heartbeat says "armed"."""
    return bool(heartbeat["base_mode"] & ARMED_FLAG)


def uptime(conversation: Conversation) -> Flow[float | None]:
    """Give the seconds since the vehicle started, or None when it does not tell (SYSTEM_TIME).

    ArduPilot acknowledges the request while it boots, but sends the time only when it has booted.
    """
    try:
        message = yield from request_message(conversation, "SYSTEM_TIME", SYSTEM_TIME_ID, tries=10)
    except NoAnswer:
        return None
    return None if message is None else message["time_boot_ms"] / 1000


def reboot(conversation: Conversation) -> Flow[None]:
    """Ask for a reboot and see that it is accepted.

    A lost acknowledgement does no harm where the link drops or the vehicle falls silent: then it reboots. Raises Armed
    and VehicleError when it refuses, NoAnswer when it goes on as if nothing had been sent.
    """
    if is_armed((yield from fresh_heartbeat(conversation))):
        raise Armed(t("the vehicle is armed and is not rebooted"), hint=t("disarm it first"))
    try:
        result = yield from _reboot_result(conversation)
    except LinkLost:
        return
    if result not in (ACCEPTED, IN_PROGRESS):
        raise VehicleError(
            t("the vehicle refuses to reboot: {result}", result=RESULTS.get(result, result)),
            hint=t("disarm it and look at its messages, then try again"),
        )


def _reboot_result(conversation: Conversation) -> Flow[int]:
    for attempt in range(3):
        send = command_bytes(conversation, REBOOT, 1, confirmation=attempt)
        sent = conversation.now
        last_heard = -math.inf
        while (message := (yield from conversation.next(send, sent + GONE_SECONDS))) is not None:
            send = b""
            if is_ack(conversation, message, REBOOT):
                return int(message["result"])
            last_heard = conversation.now
        if last_heard < sent + conversation.round_trip.wait():
            return ACCEPTED
    raise NoAnswer(t("the vehicle does not answer the reboot command"), hint=t("check the link, or power-cycle it"))
