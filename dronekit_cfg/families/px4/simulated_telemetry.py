"""What the simulated PX4 copter sends again and again: heartbeats and streams; and one message on request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from random import Random
from typing import Any

from dronekit_cfg.families.px4.simulated_bench import ON_REQUEST, beat_seconds, spoil
from dronekit_cfg.families.px4.simulated_data import Firmware
from dronekit_cfg.families.px4.simulated_motors import Motors
from dronekit_cfg.families.px4.simulated_state import State
from dronekit_cfg.sim.agenda import Agenda
from dronekit_cfg.sim.faults import Faults
from dronekit_cfg.wire.mavlink_layout import layout_of_id

__all__ = ["Telemetry"]

LEAST_SECONDS = 0.1
HEARTBEAT = 0


class Telemetry:
    """Streams of one vehicle. `send` sends a message by name and fields; `beat` sends a heartbeat."""

    def __init__(
        self,
        firmware: Firmware,
        faults: Faults,
        agenda: Agenda,
        random: Random,
        send: Callable[..., None],
        beat: Callable[[float], None],
        motors: Motors,
    ) -> None:
        self._usual = {name: max(seconds, LEAST_SECONDS) for name, (seconds, _) in firmware.telemetry.items()}
        self._fields: Mapping[str, Mapping[str, Any]] = {
            **ON_REQUEST,
            **{name: fields for name, (_, fields) in firmware.telemetry.items()},
        }
        self._faults = faults
        self._agenda = agenda
        self._random = random
        self._send = send
        self._beat = beat
        self._motors = motors
        self._turns: dict[str, tuple[int, float]] = {}
        self._booted_at = 0.0

    def boot(self, state: State, heartbeat_at: float, first: Mapping[str, float] | None = None) -> None:
        """Begin the streams of a vehicle that booted; `first` says when each comes first, where that matters."""
        self._booted_at = state.booted_at
        self._agenda.add(heartbeat_at, self._beats)
        self._turns.clear()
        for name, seconds in self._usual.items():
            at = heartbeat_at + seconds if first is None else first[name]
            self._start(name, seconds, at)

    def has(self, name: str) -> bool:
        """Whether the vehicle can send a message."""
        return name in self._fields

    def interval(self, number: int, microseconds: float, now: float) -> bool:
        """Set the rate of a message: 0 is the usual one, below 0 none. False for a message that there is not."""
        layout = layout_of_id(number)
        if number == HEARTBEAT or layout is None or layout.name not in self._fields:
            return number == HEARTBEAT
        seconds = microseconds / 1e6 if microseconds else self._usual.get(layout.name, -1.0)
        if seconds > 0:
            self._start(layout.name, seconds, now + seconds)
        else:
            self._turns[layout.name] = (self._number(layout.name) + 1, 0.0)
        return True

    def send(self, name: str, now: float) -> None:
        """Send a message once."""
        fields = dict(spoil(self._faults, name, self._fields[name], now - self._booted_at, self._noise))
        uptime = now - self._booted_at
        if "time_usec" in fields:
            fields["time_usec"] = int(uptime * 1e6)
        if "time_boot_ms" in fields:
            fields["time_boot_ms"] = int(uptime * 1e3)
        self._send(name, **self._motors.show(name, fields))

    def _noise(self) -> float:
        return self._random.gauss(0, 1)

    def _number(self, name: str) -> int:
        return self._turns.get(name, (0, 0.0))[0]

    def _start(self, name: str, seconds: float, at: float) -> None:
        number = self._number(name) + 1
        self._turns[name] = (number, seconds)
        self._agenda.add(at, partial(self._stream, name, number))

    def _stream(self, name: str, number: int, due: float) -> None:
        if self._number(name) != number:
            return  # its rate was changed meanwhile
        self.send(name, due)
        self._agenda.add(due + self._turns[name][1], partial(self._stream, name, number))

    def _beats(self, due: float) -> None:
        self._beat(due)
        self._agenda.add(due + beat_seconds(self._faults), self._beats)
