"""What is special about INAV: typed settings over MSP, profiles that store when selected, a batch end that kills."""

from __future__ import annotations

from typing import Any

import pytest

from dronekit_cfg.errors import NoAnswer
from dronekit_cfg.model import Change, Kind, Phase, Value, Verdict
from dronekit_cfg.wire.msp import MspDecoder, MspFrame, encode_reply

Make = Any


def change(name: str, value: Value) -> Change:
    return Change(name, None, value, Phase.SET)


def test_floats_are_read_back_with_all_their_digits(make_inav: Make) -> None:
    bench = make_inav()
    bench.run(bench.driver.identify())
    bench.run(bench.driver.snapshot(taken=""))
    wanted = Value(Kind.REAL32, 0.123)
    (outcome,) = bench.run(bench.driver.write([change("inav_w_z_baro_p", wanted)]))
    assert outcome.ok
    staged = bench.run(bench.driver.read(["inav_w_z_baro_p"]))["inav_w_z_baro_p"]
    assert wanted.same(staged.value)
    bench.run(bench.driver.commit())
    bench.back()
    after = bench.run(bench.driver.snapshot(taken=""))
    assert wanted.same(after.value("inav_w_z_baro_p"))


def test_the_type_is_the_stored_one_and_not_the_smallest(make_inav: Make) -> None:
    bench = make_inav()
    bench.run(bench.driver.identify())
    snapshot = bench.run(bench.driver.snapshot(taken=""))
    assert snapshot.value("control_profile.1.mc_p_pitch").kind is Kind.UINT16
    assert snapshot.value("control_profile.3.mc_p_pitch").kind is Kind.UINT16
    assert snapshot.value("opflow_scale") == Value(Kind.REAL32, 10.5)
    assert snapshot.value("name") == Value(Kind.TEXT, "")


def test_the_two_ways_of_reading_are_compared(make_inav: Make) -> None:
    """MSP says 26 where the CLI says 25: one of them is wrong, so there is no snapshot."""
    bench = make_inav()
    bench.run(bench.driver.identify())
    answers = bench.vehicle._answers

    def lie(request: MspFrame, state: Any, armed: bool) -> bytes | None:
        payload = answers(request, state, armed)
        if payload and payload.startswith(b"small_angle\0"):
            return bytes(payload[:-1]) + b"\x1a"
        return bytes(payload) if payload is not None else None

    bench.vehicle._answers = lie
    second = bench.run(bench.driver._second_reading())
    assert second["small_angle"] == "26"
    bench.run(bench.driver.enter())
    dump = bench.run(bench.driver._dump())
    assert bench.driver.known.disagreements(dump.settings, second) == ("small_angle",)


def test_selecting_another_profile_comes_last_and_not_at_all_after_an_error(make_inav: Make) -> None:
    bench = make_inav()
    bench.run(bench.driver.identify())
    snapshot = bench.run(bench.driver.snapshot(taken=""))
    changes = [
        change("control_profile.2.mc_p_pitch", Value(Kind.UINT16, 45)),
        change("small_angle", Value(Kind.UINT16, 999)),
    ]
    by_name = {o.name: o for o in bench.run(bench.driver.write(changes))}
    assert by_name["control_profile.2.mc_p_pitch"].verdict is Verdict.DENIED
    assert "stores everything" in by_name["control_profile.2.mc_p_pitch"].detail
    assert bench.vehicle.memory.values == {}
    bench.run(bench.driver.discard())
    bench.back()
    assert bench.run(bench.driver.snapshot(taken="")).digest == snapshot.digest


def test_the_active_profile_is_selected_again(make_inav: Make) -> None:
    bench = make_inav()
    bench.run(bench.driver.identify())
    bench.run(bench.driver.snapshot(taken=""))
    outcomes = bench.run(bench.driver.write([change("battery_profile.3.battery_capacity", Value(Kind.UINT32, 5000))]))
    assert outcomes[0].ok
    bench.run(bench.driver.commit())
    bench.back()
    after = bench.run(bench.driver.snapshot(taken=""))
    assert str(after.value("battery_profile")) == "1"
    assert str(after.value("battery_profile.3.battery_capacity")) == "5000"


