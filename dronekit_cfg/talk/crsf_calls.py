"""Ask a CRSF device for its parameters, chunk by chunk, and write them: every write is read back.

ExpressLRS answers neither a write nor a question for a parameter that there is not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from dronekit_cfg.errors import LinkGarbage, NoAnswer
from dronekit_cfg.talk.flow import Flow, Session, Wait
from dronekit_cfg.text import t
from dronekit_cfg.wire.crsf import (
    Address,
    CrsfCodec,
    CrsfFrame,
    Device,
    Entry,
    Frame,
    Step,
    encode,
    parse_device,
    parse_entry,
)

__all__ = ["CrsfCalls"]

T = TypeVar("T")

PATIENCE = 0.5
"""Seconds that an answer of a device at this end of the air may take, as ExpressLRS's own script waits."""
TRIES = 5
SETTLE = 0.35
"""Seconds after a write before it is read back: a packet rate waits for the next sync."""
BEAT = 0.05
"""Between two frames on a handset's wire; a module looks for another speed after a second without one."""
COMMAND_SECONDS = 10.0
_CHUNKS = 32


class CrsfCalls:
    """The requests of one connection. `device` is whom we talk to, once it was found."""

    def __init__(self, session: Session, codec: CrsfCodec) -> None:
        self._session = session
        self._codec = codec
        self.device = int(Address.MODULE)
        self.origin = int(Address.USB)

    def ping(self, *, tries: int = TRIES) -> Flow[Device]:
        """Find a device that answers, the transmitter module before a receiver. Raises NoAnswer, LinkGarbage."""

        def fits(frame: CrsfFrame) -> Device | None:
            return parse_device(frame.body) if frame.type == Frame.DEVICE else None

        for _ in range(tries):
            found: dict[int, Device] = {}
            until = self._session.now() + PATIENCE
            send = encode(CrsfFrame(Frame.PING, Address.BROADCAST, self.origin))
            while (frame := (yield from self._next(send, until))) is not None:
                send = b""
                device = _guarded(fits, frame)
                if device is not None:
                    found[frame.origin] = device
                    if frame.origin == Address.MODULE:
                        break
            if found:
                self.device = Address.MODULE if Address.MODULE in found else min(found)
                return found[self.device]
        raise self._silence()

    def find(self) -> Flow[Device]:
        """Find a device: as a computer on USB, as the flight controller of a receiver, as a handset of a module.

        No channels are ever sent: the handset's part is played by pings alone. Raises NoAnswer, LinkGarbage.
        """
        for origin in (Address.USB, Address.FLIGHT_CONTROLLER, Address.HANDSET):
            self.origin = origin
            try:
                return (yield from self.ping(tries=2))
            except (NoAnswer, LinkGarbage):
                continue
        self.origin = Address.USB
        raise self._silence()

    def _next(self, send: bytes, until: float) -> Flow[CrsfFrame | None]:
        """Send, and give the next frame. On a handset's wire a module speaks only after it was spoken to."""
        if self.origin != Address.HANDSET:
            frame: CrsfFrame | None = yield Wait(send, until)
            return frame
        beat = encode(CrsfFrame(Frame.PING, Address.BROADCAST, self.origin))
        while (now := self._session.now()) < until:
            frame = yield Wait(send, min(until, now + BEAT))
            if frame is not None:
                return frame
            send = beat
        return None

    def run(self, number: int, *, confirmed: bool) -> Flow[Entry]:
        """Give a command and see it through; a device that leaves meanwhile (Wi-Fi) ends it. Gives its last state.

        Raises NoAnswer when it is not taken up at all. A question of the device is answered with `confirmed`.
        """
        yield from self._step(number, Step.START)
        state = yield from self.entry(number)
        end = self._session.now() + COMMAND_SECONDS
        while state.value in {Step.RUNNING, Step.ASKS} and self._session.now() < end:
            if state.value == Step.ASKS:
                yield from self._step(number, Step.CONFIRMED if confirmed else Step.CANCEL)
            else:
                yield from self._step(number, Step.QUERY)
            try:
                state = yield from self.entry(number)
            except NoAnswer:
                return state
        return state

    def _step(self, number: int, step: Step) -> Flow[None]:
        yield from self.write(number, bytes((step,)))

    def present(self) -> Flow[bool]:
        """Say whether a device answers one ping."""
        try:
            yield from self.ping(tries=1)
        except (NoAnswer, LinkGarbage):
            return False
        return True

    def entry(self, number: int) -> Flow[Entry]:
        """Read one parameter. Raises NoAnswer."""
        for _ in range(TRIES):
            data = yield from self._joined(number)
            if data is not None:
                try:
                    return parse_entry(number, data)
                except ValueError:
                    continue
        raise self._silence()

    def _joined(self, number: int) -> Flow[bytes | None]:
        data, remaining = b"", -1
        for chunk in range(_CHUNKS):
            frame = yield from self._ask(Frame.READ, bytes((number, chunk)), lambda f: _chunk(f, number))
            if frame is None or (chunk and frame[0] != remaining - 1):
                return None
            remaining = frame[0]
            data += frame[1]
            if not remaining:
                return data
        return None

    def write(self, number: int, value: bytes) -> Flow[None]:
        """Send a value; it is not answered."""
        yield Wait(encode(CrsfFrame(Frame.WRITE, self.device, self.origin, bytes((number,)) + value)))
        until = self._session.now() + SETTLE
        while (yield Wait(b"", until)) is not None:
            pass

    def status(self) -> Flow[int | None]:
        """Give the status flags of a transmitter module; None when it does not answer, as receivers do not."""
        for _ in range(TRIES):
            found = yield from self._ask(
                Frame.WRITE, b"\0\0", lambda f: f.body[3] if f.type == Frame.STATUS and len(f.body) > 3 else None
            )
            if found is not None:
                return found
        return None

    def _ask(self, kind: int, body: bytes, fits: Callable[[CrsfFrame], T | None]) -> Flow[T | None]:
        send = encode(CrsfFrame(kind, self.device, self.origin, body))
        until = self._session.now() + PATIENCE
        while (frame := (yield from self._next(send, until))) is not None:
            send = b""
            found = fits(frame) if frame.origin == self.device else None
            if found is not None:
                return found
        return None

    def _silence(self) -> NoAnswer | LinkGarbage:
        if self._codec.noise.strip(b"\0\xff") and not self._codec.heard:
            return LinkGarbage(
                t("bytes arrive that are no CRSF"),
                hint=t(
                    "check the baud rate (serial:PORT@460800 on USB, 420000 at a receiver), or name another --family"
                ),
            )
        return NoAnswer(
            t("no ExpressLRS module answers"),
            hint=t(
                "check cable and baud rate (USB 460800); in Wi-Fi mode a module answers at http:10.0.0.1 until it is"
                " switched off and on, in MAVLink mode it is reached over Wi-Fi only"
            ),
        )


def _guarded(read: Callable[[CrsfFrame], Device | None], frame: CrsfFrame) -> Device | None:
    try:
        return read(frame)
    except ValueError:
        return None


def _chunk(frame: CrsfFrame, number: int) -> tuple[int, bytes] | None:
    if frame.type != Frame.ENTRY or len(frame.body) < 2 or frame.body[0] != number:
        return None
    return frame.body[1], frame.body[2:]
