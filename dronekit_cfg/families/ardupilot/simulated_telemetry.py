"""When the simulated ArduCopter sends which message: heartbeat, streams, message intervals.

Like the real SITL it sends nothing but heartbeats until it is asked: its stream rates are 0 by default.
"""

from __future__ import annotations

from dronekit_cfg.families.ardupilot.simulated_bench import heartbeat_seconds, lost, spoil
from dronekit_cfg.families.ardupilot.simulated_core import Core
from dronekit_cfg.families.ardupilot.simulated_messages import MESSAGES, STREAMS
from dronekit_cfg.families.ardupilot.simulated_scene import Scene
from dronekit_cfg.wire.mavlink_layout import layout_of_id

__all__ = ["Telemetry"]

HEARTBEAT_SECONDS = 1.0
SHORTEST_INTERVAL = 0.0025
"""The main loop runs at 400 Hz; nothing leaves more often."""
QUADROTOR, ARDUPILOT = 2, 3
CUSTOM_MODE, STABILIZE, MANUAL, SAFETY_ARMED = 1, 16, 64, 128
STANDBY, ACTIVE = 3, 4
DATA_STREAM_ALL = 0
LATE = 1.0
"""When the serving side comes this late, what was missed is left out."""


class Telemetry:
    """Sends what is due. Intervals are in seconds; 0 means off."""

    def __init__(self, core: Core, scene: Scene) -> None:
        self._core = core
        self.scene = scene
        self._intervals: dict[str, float] = {}
        self._turns: dict[str, int] = {}

    def start(self, first: float, rate: float) -> None:
        """Begin after a boot: heartbeats from `first`, streams at `rate` per second, else as the parameters say."""
        self._intervals.clear()
        self._core.agenda.add(first, self._heartbeat)
        for stream, (ending, _) in STREAMS.items():
            self._set_stream(stream, rate or self._core.parameter(self._rate_name(ending)), first)

    def interval(self, name: str) -> float:
        """Give the interval of a message, 0 when it is not sent by itself."""
        return HEARTBEAT_SECONDS if name == "HEARTBEAT" else self._intervals.get(name, 0.0)

    def set_interval(self, name: str, seconds: float, now: float) -> None:
        """Send a message every so many seconds; 0 stops it."""
        self._intervals[name] = max(seconds, SHORTEST_INTERVAL) if seconds > 0 else 0.0
        turn = self._turns[name] = self._turns.get(name, 0) + 1
        if seconds > 0:
            self._core.agenda.add(now + self._intervals[name], lambda due: self._repeat(name, turn, due))

    def default_interval(self, name: str) -> float:
        """Give the interval that the stream of a message has."""
        for ending, names in STREAMS.values():
            if name in names:
                rate = self._core.parameter(self._rate_name(ending))
                return 1 / rate if rate > 0 else 0.0
        return 0.0

    def request_stream(self, stream: int, rate: int, start: int, now: float) -> None:
        """Do what REQUEST_DATA_STREAM asks for; the rate shows in the parameter, but only until the reboot."""
        if start not in (0, 1):
            return
        for number in STREAMS if stream == DATA_STREAM_ALL else (stream,):
            if number in STREAMS:
                self._set_stream(number, rate if start else 0, now)

    def send(self, name: str, now: float) -> bool:
        """Send a message once; False when there is no such message here."""
        if name == "HEARTBEAT":
            self._send_heartbeat()
            return True
        fill = MESSAGES.get(name)
        if fill is None:
            return False
        if not lost(self._core, name, now):
            self._core.send(name, **spoil(self._core, name, fill(self._core, self.scene, now), now))
        return True

    @staticmethod
    def name_of(number: int) -> str | None:
        """Give the name of a message that this vehicle can send by itself, by its id."""
        layout = layout_of_id(number)
        return layout.name if layout is not None and (layout.name in MESSAGES or number == 0) else None

    def _rate_name(self, ending: str) -> str:
        return self._core.firmware.streams_prefix + ending

    def _set_stream(self, stream: int, rate: float, now: float) -> None:
        ending, names = STREAMS[stream]
        fact = self._core.store.find(self._rate_name(ending))
        if fact is not None:
            self._core.store.set(fact, int(rate))
        for name in names:
            self.set_interval(name, 1 / rate if rate > 0 else 0.0, now)

    def _repeat(self, name: str, turn: int, due: float) -> None:
        if self._turns.get(name) == turn:
            self.send(name, due)
            self._core.agenda.add(self._next(due, self._intervals[name]), lambda then: self._repeat(name, turn, then))

    def _heartbeat(self, due: float) -> None:
        self._send_heartbeat()
        self._core.agenda.add(self._next(due, heartbeat_seconds(self._core, HEARTBEAT_SECONDS)), self._heartbeat)

    def _next(self, due: float, interval: float) -> float:
        return max(due + interval, self._core.clock - LATE)

    def _send_heartbeat(self) -> None:
        core = self._core
        mode, state = CUSTOM_MODE | STABILIZE | MANUAL, ACTIVE if core.armed else STANDBY
        if not core.initialised:
            mode, state = core.firmware.boot_heartbeat
        core.send(
            "HEARTBEAT",
            type=QUADROTOR,
            autopilot=ARDUPILOT,
            base_mode=mode | (SAFETY_ARMED if core.armed else 0),
            custom_mode=core.mode,
            system_status=state,
            mavlink_version=3,
        )
