"""The ways in to a served vehicle: a TCP port for one client, and UDP to a ground station."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Protocol

from dronekit_cfg.links.common import opening
from dronekit_cfg.links.frames import pack

__all__ = ["BACKLOG_BYTES", "Port", "TcpPort", "UdpPort"]

BACKLOG_BYTES = 1 << 20
"""How much is kept for a peer that does not read; what is more is dropped, as a UART does."""

_CHUNK = 65536
_DATAGRAM = 1400
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Port(Protocol):
    """One way in. `attached` says whether somebody can hear the vehicle; `url` is what a user types to use it."""

    url: str

    @property
    def attached(self) -> bool:
        """Whether there is a peer."""

    @property
    def sessions(self) -> int:
        """How many peers there were so far; a new one changes it."""

    @property
    def hasty(self) -> bool:
        """Whether bytes wait for room that is not reported as an event."""

    def interests(self) -> Mapping[int, bool]:
        """Give the file descriptors to watch for bytes, and whether for room to send, too."""

    def pump(self) -> bytes:
        """Accept, take and send what is possible now; give the bytes from the peer. Never raises for its sake."""

    def send(self, data: bytes, now: float) -> None:
        """Send or keep `data` for the peer, if there is one. Called often, also with b"" to send what was kept."""

    def hang_up(self) -> None:
        """Drop the peer."""

    def close(self) -> None:
        """Drop all."""


class TcpPort:
    """Listens for one client at a time; a second one is closed at once, as simulators do."""

    def __init__(self, host: str, port: int) -> None:
        host = host or "127.0.0.1"
        with opening(f"tcp:{host}:{port}"):
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._listener = socket.create_server((host, port), family=family, backlog=8)
        self._listener.setblocking(False)
        name = self._listener.getsockname()
        self.url = f"tcp:[{host}]:{name[1]}" if ":" in host else f"tcp:{host}:{name[1]}"
        self._client: socket.socket | None = None
        self._out = bytearray()
        self._sessions = 0

    @property
    def attached(self) -> bool:
        """Whether a client is connected."""
        return self._client is not None

    @property
    def sessions(self) -> int:
        """How many clients there were."""
        return self._sessions

    @property
    def hasty(self) -> bool:
        """Room is reported by select."""
        return False

    def interests(self) -> Mapping[int, bool]:
        """Watch for clients, for bytes, and for room while some wait to be sent."""
        wanted = {self._listener.fileno(): False}
        if self._client is not None:
            wanted[self._client.fileno()] = bool(self._out)
        return wanted

    def pump(self) -> bytes:
        """Take bytes of the client, then see whether another one is at the door."""
        data = self._receive()
        self._accept()
        self._flush()
        return data

    def _accept(self) -> None:
        with suppress(OSError):  # nobody, or gone again
            client, _ = self._listener.accept()
            if self._client is not None:
                client.close()
                return
            client.setblocking(False)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._client = client
            self._sessions += 1

    def _receive(self) -> bytes:
        if self._client is None:
            return b""
        try:
            data = self._client.recv(_CHUNK)
        except BlockingIOError:
            return b""
        except OSError:
            data = b""
        if not data:
            self.hang_up()
        return data

    def send(self, data: bytes, now: float) -> None:
        """Send what fits and keep the rest."""
        del now
        if self._client is not None and data and len(self._out) < BACKLOG_BYTES:
            self._out += data
            self._flush()

    def _flush(self) -> None:
        if self._client is None or not self._out:
            return
        try:
            del self._out[: self._client.send(self._out)]
        except BlockingIOError:
            return
        except OSError:
            self.hang_up()

    def hang_up(self) -> None:
        """Close the client's connection."""
        self._flush_last()
        client, self._client = self._client, None
        self._out.clear()
        if client is not None:
            client.close()

    def _flush_last(self) -> None:
        """Send what still fits: an acknowledgement goes out before the connection closes."""
        if self._client is not None and self._out:
            with suppress(OSError):
                self._client.send(self._out)

    def close(self) -> None:
        """Stop listening and drop the client."""
        self.hang_up()
        self._listener.close()


class UdpPort:
    """Speaks to the ground station's address, and from its first datagram on to whoever spoke last."""

    def __init__(self, host: str, port: int) -> None:
        host = host or "127.0.0.1"
        self.url = f"udp:{port}" if host in _LOOPBACK else f"udp:{host}:{port}"
        with opening(f"udpout:{host}:{port}"):
            found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
            family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
            self._socket = socket.socket(family, socket.SOCK_DGRAM)
            self._socket.setblocking(False)
            if host in _LOOPBACK:  # else the vehicle could be reached from the network
                self._socket.bind((address[0], 0))
        self._ground: tuple[str, int] = (str(address[0]), int(address[1]))

    @property
    def attached(self) -> bool:
        """UDP has no connection: the vehicle just speaks."""
        return True

    @property
    def sessions(self) -> int:
        """One, from the start."""
        return 1

    @property
    def hasty(self) -> bool:
        """Room is reported by select."""
        return False

    def interests(self) -> Mapping[int, bool]:
        """Watch for datagrams."""
        return {self._socket.fileno(): False}

    def pump(self) -> bytes:
        """Take the datagrams that are there."""
        data = bytearray()
        while len(data) < _CHUNK:
            try:
                datagram, sender = self._socket.recvfrom(_CHUNK)
            except ConnectionError:  # nobody listens there yet
                continue
            except OSError:  # no more, or never bound because nothing was sent yet
                break
            data += datagram
            self._ground = (sender[0], sender[1])
        return bytes(data)

    def send(self, data: bytes, now: float) -> None:
        """Send in datagrams of whole frames; lost where nobody listens."""
        del now
        for part in pack(data, _DATAGRAM):
            with suppress(OSError):
                self._socket.sendto(part, self._ground)

    def hang_up(self) -> None:
        """Nothing to drop."""

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
