"""The simulated transmitter module behind `sim:elrs-tx`: CRSF parameters in chunks, storage, a power switch.

The person who is asked to switch the module off and on is simulated too: who pings it five times in a row and asks
nothing else is waiting for that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from dronekit_cfg.errors import UsageError
from dronekit_cfg.sim.module_options import ModuleSetup, read_options
from dronekit_cfg.sim.serial_output import SerialOutput
from dronekit_cfg.text import t
from dronekit_cfg.wire.crsf import Address, CrsfCodec, CrsfFrame, EntryType, Frame, encode

__all__ = ["Module", "make_simulated"]

LATENCY = 0.008
OFF = 4.0
CHUNK = 56
PATIENCE = 5
_NAME = "Simulated ELRS TX"
_RATES = "50(-115dBm);100Full(-112dBm);150(-112dBm);250(-108dBm);333Full(-105dBm);500(-105dBm);;"
_AUX = "Off;Dyn;AUX9;AUX10;AUX11;AUX12"
# number: parent, type, name, options or text, default, highest
_TREE: Mapping[int, tuple[int, EntryType, str, str, int, int]] = {
    1: (0, EntryType.SELECTION, "Packet Rate", _RATES, 3, 7),
    2: (0, EntryType.SELECTION, "Telem Ratio", "Std;Off;1:128;1:64;1:32;1:16;1:8;1:4;1:2;Race", 0, 9),
    3: (0, EntryType.SELECTION, "Switch Mode", "Wide;Hybrid", 0, 1),
    4: (0, EntryType.SELECTION, "Link Mode", "Normal;MAVLink", 0, 1),
    5: (0, EntryType.SELECTION, "Model Match", "Off;On", 0, 1),
    6: (0, EntryType.FOLDER, "TX Power (100 Dyn)", "\7\10\11\xff", 0, 0),
    7: (6, EntryType.SELECTION, "Max Power", "10;25;50;100;250;500;1000", 3, 6),
    8: (6, EntryType.SELECTION, "Dynamic", _AUX, 0, 5),
    9: (6, EntryType.SELECTION, "Fan Thresh", "10mW;25mW;50mW;100mW;250mW;500mW;1000mW;Never", 4, 7),
    10: (0, EntryType.FOLDER, "VTX Administrator (OFF)", "\13\14\15\16\17\xff", 0, 0),
    11: (10, EntryType.SELECTION, "Band", "Off;A;B;E;F;R;L", 0, 6),
    12: (10, EntryType.UINT8, "Channel", "", 1, 8),
    13: (10, EntryType.SELECTION, "Pwr Lvl", "-;1;2;3;4;5;6;7;8", 0, 8),
    14: (10, EntryType.SELECTION, "Pitmode", "Off;On;AUX1;AUX2", 0, 3),
    15: (10, EntryType.COMMAND, "Send VTx", "", 0, 0),
    16: (0, EntryType.FOLDER, "WiFi Connectivity", "\21\xff", 0, 0),
    17: (16, EntryType.COMMAND, "Enable WiFi", "", 0, 0),
    18: (0, EntryType.COMMAND, "Bind", "", 0, 0),
    19: (0, EntryType.INFO, "Bad/Good", "0/250", 0, 0),
    20: (0, EntryType.INFO, "4.0.0 ISM2G4", "a1b2c3", 0, 0),
}


def make_simulated(target: str, options: Mapping[str, str], *, state_dir: Path | None) -> Module:
    """Make a simulated module. Raises UsageError for a target, option or value that there is not."""
    if target != "elrs-tx":
        raise UsageError(t("there is no simulated module {target!r}", target=target), hint=t("use sim:elrs-tx"))
    return Module(read_options(target, options, state_dir, baud=460800))


class Module:
    """A `SimulatedVehicle`. `commands` are the numbers of the commands that it was given."""

    hung_up = False

    def __init__(self, setup: ModuleSetup) -> None:
        self.place = f"sim-{setup.identifier}"
        self.faults = setup.faults
        self.memory = setup.memory
        self._random = setup.random
        self._out = SerialOutput(setup.baud)
        self.commands: list[int] = []
        self.boots = 0
        self._writes = 0
        self._boot(-math.inf)

    def connected(self, now: float) -> None:
        """A host opened the port: the module does not notice."""

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes; while it is off it hears nothing."""
        if now < self._up_at:
            return
        self._codec.receive_data(data)
        while (frame := self._codec.next_event()) is not None and now >= self._up_at:
            self._take(frame, now)

    def poll(self, now: float) -> bytes:
        """Give what has arrived."""
        return self._out.take(now)

    def next_due(self, now: float) -> float:
        """Give when something arrives next."""
        return max(now, self._out.next_due())

    # -- inside

    def _boot(self, now: float) -> None:
        self.boots += 1
        self._up_at = now + (OFF if self.boots > 1 else 0)
        self._codec = CrsfCodec()
        self._out.clear()
        self._pings = 0
        self.values = {n: int(self.memory.values.get(str(n), row[4])) for n, row in _TREE.items()}

    def _say(self, kind: int, to: int, body: bytes, now: float) -> None:
        if self.faults.mute_after and self._writes >= self.faults.mute_after:
            return
        if not (self.faults.lost and self._random.random() < self.faults.lost):
            self._out.add(now + LATENCY, encode(CrsfFrame(kind, to, Address.MODULE, body)))

    def _take(self, frame: CrsfFrame, now: float) -> None:
        if frame.destination not in {Address.BROADCAST, Address.MODULE}:
            return
        self._pings = self._pings + 1 if frame.type == Frame.PING else 0
        if self._pings >= PATIENCE:
            self._boot(now)
        elif frame.type == Frame.PING:
            numbers = b"ELRS" + bytes(4) + bytes((0, 4, 0, 0)) + bytes((len(_TREE), 0))
            self._say(Frame.DEVICE, frame.origin, _NAME.encode() + b"\0" + numbers, now)
        elif frame.type == Frame.READ and frame.body[:1] and frame.body[0] in _TREE:
            self._entry(frame, now)
        elif frame.type == Frame.WRITE and frame.body[:2] == b"\0\0":
            self._say(Frame.STATUS, frame.origin, bytes((0, 0, 250, 0)) + b"\0", now)
        elif frame.type == Frame.WRITE and len(frame.body) > 1 and frame.body[0] in _TREE:
            self._write(frame.body[0], frame.body[1], now)

    def _entry(self, frame: CrsfFrame, now: float) -> None:
        number, chunk = frame.body[0], frame.body[1]
        parent, kind, name, text, _, high = _TREE[number]
        value = self.values[number]
        head = bytes((parent, kind)) + name.encode() + b"\0"
        tails = {
            EntryType.SELECTION: text.encode() + b"\0" + bytes((value, 0, high, 0)) + b"\0",
            EntryType.UINT8: bytes((value, 1, high, 1)) + b"\0",
            EntryType.FOLDER: text.encode("latin-1"),
            EntryType.INFO: text.encode() + b"\0",
            EntryType.COMMAND: bytes((0, 200)) + b"\0",
        }
        data = head + tails[kind]
        chunks = [data[i : i + CHUNK] for i in range(0, len(data), CHUNK)]
        if chunk < len(chunks):
            body = bytes((number, len(chunks) - 1 - chunk)) + chunks[chunk]
            self._say(Frame.ENTRY, frame.origin, body, now)

    def _write(self, number: int, value: int, now: float) -> None:
        kind, name, high = _TREE[number][1], _TREE[number][2], _TREE[number][5]
        if kind is EntryType.COMMAND:
            self.commands.append(number)
            return
        self._writes += 1
        if self._writes == self.faults.reboot_mid:
            self._boot(now)
        elif kind in {EntryType.SELECTION, EntryType.UINT8} and name not in self.faults.deny and value <= high:
            self.values[number] = min(value, self.faults.clamp.get(name, value))
            if not self.faults.ram_only:
                self.memory.store(str(number), self.values[number])
