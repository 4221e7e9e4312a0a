"""The settings of the simulated PX4 copter: values in RAM, what is stored, and when it gets stored.

Rules as read in src/lib/parameters and measured on the SITL: any value of the right type is taken, whatever the
documented range; changes are stored together 0.3 s after the first, but at least 2 s after the last time; what was not
stored before a reboot is gone. Stopping this program is no reboot of the vehicle: it goes on, and stores.
"""

from __future__ import annotations

from collections.abc import Mapping

from dronekit_cfg.families.px4.checksum import checksum
from dronekit_cfg.families.px4.quirks import AIRFRAME, kept_by_reset
from dronekit_cfg.families.px4.simulated_data import Fact
from dronekit_cfg.model import Kind, Setting, Value
from dronekit_cfg.sim.memory import Memory

__all__ = ["Store"]

SAVE_DELAY, SAVE_SPACING = 0.3, 2.0
_PENDING = "?"
"""Before the name of a value that the vehicle has taken and not stored yet."""


class Store:
    """All settings of one vehicle. `limit` is how many can be stored, None for any number."""

    def __init__(self, facts: tuple[Fact, ...], memory: Memory, *, limit: int | None = None) -> None:
        self._facts = {fact.name: fact for fact in facts}
        self._memory = memory
        self._limit = limit
        self._values: dict[str, Value] = {}
        self._listed: list[Fact] = []
        self._saved = 0
        self.unsaved: dict[str, Value] = {}
        self.saved_at = float("-inf")
        for name, raw in list(memory.values.items()):
            if name.startswith(_PENDING):
                memory.store(name[len(_PENDING) :], raw)
                memory.remove([name])

    def boot(self) -> None:
        """Load what is stored; carry out a reset that SYS_AUTOCONFIG orders; see what running modules use."""
        self.lose()
        if self._memory.values.get("SYS_AUTOCONFIG") == 1:
            self._memory.remove([n for n in self._memory.values if not kept_by_reset(n)])
        stored = self._memory.values
        airframe = self._facts[AIRFRAME].value.raw
        other = stored.get(AIRFRAME, airframe) != airframe
        for name, fact in self._facts.items():
            # What the recorded airframe's script sets by default is not there with another airframe.
            start = fact.default if other and not fact.name.startswith(("CAL_", "MAV_", "SENS_")) else fact.value
            self._values[name] = Value(start.kind, stored.get(name, start.raw))
        self._listed = [f for f in self._facts.values() if f.listed and (not f.gate or self.number(f.gate) > 0)]

    def lose(self) -> None:
        """Lose what is not stored."""
        self._memory.remove([_PENDING + name for name in self.unsaved])
        self.unsaved.clear()

    def wipe(self) -> None:
        """Forget everything that is stored."""
        self._memory.wipe()
        self.unsaved.clear()

    def find(self, name: str) -> Fact | None:
        """Give a setting that the firmware knows, listed or not."""
        return self._facts.get(name)

    @property
    def listed(self) -> list[Fact]:
        """The settings in use, in the order of the list."""
        return self._listed

    def value(self, name: str) -> Value:
        """Give a value."""
        return self._values[name]

    def number(self, name: str) -> float:
        """Give a value as a number."""
        return self._values[name].number

    def index(self, name: str) -> int:
        """Give the place of a setting in the list, 65535 for one that is not listed."""
        return next((i for i, fact in enumerate(self._listed) if fact.name == name), 0xFFFF)

    def set(self, name: str, value: Value) -> None:
        """Take a value."""
        if value != self._values[name]:
            self._values[name] = value
            self.unsaved[name] = value
            self._memory.store(_PENDING + name, value.raw)

    def save_due(self, now: float) -> float:
        """Say when a change of now will be stored."""
        return max(now + SAVE_DELAY, self.saved_at + SAVE_SPACING)

    def save(self, now: float) -> None:
        """Store what is not stored yet, as far as there is room."""
        self.saved_at = now
        for name, value in list(self.unsaved.items()):
            if self._limit is not None and self._saved >= self._limit:
                self.lose()
                return
            self._memory.store(name, value.raw)
            self._memory.remove([_PENDING + name])
            self._saved += 1
        self.unsaved.clear()

    def checksum(self) -> int:
        """Give what `_HASH_CHECK` tells."""
        return checksum(Setting(fact.name, self._values[fact.name]) for fact in self._listed)

    def defaults(self) -> Mapping[str, Fact]:
        """Give all facts by name."""
        return self._facts

    @staticmethod
    def read(kind: Kind, bits: bytes) -> Value:
        """Turn the bits of a write into a value of its type."""
        import struct

        return Value(kind, struct.unpack("<f" if kind is Kind.REAL32 else "<i", bits)[0])
