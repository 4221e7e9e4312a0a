"""Links to devices behind an ArduPilot flight controller: `via:ardupilot:gps1+tcp:127.0.0.1:5760`.

`ArdupilotPort` carries bytes in SERIAL_CONTROL messages, so that MAVLink stays alive; `ArdupilotPassthrough` connects
the two ports by parameters, for firmware that leaves SERIAL_CONTROL out, and ends by the firmware's own timeout.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from dronekit_cfg.errors import DronekitError, LinkError, LinkLost, SeveralVehicles, UsageError
from dronekit_cfg.events import Note, Reporter
from dronekit_cfg.links.base import Clock, Link
from dronekit_cfg.links.common import BaseLink, not_open
from dronekit_cfg.links.port_marks import PortMark
from dronekit_cfg.links.pump import run_flow
from dronekit_cfg.model import Identity
from dronekit_cfg.talk import mavlink_ports
from dronekit_cfg.talk.flow import Flow, Session
from dronekit_cfg.talk.mavlink_connect import Target, identify
from dronekit_cfg.talk.mavlink_conversation import BEAT_SECONDS, Conversation
from dronekit_cfg.talk.mavlink_params import read_values
from dronekit_cfg.talk.mavlink_ports import CHUNK, PortFlags, port_bytes
from dronekit_cfg.text import t
from dronekit_cfg.wire.mavlink import MavlinkCodec

__all__ = ["ArdupilotPassthrough", "ArdupilotPort", "Way"]

T = TypeVar("T")

POLL_SECONDS = 0.02
"""Between two questions for what arrived: a port's buffer of 512 bytes fills in 22 ms at 230400 baud."""
SLOWEST = 38400
"""Bits per second that the device's port is taken for while nothing better is known; writes are paced by it."""
SILENT_SECONDS = 5.0
"""A flight controller that says nothing at all for so long is gone."""
MARK_SECONDS = 0.5
_MARK = b"\x55" * 16
_EXCLUSIVE = PortFlags.EXCLUSIVE | PortFlags.RESPOND | PortFlags.MULTI
_BAUDS = {
    1: 1200, 2: 2400, 4: 4800, 9: 9600, 19: 19200, 38: 38400, 57: 57600, 100: 100000, 111: 111100, 115: 115200,
    230: 230400, 256: 256000, 460: 460800, 500: 500000, 921: 921600, 1500: 1500000,
}  # fmt: skip
"""What the values of SERIALn_BAUD mean (AP_SerialManager)."""


@dataclass(frozen=True, slots=True)
class Way:
    """The way through the flight controller. `root` is the state folder; without one no mark is kept.

    `take` takes a port that another program seems to hold; `baud` is the speed to give the port, 0 leaves it;
    `passthrough` are the seconds of silence that end it; `from_port` is the SERIALn that we are connected to.
    """

    port: str
    root: Path | None = None
    target: Target | None = None
    signing_key: bytes | None = None
    take: bool = False
    baud: int = 0
    passthrough: int = 0
    from_port: int = 0


