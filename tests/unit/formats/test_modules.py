"""One stack word for a whole aircraft: which words are modules, where their links come from, and what is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from dronekit_cfg.errors import FileProblems, UsageError
from dronekit_cfg.formats.library import Library
from dronekit_cfg.formats.modules import AircraftStack, Module, aircraft_stack, for_generation, own_inputs

SHIPPED = Library()
STACK = "heavy-lift+gnss-dual-ublox+sik-resilient"
RADIO = {"radio": "sim:sik-pair"}


def taken_apart(stack: str = STACK, *, links: dict[str, str] | None = None, unit: Path | None = None) -> AircraftStack:
    return aircraft_stack(stack, SHIPPED, family="ardupilot", links=links, unit=unit)


def unit_file(path: Path, text: str) -> Path:
    head = "format: dronekit-cfg/profile/v1\nname: unit\nversion: 1.0.0\nfamily: ardupilot\n"
    path.write_text(head + text, encoding="utf-8")
    return path


def test_a_word_that_only_modules_have_becomes_a_module_with_the_base_that_it_requires() -> None:
    found = taken_apart(links=RADIO)
    assert found.main == "heavy-lift+gnss-dual-ublox"
    assert found.modules == (Module("radio", "sik", "base/sik+sik-resilient", "sim:sik-pair"),)


def test_a_module_that_a_profile_declares_optional_is_left_alone_without_a_link_and_said() -> None:
    assert [n.partition(":")[0] for n in taken_apart(links=RADIO).notes] == [
        "the module gnss (ublox) is left alone",
        "the module gnss2 (ublox) is left alone",
    ]
    found = taken_apart(links={**RADIO, "gnss": "via:ardupilot:gps1"})
    assert Module("gnss", "ublox", "base/ublox", "via:ardupilot:gps1") in found.modules
    assert len(found.notes) == 1


def test_a_named_module_without_a_link_is_refused_with_the_option_that_gives_it() -> None:
    with pytest.raises(FileProblems, match="nobody said where the module radio is") as caught:
        taken_apart()
    assert "--module-link radio=" in caught.value.problems[0].hint
    assert taken_apart(links={"radio": "none"}).modules == ()


def test_the_words_of_a_family_go_to_every_module_of_it_or_to_the_one_they_name() -> None:
    links = {"gnss": "sim:ublox-m10", "gnss2": "sim:ublox-f9"}
    stack = "heavy-lift+gnss-dual-ublox+gnss-ublox-resilient"
    assert {m.role: m.stack for m in taken_apart(stack, links=links).modules} == dict.fromkeys(
        links, "base/ublox+gnss-ublox-resilient"
    )
    one = "heavy-lift+gnss-dual-ublox+gnss2:gnss-ublox-resilient"
    assert {m.role: m.stack for m in taken_apart(one, links=links).modules} == {
        "gnss": "base/ublox",
        "gnss2": "base/ublox+gnss-ublox-resilient",
    }


def test_a_unit_file_may_give_the_link_and_the_command_line_wins(tmp_path: Path) -> None:
    unit = unit_file(tmp_path / "u.yaml", "modules:\n  radio: {link: 'serial:/dev/ttyUSB7@57600'}\n")
    assert taken_apart(unit=unit).modules[-1].link == "serial:/dev/ttyUSB7@57600"
    assert taken_apart(unit=unit, links=RADIO).modules[-1].link == "sim:sik-pair"


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ("{link: 'sim:sik-pair', profile: sik-resilient}", "the module mast has no family"),
        ("{link: 'sim:sik-pair', family: sik}", "the module mast has no profile"),
    ],
)
def test_a_module_that_is_not_all_said_is_refused_at_its_line(tmp_path: Path, declared: str, message: str) -> None:
    unit = unit_file(tmp_path / "u.yaml", f"modules:\n  mast: {declared}\n")
    with pytest.raises(FileProblems, match=message) as caught:
        taken_apart("heavy-lift", unit=unit)
    assert caught.value.problems[0].line == 6


def test_a_link_for_a_module_that_there_is_not_is_refused() -> None:
    with pytest.raises(UsageError, match="--module-link radoi: there is no such module") as caught:
        taken_apart(links={"radoi": "sim:sik-pair"})
    assert "radio" in caught.value.hint


def test_a_role_for_what_is_no_module_and_a_family_in_another_ones_place_are_refused() -> None:
    with pytest.raises(UsageError, match=r"\"heavy-lift\+radio:gnss-resilient\":1:12: .*is no profile of a module"):
        taken_apart("heavy-lift+radio:gnss-resilient")
    with pytest.raises(UsageError, match='radio is a sik module, and "elrs-resilient" is for elrs'):
        taken_apart("heavy-lift+sik-resilient+radio:elrs-resilient", links=RADIO)


def test_a_stack_of_one_device_stays_as_it_is() -> None:
    for stack in ("heavy-lift+gnss-resilient", "base/sik+sik-resilient", "locks/fleet.json"):
        assert taken_apart(stack).main == stack
        assert not taken_apart(stack).modules


def test_the_overlay_for_the_generation_at_hand_is_taken_where_there_is_one() -> None:
    assert for_generation("base/ublox+gnss-ublox-resilient", SHIPPED, family="ublox", vehicle="m10") == (
        "base/ublox+gnss-ublox-resilient-m10"
    )
    assert for_generation("base/sik+sik-resilient", SHIPPED, family="sik", vehicle="radio") == "base/sik+sik-resilient"
    assert for_generation("heavy-lift", SHIPPED, family="ardupilot", vehicle="copter") == "heavy-lift"


def test_inputs_go_to_the_devices_that_declare_them_and_may_be_given_for_one_alone() -> None:
    stacks: dict[str, tuple[str, str | None]] = {
        "vehicle": ("heavy-lift", "ardupilot"),
        "radio": ("base/sik", "sik"),
    }
    given = {"cells": "6", "netid": "112", "radio.txpower": "11", "nonsense": "1"}
    assert own_inputs(stacks, SHIPPED, given) == {
        "vehicle": {"cells": "6", "nonsense": "1"},
        "radio": {"netid": "112", "txpower": "11"},
    }
    assert own_inputs(stacks, SHIPPED, {"netid": "1", "radio.netid": "2"})["radio"] == {"netid": "2"}
