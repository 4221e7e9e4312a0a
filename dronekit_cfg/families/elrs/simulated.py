"""The simulated ExpressLRS devices behind `sim:elrs-tx` and `-rx`: CRSF parameters in chunks, storage, a power switch.

The person who is asked to switch the module off and on is simulated too: who pings it five times in a row and asks
nothing else is waiting for that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dronekit_cfg.errors import UsageError
from dronekit_cfg.sim.module_options import ModuleSetup, read_options
from dronekit_cfg.sim.serial_output import SerialOutput
from dronekit_cfg.text import t
from dronekit_cfg.wire.crsf import Address, CrsfCodec, CrsfFrame, EntryType, Frame, Step, encode

__all__ = ["MODELS", "Model", "Module", "make_simulated"]

LATENCY = 0.008
OFF = 4.0
CHUNK = 56
PATIENCE = 5
COMMAND_SECONDS = 2.0
_RATES = "50(-115dBm);100Full(-112dBm);150(-112dBm);250(-108dBm);333Full(-105dBm);500(-105dBm);;"
_AUX = "Off;Dyn;AUX9;AUX10;AUX11;AUX12"
# number: parent, type, name, options or text, default, highest
_Row = tuple[int, EntryType, str, str, int, int]
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
    20: (0, EntryType.INFO, "4.0.0 CE_LBT", "a1b2c3", 0, 0),
}
_RECEIVER: Mapping[int, _Row] = {
    1: (0, EntryType.SELECTION, "Protocol", "CRSF;Inverted CRSF;SBUS;Inverted SBUS;SUMD;MAVLink", 0, 5),
    2: (0, EntryType.SELECTION, "SBUS failsafe", "No Pulses;Last Pos", 0, 1),
    3: (0, EntryType.SELECTION, "Tlm Power", "10;25;50;100;MatchTX", 3, 4),
    4: (0, EntryType.SELECTION, "Bind Storage", "Persistent;Volatile;Returnable;Administered", 0, 3),
    5: (0, EntryType.COMMAND, "Enter Bind Mode", "", 0, 0),
    6: (0, EntryType.INFO, "4.0.0 CE_LBT", "a1b2c3", 0, 0),
}


@dataclass(frozen=True, slots=True)
class Model:
    """What a simulated module is. `handset`: its port is a handset's wire, on which it only speaks when spoken to."""

    name: str
    address: int
    tree: Mapping[int, _Row]
    baud: int
    handset: bool = False


MODELS: Mapping[str, Model] = {
    "elrs-tx": Model("Simulated ELRS TX", Address.MODULE, _TREE, 460800),
    "elrs-rx": Model("Simulated ELRS RX", Address.RECEIVER, _RECEIVER, 420000),
    "elrs-tx-handset": Model("Simulated ELRS TX", Address.MODULE, _TREE, 400000, handset=True),
}
"""Everything behind `sim:elrs-...`."""


def make_simulated(target: str, options: Mapping[str, str], *, state_dir: Path | None) -> Module:
    """Make a simulated module. Raises UsageError for a target, option or value that there is not."""
    if target not in MODELS:
        raise UsageError(
            t("there is no simulated module {target!r}", target=target),
            hint=t("use {names}", names=", ".join(f"sim:{n}" for n in MODELS)),
        )
    return Module(MODELS[target], read_options(target, options, state_dir, baud=MODELS[target].baud))


