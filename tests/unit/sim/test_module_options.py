"""Options and faults of simulated modules: what cannot be used is refused, with what may be typed."""

from __future__ import annotations

from pathlib import Path

import pytest

from dronekit_cfg.errors import UsageError
from dronekit_cfg.sim.module_options import FAULTS, ModuleFaults, parse_module_faults, read_options


def test_several_faults_and_their_arguments_are_read() -> None:
    found = parse_module_faults("deny:remote.NETID,deny=CFG-A, clamp:remote.NETID:50,clamp:Channel:2,lost:0.1,weak")
    assert found == ModuleFaults(
        deny=frozenset({"remote.NETID", "CFG-A"}), clamp={"remote.NETID": 50, "Channel": 2}, lost=0.1, weak=True
    )


def test_an_unknown_fault_is_refused_with_the_list_of_all() -> None:
    with pytest.raises(UsageError) as caught:
        parse_module_faults("sneezes")
    assert all(name in str(caught.value) for name in FAULTS)


@pytest.mark.parametrize(
    "text", ["clamp:A", "clamp:A:0.5", "clamp::5", "deny", "lost:0", "lost:1.5", "lost:nan", "torn:0", "torn", "weak:1"]
)
def test_an_argument_that_cannot_be_used_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_module_faults(text)
    assert caught.value.hint


@pytest.mark.parametrize(
    "options",
    [{"nope": "1"}, {"id": "../x"}, {"id": ""}, {"seed": "x"}, {"baud": "0"}, {"baud": "fast"}, {"host": "-1"},
     {"fresh": "perhaps"}],
)  # fmt: skip
def test_an_option_that_cannot_be_used_is_refused(options: dict[str, str]) -> None:
    with pytest.raises(UsageError) as caught:
        read_options("sik-pair", options, None, baud=57600)
    assert caught.value.hint


def test_the_memory_of_a_module_is_a_file_of_its_own(tmp_path: Path) -> None:
    setup = read_options("sik-pair", {"id": "b-2", "baud": "9600"}, tmp_path, baud=57600)
    setup.memory.store("NETID", 7)
    assert (setup.identifier, setup.baud, setup.host_baud) == ("b-2", 9600, 0)
    assert [path.name for path in tmp_path.iterdir()] == ["sik-pair-b-2.log"]
