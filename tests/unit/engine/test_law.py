"""What the law of a region forbids is not written: not with a waiver, not with --accept, not by a restore."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.engine.judge import Terms
from dronekit_cfg.engine.law import law_findings
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import ApplyOptions, apply
from dronekit_cfg.errors import FileProblems
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model import Identity, Kind, Origin, Result, Value, Waiver, Wanted
from dronekit_cfg.model.region import joined, parse_region, regions_of
from dronekit_cfg.planner.plan import Goal
from dronekit_cfg.rules.pack import parse_pack

SIK = Identity("sik", "radio", "2.2", "SiK 2.2", "HM-TRP", "")
ELRS = Identity("elrs", "tx", "3.5.3", "ExpressLRS 3.5.3", "TX", "")
EUROPE = {"MIN_FREQ": 869400, "MAX_FREQ": 869650, "NUM_CHANNELS": 1, "TXPOWER": 27, "DUTY_CYCLE": 10, "LBT_RSSI": 0}
JAPAN = {"MIN_FREQ": 920600, "MAX_FREQ": 928000, "NUM_CHANNELS": 50, "TXPOWER": 13, "DUTY_CYCLE": 10, "LBT_RSSI": 25}
USA = {"MIN_FREQ": 902000, "MAX_FREQ": 928000, "NUM_CHANNELS": 50, "TXPOWER": 30, "DUTY_CYCLE": 100, "LBT_RSSI": 0}
AUSTRALIA = {**USA, "MIN_FREQ": 915000}


def sik(values: Mapping[str, int]) -> dict[str, Value]:
    return {name: Value(Kind.UINT32, value) for name, value in values.items()}


@pytest.mark.parametrize(
    ("region", "legal", "too_much"),
    [
        ("EU868", EUROPE, {"TXPOWER": 28}),
        ("EU868", EUROPE, {"DUTY_CYCLE": 11}),
        ("EU868", EUROPE, {"MIN_FREQ": 868000, "MAX_FREQ": 868600, "DUTY_CYCLE": 1}),
        ("EU868", EUROPE, {"remote.MAX_FREQ": 870000}),
        ("US915", USA, {"TXPOWER": 31}),
        ("US915", USA, {"NUM_CHANNELS": 49}),
        ("US915", USA, {"MAX_FREQ": 928001}),
        ("US915", USA, {"remote.TXPOWER": 31}),
        ("AU915", AUSTRALIA, {"MIN_FREQ": 914999}),
        ("AU915", AUSTRALIA, {"TXPOWER": 31}),
        ("JP", JAPAN, {"TXPOWER": 14}),
        ("JP", JAPAN, {"LBT_RSSI": 0}),
        ("JP", JAPAN, {"remote.LBT_RSSI": 0}),
        ("JP", JAPAN, {"DUTY_CYCLE": 11}),
        ("JP", JAPAN, {"MIN_FREQ": 915000}),
    ],
)
def test_power_band_duty_cycle_and_listening_are_judged_with_the_source_of_the_limit(
    region: str, legal: dict[str, int], too_much: dict[str, int]
) -> None:
    assert law_findings(sik(legal), SIK, region) == ()
    (found,) = law_findings(sik({**legal, **too_much}), SIK, region)
    assert (found.severity, found.id.partition("-")[2]) == ("error", f"LAW-{region}")
    assert any(word in found.message for word in ("CFR", "ERC", "ARIB", "ACMA"))


@pytest.mark.parametrize(
    ("region", "milliwatts", "domain", "legal"),
    [
        ("EU2G4", 100, "", True),
        ("EU2G4", 250, "", False),
        ("EU2G4", 100, "ISM2G4", False),
        ("EU2G4", 10, "ISM2G4", True),
        ("EU2G4", 100, "CE_LBT", True),
        ("EU868", 25, "EU868", True),
        ("EU868", 50, "EU868", False),
        ("EU868,EU2G4", 100, "CE_LBT", True),
        ("EU868,EU2G4", 100, "", False),
        ("EU868", 100, "CE_LBT", True),
        ("US2G4", 1000, "", True),
        ("US2G4", 2000, "", False),
        ("US915", 2000, "FCC915", False),
        ("AU915", 2000, "AU915", False),
        ("JP", 10, "", True),
        ("JP", 25, "ISM2G4", False),
        ("unset", 2000, "", True),
    ],
)
def test_a_transmitter_is_judged_by_its_own_band(region: str, milliwatts: int, domain: str, legal: bool) -> None:
    settings = {"TX_Power/Max_Power": Value(Kind.TEXT, str(milliwatts))}
    if domain:
        settings["Domain"] = Value(Kind.TEXT, domain)
    assert (law_findings(settings, ELRS, region) == ()) is legal


def test_regions_are_words_of_one_place() -> None:
    assert parse_region("unset") == parse_region("") == ()
    assert parse_region("EU868,EU2G4") == ("EU868", "EU2G4")
    assert joined("EU868", "") == "EU868"
    assert joined("EU868", "EU2G4") == "EU2G4"
    assert regions_of("sik", "EU2G4") == ("EU868",)
    assert regions_of("sik", "JP") == ("JP",)
    for wrong in ("EU686", "EU868,US915"):
        with pytest.raises(ValueError, match=r"no region|not of one place"):
            parse_region(wrong)
    with pytest.raises(ValueError, match="not of one place"):
        joined("EU868", "US915")


def connected(root: Path) -> Any:
    return connect(LinkOptions("sim:sik-pair", family="sik", state_dir=root), clock=VirtualClock())


def channels(number: int) -> Goal:
    wanted = tuple(Wanted(n, number, Origin("test")) for n in ("NUM_CHANNELS", "remote.NUM_CHANNELS"))
    return Goal("test", "sha256:0", wanted)


ILLEGAL = channels(20)
"""20 channels: 47 CFR 15.247 asks for 25 at least."""


def test_neither_waiver_nor_accept_nor_an_own_rule_lifts_it(tmp_path: Path) -> None:
    waiver = Waiver("SIK-LAW-US915", "I know better", "", Origin("unit.yaml"))
    own = parse_pack(
        """
