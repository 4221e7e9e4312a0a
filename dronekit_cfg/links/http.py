"""A link to the web page of a radio module in Wi-Fi mode: each write is one request, on a connection of its own.

The small web servers of such modules close the connection behind each answer. What is read is the answer as it came,
from the status line on; when the module has closed, an empty piece ends it (see `wire.http`).
"""

from __future__ import annotations

from dronekit_cfg.errors import LinkLost
from dronekit_cfg.links.base import Clock
from dronekit_cfg.links.common import BaseLink, not_open
from dronekit_cfg.links.tcp import TcpLink
from dronekit_cfg.wire.http import END

__all__ = ["HttpLink"]


class HttpLink(BaseLink):
    """Requests to `host`:`port`. Nothing is sent at opening: the module may not be there yet."""

    def __init__(self, url: str, host: str, port: int, clock: Clock) -> None:
        super().__init__(url)
        self.place = f"http-{host}-{port}"
        self._host, self._port, self._clock = host, port, clock
        self._connection: TcpLink | None = None
        self._is_open = False

    def open(self) -> None:
        """See that the module takes connections; raises `LinkOpenError`."""
        with TcpLink(self.url, self._host, self._port):
            self._is_open = True

    def write(self, data: bytes) -> None:
        """Send one whole request; raises `LinkOpenError` when the module takes no connection."""
        if not self._is_open:
            raise not_open(self.url)
        self._drop()
        self._connection = TcpLink(self.url, self._host, self._port)
        self._connection.open()
        self._connection.write(data)

    def read(self, timeout: float) -> bytes:
        """Give what came of the answer; `END` once when the module has closed."""
        if not self._is_open:
            raise not_open(self.url)
        if self._connection is None:
            self._clock.sleep(timeout)
            return b""
        try:
            return self._connection.read(timeout)
        except LinkLost:
            self._drop()
            return END

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def close(self) -> None:
        """Close."""
        self._drop()
        self._is_open = False

    def reopen(self) -> None:
        """Look whether the module is there again; raises `LinkOpenError`."""
        self.close()
        self.open()
