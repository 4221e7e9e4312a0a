"""The ways to an ExpressLRS device: USB, a handset's wire, a receiver; its commands, its numbers, its silence."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest

from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.engine.transaction import apply
from dronekit_cfg.errors import NoAnswer, UsageError
from dronekit_cfg.families.elrs.tree import choose, packed, setting, spec
from dronekit_cfg.model import Kind, Result, Value, float32
from dronekit_cfg.sim.link import MemoryLink
from dronekit_cfg.wire.crsf import CrsfCodec, Entry, EntryType, parse_entry

Bench = Any
RC_CHANNELS = 0x16


def test_a_receiver_is_asked_directly(bench: Bench) -> None:
    with bench.connect("sim:elrs-rx") as connection:
        assert connection.identity.vehicle == "rx"
        assert connection.snapshot().value("SBUS_failsafe") == Value(Kind.TEXT, "No Pulses")
        receipt = apply(connection, bench.goal_of({"Bind_Storage": "Returnable"}), bench.state)
        assert (receipt.result, receipt.problems) == (Result.DONE, ())


def test_a_receiver_behind_betaflight_is_reached_at_its_own_speed(bench: Bench) -> None:
    options = LinkOptions(
        "via:betaflight:uart2+sim:betaflight?uart2=elrs-rx", family="elrs", state_dir=bench.state.root
    )
    with connect(options, clock=bench.clock) as connection:
        assert (connection.identity.vehicle, connection.link.baud) == ("rx", 420000)
        assert len(connection.snapshot().settings) == 5


def test_on_a_handsets_wire_the_module_is_spoken_to_without_ever_sending_channels(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = b""
    write = MemoryLink.write

    def spy(self: MemoryLink, data: bytes) -> None:
        nonlocal sent
        sent += data
        write(self, data)

    monkeypatch.setattr(MemoryLink, "write", spy)
    with bench.connect("sim:elrs-tx-handset") as connection:
        assert connection.identity.vehicle == "tx"
        assert len(connection.snapshot().settings) == 13
    kinds = set()
    while sent:
        kinds.add(sent[2])
        sent = sent[2 + sent[1] :]
    assert RC_CHANNELS not in kinds


@pytest.mark.parametrize(
    ("target", "host"), [("elrs-tx", 115200), ("elrs-rx", 460800), ("elrs-tx?baud=921600", 420000)]
)
def test_a_module_at_an_unknown_speed_is_found(bench: Bench, target: str, host: int) -> None:
    with bench.connect(f"sim:{target}{'&' if '?' in target else '?'}host={host}") as connection:
        assert connection.identity.board.startswith("Simulated ELRS")


def test_a_command_is_given_when_it_is_asked_for_and_seen_to_its_end(bench: Bench, twin: Any) -> None:
    with bench.connect("sim:elrs-tx") as connection:
        driver = connection.driver
        assert connection.run(driver.commands()) == (
            "VTX_Administrator/Send_VTx",
            "WiFi_Connectivity/Enable_WiFi",
            "Bind",
        )
        assert twin(connection).commands == []
        connection.run(driver.command("Bind", confirmed=True))
        assert twin(connection).commands == [18]
        with pytest.raises(UsageError, match="no command Bond"):
            connection.run(driver.command("Bond", confirmed=True))


def test_a_module_in_wifi_mode_does_not_answer_and_that_is_explained(bench: Bench, twin: Any) -> None:
    with bench.connect("sim:elrs-tx") as connection:
        connection.run(connection.driver.command("WiFi_Connectivity/Enable_WiFi", confirmed=True))
        assert twin(connection).wifi
        with pytest.raises(NoAnswer) as caught:
            connection.snapshot()
        assert "Wi-Fi mode" in caught.value.hint


FLOAT = b"\0\x08Angle\0" + struct.pack(">iiiiBi", -1250, -18000, 18000, 0, 2, 25) + b"deg\0"
"""By the CRSF specification: value, min, max and default as int32, digits behind the point, step, unit."""


def test_a_float_is_a_whole_number_with_digits_behind_the_point() -> None:
    entry = parse_entry(7, FLOAT)
    assert (entry.type, entry.value, entry.low, entry.high, entry.unit) == (
        EntryType.FLOAT,
        -1250,
        -18000,
        18000,
        "deg",
    )
    assert setting("Angle", entry).value == Value(Kind.REAL32, -12.5)
    facts = spec("Angle", entry)
    assert (facts.minimum, facts.maximum) == (-180.0, 180.0)
    assert packed(entry, choose("Angle", entry, 33.75)) == struct.pack(">i", 3375)
    assert choose("Angle", entry, 0.1) == Value(Kind.REAL32, float32(0.1))
    assert packed(entry, choose("Angle", entry, 0.1)) == struct.pack(">i", 10)
    for wrong in (180.5, 0.125, "x"):
        with pytest.raises(ValueError, match="Angle"):
            choose("Angle", entry, wrong)


@pytest.mark.parametrize("wrong", [math.inf, math.nan, 1.5, 11, "x", None])
def test_a_number_that_the_module_does_not_take_is_refused(wrong: object) -> None:
    entry = Entry(1, 0, EntryType.UINT8, False, "Channel", 1, low=0, high=10)
    assert choose("Channel", entry, 10.0) == Value(Kind.UINT8, 10)
    with pytest.raises(ValueError, match="Channel is 0 to 10"):
        choose("Channel", entry, wrong)


@pytest.mark.parametrize("size", range(2, len(FLOAT)))
def test_a_float_that_is_cut_short_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="without"):
        parse_entry(7, FLOAT[:size])


def test_a_command_shows_its_step_and_text() -> None:
    entry = parse_entry(3, b"\0\x0dBind\0\x02\xc8Binding...\0")
    assert (entry.value, entry.unit) == (2, "Binding...")
    assert CrsfCodec().next_event() is None


def test_the_regulatory_domain_is_shown_and_not_written_over_crsf(bench: Bench, twin: Any) -> None:
    with bench.connect("sim:elrs-tx") as connection:
        assert connection.snapshot().value("Domain") == Value(Kind.TEXT, "CE_LBT")
        assert connection.driver.protected("Domain") == "read-only"
        found = connection.values(["Domain", "Packet_Rate"])
        assert str(found["Domain"]) == "CE_LBT"
