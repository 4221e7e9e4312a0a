"""The recorded conversations of ArduCopter 4.5.6 and 4.7-dev, played back to our flows.

Whoever asks what was asked in the recording gets the bytes that were answered then. Reads that are not in it are
answered with the last recorded value of that name or place, as the vehicle would.
"""

from __future__ import annotations

import json
import lzma
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pymavlink.dialects.v20 import ardupilotmega as mavlink

from dronekit_cfg.events import Event, VehicleText
from dronekit_cfg.model import Change, Identity, Kind, Outcome, Phase, Value, Verdict
from dronekit_cfg.talk.flow import Session
from dronekit_cfg.talk.mavlink_commands import run_command
from dronekit_cfg.talk.mavlink_connect import identify
from dronekit_cfg.talk.mavlink_conversation import Conversation
from dronekit_cfg.talk.mavlink_ftp import download
from dronekit_cfg.talk.mavlink_params import download_list, read_values
from dronekit_cfg.talk.mavlink_pck import decode_packed
from dronekit_cfg.talk.mavlink_write import write_values
from dronekit_cfg.wire.mavlink import MavlinkCodec

GOLDEN = Path(__file__).parents[1] / "golden" / "ardupilot"


def parser() -> Any:
    mav = mavlink.MAVLink(None)
    mav.robust_parsing = True
    return mav


def key(m: Any) -> tuple[Any, ...]:
    """What makes two requests the same."""
    match m.get_type():
        case "COMMAND_LONG":
            return ("command", m.command, m.param1)
        case "PARAM_REQUEST_READ":
            return ("read", m.param_id, m.param_index)
        case "PARAM_SET":
            return ("set", m.param_id, m.param_value)
        case "FILE_TRANSFER_PROTOCOL":
            return ("file", m.payload[3])
        case other:
            return (other,)


@dataclass
class Recording:
    version: str
    first: bytes = b""
    answers: dict[tuple[Any, ...], bytes] = field(default_factory=dict)
    values: dict[Any, bytes] = field(default_factory=dict)
    time: float = 0.0
    pending: bytes = b""
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        raw = lzma.decompress((GOLDEN / f"session-copter-{self.version}.jsonl.xz").read_bytes())
        current: tuple[Any, ...] | None = None
        mav = parser()
        for line in raw.splitlines():
            record = json.loads(line)
            data = bytes.fromhex(record["hex"])
            if record["dir"] == "rx":
                if current is None:
                    self.first += data
                else:
                    self.answers[current] += data
                continue
            for message in mav.parse_buffer(data):
                if message.get_type() != "HEARTBEAT":
                    # Of what was asked twice the first answer counts.
                    current = key(message)
                    current = (*current, "again") if current in self.answers else current
                    self.answers[current] = b""
        self.facts: dict[str, Any] = {
            name: (kind, value, default)
            for name, kind, value, default in json.loads((GOLDEN / f"params-copter-{self.version}.json").read_text())
        }
        self.remember(self.answers["PARAM_REQUEST_LIST",])
        self.heard = parser()

    def remember(self, data: bytes) -> None:
        for message in parser().parse_buffer(data) or []:
            if message.get_type() == "PARAM_VALUE":
                frame = bytes(message.get_msgbuf())
                self.values[message.param_id] = frame
                self.values.setdefault(message.param_index, frame)

    def hear(self, data: bytes) -> None:
        for message in self.heard.parse_buffer(data) or []:
            asked = key(message)
            answer = self.answers.get(asked)
            if answer is None and asked[0] == "read":
                answer = self.values.get(asked[2] if asked[2] >= 0 else asked[1], b"")
            if answer:
                self.remember(answer)
                self.pending += answer

    def run(self, codec: MavlinkCodec, flow: Any) -> Any:
        try:
            wait = next(flow)
            while True:
                self.hear(wait.send)
                event = None
                if wait.until is not None and (event := codec.next_event()) is None:
                    if self.pending:
                        codec.receive_data(self.pending)
                        self.pending = b""
                        event = codec.next_event()
                    if event is None:
                        self.time = max(self.time, wait.until)
                wait = flow.send(event)
        except StopIteration as done:
            return done.value


@dataclass
class Played:
    recording: Recording
    conversation: Conversation
    identity: Identity

    def run(self, flow: Any) -> Any:
        return self.recording.run(self.conversation.codec, flow)

    def write(self, name: str, kind: Kind, raw: float, old: float | None = None) -> Outcome:
        was = None if old is None else Value(kind, old)
        outcomes = self.run(write_values(self.conversation, [Change(name, was, Value(kind, raw), Phase.SET)]))
        (outcome,) = outcomes
        assert isinstance(outcome, Outcome)
        return outcome


