from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
import serial
import serial.rfc2217

from dronekit_cfg.errors import LinkLost, LinkOpenError
from dronekit_cfg.links.clock import RealClock
from dronekit_cfg.links.rfc2217 import Rfc2217Link

# pyserial 3.5 starts its reader thread with setDaemon
pytestmark = pytest.mark.filterwarnings("ignore:set(Daemon|Name).. is deprecated:DeprecationWarning")


class Server:
    """A terminal server made of pyserial's own server side: what is written to its port comes back."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = serial.serial_for_url("loop://", baudrate=9600, timeout=0)
        self.client: socket.socket | None = None
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self) -> None:
        try:
            client, _ = self.listener.accept()
        except OSError:
            return
        self.client = client
        make: Any = serial.rfc2217.PortManager  # its stubs want a client where a port and a writer belong
        manager = make(self.port, SimpleNamespace(write=client.sendall))
        try:
            while data := client.recv(1024):
                for byte in manager.filter(data):
                    self.port.write(byte)
                if waiting := self.port.in_waiting:
                    client.sendall(b"".join(manager.escape(self.port.read(waiting))))
        except OSError:
            return
        finally:
            client.close()

    def stop(self) -> None:
        for one in (self.listener, self.client):
            if one is not None:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
                one.close()
        self.thread.join(2)
        self.port.close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    # pyserial sleeps between its looks at the negotiation; a hundredth of that is plenty here
    def nap(seconds: float) -> None:
        time.sleep(seconds / 100)

    monkeypatch.setattr(serial.rfc2217, "time", SimpleNamespace(sleep=nap, time=time.time))
    one = Server()
    yield one
    one.stop()


def test_a_remote_port_is_set_up_and_carries_every_byte(server: Server) -> None:
    with Rfc2217Link("rfc2217:test", "127.0.0.1", server.listener.getsockname()[1], 57600, RealClock()) as link:
        assert server.port.baudrate == 57600
        every = bytes(range(256))
        link.write(every)
        got = b""
        while len(got) < 256:
            got += link.read(1.0)
        assert got == every
        start = time.monotonic()
        assert link.read(0.03) == b""
        assert time.monotonic() - start < 0.5


def test_a_server_that_goes_away_is_a_lost_link(server: Server) -> None:
    link = Rfc2217Link("rfc2217:test", "127.0.0.1", server.listener.getsockname()[1], 57600, RealClock())
    link.open()
    server.stop()

    def until_lost() -> None:
        for _ in range(100):
            link.read(0.02)

    with pytest.raises(LinkLost):
        until_lost()
    link.close()


def test_a_server_that_is_not_there_is_an_open_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(LinkOpenError, match="nothing listens there"):
        Rfc2217Link("rfc2217:test", "127.0.0.1", port, 57600, RealClock()).open()


@pytest.mark.parametrize(
    ("host", "remote"),
    [("bench1", "rfc2217://bench1:4000?"), ("fe80::1", "rfc2217://[fe80::1]:4000?")],
)
def test_the_address_is_spelled_as_pyserial_wants_it(host: str, remote: str) -> None:
    assert Rfc2217Link("x", host, 4000, 57600, RealClock())._remote.startswith(remote)
