"""The fuzz targets with a small budget: bytes of any kind, and real data with a few bytes changed."""

from __future__ import annotations

import json
import random
import struct

import fuzz_targets as targets
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NAMES = sorted(targets.TARGETS)


def ulog(*messages: bytes) -> bytes:
    """Make a log of PX4: each message is its type and its body."""
    packed = (struct.pack("<HB", len(message) - 1, message[0]) + message[1:] for message in messages)
    return b"ULog\x01\x12\x35\x01" + bytes(8) + b"".join(packed)


def told(message: str) -> bytes:
    """Make metadata of one event with this text, whose argument is a number."""
    event = {"name": "x", "message": message, "arguments": [{"type": "float"}]}
    groups = {"default": {"events": {"5": event}}}
    return json.dumps({"components": {"1": {"namespace": "px4", "event_groups": groups}}}).encode()


FOUND = [
    ("journal", b'{"kind": "begin", "format": "dronekit-cfg/journal/v1", "identity": {}, "wanted": {"A": ["", 1]}}\n'),
    ("journal", b'{"kind": "intent", "batch": [["B", ["REAL32", "1e99"], null]]}\n'),
    ("journal", b'{"kind": "begin", "format": "dronekit-cfg/journal/v1", "identity": {}, "wanted": {"A": null}}\n'),
    ("rule_pack", b"="),
    ("http", b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n{}"),
    ("http", b"HTTP/1.1 " + b"2" * 5000 + b" OK\r\n\r\n{}"),
    ("http", b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 300_000),
    ("ubx_signals", b"\x0f" + bytes(16) + b"\x1b" + bytes(28) + b"\x07" + bytes(8) + b"\x04\x09" + bytes(4)),
    ("ubx_signals", b"\x0f" + bytes(16) + b"\x04\0\xff" + bytes(9)),
    ("web_module", b'{"config": {"product_name": "TX", "version": "-"}}'),
    ("web_module", b'{"config": {"product_name": "TX"}}\n---\n{"uid": 7}'),
    ("web_module", b'{"config": {"product_name": "TX"}}\n---\n{"fan-runtime": 1e999, "domain": 99999999999999}'),
    ("web_module", b'{"config": {"product_name": "TX"}}\n---\n{"fan-runtime": 99999999999999, "tlm-interval": -1}'),
    ("web_module", b"[" * 4000),
    (
        "flight_log",  # a GPS record that has nothing but a time
        b"\xa3\x95\x80" + struct.pack("<BB4s16s64s", 0x81, 11, b"GPS", b"Q", b"TimeUS") + b"\xa3\x95\x81" + bytes(8),
    ),
    ("flight_log", ulog(b"Fsensor_gps:uint64_t[99999999999999] timestamp;", b"A\0\0\0sensor_gps")),
    ("flight_log", ulog(b"Fsensor_gps:uint64_t[2] timestamp;", b"A\0\0\0sensor_gps", b"D" + bytes(18))),
    (
        "metadata_file",
        (
            b"# version\n# Betaflight / STM32F7X2 (S7X2) 4.3.2 May 31 2023 / 22:28:11 (60c9521) MSP API: 1.44\n"
            b"vtxtable Powerlabels 1\n"
        ),
    ),
    (
        "metadata_file",
        b"# version\n# Betaflight / STM32F7X2 (S7X2) .34.2 May 31 2023 / 22:28:11 (60c9521) MSP API: 1.44\n",
    ),
    ("px4_script", b"param set-default A 1" + b"0" * 5000 + b"\n"),
    ("px4_script", b"param set-default A 3.5e38\n"),
    ("events", b'{"metadataTypes": [7], "components": {}}'),
    ("events", b'{"metadataTypes": [{"uri": "mftp://a", "type": "one"}], "components": {}}'),
    ("events", b"[" * 4000),
    ("events", told("{1:.99999999999m}")),
    ("events", told("{" + "1" * 5000 + "}")),
    ("flight_log", b'{"t": "soon", "dir": "rx", "hex": "00"}\n{"t": 0, "dir": "rx", "hex": 7}\n[]\n'),
]
"""What fuzzing found; each of these ended in a traceback once."""
BUDGET = settings(
    max_examples=60, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.mark.parametrize("name", NAMES)
@BUDGET
@given(data=st.binary(max_size=400))
def test_any_bytes_end_in_a_result_or_in_an_error_that_is_promised(name: str, data: bytes) -> None:
    targets.TARGETS[name](data)


@pytest.mark.parametrize("name", NAMES)
def test_real_data_with_changed_bytes_ends_in_a_result_or_in_an_error_that_is_promised(name: str) -> None:
    dice = random.Random(name)
    for seed in targets.real(name):
        for _ in range(40):
            data = bytearray(seed)
            for _ in range(dice.choice((1, 2, 8))):
                at = dice.randrange(len(data) + 1)
                match dice.randrange(4):
                    case 0 if at < len(data):
                        data[at] ^= 1 << dice.randrange(8)
                    case 1 if at < len(data):
                        data[at] = dice.choice((0, 255, 10, 34, 123))
                    case 2:
                        data[at : at + dice.randrange(1, 20)] = b""
                    case _:
                        data[at:at] = data[dice.randrange(len(data) + 1) :][: dice.randrange(40)]
            targets.TARGETS[name](bytes(data))


@pytest.mark.parametrize(("name", "data"), FOUND)
def test_what_was_found_once_stays_mended(name: str, data: bytes) -> None:
    targets.TARGETS[name](data)


@pytest.mark.parametrize("name", NAMES)
def test_real_data_is_read(name: str) -> None:
    for seed in targets.seeds(name):
        targets.TARGETS[name](seed)
