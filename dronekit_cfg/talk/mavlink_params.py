"""Settings of a MAVLink vehicle over the parameter protocol: the whole list, and single ones by name.

Facts (ArduPilot GCS_Param.cpp): reads are queued in order, 20 at most, and more are dropped without a word; an unknown
name is answered with silence; replies to reads by name and echoes of writes both bear index 65535. So a question with
a certain answer (a read by index, the "probe") is sent behind each batch: once it is answered, everything before it was
either answered, lost, or unknown to the vehicle.
"""

from __future__ import annotations

import math
import struct
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

from dronekit_cfg.errors import NoAnswer
from dronekit_cfg.events import Progress
from dronekit_cfg.model import INT_RANGES, Kind, Setting, Value
from dronekit_cfg.talk.flow import Flow
from dronekit_cfg.talk.mavlink_conversation import Conversation
from dronekit_cfg.text import t
from dronekit_cfg.wire.mavlink import Message

__all__ = [
    "NO_INDEX",
    "TYPE_NUMBERS",
    "download_list",
    "read_by_index",
    "read_by_name",
    "read_values",
    "value_of",
    "write_bytes",
]

NO_INDEX = 65535
TYPE_NUMBERS = {
    Kind.UINT8: 1,
    Kind.INT8: 2,
    Kind.UINT16: 3,
    Kind.INT16: 4,
    Kind.UINT32: 5,
    Kind.INT32: 6,
    Kind.REAL32: 9,
}
_KINDS = {number: kind for kind, number in TYPE_NUMBERS.items()}
_WIDE = frozenset({Kind.INT32, Kind.UINT32})
"""The integer kinds that a bytewise vehicle has (PX4: INT32, and UINT32 for its checksum)."""

BATCH = 10
"""Reads in flight. ArduPilot's queue holds 20."""
SILENT_ROUNDS = 6
"""Rounds without any answer until a vehicle counts as silent."""
LIST_TRIES = 4
LIST_RESTARTS = 5
GAP_ROUNDS = 8
LIST_QUIET = 0.6
"""Seconds without a value after which a list counts as finished and its gaps are asked for."""
PROBES = 8


def value_of(message: Message, *, bytewise: bool = False) -> Value | None:
    """Give the value of a PARAM_VALUE, sent as C cast (ArduPilot) or `bytewise` (PX4); None for one that cannot be.

    A float32 cannot hold integers above 2^24 exactly, so the largest INT32 arrives as 2147483648: it is cut to range.
    """
    kind = _KINDS.get(message["param_type"])
    number: float = message["param_value"]
    if kind is None:
        return None
    if kind is Kind.REAL32:
        return Value(kind, number)
    if bytewise:
        bits = message.payload[:4].ljust(4, b"\0") if message.payload else struct.pack("<f", number)
        low, _ = INT_RANGES[kind]
        whole = int.from_bytes(bits, "little", signed=low < 0)
        return Value(kind, whole) if kind in _WIDE else None
    if not math.isfinite(number) or number != int(number):
        return None
    low, high = INT_RANGES[kind]
    return Value(kind, min(max(int(number), low), high))


def write_bytes(conversation: Conversation, name: str, wanted: Value) -> bytes:
    """Give the PARAM_SET of one value in the encoding of the vehicle."""
    bits = b""
    if conversation.bytewise and wanted.kind in _WIDE:
        bits = int(wanted.number).to_bytes(4, "little", signed=wanted.kind is Kind.INT32)
    return conversation.codec.encode(
        "PARAM_SET",
        bits,
        **conversation.target,
        param_id=name,
        param_value=float(wanted.number),
        param_type=TYPE_NUMBERS[wanted.kind],
    )


def read_by_name(conversation: Conversation, name: str) -> bytes:
    """Give the request for one setting by name. Raises ValueError for names over 16 characters."""
    return conversation.codec.encode("PARAM_REQUEST_READ", **conversation.target, param_id=name, param_index=-1)


def read_by_index(conversation: Conversation, index: int) -> bytes:
    """Give the request for one setting by its place in the list."""
    return conversation.codec.encode("PARAM_REQUEST_READ", **conversation.target, param_id="", param_index=index)


