"""A chaos link disturbs single frames as it was asked to: which, how many and when, the same for the same seed."""

from __future__ import annotations

import pytest
from chaos_wire import Wire, frame, number, opened, receive, send, split

from dronekit_cfg.links.chaos import ChaosLink, Faults
from dronekit_cfg.links.clock import RealClock, VirtualClock
from dronekit_cfg.links.url import make_link


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