format: dronekit-cfg/rules/v1
pack: own
rules:
  - id: SIK-LAW-US915
    title: Everything is legal
    severity: info
    applies: {family: sik}
    violation: p("NUM_CHANNELS") > 1000
    message: never
    why: because
    remedy: none
    source: me
    examples:
      bad: {settings: {NUM_CHANNELS: 2000}}
      good: {settings: {NUM_CHANNELS: 20}}
""",
        "own.yaml",
    ).rules
    terms = Terms(
        {"region": "US915"},
        waivers=(waiver,),
        accept=frozenset({"SIK-LAW-US915"}),
        rules=own,
        simulator=True,
        today=date(2026, 1, 1),
    )
    with connected(tmp_path) as connection:
        with pytest.raises(FileProblems, match=r"SIK-LAW-US915") as caught:
            apply(connection, ILLEGAL, StateDir(tmp_path), ApplyOptions(terms=terms))
        assert "47 CFR 15.247" in str(caught.value)
        assert connection.snapshot().value("NUM_CHANNELS") == Value(Kind.UINT32, 50)


def test_it_is_asked_again_before_the_write_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dronekit_cfg.engine.judge.law_findings", lambda *_, **__: ())
    with connected(tmp_path) as connection:
        options = ApplyOptions(terms=Terms({"region": "US915"}))
        receipt = apply(connection, ILLEGAL, StateDir(tmp_path), options)
        assert receipt.result is Result.ROLLED_BACK
        assert any("SIK-LAW-US915" in problem for problem in receipt.problems)
        assert receipt.records == ()


def test_a_restore_obeys_it_where_the_region_is_said(tmp_path: Path) -> None:
    state = StateDir(tmp_path)
    with connected(tmp_path) as connection:
        assert apply(connection, ILLEGAL, state).result is Result.DONE
        assert apply(connection, channels(50), state).result is Result.DONE
        back = Goal("snapshot", "sha256:1", ILLEGAL.wanted, known_state=True)
        with pytest.raises(FileProblems, match="SIK-LAW-US915"):
            apply(connection, back, state, ApplyOptions("restore", terms=Terms({"region": "US915"})))
        assert apply(connection, back, state, ApplyOptions("restore")).result is Result.DONE
