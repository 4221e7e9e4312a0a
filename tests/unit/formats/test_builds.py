"""Build files: a chosen stack with its lock stays what it was, or says what changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dronekit_cfg.errors import FileProblems, UsageError
from dronekit_cfg.formats.builds import check_build, compose_build, is_build, parse_build, resolve_build
from dronekit_cfg.formats.compose import resolve
from dronekit_cfg.formats.library import Library
from dronekit_cfg.model import Scalar

Profile = Callable[..., Path]
Write = Callable[[str, str], Path]
STACK = "heavy-lift+gnss-dual+rc"


@pytest.fixture
def stocked(library: Library, profile: Profile) -> Library:
    profile("ardupilot/overlays/rc", "serial(rc).PROTOCOL: 23")
    return library


@pytest.fixture
def build(stocked: Library, write: Write) -> Path:
    text, _ = compose_build(
        "alpha", STACK, stocked, inputs={"cells": "6", "port_rc": "2"}, requires={"imu": ">=2", "compass": "external"}
    )
    return write("builds/alpha.yaml", text)


def test_a_build_resolves_to_exactly_what_its_stack_did(stocked: Library, build: Path) -> None:
    asked = resolve(STACK, stocked, inputs={"cells": "6", "port_rc": "2"})
    found = resolve(str(build), stocked)
    assert found.digest == asked.digest
    assert (found.inputs, found.name) == (asked.inputs, asked.name)


def test_a_build_is_a_text_that_a_person_can_read(build: Path) -> None:
    text = build.read_text("utf-8")
    assert is_build(text)
    assert "stack: heavy-lift+gnss-dual+rc" in text
    parsed = parse_build(text, str(build))
    assert (parsed.inputs, parsed.ports) == ({"cells": 6}, {"rc": 2})
    assert parsed.requires == {"imu": ">=2", "compass": "external"}
    assert parsed.locked["SERIAL2_PROTOCOL"] == 23
    assert list(parsed.layers) == ["base/ardupilot-copter 1.0.0", "heavy-lift 1.2.0", "gnss-dual 1.0.0", "rc 1.0.0"]


def test_the_same_choice_gives_the_same_bytes(stocked: Library, build: Path) -> None:
    again, _ = compose_build(
        "alpha", STACK, stocked, inputs={"port_rc": "2", "cells": "6"}, requires={"imu": ">=2", "compass": "external"}
    )
    assert again == build.read_text("utf-8")


def test_a_library_that_would_change_the_result_is_noticed_and_shown(
    stocked: Library, build: Path, profile: Profile
) -> None:
    profile("ardupilot/overlays/gnss-dual", "GPS1_TYPE: 9\nGPS2_TYPE: 10\nGPS_PRIMARY: 0")
    shown = {d.what: (d.locked, d.now) for d in check_build(parse_build(build.read_text("utf-8"), str(build)), stocked)}
    assert shown == {"GPS2_TYPE": ("9", "10"), "GPS_PRIMARY": ("", "0")}
    with pytest.raises(FileProblems, match="GPS2_TYPE: 9 -> 10") as caught:
        resolve(str(build), stocked)
    assert "compose the build again" in caught.value.problems[0].hint


def test_a_library_that_only_says_more_changes_nothing(stocked: Library, build: Path, profile: Profile) -> None:
    profile("ardupilot/overlays/gnss-dual", "GPS1_TYPE: {value: 9, because: said in other words}\nGPS2_TYPE: 9")
    assert check_build(parse_build(build.read_text("utf-8"), str(build)), stocked) == ()


def test_a_locked_value_changed_by_hand_is_noticed(stocked: Library, build: Path) -> None:
    text = build.read_text("utf-8").replace("GPS2_TYPE: 9", "GPS2_TYPE: 8")
    with pytest.raises(FileProblems, match="GPS2_TYPE: 8 -> 9") as caught:
        resolve_build(parse_build(text, str(build)), stocked)
    line = text.splitlines().index("    GPS2_TYPE: 8") + 1
    assert (caught.value.problems[0].line, caught.value.problems[0].column) == (line, 5)


def test_a_build_takes_no_further_inputs(stocked: Library, build: Path) -> None:
    with pytest.raises(UsageError, match="holds its inputs"):
        resolve(str(build), stocked, inputs={"cells": "12"})


def test_mistakes_in_a_build_have_their_place(write: Write) -> None:
    file = write(
        "builds/bad.yaml", "format: dronekit-cfg/build/v1\nname: bad one\nstack: x\nfamily: ardupilot\nlok: 1\n"
    )
    with pytest.raises(FileProblems) as caught:
        parse_build(file.read_text("utf-8"), str(file))
    said = [str(p) for p in caught.value.problems]
    assert any("bad.yaml:2:7" in p for p in said)
    assert any("bad.yaml:5:1" in p and "lok" in p for p in said)


def values(stack: str, inputs: dict[str, str]) -> dict[str, Scalar]:
    return {w.name: w.value for w in resolve(stack, Library(), family="ardupilot", inputs=inputs).settings}


def test_swapping_the_shipped_gnss_modules_changes_only_what_belongs_to_them() -> None:
    ports = {"cells": "6", "port_gps": "3"}
    dual = values("fpv-7in+gnss-dual-ublox+rc-elrs", {**ports, "port_gps2": "4", "port_rc": "2"})
    single = values("fpv-7in+gnss-single-ublox+rc-elrs", {**ports, "port_rc": "2", "ports_unused": "4"})
    # What a vehicle with the old module gets written when the new one is applied:
    assert {n: v for n, v in single.items() if dual.get(n) != v} == {
        "GPS2_TYPE": 0,
        "EK3_AFFINITY": 0,
        "SERIAL4_PROTOCOL": -1,
    }
    # Only a setting that is hidden without a second receiver stays:
    assert set(dual) - set(single) == {"GPS2_GNSS_MODE"}


def test_swapping_the_shipped_receivers_changes_only_the_radio() -> None:
    elrs, sbus = (values(f"fpv-7in+{m}", {"cells": "6", "port_rc": "2"}) for m in ("rc-elrs", "rc-sbus"))
    assert {n for n in sbus if elrs.get(n) != sbus[n]} == {"RC_OPTIONS", "RC_PROTOCOLS"}
    assert set(elrs) == set(sbus)


def test_a_vehicle_that_loses_its_compass_gets_every_setting_of_it_back() -> None:
    with_compass, without = (values(f"fpv-7in+{m}", {"cells": "6"}) for m in ("compass-external", "compassless"))
    assert set(with_compass) == set(without)