class _Via(BaseLink):
    """What both ways share: the conversation with the flight controller, and the mark."""

    def __init__(self, url: str, inner: Link, way: Way, clock: Clock, report: Reporter) -> None:
        import time

        super().__init__(url, inner.baud)
        self._inner = inner
        self._way = way
        self._clock = clock
        self._report = report
        self._codec = MavlinkCodec(signing_key=way.signing_key, now_unix=time.time)
        self._talk = Conversation(Session(clock.now, report), self._codec)
        self._mark: PortMark | None = None
        self._taken = False
        self._is_open = False

    def _run(self, flow: Flow[T]) -> T:
        return run_flow(flow, self._inner, self._codec, self._clock)

    def open(self) -> None:
        """Find the flight controller and take the port from it. Raises LinkError, VehicleError, LeaseHeld."""
        if self._is_open:
            return
        self._inner.open()
        try:
            identity = self._find()
            self._run(mavlink_ports.require_disarmed(self._talk))
            self.place = f"{identity.key}-{self._way.port}"
            self._begin(identity)
        except BaseException:
            self._let_go()
            raise
        self._is_open = True

    def _find(self) -> Identity:
        """Find the flight controller. Raises LinkError, VehicleError."""
        return self._run(identify(self._talk, target=self._way.target))

    def _begin(self, identity: Identity) -> None:
        """Take the port, with a mark on disk before."""
        left = False
        if self._way.root is not None:
            self._mark = PortMark(self._way.root, identity.key, self._way.port)
            left = self._mark.hold()
        try:
            self._take(left=left)
        except BaseException:
            if self._taken:
                with suppress(DronekitError):
                    self._give_back()
            raise

    @abstractmethod
    def _take(self, *, left: bool) -> None:
        """Take the port; `left` says that a killed command of ours has taken it before."""

    @abstractmethod
    def _give_back(self) -> None:
        """Give the port back and see it confirmed. Raises LinkError."""

    def _note(self, restore: Mapping[str, float]) -> None:
        self._taken = True
        if self._mark is not None:
            self._mark.write(restore)

    def _let_go(self) -> None:
        mark, self._mark = self._mark, None
        if mark is not None:
            mark.let_go()
        self._is_open = False
        self._inner.close()

    def reopen(self) -> None:
        """Go on where the flight controller is still there; a restarted device behind it does not close the link."""
        if self._is_open:
            return
        super().reopen()

    def close(self) -> None:
        """Give the port back and close; says so when the flight controller does not confirm it."""
        if not self._is_open:
            return
        try:
            self._give_back()
        except DronekitError as error:
            self._report(Note(f"{error.message}; {error.hint}", level="warning"))
        self._let_go()


class ArdupilotPort(_Via):
    """A port of the flight controller, reached by SERIAL_CONTROL."""

    def __init__(self, url: str, inner: Link, way: Way, clock: Clock, report: Reporter) -> None:
        super().__init__(url, inner, way, clock, report)
        self._waiting = bytearray()
        self._ask_at = self._beat_at = -math.inf
        self._speed = 0
        self._first_speed = 0

    def _find(self) -> Identity:
        try:
            return self._run(identify(self._talk))
        except SeveralVehicles as error:
            raise SeveralVehicles(
                error.message, hint=t("the message that takes a port bears no address: connect one vehicle alone")
            ) from error

    def _take(self, *, left: bool) -> None:
        port = self._way.port
        if not (left or self._way.take):
            self._run(mavlink_ports.require_free(self._talk, port))
        if port.startswith("serial"):
            self._run(mavlink_ports.require_lockable(self._talk, port))
        if not port.startswith("gps"):
            self._require_another()
        self._note({})
        self._run(mavlink_ports.take(self._talk, port))
        if self._way.baud:
            self.set_baud(self._way.baud)

    def _require_another(self) -> None:
        """See that the port is not the one that we are connected to: taking it would cut us off. Raises UsageError.

        No message tells that. So bytes that mean nothing are sent out of it, and must not come back to us.
        """
        self._inner.write(port_bytes(self._talk, self._way.port, PortFlags(0), _MARK))
        heard, end = b"", self._clock.now() + MARK_SECONDS
        while (left := end - self._clock.now()) > 0:
            heard += self._inner.read(left)
            if _MARK in heard:
                raise UsageError(
                    t("{port} is the port of the flight controller that this link uses", port=self._way.port),
                    hint=t("connect to the flight controller by USB, or connect the device directly"),
                )
        self._codec.receive_data(heard)

    def set_baud(self, baud: int) -> bool:
        """Change the speed of the flight controller's port."""
        self._first_speed = self._first_speed or self._configured_speed()
        self._speed = self.baud = baud
        self._inner.write(port_bytes(self._talk, self._way.port, _EXCLUSIVE, baud=baud))
        self._waiting.clear()
        return True

    def _configured_speed(self) -> int:
        """Give the speed that the flight controller uses the port with."""
        number = self._run(mavlink_ports.serial_number(self._talk, self._way.port))
        name = f"SERIAL{number}_BAUD"
        value = self._run(read_values(self._talk, (name,)))[name]
        code = 0 if value is None else int(value.number)
        return _BAUDS.get(code, code if code > max(_BAUDS) else 0)

    def _give_back(self) -> None:
        self._run(mavlink_ports.release(self._talk, self._way.port, baud=self._first_speed))
        if self._mark is not None:
            self._mark.done()

    def read(self, timeout: float) -> bytes:
        """Give what the device said, waiting at most `timeout` seconds. Raises LinkLost."""
        self._check()
        deadline = self._clock.now() + timeout
        while not self._waiting:
            now = self._clock.now()
            if now >= self._ask_at:
                self._ask_at = now + POLL_SECONDS
                self._send()
            data = self._inner.read(max(0.0, min(deadline, self._ask_at) - now))
            self._take_in(data)
            if not self._waiting and self._clock.now() >= deadline:
                return b""
        found = bytes(self._waiting)
        self._waiting.clear()
        return found

    def _take_in(self, data: bytes) -> None:
        now = self._clock.now()
        if data:
            self._talk.heard = now
            self._codec.receive_data(data)
        elif now - self._talk.heard > SILENT_SECONDS:
            self._is_open = False
            raise LinkLost(
                t("{url} was lost: the flight controller is silent", url=self.url),
                hint=t("check cable and power of the flight controller, then run the command again"),
            )
        while (message := self._codec.next_event()) is not None:
            if message.system == self._talk.system:
                self._waiting += mavlink_ports.said(message, self._way.port) or b""

    def _send(self, data: bytes = b"") -> None:
        beat = b""
        if self._clock.now() >= self._beat_at:
            self._beat_at = self._clock.now() + BEAT_SECONDS
            beat = self._codec.station_heartbeat()
        self._inner.write(beat + port_bytes(self._talk, self._way.port, _EXCLUSIVE, data))

    def write(self, data: bytes) -> None:
        """Send all of `data`, no faster than the device's port carries it."""
        self._check()
        for start in range(0, len(data), CHUNK):
            part = data[start : start + CHUNK]
            self._send(part)
            if start + CHUNK < len(data):
                until = self._clock.now() + len(part) * 10 / (self._speed or SLOWEST)
                while (left := until - self._clock.now()) > 0:
                    self._take_in(self._inner.read(left))

    def _check(self) -> None:
        if not self._is_open:
            raise not_open(self.url)


