"""Radios without a serial number are told apart by what they are connected to."""

from __future__ import annotations

from pathlib import Path

import pytest

from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.events import Note
from dronekit_cfg.families.places import known_by
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.links.discover import Candidate, Kind
from dronekit_cfg.links.serial_port import _place
from dronekit_cfg.talk.flow import Session


def key(url: str, root: Path) -> str:
    options = LinkOptions(url, family="sik" if "sik" in url else "", state_dir=root)
    with connect(options, clock=VirtualClock()) as connection:
        return connection.identity.key


def test_two_pairs_of_one_kind_have_folders_of_their_own_and_keep_them(tmp_path: Path) -> None:
    first, second = key("sim:sik-pair", tmp_path), key("sim:sik-pair?id=2", tmp_path)
    assert first != second
    assert key("sim:sik-pair", tmp_path) == first
    assert key("chaos+sim:sik-pair?latency=0.001", tmp_path) == first
    behind = key("via:ardupilot:telem1+sim:ardupilot-copter?telem1=sik-pair", tmp_path)
    assert behind.endswith("-telem1")


def adapter(serial: str = "", location: str = "", vid: int | None = 0x403) -> Candidate:
    return Candidate("/dev/ttyUSB0", Kind.ADAPTER, "", vid=vid, pid=0x6001, serial_number=serial, location=location)


@pytest.mark.parametrize(
    ("found", "place"),
    [
        (adapter("A50285BI", "1-1.4"), "usb-0403-6001-A50285BI"),
        (adapter("", "1-1.4"), "usb-0403-6001-socket-1-1.4"),
        (adapter(), ""),
        (adapter(vid=None), ""),
        (None, ""),
    ],
)
def test_an_adapter_is_named_by_its_serial_number_else_by_its_socket(found: Candidate | None, place: str) -> None:
    assert _place(found) == place


def test_a_name_that_may_be_anothers_tomorrow_is_said_once() -> None:
    notes: list[object] = []
    session = Session(lambda: 0.0, notes.append, place="usb-0403-6001-socket-1-1.4")
    assert known_by(session, "it", again=False) == "usb-0403-6001-socket-1-1.4"
    known_by(session, "it", again=True)
    assert [isinstance(n, Note) and "socket" in n.text for n in notes] == [True]
    session.place = ""
    assert known_by(session, "it", again=False) == ""
    assert len(notes) == 2
