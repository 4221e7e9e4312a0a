"""Feeds the Betaflight simulator with a vehicle at rest and a transmitter, over its UDP ports.

The simulator measures nothing by itself: without a feed its gyro never calibrates and no radio is heard. Packets, as
doubles and 16-bit pulses in the machine's byte order [Betaflight 4.6.0 src/platform/SIMULATOR/target/SITL/target.h,
sitl.c; checked on the simulator]:

* to 9003: time s, body rates rad/s (3), specific force m/s2 with the sign turned (3), attitude quaternion w x y z,
  velocity m/s (3), longitude, latitude, altitude m, pressure Pa;
* to 9004: time s, 16 pulses in us.
"""

from __future__ import annotations

import socket
import struct
import threading

__all__ = ["CHANNELS", "BetaflightFeed"]

STATE_PORT, RC_PORT = 9003, 9004
PERIOD = 0.025
"""Seconds between packets, and exactly between their times. Under 20 ms the firmware bends its own clock to follow
them, and a busy computer's jitter makes it crawl or leap [sitl.c updateState; seen: a boot grace that never ended]."""
CHANNELS = 16
GRAVITY = 9.80665
SEA_LEVEL = 101325.0
HERE = (30.52, 50.45, 120.0)
"""Longitude, latitude, altitude of the simulated vehicle."""
NO_PULSE = 0
"""A pulse that the firmware takes for none: a receiver without a link."""


class BetaflightFeed:
    """A vehicle at rest, level, with its sticks at rest. Starts and stops a thread; both may be called again."""

    def __init__(self, state_port: int = STATE_PORT, radio_port: int = RC_PORT) -> None:
        self._ports = state_port, radio_port
        self._lock = threading.Lock()
        self._channels = [1500, 1500, 1000, 1500] + [1000] * (CHANNELS - 4)
        self._heard = True
        self._rates = (0.0, 0.0, 0.0)
        self._end = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to send."""
        if self._thread is None:
            self._end.clear()
            self._thread = threading.Thread(target=self._run, name="betaflight-feed", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Send no more."""
        if self._thread is not None:
            self._end.set()
            self._thread.join()
            self._thread = None

    def channels(self, *pulses: int) -> None:
        """Set the first channels, in the transmitter's order (AETR by default), in us."""
        with self._lock:
            self._channels[: len(pulses)] = pulses

    def channel(self, number: int, pulse: int) -> None:
        """Set one channel, counted from 1."""
        with self._lock:
            self._channels[number - 1] = pulse

    def lose_radio(self) -> None:
        """Send pulses that are none on every channel, as a receiver does that has lost its link."""
        self._heard = False

    def find_radio(self) -> None:
        """Send the channels again."""
        self._heard = True

    def turn(self, roll: float, pitch: float, yaw: float) -> None:
        """Let the gyro show these rates in rad/s."""
        with self._lock:
            self._rates = (roll, pitch, yaw)

    def _run(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
            moment = 0.0
            while not self._end.is_set():
                moment += PERIOD
                with self._lock:
                    channels = list(self._channels) if self._heard else [NO_PULSE] * CHANNELS
                    rates = self._rates
                state = (moment, *rates, 0.0, 0.0, -GRAVITY, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, *HERE, SEA_LEVEL)
                self._send(port, struct.pack("18d", *state), self._ports[0])
                self._send(port, struct.pack(f"d{CHANNELS}H", moment, *channels), self._ports[1])
                self._end.wait(PERIOD)

    def _send(self, port: socket.socket, data: bytes, number: int) -> None:
        try:
            port.sendto(data, ("127.0.0.1", number))
        except OSError:
            return  # the simulator restarts; the next packet may find it