@dataclass(slots=True)
class _List:
    """A list as far as it has arrived.

    `late` are values sent outside of the list: newer than the list's. `newest_count` is the number of settings that the
    vehicle told with them: ArduPilot keeps the number of the beginning throughout a list.
    """

    count: int = 0
    newest_count: int = 0
    names: dict[int, str] = field(default_factory=dict)
    values: dict[str, Value] = field(default_factory=dict)
    late: dict[str, Value] = field(default_factory=dict)
    bytewise: bool = False
    helpers: int = 0
    asked: set[int] = field(default_factory=set)

    def take(self, message: Message) -> bool:
        """Take one PARAM_VALUE; False when it shows that the list changed under our hands."""
        value = value_of(message, bytewise=self.bytewise)
        index, name = message["param_index"], message["param_id"]
        if value is None:
            return True
        if index == NO_INDEX:
            self.newest_count = message["param_count"]
            self.late[name] = value
            return True
        self.count = self.count or message["param_count"]
        if message["param_count"] != self.count or self.names.get(index, name) != name:
            return False
        if index not in self.names and name in self.values:
            return False
        self.names[index] = name
        self.values[name] = value
        return True

    def help(self) -> list[int]:
        """Give the next places to read beside the list."""
        if not self.helpers or not self.count:
            return []
        self.asked -= self.names.keys()
        places = (i for i in range(self.count - 1, -1, -1) if i not in self.names and i not in self.asked)
        chosen = [i for i, _ in zip(places, range(self.helpers - len(self.asked)), strict=False)]
        self.asked.update(chosen)
        return chosen

    @property
    def complete(self) -> bool:
        return bool(self.count) and len(self.names) == self.count

    def settings(self) -> tuple[Setting, ...]:
        names = (self.names[i] for i in sorted(self.names))
        return tuple(Setting(n, self.late.get(n, self.values[n])) for n in names)


def download_list(conversation: Conversation, *, helpers: int = 0) -> Flow[tuple[Setting, ...]]:
    """Read every listed setting, with the types that the vehicle tells, without defaults.

    `helpers` are reads by index that are kept in flight beside the list, from its end on, for a vehicle that answers
    reads at once while a list leaves slowly (PX4); the rest of its list is then stopped.

    Gaps are asked for by index. When the number of settings changes meanwhile (an enable, a boot in progress) the list
    is taken again. Raises NoAnswer.
    """
    for _ in range(LIST_RESTARTS):
        found = _List(bytewise=conversation.bytewise, helpers=helpers)
        whole = yield from _fill(conversation, found)
        conversation.watch.list_is_ours()
        if whole and found.newest_count in (0, found.count):
            return found.settings()
        # What is still on its way belongs to the list that is given up.
        yield from conversation.drain(quiet=0.05, limit=0.5)
    raise NoAnswer(
        t("the list of settings changes each time it is read"),
        hint=t("wait until the vehicle has finished booting, then try again"),
    )


def _fill(conversation: Conversation, found: _List) -> Flow[bool]:
    """Fill `found`; False when it has to be taken again."""
    fruitless = 0
    while not found.complete:
        before = len(found.names)
        send = _next_request(conversation, found)
        until = conversation.now + max(LIST_QUIET, conversation.reads.wait(fruitless))
        while not found.complete:
            message = yield from conversation.next(send, until)
            send = b""
            if message is None:
                break
            if message.name != "PARAM_VALUE":
                continue
            if not found.take(message):
                return False
            if message["param_index"] != NO_INDEX:
                until = conversation.now + LIST_QUIET
                send = b"".join(read_by_index(conversation, i) for i in found.help())
                _report(conversation, len(found.names), found.count)
        found.asked.clear()
        fruitless = 0 if len(found.names) > before else fruitless + 1
        if fruitless >= (GAP_ROUNDS if found.count else LIST_TRIES):
            raise NoAnswer(
                t("only {done} of {total} settings arrived", done=len(found.names), total=found.count or "?"),
                hint=t("check the link; a vehicle that is still starting has no settings yet: try again"),
            )
    if found.helpers:
        yield from conversation.next(_stop_list(conversation))
    return True


