"""The motor test of Betaflight and INAV over MSP (B13).

These firmwares have no time limit of their own: a motor that was set turns until it is set back, also when nobody asks
any more (measured on Betaflight 2026.12: 12 s of silence change nothing). So the vehicle is asked ten times a second
while a motor turns, the stop is read back, a link that broke is opened again to stop it, and the operator is told to
keep a hand on the battery's plug. With 3D motors 1000 us is full reverse instead of a stop, so those are left alone.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dronekit_cfg.errors import LinkError, LinkLost
from dronekit_cfg.families.betaflight.cli_driver import CliDriver
from dronekit_cfg.hil.bench import Bench
from dronekit_cfg.hil.check import Check, Needs, Params
from dronekit_cfg.hil.checks.motor_turns import MOTOR_PARAMETERS, NOBODY, turn_motors
from dronekit_cfg.hil.checks.msp import MSP_FAMILIES
from dronekit_cfg.hil.watch_msp import STATUS, ask_sensor, msp_driver
from dronekit_cfg.model.checked import Measure, Outcome
from dronekit_cfg.talk.flow import Flow, Wait
from dronekit_cfg.text import t
from dronekit_cfg.wire.msp import Direction

__all__ = ["CHECKS"]

SET_MOTOR, SET_ARMING_DISABLED = 214, 99
SLOTS = 8
"""Pulses that SET_MOTOR takes; INAV refuses any other number."""
STOP, FULL = 1000, 2000
REVERSIBLE = 1 << 12
"""Feature bit of motors that turn both ways, in either firmware."""
PLACES = (t("rear right"), t("front right"), t("rear left"), t("front left"))
"""Order of a quad's motors in both firmwares, unless the user changed it."""
LOOK_SECONDS = 0.1
FOLLOWS_SECONDS = 0.3
"""How long a vehicle may take until its outputs follow (its next control loop; longer on a busy simulator)."""
STOP_TRIES = 5


@dataclass(slots=True)
class _Drive:
    bench: Bench
    driver: CliDriver
    count: int
    ends_alone: bool = False

    def place(self, motor: int) -> str:
        return PLACES[motor - 1] if self.count == len(PLACES) else ""

    def start(self, motor: int, percent: float, seconds: float) -> str:
        del seconds
        pulse = round(STOP + (FULL - STOP) * percent / 100)
        if not self._set(motor, pulse):
            return t("the vehicle refuses to turn motor {n}", n=motor)
        return ""

    def hold(self, motor: int, seconds: float) -> tuple[str, Sequence[float]]:
        now = self.driver.session.now
        start, speeds = now(), []
        end = start + seconds
        while (at := now()) < end:
            turning = self._turning()
            if turning != [motor] and (turning or at > start + FOLLOWS_SECONDS):
                listed = ", ".join(map(str, turning)) or t("none")
                return t("motor {n} was to turn, and {listed} are driven", n=motor, listed=listed), ()
            if self.bench.run(self.driver.arm_state()).armed:
                return t("the vehicle was armed while motor {n} turned", n=motor), ()
            if at > end - seconds / 2 and (rpm := self._speed(motor)):
                speeds.append(rpm)
            self.wait(min(LOOK_SECONDS, max(0.0, end - now())))
        return "", speeds

    def stop(self, motor: int) -> str:
        """Set all motors back and read that they are; a link that broke is opened again for it."""
        del motor
        try:
            return self._all_back()
        except LinkError:
            with contextlib.suppress(LinkError):
                self.bench.connection.link.reopen()
            self.driver.codec.reset()
            try:
                return self._all_back()
            except LinkError as error:
                raise LinkLost(
                    t("{why}, and a motor may still turn", why=error.message),
                    hint=t("pull the battery before you come near: this firmware does not stop it by itself"),
                ) from error

    def wait(self, seconds: float) -> None:
        self.bench.run(_pause(self.driver.session.now() + seconds))

    def _all_back(self) -> str:
        for _ in range(STOP_TRIES):
            self._set(1, STOP)
            if not (left := self._turning()):
                return ""
            self.wait(LOOK_SECONDS)
        listed = ", ".join(map(str, left))
        return t("motor {list} goes on turning although it was stopped: pull the battery", list=listed)

    def _set(self, motor: int, pulse: int) -> bool:
        pulses = [STOP] * SLOTS
        pulses[motor - 1] = pulse
        flow = self.driver.calls.ask(SET_MOTOR, struct.pack(f"<{SLOTS}H", *pulses), patience=0.3, tries=STOP_TRIES)
        return self.bench.run(flow).direction is not Direction.REFUSAL

    def _turning(self) -> list[int]:
        """Give the motors that are driven now."""
        return [n for n, pulse in enumerate(_pulses(self.bench, self.driver), 1) if pulse > STOP]

    def _speed(self, motor: int) -> float:
        told = self.bench.run(ask_sensor(self.driver, "MSP_MOTOR_TELEMETRY", STOP_TRIES))
        motors = told.get("motors", ()) if told else ()
        return float(motors[motor - 1]["rpm"]) if len(motors) >= motor else 0.0


