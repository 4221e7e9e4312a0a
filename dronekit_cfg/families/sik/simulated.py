"""The simulated pair of SiK radios behind `sim:sik-pair`: AT mode, snapped registers, storage, restarts, the air.

The ends hear each other while they run with the same registers; a change counts for that from their next restart on.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import Path

from dronekit_cfg.errors import UsageError
from dronekit_cfg.families.sik.registers import KEY, LEVEL, PAIR, REGISTERS
from dronekit_cfg.sim.agenda import Agenda
from dronekit_cfg.sim.memory import Memory
from dronekit_cfg.sim.module_options import ModuleFaults, ModuleSetup, read_options
from dronekit_cfg.sim.serial_output import SerialOutput
from dronekit_cfg.text import t
from dronekit_cfg.wire.at import LONGEST, LONGEST_KEY

__all__ = ["DEFAULTS", "Radio", "SikPair", "make_simulated"]

DEFAULTS: Mapping[str, int] = {
    "FORMAT": 26,
    "SERIAL_SPEED": 57,
    "AIR_SPEED": 64,
    "NETID": 25,
    "TXPOWER": 20,
    "ECC": 0,
    "MAVLINK": 1,
    "OPPRESEND": 0,
    "MIN_FREQ": 915000,
    "MAX_FREQ": 928000,
    "NUM_CHANNELS": 50,
    "DUTY_CYCLE": 100,
    "LBT_RSSI": 0,
    "MANCHESTER": 0,
    "RTSCTS": 0,
    "MAX_WINDOW": 131,
}
POWERS = (1, 2, 5, 8, 11, 14, 17, 20)
_PAIRED = PAIR - {"MAX_WINDOW", "LBT_RSSI", KEY}
DEFAULT_KEY = "62" * 16
"""What a radio holds instead of a key that it could not take [SiK Firmware/radio/parameters.c]."""
GUARD = 1.0
REPORT = 0.5
BOOT = 0.6
AIR = 0.25
_SET = re.compile(r"S(\d{1,2})=(\d{1,10})")
_GET = re.compile(r"S(\d{1,2})\?")


def make_simulated(target: str, options: Mapping[str, str], *, state_dir: Path | None) -> SikPair:
    """Make a simulated pair. Raises UsageError for a target, option or value that there is not."""
    if target not in {"sik-pair", "sik-pair-aes"}:
        raise UsageError(
            t("there is no simulated radio {target!r}", target=target), hint=t("use sim:sik-pair or sim:sik-pair-aes")
        )
    return SikPair(read_options(target, options, state_dir, baud=57600), aes=target.endswith("-aes"))


class Radio:
    """One end: its registers in RAM, those that it runs with, and those that it saved."""

    def __init__(self, end: str, memory: Memory, faults: ModuleFaults, *, aes: bool = False) -> None:
        self._end = end
        self.defaults = {**DEFAULTS, LEVEL: 0} if aes else DEFAULTS
        self._memory = memory
        self._faults = faults
        self.boots = 0
        self.up_at = -math.inf
        self.boot(-math.inf)

    def boot(self, now: float) -> None:
        """Start with what is saved, snapped to what the board can do."""
        self.boots += 1
        self.up_at = now + (BOOT if self.boots > 1 else 0)
        saved = {n: int(self._memory.values.get(f"{self._end}/{n}", v)) for n, v in self.defaults.items()}
        self.key = self.running_key = str(self._memory.values.get(f"{self._end}/key", DEFAULT_KEY))
        rates = REGISTERS["AIR_SPEED"].only
        saved["AIR_SPEED"] = next((rate for rate in rates if rate >= saved["AIR_SPEED"]), rates[-1])
        saved["TXPOWER"] = max((p for p in POWERS if p <= saved["TXPOWER"]), default=POWERS[0])
        self.registers = saved
        self.running = dict(saved)

    def answer(self, text: str) -> str | None:
        """Carry out a command without its AT or RT; None when it is answered by silence."""
        names = list(self.defaults)
        if LEVEL in self.defaults and text.startswith("&E"):
            return self._encrypt(text[2:])
        fixed = {"": "OK\r\n", "I": "SiK 2.2 on HM-TRP\r\n"}
        if text in fixed:
            return fixed[text]
        if text == "I5":
            return "".join(f"S{i}:{n}={self.registers[n]}\r\n" for i, n in enumerate(names))
        if text == "&W":
            if not self._faults.ram_only:
                self._memory.store_many({f"{self._end}/{n}": v for n, v in self.registers.items()})
                if LEVEL in self.defaults:
                    self._memory.store(f"{self._end}/key", self.key)
            return "OK\r\n"
        return self._register(text, names)

    def _register(self, text: str, names: list[str]) -> str:
        if (found := _GET.fullmatch(text)) and int(found[1]) < len(names):
            return f"{self.registers[names[int(found[1])]]}\r\n"
        if (found := _SET.fullmatch(text)) and 0 < int(found[1]) < len(names):
            return self._set(names[int(found[1])], int(found[2]))
        return "ERROR\r\n"

    def _encrypt(self, text: str) -> str:
        """Tell or take the key; one of the wrong length is replaced by the default, and OK follows all the same."""
        if text == "?":
            return f"{self.key}\r\n"
        if not text.startswith("="):
            return "ERROR\r\n"
        length = {2: 48, 3: 64}.get(self.registers[LEVEL] & 0xF, 32)
        digits = "".join(c if c in "0123456789ABCDEF" else "0" for c in text[1:])
        if len(digits) == length:
            self.key = digits
            return "OK\r\n"
        self.key = DEFAULT_KEY
        return "ERROR - Key length is incorrect\r\nOK\r\n"

    def _set(self, name: str, value: int) -> str:
        facts = REGISTERS[name]
        prefix = "remote." if self._end == "remote" else ""
        if prefix + name in self._faults.deny or (not facts.only and not facts.low <= value <= facts.high):
            return "ERROR\r\n"
        self.registers[name] = min(value, self._faults.clamp.get(prefix + name, value))
        return "OK\r\n"


class SikPair:
    """A `SimulatedVehicle`: the port of the near radio."""

    hung_up = False

    def __init__(self, setup: ModuleSetup, *, aes: bool = False) -> None:
        self._longest = LONGEST_KEY if aes else LONGEST
        self.place = f"sim-{setup.identifier}"
        self.faults = setup.faults
        self.memory = setup.memory
        self.local = Radio("local", setup.memory, setup.faults, aes=aes)
        self.remote = Radio("remote", setup.memory, setup.faults, aes=aes)
        self._random = setup.random
        self._out = SerialOutput(setup.baud)
        self._baud = setup.baud
        self.host_baud = setup.host_baud or setup.baud
        self._reporting = False
        self._agenda = Agenda()
        self._writes = 0
        self._line = ""
        self._plus = 0
        self._last = self._plus_at = -math.inf
        self.at_mode = False

    def connected(self, now: float) -> None:
        """A host opened the port: a radio does not notice, and stays in AT mode if it was left there."""
        if self._last == -math.inf:
            self._last = now

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes: commands in AT mode, else data for the far end or the way into AT mode."""
        self._agenda.run(now)
        if now < self.local.up_at or self.host_baud != self._baud:
            return
        for byte in data:
            if self.at_mode:
                self._type(chr(byte), now)
            else:
                self._data(byte, now)
        self._last = now

    def poll(self, now: float) -> bytes:
        """Give what has arrived."""
        self._agenda.run(now)
        data = self._out.take(now)
        return data if self.host_baud == self._baud else bytes(b ^ 0xA5 for b in data)

    def set_host_baud(self, baud: int) -> None:
        """Note the speed of the other end; at another than ours each hears noise."""
        self.host_baud = baud

    def next_due(self, now: float) -> float:
        """Give when something arrives next."""
        return max(now, min(self._agenda.next_due(), self._out.next_due()))

    # -- inside

    def _data(self, byte: int, now: float) -> None:
        quiet = now - self._last >= GUARD
        self._plus = self._plus + 1 if byte == ord("+") and (quiet or self._plus) else 0
        self._plus_at = now
        if self._plus == len("+++"):
            self._agenda.add(now + GUARD, self._enter)

    def _enter(self, now: float) -> None:
        if self._plus == len("+++") and now - self._plus_at >= GUARD and not self.at_mode:
            self._plus = 0
            self._line = ""
            self.at_mode = True
            self._say("OK\r\n", now)

    def _type(self, character: str, now: float) -> None:
        if character != "\r":
            self._line += character.upper()
            if len(self._line) > self._longest:
                self._leave()
            return
        line, self._line = self._line, ""
        self._say(f"{line}\r\n", now)
        if line == "ATO":
            self._leave()
        elif line == "ATZ":
            self._leave()
            self._out.clear()
            self.local.boot(now)
        elif line.startswith("AT"):
            self._local(line[2:], now)
        elif line.startswith("RT"):
            self._far(line[2:], now)
        elif line:
            self._say("ERROR\r\n", now)

    def _leave(self) -> None:
        self.at_mode = False
        self._line = ""

    def _local(self, text: str, now: float) -> None:
        if _SET.fullmatch(text) and self._interrupted(now):
            return
        if text.startswith("&T"):
            begun, self._reporting = self._reporting, text == "&T=RSSI"
            self._say("OK\r\n", now + 0.002)
            if self._reporting and not begun:
                self._agenda.add(now + REPORT, self._report)
            return
        answer = self.local.answer(text)
        if answer:
            self._say(answer, now + 0.002)

    def _report(self, now: float) -> None:
        """Say signal and noise, again and again until that is ended."""
        if self._reporting:
            far, near = (60, 61) if self.faults.weak else (190, 188)
            near, far = (near, far) if self.linked(now) else (0, 0)
            text = f"L/R RSSI: {near}/{far}  L/R noise: 50/48 pkts: 12  txe=0 rxe=0 stx=0 srx=0 ecc=0/0 temp=30 dco=0"
            self._say(f"{text}\r\n", now)
            self._agenda.add(now + REPORT, self._report)

    def _interrupted(self, now: float) -> bool:
        """Count a write; True when power goes before it is taken."""
        self._writes += 1
        if self._writes == self.faults.reboot_mid:
            self._leave()
            self.local.boot(now)
            return True
        return False

    def linked(self, now: float) -> bool:
        """Whether the ends hear each other."""
        near, far = self.local.running, self.remote.running
        gone = self.faults.remote_gone and self._writes >= self.faults.remote_gone
        up = now >= self.local.up_at and now >= self.remote.up_at
        alike = all(near[n] == far[n] for n in _PAIRED if n in near)
        secret = not near.get(LEVEL) or self.local.running_key == self.remote.running_key
        return up and not gone and alike and secret

    def _lost(self) -> bool:
        return bool(self.faults.lost) and self._random.random() < self.faults.lost

    def _far(self, text: str, now: float) -> None:
        if _SET.fullmatch(text) and self._interrupted(now):
            return
        if not self.linked(now) or self._lost():
            return
        if text == "Z":
            self.remote.boot(now + AIR)
            return
        answer = self.remote.answer(text)
        if answer and not self._lost():
            self._say(answer, now + AIR)

    def _say(self, text: str, now: float) -> None:
        if not (self.faults.mute_after and self._writes >= self.faults.mute_after):
            self._out.add(now, text.encode())