@pytest.fixture(params=["4.5.6", "4.7-dev"])
def played(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Played:
    # The recording was made with session number 0.
    monkeypatch.setattr("dronekit_cfg.talk.mavlink_ftp_session.SESSION", 0)
    recording = Recording(request.param)
    session = Session(lambda: recording.time, recording.events.append)
    conversation = Conversation(session, MavlinkCodec())
    flow = identify(conversation)
    recording.pending = recording.first
    return Played(recording, conversation, recording.run(conversation.codec, flow))


def test_the_identity_is_that_of_the_recorded_vehicle(played: Played) -> None:
    version, text, uid = {
        "4.5.6": ("4.5.6", "4.5.6 (7ce11b41)", b"5d1219c7c4c5404aa\0"),
        "4.7-dev": ("4.7.0.dev0", "4.7.0-dev (2598e9d4)", b"3d1219c7c4c5404aa\0"),
    }[played.recording.version]
    found = played.identity
    assert (found.version, found.version_text, found.uid) == (version, text, uid.hex())
    assert (found.family, found.vehicle, found.board, found.address) == ("ardupilot", "copter", "", "1:1")
    assert "mavftp" in found.capabilities


def test_the_recorded_list_is_complete_and_right(played: Played) -> None:
    settings = played.run(download_list(played.conversation))
    facts = played.recording.facts
    assert [s.name for s in settings] == list(facts)
    # Between the list and the packed file, ten seconds later, the vehicle measured its sensors and wrote them down.
    moved = {
        s.name
        for s in settings
        if not s.value.same(Value(Kind(facts[s.name][0]), facts[s.name][1])) or s.value.kind.value != facts[s.name][0]
    }
    measured = ("INS_GYR", "INS_ACC", "BARO", "STAT_", "COMPASS_DEC")
    written = {"FS_THR_VALUE", "EK3_GPS_CHECK", "PSC_JERK_XY", "RC1_MIN"}
    assert {n for n in moved if not n.startswith(measured)} <= written


def test_the_recorded_packed_download_is_exact(played: Played) -> None:
    data = played.run(download(played.conversation, "@PARAM/param.pck?withdefaults=1"))
    assert data == lzma.decompress((GOLDEN / f"param-copter-{played.recording.version}.pck.xz").read_bytes())
    facts = {s.name: (s.value.kind.value, s.value, s.default) for s in decode_packed(data)}
    assert facts == {
        name: (kind, Value(Kind(kind), value), Value(Kind(kind), default))
        for name, (kind, value, default) in played.recording.facts.items()
    }


def test_recorded_reads_tell_values_and_unknown_names(played: Played) -> None:
    found = played.run(read_values(played.conversation, ["RTL_ALT", "NO_SUCH_PARAM", "FS_THR_VALUE"]))
    assert found == {
        "RTL_ALT": Value(Kind.INT32, 1500),
        "NO_SUCH_PARAM": None,
        "FS_THR_VALUE": Value(Kind.INT16, 975),
    }


def test_a_recorded_write_is_accepted(played: Played) -> None:
    outcome = played.write("FS_THR_VALUE", Kind.INT16, 980, old=975)
    assert (outcome.verdict, outcome.echoed) == (Verdict.WRITTEN, Value(Kind.INT16, 980))


def test_a_recorded_write_is_clamped(played: Played) -> None:
    outcome = played.write("EK3_GPS_CHECK", Kind.INT16, 255, old=31)
    assert (outcome.verdict, outcome.echoed) == (Verdict.CLAMPED, Value(Kind.INT8, 127))


def test_a_recorded_write_of_a_fraction_is_not_taken_for_done(played: Played) -> None:
    outcome = played.write("RC1_MIN", Kind.REAL32, 1100.699951171875, old=1100)
    assert not outcome.ok
    assert outcome.echoed == Value(Kind.INT16, 1100)


def test_a_recorded_write_to_an_unknown_name_is_unknown(played: Played) -> None:
    assert played.write("NO_SUCH_PARAM", Kind.REAL32, 1).verdict is Verdict.UNKNOWN


def test_nan_was_ignored_and_is_not_sent(played: Played) -> None:
    asked = next(k for k in played.recording.answers if k[0] == "set" and k[2] != k[2])
    silence = parser().parse_buffer(played.recording.answers[asked]) or []
    assert "PARAM_VALUE" not in {m.get_type() for m in silence}
    assert played.write("FS_THR_VALUE", Kind.REAL32, float("nan")).verdict is Verdict.DENIED


def test_recorded_commands_are_answered(played: Played) -> None:
    assert played.run(run_command(played.conversation, 401)) == 0
    assert played.run(run_command(played.conversation, 400, 1)) == 4
    assert played.run(run_command(played.conversation, 246, 1)) == 0
    texts = [e.text for e in played.recording.events if isinstance(e, VehicleText)]
    assert any(text.startswith("PreArm: ") for text in texts)
    assert any(text.startswith("Arm: ") for text in texts)
