"""Pause the telemetry that eats a slow link, and put it back.

ArduPilot and PX4 keep what SET_MESSAGE_INTERVAL asks for in memory and for one link, until the next boot; nothing is
stored (GCS_Common.cpp set_message_interval; tried on ArduCopter 4.7-dev: the MAV1_* rates stay as they were, and after
a restart the streams are back). REQUEST_DATA_STREAM must not be used here: on ArduPilot it changes the rate settings,
on some vehicles in storage, on Copter until the next boot, so that a snapshot taken meanwhile would hold wrong rates.
So even a run that is killed leaves no trace behind a reboot.
"""

from __future__ import annotations

from dronekit_cfg.errors import NoAnswer
from dronekit_cfg.events import Note
from dronekit_cfg.talk.flow import Flow
from dronekit_cfg.talk.mavlink_commands import command_bytes, fresh_heartbeat, is_ack, is_armed
from dronekit_cfg.talk.mavlink_conversation import Conversation
from dronekit_cfg.text import t
from dronekit_cfg.wire.mavlink_layout import layout_of_name

__all__ = ["pause_streams", "resume_streams"]

GET_INTERVAL, SET_INTERVAL = 510, 511
STOP = -1
SLOW_BYTES = 12_000.0
"""Lines up to 115200 baud; a faster one has room for both."""
SHARE = 0.08
"""Part of the line that telemetry may use before it is paused: less is not worth the commands."""
MOST = 24
"""Kinds of messages that are paused at most, the heaviest first."""
TRIES = 5
WATCH_SECONDS = 0.4


def pause_streams(conversation: Conversation) -> Flow[None]:
    """Stop the streams that were heard, when they take a good part of a slow line; never raises for a silent vehicle.

    Not while the vehicle is armed.

    What was stopped is kept in `conversation.paused` until `resume_streams` put it back.
    """
    names = _heavy(conversation)
    if not names or (yield from _armed(conversation)):
        return
    numbers = [layout_of_name(name).id for name in names]
    intervals = yield from _intervals(conversation, numbers)
    if not intervals:
        return
    # Noted before it is done: whatever happens from here on, they are put back.
    conversation.paused.update(intervals)
    yield from _set(conversation, dict.fromkeys(intervals, STOP))
    conversation.watch.streams.clear()
    conversation.session.report(
        Note(t("{count} telemetry streams are paused, so that the slow link is free", count=len(intervals)))
    )


def resume_streams(conversation: Conversation) -> Flow[None]:
    """Put back the streams that were paused; a note says when the vehicle does not confirm it."""
    if not conversation.paused:
        return
    if (yield from _set(conversation, conversation.paused)):
        conversation.paused.clear()
        return
    conversation.session.report(
        Note(t("telemetry streams stay paused until the vehicle restarts: it did not confirm"), level="warning")
    )


def _armed(conversation: Conversation) -> Flow[bool]:
    """Whether it may be armed: then somebody may be flying by this telemetry, and it is left alone."""
    try:
        return is_armed((yield from fresh_heartbeat(conversation)))
    except NoAnswer:
        return True


def _heavy(conversation: Conversation) -> list[str]:
    """Give the streams to pause: all that were heard, when together they take a good part of a line that is slow."""
    watch, line = conversation.watch, conversation.session.line
    heard = conversation.now - watch.since
    if conversation.paused or line.bytes_per_second > SLOW_BYTES or heard < WATCH_SECONDS:
        return []
    streams = {name: traffic for name, traffic in watch.streams.items() if traffic.count > 1}
    if sum(traffic.size for traffic in streams.values()) < SHARE * line.bytes_per_second * heard:
        return []
    return sorted(streams, key=lambda name: -streams[name].size)[:MOST]


def _intervals(conversation: Conversation, numbers: list[int]) -> Flow[dict[int, int]]:
    """Ask for the intervals (microseconds) of these messages; those that stay unanswered or are off are left out."""
    found: dict[int, int] = {}
    for attempt in range(TRIES):
        missing = [n for n in numbers if n not in found]
        if not missing:
            break
        send = b"".join(command_bytes(conversation, GET_INTERVAL, n, confirmation=attempt) for n in missing)
        until = conversation.now + _wait(conversation, attempt, len(missing))
        while len(found) < len(numbers):
            message = yield from conversation.next(send, until)
            send = b""
            if message is None:
                break
            if message.name == "MESSAGE_INTERVAL" and message["message_id"] in numbers:
                found[message["message_id"]] = message["interval_us"]
    return {number: interval for number, interval in found.items() if interval > 0}


def _set(conversation: Conversation, intervals: dict[int, int]) -> Flow[bool]:
    """Set intervals until as many acknowledgements came as commands went; whether they did."""
    for attempt in range(TRIES):
        send = b"".join(
            command_bytes(conversation, SET_INTERVAL, number, interval, confirmation=attempt)
            for number, interval in intervals.items()
        )
        until = conversation.now + _wait(conversation, attempt, len(intervals))
        acknowledged = 0
        while acknowledged < len(intervals):
            message = yield from conversation.next(send, until)
            send = b""
            if message is None:
                break
            acknowledged += is_ack(conversation, message, SET_INTERVAL)
        if acknowledged >= len(intervals):
            return True
    return False


def _wait(conversation: Conversation, attempt: int, count: int) -> float:
    """Seconds to wait for `count` answers that come behind what already fills the line."""
    return conversation.round_trip.wait(attempt) + count * 60 / conversation.session.line.bytes_per_second + 0.2
