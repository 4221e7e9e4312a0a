"""The real ArduCopter as a simulator (SITL): found, started in a folder of its own on free ports, and stopped.

Facts of the simulator (libraries/AP_HAL_SITL of ArduPilot): instance I listens on TCP 5760+10*I, takes RC on UDP
5501+10*I, writes `eeprom.bin` and `logs/` into its working folder; a reboot replaces the program within its process and
leaves `-w` (wipe) out. Instances are counted in the command line only, so a free one has to be found by its ports.
"""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from dronekit_cfg.errors import LinkOpenError
from dronekit_cfg.links.base import Clock, Link
from dronekit_cfg.links.url import LinkUrl
from dronekit_cfg.sitl.link import SitlLink, state_folder
from dronekit_cfg.sitl.process import SimulatorProcess, tail
from dronekit_cfg.text import t

__all__ = ["ArduCopterSitl", "find_arducopter", "free_instance", "make_sitl_link"]

BASE_TCP, BASE_RC, STEP = 5760, 5501, 10
TCP_OFFSETS = (0, 2, 3)
BOOT_SECONDS = 15.0
_POLL = 0.05
_NAMES = ("arducopter", "arducopter.exe", "ArduCopter.elf")
FIRST_INSTANCE, LAST_INSTANCE = 20, 256
"""Low instances are left to people who start simulators by hand; 256 is taken for 0 (seen on 4.7-dev)."""


def find_arducopter(binary: str = "") -> Path:
    """Find the simulator: `binary`, $DRONEKIT_CFG_ARDUCOPTER, PATH. Raises LinkOpenError with the remedy."""
    named = binary or os.environ.get("DRONEKIT_CFG_ARDUCOPTER", "")
    if named:
        if Path(named).is_file():
            return Path(named).resolve()
        raise LinkOpenError(t("{path} is no file", path=named), hint=t("give the path of an arducopter SITL binary"))
    for name in _NAMES:
        if found := shutil.which(name):
            return Path(found).resolve()
    raise LinkOpenError(
        t("there is no ArduCopter simulator on this computer"),
        hint=t(
            "build one (waf configure --board sitl; waf copter) and name it with --binary or DRONEKIT_CFG_ARDUCOPTER"
        ),
    )


def free_instance(first: int = FIRST_INSTANCE) -> int:
    """Give an instance number, from `first` on, whose ports nobody uses. Raises LinkOpenError when all are taken."""
    for instance in range(first, LAST_INSTANCE):
        with ExitStack() as stack:
            try:
                for offset in TCP_OFFSETS:
                    probe = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("127.0.0.1", BASE_TCP + STEP * instance + offset))
                radio = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                radio.bind(("127.0.0.1", BASE_RC + STEP * instance))
            except OSError:
                continue
            return instance
    raise LinkOpenError(
        t("all simulator ports are in use"), hint=t("stop simulators that are left over, then try again")
    )


@dataclass(slots=True)
class ArduCopterSitl:
    """One simulator. `start` gives the URL of its link; `stop` ends it, and may be called twice."""

    binary: Path
    folder: Path
    clock: Clock
    defaults: Sequence[Path] = ()
    speedup: float = 1.0
    model: str = "+"
    home: str = ""
    first_instance: int = FIRST_INSTANCE
    instance: int = 0
    process: SimulatorProcess | None = None

    @property
    def port(self) -> int:
        """TCP port of the first MAVLink link."""
        return BASE_TCP + STEP * self.instance

    @property
    def radio_port(self) -> int:
        """UDP port that takes RC channels."""
        return BASE_RC + STEP * self.instance

    def command(self) -> list[str]:
        """Give the command line."""
        line = [str(self.binary), "-w", "--model", self.model, "--speedup", f"{self.speedup:g}", f"-I{self.instance}"]
        if self.defaults:
            line += ["--defaults", ",".join(str(p.resolve()) for p in self.defaults)]
        return line + (["--home", self.home] if self.home else [])

    def start(self) -> str:
        """Start it and wait until it listens. Raises LinkOpenError that says what it died of."""
        self.instance = free_instance(self.first_instance)
        self.process = SimulatorProcess(self.command(), self.folder, self.clock)
        self.process.start()
        end = self.clock.now() + BOOT_SECONDS
        while self.clock.now() < end:
            if not self.process.running:
                break
            if self._listens():
                return f"tcp:127.0.0.1:{self.port}"
            self.clock.sleep(_POLL)
        log = tail(self.process.log, 300)
        self.stop()
        raise LinkOpenError(
            t("the simulator {binary} does not come up; it says: {log}", binary=self.binary, log=log or t("nothing")),
            hint=t("start it by hand: {command}", command=" ".join(self.command())),
        )

    def _listens(self) -> bool:
        """Look at the log: a probe by connecting would be taken for the one client that it takes."""
        assert self.process is not None
        return "Waiting for connection" in tail(self.process.log, 4000)

    def send_radio(self, channels: Sequence[int]) -> None:
        """Put the transmitter's sticks here (microseconds, 8 or 16 channels); the simulator keeps them there."""
        import struct

        count = 16 if len(channels) > 8 else 8
        pulses = [*channels, *([0] * (count - len(channels)))]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as radio:
            radio.sendto(struct.pack(f"<{count}H", *pulses), ("127.0.0.1", self.radio_port))

    @property
    def last_words(self) -> str:
        """The end of its log."""
        return tail(self.process.log, 300) if self.process else ""

    @property
    def running(self) -> bool:
        """Whether it is alive."""
        return self.process is not None and self.process.running

    def stop(self) -> None:
        """End it. Never raises."""
        if self.process is not None:
            self.process.stop()


def make_sitl_link(url: LinkUrl, clock: Clock) -> Link:
    """Make the link behind `sitl:arducopter`; options `binary`, `dir`, `speedup`, and `fresh` for wiped settings."""
    from dronekit_cfg.formats.shipped import shipped

    folder = state_folder("arducopter", url.options.get("dir", ""))
    if "fresh" in url.options:
        (folder / "eeprom.bin").unlink(missing_ok=True)
    defaults = shipped("hil") / "simulator" / "arducopter-quad.param"
    instance = free_instance()
    speed = url.options.get("speedup", "1")
    command = [str(find_arducopter(url.options.get("binary", ""))), "--model", "+", "--speedup", speed, f"-I{instance}"]
    command += ["--defaults", str(defaults)]
    return SitlLink(url.text, SimulatorProcess(command, folder, clock), BASE_TCP + STEP * instance, clock, ends=False)
