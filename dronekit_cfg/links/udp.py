"""Links over UDP: listening for a vehicle that sends to us, or sending to a vehicle that answers.

Listening is deaf to all senders but one, because two factory-new aircraft in one WiFi have the same MAVLink address and
a write meant for one must never reach both. The first sender is taken; a second one that is heard soon after makes the
link refuse to work and name both, later ones are ignored and reported once. `peer=HOST[:PORT]` names the wanted one.
"""

from __future__ import annotations

import math
import selectors
import socket
from abc import abstractmethod

from dronekit_cfg.errors import LinkError
from dronekit_cfg.events import Note, Reporter, silent
from dronekit_cfg.links.base import Clock
from dronekit_cfg.links.clock import RealClock
from dronekit_cfg.links.common import BaseLink, not_open, open_error, opening, using
from dronekit_cfg.links.frames import pack
from dronekit_cfg.text import t

__all__ = ["UdpListenLink", "UdpOutLink"]

_DATAGRAM = 1400  # below the Ethernet MTU: no IP fragments, of which losing one loses all
_LARGEST = 65535
_BATCH = 65536
_QUIET_SECONDS = 1.0
_MEETING_SECONDS = 2.5

Address = tuple[str, int]


class _UdpLink(BaseLink):
    """One unconnected UDP socket; the kinds differ in whom they send to and whom they hear."""

    def __init__(self, url: str, clock: Clock | None = None) -> None:
        super().__init__(url)
        self._clock = clock or RealClock()
        self._socket: socket.socket | None = None
        self._readable: selectors.BaseSelector | None = None

    def _start(self, family: int, bind: Address) -> None:
        with opening(self.url):
            endpoint = socket.socket(family, socket.SOCK_DGRAM)
        try:
            with opening(self.url):
                # bursts of a whole parameter list arrive faster than we are scheduled
                endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
                endpoint.bind(bind)
                endpoint.setblocking(False)
                self._readable = selectors.DefaultSelector()
                self._readable.register(endpoint, selectors.EVENT_READ)
        except BaseException:
            endpoint.close()
            raise
        self._socket = endpoint

    @abstractmethod
    def _destination(self) -> Address | None:
        """Give whom to send to, None while nobody is known."""

    @abstractmethod
    def _accepts(self, sender: Address) -> bool:
        """Say whether bytes of `sender` are for us."""

    def read(self, timeout: float) -> bytes:
        """Give the datagrams that are there, joined, waiting at most `timeout` seconds."""
        deadline = self._clock.now() + timeout
        while True:
            data = self._drain()
            left = deadline - self._clock.now()
            if data or left <= 0:
                return data
            with using(self.url):
                if self._readable is None or not self._readable.select(left):
                    return b""

    def _drain(self) -> bytes:
        """Take datagrams until none is left (or 64 KiB), keeping those of the peer."""
        if self._socket is None:
            raise not_open(self.url)
        data = bytearray()
        with using(self.url):
            while len(data) < _BATCH:
                try:
                    datagram, sender = self._socket.recvfrom(_LARGEST)
                except BlockingIOError:
                    break
                except ConnectionError:  # an ICMP "nobody there" for something we sent; a vehicle may still come up
                    continue
                if self._accepts((sender[0], sender[1])):
                    data += datagram
        return bytes(data)

    def write(self, data: bytes) -> None:
        """Send in datagrams that do not cut MAVLink frames; as with any radio, what nobody hears is gone."""
        if self._socket is None:
            raise not_open(self.url)
        destination = self._destination()
        if destination is None:
            return
        with using(self.url):
            for part in pack(data, _DATAGRAM):
                try:
                    self._socket.sendto(part, destination)
                except (BlockingIOError, ConnectionError):  # full queue, or an earlier ICMP answer: lost on the way
                    continue

    def close(self) -> None:
        """Close the socket."""
        readable, self._readable = self._readable, None
        if readable is not None:
            readable.close()
        endpoint, self._socket = self._socket, None
        if endpoint is not None:
            endpoint.close()


