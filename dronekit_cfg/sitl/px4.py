"""The PX4 simulator: a binary `px4` (build `px4_sitl_default`), with the simulated vehicle inside it (SIH).

Measured on a build of 2024-10: it takes the first sender to its UDP port for its partner until it ends, so our own port
stays the same over a reboot. It has no reboot (BOARDCTL_RESET is not built in) and refuses the command, armed or not;
it does shut down, disarmed only. So the reboot command is sent as a shutdown, and the process is started again in the
same folder: who decides is the firmware, and what it had stored is what comes back. With PX4_SIM_SPEED_FACTOR its clock
runs faster, and its start script then writes the four timeouts of `SPEED_WRITES` times that factor
[ROMFS/px4fmu_common/init.d-posix/rcS].
"""

from __future__ import annotations

import os
import shutil
import socket
import zlib
from pathlib import Path

from dronekit_cfg.errors import LinkLost, LinkOpenError
from dronekit_cfg.links.base import Clock
from dronekit_cfg.links.common import BaseLink
from dronekit_cfg.links.frames import pack
from dronekit_cfg.links.url import LinkUrl
from dronekit_cfg.sitl.link import state_folder
from dronekit_cfg.sitl.process import SimulatorProcess, tail
from dronekit_cfg.text import t
from dronekit_cfg.wire.mavlink import MavlinkCodec

__all__ = ["FIRST_PORT", "SPEED_WRITES", "Px4SitlLink", "find_px4", "free_instance", "make_sitl_link"]

FIRST_PORT = 18570
"""UDP port of instance 0 for ground stations; instance N adds N."""
_PORT_BASES = (18570, 14580, 14280, 13030, 19450)
_INSTANCES = range(10, 190)
"""Instances below 10 are left to whoever starts a simulator by hand."""
MEMORY = ("parameters.bson", "parameters_backup.bson", "dataman")
END_SECONDS = 3.0
DATAGRAM = 1400
BOOT_SECONDS, HELLO_SECONDS = 30.0, 0.2
REBOOT, SHUT_DOWN = 1, 2
SPEED_WRITES = {"COM_DL_LOSS_T": 10, "COM_RC_LOSS_T": 0.5, "COM_OF_LOSS_T": 1.0, "COM_OBC_LOSS_T": 5.0}
"""What a start at another speed overwrites, with the defaults of the firmware."""
_MODEL = {"PX4_SIM_MODEL": "sihsim_quadx", "PX4_SIMULATOR": "sihsim"}
"""The quad that is simulated in the firmware itself; a caller's own choice stands."""
PREFLIGHT_REBOOT_SHUTDOWN = 246


def find_px4(binary: str = "") -> Path:
    """Find the simulator: `binary`, $DRONEKIT_CFG_PX4, then PATH. Raises LinkOpenError."""
    named = binary or os.environ.get("DRONEKIT_CFG_PX4", "")
    if named:
        if Path(named).is_file():
            return Path(named).resolve()
        raise LinkOpenError(t("{path} is no file", path=named), hint=t("give the path of the PX4 SITL binary"))
    if found := shutil.which("px4"):
        return Path(found)
    raise LinkOpenError(
        t("there is no PX4 simulator on this computer"),
        hint=t("build `px4_sitl_default` and put `px4` on PATH, or name it in DRONEKIT_CFG_PX4"),
    )


def free_instance(folder: Path) -> int:
    """Give an instance number whose UDP ports nobody uses. Raises LinkOpenError.

    It is the same one for the same folder wherever possible, because the simulator makes its UID of it.
    """
    first = zlib.crc32(str(folder).encode()) % len(_INSTANCES)
    for instance in (*_INSTANCES[first:], *_INSTANCES[:first]):
        if all(_free(base + instance) for base in _PORT_BASES):
            return int(instance)
    raise LinkOpenError(t("no free ports"), hint=t("close other simulators"))


