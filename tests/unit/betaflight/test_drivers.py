"""What the drivers of Betaflight and INAV promise, judged on the twins and on the real simulators."""

from __future__ import annotations

from typing import Any

import pytest

from dronekit_cfg.errors import LinkError, WriteRefused
from dronekit_cfg.events import Note
from dronekit_cfg.formats.cli_dump import parse
from dronekit_cfg.formats.cli_dump_checks import problems
from dronekit_cfg.model import Change, Kind, Phase, Value, Verdict

Bench = Any  # the fixture's class lives in conftest, which cannot be imported


def facts(bench: Bench) -> dict[str, str]:
    """Names that differ between the families."""
    if bench.family == "betaflight":
        return {
            "pid": "profile.0.p_pitch",
            "other": "profile.2.p_pitch",
            "text": "craft_name",
            "aux": "0 0 1700 2100 0 0",
        }
    return {
        "pid": "control_profile.1.mc_p_pitch",
        "other": "control_profile.2.mc_p_pitch",
        "text": "name",
        "aux": "0 0 1700 2100",
    }


def test_the_vehicle_says_who_it_is(bench: Bench) -> None:
    found = bench.driver.identity
    assert (found.family, found.board) == (bench.family, "SITL")
    assert (found.uid == "000000000000000100000002") is bench.real
    assert found.version in {"4.6.0", "2026.12.0a0", "9.0.0"}
    assert not found.differences(bench.identify())


def test_the_arm_state_tells_the_reasons_by_name(bench: Bench) -> None:
    before = bench.run(bench.driver.arm_state())
    assert not before.armed
    assert before.detail
    bench.run(bench.driver.enter())
    inside = bench.run(bench.driver.arm_state())
    assert not inside.armed
    assert "CLI" in inside.detail


def test_a_snapshot_is_typed_and_complete(bench: Bench) -> None:
    snapshot = bench.snapshot()
    assert len(snapshot.settings) > 840
    assert snapshot.value("small_angle") == Value(Kind.UINT8, 25)
    assert snapshot.by_name["small_angle"].default == Value(Kind.UINT8, 25)
    assert snapshot.value("failsafe_procedure").kind is Kind.TEXT
    dump = parse(snapshot.raw["dump all"], bench.driver.dialect)
    assert problems(dump) == ()
    assert set(dump.settings) == set(snapshot.by_name)
    assert bench.snapshot().digest == snapshot.digest


def test_the_live_schema_tells_ranges_labels_and_defaults(bench: Bench) -> None:
    spec = bench.run(bench.driver.spec())
    angle = spec.get("small_angle")
    assert (angle.minimum, angle.maximum) == (0, 180)
    assert "DROP" in spec.get("failsafe_procedure").options
    assert spec.get("feature.GPS").options == ("OFF", "ON")
    assert spec.get(facts(bench)["pid"]).kind is not None


def test_what_is_committed_survives_the_reboot(bench: Bench) -> None:
    names = facts(bench)
    snapshot = bench.snapshot()
    wanted = {
        "small_angle": 40,
        names["pid"]: 44,
        names["other"]: 45,
        names["text"]: "KITE 7",
        "aux.0": names["aux"],
        "map": "TAER1234" if bench.family == "betaflight" else "TAER",
        "feature.3D" if bench.family == "betaflight" else "feature.LED_STRIP": True,
    }
    outcomes = bench.write(snapshot, wanted)
    assert [o for o in outcomes if not o.ok] == []
    inside = bench.run(bench.driver.read(list(wanted)))
    assert {n: str(s.value) for n, s in inside.items()} == {n: _text(v) for n, v in wanted.items()}
    bench.run(bench.driver.commit())
    bench.back()
    after = bench.snapshot()
    assert {n: str(after.value(n)) for n in wanted} == {n: _text(v) for n, v in wanted.items()}
    rest = {n: s.value for n, s in after.by_name.items() if n not in wanted}
    assert rest == {n: s.value for n, s in snapshot.by_name.items() if n not in wanted}


def _text(value: object) -> str:
    return {True: "ON", False: "OFF"}[value] if isinstance(value, bool) else str(value)


def test_what_is_discarded_is_gone(bench: Bench) -> None:
    snapshot = bench.snapshot()
    assert all(o.ok for o in bench.write(snapshot, {"small_angle": 40, facts(bench)["pid"]: 44}))
    bench.run(bench.driver.discard())
    bench.back()
    assert bench.snapshot().digest == snapshot.digest


def test_a_reboot_drops_what_is_staged(bench: Bench) -> None:
    snapshot = bench.snapshot()
    bench.write(snapshot, {"small_angle": 40})
    bench.run(bench.driver.reboot())
    bench.back()
    assert bench.snapshot().value("small_angle") == Value(Kind.UINT8, 25)


