"""Ask a vehicle questions over MSP: one by one, or several on the way at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeGuard

from dronekit_cfg.errors import NoAnswer
from dronekit_cfg.talk.flow import Flow, Session, Wait
from dronekit_cfg.text import t
from dronekit_cfg.wire.msp import Direction, MspFrame, Noise, encode
from dronekit_cfg.wire.msp_port import PortCodec

__all__ = ["Call", "Fits", "MspCalls", "any_reply"]

Call = tuple[int, bytes]
"""Message number and payload of one request."""

Fits = Callable[[Call, MspFrame], bool]
"""Tells whether a reply belongs to a call; a late reply to a call that was given up does not."""

PATIENCE = 0.5
"""Seconds to wait for one reply: a vehicle answers in 10-11 ms, a frame with a wrong checksum never."""
IN_FLIGHT = 180
"""Bytes of requests on the way at once: the receive buffer of a vehicle's serial port holds 256."""
_NOISE_KEPT = 512


def _answers(event: object, code: int) -> TypeGuard[MspFrame]:
    """Whether this is the reply; a late one to a question that was given up has another number."""
    return isinstance(event, MspFrame) and event.direction is not Direction.REQUEST and event.code == code


def any_reply(call: Call, frame: MspFrame) -> bool:
    """Take any reply with the right code."""
    del call, frame
    return True


class MspCalls:
    """Requests on one connection. `noise` holds the last bytes that were no MSP, to tell what else is on the line."""

    def __init__(self, session: Session, codec: PortCodec) -> None:
        self._session = session
        self._codec = codec
        self.noise = b""

    def ask(
        self,
        code: int,
        payload: bytes = b"",
        *,
        tries: int = 6,
        patience: float = PATIENCE,
        fits: Fits = any_reply,
    ) -> Flow[MspFrame]:
        """Ask until there is a reply that `fits`, or a refusal. Raises NoAnswer after `tries`."""
        for _ in range(tries):
            frames = yield from self._burst([(code, payload)], patience, fits)
            if frames:
                return frames[0]
        raise NoAnswer(
            t("no answer to MSP message {code}", code=code),
            hint=t("check cable, baud rate and that MSP is enabled on this port"),
        )

    def ask_many(
        self, calls: Sequence[Call], *, patience: float = PATIENCE, fits: Fits = any_reply
    ) -> Flow[list[MspFrame]]:
        """Ask several questions, as many at once as the vehicle's buffer takes; replies in the order of `calls`.

        When one of a burst is lost, the whole burst is asked again one by one. Replies carry no number of their
        request: where several calls have one code, `fits` tells whether a reply belongs to a call. Raises NoAnswer.
        """
        found: list[MspFrame] = []
        place = 0
        while place < len(calls):
            burst: list[Call] = []
            size = 0
            for code, payload in calls[place:]:
                size += 9 + len(payload)
                if burst and size > IN_FLIGHT:
                    break
                burst.append((code, payload))
            frames = yield from self._burst(burst, patience, fits)
            if len(frames) != len(burst):
                frames = []
                for code, payload in burst:
                    frames.append((yield from self.ask(code, payload, patience=patience, fits=fits)))
            found += frames
            place += len(burst)
        return found

    def _burst(self, burst: Sequence[Call], patience: float, fits: Fits) -> Flow[list[MspFrame]]:
        """Send requests and collect replies in order; fewer than asked when one is missing."""
        frames: list[MspFrame] = []
        send = b"".join(encode(code, payload) for code, payload in burst)
        until = self._session.now() + patience
        while len(frames) < len(burst):
            event = yield Wait(send, until)
            send = b""
            if event is None:
                self._keep_noise()
                break
            if isinstance(event, Noise):
                self.noise = (self.noise + event.data)[-_NOISE_KEPT:]
            elif _answers(event, burst[len(frames)][0]) and fits(burst[len(frames)], event):
                frames.append(event)
                until = self._session.now() + patience
        return frames

    def _keep_noise(self) -> None:
        """Give up an unfinished frame, and keep what turns out to be none."""
        self._codec.give_up_half_frame()
        while (event := self._codec.next_event()) is not None:
            if isinstance(event, Noise):
                self.noise = (self.noise + event.data)[-_NOISE_KEPT:]
