"""Events are put into words by the vehicle's metadata: numbers, packed arguments, places in the text."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from dronekit_cfg.errors import LinkGarbage
from dronekit_cfg.talk.mavlink_events import read_book
from dronekit_cfg.wire.mavlink import MavlinkCodec

FILE: dict[str, Any] = {
    "version": 1,
    "components": {
        "1": {
            "namespace": "px4",
            "enums": {
                "mode_t": {"type": "uint8_t", "entries": {"4": {"name": "hold", "description": "Hold"}}},
                "parts_t": {
                    "type": "uint8_t",
                    "is_bitfield": True,
                    "entries": {"1": {"name": "a", "description": "Left"}, "4": {"name": "b", "description": "Right"}},
                },
            },
            "event_groups": {
                "health": {
                    "events": {
                        "7": {
                            "name": "check_load",
                            "message": "Load {2:.1}% in {1}, {3:.1m_v} up, \\{{4}\\}",
                            "arguments": [{"type": t} for t in ("px4::mode_t", "float", "float", "parts_t")],
                        }
                    }
                },
                "default": {
                    "events": {
                        "8": {"name": "plain", "message": "Ready"},
                        "9": {"name": "odd", "message": "Odd {1}", "arguments": [{"type": "nobody_knows_t"}]},
                    }
                },
            },
        }
    },
}


def event(number: int, arguments: bytes = b"", levels: int = 0x33) -> dict[str, Any]:
    return {"id": 1 << 24 | number, "log_levels": levels, "arguments": arguments.ljust(40, b"\0")}


def test_arguments_are_packed_without_gaps_and_put_where_the_text_says() -> None:
    said = read_book(FILE).read(event(7, struct.pack("<BffB", 4, 93.26, 12.04, 5)))
    assert said is not None
    assert said.text == "Load 93.3% in Hold, 12.0 m up, {Left, Right}"
    assert (said.name, said.group, said.severity) == ("check_load", "health", 3)


def test_an_enum_value_that_is_not_named_is_shown_as_its_number() -> None:
    said = read_book(FILE).read(event(7, struct.pack("<BffB", 9, 1, 2, 8)))
    assert said is not None
    assert said.text.startswith("Load 1.0% in 9")


@pytest.mark.parametrize(
    "fields", [event(99), event(8, levels=0x38), {**event(8), "id": 2 << 24 | 8}], ids=["unknown", "log", "other"]
)
def test_what_is_not_in_the_book_or_not_for_people_says_nothing(fields: dict[str, Any]) -> None:
    assert read_book(FILE).read(fields) is None


def test_an_event_with_an_argument_of_an_unknown_type_is_left_out() -> None:
    assert read_book(FILE).read(event(9, b"\x01")) is None


@pytest.mark.parametrize("content", [[], {}, {"components": []}, {"components": {"1": {"event_groups": {"a": 3}}}}, 7])
def test_another_file_is_refused(content: object) -> None:
    with pytest.raises(LinkGarbage, match="no metadata of events"):
        read_book(content)


REAL = "fd120000603d019a0100b91bd3012c10000002000000337c007e001150e4"
"""An EVENT of the PX4 SITL of 2024-10 without GNSS (check_modes_local_pos), as it came over UDP."""


def test_an_event_of_a_real_px4_is_read() -> None:
    codec = MavlinkCodec()
    codec.receive_data(bytes.fromhex(REAL))
    message = codec.next_event()
    assert message is not None
    assert message.name == "EVENT"
    # The number is in the firmware's all_events.json; 4140 ms after the start, the third one, error in both levels.
    assert (message["id"], message["sequence"], message["log_levels"]) == (1 << 24 | 13835193, 2, 0x33)
    assert message["event_time_boot_ms"] == 4140
    assert bytes(message["arguments"])[:4] == bytes.fromhex("7c007e00")
    assert len(message["arguments"]) == 40