class Module:
    """A `SimulatedVehicle`. `commands` are the numbers of the commands that it was given."""

    hung_up = False

    def __init__(self, model: Model, setup: ModuleSetup) -> None:
        self.model = model
        self.place = f"sim-{setup.identifier}"
        self.faults = setup.faults
        self.memory = setup.memory
        self._random = setup.random
        self._out = SerialOutput(setup.baud)
        self._baud = setup.baud
        self.host_baud = setup.host_baud or setup.baud
        self._held: list[bytes] = []
        self.commands: list[int] = []
        self.boots = 0
        self._writes = 0
        self._boot(-math.inf)

    def set_host_baud(self, baud: int) -> None:
        """Note the speed of the other end; at another than ours each hears noise."""
        self.host_baud = baud

    def connected(self, now: float) -> None:
        """A host opened the port: the module does not notice."""

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes; while it is off it hears nothing."""
        if now < self._up_at or self.host_baud != self._baud:
            return
        self._codec.receive_data(data)
        while (frame := self._codec.next_event()) is not None and now >= self._up_at:
            if self.model.handset:
                self._speak_up(frame, now)
            self._take(frame, now)

    def poll(self, now: float) -> bytes:
        """Give what has arrived."""
        data = self._out.take(now)
        return data if self.host_baud == self._baud else bytes(b ^ 0xA5 for b in data)

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
        self.values = {n: int(self.memory.values.get(str(n), row[4])) for n, row in self.model.tree.items()}
        self._steps: dict[int, tuple[Step, float]] = {}
        self.wifi = False
        self._held.clear()

    def _say(self, kind: int, to: int, body: bytes, now: float) -> None:
        if self.faults.mute_after and self._writes >= self.faults.mute_after:
            return
        if not (self.faults.lost and self._random.random() < self.faults.lost):
            data = encode(CrsfFrame(kind, to, self.model.address, body))
            if self.model.handset:
                self._held.append(data)
            else:
                self._out.add(now + LATENCY, data)

    def _speak_up(self, frame: CrsfFrame, now: float) -> None:
        """Say what was held back: on a handset's wire that is allowed behind a frame of the handset."""
        if frame.origin == Address.HANDSET:
            for data in self._held:
                self._out.add(now + 0.001, data)
            self._held.clear()

    def _take(self, frame: CrsfFrame, now: float) -> None:
        address = self.model.address
        if frame.destination not in {Address.BROADCAST, address} or self.wifi:
            self._pings = self._pings + 1 if frame.type == Frame.PING else 0
            if self.wifi and self._pings >= PATIENCE:
                self._boot(now)
            return
        if self.model.handset and frame.origin != Address.HANDSET:
            return
        self._pings = self._pings + 1 if frame.type == Frame.PING else 0
        if self._pings >= PATIENCE:
            self._boot(now)
        elif frame.type == Frame.PING:
            numbers = b"ELRS" + bytes(4) + bytes((0, 4, 0, 0)) + bytes((len(self.model.tree), 0))
            self._say(Frame.DEVICE, frame.origin, self.model.name.encode() + b"\0" + numbers, now)
        elif frame.type == Frame.READ and frame.body[:1] and frame.body[0] in self.model.tree:
            self._entry(frame, now)
        elif frame.type == Frame.WRITE and frame.body[:2] == b"\0\0":
            self._say(Frame.STATUS, frame.origin, bytes((0, 0, 250, 0)) + b"\0", now)
        elif frame.type == Frame.WRITE and len(frame.body) > 1 and frame.body[0] in self.model.tree:
            self._write(frame.body[0], frame.body[1], now)

    def _entry(self, frame: CrsfFrame, now: float) -> None:
        number, chunk = frame.body[0], frame.body[1]
        parent, kind, name, text, _, high = self.model.tree[number]
        value = self.values[number]
        head = bytes((parent, kind)) + name.encode() + b"\0"
        tails = {
            EntryType.SELECTION: text.encode() + b"\0" + bytes((value, 0, high, 0)) + b"\0",
            EntryType.UINT8: bytes((value, 1, high, 1)) + b"\0",
            EntryType.FOLDER: text.encode("latin-1"),
            EntryType.INFO: text.encode() + b"\0",
            EntryType.COMMAND: bytes((self._step(number, now), 200))
            + (b"Working...\0" if number in self._steps else b"\0"),
        }
        data = head + tails[kind]
        chunks = [data[i : i + CHUNK] for i in range(0, len(data), CHUNK)]
        if chunk < len(chunks):
            body = bytes((number, len(chunks) - 1 - chunk)) + chunks[chunk]
            self._say(Frame.ENTRY, frame.origin, body, now)

    def _step(self, number: int, now: float) -> Step:
        step, since = self._steps.get(number, (Step.IDLE, now))
        if step is Step.RUNNING and now > since + COMMAND_SECONDS:
            del self._steps[number]
            return Step.IDLE
        return step

    def _command(self, number: int, name: str, step: int, now: float) -> None:
        """Begin a command, or go on with it: Wi-Fi is on from the first question on and CRSF off."""
        if step == Step.START:
            self.commands.append(number)
            self._steps[number] = (Step.RUNNING, now)
        elif step == Step.QUERY and "WiFi" in name:
            self.wifi = True
        elif step == Step.CANCEL:
            self._steps.pop(number, None)

    def _write(self, number: int, value: int, now: float) -> None:
        kind, name, high = self.model.tree[number][1], self.model.tree[number][2], self.model.tree[number][5]
        if kind is EntryType.COMMAND:
            self._command(number, name, value, now)
            return
        self._writes += 1
        if self._writes == self.faults.reboot_mid:
            self._boot(now)
        elif kind in {EntryType.SELECTION, EntryType.UINT8} and name not in self.faults.deny and value <= high:
            self.values[number] = min(value, self.faults.clamp.get(name, value))
            if not self.faults.ram_only:
                self.memory.store(str(number), self.values[number])
