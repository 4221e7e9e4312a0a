"""A pair of SiK radios: read, changed at both ends or at neither, kept within the law, and put back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any

import pytest

from dronekit_cfg.engine.goals import goal_from_profile, terms_from_profile
from dronekit_cfg.engine.recover import recover
from dronekit_cfg.engine.transaction import ApplyOptions, apply
from dronekit_cfg.errors import DronekitError, FileProblems, LinkGarbage, NoAnswer
from dronekit_cfg.families.sik.driver import SikDriver
from dronekit_cfg.families.sik.simulated import DEFAULTS
from dronekit_cfg.formats.compose import resolve
from dronekit_cfg.formats.library import Library
from dronekit_cfg.model import Result, Scalar
from dronekit_cfg.talk.flow import Session

Bench = Any
URL = "sim:sik-pair"
MOVE: dict[str, Scalar] = {"NETID": 112, "remote.NETID": 112, "AIR_SPEED": 32, "remote.AIR_SPEED": 32}


def values(snapshot: Any, names: Mapping[str, Scalar]) -> dict[str, Scalar]:
    return {name: snapshot.value(name).raw for name in names if snapshot.value(name)}


def test_both_ends_move_to_another_network_and_meet_there_again(bench: Bench, twin: Any) -> None:
    with bench.connect(URL) as connection:
        receipt = apply(connection, bench.goal_of(MOVE), bench.state)
        assert (receipt.result, receipt.problems) == (Result.DONE, ())
        assert receipt.persistence_verified
        pair = twin(connection)
        assert pair.local.running["NETID"] == pair.remote.running["NETID"] == 112
        assert (pair.local.boots, pair.remote.boots) == (2, 2)
    with bench.connect(URL) as connection:
        assert values(connection.snapshot(), MOVE) == MOVE


def test_the_radio_is_left_in_data_mode(bench: Bench, twin: Any) -> None:
    with bench.connect(URL) as connection:
        connection.snapshot()
        assert twin(connection).at_mode
    assert not twin(connection).at_mode


def test_the_first_snapshot_of_the_near_end_takes_three_seconds_at_most_guard_times_included(bench: Bench) -> None:
    start = bench.clock.now()
    driver = SikDriver(Session(bench.clock.now))
    with bench.connect(URL) as connection:
        at = connection.driver.at
        connection.run(at.leave())
        start = bench.clock.now()
        connection.run(at.enter())
        assert len(connection.run(at.table())) == 16
        assert bench.clock.now() - start <= 3.0
    assert driver.family == "sik"


@pytest.mark.parametrize("name", ["NETID", "remote.NETID", "AIR_SPEED", "ECC", "MIN_FREQ", "NUM_CHANNELS"])
def test_a_change_that_would_part_the_pair_is_refused_before_anything_is_written(
    bench: Bench, twin: Any, name: str
) -> None:
    value = {"AIR_SPEED": 32, "ECC": 1, "MIN_FREQ": 916000, "NUM_CHANNELS": 40}.get(name, 112)
    with bench.connect(URL) as connection:
        with pytest.raises(FileProblems, match="SIK-PAIR"):
            apply(connection, bench.goal_of({name: value}), bench.state)
        stored = twin(connection).memory.values
        assert {n: v for n, v in stored.items() if v != DEFAULTS[n.partition("/")[2]]} == {}


def test_a_power_that_the_board_has_no_level_for_is_told_and_rolled_back(bench: Bench) -> None:
    with bench.connect(URL) as connection:
        before = connection.snapshot()
        receipt = apply(connection, bench.goal_of({"TXPOWER": 13, "MAVLINK": 2}), bench.state)
        assert receipt.result is Result.ROLLED_BACK
        assert any("made 11 of 13" in p for p in receipt.problems)
        assert connection.snapshot().digest == before.digest


@pytest.mark.parametrize("fault", ["deny:NETID", "deny:remote.NETID", "clamp:remote.NETID:50", "reboot-mid:3"])
def test_both_ends_or_neither(bench: Bench, fault: str) -> None:
    with bench.connect(f"{URL}?fault={fault}") as connection:
        before = connection.snapshot()
        result = apply(connection, bench.goal_of(MOVE), bench.state).result
        now = connection.snapshot()
        assert values(now, MOVE) == MOVE if result is Result.DONE else now.digest == before.digest
        assert result in {Result.DONE, Result.ROLLED_BACK}


def test_a_far_end_that_goes_out_of_range_in_mid_change_is_told_and_nothing_is_saved(bench: Bench, twin: Any) -> None:
    with bench.connect(f"{URL}?fault=remote-gone:2") as connection:
        receipt = apply(connection, bench.goal_of(MOVE), bench.state)
        assert receipt.result is Result.IN_DOUBT  # it may hold staged values until its restart
        assert any("remote." in p for p in receipt.problems)
        stored = twin(connection).memory.values
        assert {n: v for n, v in stored.items() if v != DEFAULTS[n.partition("/")[2]]} == {}
    with bench.connect(URL) as connection:
        recover(connection, bench.state)
        assert connection.snapshot().value("NETID").raw == 25


@pytest.mark.parametrize("seed", range(16))
def test_whatever_is_lost_the_pair_ends_as_wanted_or_as_it_was(bench: Bench, seed: int) -> None:
    random = Random(seed)
    fault = random.choice(["lost:0.1", "lost:0.25", "reboot-mid:1", "reboot-mid:4", "reboot-mid:2,lost:0.1"])
    with bench.connect(URL) as connection:
        before = connection.snapshot()
    try:
        with bench.connect(f"{URL}?fault={fault}&seed={seed}") as connection:
            result = apply(connection, bench.goal_of(MOVE), bench.state).result
    except DronekitError:
        result = Result.IN_DOUBT
    with bench.connect(URL) as connection:
        if bench.state.open_journal(connection.identity):
            recover(connection, bench.state)
        now = connection.snapshot()
        whole = values(now, MOVE) == MOVE
        assert whole if result is Result.DONE else whole or now.digest == before.digest


def test_what_is_said_to_be_saved_and_is_not_is_found_out(bench: Bench) -> None:
    with bench.connect(f"{URL}?fault=ram-only") as connection:
        before = connection.snapshot()
        receipt = apply(connection, bench.goal_of(MOVE), bench.state)
        assert receipt.result is Result.ROLLED_BACK
        assert connection.snapshot().digest == before.digest


INPUTS = {"netid": "112", "region": "US915"}


@pytest.mark.parametrize("overlay", ["sik-resilient", "sik-baseline"])
def test_the_shipped_profiles_reach_both_ends(bench: Bench, overlay: str) -> None:
    resolved = resolve(f"base/sik+{overlay}", Library(), inputs=INPUTS)
    with bench.connect(URL) as connection:
        options = ApplyOptions(terms=terms_from_profile(resolved))
        receipt = apply(connection, goal_from_profile(resolved), bench.state, options)
        assert (receipt.result, receipt.problems) == (Result.DONE, ())


@pytest.mark.parametrize(
    ("region", "settings", "legal"),
    [
        ("US915", {}, True),
        ("US915", {"NUM_CHANNELS": 30, "remote.NUM_CHANNELS": 30}, True),
        ("US915", {"NUM_CHANNELS": 20, "remote.NUM_CHANNELS": 20}, False),
        ("AU915", {}, True),
        ("AU915", {"MIN_FREQ": 914000, "remote.MIN_FREQ": 914000}, False),
        ("EU868", {}, False),
    ],
)
def test_the_law_of_the_region_is_judged_before_anything_is_written(
    bench: Bench, twin: Any, region: str, settings: dict[str, int], legal: bool
) -> None:
    sets = [f"{name}={value}" for name, value in settings.items()]
    resolved = resolve("base/sik", Library(), inputs={**INPUTS, "region": region}, sets=sets)
    with bench.connect(URL) as connection:
        options = ApplyOptions(terms=terms_from_profile(resolved))
        if legal:
            assert apply(connection, goal_from_profile(resolved), bench.state, options).result is Result.DONE
            return
        with pytest.raises(FileProblems, match=f"SIK-LAW-{region}"):
            apply(connection, goal_from_profile(resolved), bench.state, options)
        stored = twin(connection).memory.values
        assert {n: v for n, v in stored.items() if v != DEFAULTS[n.partition("/")[2]]} == {}


def test_the_key_of_the_encryption_is_asked_for_by_nothing(bench: Bench) -> None:
    sent: list[bytes] = []
    with bench.connect(URL) as connection:
        write = connection.link.write

        def listen(data: bytes) -> None:
            sent.append(data)
            write(data)

        connection.link.write = listen
        connection.snapshot()
        apply(connection, bench.goal_of(MOVE), bench.state)
    assert sent
    assert b"&E" not in b"".join(sent)
    for file in bench.state.root.rglob("*.json"):
        assert "&E" not in json.dumps(file.read_text())


def test_a_radio_that_was_left_in_its_at_mode_is_found_there(bench: Bench, twin: Any) -> None:
    with bench.connect(URL) as connection:
        pair = twin(connection)
        assert pair.at_mode
        connection.driver.forget()
        assert connection.run(connection.driver.identify()).board == "HM-TRP"


@pytest.mark.parametrize(("noise", "error"), [(b"", NoAnswer), (b"\xfd\x09\x00garbage\r\n", LinkGarbage)])
def test_what_is_no_radio_is_told(bench: Bench, noise: bytes, error: type[Exception]) -> None:
    driver = SikDriver(Session(bench.clock.now))
    flow = driver.identify()
    next(flow)
    driver.codec.receive_data(noise)
    with pytest.raises(error):  # noqa: PT012  it raises after as many deadlines as it takes
        while True:
            flow.send(None)
