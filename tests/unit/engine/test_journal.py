"""The journal: what survives a power cut at any byte."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from dronekit_cfg.engine.journal import Journal, read_journal, value_from_json, value_to_json
from dronekit_cfg.errors import StateError
from dronekit_cfg.model import Change, Identity, Kind, Outcome, Phase, Result, Value, Verdict

IDENTITY = Identity("ardupilot", "copter", "4.7.0.dev0", "4.7.0-dev", "0", "aabb", "1:1")


def change(name: str, old: float | None, wanted: float) -> Change:
    return Change(name, None if old is None else Value(Kind.REAL32, old), Value(Kind.REAL32, wanted), Phase.SET)


def write_story(path: Path) -> None:
    journal = Journal(path)
    journal.begin(IDENTITY, wanted={"A": Value(Kind.REAL32, 2.0), "B": Value(Kind.INT8, -1)}, hidden=["B"])
    journal.intent((change("A", 1.0, 2.0),))
    journal.outcome((Outcome("A", Value(Kind.REAL32, 2.0), Value(Kind.REAL32, 2.0), Verdict.WRITTEN),))
    journal.write("reboot", because="test")
    journal.intent((change("A", 2.0, 1.0), change("B", 0.0, -1.0)))
    journal.write("end", result="in-doubt", why="test")
    journal.close()


def test_the_oldest_value_of_a_setting_is_the_one_to_go_back_to(tmp_path: Path) -> None:
    write_story(tmp_path / "j.jsonl")
    story = read_journal(tmp_path / "j.jsonl")
    assert story.touched["A"] == Value(Kind.REAL32, 1.0)
    assert story.wanted == {"A": Value(Kind.REAL32, 2.0), "B": Value(Kind.INT8, -1)}
    assert story.hidden == {"B"}


def test_a_journal_cut_at_any_byte_tells_of_every_complete_line(tmp_path: Path) -> None:
    whole = tmp_path / "whole.jsonl"
    write_story(whole)
    data = whole.read_bytes()
    intents = [i for i, line in enumerate(data.split(b"\n")) if b'"intent"' in line]
    cut = tmp_path / "cut.jsonl"
    for size in range(len(data) + 1):
        cut.write_bytes(data[:size])
        story = read_journal(cut)
        lines = data[:size].count(b"\n")
        assert bool(story.begin) == (lines > 0)
        assert ("A" in story.touched) == (lines > intents[0])
        assert ("B" in story.touched) == (lines > intents[1])
        assert story.open == (lines > 0)


def test_a_journal_with_a_torn_last_line_can_be_continued(tmp_path: Path) -> None:
    path = tmp_path / "j.jsonl"
    write_story(path)
    path.write_bytes(path.read_bytes()[:-9])
    Journal(path).end(Result.ROLLED_BACK)
    assert read_journal(tmp_path / "ended" / "j.jsonl").ended == "rolled-back"


@pytest.mark.parametrize("result", [Result.DONE, Result.ROLLED_BACK, Result.UNCHANGED])
def test_an_ended_journal_is_closed_and_filed_away(tmp_path: Path, result: Result) -> None:
    journal = Journal(tmp_path / "j.jsonl")
    journal.begin(IDENTITY, wanted={})
    journal.end(result)
    assert journal.path == tmp_path / "ended" / "j.jsonl"
    assert not read_journal(journal.path).open


def test_a_journal_that_ends_in_doubt_stays_open_in_its_place(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.jsonl")
    journal.begin(IDENTITY, wanted={})
    journal.end(Result.IN_DOUBT)
    assert read_journal(tmp_path / "j.jsonl").open


@pytest.mark.parametrize("line", [b"not json", b'{"kind": "no-such"}', b'{"kind": "begin", "format": "v9"}', b"[1]"])
def test_a_damaged_line_is_an_error_that_names_file_and_line(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "j.jsonl"
    write_story(path)
    path.write_bytes(path.read_bytes() + line + b"\n")
    with pytest.raises(StateError, match=r"j\.jsonl:7"):
        read_journal(path)


def test_a_folder_that_cannot_be_written_is_a_state_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError) as caught:
        Journal(tmp_path / "file" / "j.jsonl")
    assert "--state-dir" in caught.value.hint


@pytest.mark.parametrize(
    "value",
    [
        None,
        Value(Kind.TEXT, "GPS # 1"),
        Value(Kind.INT32, -(2**31)),
        Value(Kind.REAL32, 0.1),
        Value(Kind.REAL32, math.inf),
    ],
)
def test_values_survive_the_journal_exactly(value: Value | None) -> None:
    assert value_from_json(value_to_json(value)) == value
