"""The serial ports of the simulated ArduCopter, with simulated devices behind them, and SERIAL_CONTROL.

It does as the real SITL of 4.7-dev: a port is taken by the flag EXCLUSIVE and given back by a message without it,
never by time or by a lost connection; an answer comes when there are bytes, or always with BLOCKING.
"""

from __future__ import annotations

from dronekit_cfg.families.ardupilot.simulated_core import Core
from dronekit_cfg.sim.vehicle import SimulatedVehicle
from dronekit_cfg.talk.mavlink_ports import CHUNK, PORTS, PortFlags
from dronekit_cfg.wire.mavlink import Message

__all__ = ["Ports"]

BUFFER = 512
"""Bytes that a port keeps until they are asked for; what comes then is lost."""
_NAMES = {number: name for name, number in PORTS.items()}
_GPS = "gps1"


class Ports:
    """What is behind the ports of one vehicle; `taken` are those that the firmware keeps its hands off."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._devices: dict[str, SimulatedVehicle] = {}
        self._waiting: dict[str, bytearray] = {}
        self._powered: set[str] = set()
        self.taken: set[str] = set()
        self.speeds: dict[str, int] = {}

    def attach(self, port: str, device: SimulatedVehicle) -> None:
        """Connect a device."""
        self._devices[port] = device
        self._waiting[port] = bytearray()

    def restart(self) -> None:
        """Restart the firmware: every port is its own again."""
        self.taken.clear()
        self._core.gps_stands_at = None

    def control(self, message: Message, now: float) -> None:
        """Carry out a SERIAL_CONTROL."""
        flags = PortFlags(message["flags"])
        port = _NAMES.get(message["device"])
        if port in self._devices and port not in self._powered:
            self._powered.add(port)
            self._devices[port].connected(now)
        if port is None or flags & PortFlags.REPLY or message["device"] > PORTS["serial9"]:
            return
        self._lock(port, taken=bool(flags & PortFlags.EXCLUSIVE), now=now)
        if speed := message["baudrate"]:
            self.speeds[port] = speed
            change = getattr(self._devices.get(port), "set_host_baud", None)
            if change is not None:
                change(speed)
        waiting = self._hear(port, bytes(message["data"][: message["count"]]), now)
        if not flags & PortFlags.RESPOND:
            return
        while waiting or flags & PortFlags.BLOCKING:
            part, waiting[:CHUNK] = bytes(waiting[:CHUNK]), b""
            self._core.send(
                "SERIAL_CONTROL",
                device=message["device"],
                flags=int(PortFlags.REPLY),
                timeout=0,
                baudrate=0,
                count=len(part),
                data=part,
            )
            if not part or not flags & PortFlags.MULTI:
                return

    def _lock(self, port: str, *, taken: bool, now: float) -> None:
        if taken and port not in self.taken:
            self._drain(port, now)  # the firmware has read all up to here
            self.taken.add(port)
        elif not taken:
            self.taken.discard(port)
        if port == _GPS:
            stands = self._core.gps_stands_at
            self._core.gps_stands_at = (now if stands is None else stands) if port in self.taken else None

    def _drain(self, port: str, now: float) -> None:
        if device := self._devices.get(port):
            device.poll(now)
            self._waiting[port].clear()

    def _hear(self, port: str, data: bytes, now: float) -> bytearray:
        device = self._devices.get(port)
        if device is None:
            return bytearray()
        if data:
            device.receive(data, now)
        waiting = self._waiting[port]
        waiting += device.poll(now)
        del waiting[BUFFER:]
        return waiting
