from __future__ import annotations

import itertools
import math
from collections import deque

import pytest

from dronekit_cfg.errors import LinkLost, LinkOpenError
from dronekit_cfg.links.chaos import ChaosLink, Faults
from dronekit_cfg.links.clock import RealClock, VirtualClock
from dronekit_cfg.links.common import BaseLink
from dronekit_cfg.links.url import make_link


def frame(number: int, size: int = 13) -> bytes:
    """Make a MAVLink 2 shaped frame of `size` + 12 bytes that carries its number."""
    return bytes([0xFD, size, 0, 0, number & 0xFF, 1, 1, 0, 0, 0]) + number.to_bytes(4, "big") + bytes(size - 2)


def number(data: bytes) -> int:
    return int.from_bytes(data[10:14], "big")


class Wire(BaseLink):
    """What a test puts into `arrives` can be read at its time; what is written is kept with its time."""

    def __init__(self, clock: VirtualClock, baud: int = 0) -> None:
        super().__init__("test:wire", baud)
        self.clock = clock
        self.arrives: deque[tuple[float, bytes]] = deque()
        self.written: list[tuple[float, bytes]] = []
        self.state = "closed"
        self.lost_at = math.inf

    def open(self) -> None:
        self.state = "open"

    def close(self) -> None:
        self.state = "closed"

    def read(self, timeout: float) -> bytes:
        deadline = self.clock.now() + timeout
        moment = min(self.arrives[0][0] if self.arrives else math.inf, self.lost_at)
        if moment > deadline:
            self.clock.sleep(timeout)
            return b""
        self.clock.sleep(moment - self.clock.now())
        if self.clock.now() >= self.lost_at and not (self.arrives and self.arrives[0][0] <= self.lost_at):
            raise LinkLost("unplugged")
        return self.arrives.popleft()[1]

    def write(self, data: bytes) -> None:
        self.written.append((self.clock.now(), data))

    @property
    def frames(self) -> list[int]:
        stream = b"".join(data for _, data in self.written)
        return [number(stream[i : i + 25]) for i in range(0, len(stream), 25)]


def opened(clock: VirtualClock, faults: Faults, baud: int = 0) -> tuple[ChaosLink, Wire]:
    wire = Wire(clock, baud)
    link = ChaosLink(wire, faults, clock)
    link.open()
    return link, wire


def send(link: ChaosLink, count: int) -> None:
    for i in range(count):
        link.write(frame(i))


def receive(link: ChaosLink, wire: Wire, count: int, seconds: float = 5.0) -> bytes:
    now = wire.clock.now()
    wire.arrives.extend((now, frame(i)) for i in range(count))
    got = bytearray()
    while data := link.read(seconds):
        got += data
    return bytes(got)


def split(stream: bytes) -> list[int]:
    return [number(stream[i : i + 25]) for i in range(0, len(stream), 25)]


def test_without_faults_everything_passes_unchanged_and_at_once(clock: VirtualClock) -> None:
    link, wire = opened(clock, Faults())
    send(link, 100)
    assert wire.frames == list(range(100))
    assert split(receive(link, wire, 100)) == list(range(100))
    assert {moment for moment, _ in wire.written} == {1024.0}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_share_of_lost_frames_is_what_was_asked_for(clock: VirtualClock, seed: int) -> None:
    link, wire = opened(clock, Faults(loss=0.2, seed=seed))
    send(link, 5000)
    heard = len(split(receive(link, wire, 5000)))
    # 5 sigma of a binomial distribution with n=5000, p=0.2 is 141
    assert abs(5000 - len(wire.frames) - 1000) < 141
    assert abs(5000 - heard - 1000) < 141
    assert (link.tx.lost, link.rx.lost) == (5000 - len(wire.frames), 5000 - heard)
    assert link.tx.units == link.rx.units == 5000


def test_each_direction_can_have_its_own_loss(clock: VirtualClock) -> None:
    link, wire = opened(clock, Faults(loss=0.5, tx_loss=0.0, rx_loss=1.0))
    send(link, 50)
    assert wire.frames == list(range(50))
    assert receive(link, wire, 50) == b""


def test_doubled_frames_come_twice_in_a_row(clock: VirtualClock) -> None:
    link, wire = opened(clock, Faults(dup=0.1, seed=5))
    send(link, 2000)
    doubled = [a for a, b in zip(wire.frames, wire.frames[1:], strict=False) if a == b]
    assert len(doubled) == link.tx.doubled == len(wire.frames) - 2000
    assert abs(len(doubled) - 200) < 68  # 5 sigma