def _free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Px4SitlLink(BaseLink):
    """UDP to a simulator of our own, from a port that stays the same. `reopen` starts it again when it has ended."""

    def __init__(self, url: str, process: SimulatorProcess, instance: int, clock: Clock) -> None:
        super().__init__(url)
        self.process = process
        self._vehicle = ("127.0.0.1", FIRST_PORT + instance)
        self._clock = clock
        self._socket: socket.socket | None = None
        self._rebooting = False
        self._reader = MavlinkCodec()

    def open(self) -> None:
        """Start the simulator and make it our partner. Raises LinkOpenError."""
        self.process.start()
        if self._socket is not None:
            return
        try:
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            self._socket.bind(("127.0.0.1", 0))
        except OSError as error:
            raise LinkOpenError(t("no UDP port: {why}", why=error.strerror or error)) from error
        self._wait_for_it(self._socket)

    def _wait_for_it(self, endpoint: socket.socket) -> None:
        """Wait until it speaks to us, at most BOOT_SECONDS: on a computer under load it starts slowly."""
        hello = MavlinkCodec().station_heartbeat()
        end = self._clock.now() + BOOT_SECONDS
        while self.process.running and self._clock.now() < end:
            endpoint.settimeout(HELLO_SECONDS)
            try:
                endpoint.sendto(hello, self._vehicle)
                endpoint.recvfrom(1 << 16)
            except (TimeoutError, BlockingIOError):
                continue
            except ConnectionError:  # its port is not open yet
                self._clock.sleep(HELLO_SECONDS)
                continue
            return

    def read(self, timeout: float) -> bytes:
        """Give what the simulator sent."""
        if self._socket is None or not self.process.running:
            raise LinkLost(
                t("the simulator is not running; its log ends in: {tail}", tail=tail(self.process.log, 200)),
                hint=t("look at {log}", log=self.process.log),
            )
        self._socket.settimeout(max(timeout, 0.0) or 1e-6)
        data = bytearray()
        try:
            while len(data) < 1 << 16:
                part, sender = self._socket.recvfrom(1 << 16)
                if sender == self._vehicle:
                    data += part
                self._socket.settimeout(0.0)
        except (TimeoutError, BlockingIOError):
            pass
        except ConnectionError:  # it has not opened its port yet, or not any more
            self._clock.sleep(min(timeout, 0.02))
        return bytes(data)

    def write(self, data: bytes) -> None:
        """Send to the simulator; a reboot becomes a shutdown."""
        if self._socket is None:
            raise LinkLost(t("{url} is not open", url=self.url), hint=t("open the link first"))
        for datagram in pack(b"".join(self._frames(data)), DATAGRAM):
            try:
                self._socket.sendto(datagram, self._vehicle)
            except ConnectionError:
                continue

    def _frames(self, data: bytes) -> list[bytes]:
        """Give the datagrams to send for `data`."""
        out: list[bytes] = []
        for frame in pack(data, 1):
            self._reader.reset()
            self._reader.receive_data(frame)
            message = self._reader.next_event()
            if message is None or message.name != "COMMAND_LONG" or message["command"] != PREFLIGHT_REBOOT_SHUTDOWN:
                out.append(frame)
                continue
            self._rebooting = True
            changed = dict(message.fields) | {"param1": float(SHUT_DOWN)}
            out.append(MavlinkCodec(message.system, message.component).encode(message.name, **changed))
        return out

    def reopen(self) -> None:
        """Take the same port again; a simulator that was told to reboot is waited for and started again."""
        if self._rebooting:
            self._rebooting = False
            self.process.wait_end(END_SECONDS)
        self.open()

    def close(self) -> None:
        """Stop the simulator and give the port back."""
        endpoint, self._socket = self._socket, None
        if endpoint is not None:
            endpoint.close()
        self.process.stop()


def make_sitl_link(url: LinkUrl, clock: Clock) -> Px4SitlLink:
    """Make the link behind `sitl:px4`; options `binary`, `dir`, `speedup`, and `fresh` for factory settings."""
    folder = state_folder("px4", url.options.get("dir", "")).resolve()
    if "fresh" in url.options:
        for name in MEMORY:
            (folder / name).unlink(missing_ok=True)
    instance = free_instance(folder)
    binary = find_px4(url.options.get("binary", ""))
    command = [str(binary), "-i", str(instance), "-d", *_start_scripts(binary, folder)]
    environment = {name: value for name, value in _MODEL.items() if name not in os.environ}
    if (speed := url.options.get("speedup", "1")) != "1":
        environment["PX4_SIM_SPEED_FACTOR"] = speed
    return Px4SitlLink(url.text, SimulatorProcess(command, folder, clock, environment), instance, clock)


def _start_scripts(binary: Path, folder: Path) -> list[str]:
    """Name the start scripts that a build has beside its program (`bin/px4`, `etc/`); a wrapper knows its own."""
    scripts = binary.resolve().parent.parent / "etc"
    return [str(scripts), "-w", str(folder)] if (scripts / "init.d-posix").is_dir() else []
