"""Ask a u-blox receiver and see each request answered: polls, acknowledged writes, configuration keys by layer.

A receiver answers in order. ACK and NAK name the message they answer but not which one of several, so a window of
single-key VALGETs counts only when exactly as many answers came as were asked for; else it is asked again, one by one.
"""

from __future__ import annotations

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

    def poll(self, kind: tuple[int, int], payload: bytes = b"", *, size: int = 1) -> Flow[UbxFrame]:
        """Ask for a message and give it; answers shorter than `size` bytes do not count.

        Raises NoAnswer, also when the receiver refuses, and LinkGarbage when what arrives is no UBX.
        """
        frame = yield from self.poll_if_known(kind, payload, size=size)
        if frame is None:
            raise self._silence(kind)
        return frame

    def poll_if_known(self, kind: tuple[int, int], payload: bytes = b"", *, size: int = 1) -> Flow[UbxFrame | None]:
        """As `poll`, but give None when the receiver refuses because it does not know the message."""
        for _ in range(TRIES):
            send, until = encode(*kind, payload), self._session.now() + PATIENCE
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
        """Read raw values of one layer; a key that it does not hold is left out. Raises NoAnswer, LinkGarbage."""
        found: dict[int, int] = {}
        for start in range(0, len(keys), WINDOW):
            window = keys[start : start + WINDOW]
            part = yield from self._window(layer, window)
            if part is None:
                part = yield from self._one_by_one(layer, window)
            found |= part
        return found

    def _one_by_one(self, layer: int, keys: Sequence[int]) -> Flow[dict[int, int]]:
        found: dict[int, int] = {}
        for key in keys:
            for _ in range(TRIES):
                yield from self.pause(DRAIN)
                part = yield from self._window(layer, [key])
                if part is not None:
                    found |= part
                    break
            else:
                raise self._silence(VALGET)
        return found

    def _window(self, layer: int, keys: Sequence[int]) -> Flow[dict[int, int] | None]:
        """Ask for some keys at once; None when the answers do not add up."""
        send = b"".join(encode(*VALGET, valget_payload(layer, [key])) for key in keys)
        found: dict[int, int] = {}
        acks = naks = 0
        until = self._session.now() + PATIENCE
        while acks + naks < len(keys):
            frame = yield Wait(send, until)
            send = b""
            if frame is None:
                return None
            if frame.kind == VALGET:
                try:
                    where, values = parse_valget(frame.payload)
                except ValueError:
                    continue
                if where == layer:
                    found |= {key: value for key, value in values.items() if key in keys}
            elif frame.kind in (ACK, NAK) and frame.payload[:2] == bytes(VALGET):
                acks, naks = acks + (frame.kind == ACK), naks + (frame.kind == NAK)
        return found if acks == len(found) else None

    def _silence(self, kind: tuple[int, int]) -> NoAnswer | LinkGarbage:
        noise = b"" if self._codec.heard else self._codec.noise
        if b"$G" in noise or b"$P" in noise:
            return LinkGarbage(
                t("NMEA arrives, but no UBX answer: the receiver does not hear us"),
                hint=t("connect the receiver's RX as well, or use a passthrough that carries both directions"),
            )
        if noise.strip(b"\0\xff"):
            return LinkGarbage(
                t("bytes arrive that are no UBX"),
                hint=t("try ?baud=9600, 38400, 57600, 115200, 230400 or 460800, or another --family"),
            )
        return NoAnswer(
            t("the receiver does not answer UBX message {cls:02X} {id:02X}", cls=kind[0], id=kind[1]),
            hint=t("check power, cable (RX and TX crossed) and ?baud="),
        )
