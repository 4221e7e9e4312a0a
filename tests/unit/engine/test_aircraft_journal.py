"""The journal of an aircraft: one decision that survives a power cut at any byte; no line breaks the reader."""

from __future__ import annotations

from pathlib import Path

import pytest

from dronekit_cfg.engine.aircraft_journal import FORMAT, NEW, OLD, decide_old, identity_data, read_aircraft_journal
from dronekit_cfg.engine.journal import Journal
from dronekit_cfg.errors import StateError
from dronekit_cfg.model import Identity

PARTS = (
    ("vehicle", Identity("ardupilot", "copter", "4.7.0", "4.7.0", "0", "aabb", "1:1")),
    ("radio", Identity("sik", "", "2.2", "SiK 2.2", "HM-TRP", "ccdd", "")),
)


def write_story(path: Path) -> None:
    journal = Journal(path)
    parts = [{"role": r, "link": f"sim:{r}", "driver": i.family, "identity": identity_data(i)} for r, i in PARTS]
    journal.write("begin", format=FORMAT, parts=parts)
    journal.write("part", role="vehicle", state="held")
    journal.write("decide", to=NEW, why="all are verified")
    journal.close()


def test_it_tells_the_devices_in_order_and_what_was_decided(tmp_path: Path) -> None:
    write_story(tmp_path / "j.jsonl")
    story = read_aircraft_journal(tmp_path / "j.jsonl")
    assert [(p.role, p.link, p.identity) for p in story.parts] == [(r, f"sim:{r}", i) for r, i in PARTS]
    assert (story.decision, story.open) == (NEW, True)


def test_cut_at_any_byte_it_tells_of_every_complete_line(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    write_story(path)
    whole = path.read_bytes()
    begun, decided = whole.index(b"\n") + 1, len(whole)
    for size in range(len(whole) + 1):
        path.write_bytes(whole[:size])
        story = read_aircraft_journal(path)
        assert len(story.parts) == (2 if size >= begun else 0)
        assert story.decision == (NEW if size >= decided else "")


def test_nobody_decides_twice(tmp_path: Path) -> None:
    write_story(tmp_path / "j.jsonl")
    story = read_aircraft_journal(tmp_path / "j.jsonl")
    decide_old(story, "too late")
    assert read_aircraft_journal(story.path).decision == NEW
    path = tmp_path / "k.jsonl"
    journal = Journal(path)
    journal.write("begin", format=FORMAT, parts=[])
    journal.close()
    decide_old(read_aircraft_journal(path), "a device is silent")
    assert read_aircraft_journal(path).decision == OLD


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b"[]",
        b"3",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"kind": ["list"]}',
        b'{"kind": "no-such"}',
        b'{"kind": "begin", "format": "v9"}',
        b'{"kind": "begin", "format": "dronekit-cfg/aircraft-journal/v1", "parts": [{}]}',
        b'{"kind": "begin", "format": "dronekit-cfg/aircraft-journal/v1", "parts": 7}',
        b'{"kind": "decide", "to": "both"}',
        b'{"kind": "decide", "to": {}}',
        b'{"kind": "end", "result": 1e999}',
    ],
)
def test_a_damaged_line_is_an_error_that_names_file_and_line_and_what_to_do(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "j.jsonl"
    write_story(path)
    path.write_bytes(path.read_bytes() + line + b"\n")
    with pytest.raises(StateError, match=r"j\.jsonl:4: damaged journal") as caught:
        read_aircraft_journal(path)
    assert "dronekit-cfg recover" in caught.value.hint


@pytest.mark.parametrize("error", [IndexError("i"), OverflowError("o"), KeyError("k"), RecursionError("r")])
def test_whatever_a_line_breaks_in_the_reader_it_is_told_as_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(*_: object) -> None:
        raise error

    write_story(tmp_path / "j.jsonl")
    monkeypatch.setattr("dronekit_cfg.engine.aircraft_journal._tell", broken)
    with pytest.raises(StateError, match=r"j\.jsonl:1: damaged journal"):
        read_aircraft_journal(tmp_path / "j.jsonl")
