"""The twin against what the real ArduCopter SITL said: the same bytes in, the same messages out."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

VERSIONS = ["4.7-dev", "4.5.6"]

# What the firmware works out by itself while the list is recorded: calibration, sensor ids, location.
SETTLING = {
    "COMPASS_DEC",
    *(f"BARO{n}_GND_PRESS" for n in "12"),
    *(f"INS_{which}_ID" for which in ("ACC", "ACC2", "GYR", "GYR2")),
    *(f"INS_GYR{n}_CALTEMP" for n in "12"),
    *(f"INS_GYR{n}OFFS_{axis}" for n in ("", "2") for axis in "XYZ"),
}


@dataclass
class Both:
    real: list[Any] = field(default_factory=list)
    twin: list[Any] = field(default_factory=list)
    real_console: bytes = b""
    twin_console: bytes = b""


def parser() -> Any:
    mav = mavlink.MAVLink(None)
    mav.robust_parsing = True
    return mav


def parsed(mav: Any, data: bytes) -> tuple[list[Any], bytes]:
    found = mav.parse_buffer(data) or []
    rest = b"".join(bytes(m.data) for m in found if m.get_type() == "BAD_DATA")
    return [m for m in found if m.get_type() != "BAD_DATA"], rest


@pytest.fixture(params=VERSIONS)
def both(request: Any, rig: Any, session: Callable[[str], Iterator[tuple[float, str, bytes]]]) -> Both:
    """Play the ground side of a session to a twin that is just switched on, at the recorded times."""
    vehicle = rig(version=request.param, boot="cold").vehicle
    result, real, twin = Both(), parser(), parser()
    now = 0.0
    for at, direction, data in session(request.param):
        while not vehicle.hung_up and vehicle.next_due(now) <= at:
            now = max(now, vehicle.next_due(now))
            messages, rest = parsed(twin, vehicle.poll(now))
            result.twin += messages
            result.twin_console += rest
        now = at
        if direction == "tx":
            vehicle.receive(data, now)
        else:
            messages, rest = parsed(real, data)
            result.real += messages
            result.real_console += rest
    assert len(result.real) > 1400
    return result


def of(messages: list[Any], kind: str) -> list[Any]:
    return [m for m in messages if m.get_type() == kind]


def test_every_file_transfer_reply_is_the_same_to_the_byte(both: Both) -> None:
    real = [bytes(m.payload) for m in of(both.real, "FILE_TRANSFER_PROTOCOL")]
    assert len(real) == 69
    assert [bytes(m.payload) for m in of(both.twin, "FILE_TRANSFER_PROTOCOL")] == real


def test_the_parameter_list_has_the_same_names_types_count_and_order(both: Both) -> None:
    def rows(messages: list[Any]) -> list[tuple[str, int, int, int]]:
        return [
            (m.param_id, m.param_type, m.param_count, m.param_index)
            for m in of(messages, "PARAM_VALUE")
            if m.param_index != 65535
        ]

    assert rows(both.twin) == rows(both.real)


def test_the_parameter_list_has_the_same_values_but_for_what_was_still_settling(both: Both) -> None:
    def values(messages: list[Any]) -> dict[str, float]:
        return {m.param_id: m.param_value for m in of(messages, "PARAM_VALUE") if m.param_index != 65535}

    real, twin = values(both.real), values(both.twin)
    assert len(real) > 1300
    assert {n for n in real if real[n] != twin[n]} <= SETTLING


def test_reads_and_writes_are_answered_alike(both: Both) -> None:
    """By name, by index, accepted, limited to the type, a fraction on an integer; silence for unknown and NaN."""

    def answers(messages: list[Any], names: set[str]) -> list[tuple[str, float, int, int, int]]:
        return [
            (m.param_id, m.param_value, m.param_type, m.param_count, m.param_index)
            for m in of(messages, "PARAM_VALUE")
            if m.param_id in names and m.param_index == 65535
        ]

    asked = {"RTL_ALT", "FS_THR_VALUE", "NO_SUCH_PARAM", "EK3_GPS_CHECK", "PSC_JERK_XY", "RC1_MIN"}
    real = answers(both.real, asked)
    assert len(real) == 8
    assert answers(both.twin, asked) == real


def test_commands_are_acknowledged_alike(both: Both) -> None:
    def acks(messages: list[Any]) -> list[Any]:
        return [
            (m.command, m.result, m.target_system, m.target_component, m.get_srcSystem(), m.get_srcComponent())
            for m in of(messages, "COMMAND_ACK")
        ]

    assert [a[:2] for a in acks(both.real)] == [(512, 0), (401, 0), (400, 4), (246, 0)]
    assert acks(both.twin) == acks(both.real)


def test_identity_is_the_same(both: Both) -> None:
    (real,) = of(both.real, "AUTOPILOT_VERSION")
    (twin,) = of(both.twin, "AUTOPILOT_VERSION")
    assert twin.to_dict() == real.to_dict()


def test_the_texts_are_the_same_in_the_same_order(both: Both) -> None:
    def texts(messages: list[Any]) -> list[tuple[int, str]]:
        # which of the two EKF cores speaks first is chance, and the simulator's own remark is none of the vehicle's
        said = [(m.severity, m.text) for m in of(messages, "STATUSTEXT") if not m.text.startswith("RCInput")]
        return [(s, t.replace("IMU1", "IMU0")) for s, t in said]

    assert texts(both.twin) == texts(both.real)


def test_heartbeats_show_the_same_states_in_the_same_order(both: Both) -> None:
    def states(messages: list[Any]) -> list[tuple[int, ...]]:
        seen: list[tuple[int, ...]] = []
        for m in of(messages, "HEARTBEAT"):
            state = (m.type, m.autopilot, m.base_mode, m.custom_mode, m.system_status)
            if not seen or seen[-1] != state:
                seen.append(state)
        return seen

    assert len(states(both.real)) == 2
    assert states(both.twin) == states(both.real)


def test_console_text_comes_first_as_on_the_real_port(both: Both) -> None:
    assert both.real_console.startswith(b"\n\nInit ArduCopter V4.")
    first_line = both.real_console[: both.real_console.index(b")") + 1]
    assert both.twin_console.startswith(first_line)


def test_the_reboot_command_ends_the_connection_after_a_quarter_second(rig: Any) -> None:
    bench = rig()
    bench.send(bench.pack.command_long_encode(1, 1, 246, 0, 1, 0, 0, 0, 0, 0, 0))
    bench.wait(0.2)
    assert not bench.vehicle.hung_up
    bench.wait(0.1)
    assert bench.vehicle.hung_up


@pytest.mark.parametrize("version", VERSIONS)
def test_the_packed_file_is_that_of_the_real_vehicle_to_the_byte(
    rig: Any, golden: Callable[[str], bytes], version: str
) -> None:
    bench = rig(version=version)
    bench.set("RC1_MIN", 1100.7)  # as in the recorded session
    bench.set("PSC_JERK_XY", 5.2)
    assert bench.download() == golden(f"param-{version}.pck.gz")


@pytest.mark.parametrize("size", [33, 40, 80, 110, 200, 239])
def test_no_value_crosses_a_read_block_whatever_its_size(rig: Any, size: int) -> None:
    content = rig().download(size=size)
    at, seen, widths = 6, 0, {1: 1, 2: 2, 3: 4, 4: 4}
    while at < len(content):
        if not content[at]:
            at += 1
            continue
        width = widths[content[at] & 15]
        end = at + 3 + (content[at + 1] >> 4) + width * (2 if content[at] >> 4 else 1)
        assert (end - 1) // size == (end - width) // size
        at, seen = end, seen + 1
    assert seen == struct.unpack_from("<HHH", content)[1] == 1354
