from __future__ import annotations

import math

import pytest

from dronekit_cfg.errors import LinkLost
from dronekit_cfg.links.chaos import ChaosLink, Faults
from dronekit_cfg.links.clock import RealClock, VirtualClock
from dronekit_cfg.sim.link import MemoryLink


class Parrot:
    """Repeats what it hears after `delay` seconds; "bye" makes it answer and hang up, "mute" is never answered."""

    def __init__(self, delay: float = 0.25) -> None:
        self.delay = delay
        self.waiting: list[tuple[float, bytes]] = []
        self.visits: list[float] = []
        self._hung_up = False
        self._leaves_at = math.inf

    def receive(self, data: bytes, now: float) -> None:
        if data != b"mute":
            self.waiting.append((now + self.delay, data))
        if data == b"bye":
            self._leaves_at = now + self.delay

    def poll(self, now: float) -> bytes:
        ready = [data for due, data in self.waiting if due <= now]
        self.waiting = [(due, data) for due, data in self.waiting if due > now]
        if now >= self._leaves_at:
            self._hung_up = True
        return b"".join(ready)

    def next_due(self, now: float) -> float:
        return min((due for due, _ in self.waiting), default=math.inf)

    def connected(self, now: float) -> None:
        self.visits.append(now)
        self.waiting.clear()
        self._hung_up = False
        self._leaves_at = math.inf

    @property
    def hung_up(self) -> bool:
        return self._hung_up


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(1024.0)


@pytest.fixture
def parrot() -> Parrot:
    return Parrot()


@pytest.fixture
def link(parrot: Parrot, clock: VirtualClock) -> MemoryLink:
    one = MemoryLink("sim:parrot", parrot, clock)
    one.open()
    return one


def test_time_goes_on_to_the_moment_the_vehicle_speaks(link: MemoryLink, clock: VirtualClock) -> None:
    link.write(b"hello")
    assert link.read(0.125) == b""
    assert clock.now() == 1024.125
    assert link.read(100.0) == b"hello"
    assert clock.now() == 1024.25


def test_silence_lasts_as_long_as_the_timeout(link: MemoryLink, clock: VirtualClock) -> None:
    link.write(b"mute")
    assert link.read(3600.0) == b""
    assert clock.now() == 1024.0 + 3600.0


def test_bytes_that_are_due_are_read_without_waiting(link: MemoryLink, clock: VirtualClock) -> None:
    link.write(b"a")
    link.write(b"b")
    clock.sleep(0.25)
    assert link.read(0.0) == b"ab"
    assert link.read(0.0) == b""


def test_a_vehicle_that_hangs_up_is_heard_out_and_then_lost(
    link: MemoryLink, parrot: Parrot, clock: VirtualClock
) -> None:
    link.write(b"bye")
    assert link.read(1.0) == b"bye"
    for use in (lambda: link.read(1.0), lambda: link.write(b"x"), lambda: link.read(0.0)):
        with pytest.raises(LinkLost, match="the vehicle closed the link"):
            use()
    clock.sleep(2.0)
    link.reopen()
    assert parrot.visits == [1024.0, 1026.25]
    link.write(b"again")
    assert link.read(1.0) == b"again"


def test_writing_to_a_vehicle_that_hung_up_is_lost_too(link: MemoryLink, parrot: Parrot, clock: VirtualClock) -> None:
    link.write(b"bye")
    clock.sleep(1.0)
    parrot.poll(clock.now())
    with pytest.raises(LinkLost, match="the vehicle closed the link"):
        link.write(b"x")


def test_opening_twice_connects_once_and_a_closed_link_says_so(link: MemoryLink, parrot: Parrot) -> None:
    link.open()
    assert parrot.visits == [1024.0]
    link.close()
    link.close()
    with pytest.raises(LinkLost, match="not open"):
        link.read(0)
    with pytest.raises(LinkLost, match="not open"):
        link.write(b"x")


def test_a_vehicle_that_is_due_and_says_nothing_cannot_stop_time(clock: VirtualClock) -> None:
    class Stuck(Parrot):
        def next_due(self, now: float) -> float:
            return now

    with MemoryLink("sim:stuck", Stuck(), clock) as link:
        assert link.read(1.0) == b""
    assert clock.now() == pytest.approx(1025.0)


def test_it_works_on_the_real_clock() -> None:
    with MemoryLink("sim:parrot", Parrot(0.02), RealClock()) as link:
        link.write(b"hello")
        assert link.read(5.0) == b"hello"
        assert link.read(0.01) == b""


def test_chaos_around_it_keeps_virtual_time(parrot: Parrot, clock: VirtualClock) -> None:
    with ChaosLink(MemoryLink("sim:parrot", parrot, clock), Faults(latency=0.125), clock) as link:
        link.write(b"hello")
        assert link.read(10.0) == b"hello"
        assert clock.now() == 1024.0 + 0.125 + 0.25 + 0.125
        link.write(b"bye")
        assert link.read(10.0) == b"bye"
        with pytest.raises(LinkLost):
            link.read(10.0)
        link.reopen()
        link.write(b"again")
        assert link.read(10.0) == b"again"
