"""One run of a Betaflight simulator on its feed: arm, throttle up, let things happen, watch what the firmware does.

The simulated quad does not move: the feed shows it level and at rest whatever its motors do. What is judged is the
firmware's own logic: failsafe stages, arming-disable reasons, modes, motor outputs. Time is real time, because this
simulator has no other.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dronekit_cfg.errors import NoAnswer, VehicleError
from dronekit_cfg.events import Progress, Reporter, Stage
from dronekit_cfg.families.betaflight.cli_driver import CliDriver
from dronekit_cfg.hil.modes import BETAFLIGHT
from dronekit_cfg.hil.recording import Recording
from dronekit_cfg.hil.scenario import Scenario, Step
from dronekit_cfg.sitl.betaflight_feed import BetaflightFeed
from dronekit_cfg.talk.flow import Flow, Wait
from dronekit_cfg.text import t
from dronekit_cfg.wire.msp_arming import betaflight_reasons
from dronekit_cfg.wire.msp_messages import Code, Status, parse_status_ex

__all__ = ["BOOT_GRACE", "GROUND", "BetaflightFlight"]

POLL = 0.04
READY_SECONDS, ARM_SECONDS = 15.0, 3.0
GROUND = (1500, 1500, 1000, 1500, 1000)
"""AETR and the arm switch on channel 5."""
THROTTLE = 1400
ARM_CHANNEL = 5
MSP_MOTOR = 104
ARM = 0
"""Permanent id of the mode [Betaflight src/main/msp/msp_box.c]."""
NONE = -1
BOOT_GRACE = "BOOTGRACE"
"""Ends 5 s after the boot whatever the settings are [Betaflight src/main/fc/core.c updateArmingStatus]."""
WAKE_SECONDS = 3.0


@dataclass(slots=True)
class BetaflightFlight:
    """One run. `recording.modes`: ACRO, ANGLE, FAILSAFE ...; `texts`: reasons not to arm as they appear, and "no X"."""

    driver: CliDriver
    feed: BetaflightFeed
    recording: Recording = field(default_factory=Recording)
    _boxes: Sequence[int] = ()
    _reasons: frozenset[str] = frozenset()

    def listen(self) -> Reporter:
        """Give the reporter; this firmware says nothing by itself."""
        return self.driver.session.report

    def wakes(self) -> Flow[bool]:
        """Give whether its tasks run.

        On a busy computer the simulator may boot into a state in which it answers, but neither its receiver nor its
        gyro is ever looked at: then the boot grace time is the only reason not to arm, from the first moment on and for
        ever [seen on 4.6.0, in one of seven starts beside five busy programs].
        """
        return (yield from self._advance(WAKE_SECONDS, lambda: self._reasons != {BOOT_GRACE}))

    def fly(self, scenario: Scenario) -> Flow[Recording]:
        """Carry out a scenario. Raises VehicleError when the vehicle does not arm, LinkError."""
        report = self.driver.session.report
        report(Stage(t("get ready")))
        self.feed.channels(*GROUND)
        self._boxes = (yield from self.driver.calls.ask(Code.BOXIDS)).payload
        if scenario.armed:
            yield from self._arm()
        yield from self._advance(scenario.settle)
        self.recording.zero = self.recording.now
        report(Stage(scenario.title))
        for step in sorted(scenario.steps, key=lambda s: s.at):
            yield from self._until(self.recording.zero + step.at)
            self.recording.done.append((self.recording.now, str(step)))
            self._do(step)
        yield from self._until(self.recording.zero + scenario.watch)
        return self.recording

    def land(self) -> Flow[None]:
        """Switch off."""
        self.feed.channels(*GROUND)
        yield from self._advance(0.5)

    def _do(self, step: Step) -> None:
        if step.sticks:
            self.feed.channels(*step.sticks)
        if step.radio is False:
            self.feed.lose_radio()
        elif step.radio:
            self.feed.find_radio()
        if step.arm is not None:
            self.feed.channel(ARM_CHANNEL, 2000 if step.arm else 1000)
        if step.settings:
            raise VehicleError(t("a running Betaflight takes no settings"), hint=t("put them under settings:"))

    def _arm(self) -> Flow[None]:
        if not (yield from self._advance(READY_SECONDS, lambda: not self._reasons)):
            if BOOT_GRACE in self._reasons:
                raise NoAnswer(
                    t("the simulator hangs: its boot grace time does not end"),
                    hint=t("fly again with nothing else running"),
                )
            raise self._refusal(t("the vehicle is not ready within {s:.0f} s", s=READY_SECONDS))
        self.feed.channel(ARM_CHANNEL, 2000)
        if not (yield from self._advance(ARM_SECONDS, lambda: self.recording.is_armed)):
            raise self._refusal(t("the vehicle does not arm within {s:.0f} s", s=ARM_SECONDS))
        self.feed.channel(3, THROTTLE)

    def _refusal(self, message: str) -> VehicleError:
        said = ", ".join(sorted(self._reasons)) or t("it gives no reason")
        return VehicleError(t("{message}: {said}", message=message, said=said), hint=t("see the scenario's settings"))

    def _until(self, moment: float) -> Flow[None]:
        yield from self._advance(max(0.0, moment - self.driver.session.now()))

    def _advance(self, seconds: float, done: Callable[[], bool] = lambda: False) -> Flow[bool]:
        """Watch for so long, or until it is done; whether it was."""
        now = self.driver.session.now
        end = now() + seconds
        told = 0
        while now() < end:
            status = parse_status_ex((yield from self.driver.calls.ask(Code.STATUS_EX)).payload)
            motors = struct.unpack("<8H", (yield from self.driver.calls.ask(MSP_MOTOR)).payload[:16])
            self._take(status, motors)
            if done():
                return True
            if int(end - now()) != told:
                told = int(end - now())
                self.driver.session.report(Progress(t("seconds"), int(seconds) - told, int(seconds)))
            pause = min(now() + POLL, end)
            while now() < pause and (yield Wait(until=pause)) is not None:
                pass
        return False

    def _take(self, status: Status, motors: Sequence[int]) -> None:
        r = self.recording
        r.now = self.driver.session.now()
        active = {box for i, box in enumerate(self._boxes) if status.mode_bits >> i & 1} | {NONE}
        armed = ARM in active
        mode = [name for box, name in BETAFLIGHT.items() if box in active][-1]
        if r.mode != mode:
            r.modes.append((r.now, mode))
        if r.is_armed != armed or not r.armed:
            r.armed.append((r.now, armed))
        names = betaflight_reasons(status.arming_flags, status.flag_count, self.driver.api_minor)
        reasons = frozenset(names)
        changes: Mapping[str, frozenset[str]] = {"{}": reasons - self._reasons, "no {}": self._reasons - reasons}
        for form, which in changes.items():
            r.texts += [(r.now, 4, form.format(name)) for name in sorted(which)]
        self._reasons = reasons
        r.add("motors", max(motors))
