"""Start a real simulator in a folder of its own, watch it, and stop it by its process id."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from dronekit_cfg.errors import LinkOpenError
from dronekit_cfg.links.base import Clock
from dronekit_cfg.text import t

__all__ = ["SimulatorProcess", "tail"]

STOP_SECONDS = 2.0
_POLL = 0.02
_LOG_LIMIT = 16 << 20
"""A simulator that prints every flash word fills a disk in a day."""


def tail(path: Path, size: int = 400) -> str:
    """Give the end of a log, for an error message; "" when there is none."""
    with contextlib.suppress(OSError), path.open("rb") as log:
        log.seek(0, 2)
        log.seek(max(0, log.tell() - size))
        return log.read().decode("utf-8", "replace").strip()
    return ""


class SimulatorProcess:
    """One simulator. It may end itself (a firmware that reboots does); `start` starts it again in the same folder."""

    def __init__(
        self, command: Sequence[str], folder: Path, clock: Clock, environment: Mapping[str, str] | None = None
    ) -> None:
        """`environment` goes on top of our own."""
        self.command = tuple(command)
        self.environment = dict(environment or {})
        self.folder = folder
        self.log = folder / "simulator.log"
        self._clock = clock
        self._process: subprocess.Popen[bytes] | None = None
        self.starts = 0

    @property
    def pid(self) -> int:
        """Process id, 0 when it does not run."""
        return self._process.pid if self._process and self.running else 0

    @property
    def running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start unless it runs. Raises LinkOpenError with the remedy."""
        if self.running:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
                self.log.unlink()
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(  # noqa: S603  the command is our own, no shell reads it
                    self.command,
                    cwd=self.folder,
                    env={**os.environ, **self.environment},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C is ours: the simulator lives until we have left it in order
                    preexec_fn=_die_with_us if sys.platform == "linux" else None,  # noqa: PLW1509  no threads here
                )
        except OSError as error:
            raise LinkOpenError(
                t("cannot start the simulator {binary}: {why}", binary=self.command[0], why=error.strerror or error),
                hint=t("check that the file exists and may be executed, and that the folder can be written"),
            ) from error
        self.starts += 1

    def wait_end(self, seconds: float) -> bool:
        """Wait until the process has ended, at most `seconds`; whether it has."""
        end = self._clock.now() + seconds
        while self.running and self._clock.now() < end:
            self._clock.sleep(_POLL)
        return not self.running

    def stop(self) -> None:
        """End the process: asked first, then by force. Never raises, may be called twice."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        with contextlib.suppress(OSError):
            process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(OSError):
                process.kill()
            process.wait(STOP_SECONDS)


def _die_with_us() -> None:
    """Have the kernel end the simulator when this process dies, even by SIGKILL [prctl(2) PR_SET_PDEATHSIG]."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
