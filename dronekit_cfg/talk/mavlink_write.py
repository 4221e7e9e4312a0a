"""Write settings of a MAVLink vehicle: a window of writes in flight, each with its own state, none believed unseen.

Facts (ArduPilot GCS_Param.cpp, AP_Param.cpp; recorded sessions): a write is answered by a PARAM_VALUE with index 65535
once it is saved; out-of-type values are cut; a refused write is answered with the old value and the text "Param write
denied (NAME)"; unknown names and NaN are answered with silence; so is a write to full storage, although the value in
memory did change. Echoes may be lost, doubled, or older than our write.

So only a PARAM_VALUE that equals the wanted value ends a write well. Any other one is checked by reading the setting,
twice, and by writing once more, before the write counts as refused. Silence is told apart with a probe, a read by index
behind the read by name: probe answered and name not means that the vehicle does not know it.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from dronekit_cfg.events import Progress
from dronekit_cfg.model import INT_RANGES, Change, Kind, Outcome, Value, Verdict, float32
from dronekit_cfg.talk.flow import Flow
from dronekit_cfg.talk.mavlink_conversation import Conversation
from dronekit_cfg.talk.mavlink_others import wait_for_list
from dronekit_cfg.talk.mavlink_params import NO_INDEX, PROBES, read_by_index, read_by_name, value_of, write_bytes
from dronekit_cfg.text import t
from dronekit_cfg.wire.mavlink import Message

__all__ = ["unsendable", "write_values"]

WINDOW, WIDEST = 10, 24
"""Writes in flight: more only where the line is long and wide. ArduPilot's queue of values to store holds 30 and stalls
its main loop when it is full (AP_Param.cpp)."""
LONG_SECONDS = 0.05
"""A shorter round trip is no reason for more: ten writes in it are 200 in a second."""
ECHO_BYTES = 37
SLACK = 1.5
SETS = 3
"""Writes sent without an answer until the setting is read instead."""
ROUNDS, ROUNDS_LOSSY = 2, 6
"""How often a write is begun before an old value that stays counts as refused; more often where messages get lost."""
SILENT_READS = 12
MISSES, MISSES_LOSSY = 4, 12
SILENCE_SECONDS = 10.0
"""A vehicle that answers nothing at all for so long is lost, and all that is left with it."""
LATE_SECONDS = 0.02
"""Answers that already wait in our buffers come before a repeat."""
SECOND_ECHO_SECONDS = 0.1
"""A write to one axis of a vector is echoed twice: the old value at once and, some milliseconds later, the one that was
stored (seen on ArduCopter 4.7-dev). So an echo of the old value is given this long before the setting is read."""
_DENIED = re.compile(r"write denied \((\w+)\)", re.IGNORECASE)
_ERRORS = {2: "out of range", 3: "write denied", 5: "read-only"}
_UNKNOWN_ERRORS = frozenset({1, 4})


def unsendable(value: Value, *, bytewise: bool = False) -> str:
    """Say why PARAM_SET cannot carry `value` exactly; "" when it can. Bytewise it carries INT32 and float32 only."""
    if value.kind is Kind.TEXT:
        return t("the vehicle has no settings that are texts")
    if bytewise and value.kind not in (Kind.INT32, Kind.REAL32):
        return t("the vehicle has no settings of the kind {kind}", kind=value.kind)
    number = value.number
    if not math.isfinite(number):
        return t("the vehicle ignores {value}", value=value)
    if value.kind.is_integer and not bytewise and float32(number) != number:
        near = float32(number)
        return t("{value} cannot be sent exactly (float32 would make it {near:.0f})", value=value, near=near)
    return ""


class _Stage(Enum):
    SET = auto()
    READ = auto()


@dataclass(slots=True)
class _Job:
    """One write on its way. `seen` is the last differing value, `read` the one that the read before gave.

    `stale` says that this write was echoed with the old value and that a second echo may follow.
    """

    place: int
    change: Change
    stage: _Stage = _Stage.SET
    asked: float = 0.0
    deadline: float = 0.0
    sets: int = 0
    rounds: int = 0
    probe: int = -1
    misses: int = 0
    silent: int = 0
    timeouts: int = 0
    seen: Value | None = None
    read: Value | None = None
    stale: bool = False
    reason: str = ""


class _Writer:
    """The window of writes. Each method takes what happened and gives the bytes to send."""

    def __init__(self, conversation: Conversation, changes: Sequence[Change]) -> None:
        self.conversation = conversation
        self.outcomes: dict[int, Outcome] = {}
        self.waiting: deque[_Job] = deque()
        self.flying: dict[str, _Job] = {}
        self.total = len(changes)
        self.lossy = False
        self.earliest = math.inf
        self.answered = conversation.now
        self.count = 1
        self.probes = 0
        for place, change in enumerate(changes):
            why = unsendable(change.wanted, bytewise=conversation.bytewise)
            job = _Job(place, change)
            if why:
                self.finish(job, Verdict.DENIED, None, why)
            elif not (change.name.isascii() and 0 < len(change.name) <= 16):
                self.finish(job, Verdict.UNKNOWN, None, t("no setting can have this name"))
            else:
                self.waiting.append(job)

    def fill(self) -> bytes:
        """Begin writes until the window is full. Two writes to one name never fly together."""
        send = b""
        if self.flying and self.conversation.watch.listed_to_another(self.conversation.now):
            return send  # what is under way is finished first
        widest = _window(self.conversation)
        while self.waiting and len(self.flying) < widest and self.waiting[0].change.name not in self.flying:
            job = self.waiting.popleft()
            self.flying[job.change.name] = job
            send += self.set(job)
        return send

    def set(self, job: _Job) -> bytes:
        """Send the write."""
        conversation = self.conversation
        job.stage = _Stage.SET
        job.read = None
        job.stale = False
        job.asked = conversation.now
        self.wait_for(job, job.asked + conversation.writes.wait(job.sets % SETS))
        job.sets += 1
        return write_bytes(conversation, job.change.name, job.change.wanted)

    def wait_for(self, job: _Job, deadline: float) -> None:
        job.deadline = deadline
        self.earliest = min(self.earliest, deadline)

    def late_ones(self, now: float, grace: float) -> bytes:
        """See to those whose answer is overdue. Looking at all of them for every message would cost as much as both."""
        if self.earliest + grace > now:
            return b""
        send = b""
        for job in list(self.flying.values()):
            if job.deadline + grace <= now:
                send += self.late(job)
        self.earliest = min((job.deadline for job in self.flying.values()), default=math.inf)
        return send

    def ask(self, job: _Job) -> bytes:
        """Send a read and a probe behind it."""
        conversation = self.conversation
        job.stage = _Stage.READ
        job.asked = conversation.now
        self.wait_for(job, job.asked + conversation.reads.wait(job.silent))
        self.probes += 1
        job.probe = self.probes % min(PROBES, self.count)
        return read_by_name(conversation, job.change.name) + read_by_index(conversation, job.probe)

    def take(self, message: Message) -> bytes:
        """Take one message of the vehicle."""
        if message.name == "PARAM_VALUE":
            return self.took_value(message)
        if message.name == "STATUSTEXT" and (denied := _DENIED.search(message["text"])):
            return self.refused(denied[1], t("write denied"))
        if message.name == "PARAM_ERROR":
            error, name = message["error"], message["param_id"]
            if error in _UNKNOWN_ERRORS and name in self.flying:
                self.finish(self.flying[name], Verdict.UNKNOWN, None, t("the vehicle does not know it"))
            elif error in _ERRORS:
                return self.refused(name, _ERRORS[error])
        return b""

    def refused(self, name: str, reason: str) -> bytes:
        job = self.flying.get(name)
        if job is None or job.reason:
            return b""
        job.reason = reason
        return self.ask(job)

    def took_value(self, message: Message) -> bytes:
        self.count = message["param_count"] or 1
        self.answered = self.conversation.now
        name, index = message["param_id"], message["param_index"]
        value = value_of(message, bytewise=self.conversation.bytewise)
        send = b"" if index == NO_INDEX else self.took_probe(index, name)
        job = self.flying.get(name)
        if job is None or value is None:
            return send
        if job.change.wanted.same(value):
            return send + self.confirmed(job, value)
        job.seen = value
        job.silent = job.misses = 0
        if job.stage is _Stage.SET:
            old = job.change.old
            if not job.stale and not job.reason and old is not None and old.same(value):
                job.stale = True
                self.wait_for(job, self.conversation.now + SECOND_ECHO_SECONDS)
                return send
            return send + self.ask(job)
        if job.reason or (job.read is not None and job.read.same(value)):
            return send + self.settle(job, value)
        job.read = value
        return send + self.ask(job)

    def confirmed(self, job: _Job, value: Value) -> bytes:
        if job.stage is _Stage.SET:
            if job.sets == 1 and not job.stale:
                self.conversation.writes.measured(self.conversation.now - job.asked)
            self.lossy = self.lossy or job.sets > 1
            self.finish(job, Verdict.WRITTEN, value, "")
        elif job.seen is None:
            detail = t("no confirmation came (lost, or the vehicle cannot store more); reading it back was right")
            self.finish(job, Verdict.WRITTEN, value, detail)
        else:
            self.finish(job, Verdict.WRITTEN, value, t("the first answer was {seen}", seen=job.seen))
        return b""

    def took_probe(self, index: int, name: str) -> bytes:
        """The probe behind a read was answered: a read that was not may be asked again at once."""
        send = b""
        for job in list(self.flying.values()):
            if job.stage is not _Stage.READ or job.probe != index or job.change.name == name:
                continue
            self.conversation.reads.measured(self.conversation.now - job.asked)
            job.misses += 1
            job.silent = 0
            if job.misses < (MISSES_LOSSY if self.lossy else MISSES):
                send += self.ask(job)
            elif job.seen is None:
                self.finish(job, Verdict.UNKNOWN, None, t("the vehicle does not know it"))
            else:
                self.finish(job, Verdict.LOST, job.seen, t("the vehicle stopped answering about it"))
        return send

    def settle(self, job: _Job, value: Value) -> bytes:
        """Two reads agree on a value that is not the wanted one."""
        job.rounds += 1
        old = job.change.old
        moved = old is not None and not old.same(value)
        doubtful = not moved and (self.lossy or job.timeouts > 0)
        if not job.reason and job.rounds < (ROUNDS_LOSSY if doubtful else ROUNDS):
            return self.set(job)
        verdict, detail = _refusal(job, value)
        self.finish(job, verdict, value, detail)
        return b""

    def late(self, job: _Job) -> bytes:
        """Nothing came in time."""
        if job.stale and job.stage is _Stage.SET:
            return self.ask(job)
        job.timeouts += 1
        times = self.conversation.writes if job.stage is _Stage.SET else self.conversation.reads
        times.expired(job.asked, self.conversation.now)
        if job.stage is _Stage.SET and job.sets % SETS:
            return self.set(job)
        if job.stage is _Stage.READ:
            self.lossy = True
            job.silent += 1
        if job.silent >= SILENT_READS:
            self.finish(job, Verdict.LOST, job.seen, t("no answer; what the vehicle holds is not known"))
            return b""
        return self.ask(job)

    def finish(self, job: _Job, verdict: Verdict, value: Value | None, detail: str) -> None:
        self.flying.pop(job.change.name, None)
        self.outcomes[job.place] = Outcome(job.change.name, job.change.wanted, value, verdict, detail)
        done = len(self.outcomes)
        if done % 10 == 0 or done == self.total:
            self.conversation.session.report(Progress(t("writes"), done, self.total))

    def give_up(self) -> None:
        """The link is silent: everything that is left is lost."""
        for job in [*self.flying.values(), *self.waiting]:
            sent = job.sets > 0
            detail = t("the link fell silent") if sent else t("not sent: the link fell silent")
            self.finish(job, Verdict.LOST, job.seen, detail)
        self.waiting.clear()


def _window(conversation: Conversation) -> int:
    """Give how many writes fill the line: what fits into the shortest round trip at the speed that was measured."""
    least = min(conversation.writes.least, conversation.round_trip.least)
    line = conversation.session.line
    if not line.known or not LONG_SECONDS <= least < math.inf:
        return WINDOW
    fitting = SLACK * line.bytes_per_second * least / ECHO_BYTES
    return int(min(max(WINDOW, fitting), WIDEST))


def _refusal(job: _Job, value: Value) -> tuple[Verdict, str]:
    """Name a write that ended in another value than the wanted one."""
    if job.reason:
        return Verdict.DENIED, job.reason
    wanted, old = job.change.wanted, job.change.old
    low, high = INT_RANGES.get(value.kind, (None, None))
    if low is not None and high is not None:
        limit = high if wanted.number > high else low if wanted.number < low else None
        if limit is not None and value.raw == limit:
            return Verdict.CLAMPED, t("{kind} holds {low} to {high}", kind=value.kind, low=low, high=high)
    if old is not None and old.same(value):
        return Verdict.DENIED, t("the vehicle kept the old value")
    return Verdict.CLAMPED, t("the vehicle made it {value}", value=value)


def write_values(conversation: Conversation, changes: Sequence[Change]) -> Flow[tuple[Outcome, ...]]:
    """Write the changes, in their order and about ten in flight, and say of each what became of it.

    Never raises for a single setting: a refusal is an outcome. A silent link ends as LOST for all that is left.
    """
    yield from wait_for_list(conversation)
    writer = _Writer(conversation, changes)
    send = writer.fill()
    while writer.flying or writer.waiting:
        if not writer.flying:
            yield from wait_for_list(conversation)
            send += writer.fill()
        message = yield from conversation.next(send, writer.earliest)
        send = writer.take(message) if message is not None else b""
        now = conversation.now
        if now - writer.answered > SILENCE_SECONDS:
            writer.give_up()
            break
        send += writer.late_ones(now, 0.0 if message is None else LATE_SECONDS)
        send += writer.fill()
    return tuple(writer.outcomes[place] for place in sorted(writer.outcomes))