def _resolve(url: str, host: str, port: int) -> tuple[int, Address]:
    """Give the address family and numeric address of `host`; raises `LinkOpenError`."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError) as error:
        raise open_error(url, error) from error
    family, _, _, _, address = min(found, key=lambda entry: entry[0] != socket.AF_INET)
    return int(family), (str(address[0]), int(address[1]))


class UdpOutLink(_UdpLink):
    """Sends to one address and hears only that host, whatever port it answers from."""

    def __init__(self, url: str, host: str, port: int, clock: Clock | None = None) -> None:
        super().__init__(url, clock)
        self._target = (host, port)
        self._remote: Address | None = None

    def open(self) -> None:
        """Resolve the host and take a free local port; raises `LinkOpenError`."""
        if self._socket is not None:
            return
        family, self._remote = _resolve(self.url, *self._target)
        self._start(family, ("" if family == socket.AF_INET else "::", 0))

    def _destination(self) -> Address | None:
        return self._remote

    def _accepts(self, sender: Address) -> bool:
        return self._remote is not None and sender[0] == self._remote[0]


class UdpListenLink(_UdpLink):
    """Listens on a port and answers the one that sends to it."""

    def __init__(
        self,
        url: str,
        host: str,
        port: int,
        *,
        peer: tuple[str, int] | None = None,
        clock: Clock | None = None,
        report: Reporter = silent,
    ) -> None:
        """Listen on `host`:`port` ("" is every address). `peer` names the only wanted sender; its port 0 is any."""
        super().__init__(url, clock)
        self._bind = (host, port)
        self._wanted = peer
        self._only: Address | None = None
        self._report = report
        self._host = ""  # of the vehicle; outlives a reopen, so that a reboot never brings another vehicle
        self._peer: Address | None = None
        self._heard = 0.0
        self._meeting_until = -math.inf
        self._refusal: LinkError | None = None
        self._others: set[Address] = set()

    @property
    def address(self) -> Address:
        """The address it is bound to (the real port where 0 was asked for)."""
        if self._socket is None:
            raise not_open(self.url)
        name = self._socket.getsockname()
        return str(name[0]), int(name[1])

    @property
    def peer(self) -> Address | None:
        """Who is answered, None while nobody was heard."""
        return self._peer

    def open(self) -> None:
        """Bind; raises `LinkOpenError`."""
        if self._socket is not None:
            return
        self._peer = self._refusal = None
        self._meeting_until = -math.inf
        self._others.clear()
        if self._wanted is not None:
            self._only = _resolve(self.url, *self._wanted)[1]
        family = socket.AF_INET6 if ":" in self._bind[0] else socket.AF_INET
        self._start(family, self._bind)

    def close(self) -> None:
        """Close the socket and forget the vehicle."""
        super().close()
        self._host = ""

    def reopen(self) -> None:
        """Listen again, for the same host as before (its port may have changed in a reboot)."""
        host = self._host if self._refusal is None else ""
        self.close()
        self._host = host
        self.open()

    def _destination(self) -> Address | None:
        if self._refusal is not None:
            raise self._refusal
        return self._peer

    def _accepts(self, sender: Address) -> bool:
        if self._refusal is not None:
            raise self._refusal
        if self._only is not None and not _is_named(sender, self._only):
            return False
        now = self._clock.now()
        if not self._is_peer(sender, now):
            self._meet_other(sender, now)
            return False
        if not self._host:
            self._meeting_until = now + _MEETING_SECONDS
        self._peer, self._host, self._heard = sender, sender[0], now
        return True

    def _is_peer(self, sender: Address, now: float) -> bool:
        """Say whether `sender` is our vehicle: the first one heard, or the same host after its old port fell silent."""
        if self._peer is None:
            return self._host in ("", sender[0])
        rebooted = sender[0] == self._host and now - self._heard >= _QUIET_SECONDS
        return sender == self._peer or rebooted

    def _meet_other(self, sender: Address, now: float) -> None:
        """Refuse to choose between two senders that are both there from the start; ignore one that comes later."""
        if sender in self._others:
            return
        self._others.add(sender)
        other = _spell(sender)
        if self._peer is not None and now <= self._meeting_until:
            first = _spell(self._peer)
            self._refusal = LinkError(
                t("several senders on {url}: {first} and {other}", url=self.url, first=first, other=other),
                hint=t(
                    "name the vehicle, for example udp:{port}?peer={first}, or give each vehicle its own port",
                    port=self._bind[1],
                    first=first,
                ),
            )
            raise self._refusal
        self._report(
            Note(
                t(
                    "{other} also sends to {url} and is ignored; the vehicle is at {host}",
                    other=other,
                    url=self.url,
                    host=self._host,
                ),
                level="warning",
            )
        )


def _is_named(sender: Address, only: Address) -> bool:
    return sender[0] == only[0] and only[1] in (0, sender[1])


def _spell(address: Address) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
