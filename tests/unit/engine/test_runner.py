"""The loop that drives conversations."""

from __future__ import annotations

from collections import deque

import pytest

from dronekit_cfg.engine.interrupt import Stop
from dronekit_cfg.engine.runner import Runner
from dronekit_cfg.errors import Interrupted, LinkLost, NoAnswer
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.talk.flow import Flow, Wait


class Lines:
    """A codec of lines."""

    def __init__(self) -> None:
        self.buffer = b""

    def receive_data(self, data: bytes) -> None:
        self.buffer += data

    def next_event(self) -> bytes | None:
        line, found, rest = self.buffer.partition(b"\n")
        if not found:
            return None
        self.buffer = rest
        return line

    def reset(self) -> None:
        self.buffer = b""


class Script:
    """A link that gives prepared chunks, each at its time."""

    url = "script:"
    baud = 0

    def __init__(self, clock: VirtualClock, chunks: list[tuple[float, bytes | Exception]]) -> None:
        self.clock = clock
        self.start = clock.now()
        self.chunks = deque(chunks)
        self.sent: list[bytes] = []

    def read(self, timeout: float) -> bytes:
        if self.chunks and self.start + self.chunks[0][0] <= self.clock.now() + timeout:
            at, chunk = self.chunks.popleft()
            self.clock.sleep(self.start + at - self.clock.now())
            if isinstance(chunk, Exception):
                raise chunk
            return chunk
        self.clock.sleep(timeout)
        return b""

    def write(self, data: bytes) -> None:
        self.sent.append(data)


def make(
    chunks: list[tuple[float, bytes | Exception]], stop: Stop | None = None
) -> tuple[Runner, Script, VirtualClock]:
    clock = VirtualClock()
    link = Script(clock, chunks)
    return Runner(link, Lines(), clock, stop), link, clock  # type: ignore[arg-type]  # a link without open and close


def ask(clock: VirtualClock, question: bytes, patience: float) -> Flow[bytes | None]:
    answer: bytes | None = yield Wait(question, clock.now() + patience)
    return answer


def test_a_flow_gets_the_message_that_arrives_before_its_deadline() -> None:
    runner, link, clock = make([(0.3, b"hel"), (0.6, b"lo\n")])
    assert runner.run(ask(clock, b"?", 1.0)) == b"hello"
    assert link.sent == [b"?"]


def test_a_flow_gets_none_at_its_deadline_and_not_later() -> None:
    runner, _, clock = make([(5.0, b"late\n")])
    start = clock.now()
    assert runner.run(ask(clock, b"?", 1.0)) is None
    assert clock.now() - start == pytest.approx(1.0)


def test_messages_of_one_chunk_are_given_one_after_the_other() -> None:
    runner, _, clock = make([(0.0, b"a\nb\n")])

    def two() -> Flow[list[bytes]]:
        first: bytes = yield Wait(b"", clock.now() + 1)
        second: bytes = yield Wait(b"", clock.now() + 1)
        return [first, second]

    assert runner.run(two()) == [b"a", b"b"]


def test_a_lost_link_is_thrown_into_the_flow_which_may_expect_it() -> None:
    runner, _, clock = make([(0.1, LinkLost("gone"))])

    def reboot() -> Flow[str]:
        try:
            yield Wait(b"reboot", clock.now() + 1)
        except LinkLost:
            return "rebooted"
        return "still there"

    assert runner.run(reboot()) == "rebooted"


def test_a_lost_link_that_the_flow_does_not_expect_gets_out() -> None:
    runner, _, clock = make([(0.1, LinkLost("gone"))])
    with pytest.raises(LinkLost):
        runner.run(ask(clock, b"?", 1.0))


def test_a_limit_ends_a_flow_that_never_ends() -> None:
    runner, _, clock = make([])

    def forever() -> Flow[None]:
        while True:
            yield Wait(b"x", clock.now() + 1)

    with pytest.raises(NoAnswer, match="3 s"):
        runner.run(forever(), limit=3)


def test_a_stop_request_ends_a_long_wait_soon() -> None:
    stop = Stop()
    runner, _, clock = make([], stop)
    stop.ask()
    with pytest.raises(Interrupted):
        runner.run(ask(clock, b"?", 60.0))
