"""Flies a scenario: a conversation that lives on the simulator's clock, so that the speed-up changes nothing.

Our heartbeats, the steps of the stimulus and every deadline are counted in simulated seconds: at ten times the speed a
ground station that beats once a real second would look dead to the vehicle.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from dronekit_cfg.errors import NoAnswer, VehicleError
from dronekit_cfg.events import Event, Progress, Stage, VehicleText
from dronekit_cfg.hil.modes import ARDUCOPTER
from dronekit_cfg.hil.monitor_mavlink import WATCHES, MavlinkSource
from dronekit_cfg.hil.monitors import GnssMonitors
from dronekit_cfg.hil.recording import Recording
from dronekit_cfg.hil.scenario import Scenario, Step
from dronekit_cfg.talk.flow import Flow
from dronekit_cfg.talk.mavlink_commands import command_bytes
from dronekit_cfg.talk.mavlink_conversation import Conversation
from dronekit_cfg.talk.mavlink_params import read_by_name, value_of
from dronekit_cfg.talk.mavlink_texts import RESULTS
from dronekit_cfg.text import t
from dronekit_cfg.wire.mavlink_layout import layout_of_name

__all__ = ["Flight"]

RATES = {
    "ATTITUDE": 10,
    "EKF_STATUS_REPORT": 5,
    "GLOBAL_POSITION_INT": 5,
    "GPS_RAW_INT": 2,
    "SIM_STATE": 5,
    "SYS_STATUS": 1,
    "BATTERY_STATUS": 1,
    "HEARTBEAT": 10,
}
"""Messages and their rate in Hz of simulated time."""
SET_INTERVAL, ARM, SET_MODE, TAKEOFF = 511, 400, 176, 22
FORCE_DISARM = 21196
ACCEPTED = 0
SILENT_SECONDS = 15.0
"""Real seconds in which its clock stands still after which the simulator hangs."""
PATIENCE = 10.0
"""Real seconds for which a question is asked again: a computer under load is slow, not the vehicle."""
WRITES = 12
"""How often, each second, a setting is written: where the scenario makes the link lose frames, many echoes are lost."""
READY_SECONDS, ARM_SECONDS, CLIMB_SECONDS, LAND_SECONDS = 90.0, 60.0, 45.0, 60.0
READY_FLAGS = 0x33F
HOVER = (1500, 1500, 1500, 1500, 1800, 1000, 1000, 1800)
GROUND = (1500, 1500, 1000, 1500, 1800, 1000, 1000, 1800)
FLYING = 2.0
"""Height in metres above which the vehicle flies."""


@dataclass(slots=True)
class Flight:
    """One flight of ArduCopter; `sticks` moves the sticks of the simulated transmitter."""

    rates: ClassVar[Mapping[str, float]] = RATES
    modes: ClassVar[Mapping[int, str]] = ARDUCOPTER

    conversation: Conversation
    sticks: Callable[[Sequence[int]], None] = lambda _: None
    recording: Recording = field(default_factory=Recording)
    beating: bool = True
    _beat_due: float = 0.0
    _acks: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.recording.names = self.modes

    def listen(self) -> Callable[[Event], None]:
        """Take the vehicle's texts from now on; gives the reporter that was there."""
        session = self.conversation.session
        before = session.report

        def report(event: Event) -> None:
            if isinstance(event, VehicleText):
                self.recording.texts.append((self.recording.now, event.severity, event.text))
            else:
                before(event)

        session.report = report
        return before

    # --- time

    def advance(self, seconds: float, done: Callable[[], bool] | None = None) -> Flow[bool]:
        """Let simulated time pass, until `done`; gives whether it was. Raises NoAnswer when the simulator hangs."""
        r, c = self.recording, self.conversation
        end = r.now + seconds
        moved, moved_at = r.now, c.now
        while r.now < end:
            if r.now > moved:
                moved, moved_at = r.now, c.now
            if done is not None and done():
                return True
            send = b""
            if self.beating and r.now >= self._beat_due:
                self._beat_due = r.now + 1.0
                send = c.codec.station_heartbeat()
            message = yield from c.next(send + self._frames(), c.now + SILENT_SECONDS)
            if message is None or c.now > moved_at + SILENT_SECONDS:
                raise NoAnswer(
                    t("the simulator's clock has stood still for {s:.0f} s", s=SILENT_SECONDS),
                    hint=t("look at its log; run with a lower --speedup or fewer --jobs"),
                )
            if message.name == "COMMAND_ACK":
                self._acks.append((message["command"], message["result"]))
            fields = message.fields
            if message.name == "PARAM_VALUE" and (value := value_of(message, bytewise=c.bytewise)) is not None:
                fields = {**fields, "param_value": value.number}
            r.take(message.name, fields)
            r.heard(message.sequence)
        return done is not None and done()

    def _frames(self) -> bytes:
        """Give what else has to be sent now."""
        return b""

    # --- acts

    def command(self, number: int, *params: float) -> Flow[int]:
        """Send a command until it is acknowledged; gives its MAV_RESULT."""
        patience = self.conversation.now + PATIENCE
        attempt = 0
        while attempt < 4 or self.conversation.now < patience:
            self._acks.clear()
            send = command_bytes(self.conversation, number, *params, confirmation=min(attempt, 255))
            yield from self.conversation.next(send)
            attempt += 1
            if (yield from self.advance(3.0, lambda: any(n == number for n, _ in self._acks))):
                return next(result for n, result in self._acks if n == number)
        raise NoAnswer(t("the simulator does not answer command {n}", n=number), hint=t("run with a lower --speedup"))

    def write(self, name: str, value: float) -> Flow[None]:
        """Write one setting and see it echoed. Raises VehicleError when the vehicle does not take it."""
        frame = yield from self._write_frame(name, value)
        echoed = self._echo(name, value)
        for _ in range(WRITES):
            yield from self.conversation.next(frame)
            if (yield from self.advance(1.0, echoed)):
                return
        raise VehicleError(
            t("the simulator does not take {name} = {value:g}", name=name, value=value),
            hint=t("this firmware may not have the setting; see the scenario's settings"),
        )

    def _write_frame(self, name: str, value: float) -> Flow[bytes]:
        """Give the message that writes a setting: ArduPilot takes a float for any type."""
        yield from ()
        c = self.conversation
        return c.codec.encode("PARAM_SET", **c.target, param_id=name, param_value=value, param_type=9)

    def write_all(self, settings: Mapping[str, float]) -> Flow[None]:
        """Write settings before the flight, with a message that tells the simulator's time."""
        yield from self.conversation.next(
            command_bytes(self.conversation, SET_INTERVAL, layout_of_name("ATTITUDE").id, 1e5)
        )
        for name, value in settings.items():
            yield from self.write(name, value)

    def _echo(self, name: str, value: float = math.nan) -> Callable[[], bool]:
        """Give what tells whether a setting was told from now on, with that value if one is given."""
        readings, start = self.recording.readings, len(self.recording.readings)

        def told() -> bool:
            fresh = [v for _, n, v in readings[start:] if n == name]
            return any(math.isnan(value) or math.isclose(v, value, rel_tol=1e-5, abs_tol=1e-6) for v in fresh)

        return told

    def set_mode(self, mode: str) -> Flow[bool]:
        """Ask for a mode; gives whether the vehicle went there."""
        number = next(n for n, name in self.modes.items() if name == mode)
        result = yield from self.command(SET_MODE, 1, *self._mode_numbers(number))
        return result == ACCEPTED and (yield from self.advance(3.0, lambda: self.recording.mode == mode))

    def _mode_numbers(self, number: int) -> tuple[int, ...]:
        """Give a custom_mode as the command takes it."""
        return (number,)

    # --- the flight

    def fly(self, scenario: Scenario) -> Flow[Recording]:
        """Fly the whole scenario. Raises VehicleError when the vehicle cannot even begin, NoAnswer when it hangs."""
        self.conversation.speaking = False
        report = self.conversation.session.report
        report(Stage(t("get ready")))
        rates = dict(self.rates)
        if any(e.kind == "alarm" for e in scenario.expect):
            rates |= {name: max(rate, rates.get(name, 0.0)) for name, rate in WATCHES.items()}
            self.recording.source = MavlinkSource(GnssMonitors())
        for name, rate in rates.items():
            yield from self.command(SET_INTERVAL, layout_of_name(name).id, 1e6 / rate if rate else -1)
        self.sticks(GROUND)
        if scenario.armed:
            yield from self._get_up(scenario)
        else:
            yield from self.advance(READY_SECONDS, self._ready)
        yield from self.advance(scenario.settle)
        report(Stage(t("stimulus, and {s:.0f} s of watching", s=scenario.watch)))
        yield from self._stimulate(scenario)
        return self.recording

    def land(self) -> Flow[None]:
        """Bring it to the ground: land, and disarm by force when it does not end by itself."""
        if not self.recording.is_armed:
            return
        self.conversation.session.report(Stage(t("land")))
        self.beating = True
        yield from self.set_mode("LAND")
        self.sticks(GROUND)
        if not (yield from self.advance(LAND_SECONDS, lambda: not self.recording.is_armed)):
            yield from self.command(ARM, 0, FORCE_DISARM)

    def _ready(self) -> bool:
        r = self.recording
        return bool(r.flags) and r.flags[-1][1] & READY_FLAGS == READY_FLAGS

    def _get_up(self, scenario: Scenario) -> Flow[None]:
        if not (yield from self.advance(READY_SECONDS, self._ready)):
            raise self._refusal(t("the vehicle gets no position within {s:.0f} s", s=READY_SECONDS))
        flying = scenario.altitude > 0
        yield from self.set_mode("GUIDED" if flying else scenario.mode)
        yield from self._arm()
        if not flying:
            return
        result = yield from self.command(TAKEOFF, 0, 0, 0, 0, 0, 0, scenario.altitude)
        if result != ACCEPTED:
            raise self._refusal(t("the vehicle does not take off: {result}", result=RESULTS.get(result, result)))
        yield from self._climb(scenario)
        self.sticks(HOVER)
        yield from self._go_to(scenario.mode)

    def _arm(self) -> Flow[None]:
        r = self.recording
        end = r.now + ARM_SECONDS
        while (yield from self.command(ARM, 1)) != ACCEPTED:
            if r.now > end:
                raise self._refusal(t("the vehicle does not arm within {s:.0f} s", s=ARM_SECONDS))
            yield from self.advance(2.0)
        yield from self.advance(3.0, lambda: r.is_armed)

    def _climb(self, scenario: Scenario) -> Flow[None]:
        high = scenario.altitude - 1.0
        if not (yield from self.advance(CLIMB_SECONDS, lambda: self.recording.height > high)):
            raise self._refusal(t("the vehicle does not climb"))

    def _go_to(self, mode: str) -> Flow[None]:
        yield from self.advance(1.0)
        if not (yield from self.set_mode(mode)):
            raise self._refusal(t("the vehicle does not go to {mode}", mode=mode))

    def _refusal(self, message: str) -> VehicleError:
        said = [x for _, severity, x in self.recording.texts if severity <= 4][-3:]
        return VehicleError(message, hint=t("it says: {texts}", texts="; ".join(said) or t("nothing")))

    def _stimulate(self, scenario: Scenario) -> Flow[None]:
        r = self.recording
        r.zero = r.now
        told = 0
        for step in scenario.steps:
            yield from self.advance(r.zero + step.at - r.now)
            if step is scenario.steps[0]:
                r.zero = r.now - step.at
            r.done.append((r.now, str(step)))
            yield from self._do(step)
        while r.now < r.zero + scenario.watch:
            yield from self.advance(min(1.0, r.zero + scenario.watch - r.now))
            told += 1
            self.conversation.session.report(Progress(t("simulated seconds"), int(r.now - r.zero), int(scenario.watch)))

    def _do_at_once(self, step: Step) -> None:
        """Do what needs no answer of the vehicle."""
        if step.sticks:
            self.sticks(step.sticks)
        if step.heartbeats is not None:
            self.beating = step.heartbeats
        if step.radio is not None:
            self._switch(on=step.radio)

    def _switch(self, *, on: bool) -> None:
        """Switch the transmitter; ArduCopter's is a setting of its simulator."""

    def _do(self, step: Step) -> Flow[None]:
        for name, value in step.settings.items():
            yield from self.write(name, value)
        self._do_at_once(step)
        if step.mode:
            yield from self.set_mode(step.mode)
        if step.arm is not None:
            yield from self.command(ARM, float(step.arm))
        if step.command:
            yield from self.command(int(step.command[0]), *step.command[1:])
        for name in step.read:
            c = self.conversation
            yield from c.next(read_by_name(c, name))
            yield from self.advance(3.0, self._echo(name))
        if step.ramp is not None:
            ramp, begun = step.ramp, self.recording.now
            while (passed := self.recording.now - begun) < ramp.seconds:
                yield from self.write(ramp.setting, ramp.start + (ramp.end - ramp.start) * passed / ramp.seconds)
                yield from self.advance(0.5)
