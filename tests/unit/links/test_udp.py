from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from dronekit_cfg.errors import LinkError, LinkLost, LinkOpenError
from dronekit_cfg.events import Event, Note
from dronekit_cfg.links.clock import RealClock
from dronekit_cfg.links.udp import UdpListenLink, UdpOutLink


class SteppedClock(RealClock):
    """Real time that a test can push forward."""

    def __init__(self) -> None:
        self.pushed = 0.0

    def now(self) -> float:
        return super().now() + self.pushed


Vehicle = Callable[..., socket.socket]


@pytest.fixture
def vehicle() -> Iterator[Vehicle]:
    """Make UDP sockets that play vehicles; those on 127.0.0.2 are another host."""
    made: list[socket.socket] = []

    def make(host: str = "127.0.0.1") -> socket.socket:
        made.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        try:
            made[-1].bind((host, 0))
        except OSError:
            pytest.skip(f"this system has no loopback address {host}")
        made[-1].settimeout(2)
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def notes() -> list[Event]:
    return []


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def link(notes: list[Event], clock: SteppedClock) -> Iterator[UdpListenLink]:
    with UdpListenLink("udp:14550", "127.0.0.1", 0, clock=clock, report=notes.append) as one:
        yield one


def test_a_listener_answers_who_speaks_to_it(link: UdpListenLink, vehicle: Vehicle) -> None:
    link.write(b"nobody is there to hear this")
    one = vehicle()
    one.sendto(b"beat", link.address)
    assert link.read(1.0) == b"beat"
    link.write(b"answer")
    assert one.recv(100) == b"answer"
    assert link.peer == one.getsockname()


def test_datagrams_that_wait_are_read_together(link: UdpListenLink, vehicle: Vehicle) -> None:
    one = vehicle()
    for i in range(50):
        one.sendto(bytes([i]), link.address)
    assert link.read(1.0) == bytes(range(50))


def test_read_gives_nothing_after_its_timeout(link: UdpListenLink) -> None:
    assert link.read(0.02) == b""


def test_two_senders_from_the_start_are_refused_and_both_are_named(link: UdpListenLink, vehicle: Vehicle) -> None:
    first, second = vehicle(), vehicle("127.0.0.2")
    first.sendto(b"1", link.address)
    assert link.read(1.0) == b"1"
    second.sendto(b"2", link.address)
    with pytest.raises(LinkError, match="several senders") as caught:
        link.read(1.0)
    assert f"127.0.0.2:{second.getsockname()[1]}" in caught.value.message
    assert f"peer=127.0.0.1:{first.getsockname()[1]}" in caught.value.hint
    first.sendto(b"1", link.address)
    with pytest.raises(LinkError, match="several senders"):  # asking again does not make it safe
        link.read(1.0)
    with pytest.raises(LinkError, match="several senders"):
        link.write(b"x")


def test_a_sender_that_comes_later_is_ignored_and_reported_once(
    link: UdpListenLink, vehicle: Vehicle, clock: SteppedClock, notes: list[Event]
) -> None:
    first, second = vehicle(), vehicle("127.0.0.2")
    first.sendto(b"1", link.address)
    assert link.read(1.0) == b"1"
    clock.pushed += 10
    for _ in range(3):
        second.sendto(b"2", link.address)
    assert link.read(0.02) == b""
    link.write(b"for the first")
    assert first.recv(100) == b"for the first"
    assert len(notes) == 1
    assert isinstance(notes[0], Note)
    assert notes[0].level == "warning"
    assert "127.0.0.2" in notes[0].text


def test_a_vehicle_that_rebooted_is_followed_to_its_new_port(
    link: UdpListenLink, vehicle: Vehicle, clock: SteppedClock, notes: list[Event]
) -> None:
    before, after = vehicle(), vehicle()
    before.sendto(b"1", link.address)
    assert link.read(1.0) == b"1"
    clock.pushed += 3
    after.sendto(b"2", link.address)
    assert link.read(1.0) == b"2"
    link.write(b"hello again")
    assert after.recv(100) == b"hello again"
    assert notes == []


def test_a_reopened_listener_takes_only_the_host_it_knew(vehicle: Vehicle, notes: list[Event]) -> None:
    probe = vehicle()
    port = probe.getsockname()[1]
    probe.close()
    link = UdpListenLink("udp:test", "127.0.0.1", port, report=notes.append)
    with link:
        before = vehicle()
        before.sendto(b"1", link.address)
        assert link.read(1.0) == b"1"
        link.reopen()
        other, after = vehicle("127.0.0.2"), vehicle()
        other.sendto(b"other", link.address)
        after.sendto(b"2", link.address)
        assert link.read(1.0) == b"2"
        other.sendto(b"other", link.address)  # in the middle of the work this is no reason to stop
        assert link.read(0.02) == b""
        link.close()
        link.open()
        other.sendto(b"other", link.address)
        assert link.read(1.0) == b"other"


def test_a_named_peer_is_the_only_one_heard(vehicle: Vehicle) -> None:
    wanted, other = vehicle("127.0.0.2"), vehicle()
    with UdpListenLink("udp:test", "127.0.0.1", 0, peer=("127.0.0.2", 0)) as link:
        other.sendto(b"other", link.address)
        wanted.sendto(b"wanted", link.address)
        assert link.read(1.0) == b"wanted"


def test_a_long_write_is_cut_into_datagrams_on_frame_borders(link: UdpListenLink, vehicle: Vehicle) -> None:
    one = vehicle()
    one.sendto(b"x", link.address)
    link.read(1.0)
    frame = bytes.fromhex("fd09000000ffbe0000000000000006080004033d48")
    link.write(frame * 100)
    first, second = one.recv(9000), one.recv(9000)
    assert first + second == frame * 100
    assert len(first) == 1400 // len(frame) * len(frame)


def test_a_port_that_is_taken_says_so(link: UdpListenLink) -> None:
    with pytest.raises(LinkOpenError, match="already in use") as caught:
        UdpListenLink("udp:test", *link.address).open()
    assert "ground station" in caught.value.hint


def test_an_address_of_another_machine_cannot_be_listened_on() -> None:
    with pytest.raises(LinkOpenError, match="does not belong to this machine"):
        UdpListenLink("udp:test", "192.0.2.1", 0).open()


def test_udpout_speaks_first_and_hears_only_its_host(vehicle: Vehicle) -> None:
    one, other = vehicle(), vehicle("127.0.0.2")
    with UdpOutLink("udpout:test", *one.getsockname()) as link:
        link.write(b"hello")
        data, ours = one.recvfrom(100)
        assert data == b"hello"
        other.sendto(b"noise", ("127.0.0.1", ours[1]))
        one.sendto(b"answer", ours)
        assert link.read(1.0) == b"answer"
        assert link.read(0.0) == b""


def test_a_host_that_is_not_up_yet_is_silence_not_an_error(vehicle: Vehicle) -> None:
    one = vehicle()
    address = one.getsockname()
    one.close()
    with UdpOutLink("udpout:test", *address) as link:
        for _ in range(3):
            link.write(b"hello")  # answered by ICMP "port unreachable"
            assert link.read(0.01) == b""


def test_an_unknown_host_is_an_open_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(LinkOpenError, match="the host name is not known"):
        UdpOutLink("udpout:nosuch.invalid:1", "nosuch.invalid", 1).open()


def test_a_closed_link_says_so(link: UdpListenLink) -> None:
    link.close()
    link.close()
    for use in (lambda: link.read(0), lambda: link.write(b"x"), lambda: link.address):
        with pytest.raises(LinkLost, match="not open"):
            use()
