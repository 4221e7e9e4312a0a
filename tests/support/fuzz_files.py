"""More of what is fuzzed: the messages inside the frames, the other files, and devices that say anything at all."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dronekit_cfg.catalog import codec
from dronekit_cfg.catalog.importers import ardupilot_pdef, px4_json, typed
from dronekit_cfg.engine.aircraft_journal import read_aircraft_journal
from dronekit_cfg.engine.metadata import import_metadata
from dronekit_cfg.errors import DronekitError, LinkGarbage, StateError, UsageError
from dronekit_cfg.formats import builds, files, lock, read_any, signing
from dronekit_cfg.formats.expressions import evaluate, names_needed
from dronekit_cfg.formats.px4_script import parse_script
from dronekit_cfg.hil.logs.read import judge_log
from dronekit_cfg.hil.monitor_gnss import Watch, load_baseline
from dronekit_cfg.hil.scenario import load_scenario
from dronekit_cfg.hil.suite import load_suite
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.links.frames import FrameSplitter
from dronekit_cfg.links.replay import ReplayLink
from dronekit_cfg.links.url import parse as parse_url
from dronekit_cfg.model import Origin
from dronekit_cfg.rules.waivers import parse_waivers
from dronekit_cfg.sim.faults import parse_faults
from dronekit_cfg.sim.memory import Memory
from dronekit_cfg.talk import mavlink_metadata
from dronekit_cfg.talk.mavlink_events import read_book
from dronekit_cfg.talk.ubx_signals import Heard
from dronekit_cfg.wire import at, crsf, mavlink_signing, msp_messages, msp_sensors, ubx, ubx_messages, ubx_signals
from dronekit_cfg.wire.at import AtCodec
from dronekit_cfg.wire.crsf import CrsfCodec
from dronekit_cfg.wire.http import END as HTTP_END
from dronekit_cfg.wire.http import HttpCodec

REPO = Path(__file__).parents[2]
GOLDEN = REPO / "tests" / "golden"
Target = Callable[[bytes], None]

# --- codecs and messages


def drain(make: Callable[[], Any], data: bytes) -> None:
    """Feed in pieces whose sizes the data itself chooses, and take everything out."""
    machine, place = make(), 0
    while place < len(data):
        size = 1 + data[place] % 60
        machine.receive_data(data[place : place + size])
        place += size
        while machine.next_event() is not None:
            pass


def frames(data: bytes) -> None:
    """Nothing is lost or made up when a stream is cut into frames."""
    splitter = FrameSplitter()
    units = [u for start in range(0, len(data), 17) for u in splitter.feed(data[start : start + 17])]
    assert b"".join([*units, *splitter.flush()]) == data


def _sensor(name: str, data: bytes) -> object:
    return msp_sensors.read_sensor(name, data, 46)


MESSAGES: tuple[Callable[[bytes], object], ...] = (
    msp_messages.parse_api_version,
    msp_messages.parse_variant,
    msp_messages.parse_firmware_version,
    msp_messages.parse_board_info,
    msp_messages.parse_build_info,
    msp_messages.parse_uid,
    msp_messages.parse_status_ex,
    msp_messages.parse_inav_status,
    msp_messages.parse_pg_list,
    msp_messages.parse_setting_info,
    *(partial(_sensor, name) for name in msp_sensors.SENSOR_MESSAGES),
    ubx_messages.parse_valget,
    ubx_messages.parse_version,
    ubx_messages.parse_uniqid,
    ubx_messages.parse_status_uptime,
    ubx_signals.parse_rf,
    ubx_signals.parse_hw,
    ubx_signals.parse_spoofing,
    ubx_signals.parse_security,
    ubx_signals.parse_sat,
    crsf.parse_device,
    lambda data: crsf.parse_entry(1, data),
)


def messages(data: bytes) -> None:
    """Every reader of a message promises ValueError for what it cannot read, and nothing else."""
    if not data:
        return
    with suppress(ValueError):
        MESSAGES[data[0] % len(MESSAGES)](data[1:])


def events(data: bytes) -> None:
    """What a vehicle carries about its events, and any event that it then sends."""
    with suppress(LinkGarbage):
        content = mavlink_metadata.unpacked(data, "fuzz.json")
        with suppress(LinkGarbage):
            mavlink_metadata.listed_files(content)
        book = read_book(content)
        for number in (*book.events, 1):
            book.read({"id": number, "log_levels": 0x44, "arguments": list(data[:40].ljust(40, b"\xff"))})


def setting(data: bytes) -> None:
    """A value as its description says: both come from the vehicle."""
    info, _, raw = data.partition(b"\xff\xff")
    with suppress(ValueError):
        msp_messages.decode_setting(msp_messages.parse_setting_info(info), raw)


def at_lines(data: bytes) -> None:
    lines = data.decode("latin-1").split("\n")
    at.parse_table(lines)
    for line in lines:
        at.parse_banner(line)


# --- files


def text_of(data: bytes, read: Callable[[str], object]) -> None:
    with suppress(UsageError):
        read(files.decode(data, "fuzz"))


def expression(data: bytes) -> None:
    text, place = data.decode("utf-8", "replace"), Origin("fuzz")
    with suppress(UsageError):
        names_needed(text, place)
        evaluate(text, {"cells": 6, "a": 0.5, "name": "x"}, place)


def on_disk(data: bytes, name: str, read: Callable[[Path], object]) -> None:
    with TemporaryDirectory() as folder, suppress(UsageError, StateError):
        path = Path(folder) / name
        path.write_bytes(data)
        read(path)


def any_settings(data: bytes) -> None:
    names = ("a.param", "a.params", "a.json", "a.txt", "a.yaml", "a")
    on_disk(data[1:], names[data[0] % len(names)] if data else "a", read_any.read_settings)


def baseline(path: Path) -> None:
    """What is read as the baseline of a receiver can be watched with."""
    found = load_baseline(path, "ab")
    band = ubx_signals.Band(1, 40, 3000, 100)
    Watch(found).feed(1.0, Heard((band,), ubx_signals.Signals(9, 40.0), 0, 0))


def recording(data: bytes) -> None:
    def read(path: Path) -> None:
        link = ReplayLink("replay:fuzz", str(path), VirtualClock())
        try:
            link.open()
            for _ in range(50):
                link.write(b"a")
                link.read(0.1)
        except DronekitError:
            return

    on_disk(data, "fuzz.jsonl", read)


def memory(data: bytes) -> None:
    def read(path: Path) -> None:
        with Memory(path) as one:
            one.store("A", 1)
            found = dict(one.values)
        with Memory(path) as again:
            assert again.values == found

    on_disk(data, "fuzz.log", read)


def signature(data: bytes) -> None:
    first, _, second = data.partition(b"\n---\n")
    text_of(second, lambda text: signing.verify_envelope(text, {"fuzz": first}, file="fuzz"))


def importers(data: bytes) -> None:
    with suppress(UsageError):
        (
            lambda d: ardupilot_pdef.import_xml(d, version="4.5.0"),
            lambda d: ardupilot_pdef.import_json(d, version="4.5.0", vehicle="copter"),
            lambda d: px4_json.import_json(d, version="1.15"),
            lambda d: px4_json.import_xml(d, version="1.15"),
            typed.types_from_json,
        )[data[0] % 5 if data else 0](data[1:])


def http(data: bytes) -> None:
    """An answer of a web server: cut anywhere, and then the end of the connection, after which there is one answer."""
    machine = HttpCodec()
    for start in range(0, len(data), 50):
        machine.receive_data(data[start : start + 50])
    machine.receive_data(HTTP_END)
    found = []
    while (event := machine.next_event()) is not None:
        found.append(event)
    assert found, "an answer that ended was not given"


FILES: Mapping[str, Target] = {
    "aircraft_journal": lambda data: on_disk(data, "fuzz.jsonl", read_aircraft_journal),
    "any_settings": any_settings,
    "at": partial(drain, AtCodec),
    "at_lines": at_lines,
    "build": lambda data: text_of(data, lambda text: builds.parse_build(text, "fuzz")),
    "crsf": partial(drain, CrsfCodec),
    "events": events,
    "expression": expression,
    "flight_log": lambda data: on_disk(data, "fuzz.log", judge_log),
    "faults": lambda data: text_of(data, parse_faults),
    "frames": frames,
    "gnss_baseline": lambda data: on_disk(data, "fuzz.json", baseline),
    "http": http,
    "importers": importers,
    "lock": lambda data: text_of(data, lambda text: lock.load_lock(text, "fuzz")),
    "memory": memory,
    "metadata_file": lambda data: on_disk(data, "fuzz.txt", import_metadata),
    "messages": messages,
    "px4_script": lambda data: text_of(data, lambda text: parse_script(text, "fuzz")),
    "recording": recording,
    "scenario": lambda data: on_disk(data, "fuzz.yaml", load_scenario),
    "setting": setting,
    "signature": signature,
    "signing_key": lambda data: text_of(data, lambda _: mavlink_signing.parse_signing_key(data)),
    "suite": lambda data: on_disk(data, "fuzz.yaml", load_suite),
    "ubx": partial(drain, ubx.UbxCodec),
    "url": lambda data: text_of(data, parse_url),
    "waivers": lambda data: text_of(data, lambda text: parse_waivers(text, "fuzz")),
    "vendor_metadata": lambda data: text_of(b"", lambda _: codec.unpack(data, "fuzz")),
}


def _first(pattern: str, size: int = 3000, count: int = 3) -> tuple[bytes, ...]:
    return tuple(p.read_bytes()[:size] for p in sorted(REPO.glob(pattern))[:count])


PDEF = (
    b'<?xml version="1.0"?><paramfile><vehicles><parameters name="ArduCopter"><param name="ArduCopter:A" '
    b'documentation="b"><field name="Range">0 1</field></param></parameters></vehicles></paramfile>'
)


GOOD_DAY = (
    b'{"format": "dronekit-cfg/gnss-baseline/v1", "uid": "ab", "taken": "", "samples": 9, "indicator": '
    b'[{"mean": 30.0, "sigma": 1.0}], "gain": [{"mean": 3000.0, "sigma": 9.0}], "strength": {"mean": 41.5, '
    b'"sigma": 0.5}, "used": {"mean": 21.0, "sigma": 0.7}}'
)


TOLD = (
    b"# version\r\n# Betaflight / STM32F405 (S405) 4.5.1 Jul 27 2024\r\n\r\n# get\r\n"
    b"gyro_lpf = 1\r\nAllowed range: 0 - 9\r\n"
)
WAIVERS = (
    b"format: dronekit-cfg/waivers/v1\nwaivers:\n  - rule: AP-1\n    reason: x\n    by: me\n    until: 2027-01-01\n"
)
BOOK = (
    b'{"version": 1, "metadataTypes": [{"type": 1, "uri": "mftp://etc/x.json.xz", "fileCrc": 7}], "components": {"1": '
    b'{"namespace": "px4", "enums": {"bits": {"type": "uint8_t", "is_bitfield": true, "entries": {"1": {"name": "a", '
    b'"description": "b"}}}}, "event_groups": {"default": {"events": {"5": {"name": "x", "message": "y {1} {2:.1m}", '
    b'"arguments": [{"type": "bits", "name": "a"}, {"type": "float", "name": "b"}]}}}}}}}'
)


def _device_info() -> bytes:
    body = b"TX\0" + bytes(14)
    return crsf.encode(crsf.CrsfFrame(0x29, crsf.Address.USB, crsf.Address.MODULE, body))


def file_seeds(target: str) -> tuple[bytes, ...]:
    """Give real data of the kind that a target reads."""
    dumps = _first("tests/golden/*/samples/*.txt", 3000, 4)
    spec = next(iter(sorted(REPO.glob("schemas/specs/*.json.gz"))))
    known: dict[str, tuple[bytes, ...]] = {
        "aircraft_journal": (b'{"kind": "begin"}\n',),
        "any_settings": tuple(bytes([n]) + d for n, d in enumerate((b"RTL_ALT,1500\n", b"{}", *dumps, b"a: 1\n"))),
        "at": (b"\r\nSiK 2.0 on HM-TRP\r\n", b"ATI5\r\nS0:FORMAT=25\r\nS1:SERIAL_SPEED=57\r\n"),
        "at_lines": (b"SiK 2.0 on HM-TRP\nS0:FORMAT=25\nS1:SERIAL_SPEED=57",),
        "build": (b"format: dronekit-cfg/build/v1\nname: a\nversion: 1.0.0\n",),
        "crsf": (_device_info(),),
        "events": (BOOK,),
        "metadata_file": (*dumps[:2], TOLD),
        "px4_script": (b"#!/bin/sh\n. ${R}etc/init.d/rc.mc_defaults\nparam set-default MPC_XY_P 0.95\nset MIXER x\n",),
        "waivers": (WAIVERS,),
        "expression": (b"round(cells * 3.5, 2)", b"a if cells > 4 else 2 ** 3"),
        "flight_log": tuple(gzip.decompress(p.read_bytes())[:3900] for p in sorted((GOLDEN / "logs").glob("*.gz"))),
        "faults": (b"echo-lost:0.3,clamp:RTL_ALT:3000", b"second-gcs:A:1"),
        "gnss_baseline": (GOOD_DAY,),
        "http": (
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        ),
        "importers": (
            b"\x00" + PDEF,
            b'\x02{"version": 1, "parameters": [{"name": "A", "type": "Int32", "default": 1, "min": 0}]}',
        ),
        "recording": (b'{"t": 0.5, "dir": "rx", "hex": "fe09"}\n{"t": 0.6, "dir": "tx", "hex": "61"}\n',),
        "memory": (b'1e2c6b8b ["A",1]\n',),
        "scenario": _first("hil/scenarios/*.yaml") or _first("hil/**/*.yaml"),
        "setting": (b"small_angle\0\x05\x00\x00\x40\x01\x00\x00\x00\x00\x00\xb4\x00\x00\x00\xff\xff\x19",),
        "signing_key": (b"00" * 32, bytes(32)),
        "suite": _first("hil/*.yaml"),
        "ubx": (bytes.fromhex("b5620a040000 0e34".replace(" ", "")),),
        "url": (b"chaos+tcp:127.0.0.1:5760?loss=0.05&seed=7", b"serial:/dev/ttyACM0@115200", b"sim:betaflight?a=b"),
        "vendor_metadata": (spec.read_bytes()[:200], gzip.compress(b"{}"), lzma.compress(b"{}")),
    }
    return known.get(target, (b"{}", bytes(range(64))))
