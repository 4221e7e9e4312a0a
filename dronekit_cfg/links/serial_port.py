"""A link over a serial port, by pyserial: USB flight controllers, radios, UART adapters."""

from __future__ import annotations

import errno
import os
import select
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from dronekit_cfg.errors import LinkOpenError
from dronekit_cfg.events import Note, Reporter, silent
from dronekit_cfg.links.base import Clock
from dronekit_cfg.links.common import BaseLink, lost_error, not_open, open_error
from dronekit_cfg.links.discover import Candidate, Kind, list_candidates, one_per_board, same_device
from dronekit_cfg.links.holders import Holder, busy_hint, find_holders
from dronekit_cfg.links.portless import WITHOUT_PORT, portless_board
from dronekit_cfg.text import t

if TYPE_CHECKING:
    import serial

__all__ = ["PortLink", "SerialLink", "serial_errors"]

_SLICE_SECONDS = 0.02
_WRITE_SECONDS = 10.0
_CHUNK = 65536
_LINUX: bool = sys.platform.startswith("linux")

Ports = Callable[[], Sequence[Candidate]]


def serial_errors() -> tuple[type[Exception], ...]:
    """Give all that pyserial and the terminal layer below it raise.

    SerialException and its kinds are OSErrors; termios.error is not, and passes through where POSIX pyserial configures
    a port that is just going away; TypeError comes from using a descriptor that another thread closed; rfc2217 says
    NotImplementedError or ValueError when the server refuses a setting.
    """
    kinds: tuple[type[Exception], ...] = (OSError, ValueError, TypeError, NotImplementedError)
    with suppress(ImportError):  # not on Windows
        import termios

        kinds = (*kinds, termios.error)
    return kinds


class PortLink(BaseLink):
    """What a local and a remote pyserial port have in common. Kinds make the port in `_make`."""

    _descriptor = False  # whether the port can be waited for with select

    def __init__(self, url: str, baud: int, clock: Clock) -> None:
        super().__init__(url, baud)
        self._clock = clock
        self._port: serial.Serial | None = None

    def _opened(self) -> serial.Serial:
        if self._port is None:
            raise not_open(self.url)
        return self._port

    def read(self, timeout: float) -> bytes:
        """Give what is there, waiting at most `timeout` seconds for the first byte."""
        port = self._opened()
        try:
            if waiting := port.in_waiting:
                return bytes(port.read(min(waiting, _CHUNK)))
            return self._wait(port, timeout)
        except serial_errors() as error:
            raise lost_error(self.url, error) from error

    def _wait(self, port: serial.Serial, timeout: float) -> bytes:
        if self._descriptor:
            ready, _, _ = select.select([port.fileno()], [], [], max(0.0, timeout))
            return self._rest(port, bytes(port.read(1))) if ready else b""
        # Setting a port's timeout configures it again (rfc2217: a round trip, Windows: a driver call), so it is fixed
        # to a short slice and the slices are counted.
        deadline = self._clock.now() + timeout
        while True:
            if first := bytes(port.read(1)):
                return self._rest(port, first)
            if self._clock.now() >= deadline:
                return b""

    @staticmethod
    def _rest(port: serial.Serial, first: bytes) -> bytes:
        waiting = port.in_waiting
        return first + bytes(port.read(min(waiting, _CHUNK))) if waiting else first

    def write(self, data: bytes) -> None:
        """Send all of `data`; `LinkLost` when the port takes nothing for 10 seconds."""
        port = self._opened()
        try:
            port.write(data)
        except serial_errors() as error:
            raise lost_error(self.url, error) from error

    def set_baud(self, baud: int) -> bool:
        """Go on at another speed; what was sent before leaves at the old one."""
        port = self._opened()
        try:
            port.flush()
            port.baudrate = baud
        except serial_errors() as error:
            raise lost_error(self.url, error) from error
        self.baud = baud
        return True

    def close(self) -> None:
        """Close the port."""
        port, self._port = self._port, None
        if port is not None:
            with suppress(*serial_errors()):  # the device may be gone, and then there is nothing to close
                port.close()


