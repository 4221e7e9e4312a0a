"""What the motor tests of ArduPilot and PX4 share: watching outputs and speeds while a motor turns (B13)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from dronekit_cfg.errors import LinkLost
from dronekit_cfg.hil.bench import Bench
from dronekit_cfg.text import t

__all__ = ["Fields", "MavlinkDrive"]

Fields = Mapping[str, Any]
OUTPUTS = "SERVO_OUTPUT_RAW"
COUNT = 8
HERTZ = 10.0
RAISED = 20
"""Microseconds above its rest from which an output drives its motor."""
BEAT_SECONDS = 1.5
"""A vehicle sends a heartbeat every second."""


@dataclass(slots=True)
class MavlinkDrive:
    """Watches; `turn` sends the command that turns (motor, percent, seconds) and gives its MAV_RESULT.

    `speed` finds the rpm of a motor in a message named in `speeds`, None when it is not there.
    """

    bench: Bench
    count: int
    turn: Callable[[int, float, float], int]
    halt: Callable[[int], int]
    speeds: Sequence[str]
    speed: Callable[[int, str, Fields], float | None]
    where: Callable[[int], str]
    ends_alone: bool = True
    _rest: dict[int, int] = field(default_factory=dict)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Have outputs and speeds told meanwhile, and learn where the outputs rest."""
        with self.bench.rates(dict.fromkeys((OUTPUTS, *self.speeds), HERTZ)):

            def each(name: str, fields: Fields) -> bool:
                if name == OUTPUTS and fields["port"] == 0:
                    self._rest = _pulses(fields)
                return bool(self._rest)

            self.bench.listen(BEAT_SECONDS, each)
            yield

    def place(self, motor: int) -> str:
        """Say where it is."""
        return self.where(motor)

    def start(self, motor: int, percent: float, seconds: float) -> str:
        """Turn it; the vehicle ends that by itself after `seconds`."""
        refused = self.turn(motor, percent, seconds)
        return t("the vehicle refuses to turn motor {n}; is its safety switch on?", n=motor) if refused else ""

    def hold(self, motor: int, seconds: float) -> tuple[str, Sequence[float]]:
        """Watch it turn. One output may be raised; speeds are those of the second half."""
        speeds: list[float] = []
        driven: set[int] = set()
        heard = [0]

        def each(name: str, fields: Fields) -> bool:
            heard[0] += 1
            if name in self.speeds and (rpm := self.speed(motor, name, fields)) is not None:
                speeds.append(rpm)
            if name == OUTPUTS and fields["port"] == 0:
                driven.update(n for n, us in _pulses(fields).items() if us > self._rest.get(n, us) + RAISED)
            return len(driven) > 1

        self.bench.listen(seconds, each)
        if not heard[0] and seconds > BEAT_SECONDS:
            raise LinkLost(t("the vehicle fell silent"), hint=t("wait: it ends the motor test by itself"))
        if len(driven) > 1:
            listed = ", ".join(map(str, sorted(driven)))
            return t("outputs {list} were driven at once while motor {n} was to turn", list=listed, n=motor), ()
        return "", [rpm for rpm in speeds[len(speeds) // 2 :] if rpm]  # 0: the ESC tells nothing

    def stop(self, motor: int) -> str:
        """Stop it now. A vehicle that refuses ends the test by itself."""
        self.halt(motor)
        return ""

    def wait(self, seconds: float) -> None:
        """Listen for so long."""
        self.bench.listen(seconds)


def _pulses(fields: Fields) -> dict[int, int]:
    return {n: int(fields[f"servo{n}_raw"]) for n in range(1, COUNT + 1)}
