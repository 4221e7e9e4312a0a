"""`sitl run`: a simulator for a person: it comes up, comes back after a reboot, and ends with the command."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dronekit_cfg.errors import LinkOpenError
from dronekit_cfg.links.clock import RealClock
from dronekit_cfg.links.tcp import TcpLink
from dronekit_cfg.sitl.link import SitlLink
from dronekit_cfg.sitl.process import SimulatorProcess
from dronekit_cfg.sitl.serve import serve

# Listens, greets whoever connects, and ends when told to save: a simulator that reboots.
SERVER = """
import socket, sys
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1]))); s.listen(1)
c, _ = s.accept()
c.sendall(b"hello")
while c.recv(100) not in (b"", b"save"):
    pass
"""


class Asked:
    """A stop that a test asks for."""

    def __init__(self) -> None:
        self.asked = False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def served(folder: Path, program: str, port: int) -> SitlLink:
    process = SimulatorProcess([sys.executable, "-c", program, str(port)], folder, RealClock())
    return SitlLink("sitl:test", process, port, RealClock())


class Visitor(RealClock):
    """A clock whose sleeps are used by somebody else to talk to the simulator, as in another window."""

    def __init__(self, port: int, stop: Asked) -> None:
        super().__init__()
        self.link = TcpLink("tcp:x", "127.0.0.1", port)
        self.stop = stop
        self.ready = False
        self.greetings = 0

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if not self.ready:
            return
        try:
            self.link.open()
        except LinkOpenError:
            return
        assert self.link.read(5) == b"hello"
        self.link.write(b"save")
        self.link.close()
        self.greetings += 1
        self.stop.asked = self.greetings == 2


def test_it_tells_its_link_comes_back_after_a_reboot_and_ends_when_asked(tmp_path: Path) -> None:
    port, stop, told = free_port(), Asked(), []
    link = served(tmp_path, SERVER, port)
    clock = Visitor(port, stop)

    def ready(url: str) -> None:
        told.append(url)
        clock.ready = True

    serve(link, clock, ready, stop)
    assert told == [f"tcp:127.0.0.1:{port}"]
    assert clock.greetings == 2
    assert link.process.starts >= 2
    assert not link.process.running


def test_a_simulator_that_crashes_is_said_with_its_last_words(tmp_path: Path) -> None:
    link = served(tmp_path, "print('no such file: eeprom', flush=True)", free_port())
    with pytest.raises(LinkOpenError, match="no such file: eeprom") as caught:
        serve(link, RealClock(), lambda _: None, Asked())
    assert "simulator.log" in caught.value.hint


def test_a_simulator_that_crashes_again_and_again_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    link = served(
        tmp_path, SERVER.replace("c, _ = s.accept()", "import time; time.sleep(0.3); sys.exit(3)"), free_port()
    )
    monkeypatch.setattr("dronekit_cfg.sitl.serve.SHORTEST_LIFE", 30)
    with pytest.raises(LinkOpenError, match="again and again"):
        serve(link, RealClock(), lambda _: None, Asked())
    assert not link.process.running


@pytest.mark.skipif(sys.platform == "win32", reason="signals of another process are a service of POSIX")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_simulator_too(tmp_path: Path, ending: signal.Signals) -> None:
    program = tmp_path / "inav_SITL"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.argv[1:] = [sys.argv[2].partition('=')[2]]\n{SERVER}", encoding="utf-8"
    )
    program.chmod(0o755)
    command = [sys.executable, "-m", "dronekit_cfg", "sitl", "run", "inav", "--binary", str(program), "--json"]
    with subprocess.Popen([*command, "--state-dir", str(tmp_path)], stdout=subprocess.PIPE, text=True) as tool:
        assert tool.stdout is not None
        text = ""
        while not text.rstrip().endswith("}"):
            text += tool.stdout.readline()
        said = json.loads(text)
        os.kill(said["pid"], 0)
        tool.send_signal(ending)
        assert tool.wait(10) == 0
    with pytest.raises(ProcessLookupError):
        os.kill(said["pid"], 0)
    assert said["link"].startswith("tcp:127.0.0.1:")
