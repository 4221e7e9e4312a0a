"""A virtual USB bus for the fault tests: boards come and go, under whatever name the system gives them."""

from __future__ import annotations

from pathlib import Path

from dronekit_cfg.errors import LinkOpenError
from dronekit_cfg.families.ardupilot import simulated
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.links.discover import Candidate, Kind
from dronekit_cfg.links.serial_port import SerialLink
from dronekit_cfg.links.url import parse
from dronekit_cfg.sim.link import MemoryLink

GONE_SECONDS = 1.5
SLICE = 0.02


class UsbBus:
    """One board that is pulled at a moment and comes back, as `kind` says; a test's stand-in for the operating system.

    "usb back": under its name. "usb renamed": under another one. "usb swapped": under another one, and another board
    has taken its name. "usb other board": it does not come back, a board of the same make takes its name.
    `powered`: the board has a battery and did not restart.
    """

    def __init__(self, url: str, root: Path, clock: VirtualClock, kind: str, moment: float, *, powered: bool) -> None:
        self._clock, self._kind, self._moment, self._powered = clock, kind, clock.now() + moment, powered
        self._options = dict(parse(url).options)
        self._root = root
        self._board: MemoryLink | None = None
        self._stranger: MemoryLink | None = None
        self._was_out = False

    def _vehicle(self, **options: str) -> MemoryLink:
        made = simulated.make_simulated("ardupilot-copter", {**self._options, **options}, state_dir=self._root)
        return MemoryLink("usb", made, self._clock)

    def names(self) -> dict[str, str]:
        """Give which board stands behind which device name now."""
        now = self._clock.now()
        if now < self._moment:
            return {"/dev/ttyACM0": "ours"}
        if now < self._moment + GONE_SECONDS:
            return {}
        return {
            "usb back": {"/dev/ttyACM0": "ours"},
            "usb renamed": {"/dev/ttyACM1": "ours"},
            "usb swapped": {"/dev/ttyACM0": "stranger", "/dev/ttyACM1": "ours"},
            "usb other board": {"/dev/ttyACM0": "stranger"},
        }[self._kind]

    def ports(self) -> tuple[Candidate, ...]:
        """Give what the operating system lists."""
        return tuple(
            Candidate(device, Kind.FLIGHT_CONTROLLER, "board", vid=0x1209, pid=0x5741, serial_number=board)
            for device, board in self.names().items()
        )

    def open(self, device: str) -> MemoryLink:
        """Open a device; OSError as the system would give it."""
        board = self.names().get(device)
        if board is None:
            raise LinkOpenError(f"no {device}")
        out = self._clock.now() >= self._moment
        if board == "stranger":
            self._stranger = self._stranger or self._vehicle(id="stranger", fault="")
            link = self._stranger
        else:
            if self._board is None or (out and not self._was_out and not self._powered):
                self._board = self._vehicle()
            self._was_out = self._was_out or out
            link = self._board
        link.open()
        return link

    def lost(self, device: str, board: MemoryLink) -> bool:
        """Whether what is open under `device` is not there any more."""
        now = self.names().get(device)
        return now is None or (now == "ours") != (board is self._board)


class UsbPort:
    """What pyserial gives for an open port."""

    def __init__(self, bus: UsbBus, device: str, clock: VirtualClock) -> None:
        self._bus, self._device, self._clock = bus, device, clock
        self._link = bus.open(device)
        self._data = b""
        self._closed = False

    def _fill(self, wait: float) -> None:
        if self._closed or self._bus.lost(self._device, self._link):
            raise OSError("device disconnected")
        try:
            self._data += self._link.read(wait)
        except Exception as error:
            raise OSError(str(error)) from error

    @property
    def in_waiting(self) -> int:
        self._fill(0)
        return len(self._data)

    def read(self, size: int) -> bytes:
        if not self._data:
            self._fill(SLICE)
        data, self._data = self._data[:size], self._data[size:]
        return data

    def write(self, data: bytes) -> None:
        self._fill(0)
        try:
            self._link.write(data)
        except Exception as error:
            raise OSError(str(error)) from error

    def close(self) -> None:
        self._closed = True
        self._link.close()


class UsbLink(SerialLink):
    """The real serial link on the virtual bus."""

    _descriptor = False

    def __init__(self, bus: UsbBus, clock: VirtualClock) -> None:
        super().__init__("serial:/dev/ttyACM0", "/dev/ttyACM0", 115200, clock, ports=bus.ports, holders=lambda _: ())
        self._bus = bus
        self._virtual = clock

    def _open_device(self, device: str) -> None:
        self._port = UsbPort(self._bus, device, self._virtual)  # type: ignore[assignment]  # as much as we use of it
