"""Devices behind the ports of a simulated board, and `serialpassthrough`, which only a power cycle ends.

The person who is asked for the power cycle is simulated too: it is done when the port is opened for the second time
after the ports were connected, because whoever waits for it tries again and again.
"""

from __future__ import annotations

from dronekit_cfg.sim.vehicle import SimulatedVehicle

__all__ = ["BehindPorts"]

EOL = "\r\n"
PATIENCE = 2
_GPS, _RX_SERIAL = 2, 64


class BehindPorts:
    """The devices of one board. `active` is the one that the host's port is connected to."""

    def __init__(self) -> None:
        self._devices: dict[str, SimulatedVehicle] = {}
        self._openings = 0
        self.active: SimulatedVehicle | None = None

    def attach(self, port: str, device: SimulatedVehicle) -> None:
        """Connect a device to a port such as "uart2"."""
        self._devices[port] = device

    def opened(self, now: float) -> bool:
        """Take note that the host opened the port; True when that is the power cycle."""
        del now
        if self.active is None:
            return False
        self._openings += 1
        if self._openings < PATIENCE:
            return False
        self.active = None
        return True

    def answer(self, line: str, now: float) -> str | None:
        """Give the output of a command about ports; None for another one."""
        words = line.split()
        if not self._devices or words[0] not in {"serial", "serialpassthrough"}:
            return None
        if words[0] == "serial":
            return "".join(
                f"serial {p.upper()} {self._use(p)} 115200 {self._speed(p)} 0 115200{EOL}" for p in self._devices
            )
        port = words[1].lower() if len(words) > 2 else ""
        if port not in self._devices:
            return f"###ERROR IN serialpassthrough: INVALID PORT1###{EOL}"
        self.active = self._devices[port]
        self._openings = 0
        change = getattr(self.active, "set_host_baud", None)
        if change is not None:
            change(int(words[2]))
        self.active.connected(now)
        self.active.poll(now)
        return f"{EOL}Forwarding, power cycle to exit.{EOL}"

    def _speed(self, port: str) -> int:
        return getattr(self._devices[port], "port_baud", 57600)

    def _use(self, port: str) -> int:
        return _GPS if "ublox" in type(self._devices[port]).__module__ else _RX_SERIAL
