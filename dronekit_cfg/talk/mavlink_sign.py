"""Gives a vehicle the key with which it signs its messages from then on, or takes it away.

SETUP_SIGNING is not acknowledged: whether it was taken shows in what the vehicle sends afterwards. An all-zero key with
time zero switches signing off (ArduPilot `GCS_Signing.cpp`, mavlink.io guide "Message Signing").
"""

from __future__ import annotations

from dronekit_cfg.talk.flow import Flow
from dronekit_cfg.talk.mavlink_conversation import Conversation

__all__ = ["is_signed", "set_up_signing"]

REPEATS = 2
"""It is not acknowledged, and a second one with the same key does no harm."""
PAUSE_SECONDS = 0.3
LISTEN_SECONDS = 3.0


def set_up_signing(conversation: Conversation, key: bytes, ticks: int) -> Flow[None]:
    """Send the 32-byte key and the time (10 us since 2015); both zero take the key away."""
    for _ in range(REPEATS):
        frame = conversation.codec.encode(
            "SETUP_SIGNING", **conversation.target, secret_key=key, initial_timestamp=ticks
        )
        yield from conversation.next(frame)
        until = conversation.now + PAUSE_SECONDS
        while (yield from conversation.next(until=until)) is not None:
            pass


def is_signed(conversation: Conversation) -> Flow[bool]:
    """Whether the next heartbeat of the vehicle bears a signature; False when none comes in 3 s."""
    until = conversation.now + LISTEN_SECONDS
    while (message := (yield from conversation.next(until=until))) is not None:
        if message.name == "HEARTBEAT":
            return message.signed
    return False