def test_nothing_but_exit_is_sent_after_an_error(make_inav: Make) -> None:
    bench = make_inav()
    bench.run(bench.driver.identify())
    bench.run(bench.driver.snapshot(taken=""))
    bench.run(bench.driver.write([change("no_such", Value(Kind.UINT8, 1))]))
    sent: list[bytes] = []
    write = bench.link.write

    def note(data: bytes) -> None:
        sent.append(data)
        write(data)

    bench.link.write = note
    with pytest.raises(Exception, match="not saved"):
        bench.run(bench.driver.commit())
    bench.run(bench.driver.discard())
    assert sent[0] == b"exit\n"
    assert not any(b"save" in data or b"batch" in data for data in sent)


def test_a_line_of_64_characters_is_too_long(make_inav: Make) -> None:
    bench = make_inav()
    bench.run(bench.driver.identify())
    snapshot = bench.run(bench.driver.snapshot(taken=""))
    with pytest.raises(ValueError, match="63"):
        bench.driver.coerce("osd_custom_elements.0", "0 " * 30, snapshot.by_name["osd_custom_elements.0"])


def test_a_setting_that_answers_out_of_turn_is_asked_for_again(make_inav: Make) -> None:
    bench = make_inav()
    bench.run(bench.driver.identify())
    answers = bench.vehicle._answers
    twisted: list[int] = []

    def twist(request: MspFrame, state: Any, armed: bool) -> bytes | None:
        if request.code == 0x1007 and request.payload == b"\0\x05\0" and not twisted:
            twisted.append(1)
            request = MspFrame(request.code, b"\0\x06\0", request.direction, request.version)
        found: bytes | None = answers(request, state, armed)
        return found

    bench.vehicle._answers = twist
    infos = bench.run(bench.driver._all_infos())
    assert twisted
    assert [info.index for info in infos] == list(range(634))

    bench.vehicle._answers = lambda request, state, armed: (
        answers(MspFrame(request.code, b"\0\0\0", request.direction, request.version), state, armed)
        if request.code == 0x1007
        else answers(request, state, armed)
    )
    with pytest.raises(NoAnswer):
        bench.run(bench.driver._all_infos())


def test_inav_7_and_8_call_control_profiles_profiles(make_inav: Make) -> None:
    bench = make_inav()
    answers = bench.vehicle._answers
    bench.vehicle._answers = lambda request, state, armed: (
        b"\x08\x00\x01" if request.code == 3 else answers(request, state, armed)
    )
    assert bench.run(bench.driver.identify()).version == "8.0.1"
    found = bench.run(bench.driver._second_reading())
    assert "profile.1.mc_p_pitch" in found
    assert "control_profile.1.mc_p_pitch" not in found


def test_the_recorded_reply_of_a_setting_is_what_the_twin_sends(make_inav: Make) -> None:
    bench = make_inav()
    bench.link.write(bytes.fromhex("24583c000710030000000035"))
    decoder = MspDecoder()
    decoder.receive_data(bench.link.read(0.1))
    frame = decoder.next_event()
    assert isinstance(frame, MspFrame)
    # As the INAV 9.0.0 SITL answered.
    raw = "24583e0007101c006c6f6f7074696d65000a00020000000000002823000000000000f40108"
    assert encode_reply(frame.code, frame.payload, version=2).hex() == raw


def test_a_write_without_a_snapshot_before_it_is_typed_all_the_same(make_inav: Make) -> None:
    bench = make_inav()
    bench.run(bench.driver.identify())
    (outcome,) = bench.run(bench.driver.write([change("opflow_scale", Value(Kind.REAL32, 10.25))]))
    assert outcome.ok
    assert bench.run(bench.driver.read(["opflow_scale"]))["opflow_scale"].value == Value(Kind.REAL32, 10.25)
