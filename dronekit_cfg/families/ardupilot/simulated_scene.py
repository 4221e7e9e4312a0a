"""The world around the simulated ArduCopter: a quad that stands still on its home, with noise that a seed decides.

Values are those of the real SITL at its default place (Canberra model airfield) with the noise of a real board. The
noise is a function of time, not a stream of random numbers, so it does not depend on who asks how often.
"""

from __future__ import annotations

import math
from random import Random

__all__ = ["Noise", "Scene"]

_WAVES = 4


class Noise:
    """Smooth noise within about -1..1 per channel."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._waves: dict[str, tuple[tuple[float, float], ...]] = {}

    def __call__(self, channel: str, seconds: float) -> float:
        """Give the noise of a channel at a time."""
        waves = self._waves.get(channel)
        if waves is None:
            random = Random(f"{self._seed}/{channel}")  # noqa: S311 - noise of a simulation, no secret
            waves = tuple((random.uniform(0.05, 3.0), random.uniform(0, 2 * math.pi)) for _ in range(_WAVES))
            self._waves[channel] = waves
        return sum(math.sin(frequency * seconds + phase) for frequency, phase in waves) / _WAVES


class Scene:
    """What the sensors see. Times are seconds since the boot; angles radians; positions degrees x 1e7 and mm."""

    latitude = -353632621
    longitude = 1491652374
    altitude = 584090
    heading = -0.122
    pressure = 945.03
    unix_at_boot = 1_795_000_000.0

    def __init__(self, seed: int) -> None:
        self.noise = Noise(seed)

    def satellites(self, seconds: float) -> int:
        """Give the satellites in use; none before the receiver has started."""
        return 10 if self.located(seconds) else 0

    def located(self, seconds: float) -> bool:
        """Whether GNSS has a fix; the real SITL has one about 10 s after its boot."""
        return seconds > 10.0

    def aligned(self, seconds: float) -> bool:
        """Whether the EKF uses GNSS; the real SITL does so about 20 s after its boot."""
        return seconds > 20.0

    def voltage(self, seconds: float, *, armed: bool) -> float:
        """Give the battery's volts."""
        return 12.6 + 0.01 * self.noise("volt", seconds) - (0.4 if armed else 0.0)

    def current(self, seconds: float, *, armed: bool) -> float:
        """Give the battery's amperes."""
        return max(0.0, (2.4 if armed else 0.0) + 0.02 * self.noise("ampere", seconds))

    def attitude(self, seconds: float) -> tuple[float, float, float]:
        """Give roll, pitch, yaw."""
        noise = self.noise
        return (
            0.002 + 0.0015 * noise("roll", seconds),
            0.002 + 0.0015 * noise("pitch", seconds),
            self.heading + 0.002 * noise("yaw", seconds),
        )

    def rates(self, seconds: float) -> tuple[float, float, float]:
        """Give roll, pitch and yaw rate in rad/s."""
        noise = self.noise
        return 0.0008 * noise("p", seconds), 0.0008 * noise("q", seconds), 0.001 * noise("r", seconds)

    def position(self, seconds: float) -> tuple[float, float, float]:
        """Give north, east and up from home in metres."""
        noise = self.noise
        return 0.03 * noise("north", seconds), 0.03 * noise("east", seconds), 0.02 * noise("up", seconds)

    def velocity(self, seconds: float) -> tuple[float, float, float]:
        """Give the velocity north, east and down in m/s."""
        noise = self.noise
        return 0.02 * noise("vn", seconds), 0.02 * noise("ve", seconds), 0.01 * noise("vd", seconds)

    def channels(self) -> tuple[int, ...]:
        """Give the pulses of the transmitter's channels in microseconds."""
        return 1500, 1500, 1000, 1500, 1800, 1000, 1000, 1800
