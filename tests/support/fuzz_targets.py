"""What is fuzzed: functions that take any bytes and may only raise the errors that they promise.

`tests/fuzz/fuzz.py` runs them under atheris, `test_fuzz.py` beside it with a small budget in the suite. `seeds` are the
bytes to grow from.
"""

from __future__ import annotations

import base64
import gzip
import json
import lzma
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import fuzz_devices
import fuzz_files
from ardupilot_driver import ArdupilotDriver

from dronekit_cfg.engine.interrupt import Stop
from dronekit_cfg.engine.journal import read_journal
from dronekit_cfg.engine.runner import Runner
from dronekit_cfg.errors import DronekitError, LinkGarbage, LinkLost, StateError, UsageError
from dronekit_cfg.formats import cli_dump, files, param_text, plan_json, profile_yaml, receipt_json, snapshot_json
from dronekit_cfg.formats.cli_dump_checks import problems
from dronekit_cfg.formats.cli_dump_dialect import load_dialect
from dronekit_cfg.formats.cli_dump_get import parse_get
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model import Change, Kind, Phase, Value
from dronekit_cfg.rules.expression import ExpressionError
from dronekit_cfg.rules.expression import parse as parse_rule
from dronekit_cfg.rules.pack import parse_pack
from dronekit_cfg.talk.flow import Session
from dronekit_cfg.talk.mavlink_pck import decode_packed
from dronekit_cfg.wire.mavlink import MavlinkCodec
from dronekit_cfg.wire.msp import MspDecoder
from dronekit_cfg.wire.textcli import TextCli

GOLDEN = Path(__file__).parents[1] / "golden"
PROFILE = b"""format: dronekit-cfg/profile/v1
name: fuzz
version: 1.0.0
family: ardupilot
vehicle: copter
firmware: ">=4.5,<4.8"
inputs:
  cells: {type: integer, minimum: 3, maximum: 14}
settings:
  FS_THR_ENABLE: {value: 5, because: "text"}
  BATT_LOW_VOLT: {expr: "round(cells * 3.5, 2)"}
"""
JOURNAL = (
    b'{"kind": "begin", "format": "dronekit-cfg/journal/v1", "identity": {"uid": "1"}, "wanted": {"A": ["INT8", 1]}}\n'
    b'{"kind": "intent", "batch": [["A", ["INT8", 0], ["INT8", 1]], ["B", null, ["REAL32", "nan"]]]}\n'
    b'{"kind": "end", "result": "in-doubt", "why": ""}\n'
)


def mavlink(data: bytes) -> None:
    fuzz_files.drain(MavlinkCodec, data)


def mavlink_signed(data: bytes) -> None:
    fuzz_files.drain(lambda: MavlinkCodec(signing_key=bytes(32), now_unix=lambda: 1.8e9), data)


def msp(data: bytes) -> None:
    fuzz_files.drain(MspDecoder, data)


def textcli(data: bytes) -> None:
    fuzz_files.drain(TextCli, data)


def pck(data: bytes) -> None:
    try:
        settings = decode_packed(data)
    except LinkGarbage:
        return
    assert len({s.name for s in settings}) == len(settings)


def _text(data: bytes, read: Callable[[str], object]) -> None:
    """Decode as a file is and read it; mistakes in files are the only errors there may be."""
    with suppress(UsageError):
        read(files.decode(data, "fuzz"))


def param_file(data: bytes) -> None:
    _text(data, lambda text: param_text.parse_params(text, "fuzz"))


def profile(data: bytes) -> None:
    _text(data, lambda text: profile_yaml.parse_layer(text, "fuzz"))


def rule_pack(data: bytes) -> None:
    _text(data, lambda text: parse_pack(text, "fuzz"))


def rule_expression(data: bytes) -> None:
    try:
        parse_rule(data.decode("utf-8", "replace"), ())
    except ExpressionError:
        return


def snapshot(data: bytes) -> None:
    _text(data, lambda text: snapshot_json.load_snapshot(text, "fuzz"))


def plan(data: bytes) -> None:
    _text(data, lambda text: plan_json.load_plan(text, "fuzz"))


def receipt(data: bytes) -> None:
    _text(data, lambda text: receipt_json.load_receipt(text, "fuzz"))


