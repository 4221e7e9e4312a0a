"""Run a real simulator for a person: it listens until a stop is asked for, and is started again when it reboots."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from typing import Protocol

from dronekit_cfg.errors import LinkOpenError
from dronekit_cfg.links.base import Clock
from dronekit_cfg.sitl.link import SitlLink
from dronekit_cfg.sitl.process import SimulatorProcess, tail
from dronekit_cfg.sitl.px4 import FIRST_PORT, Px4SitlLink
from dronekit_cfg.text import t

__all__ = ["serve"]

UP_SECONDS = 15.0
"""How long a simulator may take until it listens."""
SHORTEST_LIFE = 1.0
MOST_STARTS = 5
"""A simulator that ends this often within `SHORTEST_LIFE` seconds does not reboot, it crashes."""
_POLL = 0.05


class _Asked(Protocol):
    """Something that a stop is asked of."""

    @property
    def asked(self) -> bool:
        """Whether it is to end."""


def serve(link: SitlLink | Px4SitlLink, clock: Clock, ready: Callable[[str], None], stop: _Asked) -> None:
    """Start the simulator of `link`, tell its own link by `ready`, and keep it running until `stop` is asked.

    The simulator has ended when this returns or raises. Raises LinkOpenError where it does not come up or crashes.
    """
    try:
        url = _start(link, clock, stop)
        if stop.asked:
            return
        ready(url)
        _watch(link.process, clock, stop)
    finally:
        link.close()


def _start(link: SitlLink | Px4SitlLink, clock: Clock, stop: _Asked) -> str:
    """Start it and give the link that others connect to, once its port is taken. Raises LinkOpenError."""
    process = link.process
    if isinstance(link, SitlLink):
        link.start()
        kind, url, port = socket.SOCK_STREAM, f"tcp:127.0.0.1:{link.port}", link.port
    else:
        process.start()
        port = FIRST_PORT + int(process.command[process.command.index("-i") + 1])
        kind, url = socket.SOCK_DGRAM, f"udpout:127.0.0.1:{port}"
    end = clock.now() + UP_SECONDS
    while not stop.asked and not _in_use(kind, port):
        if not process.running or clock.now() > end:
            raise _crashed(process, t("the simulator does not come up"))
        clock.sleep(_POLL)
    return url


def _watch(process: SimulatorProcess, clock: Clock, stop: _Asked) -> None:
    started, short = clock.now(), 0
    while not stop.asked:
        if not process.running:
            short = short + 1 if clock.now() - started < SHORTEST_LIFE else 0
            if short >= MOST_STARTS:
                raise _crashed(process, t("the simulator ends again and again"))
            process.start()
            started = clock.now()
        clock.sleep(_POLL)


def _crashed(process: SimulatorProcess, what: str) -> LinkOpenError:
    return LinkOpenError(
        t("{what}; its log ends in: {log}", what=what, log=tail(process.log, 300) or t("nothing")),
        hint=t("look at {log}; --fresh starts with wiped memory", log=process.log),
    )


def _in_use(kind: socket.SocketKind, port: int) -> bool:
    """Whether somebody has the port. To connect would take the one place that some simulators have for a client."""
    with socket.socket(socket.AF_INET, kind) as probe:
        if sys.platform != "win32" and kind is socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # else a closed connection counts for minutes
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
