"""The parameter store of the simulated ArduCopter: RAM values over stored copies, and groups behind switches.

Rules as measured on the real SITL and described in `libraries/AP_Param` of ArduPilot: a write is limited to the storage
type, without any range check; a value that equals the default (or is within 0.01 % of it) is only stored when the
write is forced or a stored copy is there already; a switch that is off hides its group from the list, but settings
that are there in memory can still be read and written by name.
"""

from __future__ import annotations

from collections.abc import Mapping

from dronekit_cfg.families.ardupilot.simulated_data import FLOAT, INT8, INT16, INT32, Condition, Exists, Fact, single
from dronekit_cfg.sim.memory import Memory

__all__ = ["ParameterStore", "fits_default", "limited", "same_value"]

FORMAT = "FORMAT_VERSION"
_EPSILON = 2.0**-23
"""Two float32 count as equal in ArduPilot when they are closer than this, whatever their size (FLT_EPSILON)."""

_RANGES: Mapping[int, tuple[int, int]] = {
    INT8: (-(1 << 7), (1 << 7) - 1),
    INT16: (-(1 << 15), (1 << 15) - 1),
    INT32: (-(1 << 31), (1 << 31) - 1),
}


def same_value(one: float, other: float) -> bool:
    """Whether ArduPilot takes two values for equal."""
    return abs(one - other) < _EPSILON


def fits_default(fact: Fact, value: float) -> bool:
    """Whether a value is so close to the default that an unforced save does not store it."""
    if same_value(value, fact.default):
        return True
    return fact.type != INT32 and abs(value - fact.default) < single(0.0001) * abs(value)


def limited(kind: int, value: float) -> int | float:
    """Turn a float32 from the wire into what the storage type holds: cut towards zero after adding 0.01, clamped."""
    if kind == FLOAT:
        return single(value)
    low, high = _RANGES[kind]
    nudged = single(single(value) + (single(-0.01) if value < 0 else single(0.01)))
    if kind == INT32 and nudged > high:
        return high  # what the cast of a board's processor does; the real SITL dies of a floating point exception
    return max(low, min(high, int(nudged)))


class ParameterStore:
    """All parameters of one vehicle.

    Of facts with one name (other defaults for another kind) at most one exists. `boot` must be called before anything
    else, and again for every reboot. `denied` are settings that refuse writes although the firmware would take them.
    """

    def __init__(self, facts: tuple[Fact, ...], memory: Memory, *, denied: frozenset[str] = frozenset()) -> None:
        self._facts = facts
        self._by_name: dict[str, list[Fact]] = {}
        for fact in facts:
            self._by_name.setdefault(fact.name, []).append(fact)
        self._format = self._by_name[FORMAT][0].default
        self._memory = memory
        self._denied = denied
        self._values: dict[str, int | float] = {}
        self._latched: set[Condition] = set()
        self._listed: tuple[Fact, ...] | None = None
        self._by_switch: dict[str, list[Condition]] = {}
        for condition in {c for fact in facts for c in fact.conditions}:
            self._by_switch.setdefault(condition.switch, []).append(condition)

    def boot(self) -> None:
        """Load the stored copies; what was only in RAM is gone. Bring groups into being whose switch is on.

        A stored format version that is not the firmware's own makes it erase everything first.
        """
        stored = self._memory.values
        if stored.get(FORMAT, self._format) != self._format:
            self._memory.wipe()
        self._values = {fact.name: fact.value for fact in self._facts}
        for name in stored.keys() & self._by_name.keys():
            value = stored[name]
            if not isinstance(value, str):
                self._values[name] = _as_type(self._by_name[name][0].type, value)
        self._latched.clear()
        self._listed = None
        for switch, conditions in self._by_switch.items():
            value = self._values.get(switch, 0)
            self._latched.update(c for c in conditions if c.exists is Exists.REBOOT and c.met(value))
        for name, facts in self._by_name.items():
            if len(facts) > 1 and name not in stored:
                self._values[name] = (self.find(name) or facts[0]).value

    def find(self, name: str) -> Fact | None:
        """Give a parameter that exists now, listed or not, in whatever case its name is written."""
        facts = self._by_name.get(name) or self._by_name.get(name.upper()) or ()
        return next((fact for fact in facts if self._exists(fact)), None)

    def listed(self) -> tuple[Fact, ...]:
        """Give the parameters that a download shows, in order."""
        if self._listed is None:
            self._listed = tuple(fact for fact in self._facts if not fact.conditions or self._shown(fact))
        return self._listed

    @property
    def count(self) -> int:
        """How many parameters are listed."""
        return len(self.listed())

    def value(self, name: str) -> int | float:
        """Give the value in RAM."""
        return self._values[name]

    def writable(self, fact: Fact) -> bool:
        """Whether writes over MAVLink are taken."""
        return not fact.internal and fact.name not in self._denied

    def is_switch(self, fact: Fact) -> bool:
        """Whether other parameters depend on this one."""
        return fact.name in self._by_switch

    def set(self, fact: Fact, value: float) -> None:
        """Put a value that fits the type into RAM."""
        self._values[fact.name] = value
        if fact.name in self._by_switch:
            self._listed = None

    def is_stored(self, fact: Fact) -> bool:
        """Whether there is a stored copy."""
        return fact.kept or fact.name in self._memory.values

    def save(self, fact: Fact, *, force: bool) -> bool:
        """Store the value in RAM if the firmware would; say whether it is in storage now."""
        value = self._values[fact.name]
        if not self.is_stored(fact) and not force and fits_default(fact, value):
            return False
        self._memory.store(fact.name, value)
        return True

    def set_volatile(self, values: Mapping[str, int | float]) -> None:
        """Set and store values that the firmware changes by itself (counters, calibration at boot)."""
        for name, value in values.items():
            fact = self.find(name)
            if fact is not None:
                self.set(fact, _as_type(fact.type, value))
                self.save(fact, force=True)

    def erase(self) -> None:
        """Erase all stored copies; RAM keeps its values until the reboot."""
        self._memory.wipe()

    def _exists(self, fact: Fact) -> bool:
        return all(c.exists is Exists.HIDDEN or c in self._latched for c in fact.conditions)

    def _shown(self, fact: Fact) -> bool:
        return all(
            c in self._latched if c.exists is Exists.REBOOT else c.met(self._values.get(c.switch, 0))
            for c in fact.conditions
        )


def _as_type(kind: int, value: float) -> int | float:
    if kind == FLOAT:
        return single(value)
    low, high = _RANGES[kind]
    return max(low, min(high, int(value)))
