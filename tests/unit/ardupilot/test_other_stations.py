"""Other ground stations on the link or the vehicle: noticed, waited out, named, and never mixed into our data."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from ardupilot_driver import ArdupilotDriver
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from dronekit_cfg.events import Note
from dronekit_cfg.talk.mavlink_ftp import FtpRefused, download

PATH = "@PARAM/param.pck"
DATA = bytes(i * 7 % 256 for i in range(239 * 9 + 50))


def connected(rig: Any) -> ArdupilotDriver:
    driver = ArdupilotDriver(rig.session)
    rig.run(driver.codec, driver.identify())
    return driver


def station_heartbeat(vehicle: Any, system: int, at: float) -> None:
    """Let the vehicle's link carry a heartbeat of another ground station, as ArduPilot forwards them."""
    sender = mavlink.MAVLink(None, srcSystem=system, srcComponent=190)
    frame = mavlink.MAVLink_heartbeat_message(6, 8, 0, 0, 4, 3).pack(sender)
    vehicle.order += 1
    vehicle.outbox.append((at, vehicle.order, frame))
    vehicle.outbox.sort()


def hold_session(vehicle: Any, until: float) -> None:
    """Let another station have a file open and use it until that moment."""
    vehicle.fd, vehicle.session = "r", 1
    original = vehicle.on_file_transfer_protocol

    def used(message: Any, now: float) -> None:
        if vehicle.session == 1:
            vehicle.ftp_used = max(vehicle.ftp_used, min(now, until))
        original(message, now)

    vehicle.on_file_transfer_protocol = used


def notes(rig: Any) -> list[str]:
    return [e.text for e in rig.events if isinstance(e, Note)]


def test_a_station_that_holds_the_session_is_named_and_waited_out(bench: Any, fake: Any) -> None:
    vehicle = fake()
    vehicle.packed = DATA
    rig = bench(vehicle)
    driver = connected(rig)
    station_heartbeat(vehicle, 252, rig.time + 0.01)
    hold_session(vehicle, rig.time + 8.0)
    start = rig.time
    assert rig.run(driver.codec, download(driver._conversation, PATH)) == DATA
    assert 11.0 < rig.time - start < 19.0
    told = [text for text in notes(rig) if "waiting for it to end" in text]
    assert any("ground station 252:190" in text for text in told)
    assert len(told) <= 2


def test_a_station_that_never_ends_is_named_in_the_error(bench: Any, fake: Any) -> None:
    vehicle = fake()
    vehicle.packed = DATA
    rig = bench(vehicle)
    driver = connected(rig)
    hold_session(vehicle, rig.time + 900.0)
    for second in range(60):
        station_heartbeat(vehicle, 252, rig.time + second)
    with pytest.raises(FtpRefused, match=r"ground station 252:190 has a file open"):
        rig.run(driver.codec, download(driver._conversation, PATH))


@pytest.mark.parametrize("mine", [True, False])
def test_data_of_another_stations_session_never_gets_into_our_file(bench: Any, fake: Any, *, mine: bool) -> None:
    """Most stations are 255:190, and behind a router each sees the replies to the others."""
    vehicle = fake(loss_down=0.05, seed=4)
    vehicle.packed = DATA
    rig = bench(vehicle)
    driver = connected(rig)
    original = vehicle.ftp_put
    target = (255, 190) if mine else (254, 190)

    def also_foreign(payload: bytes, now: float) -> None:
        sequence, _, op, size, request, complete, offset = struct.unpack_from("<HBBBBBxI", payload)
        if request in (5, 15) and op == 128 and size:
            head = struct.pack("<HBBBBBxI", (sequence + 1) & 0xFFFF, 7, op, size, request, complete, offset)
            foreign = list((head + b"\xee" * size).ljust(251, b"\0"))
            vehicle.put(mavlink.MAVLink_file_transfer_protocol_message(0, *target, foreign), now)
        original(payload, now)

    vehicle.ftp_put = also_foreign
    assert rig.run(driver.codec, download(driver._conversation, PATH)) == DATA
    if mine:
        assert any("at the same time" in text for text in notes(rig))
    else:
        assert driver._conversation.watch.others(rig.time) == "254:190"
