"""The text CLI codec, judged by what real firmware sent."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dronekit_cfg.wire.msp import MspFrame, encode_reply
from dronekit_cfg.wire.msp_port import PortCodec
from dronekit_cfg.wire.textcli import CliReply, CliText, TextCli, Window, bad_line, split_replies, windows

GOLDEN = Path(__file__).parents[1] / "golden"
SESSIONS = ("betaflight/4.6.0", "betaflight/2026.12.0-alpha", "inav/9.0.0")


def golden(name: str) -> list[tuple[str, bytes]]:
    """Commands and the bytes they were answered with; the recorder's marker is turned into one of ours."""
    pairs = json.loads((GOLDEN / name / "session.json").read_text())
    found = []
    for number, pair in enumerate(p for p in pairs if "cli" in p and "#tok" in p["reply"]):
        command, _, token = pair["cli"].strip().partition("\n#")
        found.append((command, pair["reply"].replace(f"#{token}", f"#dk{number:x}").encode("latin-1")))
    assert len(found) > 10
    return found


def replies(*chunks: bytes) -> list[CliReply]:
    cli = TextCli()
    found = []
    for chunk in chunks:
        cli.receive_data(chunk)
        while (event := cli.next_event()) is not None:
            if isinstance(event, CliReply):
                found.append(event)
    return found


@pytest.mark.parametrize("name", SESSIONS)
def test_each_reply_of_real_firmware_is_cut_out_whole(name: str) -> None:
    for command, raw in golden(name):
        (reply,) = replies(raw)
        (text,) = split_replies(reply.text, [command])
        assert text is not None
        expected = raw.decode("latin-1").replace("\r\n", "\n").removeprefix(f"{command}\n")
        assert text == expected[: expected.rindex("# #dk")].removesuffix("\n").strip("\n")


@pytest.mark.parametrize("name", SESSIONS)
def test_the_split_of_the_bytes_does_not_matter(name: str) -> None:
    stream = b"".join(raw for command, raw in golden(name) if command not in {"get", "dump all"})
    whole = replies(stream)
    assert whole == replies(*(bytes([b]) for b in stream))
    assert len(whole) == len([c for c, _ in golden(name) if c not in {"get", "dump all"}])


def test_prompts_inside_of_a_dump_do_not_end_it() -> None:
    command, raw = next(pair for pair in golden(SESSIONS[0]) if pair[0] == "dump all")
    assert raw.count(b"\r\n# ") > 20
    stalled = raw.index(b"\r\n# serial") + 4
    assert not replies(raw[:stalled])
    (reply,) = replies(raw[:stalled], raw[stalled:])
    assert (split_replies(reply.text, [command])[0] or "").endswith("\nsave")


def test_lines_of_one_window_are_told_apart() -> None:
    # As the Betaflight 4.6.0 SITL answers, piece by piece out of the recording.
    text = (
        "set small_angle = 30\r\nsmall_angle set to 30\r\n"
        "# set small_angle = 999\r\n###ERROR IN set: INVALID VALUE###\r\nAllowed range: 0 - 180\r\n\r\n"
        "# profile\r\nprofile 0\r\n\r\n# "
    )
    lines = ["set small_angle = 30", "set small_angle = 999", "profile"]
    assert split_replies(text, lines) == (
        "small_angle set to 30",
        "###ERROR IN set: INVALID VALUE###\nAllowed range: 0 - 180",
        "profile 0",
    )


def test_a_damaged_echo_spoils_its_own_reply_and_the_one_before() -> None:
    text = "set a = 1\r\na set to 1\r\n# se b = 2\r\nb set to 2\r\n# set c = 3\r\nc set to 3\r\n"
    assert split_replies(text, ["set a = 1", "set b = 2", "set c = 3"]) == (None, None, "c set to 3")


def test_output_of_an_earlier_command_before_the_first_echo_is_no_reply() -> None:
    text = "left over\r\n\r\n# profile\r\nprofile 0\r\n\r\n"
    assert split_replies(text, ["profile"]) == ("profile 0",)


def test_windows_hold_at_most_their_limit_and_all_lines_in_order() -> None:
    lines = [f"set some_setting_{n} = {n * 1000}" for n in range(100)]
    tokens = (f"dk{n:x}" for n in itertools.count(1))
    packed = list(windows(lines, tokens, 200))
    assert [line for window in packed for line in window.lines] == lines
    assert all(sum(len(line) + 1 for line in window.lines) <= 200 for window in packed)
    assert max(len(window.data) for window in packed) <= 208
    assert len({window.token for window in packed}) == len(packed)


def test_a_long_line_stands_alone() -> None:
    packed = list(windows(["a", "x" * 250, "b"], iter(["dk1", "dk2", "dk3"]), 200))
    assert [window.lines for window in packed] == [("a",), ("x" * 250,), ("b",)]
    assert Window(("a",), "dk1").data == b"a\n#dk1\n"


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("set craft_name = a#b", "comment"),
        ("set craft_name = a?b", "completion"),
        ("set craft_name = \tb", "ASCII"),
        ("set craft_name = Привіт", "ASCII"),
        ("set x = \x04", "ASCII"),
        ("x" * 256, "255"),
    ],
)
def test_a_line_that_the_vehicle_would_mangle_is_refused(line: str, word: str) -> None:
    assert word in bad_line(line)
    assert not bad_line("set craft_name = A b-c_1.~")


def test_the_port_codec_reads_what_it_is_told_to() -> None:
    codec = PortCodec()
    frame = encode_reply(1, b"\0\1\x2f")
    codec.receive_data(frame)
    assert isinstance(codec.next_event(), MspFrame)
    codec.to_cli()
    codec.receive_data(b"profile\r\nprofile 0\r\n\r\n# #dk1\r\n\r\n# ")
    assert isinstance(codec.next_event(), CliText)
    assert isinstance(codec.next_event(), CliReply)
    codec.reset()
    codec.receive_data(frame)
    assert isinstance(codec.next_event(), MspFrame)


def test_endless_output_is_bounded() -> None:
    cli = TextCli()
    for _ in range(40):
        cli.receive_data(b"x" * 65536)
        while cli.next_event() is not None:
            pass
    assert len(cli._buffer) <= 1 << 20
    cli.receive_data(b"\r\n# #dk5\r\n\r\n# ")
    events = [cli.next_event(), cli.next_event()]
    assert any(isinstance(event, CliReply) for event in events)


@given(st.lists(st.binary(max_size=80), max_size=10), st.lists(st.text(max_size=20), max_size=5))
def test_no_bytes_crash_the_codec(chunks: list[bytes], lines: list[str]) -> None:
    for reply in replies(*chunks):
        split_replies(reply.text, lines)
    for chunk in chunks:
        split_replies(chunk.decode("latin-1"), lines)


@given(st.lists(st.sampled_from([b"\r\n# ", b"#dk1", b"\r\n", b"# ", b"set a = 1", b"#", b"dk"]), max_size=30))
def test_pieces_of_markers_give_the_same_in_any_split(pieces: list[bytes]) -> None:
    assert replies(b"".join(pieces)) == replies(*(bytes([b]) for b in b"".join(pieces)))
