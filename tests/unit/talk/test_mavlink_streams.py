"""Telemetry that eats a slow link is paused during a transfer and put back, whatever happens."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from dronekit_cfg.engine.connection import Connection, LinkOptions, connect
from dronekit_cfg.errors import NoAnswer
from dronekit_cfg.events import Note
from dronekit_cfg.families.mavlink import MavlinkDriver
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.talk.flow import Flow
from dronekit_cfg.talk.mavlink_commands import run_command
from dronekit_cfg.talk.mavlink_conversation import Conversation
from dronekit_cfg.talk.mavlink_streams import pause_streams, resume_streams

STREAMS = frozenset({"ATTITUDE", "VFR_HUD", "SYS_STATUS", "GPS_RAW_INT"})


def link(baud: int = 57600, streams: int = 4, more: str = "") -> LinkOptions:
    return LinkOptions(
        f"chaos+sim:ardupilot-copter?fresh&streams={streams}&baud={baud}&latency=0.02{more}", family="ardupilot"
    )


def talk_of(connection: Connection) -> Conversation:
    assert isinstance(connection.driver, MavlinkDriver)
    return connection.driver.conversation


def heard(connection: Connection, seconds: float) -> Counter[str]:
    conversation = talk_of(connection)

    def listen() -> Flow[Counter[str]]:
        found: Counter[str] = Counter()
        end = conversation.now + seconds
        while (message := (yield from conversation.next(until=end))) is not None:
            found[message.name] += 1
        return found

    return connection.run(listen())


def test_a_transfer_over_a_slow_line_pauses_the_streams_and_the_end_of_the_command_puts_them_back() -> None:
    events: list[Any] = []
    clock = VirtualClock()
    with connect(link(), clock=clock, report=events.append) as connection:
        before = heard(connection, 3.0)
        assert min(before[name] for name in STREAMS) >= 6
        rates = {s.name: s.value for s in connection.snapshot().settings if s.name.startswith(("MAV1_", "SR0_"))}
        quiet = heard(connection, 3.0)
        assert not any(quiet[name] for name in STREAMS)
        connection.leave()
        after = heard(connection, 3.0)
        assert min(after[name] for name in STREAMS) >= 6
        assert talk_of(connection).paused == {}
        again = {s.name: s.value for s in connection.snapshot().settings if s.name in rates}
    assert again == rates
    assert any(isinstance(e, Note) and "telemetry streams are paused" in e.text for e in events)


@pytest.mark.parametrize("seed", range(4))
def test_they_come_back_over_a_line_that_loses_a_tenth_of_all_frames(seed: int) -> None:
    with connect(link(more=f"&loss=0.1&seed={seed}"), clock=VirtualClock()) as connection:
        heard(connection, 3.0)
        connection.snapshot()
        assert talk_of(connection).paused
        connection.leave()
        after = heard(connection, 3.0)
        assert all(after[name] for name in STREAMS)


def test_they_come_back_after_a_failure_and_after_the_link_was_opened_again() -> None:
    with connect(link(), clock=VirtualClock()) as connection:
        heard(connection, 3.0)

        def fails() -> Flow[None]:
            yield from pause_streams(talk_of(connection))
            raise NoAnswer("x")

        with pytest.raises(NoAnswer):
            connection.run(fails())
        connection.reconnect()
        connection.leave()
        after = heard(connection, 3.0)
        assert all(after[name] for name in STREAMS)


def test_a_reboot_brings_them_back_as_configured_so_that_nothing_old_is_put_over_it() -> None:
    with connect(link(), clock=VirtualClock()) as connection:
        heard(connection, 3.0)
        connection.snapshot()
        assert talk_of(connection).paused
        connection.reboot()
        assert talk_of(connection).paused == {}


@pytest.mark.parametrize("options", [link(baud=921600), link(streams=0)])
def test_nothing_is_paused_on_a_fast_line_or_where_nothing_streams(options: LinkOptions) -> None:
    with connect(options, clock=VirtualClock()) as connection:
        heard(connection, 3.0)
        connection.snapshot()
        assert talk_of(connection).paused == {}


def test_a_vehicle_that_does_not_confirm_is_told_about(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[Any] = []
    with connect(link(), clock=VirtualClock(), report=events.append) as connection:
        conversation = talk_of(connection)
        conversation.paused = {30: 250_000}
        monkeypatch.setattr(connection.link, "write", lambda _: None)
        connection.run(resume_streams(conversation))
    assert any(isinstance(e, Note) and "stay paused" in e.text for e in events)


def test_the_telemetry_of_an_armed_vehicle_is_left_alone() -> None:
    with connect(link(), clock=VirtualClock()) as connection:
        conversation = talk_of(connection)
        assert connection.run(run_command(conversation, 400, 1, 21196)) == 0
        heard(connection, 3.0)
        connection.snapshot()
        assert conversation.paused == {}
        assert connection.run(run_command(conversation, 400, 0, 21196)) == 0
        heard(connection, 3.0)
        connection.snapshot()
        assert conversation.paused