def journal(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "fuzz.jsonl"
        path.write_bytes(data)
        try:
            story = read_journal(path)
            assert isinstance(story.open, bool)
            assert isinstance(story.wanted, dict)
            assert isinstance(story.hidden, frozenset)
        except StateError:
            return


def dump(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for family in ("betaflight", "inav"):
        dialect = load_dialect(family)
        found = cli_dump.parse(text, dialect)
        problems(found)
        cli_dump.told_defaults(text, dialect)
    cli_dump.detect_family(text)
    parse_get(text)


# --- a hostile vehicle

_READS = 3000


class HostileLink:
    """A vehicle that answers everything with what the fuzzer chose, one message a read; silence when it is used up."""

    def __init__(self, data: bytes, clock: VirtualClock) -> None:
        self.data = data
        self.clock = clock
        self.codec = MavlinkCodec(1, 1)
        self.reads = 0

    def write(self, data: bytes) -> None:
        del data

    def read(self, timeout: float) -> bytes:
        self.reads += 1
        if self.reads > _READS:
            raise LinkLost("enough")
        self.clock.sleep(min(timeout, 0.01))
        if not self.data:
            self.clock.sleep(timeout)
            return b""
        size = 2 + self.data[0] % 40
        piece, self.data = self.data[1:size], self.data[size:]
        return self._message(piece)

    def _message(self, piece: bytes) -> bytes:
        kind, body = piece[0] % 6 if piece else 0, piece[1:].ljust(32, b"\0")
        number: float = struct.unpack("<f", body[:4])[0]
        index, count = struct.unpack("<HH", body[4:8])
        name = body[8:24].split(b"\0")[0]
        target = {"target_system": 255, "target_component": 190}
        if kind == 0:
            heartbeat = {"custom_mode": 0, "system_status": body[0] % 9, "mavlink_version": 3}
            return self.codec.encode("HEARTBEAT", type=2, autopilot=3, base_mode=body[1] & 0x80, **heartbeat)
        if kind == 1:
            places = {"param_index": index, "param_count": count}
            return self.codec.encode(
                "PARAM_VALUE", param_id=name, param_value=number, param_type=body[30] % 12, **places
            )
        if kind == 2:
            return self.codec.encode("FILE_TRANSFER_PROTOCOL", target_network=0, payload=body, **target)
        if kind == 3:
            ack = {"progress": 0, "result_param2": 0, **target}
            return self.codec.encode("COMMAND_ACK", command=(512, 246)[body[0] % 2], result=body[1] % 7, **ack)
        if kind == 4:
            return self.codec.encode(
                "STATUSTEXT", severity=body[0] % 8, text=body[1:30], id=body[30], chunk_seq=body[31]
            )
        return self.codec.encode(
            "AUTOPILOT_VERSION",
            capabilities=0xFBEF,
            flight_sw_version=int.from_bytes(body[:4], "little"),
            middleware_sw_version=0,
            os_sw_version=0,
            board_version=0,
            flight_custom_version=body[:8],
            middleware_custom_version=bytes(8),
            os_custom_version=bytes(8),
            vendor_id=0,
            product_id=0,
            uid=0,
            uid2=bytes(18),
        )

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


def vehicle(data: bytes) -> None:
    """Identify, read everything, write, against a vehicle that says anything at all."""
    clock = VirtualClock()
    link: Any = HostileLink(data, clock)
    driver = ArdupilotDriver(Session(clock.now))
    runner = Runner(link, driver.codec, clock, Stop())
    change = Change("RTL_ALT", Value(Kind.INT32, 1500), Value(Kind.INT32, 1600), Phase.SET)
    for flow in (driver.identify(), driver.snapshot(taken=""), driver.read(["RTL_ALT"]), driver.write([change])):
        try:
            runner.run(flow)
        except DronekitError:
            continue


TARGETS: Mapping[str, Callable[[bytes], None]] = {
    **fuzz_files.FILES,
    **fuzz_devices.DEVICES,
    "dump": dump,
    "journal": journal,
    "mavlink": mavlink,
    "mavlink_signed": mavlink_signed,
    "msp": msp,
    "param_file": param_file,
    "pck": pck,
    "plan": plan,
    "profile": profile,
    "receipt": receipt,
    "rule_expression": rule_expression,
    "rule_pack": rule_pack,
    "snapshot": snapshot,
    "textcli": textcli,
    "vehicle": vehicle,
}


@cache
def _grown() -> dict[str, list[str]]:
    path = Path(__file__).parents[1] / "fuzz" / "corpus.json.gz"
    found: dict[str, list[str]] = json.loads(gzip.decompress(path.read_bytes())) if path.exists() else {}
    return found


def seeds(target: str) -> tuple[bytes, ...]:
    """Give real data of the kind that a target reads, and what earlier runs found to cover more."""
    return (*real(target), *(base64.b85decode(text) for text in _grown().get(target, ())))


@cache
def real(target: str) -> tuple[bytes, ...]:
    """Give real data of the kind that a target reads."""
    packed = lzma.decompress((GOLDEN / "ardupilot" / "param-copter-4.7-dev.pck.xz").read_bytes())
    frames = MavlinkCodec(1, 1)
    beat = frames.encode(
        "HEARTBEAT", type=2, autopilot=3, base_mode=81, custom_mode=0, system_status=3, mavlink_version=3
    )
    dumps = sorted(GOLDEN.glob("*/samples/*.txt"))
    known: dict[str, tuple[bytes, ...]] = {
        "dump": tuple(p.read_bytes()[:4000] for p in dumps[:4]),
        "journal": (JOURNAL,),
        "mavlink": (beat, b"\xfe\x09" + beat),
        "mavlink_signed": (beat,),
        "msp": (b"$M>\x03\x01\x00\x01\x2e\x2d", b"$X>\x00\x01\x00\x00\x00\x00"),
        "param_file": (b"RTL_ALT,1500\nFS_THR_ENABLE 1\n", b"1\t1\tRTL_ALT\t1500\t6\n", b"RTL_ALT 1500 # text\n"),
        "pck": (packed[:400], packed),
        "profile": (PROFILE,),
        "rule_expression": (b"v('A') > 1 and not missing('B')",),
        "textcli": (b"# get rates\r\nrates_type = BETAFLIGHT\r\n# ",),
        "vehicle": (b"\x05\x00\x00\x03\x00\x28\x05" + bytes(38) + b"\x28\x02" + bytes(range(38)),),
    }
    if target in fuzz_files.FILES:
        return fuzz_files.file_seeds(target)
    if target in fuzz_devices.DEVICES:
        return fuzz_devices.device_seeds(target)
    return known.get(target, (b"{}", b'{"format": "dronekit-cfg/snapshot/v1"}'))
