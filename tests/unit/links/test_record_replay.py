from __future__ import annotations

import gzip
import json
from collections import deque
from collections.abc import Callable
from pathlib import Path

import pytest

from dronekit_cfg.errors import FileProblems, LinkGarbage, LinkLost, LinkOpenError
from dronekit_cfg.events import Event, Note
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.links.common import BaseLink
from dronekit_cfg.links.record import RecordLink
from dronekit_cfg.links.replay import ReplayLink

# What INAV 9.0.0 (SITL) said to the first MSP requests, recorded from the real firmware.
INAV = """\
{"t": 0.0, "dir": "tx", "hex": "244d3c000101"}
{"t": 0.0803, "dir": "rx", "hex": "244d3e030100020505"}
{"t": 0.0804, "dir": "tx", "hex": "244d3c000202"}
{"t": 0.1609, "dir": "rx", "hex": "244d3e0402494e415616"}
{"t": 0.161, "dir": "tx", "hex": "244d3c000303"}
{"t": 0.2412, "dir": "rx", "hex": "244d3e030309000009"}
"""


class Echo(BaseLink):
    """Answers every write after 0.25 s of its clock; reads wait on that clock."""

    def __init__(self, clock: VirtualClock, answer: Callable[[bytes], bytes] = bytes.upper) -> None:
        super().__init__("test:echo", 57600)
        self.clock = clock
        self.answer = answer
        self.queue: deque[bytes] = deque()
        self.opened = 0

    def open(self) -> None:
        self.opened += 1

    def read(self, timeout: float) -> bytes:
        self.clock.sleep(min(timeout, 0.25))
        return self.queue.popleft() if self.queue else b""

    def write(self, data: bytes) -> None:
        self.queue.append(self.answer(data))

    def close(self) -> None:
        self.queue.clear()


def _save(folder: Path, text: str = INAV) -> str:
    file = folder / "session.jsonl"
    file.write_text(text, encoding="ascii")
    return str(file)


def test_a_recording_has_every_byte_with_its_time_and_direction(tmp_path: Path, clock: VirtualClock) -> None:
    file = tmp_path / "s.jsonl"
    with RecordLink(Echo(clock), str(file), clock) as link:
        link.write(b"abc")
        assert link.read(1.0) == b"ABC"
        assert link.read(1.0) == b""
        link.note("reboot now")
        link.reopen()
        link.write(b"\x00\xff")
    assert file.read_text(encoding="ascii") == (
        '{"t": 0.0, "dir": "tx", "hex": "616263"}\n'
        '{"t": 0.25, "dir": "rx", "hex": "414243"}\n'
        '{"t": 0.5, "dir": "note", "text": "reboot now"}\n'
        '{"t": 0.5, "dir": "note", "text": "reopened"}\n'
        '{"t": 0.5, "dir": "tx", "hex": "00ff"}\n'
    )


def test_every_line_is_on_disk_before_the_next_one(tmp_path: Path, clock: VirtualClock) -> None:
    file = tmp_path / "s.jsonl"
    with RecordLink(Echo(clock), str(file), clock) as link:
        for count in range(1, 4):
            link.write(b"x")
            assert len(file.read_text(encoding="ascii").splitlines()) == count


def test_a_recording_that_exists_is_never_written_over(tmp_path: Path, clock: VirtualClock) -> None:
    file = _save(tmp_path)
    inner = Echo(clock)
    with pytest.raises(LinkOpenError, match="exists already"):
        RecordLink(inner, file, clock).open()
    assert inner.opened == 0
    assert Path(file).read_text(encoding="ascii") == INAV


def test_closing_and_opening_the_same_link_goes_on_in_the_same_file(tmp_path: Path, clock: VirtualClock) -> None:
    file = tmp_path / "s.jsonl"
    link = RecordLink(Echo(clock), str(file), clock)
    for _ in range(2):
        with link:
            link.write(b"x")
        clock.sleep(1)
    assert [json.loads(line)["t"] for line in file.read_text(encoding="ascii").splitlines()] == [0.0, 1.0]


def test_a_folder_that_does_not_exist_is_an_open_error(tmp_path: Path, clock: VirtualClock) -> None:
    with pytest.raises(LinkOpenError, match="cannot record to") as caught:
        RecordLink(Echo(clock), str(tmp_path / "no" / "s.jsonl"), clock).open()
    assert "folder" in caught.value.hint


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the device that is always full is Linux only")
def test_a_full_disk_ends_the_recording_and_not_the_work(clock: VirtualClock, tmp_path: Path) -> None:
    heard: list[Event] = []
    link = RecordLink(Echo(clock), str(tmp_path / "s.jsonl"), clock, report=heard.append)
    with link:
        assert link._file is not None
        link._file.close()
        link._file = Path("/dev/full").open("w", encoding="ascii")  # noqa: SIM115  the link closes it
        link.write(b"abc")
        assert link.read(1.0) == b"ABC"
    assert len(heard) == 1
    assert isinstance(heard[0], Note)
    assert "ends here" in heard[0].text


def test_a_recorded_conversation_replays_without_waiting(tmp_path: Path, clock: VirtualClock) -> None:
    start = clock.now()
    with ReplayLink("replay:x", _save(tmp_path), clock) as link:
        answers = []
        for request in ("244d3c000101", "244d3c000202", "244d3c000303"):
            link.write(bytes.fromhex(request))
            answers.append(link.read(1.0).hex())
        assert answers == ["244d3e030100020505", "244d3e0402494e415616", "244d3e030309000009"]
        assert clock.now() == start
        assert link.finished
        assert link.read(2.0) == b""
        assert clock.now() == start + 2.0


