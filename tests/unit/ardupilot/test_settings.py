"""Lists, reads and snapshots of settings over good and bad links."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from ardupilot_driver import ArdupilotDriver

from dronekit_cfg.errors import NoAnswer
from dronekit_cfg.events import Note, Progress, VehicleText
from dronekit_cfg.model import Kind, Snapshot, Value
from dronekit_cfg.talk.mavlink_params import value_of
from dronekit_cfg.wire.mavlink import Message

NUMBERS = {"INT8": (1, "<b"), "INT16": (2, "<h"), "INT32": (3, "<i"), "REAL32": (4, "<f")}


def packed(params: dict[str, list[Any]], announced: int | None = None) -> bytes:
    """The packed file of these settings, each name in full (no shared beginnings), each with the default 1."""
    count = len(params) if announced is None else announced
    data = struct.pack("<HHH", 0x671C, count, count)
    for name, (kind, value) in params.items():
        number, layout = NUMBERS[kind]
        data += bytes((number | 0x10, (len(name) - 1) << 4)) + name.encode()
        data += struct.pack(layout, value) + struct.pack(layout, 1)
    return data


def connected(rig: Any, **options: Any) -> ArdupilotDriver:
    driver = ArdupilotDriver(rig.session, **options)
    rig.run(driver.codec, driver.identify())
    return driver


def snapshot(rig: Any, driver: ArdupilotDriver) -> Snapshot:
    found: Snapshot = rig.run(driver.codec, driver.snapshot(taken="2026-11-22T12:00:00Z"))
    return found


def facts(found: Snapshot) -> dict[str, tuple[str, Any]]:
    return {s.name: (s.value.kind.value, s.value.raw) for s in found.settings}


def truth(vehicle: Any) -> dict[str, tuple[str, Any]]:
    return {n: (kind, value) for n, (kind, value) in vehicle.params.items() if n not in vehicle.hidden}


@pytest.mark.parametrize("loss", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("seed", range(5))
def test_a_list_is_complete_whatever_the_link_loses(bench: Any, fake: Any, loss: float, seed: int) -> None:
    vehicle = fake(capabilities=0, loss_up=loss, loss_down=loss, seed=seed)
    rig = bench(vehicle)
    found = snapshot(rig, connected(rig))
    assert (found.source, found.typed) == ("list", True)
    assert facts(found) == truth(vehicle)


def test_a_list_that_changes_while_it_is_read_is_read_again(bench: Any, fake: Any) -> None:
    vehicle = fake(capabilities=0, hidden={"PSC_JERK_XY"})
    rig = bench(vehicle)
    driver = connected(rig)
    start = rig.time

    def appear(now: float) -> None:
        if now > start + 0.05 and vehicle.hidden:
            vehicle.hidden.clear()
            vehicle.value("PSC_JERK_XY", 65535, now)

    rig.hook = appear
    assert facts(snapshot(rig, driver)) == truth(vehicle)


def test_a_value_sent_in_the_middle_of_a_list_wins_over_the_list(bench: Any, fake: Any) -> None:
    vehicle = fake(capabilities=0)
    rig = bench(vehicle)
    driver = connected(rig)
    once = [True]

    def change(now: float) -> None:
        if once and now > 1000.45:
            once.clear()
            vehicle.params["GRP0_SETTING0"][1] = 99
            vehicle.value("GRP0_SETTING0", 65535, now)

    rig.hook = change
    assert snapshot(rig, driver).value("GRP0_SETTING0") == Value(Kind.INT8, 99)


def test_a_list_without_an_end_is_no_answer(bench: Any, fake: Any) -> None:
    rig = bench(fake(capabilities=0))
    driver = connected(rig)
    rig.vehicles[0].deaf = True
    with pytest.raises(NoAnswer, match=r"only 0 of \? settings"):
        snapshot(rig, driver)


@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize(("loss", "seed"), [(0.0, 1), *((0.1, s) for s in range(8)), *((0.3, s) for s in range(4))])
def test_a_packed_download_is_exact_whatever_the_link_loses(
    bench: Any, fake: Any, loss: float, seed: int, slow: bool
) -> None:
    vehicle = fake(loss_up=loss, loss_down=loss, seed=seed)
    vehicle.packed = packed(vehicle.params)
    rig = bench(vehicle)
    found = snapshot(rig, connected(rig, slow=slow))
    assert found.source == "mavftp"
    assert facts(found) == truth(vehicle)
    assert found.by_name["BATT_CAPACITY"].default == Value(Kind.INT32, 1)


def test_a_packed_download_costs_one_burst_and_no_waiting(bench: Any, fake: Any) -> None:
    vehicle = fake()
    vehicle.packed = packed(vehicle.params)
    rig = bench(vehicle)
    driver = connected(rig)
    snapshot(rig, driver)
    blocks = len(vehicle.packed) // 239 + 1
    start = next(t for t, data in rig.sent if b"@PARAM/param.pck" in data)
    # Two latencies, and 6 ms for each block: nothing is waited for at the end.
    assert rig.time - start == pytest.approx(2 * 0.01 + blocks * 0.006, abs=1e-6)
    assert vehicle.read_requests == []


def test_lost_blocks_are_read_alone_and_the_burst_is_not_repeated(bench: Any, fake: Any) -> None:
    vehicle = fake(lose_blocks={239, 956})
    vehicle.packed = packed(vehicle.params)
    rig = bench(vehicle)
    driver = connected(rig)
    assert facts(snapshot(rig, driver)) == truth(vehicle)
    assert vehicle.read_requests == [239, 956]


def test_a_file_that_ends_at_a_block_boundary_is_read_to_its_end(bench: Any, fake: Any) -> None:
    vehicle = fake()
    data = packed(vehicle.params)
    vehicle.packed = data + bytes(-len(data) % 239)
    rig = bench(vehicle)
    assert facts(snapshot(rig, connected(rig))) == truth(vehicle)


def test_the_last_blocks_of_a_burst_may_be_lost(bench: Any, fake: Any) -> None:
    vehicle = fake(lose_blocks=set(range(478, 5000, 239)))
    vehicle.packed = packed(vehicle.params)
    rig = bench(vehicle)
    assert facts(snapshot(rig, connected(rig))) == truth(vehicle)


def test_a_session_that_a_killed_run_left_open_is_no_obstacle(bench: Any, fake: Any) -> None:
    vehicle = fake()
    vehicle.packed = packed(vehicle.params)
    vehicle.fd, vehicle.session, vehicle.ftp_used = "r", 0xDC, 1000.0
    rig = bench(vehicle)
    start = rig.time
    assert snapshot(rig, connected(rig)).source == "mavftp"
    assert rig.time - start < 1.0


def test_another_station_that_transfers_files_is_waited_for_and_named(bench: Any, fake: Any) -> None:
    vehicle = fake()
    vehicle.packed = packed(vehicle.params)
    vehicle.fd, vehicle.session, vehicle.ftp_used = "r", 1, 1000.2
    rig = bench(vehicle)
    assert snapshot(rig, connected(rig)).source == "mavftp"
    assert any(isinstance(e, Note) and "another station" in e.text for e in rig.events)


def test_a_vehicle_without_packed_settings_is_read_as_a_list_with_a_note(bench: Any, fake: Any) -> None:
    vehicle = fake()
    vehicle.on_file_transfer_protocol = None
    rig = bench(vehicle)
    found = snapshot(rig, connected(rig))
    assert (found.source, facts(found)) == ("list", truth(vehicle))
    assert any(isinstance(e, Note) and e.level == "warning" for e in rig.events)


def test_packed_settings_whose_number_does_not_fit_are_taken_again(bench: Any, fake: Any) -> None:
    vehicle = fake()
    vehicle.packed = packed(vehicle.params, announced=len(vehicle.params) + 3)
    rig = bench(vehicle)
    driver = connected(rig)

    start = rig.time

    def settle(now: float) -> None:
        if now > start + 0.1:
            vehicle.packed = packed(vehicle.params)

    rig.hook = settle
    found = snapshot(rig, driver)
    assert (found.source, facts(found)) == ("mavftp", truth(vehicle))


@pytest.mark.parametrize("loss", [0.0, 0.1, 0.25])
@pytest.mark.parametrize("seed", range(5))
def test_reads_by_name_find_hidden_settings_and_know_the_unknown(bench: Any, fake: Any, loss: float, seed: int) -> None:
    vehicle = fake(hidden={"GRP1_SETTING11"}, loss_up=loss, loss_down=loss, seed=seed)
    rig = bench(vehicle)
    driver = connected(rig)
    names = ["GRP1_SETTING11", "NO_SUCH_SETTING", "SIXTEEN_CHARS_16", *list(vehicle.params)[:25]]
    found = rig.run(driver.codec, driver.read(names))
    assert list(found) == list(dict.fromkeys(names))
    assert found["NO_SUCH_SETTING"] is None
    assert {n: s.value.raw for n, s in found.items() if s} == {
        n: vehicle.params[n][1] for n in names if n != "NO_SUCH_SETTING"
    }


def test_names_that_no_ardupilot_can_have_are_not_asked_for(bench: Any, fake: Any) -> None:
    rig = bench(fake())
    driver = connected(rig)
    found = rig.run(driver.codec, driver.read(["A_NAME_OF_MORE_THAN_16", "ÜBER", ""]))
    assert set(found.values()) == {None}
    assert not [m for m in rig.vehicles[0].heard if m.get_type() == "PARAM_REQUEST_READ"]


def test_an_unknown_name_on_a_good_link_costs_little_time(bench: Any, fake: Any) -> None:
    rig = bench(fake())
    driver = connected(rig)
    start = rig.time
    rig.run(driver.codec, driver.read(["NO_SUCH_SETTING"]))
    assert rig.time - start < 0.5


def test_a_vehicle_that_tells_parameter_errors_is_believed_at_once(bench: Any, fake: Any) -> None:
    rig = bench(fake(param_error=True))
    driver = connected(rig)
    assert rig.run(driver.codec, driver.read(["NO_SUCH_SETTING"])) == {"NO_SUCH_SETTING": None}
    asked = [m for m in rig.vehicles[0].heard if m.get_type() == "PARAM_REQUEST_READ" and m.param_index < 0]
    assert len(asked) == 1


def test_reads_of_a_silent_vehicle_are_no_answer_not_unknown(bench: Any, fake: Any) -> None:
    rig = bench(fake())
    driver = connected(rig)
    rig.vehicles[0].mute = True
    with pytest.raises(NoAnswer):
        rig.run(driver.codec, driver.read(["BATT_CAPACITY"]))


def test_texts_of_the_vehicle_become_events_whole(bench: Any, fake: Any) -> None:
    vehicle = fake()
    rig = bench(vehicle)
    driver = connected(rig)
    long = "PreArm: " + "0123456789" * 9
    from pymavlink.dialects.v20 import ardupilotmega as mavlink

    for i, part in enumerate((long[:50], long[50:])):
        vehicle.put(mavlink.MAVLink_statustext_message(2, part.encode(), 7, i), rig.time)
    vehicle.text(6, "Frame: QUAD/PLUS", rig.time)
    rig.run(driver.codec, driver.read(["BATT_CAPACITY"]))
    assert [e for e in rig.events if isinstance(e, VehicleText)] == [
        VehicleText(2, long),
        VehicleText(6, "Frame: QUAD/PLUS"),
    ]


def test_progress_is_reported(bench: Any, fake: Any) -> None:
    vehicle = fake(capabilities=0)
    rig = bench(vehicle)
    snapshot(rig, connected(rig))
    total = len(vehicle.params)
    assert Progress("settings", total, total) in rig.events


@pytest.mark.parametrize(
    ("kind", "number", "value"),
    [
        (2, 127.0, Value(Kind.INT8, 127)),
        (6, 2147483648.0, Value(Kind.INT32, 2147483647)),
        (9, 0.25, Value(Kind.REAL32, 0.25)),
        (4, float("nan"), None),
        (4, 1.5, None),
        (8, 1.0, None),
    ],
)
def test_values_on_the_wire_are_taken_by_their_type(kind: int, number: float, value: Value | None) -> None:
    fields = {"param_type": kind, "param_value": number, "param_id": "X", "param_index": 0, "param_count": 1}
    assert value_of(Message("PARAM_VALUE", 1, 1, fields)) == value


def test_a_burst_that_was_not_heard_is_asked_for_again(bench: Any, fake: Any) -> None:
    vehicle = fake()
    vehicle.packed = packed(vehicle.params)
    original, lost = vehicle.ftp_burst, [1]

    def first_lost(*args: Any) -> None:
        if lost:
            lost.clear()
            return
        original(*args)

    vehicle.ftp_burst = first_lost
    rig = bench(vehicle)
    driver = connected(rig)
    start = rig.time
    assert facts(snapshot(rig, driver)) == truth(vehicle)
    assert vehicle.read_requests == []
    assert rig.time - start < 1.3


def test_a_block_that_is_lost_twice_is_asked_for_as_soon_as_a_later_one_comes(bench: Any, fake: Any) -> None:
    vehicle = fake(lose_blocks={239, 478, 956})
    vehicle.packed = packed(vehicle.params)
    original, lost = vehicle.ftp_read, [1]

    def first_lost(*args: Any) -> None:
        if lost:
            lost.clear()
            return
        original(*args)

    vehicle.ftp_read = first_lost
    rig = bench(vehicle)
    driver = connected(rig)
    start = rig.time
    assert facts(snapshot(rig, driver)) == truth(vehicle)
    assert vehicle.read_requests == [478, 956, 239]
    assert rig.time - start < 0.3
