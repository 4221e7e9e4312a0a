"""A save that power is lost in leaves a text CLI vehicle with its defaults: never done, and all of it brought back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from dronekit_cfg.engine.connection import Connection, LinkOptions, connect
from dronekit_cfg.engine.recover import recover
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import apply
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model import Origin, Result, Scalar, Wanted
from dronekit_cfg.planner.plan import Goal

DEFAULT = {"betaflight": 0, "inav": 5}
"""Of `deadband`, as the recorded firmwares have it."""

CUSTOM = {"small_angle": 77, "failsafe_recovery_delay": 17, "failsafe_throttle": 1234}
TWINS: dict[str, dict[str, Scalar]] = {"betaflight": {"deadband": 9}, "inav": {"deadband": 9}}


def goal(settings: Mapping[str, Scalar]) -> Goal:
    return Goal("own", "sha256:0", tuple(Wanted(n, v, Origin("test")) for n, v in settings.items()))


@contextmanager
def at(root: Path, family: str, fault: str = "") -> Iterator[Connection]:
    url = f"sim:{family}" + (f"?fault={fault}" if fault else "")
    with connect(LinkOptions(url, family=family, state_dir=root), clock=VirtualClock()) as found:
        yield found


@pytest.mark.parametrize("family", TWINS)
@pytest.mark.parametrize("back", [False, True])
def test_a_save_that_is_cut_off_is_never_done_although_the_defaults_are_as_wanted(
    tmp_path: Path, family: str, back: bool
) -> None:
    """Power lost amid a save: the vehicle starts with its defaults, and all that nobody wrote is lost."""
    custom = {n: v for n, v in CUSTOM.items() if family == "betaflight" or n != "failsafe_throttle"} | {
        "yaw_deadband": 7
    }
    with at(tmp_path, family) as connection:
        assert apply(connection, goal(custom | TWINS[family]), StateDir(tmp_path)).result is Result.DONE
    wish = {"deadband": DEFAULT[family] if back else 11}
    with at(tmp_path, family, "save-torn") as connection:
        receipt = apply(connection, goal(wish), StateDir(tmp_path))
    assert receipt.result is Result.ROLLED_BACK, receipt.problems
    with at(tmp_path, family) as connection:
        found = connection.values([*custom, "deadband"])
    assert {n: str(v) for n, v in found.items()} == {n: str(v) for n, v in (custom | TWINS[family]).items()}


def test_recover_does_not_take_the_defaults_of_a_cut_off_save_for_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    with at(tmp_path, "betaflight") as connection:
        apply(connection, goal(CUSTOM | {"deadband": 9}), StateDir(tmp_path))
    with monkeypatch.context() as patch, at(tmp_path, "betaflight", "save-torn") as connection:
        patch.setattr("dronekit_cfg.engine.settle._recover_link", killed)
        with pytest.raises(Killed):
            apply(connection, goal({"deadband": 0}), StateDir(tmp_path))
    with at(tmp_path, "betaflight") as connection:
        receipt = recover(connection, StateDir(tmp_path))
        assert receipt is not None
        assert receipt.result is Result.ROLLED_BACK
        found = connection.values([*CUSTOM, "deadband"])
    assert {n: str(v) for n, v in found.items()} == {n: str(v) for n, v in (CUSTOM | {"deadband": 9}).items()}
