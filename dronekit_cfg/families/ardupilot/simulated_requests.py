"""Reading parameters from the simulated ArduCopter: the list, and single ones by name or index.

Pace as recorded from the real SITL: parameters leave in a pass every 0.1 s, at most 5 answers to single requests and
221 messages in all; 20 single requests are kept, more are lost without a word.
"""

from __future__ import annotations

from collections import deque

from dronekit_cfg.families.ardupilot.simulated_core import Core
from dronekit_cfg.families.ardupilot.simulated_data import Fact, single
from dronekit_cfg.families.ardupilot.simulated_writes import MAV_TYPES

__all__ = ["Reader"]

PASS_SECONDS = 0.1
PASS_LIMIT = 221
"""As many PARAM_VALUE as fit the send buffer of 8192 bytes."""
REPLY_LIMIT = 5
QUEUE_LIMIT = 20


class Reader:
    """Answers PARAM_REQUEST_LIST and PARAM_REQUEST_READ of one vehicle."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.reset()

    def reset(self) -> None:
        """Start anew after a reboot."""
        self._requests: deque[tuple[str, int]] = deque()
        self._list: tuple[Fact, ...] = ()
        self._position = 0
        self._planned = False

    def request_list(self, now: float) -> None:
        """Begin the list from its start, whatever was under way."""
        self._core.banner()
        self._list = self._core.store.listed()
        self._position = 0
        self._plan(now)

    def request_read(self, name: str, index: int, now: float) -> None:
        """Queue a request by name (`index` -1) or by index."""
        if len(self._requests) < QUEUE_LIMIT:
            self._requests.append((name, index))
        self._plan(now)

    def _plan(self, now: float) -> None:
        if not self._planned:
            self._planned = True
            passes = (now - self._core.booted_at) // PASS_SECONDS + 1
            due = self._core.booted_at + passes * PASS_SECONDS
            self._core.agenda.add(due if due > now else due + PASS_SECONDS, self._pass)

    def _pass(self, now: float) -> None:
        answered = 0
        while self._requests and answered < REPLY_LIMIT:
            answered += self._answer(*self._requests.popleft())
        room = PASS_LIMIT - answered
        for fact in self._list[self._position : self._position + room]:
            self._value(fact, fact.name, self._position, len(self._list))
            self._position += 1
        if self._position >= len(self._list):
            self._list, self._position = (), 0
        self._planned = bool(self._requests or self._list)
        if self._planned:
            self._core.agenda.add(now + PASS_SECONDS, self._pass)

    def _answer(self, name: str, index: int) -> bool:
        store = self._core.store
        if index == -1:
            fact = store.find(name)
        else:
            listed = store.listed()
            fact = listed[index] if 0 <= index < len(listed) else None
        if fact is not None:
            # An answer by name carries the name as it was asked for, whatever its case, and no index.
            self._value(fact, name if index == -1 else fact.name, index & 0xFFFF, store.count)
        return fact is not None

    def _value(self, fact: Fact, name: str, index: int, count: int) -> None:
        self._core.send(
            "PARAM_VALUE",
            param_id=name,
            param_value=single(float(self._core.store.value(fact.name))),
            param_type=MAV_TYPES[fact.type],
            param_count=count,
            param_index=index,
        )
