from __future__ import annotations

import math
import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.errors import LinkLost, LinkOpenError, UsageError
from dronekit_cfg.links.clock import RealClock
from dronekit_cfg.links.serial_port import SerialLink
from dronekit_cfg.links.tcp import TcpLink
from dronekit_cfg.sim import ports, server
from dronekit_cfg.sim.server import serve

needs_pty = pytest.mark.skipif(not hasattr(os, "openpty"), reason="pseudo terminals exist on POSIX only")


class Parrot:
    """Repeats what it hears; "bye" makes it answer and hang up, "burst" is answered by 256 KiB."""

    def __init__(self) -> None:
        self.out = b""
        self.visits = 0
        self.polls = 0
        self._hung_up = False

    def receive(self, data: bytes, now: float) -> None:
        self.out += data if data != b"burst" else bytes(1 << 18)

    def poll(self, now: float) -> bytes:
        self.polls += 1
        out, self.out = self.out, b""
        self._hung_up = self._hung_up or out == b"bye"
        return out

    def next_due(self, now: float) -> float:
        return now if self.out else math.inf

    def connected(self, now: float) -> None:
        self.visits += 1
        self._hung_up = False

    @property
    def hung_up(self) -> bool:
        return self._hung_up


class Served:
    """A parrot that is served in a thread."""

    def __init__(self, **places: Any) -> None:
        self.parrot = Parrot()
        self.urls: list[str] = []
        self.error: BaseException | None = None
        self._up = threading.Event()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, kwargs=places)
        self._thread.start()
        assert self._up.wait(5)

    def _run(self, **places: Any) -> None:
        try:
            serve(self.parrot, **places, clock=RealClock(), ready=self._ready, stop=self._stop)
        except BaseException as error:  # noqa: BLE001  it belongs to the test, not to the thread
            self.error = error
            self._up.set()

    def _ready(self, urls: list[str]) -> None:
        self.urls = urls
        self._up.set()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(5)
        assert not self._thread.is_alive()
        assert self.error is None

    def tcp(self) -> TcpLink:
        port = int(self.urls[0].rpartition(":")[2])
        link = TcpLink(self.urls[0], "127.0.0.1", port)
        link.open()
        return link


Serve = Callable[..., Served]


@pytest.fixture
def served() -> Iterator[Serve]:
    made: list[Served] = []

    def make(**places: Any) -> Served:
        made.append(Served(**places))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def _hear(link: TcpLink | SerialLink, count: int) -> bytes:
    got = b""
    while len(got) < count and (data := link.read(2.0)):
        got += data
    return got


def test_a_tcp_client_talks_with_the_vehicle_on_a_free_port_of_this_machine_only(served: Serve) -> None:
    one = served(tcp=("", 0))
    assert one.urls[0].startswith("tcp:127.0.0.1:")
    with one.tcp() as link:
        link.write(b"hello")
        assert _hear(link, 5) == b"hello"
    assert one.parrot.visits == 1


def test_a_second_client_is_refused_and_the_first_is_not_disturbed(served: Serve) -> None:
    one = served(tcp=("", 0))
    with one.tcp() as first:
        first.write(b"1")
        assert _hear(first, 1) == b"1"
        with one.tcp() as second, pytest.raises(LinkLost):
            second.read(2.0)
        first.write(b"2")
        assert _hear(first, 1) == b"2"
    assert one.parrot.visits == 1


def test_a_client_may_come_back(served: Serve) -> None:
    one = served(tcp=("", 0))
    for visit in range(1, 4):
        with one.tcp() as link:
            link.write(b"x")
            assert _hear(link, 1) == b"x"
            assert one.parrot.visits == visit


def test_a_vehicle_that_hangs_up_drops_its_client_after_the_last_word(served: Serve) -> None:
    one = served(tcp=("", 0))
    with one.tcp() as link:
        link.write(b"bye")
        assert _hear(link, 3) == b"bye"
        with pytest.raises(LinkLost):
            link.read(2.0)
        link.reopen()
        link.write(b"back")
        assert _hear(link, 4) == b"back"
    assert one.parrot.visits == 2


def test_a_burst_arrives_whole_at_a_client_that_reads_late(served: Serve) -> None:
    one = served(tcp=("", 0))
    with one.tcp() as link:
        link.write(b"burst")
        threading.Event().wait(0.05)
        assert len(_hear(link, 1 << 18)) == 1 << 18


def test_waiting_for_clients_costs_no_processor_time(served: Serve) -> None:
    one = served(tcp=("", 0))
    with one.tcp() as link:
        link.write(b"x")
        assert _hear(link, 1) == b"x"
        before = one.parrot.polls
        threading.Event().wait(0.1)
        assert one.parrot.polls - before < 10


def test_a_port_that_is_taken_is_an_error_before_anything_is_served() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(LinkOpenError, match="already in use"):
            serve(Parrot(), tcp=("", port), clock=RealClock(), ready=_never, stop=threading.Event())


