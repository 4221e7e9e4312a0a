"""The packed settings file against files of real firmware and against hand-made bytes."""

from __future__ import annotations

import json
import lzma
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dronekit_cfg.errors import LinkGarbage
from dronekit_cfg.model import INT_RANGES, Kind, Value, float32
from dronekit_cfg.talk.mavlink_pck import PackedCountChanged, decode_packed, encode_packed

GOLDEN = Path(__file__).parents[2] / "golden" / "ardupilot"
VERSIONS = ["4.5.6", "4.7-dev"]
HEAD = struct.pack("<HHH", 0x671C, 2, 2)
# "AB" INT8 5 with default 7; "ABC" REAL32 0.5 without: it shares two characters and holds its default.
TWO = HEAD + b"\x11\x10AB\x05\x07" + b"\x04\x02C\x00\x00\x00\x3f"


def packed(version: str) -> bytes:
    return lzma.decompress((GOLDEN / f"param-copter-{version}.pck.xz").read_bytes())


@pytest.mark.parametrize("version", VERSIONS)
def test_every_setting_of_a_recorded_file_has_its_name_type_value_and_default(version: str) -> None:
    facts = json.loads((GOLDEN / f"params-copter-{version}.json").read_text("utf-8"))
    settings = decode_packed(packed(version))
    assert len(settings) == len(facts) > 1300
    for setting, (name, kind, value, default) in zip(settings, facts, strict=True):
        assert (setting.name, setting.value, setting.default) == (
            name,
            Value(Kind(kind), value),
            Value(Kind(kind), default),
        )


def test_a_hand_made_file_decodes() -> None:
    first, second = decode_packed(TWO)
    assert (first.name, first.value, first.default) == ("AB", Value(Kind.INT8, 5), Value(Kind.INT8, 7))
    assert (second.name, second.value, second.default) == ("ABC", Value(Kind.REAL32, 0.5), Value(Kind.REAL32, 0.5))


def test_padding_between_records_is_skipped() -> None:
    assert decode_packed(TWO[:12] + bytes(3) + TWO[12:] + bytes(5)) == decode_packed(TWO)


def test_a_file_without_defaults_knows_none() -> None:
    data = struct.pack("<HHH", 0x671B, 1, 1) + b"\x02\x10AB\x2c\x01"
    (setting,) = decode_packed(data)
    assert (setting.value, setting.default) == (Value(Kind.INT16, 300), None)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_file_that_was_cut_anywhere_is_refused(version: str) -> None:
    data = packed(version)
    for size in [*range(60), *range(60, len(data), 97), len(data) - 1]:
        with pytest.raises(LinkGarbage):
            decode_packed(data[:size])


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "too few"),
        (b"<html>", "begin with 0x683c"),
        (HEAD + b"\x15\x10AB\x05\x07", "no type"),
        (HEAD + b"\x21\x10AB\x05\x07", "no type"),
        (HEAD + b"\x01\x12AB\x05", "wrong length"),
        (HEAD + b"\x01\x10AB\x05" + b"\x01\x01B\x05", "is called 'AB'"),
        (HEAD + b"\x01\x10A\xff\x05", "is called"),
        (HEAD + b"\x01\xf0ABCDEFGHIJKLMNOP\x05" + b"\x01\x1fXY\x05", "wrong length"),
    ],
)
def test_damage_is_named(data: bytes, why: str) -> None:
    with pytest.raises(LinkGarbage) as caught:
        decode_packed(data)
    assert why in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("announced", [1, 3])
def test_another_number_of_records_than_announced_asks_for_another_try(announced: int) -> None:
    with pytest.raises(PackedCountChanged):
        decode_packed(struct.pack("<HHH", 0x671C, announced, 3) + TWO[6:])


def test_an_upload_has_its_own_length_in_its_head_and_no_defaults() -> None:
    data = encode_packed([("AB", Value(Kind.INT8, 5)), ("ABC", Value(Kind.REAL32, 0.5))])
    assert data == struct.pack("<HHH", 0x671B, 2, 18) + b"\x01\x10AB\x05" + b"\x04\x02C\x00\x00\x00\x3f"


def test_names_that_are_the_beginning_of_the_one_before_keep_a_character() -> None:
    data = encode_packed([("ABC", Value(Kind.INT8, 1)), ("AB", Value(Kind.INT8, 2)), ("AB1", Value(Kind.INT8, 3))])
    assert data[6:] == b"\x01\x20ABC\x01" + b"\x01\x01B\x02" + b"\x01\x021\x03"


def test_an_exact_large_integer_survives_an_upload() -> None:
    data = encode_packed([("X", Value(Kind.INT32, 16777217))])
    assert data.endswith(struct.pack("<i", 16777217))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("", Value(Kind.INT8, 1)),
        ("SEVENTEEN_CHARS_X", Value(Kind.INT8, 1)),
        ("X", Value(Kind.UINT8, 1)),
        ("X", Value(Kind.TEXT, "a")),
        ("X", Value(Kind.REAL32, float("nan"))),
    ],
)
def test_what_does_not_fit_an_upload_is_refused(name: str, value: Value) -> None:
    with pytest.raises(ValueError):
        encode_packed([(name, value)])


def test_an_upload_over_64_kilobytes_is_refused() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        encode_packed((f"N{i}", Value(Kind.INT32, i)) for i in range(12000))


NAMES = st.text("AB_1", min_size=1, max_size=16)
VALUES = st.one_of(
    *(st.builds(Value, st.just(k), st.integers(*INT_RANGES[k])) for k in (Kind.INT8, Kind.INT16, Kind.INT32)),
    st.floats(width=32, allow_nan=False).map(lambda x: Value(Kind.REAL32, float32(x))),
)


@given(st.dictionaries(NAMES, VALUES, min_size=1, max_size=30))
def test_what_is_packed_is_what_a_vehicle_reads(wanted: dict[str, Value]) -> None:
    data = bytearray(encode_packed(wanted.items()))
    # As a download the head counts settings, not bytes.
    struct.pack_into("<HHH", data, 0, 0x671B, len(wanted), len(wanted))
    assert {s.name: s.value for s in decode_packed(bytes(data))} == wanted
