"""u-blox receivers of four generations: identified, read, changed, proved, and put back."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from dronekit_cfg.engine.goals import goal_from_profile, require_fit
from dronekit_cfg.engine.recover import recover
from dronekit_cfg.engine.transaction import apply
from dronekit_cfg.errors import DronekitError, FileProblems, LinkGarbage, Unsupported
from dronekit_cfg.families.registry import FAMILIES, candidates
from dronekit_cfg.families.ublox.driver import UbloxDriver
from dronekit_cfg.families.ublox.keys import BAUD, KEYS, choose
from dronekit_cfg.families.ublox.legacy import MESSAGES, patch, places
from dronekit_cfg.formats.compose import resolve
from dronekit_cfg.formats.library import Library
from dronekit_cfg.model import Kind, Result, Scalar, Value
from dronekit_cfg.talk.flow import Session
from dronekit_cfg.wire.ubx import UbxCodec, encode

Bench = Any
GOLDEN = json.loads((Path(__file__).parents[2] / "golden" / "ublox" / "pyubx2.json").read_text())
GENERATIONS = ("m8", "m9", "f9", "m10")
CHANGES: dict[str, Scalar] = {
    "CFG-NAVSPG-DYNMODEL": "airborne 2g",
    "CFG-NAVSPG-INFIL_MINELEV": 15,
    "CFG-RATE-MEAS": 200,
    "CFG-SIGNAL-GLO_ENA": "off",
    "CFG-HW-ANT_CFG_SHORTDET": "on",
}


def body(name: str) -> bytes:
    codec = UbxCodec()
    codec.receive_data(bytes.fromhex(GOLDEN["frames"][name]))
    frame = codec.next_event()
    assert frame is not None
    return frame.payload


def test_names_keys_and_types_are_those_of_the_pyubx2_database() -> None:
    assert set(GOLDEN["keys"]) == set(KEYS)
    kinds = {"L001": Kind.UINT8, "E001": Kind.UINT8, "U001": Kind.UINT8, "I001": Kind.INT8, "U002": Kind.UINT16}
    kinds |= {"U004": Kind.UINT32}
    for name, (number, storage) in GOLDEN["keys"].items():
        assert (KEYS[name].key, KEYS[name].kind) == (number, kinds[storage]), name
        assert (set(KEYS[name].values) == {0, 1}) >= (storage == "L001"), name


LEGACY = {
    "nav5": {
        "CFG-NAVSPG-DYNMODEL": 8,
        "CFG-NAVSPG-FIXMODE": 3,
        "CFG-NAVSPG-INFIL_MINELEV": -5,
        "CFG-NAVSPG-OUTFIL_PDOP": 250,
        "CFG-NAVSPG-OUTFIL_TDOP": 250,
        "CFG-NAVSPG-OUTFIL_PACC": 100,
        "CFG-NAVSPG-OUTFIL_TACC": 350,
        "CFG-NAVSPG-INFIL_NCNOTHRS": 4,
        "CFG-NAVSPG-INFIL_CNOTHRS": 30,
    },
    "itfm": {
        "CFG-ITFM-BBTHRESHOLD": 3,
        "CFG-ITFM-CWTHRESHOLD": 15,
        "CFG-ITFM-ENABLE": 1,
        "CFG-ITFM-ANTSETTING": 2,
        "CFG-ITFM-ENABLE_AUX": 0,
    },
    "rate": {"CFG-RATE-MEAS": 200, "CFG-RATE-NAV": 1, "CFG-RATE-TIMEREF": 1},
    "ant": {
        "CFG-HW-ANT_CFG_VOLTCTRL": 1,
        "CFG-HW-ANT_CFG_SHORTDET": 1,
        "CFG-HW-ANT_CFG_OPENDET": 0,
        "CFG-HW-ANT_CFG_PWRDOWN": 1,
        "CFG-HW-ANT_CFG_RECOVER": 0,
    },
    "gnss": {"CFG-SIGNAL-GPS_ENA": 1, "CFG-SIGNAL-GLO_ENA": 0},
    "navx5": {"CFG-NAVSPG-INFIL_MINSVS": 5, "CFG-NAVSPG-INFIL_MAXSVS": 24, "CFG-NAVSPG-INFIL_MINCNO": 9},
    "prt": {BAUD: 57600},
}
KINDS = {"nav5": 0x24, "itfm": 0x39, "rate": 0x08, "ant": 0x13, "gnss": 0x3E, "navx5": 0x23, "prt": 0x00}


@pytest.mark.parametrize("name", LEGACY)
def test_m8_messages_are_read_where_pyubx2_writes(name: str) -> None:
    message = next(m for m in MESSAGES if m.kind == (0x06, KINDS[name]))
    found = {n: KEYS[n].decode(f.get(body(name))).raw for n, f in places(message, body(name))}
    assert found == LEGACY[name]


def test_an_m8_message_is_changed_in_what_is_asked_for_and_nowhere_else() -> None:
    message = next(m for m in MESSAGES if m.kind == (0x06, 0x39))
    before = body("itfm")
    changed = patch(message, before, {"CFG-ITFM-ENABLE": 0, "CFG-ITFM-CWTHRESHOLD": 31})
    assert int.from_bytes(changed[:4], "little") == 3 | 31 << 4  # pyubx2 leaves the algorithm bits 0
    assert changed[4:] == before[4:]


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_receiver_is_changed_proved_by_a_restart_and_put_back(bench: Bench, twin: Any, generation: str) -> None:
    url = f"sim:ublox-{generation}"
    with bench.connect(url) as connection:
        assert connection.identity.vehicle == generation
        before = connection.snapshot()
        receipt = apply(connection, bench.goal_of(CHANGES), bench.state)
        assert (receipt.result, receipt.problems, receipt.side_effects) == (Result.DONE, (), ())
        assert receipt.persistence_verified
        assert twin(connection).boots == 2
    with bench.connect(url) as connection:  # a new process: only what was stored is there
        now = {name: connection.snapshot().value(name) for name in CHANGES}
        assert {n: v.raw for n, v in now.items() if v} == {n: choose(KEYS[n], v).raw for n, v in CHANGES.items()}
        back = bench.goal_of({n: before.value(n).raw for n in CHANGES})
        assert apply(connection, back, bench.state).result is Result.DONE
        assert connection.snapshot().digest == before.digest


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("sim:ublox-m8", "CFG-SEC-JAMDET_SENSITIVITY_HI"),
        ("sim:ublox-m10", "CFG-ITFM-ENABLE"),
        ("sim:ublox-m9", "CFG-SIGNAL-GPS_L2C_ENA"),
    ],
)
def test_a_setting_of_another_generation_is_refused_before_anything_is_written(
    bench: Bench, twin: Any, url: str, name: str
) -> None:
    with bench.connect(url) as connection:
        with pytest.raises(FileProblems, match=name):
            apply(connection, bench.goal_of({"CFG-RATE-MEAS": 200, name: 1}), bench.state)
        assert twin(connection).memory.values == {}


def test_a_receiver_without_flash_keeps_its_settings_in_battery_backed_memory_and_says_so(
    bench: Bench, twin: Any
) -> None:
    heard: list[Any] = []
    with bench.connect("sim:ublox-m10") as connection:
        connection.session.report = heard.append
        assert apply(connection, bench.goal_of({"CFG-RATE-MEAS": 200}), bench.state).result is Result.DONE
        assert twin(connection).memory.values == {"bbr/CFG-RATE-MEAS": 200}
    assert any("no flash" in str(event) for event in heard)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_receiver_that_keeps_nothing_is_found_out_and_rolled_back(bench: Bench, generation: str) -> None:
    with bench.connect(f"sim:ublox-{generation}?fault=ram-only") as connection:
        before = connection.snapshot()
        receipt = apply(connection, bench.goal_of({"CFG-RATE-MEAS": 200}), bench.state)
        assert receipt.result is Result.ROLLED_BACK
        assert any("RAM only" in p or "not stored" in p for p in receipt.problems)
        assert connection.snapshot().digest == before.digest


def test_what_another_device_set_in_ram_alone_is_not_taken_for_stored(bench: Bench, twin: Any) -> None:
    with bench.connect("sim:ublox-f9") as connection:
        twin(connection).ram[KEYS["CFG-NAVSPG-DYNMODEL"].key] = 8
        receipt = apply(connection, bench.goal_of({"CFG-NAVSPG-DYNMODEL": 8}), bench.state)
        assert receipt.result is Result.DONE
        assert twin(connection).memory.values["flash/CFG-NAVSPG-DYNMODEL"] == 8


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize(
    "fault", ["deny:CFG-RATE-MEAS", "clamp:CFG-NAVSPG-INFIL_MINELEV:10", "deny:CFG-SIGNAL-GLO_ENA"]
)
def test_what_the_receiver_refuses_or_limits_rolls_all_back(bench: Bench, generation: str, fault: str) -> None:
    with bench.connect(f"sim:ublox-{generation}?fault={fault}") as connection:
        before = connection.snapshot()
        receipt = apply(connection, bench.goal_of(CHANGES), bench.state)
        assert receipt.result is Result.ROLLED_BACK
        assert any(fault.split(":")[1] in p for p in receipt.problems)
        assert connection.snapshot().digest == before.digest


@pytest.mark.parametrize("seed", range(24))
def test_a_receiver_ends_as_wanted_or_as_it_was_whatever_is_lost(bench: Bench, seed: int) -> None:
    random = Random(seed)
    generation = random.choice(GENERATIONS)
    fault = random.choice(["lost:0.05", "lost:0.15", "reboot-mid:1", "reboot-mid:2", "reboot-mid:1,lost:0.05"])
    url = f"sim:ublox-{generation}"
    with bench.connect(url) as connection:
        before = connection.snapshot()
    try:
        with bench.connect(f"{url}?fault={fault}&seed={seed}") as connection:
            result = apply(connection, bench.goal_of(CHANGES), bench.state).result
    except DronekitError:
        result = Result.IN_DOUBT
    with bench.connect(url) as connection:
        if result is Result.IN_DOUBT and bench.state.open_journal(connection.identity):
            recover(connection, bench.state)
        now = connection.snapshot()
        done = all(str(now.value(n)) == str(choose(KEYS[n], v)) for n, v in CHANGES.items())
        assert done if result is Result.DONE else done or now.digest == before.digest


def test_a_receiver_that_falls_silent_leaves_an_unfinished_journal_that_recover_ends(bench: Bench) -> None:
    with bench.connect("sim:ublox-f9") as connection:
        before = connection.snapshot()
    with bench.connect("sim:ublox-f9?fault=mute-after:1") as connection:
        assert apply(connection, bench.goal_of(CHANGES), bench.state).result is Result.IN_DOUBT
    with bench.connect("sim:ublox-f9") as connection:
        recover(connection, bench.state)
        now = connection.snapshot()
        wanted = {n: choose(KEYS[n], v).raw for n, v in CHANGES.items()}
        assert now.digest == before.digest or {n: now.value(n).raw for n in wanted} == wanted


@pytest.mark.parametrize(("baud", "limit"), [(38400, 1.5), (115200, 0.6)])
@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_snapshot_takes_no_longer_than_the_port_and_four_milliseconds_per_request_need(
    bench: Bench, generation: str, baud: int, limit: float
) -> None:
    with bench.connect(f"sim:ublox-{generation}?baud={baud}") as connection:
        start = bench.clock.now()
        connection.snapshot()
        again = bench.clock.now()
        assert again - start <= limit
        connection.snapshot()  # defaults are known now
        assert bench.clock.now() - again <= 0.75 * limit


def test_a_receiver_that_only_talks_nmea_is_told_from_one_that_is_silent(bench: Bench) -> None:
    driver = UbloxDriver(Session(bench.clock.now))
    flow = driver.identify()
    next(flow)
    driver.codec.receive_data(b"$GNRMC,,V,,,,,,,,,,N,V*37\r\n")
    flow.send(None)
    flow.send(None)
    with pytest.raises(LinkGarbage, match="NMEA"):
        flow.send(None)


def test_a_receiver_that_is_another_one_after_the_restart_is_noticed(bench: Bench) -> None:
    with bench.connect("sim:ublox-f9?fault=wrong-uid-after-reboot") as connection:
        receipt = apply(connection, bench.goal_of({"CFG-RATE-MEAS": 200}), bench.state)
        assert receipt.result is Result.IN_DOUBT
        assert any("another vehicle answers" in p for p in receipt.problems)


def test_a_receiver_older_than_m8_is_refused(bench: Bench) -> None:
    driver = UbloxDriver(Session(bench.clock.now))
    flow = driver.identify()
    next(flow)
    version = b"7.03 (45969)".ljust(30, b"\0") + b"00070000".ljust(10, b"\0") + b"PROTVER 14.00".ljust(30, b"\0")
    driver.codec.receive_data(encode(0x0A, 0x04, version))
    with pytest.raises(Unsupported, match="older than M8"):
        flow.send(driver.codec.next_event())


def test_modules_are_tried_on_a_port_only_when_they_are_named() -> None:
    assert FAMILIES["ublox"] not in candidates("serial:/dev/ttyUSB0")
    assert candidates("serial:/dev/ttyUSB0", "ublox") == (FAMILIES["ublox"],)


@pytest.mark.parametrize(
    ("name", "value", "stored"),
    [
        ("CFG-NAVSPG-INFIL_MINELEV", -10, Value(Kind.INT8, -10)),
        ("CFG-NAVSPG-DYNMODEL", "airborne 4g", Value(Kind.UINT8, 8)),
        ("CFG-ITFM-ENABLE", "on", Value(Kind.UINT8, 1)),
        ("CFG-RATE-MEAS", 125.0, Value(Kind.UINT16, 125)),
    ],
)
def test_values_are_numbers_or_labels(name: str, value: Scalar, stored: Value) -> None:
    assert choose(KEYS[name], value) == stored
    assert KEYS[name].decode(KEYS[name].encode(stored)) == stored


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CFG-NAVSPG-DYNMODEL", 1),
        ("CFG-NAVSPG-DYNMODEL", "rocket"),
        ("CFG-ITFM-ENABLE", 2),
        ("CFG-RATE-MEAS", 0),
        ("CFG-RATE-MEAS", 70000),
        ("CFG-RATE-MEAS", 100.5),
        ("CFG-NAVSPG-INFIL_MINELEV", 91),
    ],
)
def test_values_that_do_not_fit_are_refused_with_what_would(name: str, value: Scalar) -> None:
    with pytest.raises(ValueError, match=f"{name} cannot be"):
        choose(KEYS[name], value)


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("kind", ["resilient", "baseline"])
def test_the_shipped_profiles_fit_every_generation(bench: Bench, generation: str, kind: str) -> None:
    stack = f"base/ublox+gnss-ublox-{kind}-{generation}"
    resolved = resolve(stack, Library())
    with bench.connect(f"sim:ublox-{generation}") as connection:
        require_fit(resolved, connection.identity)
        start = bench.clock.now()
        receipt = apply(connection, goal_from_profile(resolved), bench.state)
        assert (receipt.result, receipt.problems) == (Result.DONE, ())
        assert bench.clock.now() - start < 20
