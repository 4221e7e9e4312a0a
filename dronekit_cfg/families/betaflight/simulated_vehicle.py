"""The simulated vehicle with MSP and a text CLI on one port, without I/O: timing, buffers, reboots, memory, faults.

Like the real one it looks at its port once per serial task tick (100 Hz), holds 256 received bytes, drops what is too
much, enters its CLI 100 ms after a `#`, and stays there when the host goes away.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

from dronekit_cfg.families.betaflight.simulated_cli import BetaflightCli, Leaving, TwinState
from dronekit_cfg.families.betaflight.simulated_data import TwinData
from dronekit_cfg.families.betaflight.simulated_faults import CliFaults
from dronekit_cfg.families.betaflight.simulated_motors import REFUSED
from dronekit_cfg.families.betaflight.simulated_passthrough import BehindPorts
from dronekit_cfg.families.betaflight.simulated_sensors import BenchSensors
from dronekit_cfg.sim.memory import Memory
from dronekit_cfg.sim.vehicle import SimulatedVehicle
from dronekit_cfg.wire.msp import Direction, MspDecoder, MspFrame, Noise, encode_reply
from dronekit_cfg.wire.msp_messages import Code

__all__ = ["CliVehicle", "MspAnswers"]

TICK = 0.0107
"""Measured: one request, or all bytes that wait, per tick."""
ENTRY = 0.1
BOOT = 0.5
BUFFER = 256
_PROMPT = b"\r\n# "
_STATUS = frozenset({101, 150, 0x2000})
"""STATUS, STATUS_EX and INAV_STATUS."""
MspAnswers = Callable[[MspFrame, TwinState, bool], bytes | None]
"""Gives the payload for a request, None to refuse it: (request, state, whether it is armed)."""


@dataclass(slots=True)
class _Output:
    """Bytes that are on their way, each part due at its time."""

    parts: list[tuple[float, bytes]] = field(default_factory=list)

    def add(self, due: float, data: bytes) -> None:
        last = self.parts[-1][0] if self.parts else -math.inf
        self.parts.append((max(due, last), data))

    def take(self, now: float) -> bytes:
        ready = b"".join(data for due, data in self.parts if due <= now)
        self.parts = [part for part in self.parts if part[0] > now]
        return ready

    @property
    def next_due(self) -> float:
        return self.parts[0][0] if self.parts else math.inf


class CliVehicle:
    """A `SimulatedVehicle`. `memory` keeps what was saved, by setting name."""

    def __init__(
        self,
        data: TwinData,
        memory: Memory,
        faults: CliFaults,
        answers: MspAnswers,
        cli: Callable[[TwinState, Callable[[], None]], BetaflightCli],
        uid: str = "",
        random: Random | None = None,
    ) -> None:
        self.data = data
        self.memory = memory
        self.faults = faults
        self._answers = answers
        self._make_cli = cli
        self._uid = uid
        self._random = random or Random(0)  # noqa: S311  simulation, no secret
        self.sensors: BenchSensors | None = None
        """What is connected to the board; None: nothing, as on the bare simulator."""
        self._out = _Output()
        self.hung_up = False
        self._ignored_exit = False
        self.ports = BehindPorts()
        self._up_at = self._quiet_since = self._look_at = -math.inf
        self.in_cli = self._entering = self._ending = False
        self.boots = 0
        self._boot(-math.inf)

    # -- SimulatedVehicle

    def connected(self, now: float) -> None:
        """A host opened the link; a vehicle in its CLI stays there and says nothing."""
        self.hung_up = False
        self._out.parts.clear()
        if self.ports.opened(now):
            self._boot(now)
        if now < self._up_at:
            self._received.clear()

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes into the receive buffer; what does not fit is lost, as is all while it boots."""
        self.poll_inputs(now)
        if now < self._up_at or self.hung_up:
            return
        if self.ports.active is not None:
            self.ports.active.receive(data, now)
            return
        if not self._received:
            self._look_at = now + TICK
        self._received += data[: BUFFER - len(self._received)]
        self._quiet_since = now

    def poll(self, now: float) -> bytes:
        """Give what is due."""
        self.poll_inputs(now)
        data = self._out.take(now)
        if self.ports.active is not None:
            return data + self.ports.active.poll(now)
        if self.faults.lost:
            data = bytes(b for b in data if self._random.random() >= self.faults.lost)
        if self._ending and not self._out.parts:
            self._ending = False
            self.hung_up = True
        return data

    def next_due(self, now: float) -> float:
        """Give when something happens next."""
        due = min(self._out.next_due, self._look_at if self._received else math.inf)
        if self.ports.active is not None:
            due = min(due, self.ports.active.next_due(now))
        if self._entering:
            due = min(due, self._quiet_since + ENTRY)
        return max(due, now)

    def attach(self, port: str, device: SimulatedVehicle) -> None:
        """Connect a simulated device to a port, such as "uart2"."""
        self.ports.attach(port, device)

    # -- inside

    def _boot(self, now: float) -> None:
        self.boots += 1
        if self.boots > 1 and self.sensors:
            self.sensors.power_up()
        values = dict(self.data.values)
        stored = {name: str(value) for name, value in self.memory.values.items() if name in values}
        values |= stored
        if self._uid and "mcu_id" in values:
            values["mcu_id"] = self.uid
        self.state = TwinState(self.data, values, self.faults.deny)
        self.cli = self._make_cli(self.state, self.store)
        self._decoder = MspDecoder()
        self._received = bytearray()
        self._line = ""
        self._lines = 0
        self.in_cli = self._entering = self._ending = False
        self._quiet_since = self._look_at = -math.inf
        self._up_at = now + (self.faults.slow_boot or BOOT) if self.boots > 1 else now

    @property
    def uid(self) -> str:
        """24 hex digits; another one after a reboot with that fault."""
        return "f" * 24 if self.faults.wrong_uid and self.boots > 1 else self._uid

    def store(self) -> None:
        """Keep what is in RAM."""
        fresh = self.data.values
        gone = [n for n in self.memory.values if n in fresh and self.state.values.get(n) == fresh[n]]
        self.memory.remove(gone)
        self.memory.store_many({n: v for n, v in self.state.values.items() if v != fresh.get(n) and n != "mcu_id"})

    def poll_inputs(self, now: float) -> None:
        """Do what the ticks up to `now` do."""
        if self._received and now >= self._look_at:
            data = bytes(self._received)
            self._received.clear()
            self._take(data, self._look_at)
        if self._entering and not self._received and now >= self._quiet_since + ENTRY:
            self._enter(self._quiet_since + ENTRY)

    def _take(self, data: bytes, now: float) -> None:
        if self.in_cli:
            self._take_text(data, now)
            return
        self._decoder.receive_data(data)
        if b"#" in data:
            self._decoder.give_up_half_frame()
        while (event := self._decoder.next_event()) is not None:
            if isinstance(event, Noise):
                armed = self.faults.armed or self.faults.no_cli
                self._entering = (self._entering or b"#" in event.data) and not armed
            elif event.direction is Direction.REQUEST:
                self._answer(event, now)

    def _answer(self, frame: MspFrame, now: float) -> None:
        payload = self.sensors.answer(frame.code, frame.payload, now) if self.sensors else None
        if payload == REFUSED:
            payload = None
        elif payload is None:
            payload = self._answers(frame, self.state, self.faults.armed)
        if payload and self.sensors and frame.code in _STATUS:
            payload = self.sensors.status(frame.code, payload)
        if payload is not None and frame.code == Code.UID and self.uid:
            payload = b"".join(int(self.uid[i : i + 8], 16).to_bytes(4, "little") for i in (0, 8, 16))
        reply = encode_reply(frame.code, payload or b"", ok=payload is not None, version=frame.version)
        self._out.add(now + self.faults.slow, reply)
        if frame.code == Code.REBOOT and payload is not None:
            self._reboot(now, b"")

    def _enter(self, now: float) -> None:
        self._entering = False
        self.in_cli = True
        self.state.batch = self.state.failed = False
        ends = "reboot" if self.data.dialect.family == "betaflight" else "return"
        banner = f"\r\nEntering CLI Mode, type 'exit' to {ends}, or 'help'\r\n"
        self._out.add(now, banner.encode() + _PROMPT)

    def _take_text(self, data: bytes, now: float) -> None:
        echo = ""
        for byte in data:
            character = chr(byte)
            if character in "\r\n":
                if self._line:
                    self._out.add(now, f"{echo}\r\n".encode())
                    echo = ""
                    line, self._line = self._line, ""
                    if not self._run(line.partition("#")[0].strip(), now):
                        return
            elif " " <= character <= "~" and character != "?" and len(self._line) < self._longest:
                taken = character if self._line else character.strip()
                self._line += taken
                echo += taken
        self._out.add(now, echo.encode())

    @property
    def _longest(self) -> int:
        return self.data.dialect.max_line + 1

    def _run(self, line: str, now: float) -> bool:
        """Run one line; False when the session is over."""
        if line:
            self._lines += 1
            if self._lines == self.faults.reboot_mid:
                self.faults = replace(self.faults, reboot_mid=0)
                self._reboot(now, b"")
                return False
            reply = self.ports.answer(line, now) or self._reply(line)
            if isinstance(reply, Leaving):
                return self._leave(reply, line, now)
            self._say(reply, now)
            if self.ports.active is not None:
                return False
        self._out.add(now, _PROMPT)
        return True

    def _reply(self, line: str) -> str | Leaving:
        if self._lines == self.faults.error_at:
            return self.cli.error("set", "INVALID VALUE")
        reply = self.cli.run(line)
        if self.faults.corrupted and line.startswith(("dump", "diff")) and isinstance(reply, str):
            return reply.replace("# master", "###ERROR IN diff: CORRUPTED CONFIG: x = 196###", 1)
        return reply

    def _say(self, reply: str, now: float) -> None:
        due = now + self.faults.slow
        for number, part in enumerate(reply.split("\r\n# ")):
            if number:
                self._out.add(due, _PROMPT)
                due += self.faults.stall
            self._out.add(due, part.encode("latin-1"))

    def _leave(self, leaving: Leaving, line: str, now: float) -> bool:
        if self.faults.stays and not self._ignored_exit and line == "exit":
            self._ignored_exit = True
            self._out.add(now, _PROMPT)
            return True
        if leaving.store and self.faults.save_lost:
            self.faults = replace(self.faults, save_lost=False)
            self._reboot(now, b"")
            return False
        if leaving.store and self.faults.save_torn:
            self.faults = replace(self.faults, save_torn=False)
            self.memory.wipe()
            self._reboot(now, b"")
            return False
        if leaving.store:
            self.store()
        self._reboot(now, leaving.text.encode())
        return False

    def _reboot(self, now: float, last_words: bytes) -> None:
        self._out.add(now, last_words)
        self._boot(now)
        self._ending = True
