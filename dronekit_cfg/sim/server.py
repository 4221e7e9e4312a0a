"""Serves a simulated vehicle on TCP, UDP and a PTY, so that any ground station can work with it.

One thread, one `select` loop that sleeps until a peer speaks or the vehicle is due. All ways in lead to the one
vehicle, and what it says goes out on all of them.
"""

from __future__ import annotations

import select
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Protocol

from dronekit_cfg.links.base import Clock
from dronekit_cfg.sim.ports import Port, TcpPort, UdpPort
from dronekit_cfg.sim.vehicle import SimulatedVehicle

__all__ = ["serve"]

_STOP_SECONDS = 0.05  # how soon `stop` is noticed
_STEP_SECONDS = 0.001


class _Stop(Protocol):
    def is_set(self) -> bool: ...


def _ports(
    tcp: tuple[str, int] | None, udp: tuple[str, int] | None, *, pty: bool, pty_link: str | None
) -> list[Callable[[], Port]]:
    makers: list[Callable[[], Port]] = []
    if tcp is not None:
        makers.append(lambda: TcpPort(*tcp))
    if udp is not None:
        makers.append(lambda: UdpPort(*udp))
    if pty or pty_link:
        from dronekit_cfg.sim.pty_port import PtyPort

        makers.append(lambda: PtyPort(pty_link))
    return makers


def serve(
    vehicle: SimulatedVehicle,
    *,
    tcp: tuple[str, int] | None = None,
    udp: tuple[str, int] | None = None,
    pty: bool = False,
    pty_link: str | None = None,
    clock: Clock,
    ready: Callable[[list[str]], None],
    stop: threading.Event | _Stop,
) -> None:
    """Serve `vehicle` until `stop` is set. `ready` is given the link URLs to use, once they work.

    `tcp` is where to listen (port 0 takes a free one; "" is 127.0.0.1): one client, others are refused, and a client is
    dropped when the vehicle hangs up. `udp` is the ground station's address: the vehicle speaks to it from the start,
    and to whoever spoke last. `pty` makes a pseudo terminal (not on Windows), `pty_link` also a symbolic link; then
    the terminal goes away when the vehicle hangs up, as USB does, and the link leads to the next one.
    Raises `LinkOpenError` when a place is taken, `UsageError` for a PTY on Windows.
    """
    with ExitStack() as stack:
        ports: list[Port] = []
        for make in _ports(tcp, udp, pty=pty, pty_link=pty_link):
            port = make()
            stack.callback(port.close)
            ports.append(port)
        if any(port.attached for port in ports):
            vehicle.connected(clock.now())
        ready([port.url for port in ports])
        while not stop.is_set():
            _turn(vehicle, ports, clock)


def _turn(vehicle: SimulatedVehicle, ports: Sequence[Port], clock: Clock) -> None:
    """Wait once, let the peers speak, let the vehicle speak."""
    for port in _wait(ports, _patience(vehicle, ports, clock.now())):
        sessions = port.sessions
        data = port.pump()
        if port.sessions != sessions:
            vehicle.connected(clock.now())
        if data:
            vehicle.receive(data, clock.now())
    attached = [port for port in ports if port.attached]
    if attached:
        data = vehicle.poll(clock.now())
        for port in attached:
            port.send(data, clock.now())
    if vehicle.hung_up:
        _hang_up(vehicle, attached, clock)


def _patience(vehicle: SimulatedVehicle, ports: Sequence[Port], now: float) -> float:
    """Give how long to wait for the peers."""
    if not any(port.attached for port in ports):
        return _STOP_SECONDS
    if any(port.hasty for port in ports):
        return _STEP_SECONDS
    return min(max(vehicle.next_due(now) - now, _STEP_SECONDS), _STOP_SECONDS)


def _wait(ports: Sequence[Port], seconds: float) -> list[Port]:
    """Wait until a port can receive or send; give those that can."""
    wanted = {handle: (port, write) for port in ports for handle, write in port.interests().items()}
    writers = [handle for handle, (_, write) in wanted.items() if write]
    readable, writable, _ = select.select(list(wanted), writers, [], seconds)
    able = {id(wanted[handle][0]) for handle in (*readable, *writable)}
    return [port for port in ports if id(port) in able]


def _hang_up(vehicle: SimulatedVehicle, attached: Sequence[Port], clock: Clock) -> None:
    """Drop who is connected. Ways in that have no connection (UDP, PTY) are attached again at once."""
    for port in attached:
        port.hang_up()
    if any(port.attached for port in attached):
        vehicle.connected(clock.now())
