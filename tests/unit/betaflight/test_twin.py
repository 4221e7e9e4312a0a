"""The simulated twins answer as the real simulators did, byte for byte where it matters."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.errors import UsageError
from dronekit_cfg.families.betaflight.simulated import make_simulated
from dronekit_cfg.families.betaflight.simulated_faults import CLI_FAULTS, parse_cli_faults
from dronekit_cfg.formats.cli_dump import parse
from dronekit_cfg.formats.cli_dump_dialect import load_dialect

Make = Any
GOLDEN = Path(__file__).parents[2] / "golden"
TWINS = [("betaflight", "4.6", "4.6.0"), ("betaflight", "2026.12", "2026.12.0-alpha"), ("inav", "9.0", "9.0.0")]
SITL_UID = "000000000000000100000002"
DIFFERENT = {"diff all", "serial"}  # the diff is compared by its settings; `serial` is read-only in 2026.12


@pytest.mark.parametrize(("family", "version", "folder"), TWINS)
def test_the_cli_answers_as_the_real_one_did(make_sim: Make, family: str, version: str, folder: str) -> None:
    bench = make_sim(family, version=version)
    bench.identify()
    bench.run(bench.driver.enter())
    compared = 0
    for pair in json.loads((GOLDEN / family / folder / "session.json").read_text()):
        if "#tok" not in pair.get("reply", ""):
            continue
        command, _, token = pair["cli"].strip().partition("\n#")
        found = talk(bench, pair["cli"], f"#{token}\r\n\r\n# ")
        if command not in DIFFERENT:
            assert found == pair["reply"].replace(SITL_UID, bench.driver.identity.uid)
            compared += 1
    assert compared > 10


def talk(bench: Any, text: str, until: str) -> str:
    bench.link.write(text.encode())
    found: str = ""
    for _ in range(1000):
        found += str(bench.link.read(0.05), "latin-1")
        if until in found:
            return found
    raise AssertionError(found[-200:])


@pytest.mark.parametrize(("family", "version", "folder"), TWINS)
def test_the_diff_says_what_the_real_one_said(make_sim: Make, family: str, version: str, folder: str) -> None:
    bench = make_sim(family, version=version)
    bench.identify()
    diff = bench.snapshot().raw["diff all"]
    pairs = json.loads((GOLDEN / family / folder / "session.json").read_text())
    real = next(p["reply"] for p in pairs if p.get("cli", "").startswith("diff all\n"))
    dialect = load_dialect(family)
    real = real.partition("\r\n")[2].split("# #tok")[0].replace(SITL_UID, bench.driver.identity.uid)
    assert parse(diff, dialect).settings == parse(real, dialect).settings


def test_msp_answers_as_the_real_one_did(make_sim: Make) -> None:
    for family, version, folder in TWINS:
        bench = make_sim(family, version=version)
        for pair in json.loads((GOLDEN / family / folder / "session.json").read_text()):
            if "msp" in pair and pair["msp"] != "244d3c00a0a0":  # the UID is the twin's own
                bench.link.write(bytes.fromhex(pair["msp"]))
                assert bench.link.read(0.1).hex() == pair["reply"]


def test_a_twin_remembers_what_was_saved(make_sim: Make, tmp_path: Path) -> None:
    bench = make_sim(state=tmp_path)
    bench.identify()
    bench.write(bench.snapshot(), {"small_angle": 40, "profile.1.p_pitch": 44})
    bench.run(bench.driver.commit())
    again = make_sim(state=tmp_path)
    again.identify()
    assert str(again.snapshot().value("profile.1.p_pitch")) == "44"
    other = make_sim(state=tmp_path, id="2")
    assert other.identify().uid != again.driver.identity.uid
    assert str(other.snapshot().value("small_angle")) == "25"
    fresh = make_sim(state=tmp_path, fresh="")
    fresh.identify()
    assert str(fresh.snapshot().value("small_angle")) == "25"


def test_bytes_beyond_the_receive_buffer_are_lost(make_sim: Make) -> None:
    bench = make_sim()
    bench.identify()
    bench.run(bench.driver.enter())
    flood = "".join(f"set small_angle = {n}\n" for n in range(60)) + "#end\n"
    bench.link.write(flood.encode())
    found = b"".join(bench.link.read(0.05) for _ in range(40))
    assert b"#end" not in found
    assert 0 < found.count(b"small_angle set to") < 15


@pytest.mark.parametrize(
    "options",
    [{"nope": "1"}, {"version": "3"}, {"id": "a/b"}, {"seed": "x"}, {"fault": "nope"}, {"fault": "stall"},
     {"fault": "armed:1"}, {"fault": "stall:-1"}, {"fresh": "perhaps"}, {"parts": "some"}],
)  # fmt: skip
def test_an_option_that_there_is_not_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(UsageError) as caught:
        make_simulated("betaflight", options, state_dir=None)
    assert caught.value.hint


def test_another_target_is_refused() -> None:
    with pytest.raises(UsageError):
        make_simulated("inav", {}, state_dir=None)


def test_faults_are_read_with_their_arguments() -> None:
    found = parse_cli_faults("stall:0.5, deny:small_angle,deny=p_pitch,armed")
    assert (found.stall, found.deny, found.armed) == (0.5, frozenset({"small_angle", "p_pitch"}), True)
    assert all(kind.meaning for kind in CLI_FAULTS.values())
