"""A pseudo terminal as the way in to a served vehicle: to a ground station it is a serial port. POSIX only."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from dronekit_cfg.errors import UsageError
from dronekit_cfg.links.common import opening
from dronekit_cfg.sim.ports import BACKLOG_BYTES
from dronekit_cfg.text import t

__all__ = ["PtyPort"]

_CHUNK = 65536
_UNREAD_SECONDS = 0.5
_UNREAD_BYTES = 2048  # as much as a USB serial driver keeps


class PtyPort:
    """A pseudo terminal in raw mode, and a symbolic link to it where one is wanted.

    We hold its other end open ourselves, so it stays while ground stations come and go. When nobody reads for half a
    second, what waits is dropped, as on a UART, so that the next ground station hears no old news. The kernel would
    keep much more than a UART does (640 KiB on Linux), so we look how much is unread before we write.
    """

    def __init__(self, link: str | None = None) -> None:
        """Make it; raises `LinkOpenError`, or `UsageError` where there are none or `link` is a file."""
        if not hasattr(os, "openpty"):
            raise UsageError(t("there are no pseudo terminals on this system"), hint=t("serve on TCP instead"))
        self._link = Path(link) if link else None
        if self._link is not None and self._link.exists() and not self._link.is_symlink():
            raise UsageError(t("{file} is a file", file=self._link), hint=t("choose a name that is free"))
        self._master = self._slave = -1
        self._out = bytearray()
        self._moved = 0.0
        self._make()
        self.url = f"serial:{self._link or os.ttyname(self._slave)}"

    def _make(self) -> None:
        import tty

        with opening("pty"):
            self._master, self._slave = os.openpty()
        try:
            tty.setraw(self._slave)
            os.set_blocking(self._master, False)
            if self._link is not None:
                self._point(self._link)
        except BaseException:
            self._drop()
            raise

    def _point(self, link: Path) -> None:
        """Let the symbolic link show to the terminal, without a moment in which there is none."""
        fresh = link.with_name(f"{link.name}.{os.getpid()}")
        with opening(f"serial:{link}"):
            fresh.symlink_to(os.ttyname(self._slave))
            fresh.replace(link)

    def _drop(self) -> None:
        for handle in (self._master, self._slave):
            if handle >= 0:
                with suppress(OSError):
                    os.close(handle)
        self._master = self._slave = -1
        self._out.clear()

    @property
    def attached(self) -> bool:
        """A serial port cannot tell whether somebody listens."""
        return True

    @property
    def sessions(self) -> int:
        """One, from the start."""
        return 1

    def interests(self) -> Mapping[int, bool]:
        """Watch for bytes. Room is no event: the kernel always has some."""
        return {self._master: False}

    @property
    def hasty(self) -> bool:
        """Whether bytes wait for the reader."""
        return bool(self._out)

    def _unread(self) -> int:
        """How many bytes the reader has not taken yet."""
        import fcntl
        import termios

        return int.from_bytes(fcntl.ioctl(self._slave, termios.FIONREAD, bytes(4)), sys.byteorder)

    def pump(self) -> bytes:
        """Take what was written to the terminal."""
        try:
            return os.read(self._master, _CHUNK)
        except OSError:
            return b""

    def send(self, data: bytes, now: float) -> None:
        """Write what fits and keep the rest for a reader who is only slow."""
        if not self._out:
            self._moved = now
        if len(self._out) < BACKLOG_BYTES:
            self._out += data
        with suppress(OSError):  # full
            if self._out and self._unread() < _UNREAD_BYTES:
                del self._out[: os.write(self._master, self._out[:_UNREAD_BYTES])]
                self._moved = now
        if now - self._moved > _UNREAD_SECONDS:
            self._out.clear()

    def hang_up(self) -> None:
        """Go away and come back as a rebooting USB device does, where the symbolic link leads to the new terminal.

        Without a link nobody would find the new one, so the terminal stays, as a UART does.
        """
        self._out.clear()
        if self._link is None:
            return
        before = self._master, self._slave
        self._make()
        for handle in before:
            with suppress(OSError):
                os.close(handle)

    def close(self) -> None:
        """Take the terminal and the symbolic link away."""
        name = os.ttyname(self._slave) if self._slave >= 0 else ""
        if self._link is not None and self._link.is_symlink() and str(self._link.readlink()) == name:
            with suppress(OSError):
                self._link.unlink()
        self._drop()
