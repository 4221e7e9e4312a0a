"""What a receiver says about jamming and spoofing: read, judged against a baseline, and never taken for clean."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.errors import UsageError
from dronekit_cfg.hil.monitor_gnss import Watch, load_baseline, make_baseline, save_baseline
from dronekit_cfg.talk.ubx_signals import Heard
from dronekit_cfg.wire.ubx import UbxCodec
from dronekit_cfg.wire.ubx_signals import (
    Band,
    Signals,
    parse_hw,
    parse_rf,
    parse_sat,
    parse_security,
    parse_spoofing,
)

Bench = Any
GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "ublox" / "pyubx2.json").read_text())["frames"]


def body(name: str) -> bytes:
    codec = UbxCodec()
    codec.receive_data(bytes.fromhex(GOLDEN[name]))
    frame = codec.next_event()
    assert frame is not None
    return frame.payload


def test_frames_that_pyubx2_built_are_read_as_it_meant_them() -> None:
    assert parse_rf(body("MON-RF")) == (Band(2, 17, 5120, 93), Band(1, 4, 6000, 88))
    assert parse_hw(body("MON-HW")) == (Band(3, 200, 3456, 101),)
    assert parse_spoofing(body("NAV-STATUS")) == 2
    assert parse_sat(body("NAV-SAT")) == Signals(2, 37.5)
    assert parse_security(body("SEC-SIG-1")) == (2, 3)
    assert parse_security(body("SEC-SIG-2")) == (1, 2)


@pytest.mark.parametrize(
    ("read", "name"),
    [
        (parse_rf, "MON-RF"),
        (parse_hw, "MON-HW"),
        (parse_spoofing, "NAV-STATUS"),
        (parse_sat, "NAV-SAT"),
        (parse_security, "SEC-SIG-1"),
    ],
)
def test_a_frame_that_is_cut_short_is_refused(read: Any, name: str) -> None:
    whole = body(name)
    for size in range(len(whole)):
        try:
            read(whole[:size])
        except ValueError:
            continue
        assert size >= 60, f"{name} was read from {size} bytes"  # MON-HW has fields behind those that we read


def test_a_detection_that_is_switched_off_says_nothing() -> None:
    assert parse_security(bytes((1, 0, 0, 0, 0b010, 0, 0, 0, 0b0010, 0, 0, 0))) == (0, 0)
    assert parse_security(bytes((2, 0b0010_010, 0, 0))) == (0, 0)


def heard(used: int = 10, strength: float = 43, indicator: int = 12, gain: int = 5200, **states: int) -> Heard:
    return Heard((Band(1, indicator, gain, 90),), Signals(used, strength), states.get("jam", 1), states.get("spoof", 1))


def watch(*looks: Heard, path: Path, base: Sequence[Heard]) -> list[str]:
    save_baseline(path, make_baseline(base, "ab", "2026-01-01T00:00:00Z"))
    watcher = Watch(load_baseline(path, "ab"))
    return [alarm.monitor for n, look in enumerate(looks) for alarm in watcher.feed(n, look)]


BASE = [heard(indicator=n) for n in (10, 12, 14)]
"""Mean 12, sigma 1.63: the limit is 16.9."""


@pytest.mark.parametrize(
    ("look", "alarms"),
    [
        (heard(), []),
        (heard(indicator=16), []),
        (heard(indicator=17), ["CW indicator of front end 1"]),
        (heard(strength=37), []),
        (heard(strength=36.9), ["mean C/N0"]),
        (heard(used=6), []),
        (heard(used=5), ["satellites in use"]),
        (heard(gain=4681), []),
        (heard(gain=4679), ["gain of front end 1"]),
        (heard(jam=2), ["jamming that the receiver reports"]),
        (heard(spoof=2), ["spoofing that the receiver reports"]),
        (heard(jam=0, spoof=0), []),
    ],
)
def test_limits_are_those_of_the_facts(tmp_path: Path, look: Heard, alarms: list[str]) -> None:
    assert watch(look, path=tmp_path / "b.json", base=BASE) == alarms


def test_an_alarm_is_given_when_it_begins_and_again_after_it_ended(tmp_path: Path) -> None:
    bad, good = heard(jam=3), heard()
    found = watch(bad, bad, good, bad, path=tmp_path / "b.json", base=BASE)
    assert found == ["jamming that the receiver reports"] * 2


def test_satellites_that_go_are_seen_without_a_baseline_too() -> None:
    watcher = Watch()
    assert watcher.feed(0, heard(used=12)) == ()
    assert [a.monitor for a in watcher.feed(1, heard(used=7))] == ["satellites in use"]


@pytest.mark.parametrize("looks", [[], [heard(jam=2)], [heard(spoof=3)], [heard(used=4)]])
def test_what_is_jammed_or_has_no_fix_makes_no_baseline(looks: list[Heard]) -> None:
    with pytest.raises(UsageError):
        make_baseline(looks, "ab", "")


def test_the_baseline_of_another_receiver_or_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "b.json"
    save_baseline(path, make_baseline(BASE, "ab", ""))
    with pytest.raises(UsageError, match="receiver ab"):
        load_baseline(path, "cd")
    path.write_text('{"format": "other"}')
    with pytest.raises(UsageError, match="no baseline"):
        load_baseline(path, "ab")


@pytest.mark.parametrize(
    "changes",
    [
        {"strength": {"mean": "x", "sigma": 1.0}},
        {"strength": {"mean": "nan", "sigma": 1.0}},
        {"strength": {"mean": float("nan"), "sigma": 1.0}},
        {"strength": {"mean": 40.0, "sigma": float("nan")}},
        {"used": 3},
        {"gain": {}},
        {"more": 1},
    ],
)
def test_a_baseline_that_could_not_alarm_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    path = tmp_path / "b.json"
    save_baseline(path, make_baseline(BASE, "ab", ""))
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}), "utf-8")
    with pytest.raises(UsageError, match="no baseline"):
        load_baseline(path, "ab")


@pytest.mark.parametrize(
    ("generation", "bands", "states"), [("m8", 1, (1, 1)), ("m9", 1, (1, 1)), ("f9", 2, (1, 1)), ("m10", 1, (1, 1))]
)
def test_every_generation_is_asked_for_what_it_knows(
    bench: Bench, generation: str, bands: int, states: tuple[int, int]
) -> None:
    with bench.connect(f"sim:ublox-{generation}") as connection:
        look = connection.run(connection.driver.signals())
        assert len(look.bands) == bands
        assert (look.jamming, look.spoofing) == states
        assert look.signals == Signals(10, 43)
        start = bench.clock.now()
        connection.run(connection.driver.signals())
        assert bench.clock.now() - start < 0.5  # what it does not know is not asked for again


def test_a_jammed_receiver_says_so(bench: Bench) -> None:
    with bench.connect("sim:ublox-f9?fault=jammed,spoofed") as connection:
        look = connection.run(connection.driver.signals())
    assert (look.jamming, look.spoofing) == (3, 2)
    assert look.bands[0].indicator > 100
