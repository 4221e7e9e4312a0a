"""An ExpressLRS module: read by label, changed, proved by a power cycle, put back; never given a command."""

from __future__ import annotations

from typing import Any

import pytest

from dronekit_cfg.engine.goals import goal_from_profile, require_fit, terms_from_profile
from dronekit_cfg.engine.transaction import ApplyOptions, apply
from dronekit_cfg.errors import DronekitError, FileProblems, LinkGarbage, NoAnswer
from dronekit_cfg.families.elrs.driver import ElrsDriver
from dronekit_cfg.families.elrs.tree import choose, packed, paths
from dronekit_cfg.families.registry import FAMILIES, candidates
from dronekit_cfg.formats.compose import resolve
from dronekit_cfg.formats.library import Library
from dronekit_cfg.model import Kind, Result, Scalar, Value
from dronekit_cfg.talk.flow import Session
from dronekit_cfg.wire.crsf import CrsfFrame, Entry, EntryType, encode

Bench = Any
URL = "sim:elrs-tx"
CHANGES: dict[str, Scalar] = {"Packet_Rate": "150", "TX_Power/Dynamic": "Dyn", "VTX_Administrator/Channel": 4}


def test_settings_are_named_by_their_path_of_labels_without_the_state_of_folders(bench: Bench) -> None:
    with bench.connect(URL) as connection:
        snapshot = connection.snapshot()
        assert (connection.identity.vehicle, connection.identity.version) == ("tx", "4.0.0")
    assert snapshot.value("TX_Power/Max_Power") == Value(Kind.TEXT, "100")
    assert snapshot.value("Packet_Rate") == Value(Kind.TEXT, "250(-108dBm)")
    assert not {"Bind", "WiFi_Connectivity/Enable_WiFi", "Bad/Good"} & set(snapshot.by_name)


def test_changes_are_proved_by_a_power_cycle_and_commands_are_never_given(bench: Bench, twin: Any) -> None:
    heard: list[Any] = []
    with bench.connect(URL) as connection:
        connection.session.report = heard.append
        before = connection.snapshot()
        receipt = apply(connection, bench.goal_of(CHANGES), bench.state)
        assert (receipt.result, receipt.problems) == (Result.DONE, ())
        assert receipt.persistence_verified
        assert twin(connection).boots == 2
        assert twin(connection).commands == []
        assert str(connection.snapshot().value("Packet_Rate")) == "150(-112dBm)"
        back = bench.goal_of({n: before.value(n).raw for n in CHANGES})
        assert apply(connection, back, bench.state).result is Result.DONE
        assert connection.snapshot().digest == before.digest
    assert any("switch the module off and on" in str(event) for event in heard)


@pytest.mark.parametrize(
    "fault", ["deny:Packet Rate", "clamp:Channel:2", "ram-only", "reboot-mid:1", "reboot-mid:2", "reboot-mid:3"]
)
def test_a_module_ends_as_wanted_or_as_it_was(bench: Bench, fault: str) -> None:
    with bench.connect(f"{URL}?fault={fault}") as connection:
        before = connection.snapshot()
        result = apply(connection, bench.goal_of(CHANGES), bench.state).result
        now = connection.snapshot()
        if result is Result.DONE:
            assert str(now.value("Packet_Rate")).startswith("150(")
        else:
            assert result is Result.ROLLED_BACK
            assert now.digest == before.digest


@pytest.mark.parametrize("seed", range(4))
def test_lost_answers_are_asked_for_again(bench: Bench, seed: int) -> None:
    with bench.connect(URL) as connection:
        before = connection.snapshot()
    try:
        with bench.connect(f"{URL}?fault=lost:0.1&seed={seed}") as connection:
            result = apply(connection, bench.goal_of(CHANGES), bench.state).result
    except DronekitError:
        result = Result.IN_DOUBT
    with bench.connect(URL) as connection:
        now = connection.snapshot()
        done = str(now.value("Packet_Rate")).startswith("150(")
        assert done if result is Result.DONE else result is Result.IN_DOUBT or now.digest == before.digest


def test_the_whole_tree_is_read_in_two_and_a_half_seconds(bench: Bench) -> None:
    with bench.connect(URL) as connection:
        start = bench.clock.now()
        connection.snapshot()
        assert bench.clock.now() - start <= 2.5


@pytest.mark.parametrize("value", ["200", "", "#7", "100"])
def test_a_label_that_the_module_does_not_offer_is_refused_with_those_that_it_does(bench: Bench, value: str) -> None:
    with (
        bench.connect(URL) as connection,
        pytest.raises(FileProblems, match="offers 50"),
    ):
        apply(connection, bench.goal_of({"Packet_Rate": value}), bench.state)


def selection(*labels: str) -> Entry:
    return Entry(1, 0, EntryType.SELECTION, False, "Rate", 0, labels)


def test_labels_are_matched_by_text_whatever_their_place() -> None:
    for labels in (("50", "150(-112dBm)", "250"), ("", "250", "50", "150(-112dBm)")):
        entry = selection(*labels)
        value = choose("Rate", entry, 150)
        assert packed(entry, value) == bytes([labels.index("150(-112dBm)")])
    with pytest.raises(ValueError, match="offers"):
        choose("Rate", selection("100(a)", "100(b)"), "100")


def test_two_parameters_with_one_path_are_no_setting() -> None:
    assert paths([selection("a"), selection("b")]) == {}


INPUTS = {"region": "EU2G4", "max_power": "100"}


@pytest.mark.parametrize("overlay", ["elrs-resilient", "elrs-baseline"])
def test_the_shipped_profiles_fit(bench: Bench, overlay: str) -> None:
    resolved = resolve(f"base/elrs-tx+{overlay}", Library(), inputs=INPUTS)
    with bench.connect(URL) as connection:
        require_fit(resolved, connection.identity)
        options = ApplyOptions(terms=terms_from_profile(resolved))
        receipt = apply(connection, goal_from_profile(resolved), bench.state, options)
        assert receipt.result in {Result.DONE, Result.UNCHANGED}
        assert receipt.problems == ()


def test_more_power_than_the_region_allows_is_refused_before_anything_is_written(bench: Bench, twin: Any) -> None:
    resolved = resolve("base/elrs-tx", Library(), inputs={**INPUTS, "max_power": "250"})
    with bench.connect(URL) as connection:
        with pytest.raises(FileProblems, match="ELRS-LAW-EU2G4"):
            apply(
                connection, goal_from_profile(resolved), bench.state, ApplyOptions(terms=terms_from_profile(resolved))
            )
        assert twin(connection).memory.values == {}


def test_no_mavlink_is_ever_sent_to_a_port_that_is_named_as_a_module() -> None:
    assert candidates("serial:/dev/ttyUSB0", "elrs") == (FAMILIES["elrs"],)
    assert candidates("sim:elrs-tx") == (FAMILIES["elrs"],)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"", NoAnswer),
        (b"$GNRMC,,V\r\n", LinkGarbage),
        (encode(CrsfFrame(0x29, 0x10, 0xEE, b"TBS TX\0TBS " + bytes(8) + b"\5\0")), LinkGarbage),
    ],
)
def test_what_is_no_elrs_module_is_told(bench: Bench, said: bytes, error: type[Exception]) -> None:
    driver = ElrsDriver(Session(bench.clock.now))
    flow = driver.identify()
    next(flow)
    driver.codec.receive_data(said)
    with pytest.raises(error):  # noqa: PT012  it raises after as many deadlines as it takes
        while True:
            event = driver.codec.next_event()
            bench.clock.sleep(0 if event else 0.3)
            flow.send(event)
