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
    profile("elrs/airframes/five", "serial(rc).PROTOCOL: 64", family="elrs")
    with pytest.raises(FileProblems, match="elrs has no serial roles"):
        resolve("five", library)


# What the real firmware prints in its dump for such a port (golden data of 4.6.0 and INAV 9.0.0: the columns), the
# function bits of their serial.h, and the numbers of PX4's generate_config.py.
@pytest.mark.parametrize(
    ("family", "setting", "port", "expected"),
    [
        (
            "betaflight",
            "serial(a).FUNCTION: GPS",
            "3",
            {"serial.UART3": "2 115200 57600 0 115200", "gps_uart": "UART3"},
        ),
        (
            "betaflight",
            "serial(a).FUNCTION: RX",
            "1",
            {"serial.UART1": "64 115200 57600 0 115200", "rx_uart": "UART1"},
        ),
        (
            "betaflight",
            "serial(a).FUNCTION: MAVLINK\nserial(a).BAUD: 57600",
            "2",
            {"serial.UART2": "512 115200 57600 57600 115200"},
        ),
        ("inav", "serial(a).FUNCTION: RX", "2", {"serial.1": "64 115200 115200 0 115200"}),
        (
            "inav",
            "serial(a).FUNCTION: MAVLINK\nserial(a).BAUD: 57600",
            "4",
            {"serial.3": "256 115200 115200 57600 115200"},
        ),
        ("px4", "serial(a).FUNCTION: GPS", "gps1", {"GPS_1_CONFIG": 201}),
        ("px4", "serial(a).FUNCTION: CRSF", "telem3", {"RC_CRSF_PRT_CFG": 103}),
        (
            "px4",
            "serial(a).FUNCTION: MAVLINK\nserial(a).BAUD: 57600",
            "telem1",
            {"MAV_0_CONFIG": 101, "SER_TEL1_BAUD": 57600},
        ),
    ],
)
def test_each_family_has_its_own_way_to_give_a_port_its_function(
    library: Library, profile: Profile, family: str, setting: str, port: str, expected: Mapping[str, Scalar]
) -> None:
    profile(f"{family}/airframes/one", setting, family=family)
    assert values(resolve("one", library, inputs={"port_a": port})) == expected


@pytest.mark.parametrize(
    ("family", "setting", "words"),
    [
        ("betaflight", "serial(rc).PROTOCOL: 64", "a port has no PROTOCOL"),
        ("inav", "serial(rc).FUNCTION: CRSF", "CRSF is no function of a port"),
        ("px4", "serial(rc).FUNCTION: 300", "300 is no function of a port"),
        ("px4", "serial(rc).BAUD: fast", "fast"),
        ("betaflight", "serial(rc).BAUD: fast", "fast is no baud rate"),
    ],
)
def test_what_is_no_function_of_a_port_is_refused(
    library: Library, profile: Profile, family: str, setting: str, words: str
) -> None:
    profile(f"{family}/airframes/one", setting, family=family)
    with pytest.raises(FileProblems, match=words):
        resolve("one", library, inputs={"port_rc": "2"})


@pytest.mark.parametrize(("family", "port"), [("betaflight", "2"), ("inav", "2"), ("px4", "telem2")])
def test_two_roles_on_one_port_are_refused_in_every_family(
    library: Library, profile: Profile, family: str, port: str
) -> None:
    receiver = "CRSF" if family == "px4" else "RX"
    profile(f"{family}/airframes/one", "serial(gps).FUNCTION: GPS", family=family)
    profile(f"{family}/overlays/rc", f"serial(rc).FUNCTION: {receiver}", family=family)
    with pytest.raises(FileProblems, match=f"port {port} is given to the gps and to the rc"):
        resolve("one+rc", library, inputs={"port_gps": port, "port_rc": port})


def test_a_port_that_has_no_such_name_is_refused(library: Library, profile: Profile) -> None:
    profile("px4/airframes/one", "serial(gps).FUNCTION: GPS", family="px4")
    with pytest.raises(FileProblems, match="3 is not one of telem1, telem2") as caught:
        resolve("one", library, inputs={"port_gps": "3"})
    assert "--input port_gps" in caught.value.hint


def test_the_port_of_a_module_that_is_gone_is_cleared_and_gives_way(roles: Library, profile: Profile) -> None:
    profile("ardupilot/overlays/one", "serial(gps).PROTOCOL: 5\nserial(gps2).PROTOCOL: {value: -1, optional: true}")
    stack = "heavy-lift+one+rc"
    gone = made(stack, roles, port_gps="3", port_gps2="4", port_rc="2")
    assert (values(gone)["SERIAL4_PROTOCOL"], gone.notes) == (-1, ())
    used = values(made(stack, roles, port_gps="3", port_gps2="4", port_rc="4"))
    assert used["SERIAL4_PROTOCOL"] == 23
    without = made(stack, roles, port_gps="3", port_rc="2")
    assert ("SERIAL4_PROTOCOL" in values(without), without.notes) == (False, ())


INPUT = "input_values: {{kind: {kind}}}\n"


@pytest.mark.parametrize("given", [{}, {"kind": "b"}])
def test_two_overlays_that_answer_an_input_differently_cannot_both_be_fitted(
    library: Library, profile: Profile, given: Mapping[str, str]
) -> None:
    profile("ardupilot/airframes/any", "A: {expr: 1 if kind == 'a' else 2}", "inputs: {kind: {type: string}}\n")
    profile("ardupilot/overlays/one", "B: 1", INPUT.format(kind="a"))
    profile("ardupilot/overlays/two", "C: 1", INPUT.format(kind="b"))
    with pytest.raises(FileProblems, match='the input kind is b in "two" and a in "one"'):
        resolve("any+one+two", library, inputs=given)


def test_an_input_that_contradicts_the_module_that_is_fitted_is_refused_with_the_place(
    library: Library, profile: Profile
) -> None:
    profile("ardupilot/airframes/any", "A: {expr: 1 if kind == 'a' else 2}", "inputs: {kind: {type: string}}\n")
    profile("ardupilot/overlays/one", "B: 1", INPUT.format(kind="a"))
    assert values(resolve("any+one", library, inputs={"kind": "a"}))["A"] == 1
    with pytest.raises(FileProblems, match=r"one\.yaml:5:16: the input kind is a in \"one\", and b was given"):
        resolve("any+one", library, inputs={"kind": "b"})
