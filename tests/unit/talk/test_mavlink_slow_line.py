"""Writes over a slow line: waits follow the line, so that repeats do not fill it, and vectors need no extra reads."""

from __future__ import annotations

import pytest

from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.families.ardupilot.quirks import phase_of, protected
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model import Change, Kind, Phase, Value, Verdict
from dronekit_cfg.planner.cost import Line
from dronekit_cfg.talk.flow import Session, Wait
from dronekit_cfg.talk.mavlink_conversation import Conversation, RoundTrip
from dronekit_cfg.talk.mavlink_write import write_values
from dronekit_cfg.wire.mavlink import MavlinkCodec, Message

LINE = "chaos+sim:ardupilot-copter?fresh&baud=57600&latency=0.02&loss=0.02"
BYTES_PER_SECOND = 5760
ECHO_BYTES = 37  # a PARAM_VALUE with a 16 character name in MAVLink 2: 10 + 25 + 2


def test_after_a_wait_that_was_too_short_the_next_ones_are_longer_until_an_answer_is_measured() -> None:
    times = RoundTrip()
    for _ in range(20):
        times.measured(0.1)
    usual = times.wait()
    assert usual >= 0.15  # a line in use needs half as much again
    times.expired(asked=5.0, now=6.0)
    assert times.wait() == pytest.approx(usual * 1.5)
    times.expired(asked=5.9, now=6.1)  # was under way when the wait was made longer: says nothing about the new one
    assert times.wait() == pytest.approx(usual * 1.5)
    times.expired(asked=6.05, now=6.3)
    assert times.wait() == pytest.approx(usual * 2.25)
    times.measured(0.1)
    assert times.wait() == pytest.approx(usual, rel=0.1)


@pytest.mark.parametrize("seed", range(6))
def test_writes_fill_a_slow_line_with_hardly_anything_but_their_echoes(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = VirtualClock()
    sent: list[bytes] = []
    with connect(LinkOptions(f"{LINE}&seed={seed}", family="ardupilot"), clock=clock) as connection:
        usual = [s for s in connection.snapshot().settings if s.value.kind is Kind.INT16 and not protected(s.name)]
        chosen = [s for s in usual if phase_of(s.name) is Phase.SET and abs(s.value.number) < 1000][:120]
        changes = [Change(s.name, s.value, Value(Kind.INT16, s.value.number + 1), Phase.SET) for s in chosen]
        write = connection.link.write

        def spy(data: bytes) -> None:
            sent.append(data)
            write(data)

        monkeypatch.setattr(connection.link, "write", spy)
        start = clock.now()
        outcomes = connection.run(connection.driver.write(changes))
        seconds = clock.now() - start
    assert len(outcomes) == len(changes) == 120
    assert {o.verdict for o in outcomes} == {Verdict.WRITTEN}
    frames = sum(data.count(b"\xfd") for data in sent)
    assert frames < 1.35 * len(changes)
    assert seconds < 1.5 * len(changes) * ECHO_BYTES / BYTES_PER_SECOND + 0.5


def echo(value: float) -> Message:
    fields = {
        "param_id": "COMPASS_OFS_Y",
        "param_value": value,
        "param_type": 9,
        "param_count": 9,
        "param_index": 65535,
    }
    return Message("PARAM_VALUE", 1, 1, fields)


def test_the_two_echoes_of_a_vectors_axis_old_and_new_need_no_read() -> None:
    now = 10.0
    conversation = Conversation(Session(lambda: now), MavlinkCodec(), system=1, component=1)
    change = Change("COMPASS_OFS_Y", Value(Kind.REAL32, 13.0), Value(Kind.REAL32, 14.0), Phase.SET)
    flow = write_values(conversation, [change])
    assert next(flow).send
    now += 0.02
    wait: Wait = flow.send(echo(13.0))
    assert wait.send == b""
    with pytest.raises(StopIteration) as done:
        flow.send(echo(14.0))
    (outcome,) = done.value.value
    assert (outcome.verdict, outcome.echoed.number) == (Verdict.WRITTEN, 14.0)


def test_an_old_echo_that_stays_alone_is_read_and_not_believed() -> None:
    now = 10.0
    conversation = Conversation(Session(lambda: now), MavlinkCodec(), system=1, component=1)
    change = Change("COMPASS_OFS_Y", Value(Kind.REAL32, 13.0), Value(Kind.REAL32, 14.0), Phase.SET)
    flow = write_values(conversation, [change])
    next(flow)
    now += 0.02
    wait = flow.send(echo(13.0))
    assert wait.until == pytest.approx(now + 0.1)
    now += 0.11
    wait = flow.send(None)
    decoder = MavlinkCodec()
    decoder.receive_data(wait.send)
    first = decoder.next_event()
    assert first is not None
    assert (first.name, first["param_id"]) == ("PARAM_REQUEST_READ", "COMPASS_OFS_Y")


def seconds_for(count: int, line: str) -> float:
    clock = VirtualClock()
    url = f"chaos+sim:ardupilot-copter?fresh&{line}"
    with connect(LinkOptions(url, family="ardupilot"), clock=clock) as connection:
        usual = [s for s in connection.snapshot().settings if s.value.kind is Kind.INT16 and not protected(s.name)]
        chosen = [s for s in usual if phase_of(s.name) is Phase.SET and abs(s.value.number) < 1000][:count]
        changes = [Change(s.name, s.value, Value(Kind.INT16, s.value.number + 1), Phase.SET) for s in chosen]
        start = clock.now()
        outcomes = connection.run(connection.driver.write(changes))
        assert {o.verdict for o in outcomes} == {Verdict.WRITTEN}
        assert len(outcomes) == count
        return clock.now() - start


def test_a_long_and_wide_line_has_more_writes_in_flight() -> None:
    """Half a second there and back: ten in flight would take 12 round trips, 6 s, for 120 writes."""
    assert seconds_for(120, "latency=0.25") < 0.65 * 120 / 10 * 0.5


def test_a_slow_line_has_no_more_in_flight_than_fill_it() -> None:
    assert seconds_for(120, "baud=57600&latency=0.02") < 1.2 * 120 * ECHO_BYTES / BYTES_PER_SECOND + 0.2


def frames_in(data: bytes) -> int:
    decoder = MavlinkCodec()
    decoder.receive_data(data)
    while decoder.next_event() is not None:
        pass
    return decoder.counts.frames


def test_a_line_of_unknown_speed_gets_no_more_than_ten_writes_at_once() -> None:
    conversation = Conversation(Session(lambda: 10.0), MavlinkCodec(), system=1, component=1)
    conversation.writes.measured(0.3)
    changes = [Change(f"X{i}", Value(Kind.REAL32, 1.0), Value(Kind.REAL32, 2.0), Phase.SET) for i in range(40)]
    assert frames_in(next(write_values(conversation, changes)).send) == 10
    conversation.session.line = Line(45_000.0, known=True)
    assert frames_in(next(write_values(conversation, changes)).send) == 24
