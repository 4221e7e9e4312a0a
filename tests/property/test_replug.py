"""A serial port that is pulled and plugged in again in the middle of an apply: real pseudo terminals, real time."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import apply
from dronekit_cfg.families.ardupilot.simulated import make_simulated
from dronekit_cfg.links.clock import RealClock
from dronekit_cfg.links.discover import Candidate, Kind
from dronekit_cfg.links.serial_port import SerialLink
from dronekit_cfg.model import Origin, Result, Wanted
from dronekit_cfg.planner.plan import Goal
from dronekit_cfg.sim.memory import Memory
from dronekit_cfg.sim.server import serve

pytestmark = pytest.mark.skipif(not hasattr(os, "openpty"), reason="pseudo terminals exist on POSIX only")

WANTED = {
    "FENCE_ALT_MAX": 77,
    "FS_THR_VALUE": 960,
    "FS_EKF_THRESH": 0.7,
    **{f"SERVO{n}_{end}": value for n in range(5, 17) for end, value in (("MIN", 1050), ("MAX", 1950))},
}
INCLUDE = frozenset({"calibration"})
GOAL = Goal("replug", "sha256:0", tuple(Wanted(n, v, Origin("test")) for n, v in WANTED.items()), INCLUDE)
PROFILE = """format: dronekit-cfg/profile/v1
name: replug
version: 1.0.0
family: ardupilot
vehicle: copter
settings:
"""
OUT_SECONDS = 0.7
IN_THE_MIDDLE = 15
"""Pulled once so many settings have arrived: some are written, others are not, and echoes are under way."""
ONE_UPTIME = "battery"


class Moment:
    """Stands for the event that ends a server: set from outside, or when the vehicle has come so far."""

    def __init__(self, reached: Callable[[], bool]) -> None:
        self._reached = reached
        self.pulled = False
        self.over = threading.Event()

    def is_set(self) -> bool:
        self.pulled = self.pulled or self._reached()
        return self.pulled or self.over.is_set()


class Board:
    """A vehicle behind a pseudo terminal that is pulled at a moment and plugged in again, maybe under another name."""

    def __init__(self, folder: Path, *, renamed: bool = False, power: str = ONE_UPTIME, late: bool = False) -> None:
        self._folder, self._power = folder, power
        self.name = folder / "usb-board-1"
        self._then = folder / "usb-board-2" if renamed else self.name
        self.vehicle: Any = self._make()
        self.names: dict[Path, str] = {}
        self._moment = Moment(self._restarts if late else self._half_written)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._live)

    def _make(self, **options: str) -> Any:
        return make_simulated("ardupilot-copter", options, state_dir=self._folder)

    def _restarts(self) -> bool:
        return bool(self.vehicle._core.boots > 1)

    def _half_written(self) -> bool:
        return bool(self.vehicle._writer.written >= IN_THE_MIDDLE)

    @property
    def pulled(self) -> bool:
        return self._moment.pulled

    def _serve(self, vehicle: Any, name: Path, stop: Any, ready: Callable[[list[str]], None]) -> None:
        serve(vehicle, pty_link=str(name), clock=RealClock(), ready=ready, stop=stop)

    def _live(self) -> None:
        self.names = {self.name: "ours"}
        self._serve(self.vehicle, self.name, self._moment, lambda _: self._up.set())
        self.names = {}
        time.sleep(OUT_SECONDS)
        if self._over.is_set():
            return
        if self._power != ONE_UPTIME:
            self.vehicle = self._make(boot="cold")
        stranger = None
        if self._then != self.name:  # another board has taken the name
            other = self._make(id="stranger")
            stranger = threading.Thread(target=self._serve, args=(other, self.name, self._over, lambda _: None))
            stranger.start()
            self.names = {self.name: "stranger"}
        self.names = {**self.names, self._then: "ours"}
        self._serve(self.vehicle, self._then, self._over, lambda _: None)
        if stranger is not None:
            stranger.join()

    def ports(self) -> tuple[Candidate, ...]:
        """What the operating system would list: boards of one make, told apart by their serial numbers."""
        return tuple(
            Candidate(str(name), Kind.FLIGHT_CONTROLLER, "board", vid=0x1209, pid=0x5741, serial_number=serial)
            for name, serial in self.names.items()
            if name.is_symlink()
        )

    @contextmanager
    def running(self) -> Iterator[Board]:
        self._up = threading.Event()
        self._thread.start()
        try:
            assert self._up.wait(10)
            yield self
        finally:
            self._moment.over.set()
            self._over.set()
            self._thread.join(20)
            assert not self._thread.is_alive()

    def stored(self) -> dict[str, Any]:
        with Memory(next(self._folder.glob("ardupilot-copter-*-1.log"))) as memory:
            return {name: memory.values.get(name) for name in WANTED}


def as_wanted(stored: dict[str, Any]) -> bool:
    return all(stored[n] is not None and stored[n] == pytest.approx(v, rel=1e-6) for n, v in WANTED.items())


def test_the_program_survives_a_replugged_port_without_the_operator(tmp_path: Path) -> None:
    profile = tmp_path / "replug.yaml"
    profile.write_text(PROFILE + "".join(f"  {n}: {v}\n" for n, v in WANTED.items()))
    board = Board(tmp_path)
    command = [sys.executable, "-m", "dronekit_cfg", "apply", str(profile), "--include", "calibration", "--yes"]
    with board.running():
        done = subprocess.run(
            [*command, "--link", f"serial:{board.name}", "--state-dir", str(tmp_path / "state")],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert board.pulled
    assert "DONE" in done.stdout
    assert as_wanted(board.stored())


@pytest.mark.parametrize(
    ("renamed", "power", "late"),
    [(False, "usb", False), (False, "usb", True), (True, ONE_UPTIME, False), (True, "usb", True)],
)
def test_a_board_that_comes_back_is_found_and_finished(
    renamed: bool, power: str, late: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Renamed: its name went to another board of the same make. Power from USB: it restarted. Late: in the reboot."""
    board = Board(tmp_path, renamed=renamed, power=power, late=late)
    clock = RealClock()
    url = f"serial:{board.name}"
    link = SerialLink(url, str(board.name), 115200, clock, ports=board.ports, holders=lambda _: ())
    monkeypatch.setattr("dronekit_cfg.engine.connection.open_link", lambda *_, **__: link)
    with (
        board.running(),
        connect(LinkOptions(url, family="ardupilot", state_dir=tmp_path), clock=clock) as connection,
    ):
        receipt = apply(connection, GOAL, StateDir(tmp_path))
    assert board.pulled
    assert receipt.result is Result.DONE, receipt.problems
    assert as_wanted(board.stored())
    assert link.device == str(board._then)
    stranger = next(tmp_path.glob("ardupilot-copter-*-stranger.log"), None)
    assert stranger is None or "FENCE_ALT_MAX" not in stranger.read_text()