def test_a_reboot_outside_of_the_cli_goes_over_msp(bench: Bench) -> None:
    bench.run(bench.driver.reboot())
    assert bench.back().family == bench.family


def test_refusals_are_told_apart_and_forbid_the_commit(bench: Bench) -> None:
    snapshot = bench.snapshot()
    changes = [
        Change("small_angle", snapshot.value("small_angle"), Value(Kind.UINT16, 999), Phase.SET),
        Change("no_such_setting", None, Value(Kind.UINT8, 1), Phase.SET),
        Change("failsafe_procedure", None, Value(Kind.TEXT, "NOSUCH"), Phase.SET),
        Change(facts(bench)["pid"], None, Value(Kind.UINT8, 44), Phase.SET),
        Change("no.such.name", None, Value(Kind.UINT8, 44), Phase.SET),
    ]
    found = {o.name: o for o in bench.run(bench.driver.write(changes))}
    assert found["small_angle"].verdict is Verdict.DENIED
    assert "0 - 180" in found["small_angle"].detail
    assert found["no_such_setting"].verdict is Verdict.UNKNOWN
    assert found["failsafe_procedure"].verdict is Verdict.DENIED
    assert found["no.such.name"].verdict is Verdict.UNKNOWN
    assert found[facts(bench)["pid"]].ok
    with pytest.raises(WriteRefused, match="not saved"):
        bench.run(bench.driver.commit())
    with pytest.raises(WriteRefused):
        bench.run(bench.driver.commit())
    bench.run(bench.driver.discard())
    bench.back()
    assert bench.snapshot().digest == snapshot.digest


def test_what_the_cli_stores_silently_wrong_is_found_out(bench: Bench) -> None:
    snapshot = bench.snapshot()
    for text, stored in (("25.9", "25"), ("abc", "0")):
        (outcome,) = bench.run(bench.driver.write([Change("small_angle", None, Value(Kind.TEXT, text), Phase.SET)]))
        assert not outcome.ok
        if outcome.echoed is not None:
            assert (outcome.verdict, str(outcome.echoed)) == (Verdict.CLAMPED, stored)
    with pytest.raises(WriteRefused):
        bench.run(bench.driver.commit())
    bench.run(bench.driver.discard())
    bench.back()
    assert bench.snapshot().digest == snapshot.digest


def test_a_text_that_the_cli_would_mangle_is_never_sent(bench: Bench) -> None:
    name = facts(bench)["text"]
    snapshot = bench.snapshot()
    for text in ("a#b", "a?b", "Сокіл", "x" * 300):
        with pytest.raises(ValueError):
            bench.driver.coerce(name, text, snapshot.by_name[name])
        (outcome,) = bench.run(bench.driver.write([Change(name, None, Value(Kind.TEXT, text), Phase.SET)]))
        assert outcome.verdict is Verdict.DENIED
    assert bench.run(bench.driver.read([name]))[name] == snapshot.by_name[name]


def test_a_session_that_a_crashed_host_left_open_is_recovered(bench: Bench) -> None:
    snapshot = bench.snapshot()
    assert all(o.ok for o in bench.write(snapshot, {"small_angle": 40}))
    bench.link.reopen()  # the vehicle goes on; only the connection is new
    bench.fresh_driver()
    with pytest.raises(LinkError):
        bench.run(bench.driver.identify())
    assert bench.driver.restarting
    assert any(isinstance(e, Note) and "left in its CLI" in e.text for e in bench.events)
    bench.back()
    assert not bench.driver.restarting
    assert bench.snapshot().digest == snapshot.digest


def test_half_a_line_of_a_crashed_host_does_no_harm(bench: Bench) -> None:
    snapshot = bench.snapshot()
    bench.link.write(b"set small_angle = 4")
    bench.driver.forget()
    bench.identify()
    assert bench.snapshot().digest == snapshot.digest


def test_names_of_any_case_and_enum_labels_of_any_case_are_taken(bench: Bench) -> None:
    snapshot = bench.snapshot()
    value = bench.driver.coerce("failsafe_procedure", "drop", snapshot.by_name["failsafe_procedure"])
    assert value == Value(Kind.TEXT, "DROP")
    with pytest.raises(ValueError, match="DROP"):
        bench.driver.coerce("failsafe_procedure", "DRPO", snapshot.by_name["failsafe_procedure"])


def test_a_firmware_of_another_family_is_left_to_its_own_driver(bench: Bench) -> None:
    bench.family = {"betaflight": "inav", "inav": "betaflight"}[bench.family]
    bench.fresh_driver()
    with pytest.raises(LinkError, match="runs"):
        bench.run(bench.driver.identify())
