"""Long texts in pieces, and how long to wait for an answer."""

from __future__ import annotations

from dronekit_cfg.talk.mavlink_conversation import RoundTrip
from dronekit_cfg.talk.mavlink_texts import TextAssembler, VehicleSeen, capability_names
from dronekit_cfg.wire.mavlink import Message


def piece(text: str, number: int = 0, sequence: int = 0, severity: int = 4) -> Message:
    fields = {"severity": severity, "text": text, "id": number, "chunk_seq": sequence}
    return Message("STATUSTEXT", 1, 1, fields)


def test_a_short_text_is_whole_at_once() -> None:
    assert TextAssembler().feed(piece("EKF3 active", severity=6)) == [(6, "EKF3 active")]


def test_pieces_are_joined_in_any_order() -> None:
    texts = TextAssembler()
    assert texts.feed(piece("c", 5, 2)) == []
    assert texts.feed(piece("a" * 50, 5, 0)) == []
    assert texts.feed(piece("b" * 50, 5, 1)) == [(4, "a" * 50 + "b" * 50 + "c")]


def test_a_missing_piece_is_shown_when_the_next_text_comes() -> None:
    texts = TextAssembler()
    texts.feed(piece("a" * 50, 5, 0))
    texts.feed(piece("c", 5, 2))
    assert texts.feed(piece("next")) == [(4, "a" * 50 + "[...]c"), (4, "next")]


def test_a_doubled_piece_does_no_harm() -> None:
    texts = TextAssembler()
    texts.feed(piece("a" * 50, 5, 0))
    texts.feed(piece("a" * 50, 5, 0))
    assert texts.feed(piece("b", 5, 1)) == [(4, "a" * 50 + "b")]


def test_onboard_computers_and_stations_are_no_vehicles() -> None:
    assert VehicleSeen(1, 1, 2, 3).is_vehicle
    assert not VehicleSeen(255, 190, 6, 8).is_vehicle
    assert not VehicleSeen(1, 191, 18, 0).is_vehicle
    assert not VehicleSeen(1, 154, 26, 3).is_vehicle


def test_capabilities_of_the_recorded_vehicles_have_names() -> None:
    # 64495 is what Copter 4.5.6 and 4.7-dev report: all of the lower 16 bits but 4 and 10.
    names = capability_names(64495)
    assert {"mavftp", "param-c-cast", "mission-rally", "mavlink2"} <= set(names)
    assert "param-bytewise" not in names
    assert len(names) == 14


def test_the_wait_for_an_answer_follows_what_was_measured() -> None:
    trip = RoundTrip()
    assert trip.wait() == 0.7
    trip.measured(0.1)
    assert trip.wait() == 0.1 + 4 * 0.05
    for _ in range(100):
        trip.measured(0.001)
    assert trip.wait() == trip.lowest
    assert trip.wait(1) == trip.lowest * 1.5
    assert trip.wait(20) == trip.highest
