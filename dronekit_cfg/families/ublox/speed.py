"""Change the baud rate of a receiver's port, with the link following, and find a receiver whose rate is not known."""

from __future__ import annotations

import re

from dronekit_cfg.errors import LinkError
from dronekit_cfg.talk.flow import Flow, Session, Wait
from dronekit_cfg.talk.speeds import find_speed
from dronekit_cfg.talk.ubx_calls import UbxCalls
from dronekit_cfg.wire.ubx import UbxCodec, UbxFrame
from dronekit_cfg.wire.ubx_messages import MON_VER

__all__ = ["SPEEDS", "answers", "find_receiver", "follow", "other_speed"]

SPEEDS = (38400, 9600, 115200, 230400, 460800, 57600, 921600, 19200)
"""The likeliest first: from the factory M9 and later, M8; what flight controllers set."""
LISTEN_SECONDS = 1.2
"""A receiver says something each second."""
LEAVE_SECONDS = 0.2
"""What was sent has left the port, and the receiver has changed its speed."""
_NMEA = re.compile(rb"\$(G[A-Z]{4},[^*$\r\n]{0,80})\*([0-9A-F]{2})")


def _is_nmea(data: bytes) -> bool:
    for found in _NMEA.finditer(data):
        check = 0
        for byte in found[1]:
            check ^= byte
        if check == int(found[2], 16):
            return True
    return False


def _version(calls: UbxCalls) -> Flow[UbxFrame | None]:
    try:
        return (yield from calls.poll(MON_VER, tries=2, patience=0.5))
    except LinkError:
        return None


def answers(calls: UbxCalls, *, tries: int = 3) -> Flow[bool]:
    """Say whether the receiver answers at the speed that the port has."""
    try:
        yield from calls.poll(MON_VER, tries=tries, patience=0.4)
    except LinkError:
        return False
    return True


def find_receiver(session: Session, codec: UbxCodec, calls: UbxCalls) -> Flow[UbxFrame | None]:
    """Look for a receiver at all usual speeds: listen first. Gives its MON-VER; None when there is none."""
    return (
        yield from find_speed(
            session,
            codec,
            SPEEDS,
            listen=LISTEN_SECONDS,
            sounds_right=lambda: codec.heard or _is_nmea(codec.noise),
            ask=lambda: _version(calls),
        )
    )


def other_speed(calls: UbxCalls, speed: int) -> Flow[bool]:
    """Go on at `speed` if the receiver answers there; else the port is as fast as before."""
    before = yield Wait(baud=speed)
    if before is None:
        return False
    if (yield from answers(calls, tries=2)):
        return True
    if before:
        yield Wait(baud=before)
    return False


def follow(calls: UbxCalls, order: bytes, old: int, new: int) -> Flow[bool | None]:
    """Send the `order` to go on at `new` and go there too: True when the receiver answers there.

    False when it stayed at `old`, or is reached by another port, whose speed this is not; None when the link has no
    speed that we can change, and nothing was sent.
    """
    before = yield Wait(baud=old)
    if before is None:
        return None
    if before not in (0, old):
        # We are at another of its ports: this one does not lead to us.
        yield Wait(baud=before)
        yield Wait(order)
        yield from calls.pause(LEAVE_SECONDS)
        return True
    yield Wait(order)
    yield from calls.pause(LEAVE_SECONDS)
    yield Wait(baud=new)
    if (yield from answers(calls)):
        return True
    yield Wait(baud=old)
    return False