class ArdupilotPassthrough(_Via):
    """A port of the flight controller, connected to ours by SERIAL_PASS1, _PASS2 and _PASSTIMO."""

    def __init__(self, url: str, inner: Link, way: Way, clock: Clock, report: Reporter) -> None:
        super().__init__(url, inner, way, clock, report)
        self._old: Mapping[str, float] = {}

    def _take(self, *, left: bool) -> None:
        number = self._run(mavlink_ports.serial_number(self._talk, self._way.port))
        wanted = {
            "SERIAL_PASSTIMO": float(self._way.passthrough),
            "SERIAL_PASS1": float(self._way.from_port),
        }
        names = tuple(wanted)
        values = self._run(read_values(self._talk, names))
        known = self._mark.restore() if left and self._mark is not None else {}
        self._old = {n: v.number for n, v in values.items() if v is not None} | dict(known)
        self._note(self._old)
        self._run(mavlink_ports.set_parameters(self._talk, wanted))
        self._run(mavlink_ports.connect_ports(self._talk, number))

    def read(self, timeout: float) -> bytes:
        """Give what the device said."""
        return self._inner.read(timeout)

    def write(self, data: bytes) -> None:
        """Send all of `data` to the device."""
        self._inner.write(data)

    def _give_back(self) -> None:
        """Be silent until the firmware ends the passthrough, then set the parameters back."""
        self._report(Note(t("waiting {seconds} s until the passthrough ends", seconds=self._way.passthrough)))
        end = self._clock.now() + self._way.passthrough + 1.0
        while (left := end - self._clock.now()) > 0:
            with suppress(LinkError):
                self._inner.read(left)
        self._run(identify(self._talk, target=self._way.target))
        self._run(mavlink_ports.set_parameters(self._talk, {**self._old, "SERIAL_PASS2": -1.0}))
        if self._mark is not None:
            self._mark.done()