def _pause(until: float) -> Flow[None]:
    while (yield Wait(until=until)) is not None:
        pass


def _pulses(bench: Bench, driver: CliDriver) -> Sequence[int]:
    return tuple((bench.run(ask_sensor(driver, "MSP_MOTOR", STOP_TRIES)) or {}).get("pulses", ()))


def _motors(bench: Bench, params: Params) -> Outcome:
    driver = msp_driver(bench.connection)
    assert driver is not None
    bench.connection.require_disarmed()
    features = (bench.run(ask_sensor(driver, "MSP_FEATURE_CONFIG")) or {}).get("features", 0)
    if features & REVERSIBLE:
        return Outcome(
            skip=t("the motors turn both ways (3D), where the pulse of a stop turns them: test them by hand")
        )
    told = (bench.run(ask_sensor(driver, "MSP_MOTOR_CONFIG")) or {}).get("count")
    before = _pulses(bench, driver)
    count = told if told is not None else sum(pulse > 0 for pulse in before)  # outputs without a motor tell 0
    if not count:
        return Outcome(skip=t("the vehicle drives no motors: its mixer is empty"))
    if any(pulse > STOP for pulse in before):
        return Outcome(faults=(t("a motor is driven before the test: {list}", list=before),))
    if not bench.operator.props_are_off(
        warning=t("This firmware does not stop a motor by itself: keep a hand on the battery's plug.")
    ):
        return Outcome(skip=NOBODY)
    drive = _Drive(bench, driver, count)
    with _no_arming(bench, driver):
        turned = turn_motors(bench, drive, params)
    after = _pulses(bench, driver)
    reasons = (bench.run(ask_sensor(driver, STATUS)) or {}).get("reasons", ())
    faults = [*turned.faults]
    if after != before:
        faults.append(t("motor outputs were {old} and are {new} after the motor test", old=before, new=after))
    if "MSP" in reasons:
        faults.append(t("arming is still off after the motor test: power-cycle the vehicle"))
    changed = Measure(
        t("motor outputs not put back"), sum(a != b for a, b in zip(before, after, strict=False)), "", 0, 0
    )
    return Outcome((*turned.measures(params), changed), tuple(faults))


@contextlib.contextmanager
def _no_arming(bench: Bench, driver: CliDriver) -> Iterator[None]:
    """Keep Betaflight from arming while motors turn; INAV has no such command."""
    if driver.family != "betaflight":
        yield
        return
    ask = driver.calls.ask
    bench.run(ask(SET_ARMING_DISABLED, b"\x01\x00", patience=0.3, tries=3))
    try:
        yield
    finally:
        with bench.connection.stop.shield(), contextlib.suppress(LinkError):
            bench.run(ask(SET_ARMING_DISABLED, b"\x00\x00", patience=0.3, tries=3))


CHECKS = (
    Check(
        "msp-motors",
        "B13",
        t("Motors turn in order"),
        t("check motor order and wiring (resource MOTOR, mmix), and the direction of each motor"),
        families=MSP_FAMILIES,
        needs=frozenset({Needs.PROPS_OFF}),
        parameters=MOTOR_PARAMETERS,
        act=_motors,
    ),
)
