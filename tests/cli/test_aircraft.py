"""A whole aircraft in one command: flight controller, receiver and radio pair end new together or old together."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.formats import schema
from dronekit_cfg.sim.memory import Memory

pytestmark = pytest.mark.usefixtures("virtual_time")

Run = Callable[..., Any]

STACK = "heavy-lift+gnss-dual-ublox+sik-resilient"
INPUTS = ("--input", "cells=6", "--input", "netid=112")
LINKS = ("--link", "sim:ardupilot-copter", "--module-link", "gnss=sim:ublox-m10", "--module-link", "radio=sim:sik-pair")
WHOLE = (STACK, *INPUTS, *LINKS)


def held(state_dir: Path, twin: str) -> dict[str, Any]:
    with Memory(next(state_dir.glob(f"{twin}*.log"))) as memory:
        return dict(memory.values)


def three(cli: Run, state_dir: Path) -> dict[str, dict[str, Any]]:
    assert cli("plan", *WHOLE).code == 1  # wakes the twins
    return {twin: held(state_dir, twin) for twin in ("ardupilot-copter", "ublox-m10", "sik-pair")}


def test_apply_changes_all_three_verifies_them_and_the_second_apply_changes_nothing(cli: Run, state_dir: Path) -> None:
    said = cli("apply", *WHOLE, "--yes", "--json")
    assert said.code == 0, said.err
    parts = {p["role"]: p for p in said.document["receipt"]["parts"]}
    assert {role: p["result"] for role, p in parts.items()} == {"gnss": "done", "radio": "done", "vehicle": "done"}
    assert list(parts) == ["gnss", "radio", "vehicle"]
    for kind in ("snapshot", "receipt"):
        (file,) = state_dir.glob(f"aircraft/*/{kind}s/*.json")
        assert schema.check(f"aircraft-{kind}.v1", json.loads(file.read_text("utf-8"))) == ()
    (journal,) = state_dir.glob("aircraft/*/journals/ended/*.jsonl")
    for line in journal.read_text("utf-8").splitlines():
        assert schema.check("aircraft-journal.v1", json.loads(line)) == (), line
    assert all(p["receipt"]["persistence_verified"] and p["receipt"]["records"] for p in parts.values())
    radio = held(state_dir, "sik-pair")
    assert radio["local/NETID"] == radio["remote/NETID"] == 112
    assert held(state_dir, "ardupilot-copter")["BATT_LOW_VOLT"] > 20
    assert cli("verify", *WHOLE).code == 0
    again = cli("apply", *WHOLE, "--yes", "--json")
    assert (again.code, again.document["changed"], again.document["result"]) == (0, False, "unchanged")


@pytest.mark.parametrize(
    ("role", "broken"),
    [
        ("link", "sim:ardupilot-copter?fault=deny:BATT_LOW_VOLT"),
        ("gnss", "sim:ublox-m10?fault=deny:CFG-RATE-MEAS"),
        ("radio", "sim:sik-pair?fault=deny:remote.NETID"),
    ],
)
def test_a_fault_in_any_of_the_three_rolls_all_back(cli: Run, state_dir: Path, role: str, broken: str) -> None:
    before = three(cli, state_dir)
    links = [broken if role == "link" and a == "sim:ardupilot-copter" else a for a in LINKS]
    links = [f"{role}={broken}" if a.startswith(f"{role}=") else a for a in links]
    said = cli("apply", STACK, *INPUTS, *links, "--yes", "--json")
    assert said.code == 5, said.out + said.err
    assert said.document["receipt"]["problems"]
    for twin, values in before.items():
        changed = {n: v for n, v in held(state_dir, twin).items() if values.get(n, v) != v}
        assert not {n for n in changed if not n.startswith(("STAT_", "INS_", "COMPASS"))}, twin
    assert cli("recover", "--link", "sim:ardupilot-copter").code == 0
    assert cli("plan", *WHOLE).code == 1


def test_the_snapshot_of_the_aircraft_brings_all_three_back(cli: Run, state_dir: Path) -> None:
    before = three(cli, state_dir)
    assert cli("apply", *WHOLE, "--yes").code == 0
    snapshot = next(state_dir.glob("aircraft/*/snapshots/*.json"))
    said = cli("restore", snapshot, "--link", "sim:ardupilot-copter", "--yes", "--json")
    assert said.code == 0, said.err
    assert said.document["receipt"]["action"] == "restore"
    radio = held(state_dir, "sik-pair")
    assert radio["local/NETID"] == radio["remote/NETID"] == before["sik-pair"].get("local/NETID", 25)
    assert cli("verify", *WHOLE).code == 1
    offline = cli("verify", STACK, *INPUTS, "--against", snapshot, "--json")
    assert offline.code == 1
    assert {p["role"]: bool(p["drift"]) for p in offline.document["parts"]} == dict.fromkeys(
        ("gnss", "radio", "vehicle"), True
    )


def test_a_plan_of_the_aircraft_can_be_saved_and_applied_as_it_is(cli: Run, tmp_path: Path, state_dir: Path) -> None:
    file = tmp_path / "plan.json"
    assert cli("plan", *WHOLE, "--output", file).code == 1
    saved = json.loads(file.read_text("utf-8"))
    assert [p["role"] for p in saved["parts"]] == ["gnss", "radio", "vehicle"]
    assert schema.check("aircraft-plan.v1", saved) == ()
    assert cli("apply", file, "--link", "sim:ardupilot-copter", "--yes").code == 0
    assert cli("verify", *WHOLE).code == 0


def test_a_missing_link_or_input_is_said_before_anything_is_connected(cli: Run) -> None:
    said = cli("apply", STACK, *INPUTS, "--link", "sim:ardupilot-copter")
    assert said.code == 2
    assert "--module-link radio=" in said.err
    said = cli("apply", STACK, "--input", "cells=6", *LINKS)
    assert said.code == 2
    assert "input netid is missing" in said.err


def test_without_a_link_for_an_optional_module_the_aircraft_is_its_flight_controller(cli: Run) -> None:
    said = cli("apply", "heavy-lift+gnss-dual-ublox", "--input", "cells=6", "--link", "sim:ardupilot-copter", "--yes")
    assert said.code == 0
    assert "the module gnss (ublox) is left alone" in " ".join(said.out.split())


def test_work_that_was_cut_off_is_recovered_on_all_devices_from_any_of_them(
    cli: Run, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Cut(BaseException):
        pass

    def cut(*_: object) -> None:
        raise Cut

    with monkeypatch.context() as patch:
        patch.setattr("dronekit_cfg.engine.aircraft._Run._look_again", cut)
        with pytest.raises(Cut):
            cli("apply", *WHOLE, "--yes")
    assert held(state_dir, "sik-pair")["local/NETID"] == 112
    refused = cli("apply", "base/sik", "--input", "netid=5", "--link", "sim:sik-pair", "--yes")
    assert (refused.code, "recover" in refused.err) == (6, True)
    said = cli("recover", "--link", "sim:sik-pair", "--family", "sik", "--json")
    assert said.code == 5, said.err
    assert {p["role"]: p["result"] for p in said.document["receipt"]["parts"]} == {
        "gnss": "rolled-back",
        "radio": "rolled-back",
        "vehicle": "rolled-back",
    }
    assert held(state_dir, "sik-pair")["local/NETID"] == 25
    assert cli("recover", "--link", "sim:sik-pair").code == 0


def test_a_decision_for_the_new_state_is_carried_out_by_recover(
    cli: Run, state_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Cut(BaseException):
        pass

    def cut(*_: object) -> None:
        raise Cut

    with monkeypatch.context() as patch:
        patch.setattr("dronekit_cfg.engine.aircraft.finish_part", cut)
        with pytest.raises(Cut):
            cli("apply", *WHOLE, "--yes")
    said = cli("recover", "--link", "sim:ardupilot-copter", "--json")
    assert (said.code, said.document["result"]) == (0, "done"), said.err
    assert cli("verify", *WHOLE).code == 0


def test_the_region_holds_for_every_radio_of_the_aircraft(cli: Run, tmp_path: Path) -> None:
    said = cli("plan", *WHOLE, "--region", "EU868")
    assert said.code == 2
    assert "SIK-LAW-EU868" in said.out
    assert "ERC Recommendation" in " ".join(said.out.split())
    assert cli("apply", *WHOLE, "--region", "EU868", "--accept", "SIK-LAW-EU868", "--yes").code == 2
    assert cli("apply", *WHOLE, "--region", "US915", "--yes").code == 0
    unit = tmp_path / "unit.yaml"
    head = "format: dronekit-cfg/profile/v1\nname: unit\nversion: 1.0.0\nfamily: ardupilot\n"
    unit.write_text(head + "region: EU868\n", encoding="utf-8")
    assert "SIK-LAW-EU868" in cli("plan", *WHOLE, "--unit", unit).out
    escaped = cli("plan", *WHOLE, "--unit", unit, "--region", "US915")
    assert (escaped.code, "not of one place" in escaped.err) == (2, True)
    assert "no region" in cli("plan", *WHOLE, "--region", "EU686").err


def test_a_saved_plan_obeys_the_law_of_the_region_that_it_was_made_for(
    cli: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "plan.json"
    with monkeypatch.context() as patch:
        patch.setattr("dronekit_cfg.engine.judge.law_findings", lambda *_, **__: ())
        assert cli("plan", *WHOLE, "--region", "EU868", "--output", file).code == 1
    said = cli("apply", file, "--link", "sim:ardupilot-copter", "--yes")
    assert (said.code, "SIK-LAW-EU868" in said.err) == (2, True)


@pytest.mark.parametrize("generation", ["m8", "m9", "m10", "f9"])
@pytest.mark.parametrize("overlay", ["gnss-ublox-resilient", "gnss-ublox-baseline"])
def test_a_receiver_gets_the_overlay_of_its_generation(cli: Run, overlay: str, generation: str) -> None:
    link = f"gnss=sim:ublox-{generation}"
    words = (f"heavy-lift+{overlay}", "--input", "cells=6", "--link", "sim:ardupilot-copter", "--module-link", link)
    said = cli("apply", *words, "--yes", "--json")
    assert said.code == 0, said.err
    (gnss,) = (p for p in said.document["receipt"]["parts"] if p["role"] == "gnss")
    assert f"{overlay}-{generation}" in gnss["profile"]
    assert cli("verify", *words).code == 0


def test_a_module_behind_the_flight_controller_is_reached_through_it(cli: Run) -> None:
    words = (
        *("heavy-lift+gnss-ublox-resilient", "--input", "cells=6", "--link", "sim:ardupilot-copter?gps1=ublox-m10"),
        *("--module-link", "gnss=via:ardupilot:gps1"),
    )
    said = cli("apply", *words, "--yes", "--json")
    assert said.code == 0, said.err
    parts = said.document["receipt"]["parts"]
    assert [(p["role"], p["result"]) for p in parts] == [("gnss", "done"), ("vehicle", "done")]
    assert parts[0]["link"] == "via:ardupilot:gps1+sim:ardupilot-copter?gps1=ublox-m10"
    assert cli("verify", *words).code == 0


def test_the_modules_come_in_an_order_that_never_cuts_the_way() -> None:
    from types import SimpleNamespace

    from dronekit_cfg.engine.aircraft_plan import in_order

    urls = {
        "vehicle": "serial:/dev/ttyUSB0@57600",
        "radio": "serial:/dev/ttyUSB0",
        "rc": "serial:/dev/ttyUSB1@460800",
        "gnss": "via:ardupilot:gps1+serial:/dev/ttyUSB0@57600",
    }
    made: Any = [
        SimpleNamespace(role=role, device=SimpleNamespace(options=SimpleNamespace(url=url)))
        for role, url in urls.items()
    ]
    assert [item.role for item in in_order(made)] == ["gnss", "rc", "vehicle", "radio"]
