"""What a simulated vehicle keeps: between reboots, between commands, and when its process is killed."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.errors import StateError, UsageError
from dronekit_cfg.families.ardupilot.simulated import make_simulated
from dronekit_cfg.sim.memory import Memory


def test_values_are_there_when_the_log_is_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "vehicle.log"
    with Memory(path) as memory:
        memory.store("A", 1)
        memory.store_many({"B": 0.1, "C": "text ü\n", "A": -5})
        memory.remove(["B", "unknown"])
        memory.store("D", float("nan"))
    with Memory(path) as memory:
        assert {k: v for k, v in memory.values.items() if k != "D"} == {"A": -5, "C": "text ü\n"}
        assert memory.values["D"] != memory.values["D"]
        memory.wipe()
        memory.store("E", 2)
    with Memory(path) as memory:
        assert memory.values == {"E": 2}


def test_floats_keep_all_their_bits(tmp_path: Path) -> None:
    values = {"a": 0.1, "b": 1e-45, "c": -0.0, "d": 3.4028234663852886e38, "e": 0.10000000149011612}
    with Memory(tmp_path / "m.log") as memory:
        memory.store_many(values)
    with Memory(tmp_path / "m.log") as memory:
        assert {k: v.hex() for k, v in memory.values.items() if isinstance(v, float)} == {
            k: v.hex() for k, v in values.items()
        }


def test_a_log_cut_at_any_byte_gives_the_writes_before_the_cut(tmp_path: Path) -> None:
    path = tmp_path / "m.log"
    states: list[tuple[int, dict[str, object]]] = [(0, {})]
    with Memory(path) as memory:
        for number in range(12):
            memory.store(f"N{number % 4}", number)
            states.append((path.stat().st_size, dict(memory.values)))
    whole = path.read_bytes()
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        with Memory(path) as memory:
            assert memory.values == [state for size, state in states if size <= cut][-1]
            memory.store("after", cut)
        with Memory(path) as memory:
            assert memory.values["after"] == cut


def test_a_damaged_line_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "m.log"
    with Memory(path) as memory:
        for number in range(3):
            memory.store(f"N{number}", number)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"x" + lines[1][1:] + b"\xff\x00rubbish\n" + lines[2])
    with Memory(path) as memory:
        assert memory.values == {"N0": 0, "N2": 2}


def test_a_long_log_is_compacted_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "m.log"
    with Memory(path) as memory:
        for number in range(1000):
            memory.store("A", number)
    grown = path.stat().st_size
    with Memory(path) as memory:
        assert memory.values == {"A": 999}
    assert path.stat().st_size < grown / 100
    with Memory(path) as memory:
        assert memory.values == {"A": 999}


def test_storing_what_is_there_already_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "m.log"
    with Memory(path) as memory:
        memory.store("A", 1)
        size = path.stat().st_size
        memory.store("A", 1)
        assert path.stat().st_size == size
        memory.store("A", 1.0)
        assert path.stat().st_size > size


def test_a_killed_process_loses_nothing_that_it_had_stored(tmp_path: Path) -> None:
    path = tmp_path / "m.log"
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom dronekit_cfg.sim.memory import Memory\n"
        "memory = Memory(Path(sys.argv[1]))\n"
        "for n in range(50): memory.store(f'N{n}', n)\n"
        "os._exit(9)\n"
    )
    assert subprocess.run([sys.executable, "-c", script, str(path)], check=False).returncode == 9
    with Memory(path) as memory:
        assert memory.values == {f"N{n}": n for n in range(50)}


def test_a_memory_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StateError) as caught:
        Memory(tmp_path / "file" / "vehicle.log")
    assert caught.value.hint


def test_random_histories_survive_reopening(tmp_path: Path) -> None:
    path = tmp_path / "m.log"
    chance = random.Random(4)
    model: dict[str, object] = {}
    memory = Memory(path)
    for _ in range(2000):
        name = f"N{chance.randrange(30)}"
        match chance.randrange(20):
            case 0:
                memory.close()
                memory = Memory(path)
            case 1:
                memory.remove([name])
                model.pop(name, None)
            case 2 if chance.random() < 0.1:
                memory.wipe()
                model.clear()
            case _:
                model[name] = value = chance.choice([chance.randrange(99), chance.random()])
                memory.store(name, value)
        assert memory.values == model
    memory.close()


# --- the vehicle's own memory


def test_a_vehicle_remembers_between_commands(rig: Any, tmp_path: Path) -> None:
    rig(tmp_path).set("RC1_MIN", 1234)
    assert rig(tmp_path).get("RC1_MIN") == 1234
    assert rig(None).get("RC1_MIN") == 1000


def test_a_fresh_vehicle_has_forgotten_everything_for_good(rig: Any, tmp_path: Path) -> None:
    rig(tmp_path).set("RC1_MIN", 1234)
    assert rig(tmp_path, fresh="").get("RC1_MIN") == 1000
    assert rig(tmp_path).get("RC1_MIN") == 1000


def test_vehicles_with_other_ids_or_firmware_have_their_own_memory(rig: Any, tmp_path: Path) -> None:
    rig(tmp_path).set("RC1_MIN", 1234)
    assert rig(tmp_path, id="2").get("RC1_MIN") == 1000
    assert rig(tmp_path, version="4.5").get("RC1_MIN") == 1000
    rig(tmp_path, id="2").set("RC1_MIN", 1300)
    assert (rig(tmp_path).get("RC1_MIN"), rig(tmp_path, id="2").get("RC1_MIN")) == (1234, 1300)


def test_a_group_that_was_turned_on_is_there_the_next_time(rig: Any, tmp_path: Path) -> None:
    bench = rig(tmp_path)
    bench.set("BATT2_MONITOR", 4)
    bench.set("BATT2_LOW_VOLT", 14.0)
    listed = rig(tmp_path).listed()
    assert listed["BATT2_LOW_VOLT"][1] == 14.0
    assert "BATT2_VOLT_PIN" in listed


def test_two_openings_without_a_reboot_show_the_same_values(rig: Any, tmp_path: Path) -> None:
    assert rig(tmp_path).listed() == rig(tmp_path).listed()


def test_a_reboot_changes_counters_and_calibration_and_nothing_else(rig: Any, tmp_path: Path) -> None:
    bench = rig(tmp_path)
    before = bench.listed()
    heard = bench.reboot()
    after = bench.listed()
    assert before.keys() == after.keys()
    changed = {name for name in before if before[name] != after[name]}
    assert "STAT_BOOTCNT" in changed
    assert after["STAT_BOOTCNT"][1] == before["STAT_BOOTCNT"][1] + 1
    assert {n for n in changed if not n.startswith(("STAT_", "INS_GYR", "BARO"))} == set()
    echoed = {m.param_id for m in heard if m.get_type() == "PARAM_VALUE"}
    assert echoed == changed - {"STAT_BOOTCNT"}
    assert rig(tmp_path).listed() == after


def test_a_foreign_format_version_erases_everything_at_the_next_boot(rig: Any, tmp_path: Path) -> None:
    bench = rig(tmp_path)
    bench.set("RC1_MIN", 1234)
    bench.set("FORMAT_VERSION", 0)
    assert bench.get("RC1_MIN") == 1234
    bench.reboot()
    assert (bench.get("RC1_MIN"), bench.get("FORMAT_VERSION")) == (1000, 120)


def test_the_time_that_a_vehicle_was_on_is_counted_and_told(rig: Any) -> None:
    """Measured: an unasked PARAM_VALUE of STAT_RUNTIME every 30 s."""
    bench = rig()
    bench.send(bench.pack.heartbeat_encode(6, 8, 0, 0, 4))
    told = [m for _, m in bench.wait(61.0) if m.get_type() == "PARAM_VALUE"]
    assert [(m.param_id, m.param_value) for m in told] == [("STAT_RUNTIME", 30), ("STAT_RUNTIME", 60)]


@pytest.mark.parametrize(
    "options",
    [
        {"version": "3.6"},
        {"id": "../../etc"},
        {"id": ""},
        {"fresh": "perhaps"},
        {"seed": "x"},
        {"streams": "900"},
        {"boot": "hot"},
        {"colour": "red"},
        {"fault": "nonsense"},
    ],
)
def test_an_option_that_makes_no_sense_is_refused_with_a_remedy(options: dict[str, str]) -> None:
    with pytest.raises(UsageError) as caught:
        make_simulated("ardupilot-copter", options, state_dir=None)
    assert caught.value.hint


def test_another_target_is_refused() -> None:
    with pytest.raises(UsageError):
        make_simulated("ardupilot-plane", {}, state_dir=None)
