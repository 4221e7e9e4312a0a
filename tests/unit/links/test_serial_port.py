from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import serial

from dronekit_cfg.errors import LinkLost, LinkOpenError
from dronekit_cfg.events import Event
from dronekit_cfg.links.clock import RealClock
from dronekit_cfg.links.discover import Candidate, Kind
from dronekit_cfg.links.holders import Holder, busy_hint, find_holders
from dronekit_cfg.links.serial_port import PortLink, SerialLink

pytestmark = pytest.mark.skipif(not hasattr(os, "openpty"), reason="pseudo terminals exist on POSIX only")

BOARD = Candidate(
    "/dev/ttyACM0", Kind.FLIGHT_CONTROLLER, "CubePilot board", vid=0x2DAE, pid=0x1016, serial_number="3E0037",
    location="1-2", interface="1.0", product="CubeOrange",
)  # fmt: skip


def board(device: str, **changes: Any) -> Candidate:
    from dataclasses import replace

    return replace(BOARD, device=device, **changes)


@pytest.fixture
def pty() -> Iterator[tuple[int, str]]:
    """Give the vehicle's end of a pseudo terminal, and the name of ours."""
    master, slave = os.openpty()
    name = os.ttyname(slave)
    yield master, name
    for handle in (master, slave):
        try:
            os.close(handle)
        except OSError:
            continue


def make(device: str, *ports: Candidate, holders: tuple[Holder, ...] = (), baud: int = 115200) -> SerialLink:
    return SerialLink(f"serial:{device}", device, baud, RealClock(), ports=lambda: ports, holders=lambda _: holders)


def test_bytes_go_both_ways_unchanged(pty: tuple[int, str]) -> None:
    master, name = pty
    every = bytes(range(256))
    with make(name) as link:
        link.write(every)
        assert os.read(master, 1000) == every
        os.write(master, every)
        got = b""
        while len(got) < 256:
            got += link.read(1.0)
        assert got == every
        assert link.read(0.0) == b""
        assert (link.baud, link.device) == (115200, name)


def test_read_returns_with_the_first_byte_and_gives_nothing_after_its_timeout(pty: tuple[int, str]) -> None:
    master, name = pty
    with make(name) as link:
        start = time.monotonic()
        assert link.read(0.02) == b""
        assert 0.015 <= time.monotonic() - start < 0.5
        timer = threading.Timer(0.02, os.write, [master, b"x"])
        timer.start()
        start = time.monotonic()
        assert link.read(5.0) == b"x"
        assert time.monotonic() - start < 1.0
        timer.join()


def test_without_descriptors_reading_works_the_same(pty: tuple[int, str]) -> None:
    master, name = pty
    with make(name) as link:
        link._descriptor = False  # as on Windows
        os.write(master, b"hello")
        assert link.read(1.0) == b"hello"
        start = time.monotonic()
        assert link.read(0.03) == b""
        assert 0.025 <= time.monotonic() - start < 0.5


def test_a_burst_is_read_in_large_portions(pty: tuple[int, str]) -> None:
    master, name = pty
    with make(name) as link:
        os.write(master, bytes(3000))
        got, reads = 0, 0
        while got < 3000:
            got += len(link.read(1.0))
            reads += 1
    assert reads < 10


def test_a_device_that_goes_away_is_a_lost_link(pty: tuple[int, str]) -> None:
    master, name = pty
    link = make(name)
    link.open()
    os.close(master)
    with pytest.raises(LinkLost) as caught:
        link.read(1.0)
    assert "cable" in caught.value.hint
    link.close()
    with pytest.raises(LinkLost, match="not open"):
        link.read(0)


def test_a_port_that_is_not_there_lists_those_that_are() -> None:
    with pytest.raises(LinkOpenError, match="there is no port /dev/ttyACM77") as caught:
        make("/dev/ttyACM77", BOARD).open()
    assert caught.value.hint == "these are there: /dev/ttyACM0 (CubePilot board: CubeOrange)"
    with pytest.raises(LinkOpenError) as caught:
        make("/dev/ttyACM77").open()
    assert "no serial port is there" in caught.value.hint


