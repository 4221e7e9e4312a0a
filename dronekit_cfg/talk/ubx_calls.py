"""Ask a u-blox receiver and see each request answered: polls, acknowledged writes, configuration keys by layer.

A receiver answers in order. ACK and NAK name the message they answer but not which one of several, so many single-key
VALGETs on the way count only when exactly as many answers came as were asked for; else what is missing is asked for
again, one by one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from dronekit_cfg.errors import LinkGarbage, NoAnswer
from dronekit_cfg.talk.flow import Flow, Session, Wait
from dronekit_cfg.text import t
from dronekit_cfg.wire.ubx import UbxCodec, UbxFrame, encode
from dronekit_cfg.wire.ubx_messages import ACK, NAK, VALGET, parse_valget, valget_payload

__all__ = ["UbxCalls"]

PATIENCE = 1.0
"""Seconds that an answer may take: a receiver answers within 0.1 s, at 9600 baud amid its own traffic within 0.7 s."""
TRIES = 3
WINDOW = 10
"""Requests on the way at once, 160 bytes: a flight controller in between may buffer no more than 256."""
DRAIN = 0.3
"""Seconds of waiting for late answers after a window went wrong, so that none is taken for one of the next."""


class UbxCalls:
    """The requests of one connection."""

    def __init__(self, session: Session, codec: UbxCodec) -> None:
        self._session = session
        self._codec = codec

    def poll(
        self,
        kind: tuple[int, int],
        payload: bytes = b"",
        *,
        size: int = 1,
        tries: int = TRIES,
        patience: float = PATIENCE,
    ) -> Flow[UbxFrame]:
        """Ask for a message and give it; answers shorter than `size` bytes do not count.

        Raises NoAnswer, also when the receiver refuses, and LinkGarbage when what arrives is no UBX.
        """
        frame = yield from self.poll_if_known(kind, payload, size=size, tries=tries, patience=patience)
        if frame is None:
            raise self._silence(kind)
        return frame

    def poll_if_known(
        self,
        kind: tuple[int, int],
        payload: bytes = b"",
        *,
        size: int = 1,
        tries: int = TRIES,
        patience: float = PATIENCE,
    ) -> Flow[UbxFrame | None]:
        """As `poll`, but give None when the receiver refuses because it does not know the message."""
        for _ in range(tries):
            send, until = encode(*kind, payload), self._session.now() + patience
            while True:
                frame: UbxFrame | None = yield Wait(send, until)
                send = b""
                if frame is None:
                    break
                if frame.kind == NAK and frame.payload[:2] == bytes(kind):
                    return None
                if frame.kind == kind and len(frame.payload) >= size and frame.payload.startswith(payload[:2]):
                    return frame
        raise self._silence(kind)

    def acknowledged(self, kind: tuple[int, int], payload: bytes, *, patience: float = PATIENCE) -> Flow[bool | None]:
        """Send a configuration message: True for ACK, False for NAK, None when neither came.

        It is sent again while no answer comes: writing the same values twice changes nothing.
        """
        for _ in range(TRIES):
            send, until = encode(*kind, payload), self._session.now() + patience
            while (frame := (yield Wait(send, until))) is not None:
                send = b""
                if frame.kind in (ACK, NAK) and frame.payload[:2] == bytes(kind):
                    return bool(frame.kind == ACK)
        return None

    def tell(self, kind: tuple[int, int], payload: bytes) -> Flow[None]:
        """Send a message that is not answered."""
        yield Wait(encode(*kind, payload))

    def pause(self, seconds: float) -> Flow[None]:
        """Let time pass; what arrives meanwhile is dropped."""
        until = self._session.now() + seconds
        while (yield Wait(b"", until)) is not None:
            pass

    def values(self, layer: int, keys: Sequence[int]) -> Flow[dict[int, int]]:
        """Read raw values of one layer; a key that it does not hold is left out. Raises NoAnswer, LinkGarbage.

        A key may be a wildcard (see `wire.ubx_messages.wildcard`); then it gives all that the layer holds of it.
        """
        found, whole = yield from self._window(layer, keys)
        if whole:
            return found
        for key in keys:
            if key not in found:
                found |= yield from self._one(layer, key)
        return found

    def _one(self, layer: int, key: int) -> Flow[dict[int, int]]:
        """Ask for one key alone, so that ACK and NAK are its own."""
        for _ in range(2 * TRIES):
            part, whole = yield from self._window(layer, [key])
            if whole:
                return part
        raise self._silence(VALGET)

    def _window(self, layer: int, keys: Sequence[int]) -> Flow[tuple[dict[int, int], bool]]:
        """Ask for keys, `WINDOW` on the way; the values, and whether exactly as many answers came as questions."""
        found: dict[int, int] = {}
        waiting = deque(keys)
        flying = answers = acks = asked = 0
        whole = True
        until = self._session.now() + PATIENCE
        while waiting or flying:
            send = b""
            while waiting and flying < WINDOW:
                send += encode(*VALGET, valget_payload(layer, [waiting.popleft()]))
                flying += 1
            frame = yield Wait(send, until)
            if frame is None:
                flying, whole = 0, False
                yield from self.pause(DRAIN)
            elif frame.cls not in (ACK[0], VALGET[0]):
                continue  # what it sends by itself is no sign that an answer still comes
            until = self._session.now() + PATIENCE
            if frame is None:
                continue
            if frame.kind == VALGET:
                asked += self._take(frame, layer, found)
            elif frame.kind in (ACK, NAK) and frame.payload[:2] == bytes(VALGET):
                flying, answers, acks = flying - 1, answers + 1, acks + (frame.kind == ACK)
        return found, whole and answers == len(keys) and acks == asked

    @staticmethod
    def _take(frame: UbxFrame, layer: int, found: dict[int, int]) -> bool:
        """Take the values of an answer; whether it was one to our question."""
        try:
            where, values = parse_valget(frame.payload)
        except ValueError:
            return False
        if where == layer:
            found |= values
        return where == layer

    def _silence(self, kind: tuple[int, int]) -> NoAnswer | LinkGarbage:
        if self._codec.heard:
            return NoAnswer(
                t("UBX arrives, but UBX message {cls:02X} {id:02X} is not answered", cls=kind[0], id=kind[1]),
                hint=t("connect the receiver's RX as well; a simulated receiver may only send"),
            )
        noise = self._codec.noise
        if b"$G" in noise or b"$P" in noise:
            return LinkGarbage(
                t("NMEA arrives, but no UBX answer: the receiver does not hear us"),
                hint=t("connect the receiver's RX as well, or use a passthrough that carries both directions"),
            )
        if noise.strip(b"\0\xff"):
            return LinkGarbage(
                t("bytes arrive that are no UBX"),
                hint=t("check the baud rate (serial:PORT@38400), or name another --family"),
            )
        return NoAnswer(
            t("the receiver does not answer UBX message {cls:02X} {id:02X}", cls=kind[0], id=kind[1]),
            hint=t("check power, cable (RX and TX crossed) and the baud rate (serial:PORT@38400)"),
        )
