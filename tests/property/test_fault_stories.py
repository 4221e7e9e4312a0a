"""Any sequence of works, faults, kills and changes by others: the vehicle is always in a state the story allows."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import fault_world as world
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dronekit_cfg.engine.goals import goal_from_snapshot
from dronekit_cfg.engine.recover import recover
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import apply
from dronekit_cfg.errors import DronekitError, InDoubt, UsageError
from dronekit_cfg.model import Result
from dronekit_cfg.sim.memory import Memory

quick = world.quick
FAULTS = st.sampled_from([f for f in world.FAULTS if f not in world.GOAL_FAULTS])
GOALS = st.sampled_from([world.FIRST, world.SECOND])
Judge = Callable[[dict[str, float]], bool]


class Stories(RuleBasedStateMachine):
    """One vehicle through its life. `is_open` says that an apply was cut off; `old` and `new` are the two ways out."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.root = Path(self.folder.name)
        self.state = StateDir(self.root)
        self.now: dict[str, float] = world.truth(self.root)
        self.is_open = False
        self.old: dict[str, float] = {}
        self.new: Judge = lambda _: False
        self.snapshot: Any = None

    def teardown(self) -> None:
        self.folder.cleanup()

    @initialize()
    def take_a_snapshot(self) -> None:
        with world.connected(self.root) as connection:
            self.snapshot = connection.snapshot()

    @precondition(lambda self: not self.is_open)
    @rule(wanted=GOALS)
    def apply_a_profile(self, wanted: dict[str, float]) -> None:
        with world.connected(self.root) as connection:
            result = apply(connection, world.goal(wanted), self.state).result
        after = world.truth(self.root)
        assert result in {Result.DONE, Result.UNCHANGED}
        assert world.with_values(self.now, wanted)(after)
        assert result is Result.DONE or after == self.now
        self.now = after

    @precondition(lambda self: not self.is_open)
    @rule()
    def restore_the_snapshot(self) -> None:
        with world.connected(self.root) as connection:
            goal = goal_from_snapshot(self.snapshot, connection.identity)
            assert apply(connection, goal, self.state).result in {Result.DONE, Result.UNCHANGED}
        self.now = world.truth(self.root)
        values = {s.name: s.value.number for s in self.snapshot.settings}
        assert all(v == pytest.approx(values[n], rel=1e-6) for n, v in self.now.items() if n in values)

    @precondition(lambda self: not self.is_open)
    @rule(wanted=GOALS, uses=st.integers(1, 400))
    def be_killed_in_an_apply(self, wanted: dict[str, float], uses: int) -> None:
        receipt = world.killed_apply(self.root, wanted, uses)
        self.new = world.with_values(self.now, wanted)
        self.is_open = world.is_open(self.root)
        if self.is_open:
            self.old = self.now
            return
        after = world.truth(self.root)
        assert self.new(after) if receipt is not None else (after == self.now or self.new(after))
        self.now = after

    @precondition(lambda self: not self.is_open)
    @rule(wanted=GOALS, seed=st.integers(0, 10**6), fault=FAULTS)
    def apply_through_faults(self, wanted: dict[str, float], seed: int, fault: str) -> None:
        self.new = world.with_values(self.now, wanted)
        result = self.through(seed, fault, lambda connection: apply(connection, world.goal(wanted), self.state))
        self.settle(result)

    @precondition(lambda self: self.is_open)
    @rule(seed=st.integers(0, 10**6), fault=FAULTS)
    def recover_through_faults(self, seed: int, fault: str) -> None:
        self.settle(self.through(seed, fault, lambda connection: recover(connection, self.state)))

    def through(self, seed: int, fault: str, act: Callable[[Any], Any]) -> Result | None:
        """Give the result that a work claims over a faulty link, None when it ended in an error or did nothing."""
        dice = random.Random(seed)
        url = world.faulty_url(dice, fault)
        way = world.connected(self.root, url)
        if fault in world.USB_FAULTS:
            way = world.connected_by_usb(self.root, url, fault, dice)
        try:
            with way as connection:
                if connection.identity.uid != world.OURS:
                    return None  # nobody else was heard on a bad link: what is done to that one is no part of the story
                receipt = act(connection)
        except UsageError:
            raise
        except DronekitError:
            return None
        return receipt.result if receipt is not None else None

    def settle(self, result: Result | None) -> None:
        """Hold what was claimed against what is stored, and go on from there."""
        after = world.truth(self.root)
        before = self.old if self.is_open else self.now
        if result in {Result.DONE, Result.UNCHANGED}:
            assert self.new(after)
        elif result is Result.ROLLED_BACK:
            assert after == before
        self.is_open = world.is_open(self.root)
        assert self.is_open or result is not Result.IN_DOUBT
        if self.is_open:
            self.old = before
        else:
            assert after == before or self.new(after)
            self.now = after

    @precondition(lambda self: self.is_open)
    @rule(wanted=GOALS)
    def be_refused_while_a_journal_is_open(self, wanted: dict[str, float]) -> None:
        before = world.truth(self.root)
        with world.connected(self.root) as connection, pytest.raises(InDoubt):
            apply(connection, world.goal(wanted), self.state)
        assert world.truth(self.root) == before

    @precondition(lambda self: self.is_open)
    @rule(uses=st.integers(1, 300))
    def be_killed_in_a_recover(self, uses: int) -> None:
        try:
            with world.connected(self.root) as connection:
                world.deadly(connection, uses)
                recover(connection, self.state)
        except world.Killed:
            pass
        self.is_open = world.is_open(self.root)
        if not self.is_open:
            self.now = world.truth(self.root)
            assert self.now == self.old or self.new(self.now)

    @precondition(lambda self: self.is_open)
    @rule()
    def recover_the_vehicle(self) -> None:
        with world.connected(self.root) as connection:
            receipt = recover(connection, self.state)
        assert receipt is not None
        after = world.truth(self.root)
        assert self.new(after) if receipt.result is Result.DONE else after == self.old
        self.now, self.is_open = after, False

    @precondition(lambda self: not self.is_open)
    @rule(name=st.sampled_from(["RTL_SPEED", "FENCE_ALT_MAX", "LAND_SPEED"]), value=st.integers(31, 99))
    def be_changed_by_somebody_else(self, name: str, value: int) -> None:
        with Memory(world.memory_of(self.root)) as memory:
            memory.store(name, value)
        self.now = world.truth(self.root)

    @precondition(lambda self: not self.is_open)
    @invariant()
    def nothing_changes_between_works(self) -> None:
        assert world.truth(self.root) == self.now


TestStories = Stories.TestCase
TestStories.settings = settings(
    max_examples=40,
    stateful_step_count=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
