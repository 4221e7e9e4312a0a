"""The simulated receivers behind `sim:ublox-m8`, `-m9`, `-f9` and `-m10`.

They identify themselves, take configuration, store it, restart, and tell what `simulated_signals` lets them hear. They
never find a position: they show what a configuration tool sees.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path

from dronekit_cfg.errors import UsageError
from dronekit_cfg.families.ublox.keys import BAUD, BY_KEY, KEYS
from dronekit_cfg.families.ublox.simulated_data import MODELS, Model
from dronekit_cfg.families.ublox.simulated_legacy import LegacyMemory
from dronekit_cfg.families.ublox.simulated_signals import answer, spoof_state
from dronekit_cfg.sim.module_options import ModuleSetup, read_options
from dronekit_cfg.sim.serial_output import SerialOutput
from dronekit_cfg.text import t
from dronekit_cfg.wire.ubx import UbxCodec, UbxFrame, encode
from dronekit_cfg.wire.ubx_messages import (
    ACK,
    CFG_CFG,
    CFG_RST,
    MON_VER,
    NAK,
    NAV_STATUS,
    SEC_UNIQID,
    VALGET,
    VALSET,
    Layers,
    ReadLayer,
    parse_valget,
    valset_payload,
    wildcard,
)

__all__ = ["Receiver", "make_simulated"]

LATENCY = 0.004
EACH = 0.001
"""Seconds from a request to its answer, and what each request takes of the receiver's own time: assumed."""
_SPEED = KEYS[BAUD].key
BOOT = 0.7
SIGNAL_RESTART = 0.5
_NMEA = b"$GNRMC,,V,,,,,,,,,,N,V*37\r\n$GNGGA,,,,,,0,00,99.99,,,,,,*56\r\n"
_STORES = {ReadLayer.BBR: "bbr/", ReadLayer.FLASH: "flash/"}


def make_simulated(target: str, options: Mapping[str, str], *, state_dir: Path | None) -> Receiver:
    """Make a simulated receiver. Raises UsageError for a target, option or value that there is not."""
    if target not in MODELS:
        raise UsageError(
            t("there is no simulated receiver {target!r}", target=target),
            hint=t("use {names}", names=", ".join(MODELS)),
        )
    model = MODELS[target]
    return Receiver(target, model, read_options(target, options, state_dir, baud=model.defaults[BAUD]))


