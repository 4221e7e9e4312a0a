"""Simulators that are missing, crash, hang or die, ports that are taken, stops and kills: a clear error, no orphans."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fake_simulators import alive, make_fake, pids

from dronekit_cfg.engine.interrupt import Stop
from dronekit_cfg.errors import Interrupted, LinkOpenError
from dronekit_cfg.hil import fly, fly_betaflight
from dronekit_cfg.hil.fly import FlyOptions, fly_all, fly_one
from dronekit_cfg.hil.scenario import Scenario, find_scenarios
from dronekit_cfg.model.checked import Result, Verdict
from dronekit_cfg.sitl import ardupilot

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the fake simulators are scripts with a shebang line")


def one(name: str = "s19") -> Scenario:
    (found,) = find_scenarios(name)
    return found


@pytest.fixture
def flown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Result]:
    """Fly on a program of one kind, once and with little patience."""
    monkeypatch.setattr(fly, "FLIGHTS", 1)
    monkeypatch.setattr(fly, "STARTS", 1)
    monkeypatch.setattr(ardupilot, "BOOT_SECONDS", 0.6)

    def fly_it(kind: str) -> Result:
        options = FlyOptions(tmp_path / "flights", str(make_fake(tmp_path, kind)), state_dir=tmp_path / "state")
        result, _ = fly_one(one(), options)
        return result

    return fly_it


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("crashes", "cannot map the flash file"),
        ("never-listens", "does not come up"),
        ("dies", "Floating point exception"),
        ("mute", "says nothing"),
    ],
)
def test_a_simulator_that_misbehaves_is_an_error_that_says_why_and_leaves_no_process(
    kind: str, said: str, flown: Callable[[str], Result], tmp_path: Path
) -> None:
    result = flown(kind)
    assert result.verdict is Verdict.ERROR
    assert said in result.reason
    assert result.remedy
    kept = {Path(file).name for file in result.files}
    assert kept == {"simulator.log"} | ({"link.jsonl", "flight.tlog"} if kind in {"dies", "mute"} else set())
    started = pids(tmp_path)
    assert started
    assert not any(map(alive, started))


def test_a_missing_simulator_is_an_error_before_anything_is_flown(tmp_path: Path) -> None:
    with pytest.raises(LinkOpenError, match="is no file") as caught:
        fly_all((one(),), FlyOptions(tmp_path, str(tmp_path / "nothing")))
    assert caught.value.exit_code == 3
    assert caught.value.hint


def test_ports_that_are_all_taken_are_an_error(
    flown: Callable[[str], Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(fly, "FIRST_INSTANCE", 254)
    monkeypatch.setattr(ardupilot, "LAST_INSTANCE", 255)
    with socket.create_server(("127.0.0.1", ardupilot.BASE_TCP + ardupilot.STEP * 254)):
        result = flown("mute")
    assert result.verdict is Verdict.ERROR
    assert "ports are in use" in result.reason
    assert "stop simulators" in result.remedy
    assert not pids(tmp_path)


def test_flights_on_betaflight_wait_for_each_other_and_a_stop_ends_the_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(fly_betaflight, "_POLL", 0.01)
    stop = Stop()
    with fly_betaflight._turn(Stop()):
        threading.Timer(0.1, stop.ask).start()
        with pytest.raises(Interrupted), fly_betaflight._turn(stop):
            pytest.fail("two had their turn at once")
    with fly_betaflight._turn(Stop()):
        pass


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a verb of `sitl` with two flights at a time on simulators that hang."""
    started: list[subprocess.Popen[str]] = []

    def start(verb: str) -> subprocess.Popen[str]:
        fake = str(make_fake(tmp_path, "mute"))
        line = [sys.executable, "-m", "dronekit_cfg", "sitl", verb, "s01", "s19", "--jobs", "2", "--binary", fake]
        line += ["--keep", str(tmp_path / "kept"), "--state-dir", str(tmp_path / "state"), "--timeout", "60"]
        process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        started.append(process)
        wait_for(lambda: len(pids(tmp_path)) == 2, process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def wait_for(true: Callable[[], bool], process: subprocess.Popen[str] | None = None, seconds: float = 90.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        if process is not None and process.poll() is not None:
            pytest.fail(f"it ended early: {process.communicate()[0]}")
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("verb", ["scenario", "matrix"])
def test_a_signal_to_the_main_process_alone_ends_all_flights_and_their_simulators(
    verb: str, command: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = command(verb)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert not any(map(alive, pids(tmp_path)))


@pytest.mark.parametrize("verb", ["scenario", "matrix"])
def test_a_killed_main_process_takes_workers_and_simulators_with_it(
    verb: str, command: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = command(verb)
    workers = descendants(process.pid)
    assert len(workers) >= 4, "two workers and two simulators at least"
    process.kill()
    wait_for(lambda: not any(map(alive, workers)))


def descendants(pid: int) -> list[int]:
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, path.read_text().split()):
            found += [child, *descendants(child)]
    return found


@pytest.mark.parametrize("verb", ["scenario", "matrix"])
def test_a_worker_that_is_killed_is_an_error_of_its_flights(
    verb: str, command: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    process = command(verb)
    for pid in pids(tmp_path):
        os.kill(int(Path(f"/proc/{pid}/status").read_text().split("PPid:")[1].split()[0]), signal.SIGKILL)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 1, said
    assert "ended" in said
    assert "Traceback" not in said
    wait_for(lambda: not any(map(alive, pids(tmp_path))))
