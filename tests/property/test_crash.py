"""Killed at any moment, over any link, nothing is lost: exactly the old or exactly the new state."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from fault_world import FIRST

from dronekit_cfg.engine.connection import Connection, LinkOptions, connect
from dronekit_cfg.engine.recover import recover
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import apply
from dronekit_cfg.errors import DronekitError
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model import Origin, Result, Scalar, Snapshot, Value, Wanted
from dronekit_cfg.planner.plan import Goal

PX4: dict[str, Scalar] = {
    "COM_RC_LOSS_T": 1.5,
    "NAV_DLL_ACT": 2,
    "MPC_XY_VEL_MAX": 11.3,
    "EKF2_NOAID_TOUT": 4000000,
    "GF_MAX_HOR_DIST": 450,
    "COM_DL_LOSS_T": 15,
    "TRIG_MODE": 1,
    "TRIG_INTERVAL": 50,
}
TEXT_CLI: dict[str, Scalar] = {"small_angle": 40, "failsafe_delay": 20}
WANTED: dict[str, dict[str, Scalar]] = {
    "ardupilot-copter": {**FIRST},
    "px4-copter": PX4,
    "betaflight": {**TEXT_CLI, "profile.0.p_pitch": 44, "failsafe_throttle": 1200},
    "inav": {**TEXT_CLI, "control_profile.1.mc_p_pitch": 44, "nav_rth_altitude": 3000},
}


def goal(twin: str) -> Goal:
    return Goal("crash", "sha256:0", tuple(Wanted(n, v, Origin("test")) for n, v in WANTED[twin].items()))


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it, nothing cleans up."""


class Deadly:
    """A link that kills the process at its n-th use, and stays dead."""

    def __init__(self, link: Any, uses: int) -> None:
        self._link = link
        self.uses = uses

    def _use(self) -> None:
        self.uses -= 1
        if self.uses <= 0:
            raise Killed

    def read(self, timeout: float) -> bytes:
        self._use()
        return bytes(self._link.read(timeout))

    def write(self, data: bytes) -> None:
        self._use()
        self._link.write(data)

    def reopen(self) -> None:
        self._use()
        self._link.reopen()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._link, name)


@contextmanager
def connected(root: Path, twin: str, uses: int = 0, chaos: str = "") -> Iterator[Connection]:
    url = f"chaos+sim:{twin}?{chaos}" if chaos else f"sim:{twin}"
    with connect(
        LinkOptions(url, family=twin.split("-", maxsplit=1)[0], state_dir=root), clock=VirtualClock()
    ) as connection:
        if uses:
            connection.link = connection.runner.link = Deadly(connection.link, uses)
        yield connection


def held(snapshot: Snapshot, driver: Any) -> dict[str, Value]:
    return {s.name: s.value for s in snapshot.settings if driver.protected(s.name) not in {"volatile", "read-only"}}


def is_new(snapshot: Snapshot, twin: str) -> bool:
    found = {name: snapshot.value(name) for name in WANTED[twin]}
    return all(v is not None and v.number == pytest.approx(WANTED[twin][n]) for n, v in found.items())


def is_old(before: Snapshot, after: Snapshot, driver: Any) -> bool:
    old = held(before, driver)
    return {n: v for n, v in held(after, driver).items() if n in old} == old


@cache
def uses_of_a_whole_apply(twin: str) -> int:
    """How often an undisturbed apply uses the link."""
    many = 10**9
    with TemporaryDirectory() as folder, connected(Path(folder), twin, uses=many) as connection:
        assert apply(connection, goal(twin), StateDir(Path(folder))).result is Result.DONE
        return many - int(connection.link.uses)  # type: ignore[attr-defined]  # the link is a Deadly here


CASES = [("ardupilot-copter", seed) for seed in range(60)]
CASES += [("px4-copter", seed) for seed in range(50)]
CASES += [(twin, seed) for twin in ("betaflight", "inav") for seed in range(25)]


@pytest.mark.parametrize(("twin", "seed"), CASES)
def test_killed_at_a_random_moment_recover_ends_in_the_old_or_the_new_state(
    twin: str, seed: int, tmp_path: Path
) -> None:
    moment = random.Random(seed).randrange(1, uses_of_a_whole_apply(twin))
    state = StateDir(tmp_path)
    with connected(tmp_path, twin) as connection:
        before = connection.snapshot()
    with pytest.raises(Killed), connected(tmp_path, twin, uses=moment) as connection:
        apply(connection, goal(twin), state)
    with connected(tmp_path, twin) as connection:
        receipt = recover(connection, state)
        after = connection.snapshot(also=list(WANTED[twin]))
        driver = connection.driver
        assert state.open_journal(connection.identity) is None
    if receipt is not None and receipt.result is Result.DONE:
        assert is_new(after, twin)
    else:
        assert receipt is None or receipt.result is Result.ROLLED_BACK
        assert is_old(before, after, driver)


@pytest.mark.parametrize(("twin", "seed"), [c for c in CASES if c[1] < 12])
def test_a_recover_that_is_killed_too_can_be_run_again(twin: str, seed: int, tmp_path: Path) -> None:
    dice = random.Random(1000 + seed)
    state = StateDir(tmp_path)
    uses = uses_of_a_whole_apply(twin)
    with connected(tmp_path, twin) as connection:
        before = connection.snapshot()
    with pytest.raises(Killed), connected(tmp_path, twin, uses=dice.randrange(1, uses)) as connection:
        apply(connection, goal(twin), state)
    for _ in range(3):
        try:
            with connected(tmp_path, twin, uses=dice.randrange(1, uses)) as connection:
                recover(connection, state)
        except Killed:
            continue
    with connected(tmp_path, twin) as connection:
        recover(connection, state)
        assert state.open_journal(connection.identity) is None
        after = connection.snapshot(also=list(WANTED[twin]))
        assert is_new(after, twin) or is_old(before, after, connection.driver)


BAD_RADIO = "loss=0.10&corrupt=0.02&dup=0.05&reorder=0.02"
BAD_CABLE = "loss=0.02&corrupt=0.01"
"""A text CLI has neither checksums nor retries in its protocol: it is for cables."""

LINKS = [("ardupilot-copter", BAD_RADIO, seed) for seed in range(100)]
LINKS += [(twin, BAD_CABLE, seed) for twin in ("betaflight", "inav") for seed in range(20)]


@pytest.mark.parametrize(("twin", "chaos", "seed"), LINKS)
def test_over_a_bad_link_an_apply_ends_right_or_rolled_back_and_never_in_a_wrong_done(
    twin: str, chaos: str, seed: int, tmp_path: Path
) -> None:
    state = StateDir(tmp_path)
    with connected(tmp_path, twin) as connection:
        before = connection.snapshot()
    receipt, refused = None, None
    try:
        with connected(tmp_path, twin, chaos=f"{chaos}&seed={seed}") as connection:
            receipt = apply(connection, goal(twin), state)
    except DronekitError as error:
        refused = error
    if refused is not None:
        assert refused.exit_code in {3, 4, 6}
    with connected(tmp_path, twin) as connection:
        if receipt is None or receipt.result is Result.IN_DOUBT:
            recover(connection, state)
        after = connection.snapshot(also=list(WANTED[twin]))
        driver = connection.driver
    if receipt is not None and receipt.result is Result.DONE:
        assert is_new(after, twin)
    elif receipt is not None and receipt.result is Result.ROLLED_BACK:
        assert is_old(before, after, driver)
    else:
        assert is_new(after, twin) or is_old(before, after, driver)