class Receiver:
    """A `SimulatedVehicle`."""

    hung_up = False

    def __init__(self, target: str, model: Model, setup: ModuleSetup) -> None:
        self.model = model
        self.faults = setup.faults
        self.memory = setup.memory
        self._random = setup.random
        self._uid = hashlib.sha256(f"{target}/{setup.identifier}".encode()).digest()
        self._out = SerialOutput(setup.baud)
        self._codec = UbxCodec()
        self._writes = 0
        self._busy = -math.inf
        self._defaults = {KEYS[n].key: KEYS[n].encode(KEYS[n].decode(v)) for n, v in model.defaults.items()}
        self._defaults[_SPEED] = setup.baud
        self.boots = 0
        self._up_at = self._next_nmea = -math.inf
        self._boot(-math.inf)
        self.host_baud = setup.host_baud

    @property
    def port_baud(self) -> int:
        """The speed that its port has now. An other end whose speed is not known (a pseudo terminal) has the same."""
        return self.ram[_SPEED]

    def set_host_baud(self, baud: int) -> None:
        """Note the speed of the other end; at another than ours each hears noise."""
        self.host_baud = baud

    def connected(self, now: float) -> None:
        """A host opened the port: a receiver does not notice."""
        if self._up_at == -math.inf:
            self._up_at = self._next_nmea = now

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes; while it restarts it hears nothing."""
        if now < self._up_at or self.host_baud not in (0, self.port_baud):
            return
        self._codec.receive_data(data)
        while (frame := self._codec.next_event()) is not None and now >= self._up_at:
            self._busy = max(self._busy, now) + EACH
            self._take(frame, self._busy + LATENCY)

    def poll(self, now: float) -> bytes:
        """Give what has arrived; NMEA once a second like every receiver from the shop."""
        while now >= self._next_nmea:
            self._say(self._next_nmea, _NMEA)
            self._next_nmea += 1.0
        data = self._out.take(now)
        return data if self.host_baud in (0, self.port_baud) else bytes(b ^ 0xA5 | 0x80 for b in data)

    def next_due(self, now: float) -> float:
        """Give when something arrives next."""
        return max(now, min(self._out.next_due(), self._next_nmea))

    # -- inside

    def _boot(self, now: float) -> None:
        self.boots += 1
        self._codec.reset()
        self._out.clear()
        self._up_at = self._next_nmea = now + (BOOT if self.boots > 1 else 0)
        self.ram = dict(self._defaults)
        for prefix in ("flash/", "bbr/"):
            self.ram |= {KEYS[n].key: v for n, v in self._stored(prefix).items()}
        self._out.set_baud(self.ram[_SPEED])
        self.legacy = LegacyMemory({BY_KEY[k].name: v for k, v in self.ram.items()}) if self.model.legacy else None

    def _stored(self, prefix: str) -> dict[str, int]:
        return {n.removeprefix(prefix): int(v) for n, v in self.memory.values.items() if n.startswith(prefix)}

    def _say(self, now: float, data: bytes) -> None:
        if self.faults.mute_after and self._writes >= self.faults.mute_after:
            return
        if not (self.faults.lost and self._random.random() < self.faults.lost):
            self._out.add(now, data)

    def _signals(self, kind: tuple[int, int]) -> bytes | None:
        known = self.model.defaults
        security = "CFG-MSGOUT-UBX_SEC_SIG_UART1" in known
        bands = 2 if "CFG-SIGNAL-GPS_L2C_ENA" in known else 1
        return answer(kind, self.faults, old=self.model.legacy, bands=bands, security=security)

    def _acknowledge(self, frame: UbxFrame, now: float, *, ok: bool) -> None:
        self._say(now, encode(*(ACK if ok else NAK), bytes(frame.kind)))

    def _take(self, frame: UbxFrame, now: float) -> None:
        if frame.kind == MON_VER and not frame.payload:
            texts = [self.model.software.ljust(30, "\0"), self.model.hardware.ljust(10, "\0")]
            texts += [e.ljust(30, "\0") for e in self.model.extensions]
            self._say(now, encode(*MON_VER, "".join(texts).encode()))
        elif frame.kind == SEC_UNIQID and not frame.payload:
            version = b"\2" if self.model.uid_bytes > 5 else b"\1"
            self._say(now, encode(*SEC_UNIQID, version + bytes(3) + self.uid))
        elif frame.kind == NAV_STATUS and not frame.payload:
            up = max(0, round((now - self._up_at) * 1000))
            state = bytes((0, 0, 0, 0, 3, 0, 0, spoof_state(self.faults) << 3, 0, 0, 0, 0))
            self._say(now, encode(*NAV_STATUS, state + up.to_bytes(4, "little")))
        elif not frame.payload and (found := self._signals(frame.kind)) is not None:
            self._say(now, encode(*frame.kind, found))
        elif frame.kind == CFG_RST:
            self._boot(now)
        elif self.legacy is not None:
            self._take_legacy(self.legacy, frame, now)
        elif frame.kind == VALGET:
            self._valget(frame, now)
        elif frame.kind == VALSET:
            self._valset(frame, now)
        elif frame.cls == VALSET[0]:
            self._acknowledge(frame, now, ok=False)

    @property
    def uid(self) -> bytes:
        """The chip's id; another one after a restart with that fault."""
        changed = self.faults.wrong_uid and self.boots > 1
        return bytes(b ^ 0xFF * changed for b in self._uid[: self.model.uid_bytes])

    def _layer(self, layer: int) -> Mapping[int, int]:
        if layer == ReadLayer.RAM:
            return self.ram
        if layer == ReadLayer.DEFAULT:
            return self._defaults
        return {KEYS[n].key: v for n, v in self._stored(_STORES[ReadLayer(layer)]).items()}

    def _valget(self, frame: UbxFrame, now: float) -> None:
        layer = frame.payload[1]
        keys = [int.from_bytes(frame.payload[i : i + 4], "little") for i in range(4, len(frame.payload), 4)]
        held = self._layer(layer)
        if self.model.multi_valget:
            keys = [k for key in keys for k in ([h for h in held if wildcard(h) == key] or [key])]
        ok = all(key in held for key in keys) and (len(keys) == 1 or self.model.multi_valget)
        if ok:
            body = bytearray(valset_payload(0, {key: held[key] for key in keys}))
            body[0:2] = 1, layer
            self._say(now, encode(*VALGET, bytes(body)))
        self._acknowledge(frame, now, ok=ok)

    def _valset(self, frame: UbxFrame, now: float) -> None:
        layers, values = parse_valget(frame.payload)
        flash = self.model.flash and not self.faults.no_flash
        named = {BY_KEY[k].name: (k, v) for k, v in values.items() if k in BY_KEY}
        fits = len(named) == len(values) and named.keys() <= self.model.defaults.keys()
        if not fits or named.keys() & self.faults.deny or (layers & Layers.FLASH and not flash):
            self._acknowledge(frame, now, ok=False)
            return
        if self._interrupted(now):
            return
        values = {k: min(v, self.faults.clamp.get(n, v)) for n, (k, v) in named.items()}
        if layers & Layers.RAM:
            self._run_with(self.ram | values)
        for bit, prefix in ((Layers.BBR, "bbr/"), (Layers.FLASH, "flash/")):
            torn = bit == Layers.FLASH and self._writes == self.faults.torn
            if layers & bit and not self.faults.ram_only and not torn:
                self.memory.store_many({prefix + BY_KEY[k].name: v for k, v in values.items()})
        if self._writes == self.faults.torn:
            self._boot(now)
            return
        self._acknowledge(frame, now, ok=True)
        if any(BY_KEY[k].restart for k in values):
            self._up_at = now + SIGNAL_RESTART

    def _run_with(self, values: dict[int, int]) -> None:
        """Go on with other values; what was to be said is lost in a change of the speed."""
        if values[_SPEED] != self.ram[_SPEED]:
            self._out.clear()
            self._out.set_baud(values[_SPEED])
        self.ram = values

    def _interrupted(self, now: float) -> bool:
        """Count a write; True when power goes before it is taken."""
        self._writes += 1
        if self._writes == self.faults.reboot_mid:
            self._boot(now)
            return True
        return False

    def _take_legacy(self, legacy: LegacyMemory, frame: UbxFrame, now: float) -> None:
        if frame.kind == CFG_CFG:
            if not self.faults.ram_only:
                self.memory.store_many({f"flash/{name}": value for name, value in legacy.values().items()})
            self._acknowledge(frame, now, ok=True)
        elif (answer := legacy.poll(frame)) is not None:
            self._say(now, encode(*frame.kind, answer))
            self._acknowledge(frame, now, ok=True)
        elif frame.cls == CFG_CFG[0]:
            changed = legacy.changed_by(frame)
            if changed is None or changed & self.faults.deny:
                self._acknowledge(frame, now, ok=False)
            elif not self._interrupted(now):
                legacy.take(frame)
                legacy.clamp(self.faults.clamp)
                self._run_with({KEYS[n].key: v for n, v in legacy.values().items()})
                self._acknowledge(frame, now, ok=True)