def _never(urls: list[str]) -> None:
    raise AssertionError(urls)


def test_udp_speaks_to_the_ground_station_and_hears_its_answers(served: Serve) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ground:
        ground.bind(("127.0.0.1", 0))
        ground.settimeout(2)
        one = served(udp=("127.0.0.1", ground.getsockname()[1]))
        assert one.urls == [f"udp:{ground.getsockname()[1]}"]
        assert one.parrot.visits == 1
        one.parrot.out = b"beat"
        data, vehicle = ground.recvfrom(100)
        assert data == b"beat"
        assert vehicle[0] == "127.0.0.1"
        ground.sendto(b"hello", vehicle)
        assert ground.recv(100) == b"hello"
        ground.sendto(b"bye", vehicle)
        assert ground.recv(100) == b"bye"
        ground.sendto(b"back", vehicle)  # nothing to reconnect
        assert ground.recv(100) == b"back"
        assert one.parrot.visits == 2


def test_all_ways_in_lead_to_one_vehicle(served: Serve) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ground:
        ground.bind(("127.0.0.1", 0))
        ground.settimeout(2)
        one = served(tcp=("", 0), udp=ground.getsockname())
        with one.tcp() as link:
            link.write(b"hello")
            assert _hear(link, 5) == b"hello"
            assert ground.recv(100) == b"hello"


def _serial(url: str) -> SerialLink:
    return SerialLink(url, url.removeprefix("serial:"), 115200, RealClock(), ports=tuple, holders=lambda _: ())


@needs_pty
def test_a_pseudo_terminal_is_a_serial_port_that_carries_every_byte(served: Serve) -> None:
    one = served(pty=True)
    every = bytes(range(256))
    with _serial(one.urls[0]) as link:
        link.write(every)
        assert _hear(link, 256) == every
    with _serial(one.urls[0]) as link:
        link.write(b"bye")
        assert _hear(link, 3) == b"bye"
        link.write(b"back")  # without a symbolic link it stays, as a UART does
        assert _hear(link, 4) == b"back"
    assert one.parrot.visits == 2


@needs_pty
def test_a_terminal_with_a_symbolic_link_goes_away_at_a_reboot_and_comes_back(served: Serve, tmp_path: Path) -> None:
    name = tmp_path / "vehicle"
    one = served(pty=True, pty_link=str(name))
    assert one.urls == [f"serial:{name}"]
    before = name.readlink()
    with _serial(one.urls[0]) as link:
        link.write(b"bye")
        with pytest.raises(LinkLost):
            _hear_until_lost(link)
        link.reopen()
        link.write(b"back")
        assert _hear(link, 4) == b"back"
    assert name.readlink() != before
    one.stop()
    assert not name.is_symlink()


def _hear_until_lost(link: SerialLink) -> None:
    while True:
        link.read(2.0)


@needs_pty
def test_old_news_is_dropped_when_nobody_reads_the_terminal(served: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dronekit_cfg.sim.pty_port._UNREAD_SECONDS", 0.02)
    one = served(pty=True)
    one.parrot.out = b"old" * 50_000
    threading.Event().wait(0.15)
    with _serial(one.urls[0]) as link:
        link.write(b"new")
        heard = b""
        while b"new" not in heard:
            data = link.read(2.0)
            assert data
            heard += data
    assert len(heard) < 20_000


@needs_pty
def test_a_slow_reader_of_the_terminal_gets_everything(served: Serve) -> None:
    one = served(pty=True)
    with _serial(one.urls[0]) as link:
        link.write(b"burst")
        assert len(_hear(link, 1 << 18)) == 1 << 18


@needs_pty
def test_a_file_is_not_replaced_by_the_symbolic_link(tmp_path: Path) -> None:
    name = tmp_path / "precious"
    name.write_text("data", encoding="ascii")
    with pytest.raises(UsageError, match="is a file"):
        serve(Parrot(), pty_link=str(name), clock=RealClock(), ready=_never, stop=threading.Event())
    assert name.read_text(encoding="ascii") == "data"


def test_a_system_without_pseudo_terminals_is_told_to_use_tcp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "openpty", raising=False)
    with pytest.raises(UsageError, match="no pseudo terminals") as caught:
        serve(Parrot(), pty=True, clock=RealClock(), ready=_never, stop=threading.Event())
    assert "TCP" in caught.value.hint


def test_a_place_that_fails_closes_those_that_were_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[ports.TcpPort] = []

    class Watched(ports.TcpPort):
        def __init__(self, host: str, port: int) -> None:
            super().__init__(host, port)
            made.append(self)

    monkeypatch.setattr(server, "TcpPort", Watched)
    monkeypatch.delattr(os, "openpty", raising=False)
    with pytest.raises(UsageError):
        serve(Parrot(), tcp=("", 0), pty=True, clock=RealClock(), ready=_never, stop=threading.Event())
    assert made[0]._listener.fileno() == -1
