from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from dronekit_cfg.errors import LinkLost, LinkOpenError
from dronekit_cfg.links.tcp import TcpLink


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(2)
        yield server


def _pair(listener: socket.socket) -> tuple[TcpLink, socket.socket]:
    link = TcpLink("tcp:test", "127.0.0.1", listener.getsockname()[1])
    link.open()
    peer, _ = listener.accept()
    peer.settimeout(2)
    return link, peer


def test_bytes_go_both_ways(listener: socket.socket) -> None:
    link, peer = _pair(listener)
    with link, peer:
        link.write(b"ping")
        assert peer.recv(100) == b"ping"
        peer.sendall(b"pong")
        assert link.read(1.0) == b"pong"
        assert link.read(0.0) == b""


def test_read_returns_when_the_first_byte_comes_not_when_the_time_is_over(listener: socket.socket) -> None:
    link, peer = _pair(listener)
    with link, peer:
        timer = threading.Timer(0.03, peer.sendall, [b"x"])
        timer.start()
        start = time.monotonic()
        assert link.read(5.0) == b"x"
        assert time.monotonic() - start < 1.0
        timer.join()


def test_read_gives_nothing_after_its_timeout(listener: socket.socket) -> None:
    link, peer = _pair(listener)
    with link, peer:
        start = time.monotonic()
        assert link.read(0.03) == b""
        assert 0.025 <= time.monotonic() - start < 0.5


def test_a_large_write_arrives_whole_while_the_peer_reads_slowly(listener: socket.socket) -> None:
    link, peer = _pair(listener)
    data = bytes(range(256)) * 16384
    got = bytearray()

    def drain() -> None:
        while len(got) < len(data):
            got.extend(peer.recv(65536))

    reader = threading.Thread(target=drain)
    with link, peer:
        reader.start()
        link.write(data)
        reader.join(5)
    assert bytes(got) == data


def test_a_burst_is_read_in_large_portions(listener: socket.socket) -> None:
    link, peer = _pair(listener)
    with link, peer:
        peer.sendall(bytes(60000))
        got, reads = 0, 0
        while got < 60000:
            got += len(link.read(1.0))
            reads += 1
    assert reads < 20


def test_a_closed_connection_is_a_lost_link_and_can_be_opened_again(listener: socket.socket) -> None:
    link, peer = _pair(listener)
    peer.sendall(b"last words")
    peer.close()
    assert link.read(1.0) == b"last words"
    with pytest.raises(LinkLost, match="closed the connection") as caught:
        link.read(1.0)
    assert caught.value.hint
    link.reopen()
    again, _ = listener.accept()
    with again, link:
        again.sendall(b"back")
        assert link.read(1.0) == b"back"


def test_writing_to_a_reset_connection_is_a_lost_link(listener: socket.socket) -> None:
    link, peer = _pair(listener)
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    peer.close()  # with zero linger: a reset
    with pytest.raises(LinkLost):
        link.read(1.0)
    with pytest.raises(LinkLost):
        link.write(b"x")
    link.close()


def test_a_port_where_nobody_listens_says_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(LinkOpenError, match="nothing listens there") as caught:
        TcpLink("tcp:test", "127.0.0.1", port).open()
    assert "start the vehicle" in caught.value.hint


def test_an_unknown_host_is_named_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "create_connection", fail)
    with pytest.raises(LinkOpenError, match="the host name is not known"):
        TcpLink("tcp:nosuch.invalid:5760", "nosuch.invalid", 5760).open()


def test_a_connection_to_ourselves_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    # bound and connected to the same port, a socket meets itself (TCP simultaneous open)
    own = socket.socket()
    own.bind(("127.0.0.1", 0))
    own.connect(own.getsockname())

    def connect(*args: object, **kwargs: object) -> socket.socket:
        return own

    monkeypatch.setattr(socket, "create_connection", connect)
    link = TcpLink("tcp:test", "127.0.0.1", own.getsockname()[1])
    with pytest.raises(LinkOpenError, match="nothing listens there"):
        link.open()
    assert own.fileno() == -1


def test_a_link_that_is_not_open_says_so_and_closing_twice_is_harmless() -> None:
    link = TcpLink("tcp:test", "127.0.0.1", 1)
    with pytest.raises(LinkLost, match="not open"):
        link.read(0)
    with pytest.raises(LinkLost, match="not open"):
        link.write(b"x")
    link.close()
    link.close()


def test_small_writes_are_not_delayed(listener: socket.socket) -> None:
    link, peer = _pair(listener)
    with link, peer:
        assert link._socket is not None
        assert link._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