def test_an_answer_does_not_come_before_its_question(tmp_path: Path, clock: VirtualClock) -> None:
    with ReplayLink("replay:x", _save(tmp_path), clock) as link:
        link.write(b"any")
        assert link.read(0.01).hex() == "244d3e030100020505"
        assert link.read(0.01) == b""


def test_a_listener_hears_the_recording_in_its_own_time(tmp_path: Path, clock: VirtualClock) -> None:
    start = clock.now()
    with ReplayLink("replay:x", _save(tmp_path), clock) as link:
        assert link.read(0.05) == b""
        moments = []
        while not link.finished:
            assert link.read(1.0)
            moments.append(clock.now() - start)
    assert moments == pytest.approx([0.0803, 0.1609, 0.2412])


def test_a_reopened_replay_goes_on_where_it_was(tmp_path: Path, clock: VirtualClock) -> None:
    with ReplayLink("replay:x", _save(tmp_path), clock) as link:
        link.write(b"1")
        assert link.read(1.0)
        link.reopen()
        link.write(b"2")
        assert link.read(1.0).hex() == "244d3e0402494e415616"


def test_strict_takes_the_recorded_bytes_in_any_portions(tmp_path: Path, clock: VirtualClock) -> None:
    with ReplayLink("replay:x", _save(tmp_path), clock, strict=True) as link:
        link.write(bytes.fromhex("244d"))
        assert link.read(10.0) == b""
        link.write(bytes.fromhex("3c000101244d3c000202"))
        assert link.read(1.0).hex() == "244d3e030100020505"
        assert link.read(1.0).hex() == "244d3e0402494e415616"


def test_strict_refuses_other_bytes_and_more_bytes(tmp_path: Path, clock: VirtualClock) -> None:
    with ReplayLink("replay:x", _save(tmp_path), clock, strict=True) as link:
        with pytest.raises(
            LinkGarbage, match="write 1 differs from the recording: 244d3c000109, recorded 244d3c000101"
        ):
            link.write(bytes.fromhex("244d3c000109"))
        link.write(bytes.fromhex("244d3c000101244d3c000202244d3c000303"))
        with pytest.raises(LinkGarbage, match="nothing more"):
            link.write(b"x")


def test_what_was_recorded_can_be_replayed(tmp_path: Path, clock: VirtualClock) -> None:
    file = str(tmp_path / "s.jsonl")
    questions = [bytes([0x61 + i]) * (i + 1) for i in range(20)]
    with RecordLink(Echo(clock), file, clock) as link:
        link.note("a note is not replayed")
        for question in questions:
            link.write(question)
            link.read(1.0)
    with ReplayLink("replay:x", file, clock, strict=True) as replay:
        for question in questions:
            replay.write(question)
            assert replay.read(1.0) == question.upper()
        assert replay.finished


def test_a_gzipped_recording_replays(tmp_path: Path, clock: VirtualClock) -> None:
    file = tmp_path / "s.jsonl.gz"
    file.write_bytes(gzip.compress(INAV.encode()))
    with ReplayLink("replay:x", str(file), clock) as link:
        link.write(b"x")
        assert link.read(1.0).hex() == "244d3e030100020505"


def test_broken_lines_are_named_with_their_numbers(tmp_path: Path, clock: VirtualClock) -> None:
    wrong = [
        "not json",
        '{"t": 1, "dir": "up", "hex": ""}',
        '{"t": 1, "dir": "rx", "hex": "0"}',
        "[1]",
        '{"dir": "rx"}',
    ]
    file = _save(tmp_path, INAV + "\n".join(wrong) + "\n")
    with pytest.raises(FileProblems) as caught:
        ReplayLink("replay:x", file, clock).open()
    assert [problem.line for problem in caught.value.problems] == [7, 8, 9, 10, 11]


@pytest.mark.parametrize(
    ("name", "content"), [("no.jsonl", None), ("x.jsonl.gz", b"no gzip"), ("x.jsonl", b"\xff\xfe")]
)
def test_a_file_that_cannot_be_read_is_an_open_error(
    tmp_path: Path, clock: VirtualClock, name: str, content: bytes | None
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(LinkOpenError, match="cannot replay"):
        ReplayLink("replay:x", str(file), clock).open()


def test_a_replay_that_is_not_open_says_so(tmp_path: Path, clock: VirtualClock) -> None:
    link = ReplayLink("replay:x", _save(tmp_path), clock)
    with pytest.raises(LinkLost, match="not open"):
        link.read(0)


def test_a_packed_recording_that_unfolds_without_end_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dronekit_cfg.links.replay.MAX_CHARACTERS", 1000)
    file = tmp_path / "bomb.jsonl.gz"
    file.write_bytes(gzip.compress(b" " * 100_000))
    with pytest.raises(LinkOpenError, match="too large"):
        ReplayLink("replay:bomb", str(file), VirtualClock()).open()
    file.write_bytes(gzip.compress(b'{"t": 0, "dir": "rx", "hex": "00"}')[:-12] + b"damaged damaged")
    with pytest.raises(LinkOpenError, match="cannot replay"):
        ReplayLink("replay:bomb", str(file), VirtualClock()).open()
