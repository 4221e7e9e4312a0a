"""The vehicle that the benchmarks work on: the one of a link URL, or a freshly wiped ArduCopter SITL."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

START_SECONDS = 15.0


def _free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _free_instance() -> int:
    for instance in range(60, 400):
        if all(_free(5760 + 10 * instance + n) for n in (0, 2, 3)):
            return instance
    raise SystemExit("no free ports for a simulator")


@contextmanager
def arducopter(folder: Path, *, wipe: bool = True) -> Iterator[str]:
    """Start `arducopter` from PATH in `folder` and give its link URL."""
    program = shutil.which("arducopter")
    if program is None:
        raise SystemExit("arducopter is not on PATH; give the URL of a vehicle instead")
    instance = _free_instance()
    port = 5760 + 10 * instance
    command = [program, *(["-w"] if wipe else []), "--model", "+", "--speedup", "1", f"-I{instance}"]
    with (folder / "sitl.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        end = time.monotonic() + START_SECONDS
        while _free(port) and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(0.5)  # the probe was its one client; let it listen again
        yield f"tcp:127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@contextmanager
def betaflight(folder: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """Start the Betaflight SITL in `folder`, again whenever it ends to reboot; give its link URL and a power switch.

    A client that is killed while the CLI prints leaves this simulator waiting for room to print for ever; a board's
    USB port gives up after a while. Only power helps then.
    """
    from filelock import FileLock

    from dronekit_cfg.sitl.betaflight import PORT, find_betaflight

    over, unpowered = threading.Event(), threading.Event()

    def keep() -> None:
        while not over.is_set():
            unpowered.clear()
            with (folder / "sitl.log").open("ab") as log:
                process = subprocess.Popen(
                    [str(find_betaflight())], cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL
                )
            while process.poll() is None and not unpowered.is_set() and not over.wait(0.05):
                pass
            process.kill()
            process.wait()

    with FileLock(Path(tempfile.gettempdir()) / f"dronekit-cfg-port-{PORT}.lock"):  # its port cannot be changed
        keeper = threading.Thread(target=keep)
        keeper.start()
        try:
            yield f"tcp:127.0.0.1:{PORT}", unpowered.set
        finally:
            over.set()
            keeper.join()


@contextmanager
def px4(folder: Path) -> Iterator[str]:
    """Start the PX4 SITL in `folder`, start it again whenever it ends to reboot, and give a TCP link URL to it.

    It answers one UDP port until it ends, so that a relay has to be that one: programs come and go.
    """
    from dronekit_cfg.errors import LinkError
    from dronekit_cfg.links.clock import RealClock
    from dronekit_cfg.links.url import parse
    from dronekit_cfg.sitl.px4 import make_sitl_link
    from dronekit_cfg.wire.mavlink import MavlinkCodec

    link = make_sitl_link(parse(f"sitl:px4?dir={folder}"), RealClock())
    over = threading.Event()

    station = {"type": 6, "autopilot": 8, "base_mode": 0, "custom_mode": 0, "system_status": 4, "mavlink_version": 3}
    hello = MavlinkCodec(255, 190).encode("HEARTBEAT", **station)

    def carry(client: socket.socket) -> None:
        client.settimeout(0.001)
        link.write(hello)  # it says nothing before it has a partner
        while not over.is_set():
            try:
                client.sendall(link.read(0.005))
            except LinkError:  # it has ended to reboot: as a board on USB, it takes the connection with it
                link.reopen()
                return
            except OSError:
                return
            with suppress(TimeoutError):
                data = client.recv(65536)
                if not data:
                    return
                link.write(data)

    def relay() -> None:
        while not over.is_set():
            with suppress(TimeoutError, OSError):
                client, _ = server.accept()
                with client:
                    carry(client)

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        link.open()
        worker = threading.Thread(target=relay)
        worker.start()
        try:
            yield f"tcp:127.0.0.1:{server.getsockname()[1]}"
        finally:
            over.set()
            worker.join()
            link.close()


@contextmanager
def vehicle(url: str = "") -> Iterator[str]:
    """Give `url`, or that of a simulator that lives as long as the context."""
    if url:
        yield url
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, arducopter(Path(folder)) as found:
        yield found
