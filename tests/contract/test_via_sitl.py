"""The real ArduCopter lends its GPS port and has it back afterwards, also when the borrower was killed."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.errors import LeaseHeld, NoAnswer
from dronekit_cfg.families.registry import open_link
from dronekit_cfg.links.clock import RealClock
from dronekit_cfg.sitl.ardupilot import ArduCopterSitl, find_arducopter
from dronekit_cfg.talk.mavlink_commands import request_message
from dronekit_cfg.wire.ubx import UbxCodec

NAV_CLASS = 1
KILLED = """
import os, sys
from pathlib import Path
from dronekit_cfg.families.registry import open_link
from dronekit_cfg.links.clock import RealClock
open_link(sys.argv[1], clock=RealClock(), state_dir=Path(sys.argv[2])).open()
os.kill(os.getpid(), 9)
"""


@pytest.fixture(scope="module")
def copter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running ArduCopter with a GNSS fix; gives its link."""
    if shutil.which("arducopter") is None:
        pytest.skip("arducopter is not on PATH: this needs the real SITL")
    sitl = ArduCopterSitl(find_arducopter(), tmp_path_factory.mktemp("via"), RealClock())
    try:
        url = sitl.start()
        end = time.monotonic() + 60
        while not moves(url, tmp_path_factory.getbasetemp()) and time.monotonic() < end:
            pass
        yield url
    finally:
        sitl.stop()


def moves(url: str, root: Path) -> bool:
    """Whether the vehicle has a fix and its GNSS clock goes on. As any command does, connecting clears leftovers."""
    with connect(LinkOptions(url, state_dir=root)) as connection:
        driver: Any = connection.driver

        def ask() -> tuple[int, int]:
            found = connection.run(request_message(driver.conversation, "GPS_RAW_INT", 24))
            assert found is not None
            return found["fix_type"], found["time_usec"]

        try:
            first = ask()
            connection.runner.clock.sleep(1.2)
            second = ask()
        except NoAnswer:  # it has not started yet
            return False
    return first[0] >= 3 and second[1] > first[1]


def comes_back(url: str, root: Path) -> bool:
    """Whether the vehicle uses its receiver again: after more than 4 s without it, it looks for it anew."""
    return any(moves(url, root) for _ in range(20))


def test_the_port_opens_shows_the_ubx_stream_and_is_given_back(copter: str, tmp_path: Path) -> None:
    assert moves(copter, tmp_path)
    codec = UbxCodec()
    with open_link(f"via:ardupilot:gps1+{copter}", clock=RealClock(), state_dir=tmp_path) as link:
        end = time.monotonic() + 2
        while time.monotonic() < end:
            codec.receive_data(link.read(0.2))
    frames = []
    while (frame := codec.next_event()) is not None:
        frames.append(frame)
    assert len(frames) > 20
    assert {f.cls for f in frames} == {NAV_CLASS}
    assert comes_back(copter, tmp_path)


def test_a_killed_command_leaves_the_port_taken_and_the_next_one_gives_it_back(copter: str, tmp_path: Path) -> None:
    url = f"via:ardupilot:gps1+{copter}"
    done = subprocess.run([sys.executable, "-c", KILLED, url, str(tmp_path)], check=False, timeout=60)
    assert done.returncode == -9
    # Whoever has no mark of it cannot know whose it is, and leaves it alone.
    elsewhere = tmp_path / "elsewhere"
    with pytest.raises(LeaseHeld, match="gps1"):
        open_link(url, clock=RealClock(), state_dir=elsewhere).open()
    assert not moves(copter, elsewhere)
    assert comes_back(copter, tmp_path)


def test_the_passthrough_parameters_do_the_same_and_are_put_back(copter: str, tmp_path: Path) -> None:
    names = ("SERIAL_PASS1", "SERIAL_PASS2", "SERIAL_PASSTIMO")
    with connect(LinkOptions(copter, state_dir=tmp_path)) as connection:
        before = connection.values(names)
    codec = UbxCodec()
    with open_link(f"via:ardupilot:gps1+{copter}?pass=5", clock=RealClock(), state_dir=tmp_path) as link:
        codec.receive_data(link.read(2) + link.read(1))
    assert codec.next_event() is not None
    with connect(LinkOptions(copter, state_dir=tmp_path)) as connection:
        assert connection.values(names) == before
    assert comes_back(copter, tmp_path)