def test_a_corrupted_frame_differs_in_one_bit_and_keeps_its_length(clock: VirtualClock) -> None:
    link, wire = opened(clock, Faults(corrupt=1.0, seed=5))
    send(link, 200)
    sent = b"".join(frame(i) for i in range(200))
    got = b"".join(data for _, data in wire.written)
    assert len(got) == len(sent)
    for i in range(0, len(sent), 25):
        difference = int.from_bytes(sent[i : i + 25], "big") ^ int.from_bytes(got[i : i + 25], "big")
        assert difference.bit_count() == 1


def test_swapped_frames_are_all_there_in_another_order(clock: VirtualClock) -> None:
    link, wire = opened(clock, Faults(reorder=0.1, seed=5))
    send(link, 1000)
    link.read(1.0)
    assert sorted(wire.frames) == list(range(1000))
    swaps = sum(1 for a, b in zip(wire.frames, wire.frames[1:], strict=False) if b < a)
    assert swaps == link.tx.swapped
    assert abs(swaps - 100) < 48  # 5 sigma


def test_a_swapped_frame_that_nothing_overtakes_comes_a_little_later(clock: VirtualClock) -> None:
    link, wire = opened(clock, Faults(reorder=1.0))
    link.write(frame(1))
    assert wire.written == []
    link.read(0.5)
    assert wire.frames == [1]
    assert wire.written[0][0] - 1024.0 == pytest.approx(0.1)


def test_latency_delays_both_directions(clock: VirtualClock) -> None:
    link, wire = opened(clock, Faults(latency=0.25))
    link.write(frame(1))
    wire.arrives.append((1024.0, frame(2)))
    assert wire.written == []
    assert link.read(0.125) == b""
    assert number(link.read(1.0)) == 2
    assert clock.now() == 1024.25
    assert [moment for moment, _ in wire.written] == [1024.25]


def test_jitter_varies_the_delay_and_keeps_the_order(clock: VirtualClock) -> None:
    link, wire = opened(clock, Faults(latency=0.1, jitter=0.1, seed=3))
    delays = []
    for i in range(200):
        sent = clock.now()
        link.write(frame(i))
        link.read(1.0)
        delays.append(wire.written[-1][0] - sent)
    assert 0.1 <= min(delays) < 0.11
    assert 0.19 < max(delays) <= 0.2
    assert abs(sum(delays) / 200 - 0.15) < 0.0103  # 5 sigma of a mean of 200 uniform values
    send(link, 100)
    link.read(1.0)
    assert wire.frames == [*range(200), *range(100)]


def test_the_baud_rate_limits_what_we_receive(clock: VirtualClock) -> None:
    link, wire = opened(clock, Faults(baud=57600))
    got = receive(link, wire, 2000)
    assert split(got) == list(range(2000))
    # the last read waits its whole timeout of 5 s; ten bits a byte
    assert clock.now() - 5.0 - 1024.0 == pytest.approx(2000 * 25 * 10 / 57600, rel=1e-6)


def test_the_baud_rate_limits_what_we_send_and_a_full_buffer_makes_the_writer_wait(clock: VirtualClock) -> None:
    link, wire = opened(clock, Faults(baud=57600))
    send(link, 2000)
    whole = 2000 * 25 * 10 / 57600
    assert clock.now() - 1024.0 == pytest.approx(whole - 4096 * 10 / 57600, rel=1e-6)
    link.read(2.0)
    assert wire.frames == list(range(2000))
    assert wire.written[-1][0] - 1024.0 == pytest.approx(whole, rel=1e-6)


def test_a_slow_line_is_not_read_ahead_of_itself(clock: VirtualClock) -> None:
    link, wire = opened(clock, Faults(baud=9600))
    wire.arrives.extend((1024.0, frame(i)) for i in range(1000))
    link.read(0.01)
    assert (1000 - len(wire.arrives)) * 25 <= 4096 + 25 + 10  # 10 bytes pass in 0.01 s


def test_a_slow_line_that_loses_everything_still_takes_it_in(clock: VirtualClock) -> None:
    link, wire = opened(clock, Faults(baud=9600, rx_loss=1.0))
    wire.arrives.extend((1024.0, frame(i)) for i in range(1000))
    assert link.read(10.0) == b""
    # in 10 s 9600 bytes pass the line, and 4096 wait before it
    assert (1000 - len(wire.arrives)) * 25 == pytest.approx(9600 + 4096, abs=50)


@pytest.mark.parametrize(("fault", "inner", "slowest"), [(0, 0, 0), (0, 115200, 115200), (57600, 0, 57600),
                                                         (57600, 9600, 9600), (9600, 57600, 9600)])  # fmt: skip