class SerialLink(PortLink):
    """The port `device` (a path, COMn, or "auto" for the only flight controller that is plugged in).

    The USB identity is remembered at the first opening, so that `reopen` finds the same board after a reboot, under
    whatever name it comes back, and never another board that took its name.
    """

    _descriptor = os.name == "posix"

    def __init__(
        self,
        url: str,
        device: str,
        baud: int,
        clock: Clock,
        *,
        ports: Ports = list_candidates,
        holders: Callable[[str], tuple[Holder, ...]] = find_holders,
        report: Reporter = silent,
    ) -> None:
        """`ports` lists the candidates and `holders` the programs that have a device open."""
        super().__init__(url, baud, clock)
        self._wanted = device
        self._ports = ports
        self._holders = holders
        self._report = report
        self._identity: Candidate | None = None
        self.device = ""

    def open(self) -> None:
        """Open the port; raises `LinkOpenError` that names the cause and the remedy."""
        if self._port is not None:
            return
        if self._identity is not None:
            device = self._find_again(self._identity)
        elif self._wanted.lower() == "auto":
            device = self._choose()
        else:
            device = self._wanted
        self._open_device(device)
        self.device = device
        if self._identity is None:
            self._identity = self._identify(device)
            self.place = _place(self._identity) or f"port-{Path(device).name}"

    def _choose(self) -> str:
        """Pick the only flight controller."""
        everything = self._ports()
        boards = one_per_board(c for c in everything if c.kind is Kind.FLIGHT_CONTROLLER)
        if len(boards) == 1:
            self._report(Note(t("using {port}", port=str(boards[0]))))
            return boards[0].device
        if boards:
            raise LinkOpenError(
                t("{count} flight controllers are plugged in", count=len(boards)),
                hint=t("name one: {urls}", urls=_names(boards, urls=True)),
            )
        if any(c.kind is Kind.BOOTLOADER for c in everything):
            raise LinkOpenError(
                t("the flight controller is in its bootloader"),
                hint=t("wait until it has started; if it stays there, it has no firmware"),
            )
        _raise_portless()
        usb = [c for c in everything if c.vid is not None]
        raise LinkOpenError(
            t("no flight controller is plugged in"),
            hint=t("plug it in, or name the port: {urls}", urls=_names(usb, urls=True))
            if usb
            else t("plug it in with a USB cable that carries data, and power it; {mode}", mode=WITHOUT_PORT),
        )

    def _identify(self, device: str) -> Candidate | None:
        real = os.path.realpath(device)
        for candidate in self._ports():
            if os.path.realpath(candidate.device) == real or candidate.device.lower() == device.lower():
                return candidate if candidate.vid is not None else None
        return None

    def _find_again(self, identity: Candidate) -> str:
        """Give the name under which the board is now; raises `LinkOpenError` while it is not there."""
        found = [c for c in self._ports() if same_device(identity, c)]
        if len(found) > 1:  # cheap adapters all carry the same serial number: the USB socket decides
            found = [c for c in found if c.location == identity.location] or found
        if len(found) == 1:
            return found[0].device
        if found:
            raise LinkOpenError(
                t("several devices look like {device}: {names}", device=identity.device, names=_names(found)),
                hint=t("unplug the others"),
            )
        if not (identity.serial_number or identity.location):
            return identity.device
        raise LinkOpenError(
            t("{device} has not come back yet", device=str(identity)), hint=t("wait, or plug the cable in again")
        )

    def _open_device(self, device: str) -> None:
        import serial

        posix = os.name == "posix"
        if posix and not os.path.realpath(device).startswith("/dev/pts/") and (holders := self._holders(device)):
            # Linux lets two programs read one port; each then gets a part of the bytes.
            raise _busy(self.url, device, holders)
        try:
            # Windows ports are always exclusive
            port = serial.Serial(
                baudrate=self.baud,
                timeout=_SLICE_SECONDS,
                write_timeout=_WRITE_SECONDS,
                exclusive=True if posix else None,
            )
            port.port = device
            port.open()
        except serial_errors() as error:
            raise self._explain(device, error) from error
        self._port = port

    def _explain(self, device: str, error: Exception) -> LinkOpenError:
        cause = _cause(error)
        if cause == "busy":
            return _busy(self.url, device, self._holders(device))
        if cause == "missing":
            _raise_portless()
            there = self._ports()
            return LinkOpenError(
                t("cannot open {url}: there is no port {device}", url=self.url, device=device),
                hint=t("these are there: {names}", names=_names(there))
                if there
                else t("no serial port is there: plug the vehicle in with a cable that carries data"),
            )
        if cause == "denied":
            return LinkOpenError(t("cannot open {url}: permission denied", url=self.url), hint=_permission_hint())
        if cause == "baud":
            return LinkOpenError(
                t("cannot open {url}: the port does not do {baud} baud", url=self.url, baud=self.baud),
                hint=t("use the baud rate of the vehicle's port, mostly 57600, 115200 or 921600"),
            )
        return open_error(self.url, error)


def _place(found: Candidate | None) -> str:
    """Name the adapter by its serial number, else by the USB socket that it is in."""
    if found is None or found.vid is None:
        return ""
    kind = f"usb-{found.vid:04x}-{found.pid or 0:04x}"
    if found.serial_number:
        return f"{kind}-{found.serial_number}"
    return f"{kind}-socket-{found.location}" if found.location else ""


def _names(candidates: Sequence[Candidate], *, urls: bool = False) -> str:
    return ", ".join(c.url if urls else str(c) for c in candidates)


def _raise_portless() -> None:
    """Raise LinkOpenError where a board is plugged in that shows no port."""
    if found := portless_board():
        raise LinkOpenError(found[0], hint=found[1])


def _permission_hint() -> str:
    if _LINUX:
        return t('"sudo usermod -aG dialout $USER" (on Arch: uucp), then log in again; or install a udev rule')
    return t("check who may use the port")


def _busy(url: str, device: str, holders: tuple[Holder, ...]) -> LinkOpenError:
    if holders:
        who = ", ".join(str(holder) for holder in holders)
        text = t("cannot open {url}: {device} is in use by {who}", url=url, device=device, who=who)
    else:
        text = t("cannot open {url}: {device} is in use by another program", url=url, device=device)
    return LinkOpenError(text, hint=busy_hint(holders))


_CAUSES = (
    ("missing", frozenset({errno.ENOENT, errno.ENODEV, errno.ENXIO})),
    ("denied", frozenset({errno.EACCES, errno.EPERM})),
    ("busy", frozenset({errno.EBUSY, errno.EAGAIN, errno.EWOULDBLOCK})),
)
# pyserial puts the Windows error into the text only; there "access denied" means that another program has the port
_WINDOWS_CAUSES = (("missing", "FileNotFoundError"), ("busy", "PermissionError"), ("baud", "OSError(22"))


def _cause(error: Exception) -> str:
    """Give "missing", "denied", "busy", "baud", or "" from what pyserial raised."""
    number = getattr(error, "errno", None)
    for name, numbers in _CAUSES:
        if number in numbers:
            return name
    words = str(error)
    for name, mark in _WINDOWS_CAUSES:
        if mark in words:
            return name
    return "baud" if isinstance(error, ValueError) and "baud" in words.lower() else ""