def test_a_port_that_we_have_open_already_is_busy(pty: tuple[int, str]) -> None:
    _, name = pty
    with make(name), pytest.raises(LinkOpenError, match="in use by another program") as caught:
        make(name).open()
    assert "QGroundControl" in caught.value.hint


def test_a_port_that_another_program_reads_is_refused_by_name(tmp_path: Path) -> None:
    device = tmp_path / "ttyACM0"
    with pytest.raises(LinkOpenError, match=r"in use by ModemManager \(pid 812\)") as caught:
        make(str(device), holders=(Holder(812, "ModemManager"),)).open()
    assert "systemctl disable --now ModemManager" in caught.value.hint


@pytest.mark.parametrize(
    ("error", "words", "hint"),
    [
        (serial.SerialException(errno.EACCES, "could not open port"), "permission denied", "dialout"),
        (serial.SerialException(errno.EBUSY, "could not open port"), "in use by another", "Mission Planner"),
        (serial.SerialException(errno.EAGAIN, "Could not exclusively lock"), "in use by another", "Mission Planner"),
        (serial.SerialException(errno.ENODEV, "could not open port"), "there is no port", "plug the vehicle in"),
        (serial.SerialException("could not open port 'COM3': FileNotFoundError(2, 'no', None, 2)"), "there is no port",
         "plug"),
        (serial.SerialException("could not open port 'COM3': PermissionError(13, 'Denied', None, 5)"), "in use by",
         "close the ground station"),
        (ValueError("Invalid baud rate: 7"), "does not do 7 baud", "57600"),
        (serial.SerialException("cosmic rays"), "cosmic rays", "nothing else uses it"),
    ],
)  # fmt: skip
def test_each_cause_is_told_with_its_remedy(
    monkeypatch: pytest.MonkeyPatch, error: Exception, words: str, hint: str
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr(serial, "Serial", fail)
    monkeypatch.setattr("dronekit_cfg.links.serial_port._LINUX", True)
    with pytest.raises(LinkOpenError) as caught:
        make("/dev/x", baud=7).open()
    assert words in caught.value.message
    assert hint in caught.value.hint


def test_auto_takes_the_only_flight_controller_and_says_so(pty: tuple[int, str]) -> None:
    _, name = pty
    radio = Candidate("/dev/ttyUSB0", Kind.ADAPTER, "CP210x adapter", vid=0x10C4, pid=0xEA60)
    heard: list[Event] = []
    ports = (radio, board(name, interface="1.0"), board("/dev/other", interface="1.2"))
    link = SerialLink("serial:auto", "auto", 115200, RealClock(), ports=lambda: ports, report=heard.append)
    with link:
        assert link.device == name
    assert "CubeOrange" in str(heard)


@pytest.mark.parametrize(
    ("ports", "words", "hint"),
    [
        ((), "no flight controller is plugged in", "cable that carries data"),
        ((Candidate("COM4", Kind.ADAPTER, "FTDI", vid=0x403, pid=0x6001),), "no flight controller", "serial:COM4"),
        ((board("COM4", kind=Kind.BOOTLOADER),), "in its bootloader", "no firmware"),
        ((board("COM4"), board("COM5", serial_number="2")), "2 flight controllers", "serial:COM4, serial:COM5"),
    ],
)
def test_auto_refuses_to_guess(ports: tuple[Candidate, ...], words: str, hint: str) -> None:
    with pytest.raises(LinkOpenError) as caught:
        make("auto", *ports).open()
    assert words in caught.value.message
    assert hint in caught.value.hint


class Bench:
    """A USB hub on which boards come and go; a device name leads to whatever is there now."""

    def __init__(self) -> None:
        self.there: list[Candidate] = []

    def link(self, device: str) -> SerialLink:
        return SerialLink(f"serial:{device}", device, 115200, RealClock(), ports=lambda: self.there)


def test_after_a_reboot_the_board_is_found_under_its_new_name(pty: tuple[int, str]) -> None:
    _, before = pty
    new_master, new_slave = os.openpty()
    after = os.ttyname(new_slave)
    bench = Bench()
    bench.there = [board(before)]
    with bench.link(before) as link:
        bench.there = [board(before, serial_number="another board"), board(after)]
        link.reopen()
        assert link.device == after
        link.write(b"hello")
        assert os.read(new_master, 10) == b"hello"
    os.close(new_master)
    os.close(new_slave)


def test_while_the_board_is_away_or_in_its_bootloader_reopening_says_not_yet(pty: tuple[int, str]) -> None:
    _, name = pty
    bench = Bench()
    bench.there = [board(name)]
    link = bench.link(name)
    link.open()
    for there in ([], [board(name, kind=Kind.BOOTLOADER)], [board(name, serial_number="another board")]):
        bench.there = there
        with pytest.raises(LinkOpenError, match="not come back yet"):
            link.reopen()
    bench.there = [board(name)]
    link.reopen()
    link.close()


def test_adapters_that_share_a_serial_number_are_told_apart_by_their_socket(pty: tuple[int, str]) -> None:
    _, name = pty
    bench = Bench()
    bench.there = [board(name, kind=Kind.ADAPTER, serial_number="0001", location="1-1")]
    with bench.link(name) as link:
        twin = board("/dev/ttyUSB9", kind=Kind.ADAPTER, serial_number="0001", location="1-7")
        bench.there = [twin, *bench.there]
        link.reopen()
        assert link.device == name
        bench.there = [twin, board("/dev/ttyUSB8", kind=Kind.ADAPTER, serial_number="0001", location="1-8")]
        with pytest.raises(LinkOpenError, match="several devices look like"):
            link.reopen()


def test_a_port_without_usb_identity_is_opened_again_by_its_name(pty: tuple[int, str]) -> None:
    master, name = pty
    with make(name) as link:
        link.reopen()
        link.write(b"x")
        assert os.read(master, 10) == b"x"


def test_a_symbolic_link_leads_to_the_identity_of_its_port(pty: tuple[int, str], tmp_path: Path) -> None:
    _, name = pty
    stable = tmp_path / "usb-CubePilot_CubeOrange-if00"
    stable.symlink_to(name)
    bench = Bench()
    bench.there = [board(name)]
    with bench.link(str(stable)) as link:
        assert link._identity == bench.there[0]


def test_a_port_that_takes_nothing_is_lost(pty: tuple[int, str], monkeypatch: pytest.MonkeyPatch) -> None:
    _, name = pty
    monkeypatch.setattr("dronekit_cfg.links.serial_port._WRITE_SECONDS", 0.02)
    with make(name) as link, pytest.raises(LinkLost, match="Write timeout"):
        link.write(bytes(100_000))


def test_holders_are_found_through_proc_and_we_are_not_one_of_them(tmp_path: Path) -> None:
    device = tmp_path / "ttyACM0"
    device.touch()
    alias = tmp_path / "by-id"
    alias.symlink_to(device)
    proc = tmp_path / "proc"
    for pid, command, target in ((77, "ModemManager", device), (78, "bash", proc), (os.getpid(), "pytest", device)):
        fds = proc / str(pid) / "fd"
        fds.mkdir(parents=True)
        (fds / "3").symlink_to(target)
        (proc / str(pid) / "comm").write_text(f"{command}\n", encoding="ascii")
    (proc / "self").mkdir()
    (proc / "99").mkdir()
    assert find_holders(str(alias), proc) == (Holder(77, "ModemManager"),)
    assert find_holders(str(alias), tmp_path / "no proc") == ()


@pytest.mark.parametrize(
    ("holders", "words"),
    [
        ((Holder(1, "ModemManager"),), "ModemManager tests every new port"),
        ((Holder(1, "brltty"),), "Braille"),
        ((Holder(5, "QGroundControl"),), "close QGroundControl (pid 5)"),
        ((), "Betaflight Configurator"),
    ],
)
def test_the_remedy_fits_the_holder(holders: tuple[Holder, ...], words: str) -> None:
    assert words in busy_hint(holders)


def test_a_port_link_is_not_made_by_itself() -> None:
    with pytest.raises(TypeError, match="abstract"):
        PortLink("x", 1, RealClock())  # type: ignore[abstract]  # that is what is tested
