"""A link over a TCP connection: simulators, serial servers, WiFi bridges."""

from __future__ import annotations

import selectors
import socket

from dronekit_cfg.errors import LinkOpenError
from dronekit_cfg.links.common import BaseLink, lost_error, not_open, opening, using
from dronekit_cfg.text import t

__all__ = ["TcpLink"]

_CONNECT_SECONDS = 5.0
_WRITE_SECONDS = 10.0
_CHUNK = 65536


class TcpLink(BaseLink):
    """Connects to `host`:`port`. Bytes are sent at once (no Nagle delay): a conversation is many small messages."""

    def __init__(self, url: str, host: str, port: int, baud: int = 0) -> None:
        super().__init__(url, baud)
        self._address = (host, port)
        self.place = f"tcp-{host}-{port}"
        self._socket: socket.socket | None = None
        self._readable: selectors.BaseSelector | None = None

    def open(self) -> None:
        """Connect; raises `LinkOpenError`."""
        if self._socket is not None:
            return
        with opening(self.url):
            connection = socket.create_connection(self._address, timeout=_CONNECT_SECONDS)
        try:
            with opening(self.url):
                self._refuse_ourselves(connection)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                connection.setblocking(False)
                self._readable = selectors.DefaultSelector()
                self._readable.register(connection, selectors.EVENT_READ)
        except BaseException:
            connection.close()
            raise
        self._socket = connection

    def _refuse_ourselves(self, connection: socket.socket) -> None:
        """Refuse a connection to ourselves.

        Retrying a port of the ephemeral range on this machine while nobody listens can meet our own outgoing port
        (TCP simultaneous open). We would talk to an echo, and keep the rebooting simulator from listening again.
        """
        if connection.getsockname() == connection.getpeername():
            raise LinkOpenError(
                t("cannot open {url}: nothing listens there", url=self.url),
                hint=t("start the vehicle or simulator first, or check host and port"),
            )

    def read(self, timeout: float) -> bytes:
        """Give up to 64 KiB that are there, waiting at most `timeout` seconds."""
        connection = self._open_socket()
        with using(self.url):
            try:
                data = connection.recv(_CHUNK)
            except BlockingIOError:
                if timeout <= 0 or self._readable is None or not self._readable.select(timeout):
                    return b""
                try:
                    data = connection.recv(_CHUNK)
                except BlockingIOError:  # readiness was spurious (select(2), BUGS)
                    return b""
        if not data:
            raise lost_error(self.url, t("the other side closed the connection"))
        return data

    def write(self, data: bytes) -> None:
        """Send all of `data`; `LinkLost` when the other side takes nothing for 10 seconds."""
        connection = self._open_socket()
        with using(self.url):
            rest = memoryview(data)
            while rest:
                try:
                    rest = rest[connection.send(rest) :]
                except BlockingIOError:
                    self._wait_writable(connection)

    def _wait_writable(self, connection: socket.socket) -> None:
        with selectors.DefaultSelector() as writable:
            writable.register(connection, selectors.EVENT_WRITE)
            if not writable.select(_WRITE_SECONDS):
                raise lost_error(self.url, t("the other side takes no more bytes"))

    def _open_socket(self) -> socket.socket:
        if self._socket is None:
            raise not_open(self.url)
        return self._socket

    def close(self) -> None:
        """Close the connection."""
        readable, self._readable = self._readable, None
        if readable is not None:
            readable.close()
        connection, self._socket = self._socket, None
        if connection is not None:
            connection.close()