def _stop_list(conversation: Conversation) -> bytes:
    """Give what stops a list of PX4: a write to _HASH_CHECK, whatever the value [mavlink_parameters.cpp]."""
    return conversation.codec.encode(
        "PARAM_SET",
        **conversation.target,
        param_id="_HASH_CHECK",
        param_value=0.0,
        param_type=TYPE_NUMBERS[Kind.UINT32],
    )


def _next_request(conversation: Conversation, found: _List) -> bytes:
    if not found.names:
        return conversation.codec.encode("PARAM_REQUEST_LIST", **conversation.target)
    gaps = (i for i in range(found.count) if i not in found.names)
    return b"".join(read_by_index(conversation, i) for i, _ in zip(gaps, range(BATCH), strict=False))


def _report(conversation: Conversation, done: int, total: int) -> None:
    if done % 50 == 0 or done == total:
        conversation.session.report(Progress(t("settings"), done, total))


@dataclass(slots=True)
class _Reading:
    """What is still missing of a read by names; `misses` counts probes that were answered while a name was not."""

    found: dict[str, Value | None] = field(default_factory=dict)
    misses: Counter[str] = field(default_factory=Counter)
    lossy: bool = False
    count: int = 1
    bytewise: bool = False

    def take(self, message: Message) -> int | None:
        """Take one message; give the index of a reply to a probe."""
        name = message.fields.get("param_id")
        if message.name == "PARAM_ERROR" and message["error"] == 1:
            self.found[message["param_id"]] = None
        if message.name != "PARAM_VALUE" or not isinstance(name, str):
            return None
        value = value_of(message, bytewise=self.bytewise)
        if value is not None:
            self.lossy = self.lossy or self.misses[name] > 0
            self.found[name] = value
        self.count = message["param_count"] or 1
        index = message["param_index"]
        return None if index == NO_INDEX else int(index)

    def missed(self, names: list[str]) -> None:
        """The probe behind these names was answered, they were not. After enough of that a name is unknown."""
        for name in names:
            self.misses[name] += 1
            if self.misses[name] >= (8 if self.lossy else 4):
                self.found[name] = None


def read_values(conversation: Conversation, names: Collection[str]) -> Flow[dict[str, Value | None]]:
    """Read settings by name, listed or not; None for those the vehicle does not know. Raises NoAnswer."""
    yield from conversation.drain()
    reading = _Reading(bytewise=conversation.bytewise)
    # A name that no vehicle can know is not asked for.
    reading.found.update((n, None) for n in names if not (n.isascii() and 0 < len(n) <= 16))
    silent = turn = 0
    while missing := [n for n in dict.fromkeys(names) if n not in reading.found]:
        batch = missing[:BATCH]
        turn += 1
        answered = yield from _read_batch(conversation, reading, batch, turn % min(PROBES, reading.count), silent)
        left = [n for n in batch if n not in reading.found]
        if answered:
            reading.missed(left)
        elif left:
            reading.lossy = True
        silent = 0 if answered or len(left) < len(batch) else silent + 1
        if silent >= SILENT_ROUNDS:
            raise NoAnswer(
                t("the vehicle does not answer questions about its settings"),
                hint=t("check the link; a vehicle that is still starting has no settings yet: try again"),
            )
    return {name: reading.found[name] for name in names}


def _read_batch(conversation: Conversation, reading: _Reading, batch: list[str], probe: int, silent: int) -> Flow[bool]:
    """Ask for a batch and a probe behind it; whether the probe was answered. Ends early once all names are."""
    send = b"".join(read_by_name(conversation, n) for n in batch) + read_by_index(conversation, probe)
    asked = conversation.now
    until = asked + conversation.reads.wait(silent)
    while any(n not in reading.found for n in batch):
        message = yield from conversation.next(send, until)
        send = b""
        if message is None:
            return False
        index = reading.take(message)
        if message.name == "PARAM_VALUE":
            until = max(until, conversation.now + conversation.reads.wait(silent))
        if index == probe:
            if not silent:
                conversation.reads.measured(conversation.now - asked)
            return True
    if not silent and not reading.misses:
        conversation.reads.measured(conversation.now - asked)  # every name was asked for once and answered
    return False
