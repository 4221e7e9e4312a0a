"""Serial ports by role: the module says what it needs, the aircraft says where it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from dronekit_cfg.errors import FileProblems, UsageError
from dronekit_cfg.formats.compose import declared_inputs, resolve
from dronekit_cfg.formats.library import Library
from dronekit_cfg.formats.lock import load_lock, lock_text
from dronekit_cfg.formats.stack import load_stack
from dronekit_cfg.model import Resolved, Scalar

Profile = Callable[..., Path]
RC = "serial(rc).PROTOCOL: {value: 23, because: receiver}\nserial(rc).OPTIONS: 0"


@pytest.fixture
def roles(library: Library, profile: Profile) -> Library:
    profile("ardupilot/overlays/rc", RC)
    profile("ardupilot/overlays/gps", "serial(gps).PROTOCOL: 5\nGPS2_TYPE: 0")
    profile("ardupilot/overlays/only-rc", RC)
    return library


def values(resolved: Resolved) -> dict[str, Scalar]:
    return {w.name: w.value for w in resolved.settings}


def made(stack: str, library: Library, **inputs: str) -> Resolved:
    return resolve(stack, library, inputs={"cells": "6", **inputs})


def told(stack: str, library: Library, **inputs: str) -> list[str]:
    with pytest.raises(FileProblems) as caught:
        made(stack, library, **inputs)
    assert all(p.hint for p in caught.value.problems)
    return [str(p) for p in caught.value.problems]


def test_a_role_becomes_the_port_that_the_aircraft_has_it_on(roles: Library) -> None:
    found = values(made("heavy-lift+rc+gps", roles, port_rc="2", port_gps="3"))
    assert (found["SERIAL2_PROTOCOL"], found["SERIAL2_OPTIONS"], found["SERIAL3_PROTOCOL"]) == (23, 0, 5)
    assert not [n for n in found if "(" in n]


def test_a_role_without_a_port_sets_nothing_and_says_so(roles: Library) -> None:
    found = made("heavy-lift+rc+gps", roles, port_gps="3")
    assert [n for n in values(found) if n.startswith("SERIAL")] == ["SERIAL3_PROTOCOL"]
    (note,) = found.notes
    assert "the rc" in note
    assert "--input port_rc=N" in note
    assert load_lock(lock_text(found), "x.lock.json").notes == found.notes


def test_two_roles_that_want_one_port_are_refused_with_the_place(roles: Library) -> None:
    (problem,) = told("heavy-lift+rc+gps", roles, port_rc="3", port_gps="3")
    assert "gps.yaml:6:3" in problem or "rc.yaml:6:3" in problem
    assert "port 3 is given to the rc and to the gps" in problem


@pytest.mark.parametrize("port", ["0", "10", "-1", "two"])
def test_a_port_that_cannot_be_is_refused(roles: Library, port: str) -> None:
    assert "input port_rc" in told("heavy-lift+rc", roles, port_rc=port)[0]


def test_a_port_that_another_layer_sets_differently_is_refused(roles: Library, profile: Profile) -> None:
    profile("ardupilot/overlays/own", "SERIAL2_PROTOCOL: 5")
    (problem,) = told("heavy-lift+rc+own", roles, port_rc="2")
    assert "SERIAL2_PROTOCOL is 23 for its role and 5" in problem
    assert values(made("heavy-lift+rc+own", roles, port_rc="4"))["SERIAL2_PROTOCOL"] == 5


def test_a_port_that_an_exchanged_module_left_is_cleared(roles: Library) -> None:
    found = values(made("heavy-lift+rc", roles, port_rc="2", ports_unused="4, 5"))
    assert (found["SERIAL4_PROTOCOL"], found["SERIAL5_PROTOCOL"]) == (-1, -1)
    (problem,) = told("heavy-lift+rc", roles, port_rc="2", ports_unused="2")
    assert "also named as unused" in problem
    assert "is no list of ports" in told("heavy-lift+rc", roles, port_rc="2", ports_unused="0,x")[0]


def test_a_file_of_one_aircraft_can_name_its_ports(roles: Library, profile: Profile) -> None:
    unit = profile("units/00ff", "FS_THR_VALUE: 960", "ports: {rc: 6}\n")
    assert values(resolve("heavy-lift+rc", roles, inputs={"cells": "6"}, unit=unit))["SERIAL6_PROTOCOL"] == 23


def test_a_port_for_a_role_that_nobody_has_is_refused(roles: Library) -> None:
    assert 'there is no input "port_gimbal"' in told("heavy-lift+rc", roles, port_gimbal="2")[0]
    assert 'there is no input "ports_unused"' in told("heavy-lift", roles, ports_unused="2")[0]


def test_roles_are_inputs_that_can_be_asked_for(roles: Library) -> None:
    stack = load_stack(("heavy-lift", "rc"), roles, family=None, unit=None)
    specs = {s.name: s for s in declared_inputs(stack)}
    assert (specs["port_rc"].minimum, specs["port_rc"].maximum, specs["port_rc"].default) == (1, 9, None)


def test_two_overlays_with_one_role_must_agree(roles: Library, profile: Profile) -> None:
    profile("ardupilot/overlays/other", "serial(rc).PROTOCOL: 5")
    assert "serial(rc).PROTOCOL is 5" in told("heavy-lift+rc+other", roles, port_rc="2")[0]
    assert values(made("heavy-lift+rc+only-rc", roles, port_rc="2"))["SERIAL2_PROTOCOL"] == 23


def test_a_profile_of_roles_alone_sets_nothing_without_ports(roles: Library) -> None:
    with pytest.raises(UsageError, match="sets nothing") as caught:
        resolve("only-rc", roles)
    assert "port_rc" in caught.value.hint
    assert values(resolve("only-rc", roles, inputs={"port_rc": "1"})) == {"SERIAL1_PROTOCOL": 23, "SERIAL1_OPTIONS": 0}


def test_a_family_without_known_ports_refuses_roles(library: Library, profile: Profile) -> None:
    profile("betaflight/airframes/five", "serial(rc).PROTOCOL: 64", family="betaflight")
    with pytest.raises(FileProblems, match="betaflight has no serial roles"):
        resolve("five", library)


INPUT = "input_values: {{kind: {kind}}}\n"


@pytest.mark.parametrize("given", [{}, {"kind": "b"}])
def test_two_overlays_that_answer_an_input_differently_cannot_both_be_fitted(
    library: Library, profile: Profile, given: Mapping[str, str]
) -> None:
    profile("ardupilot/airframes/any", "A: {expr: 1 if kind == 'a' else 2}", "inputs: {kind: {type: string}}\n")
    profile("ardupilot/overlays/one", "B: 1", INPUT.format(kind="a"))
    profile("ardupilot/overlays/two", "C: 1", INPUT.format(kind="b"))
    if given:
        assert values(resolve("any+one+two", library, inputs=given))["A"] == 2
    else:
        with pytest.raises(FileProblems, match='the input kind is b in "two" and a in "one"'):
            resolve("any+one+two", library)