def test_the_baud_of_the_link_is_the_slowest_known(clock: VirtualClock, fault: int, inner: int, slowest: int) -> None:
    assert opened(clock, Faults(baud=fault), inner)[0].baud == slowest


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


def test_a_frame_that_comes_in_parts_is_lost_or_kept_whole(clock: VirtualClock) -> None:
    link, wire = opened(clock, Faults(loss=0.5, seed=4))
    stream = b"".join(frame(i) for i in range(400))
    wire.arrives.extend((1024.0 + i / 4096, stream[i : i + 7]) for i in range(0, len(stream), 7))
    got = bytearray()
    while data := link.read(5.0):
        got += data
    numbers = split(bytes(got))
    assert len(got) % 25 == 0
    assert all(frame(n) in stream for n in numbers)
    assert numbers == sorted(set(numbers))
    assert 130 < len(numbers) < 270


def test_bytes_that_look_like_the_start_of_a_frame_are_not_held_for_long(clock: VirtualClock) -> None:
    link, wire = opened(clock, Faults())
    wire.arrives.append((1024.0, b"\xfd\x09"))
    assert link.read(1.0) == b"\xfd\x09"
    assert clock.now() == pytest.approx(1024.1)


def test_other_protocols_lose_pieces_of_64_bytes(clock: VirtualClock) -> None:
    link, wire = opened(clock, Faults(loss=0.5, seed=9))
    text = b"".join(b"%063d\n" % i for i in range(300))
    link.write(text)
    got = b"".join(data for _, data in wire.written)
    lines = got.split(b"\n")[:-1]
    assert all(line in text for line in lines)
    assert 100 < len(lines) < 200


def test_one_seed_gives_one_story_and_another_seed_another(clock: VirtualClock) -> None:
    def story(seed: int) -> tuple[list[int], bytes]:
        link, wire = opened(clock, Faults(loss=0.2, dup=0.1, reorder=0.1, seed=seed))
        send(link, 300)
        heard = receive(link, wire, 300)
        return wire.frames, heard

    assert story(7) == story(7)
    assert story(7)[0] != story(8)[0]
    assert story(7)[1] != story(8)[1]


def test_traffic_one_way_does_not_change_the_story_of_the_other(clock: VirtualClock) -> None:
    link, wire = opened(clock, Faults(loss=0.3, seed=7))
    send(link, 200)
    alone = wire.frames
    link, wire = opened(clock, Faults(loss=0.3, seed=7))
    for i in range(200):
        link.write(frame(i))
        wire.arrives.append((clock.now(), frame(i)))
        link.read(0.0)
    assert wire.frames == alone


def test_more_of_one_fault_loses_the_same_frames_and_more(clock: VirtualClock) -> None:
    kept: list[set[int]] = []
    for loss in (0.1, 0.3):
        link, wire = opened(clock, Faults(loss=loss, dup=0.2, seed=7))
        send(link, 500)
        kept.append(set(wire.frames))
    assert kept[1] < kept[0]


def test_an_inner_link_that_does_not_wait_cannot_stop_time(clock: VirtualClock) -> None:
    class Hasty(Wire):
        def read(self, timeout: float) -> bytes:
            return b""

    link = ChaosLink(Hasty(clock), Faults(), clock)
    link.open()
    assert link.read(2.0) == b""
    assert clock.now() == 1026.0


def test_it_works_on_the_real_clock() -> None:
    clock = RealClock()

    class Quiet(Wire):
        def read(self, timeout: float) -> bytes:
            clock.sleep(timeout)
            return b""

    wire = Quiet(VirtualClock())
    link = ChaosLink(wire, Faults(latency=0.01), clock)
    with link:
        link.write(frame(1))
        assert wire.written == []
        assert link.read(0.03) == b""
        assert wire.frames == [1]


def test_the_options_of_a_url_become_faults() -> None:
    options = {"loss": "0.05", "tx_loss": "0", "baud": "57600", "seed": "-7", "cut_after": "5", "cut_for": "0.5"}
    assert Faults.from_options(options) == Faults(
        loss=0.05, tx_loss=0.0, baud=57600, seed=-7, cut_after=5.0, cut_for=0.5
    )
    link = make_link("chaos+tcp:127.0.0.1:5760?dup=0.01&jitter=0.5&seed=7", clock=VirtualClock())
    assert isinstance(link, ChaosLink)
    assert link._faults == Faults(dup=0.01, jitter=0.5, seed=7)


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
