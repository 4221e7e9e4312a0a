"""Writing to the simulated ArduCopter: what a write does, when it is stored, and the faults that can befall it."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable

from dronekit_cfg.families.ardupilot.simulated_core import Core, Severity
from dronekit_cfg.families.ardupilot.simulated_data import INT8, INT32, Fact, single
from dronekit_cfg.families.ardupilot.simulated_pack import Uploaded, parse_upload
from dronekit_cfg.families.ardupilot.simulated_params import fits_default, limited, same_value
from dronekit_cfg.sim.memory import MemoryValue

__all__ = ["MAV_TYPES", "Writer"]

MAV_TYPES = {1: 2, 2: 4, 3: 6, 4: 9}
"""MAV_PARAM_TYPE by storage type."""
REAL32 = 9
SAVE_SECONDS = 0.0012
"""From a write to its echo when nothing else waits; measured 0.4 to 3 ms."""
SAVE_SPACING = 0.0003
ALLOCATION_SECONDS = 0.1
"""What the firmware waits after each switch that an upload turns on."""
UPLOAD_PASSES = 4
BROWNOUT_LOST = 3
"""How many of the last stores a brown-out undoes."""


class Writer:
    """Takes writes of one vehicle. `after_write(now)` is called when one took effect, with the faults that count."""

    def __init__(self, core: Core, after_write: Callable[[int, float], None]) -> None:
        self._core = core
        self._after_write = after_write
        self._echo_random = core.random
        self.written = 0
        self._stored = 0
        self._echoes = 0
        self._free_at = -math.inf
        self._undo: deque[tuple[str, MemoryValue | None]] = deque(maxlen=BROWNOUT_LOST)

    def reset(self) -> None:
        """Start anew after a reboot; counters of faults go on."""
        self._free_at = -math.inf

    def write(self, name: str, value: float, now: float) -> None:
        """Do what PARAM_SET does: silence for unknown names and for what is no number, else an echo when stored."""
        fact = self._core.store.find(name)
        if fact is None or not math.isfinite(value):
            return
        old = self._core.store.value(fact.name)
        if not self._core.store.writable(fact):
            self._core.say(Severity.WARNING, f"Param write denied ({name})")
            self.echo(fact, old, MAV_TYPES[fact.type])
            return
        self._put(fact, limited(fact.type, self._clamped(fact, value)))
        force = not same_value(single(value), single(float(old)))
        self._free_at = max(now + SAVE_SECONDS, self._free_at + SAVE_SPACING)
        self._core.agenda.add(self._free_at, lambda _: self._save(fact, old, force=force))
        self._counted(now)

    def upload(self, content: bytes, now: float) -> float:
        """Apply an uploaded packed file; give the seconds it takes. Says nothing and echoes nothing."""
        waited = 0.0
        for _ in range(UPLOAD_PASSES):
            switched = sum(self._upload_one(record, now) for record in parse_upload(content))
            waited += switched * ALLOCATION_SECONDS
            if not switched:
                break
        return waited

    def echo(self, fact: Fact, value: float, mav_type: int) -> None:
        """Send an unsolicited PARAM_VALUE."""
        self._core.send(
            "PARAM_VALUE",
            param_id=fact.name,
            param_value=single(float(value)),
            param_type=mav_type,
            param_count=self._core.store.count,
            param_index=0xFFFF,
        )

    def undo_last(self) -> None:
        """Lose the last stores, as a brown-out does before the storage was really written."""
        while self._undo:
            name, old = self._undo.pop()
            if old is None:
                self._core.memory.remove([name])
            else:
                self._core.memory.store(name, old)

    def _upload_one(self, record: Uploaded, now: float) -> bool:
        """Apply one record; say whether it turned a switch on."""
        store = self._core.store
        fact = store.find(record.name)
        if fact is None or not store.writable(fact):
            return False
        old = store.value(fact.name)
        if record.type == INT32 == fact.type:
            self._put(fact, int(self._clamped(fact, record.value)))
        elif record.type in MAV_TYPES and math.isfinite(record.value):
            self._put(fact, limited(fact.type, self._clamped(fact, single(record.value))))
        self._store(fact, force=False)
        if not same_value(old, store.value(fact.name)):
            self._counted(now)
        return store.is_switch(fact) and fact.type == INT8 and old == 0 != store.value(fact.name)

    def _put(self, fact: Fact, value: float) -> None:
        self._core.store.set(fact, value)
        if fact.name == self._core.firmware.sysid_name:
            self._core.take_address()

    def _clamped(self, fact: Fact, value: float) -> float:
        limit = self._core.faults.clamp.get(fact.name)
        return value if limit is None else min(value, limit)

    def _counted(self, now: float) -> None:
        self.written += 1
        self._after_write(self.written, now)

    def _store(self, fact: Fact, *, force: bool) -> bool:
        """Store as the firmware would; False when the storage is full and holds no copy that could be overwritten."""
        limit = self._core.faults.storage_full
        if limit is not None and self._stored >= limit and not self._core.store.is_stored(fact):
            return False
        before = self._core.memory.values.get(fact.name)
        if self._core.store.save(fact, force=force):
            self._stored += 1
            if not self._undo or self._undo[-1][0] != fact.name:
                self._undo.append((fact.name, before))
        return True

    def _save(self, fact: Fact, old: float, *, force: bool) -> None:
        store = self._core.store
        value = store.value(fact.name)
        # A value that is not worth storing is echoed with the type of its group, which is none: REAL32 on the wire.
        skipped = not force and not store.is_stored(fact) and fits_default(fact, value)
        if not self._store(fact, force=force):
            return
        mav_type = REAL32 if skipped and not fact.plain else MAV_TYPES[fact.type]
        if not self._echo_is_lost():
            self.echo(fact, old if self._echo_is_old() else value, mav_type)

    def _echo_is_lost(self) -> bool:
        self._echoes += 1
        lost = self._core.faults.echo_lost
        if lost is None:
            return False
        return self._echo_random.random() < lost if lost < 1 else self._echoes <= lost

    def _echo_is_old(self) -> bool:
        stale = self._core.faults.echo_old
        return stale is not None and self._echoes <= stale
