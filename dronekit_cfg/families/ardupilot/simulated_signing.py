"""Message signing of the simulated ArduCopter: the key that it keeps, and the clock that it has not.

As the firmware: the key and the newest time are stored; without a clock of its own the vehicle goes on from that time,
and takes the time from signed messages that it hears. On its USB port it takes what is not signed all the same
[ArduPilot libraries/GCS_MAVLink/GCS_Signing.cpp].
"""

from __future__ import annotations

from dronekit_cfg.families.ardupilot.simulated_core import Core
from dronekit_cfg.wire.mavlink import Message
from dronekit_cfg.wire.mavlink_signing import EPOCH, NO_KEY, TICKS

__all__ = ["Signing"]

KEY, TIME = "~signing-key", "~signing-time"
"""Names in the memory that no setting can have."""


class Signing:
    """The signing of one vehicle. `usb`: this is the port on which unsigned messages are taken, too."""

    def __init__(self, core: Core, *, usb: bool) -> None:
        self._core = core
        self._usb = usb

    def load(self, now: float) -> None:
        """Sign with the stored key, if there is one, from a boot on."""
        key, ticks = self._core.memory.values.get(KEY), self._core.memory.values.get(TIME, 0)
        if isinstance(key, str) and isinstance(ticks, int):
            self._sign(bytes.fromhex(key), ticks, now)
        else:
            self._core.codec.sign_with(None, lambda: 0.0)

    def set_up(self, message: Message, now: float) -> None:
        """Take a key and the time; zeros for both take it away."""
        key, ticks = bytes(message["secret_key"]), int(message["initial_timestamp"])
        if key == NO_KEY and not ticks:
            self._core.memory.remove([KEY, TIME])
        else:
            self._core.memory.store_many({KEY: key.hex(), TIME: ticks})
        self.load(now)

    def _sign(self, key: bytes, ticks: int, start: float) -> None:
        began = EPOCH + ticks / TICKS
        self._core.codec.takes_unsigned = self._usb
        self._core.codec.sign_with(key, lambda: began + self._core.clock - start)
