"""A link to a simulator that runs for as long as the link is open, and is started again when it reboots."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from filelock import FileLock, Timeout

from dronekit_cfg.errors import LinkOpenError
from dronekit_cfg.links.base import Clock
from dronekit_cfg.links.common import BaseLink
from dronekit_cfg.links.tcp import TcpLink
from dronekit_cfg.sitl.process import SimulatorProcess, tail
from dronekit_cfg.text import t

__all__ = ["SitlLink", "state_folder"]

BOOT_SECONDS = 10.0
END_SECONDS = 3.0
"""The Betaflight SITL ends about 0.5 s after it printed `Rebooting`."""
_LAST_WORDS = b"Rebooting"
SILENT_REOPENS = 2
"""How often a simulator that says nothing is connected to again before it is taken for hung."""
_POLL = 0.05


def state_folder(name: str, options_folder: str = "") -> Path:
    """Give the folder that keeps the simulator's memory between commands."""
    if options_folder:
        return Path(options_folder).expanduser()
    base = os.environ.get("DRONEKIT_CFG_STATE_DIR", "")
    if base:
        return Path(base) / "sitl" / name
    from platformdirs import user_data_path

    return user_data_path("dronekit-cfg", appauthor=False) / "sitl" / name


class SitlLink(BaseLink):
    """TCP to a simulator of our own. `reopen` starts it again when it has ended itself."""

    def __init__(self, url: str, process: SimulatorProcess, port: int, clock: Clock, *, ends: bool = True) -> None:
        """`ends`: whether this simulator ends itself to reboot."""
        super().__init__(url)
        self._ends = ends
        self.process = process
        self.port = port
        self._clock = clock
        self._tcp = TcpLink(url, "127.0.0.1", port)
        self._lease = FileLock(Path(tempfile.gettempdir()) / f"dronekit-cfg-port-{port}.lock")
        self._heard = b""
        self._silent = 0
        self.hangs = 0
        """How often the simulator hung and had to be ended by force."""

    def open(self) -> None:
        """Start the simulator and connect. Raises LinkOpenError.

        The port is leased until `close`: while our simulator restarts, another one must not take its place unseen.
        """
        self._claim()
        end = self._clock.now() + BOOT_SECONDS
        while True:
            self.process.start()
            try:
                self._tcp.open()
            except LinkOpenError:
                self._check(end)
            else:
                self._heard = b""
                return
            self._clock.sleep(_POLL)

    def start(self) -> None:
        """Start the simulator for somebody else to connect to. Raises LinkOpenError."""
        self._claim()
        self.process.start()

    def _claim(self) -> None:
        self._lease_port()
        if not self.process.running and self._port_taken():
            raise LinkOpenError(
                t("port {port} is in use by another program, probably another simulator", port=self.port),
                hint=t("stop that one, or connect to it with tcp:127.0.0.1:{port}", port=self.port),
            )

    def _lease_port(self) -> None:
        try:
            if not self._lease.is_locked:
                self._lease.acquire(timeout=0)
        except Timeout as error:
            raise LinkOpenError(
                t("another dronekit-cfg runs a simulator on port {port}", port=self.port),
                hint=t("wait until it has finished; this simulator's port cannot be chosen"),
            ) from error

    def _check(self, end: float) -> None:
        """Go on waiting, or say what the simulator died of."""
        if self.process.running and self._clock.now() < end and "failed!!" not in tail(self.process.log, 120):
            return
        self.process.stop()
        raise LinkOpenError(
            t("the simulator does not come up; its log ends in: {tail}", tail=tail(self.process.log, 200)),
            hint=t("look at {log}; another simulator may use port {port}", log=self.process.log, port=self.port),
        )

    def _port_taken(self) -> bool:
        """Whether somebody listens already: ours could not, and we would configure the other one."""
        probe = TcpLink(self.url, "127.0.0.1", self.port)
        try:
            probe.open()
        except LinkOpenError:
            return False
        finally:
            probe.close()
        return True

    def read(self, timeout: float) -> bytes:
        """Give what the simulator sent."""
        data = self._tcp.read(timeout)
        self._silent = 0 if data else self._silent
        self._heard = (self._heard + data)[-len(_LAST_WORDS) - 4 :]
        return data

    def write(self, data: bytes) -> None:
        """Send to the simulator."""
        self._tcp.write(data)

    def reopen(self) -> None:
        """Connect again; a simulator that said it reboots is waited for and, when it has ended, started again.

        The Betaflight SITL sometimes hangs: on its way out, or when a client went away amid a dump (seen on 4.6.0, on a
        busy computer). It has stored what it was told to save by then, so it is ended by force: a power cut.
        """
        rebooting = self._ends and _LAST_WORDS in self._heard
        self._tcp.close()
        self._silent += 1
        if self._ends and (self._silent > SILENT_REOPENS or (rebooting and not self.process.wait_end(END_SECONDS))):
            self.hangs += 1
            self.process.stop()
            self._silent = 0
        self._heard = b""
        self.open()

    def close(self) -> None:
        """Disconnect and stop the simulator."""
        self._tcp.close()
        self.process.stop()
        self._lease.release()
