"""The vehicle that the benchmarks work on: the one of a link URL, or a freshly wiped ArduCopter SITL."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
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
def vehicle(url: str = "") -> Iterator[str]:
    """Give `url`, or that of a simulator that lives as long as the context."""
    if url:
        yield url
        return
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, arducopter(Path(folder)) as found:
        yield found
