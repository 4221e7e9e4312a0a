"""A chaos link that carries nothing for a while: cuts, bursts of loss, stalls, and what was under way meanwhile."""

from __future__ import annotations

import itertools
import math

import pytest
from chaos_wire import frame, number, opened, send

from dronekit_cfg.errors import LinkLost, LinkOpenError
from dronekit_cfg.links.chaos import Faults
from dronekit_cfg.links.clock import VirtualClock


def test_the_link_is_cut_once_and_comes_back(clock: VirtualClock) -> None:
    link, wire = opened(clock, Faults(cut_after=2.0, cut_for=3.0, latency=0.5))
    link.write(frame(1))
    assert link.read(1.75) == b""
    link.write(frame(2))  # still under way when the cut comes
    with pytest.raises(LinkLost, match="cut by the fault model"):
        link.read(10.0)
    assert clock.now() == 1026.0
    assert wire.state == "closed"
    for use in (lambda: link.read(0), lambda: link.write(frame(3))):
        with pytest.raises(LinkLost):
            use()
    clock.sleep(2.9)
    with pytest.raises(LinkOpenError, match="the link is cut"):
        link.reopen()
    clock.sleep(0.2)
    link.reopen()
    assert wire.state == "open"
    link.write(frame(4))
    assert link.read(1000.0) == b""
    assert wire.frames == [1, 4]


def test_a_cut_without_end_stays(clock: VirtualClock) -> None:
    link, _ = opened(clock, Faults(cut_after=1.0))
    clock.sleep(1.0)
    with pytest.raises(LinkLost):
        link.write(b"x")
    clock.sleep(1e6)
    with pytest.raises(LinkOpenError):
        link.reopen()


def test_a_cut_meets_a_writer_that_waits_for_the_line(clock: VirtualClock) -> None:
    link, _ = opened(clock, Faults(cut_after=1.0, baud=9600))
    with pytest.raises(LinkLost):
        send(link, 1000)
    assert clock.now() == 1025.0


def test_what_was_under_way_is_heard_before_the_link_is_lost(clock: VirtualClock) -> None:
    link, wire = opened(clock, Faults(latency=0.5))
    wire.arrives.append((1024.0, frame(7)))
    wire.lost_at = 1024.125
    assert number(link.read(2.0)) == 7
    assert clock.now() == 1024.5
    with pytest.raises(LinkLost, match="unplugged"):
        link.read(2.0)
    wire.lost_at = math.inf
    link.reopen()
    assert link.read(0.5) == b""


def test_what_was_sent_last_arrives_although_the_link_is_closed(clock: VirtualClock) -> None:
    link, wire = opened(clock, Faults(latency=0.5))
    link.write(frame(9))
    link.close()
    assert wire.frames == [9]
    assert wire.state == "closed"


def test_bursts_lose_many_frames_in_a_row_and_the_same_ones_for_the_same_seed() -> None:
    def survivors(burst: float, seed: int = 3) -> list[int]:
        link, wire = opened(VirtualClock(), Faults(burst=burst, burst_units=20, seed=seed))
        for n in range(2000):
            link.write(frame(n))
        return wire.frames

    came = survivors(0.01)
    gaps = [b - a - 1 for a, b in itertools.pairwise(came) if b - a > 1]
    assert came == survivors(0.01)
    assert came != survivors(0.01, seed=4)
    # By Gilbert's model a share of 0.01 / (0.01 + 1/20) is lost, in gaps of 20 on average.
    assert 200 < 2000 - len(came) < 500
    assert 10 < sum(gaps) / len(gaps) < 35


def test_a_stall_holds_everything_back_and_then_gives_it_all() -> None:
    clock = VirtualClock()
    link, wire = opened(clock, Faults(stall_after=1.0, stall_for=4.0))
    start = clock.now()
    wire.arrives.extend((start + t, frame(n)) for n, t in enumerate((0.5, 1.5, 2.5)))
    heard = []
    while clock.now() < start + 8:
        data = link.read(0.2)
        if data:
            heard.append((round(clock.now() - start, 3), len(data) // len(frame(0))))
    assert heard == [(0.5, 1), (5.0, 2)]
