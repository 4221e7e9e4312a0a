"""Any sequence of works, kills and changes by others: the vehicle is always in a state that the story allows."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from dronekit_cfg.engine.goals import goal_from_snapshot
from dronekit_cfg.engine.recover import recover
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import apply
from dronekit_cfg.errors import InDoubt
from dronekit_cfg.model import Result
from dronekit_cfg.sim.memory import Memory


def _load() -> Any:
    name = "dronekit_cfg_fault_matrix"
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("test_fault_matrix.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


matrix = _load()
GOALS = st.sampled_from([matrix.FIRST, matrix.SECOND])
Judge = Callable[[dict[str, float]], bool]


class Stories(RuleBasedStateMachine):
    """One vehicle through its life. `is_open` says that an apply was cut off; `old` and `new` are the two ways out."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.root = Path(self.folder.name)
        self.state = StateDir(self.root)
        self.now: dict[str, float] = matrix.truth(self.root)
        self.is_open = False
        self.old: dict[str, float] = {}
        self.new: Judge = lambda _: False
        self.snapshot: Any = None

    def teardown(self) -> None:
        self.folder.cleanup()

    @initialize()
    def take_a_snapshot(self) -> None:
        with matrix.connected(self.root) as connection:
            self.snapshot = connection.snapshot()

    @precondition(lambda self: not self.is_open)
    @rule(wanted=GOALS)
    def apply_a_profile(self, wanted: dict[str, float]) -> None:
        with matrix.connected(self.root) as connection:
            result = apply(connection, matrix.goal(wanted), self.state).result
        after = matrix.truth(self.root)
        assert result in {Result.DONE, Result.UNCHANGED}
        assert matrix.with_values(self.now, wanted)(after)
        assert result is Result.DONE or after == self.now
        self.now = after

    @precondition(lambda self: not self.is_open)
    @rule()
    def restore_the_snapshot(self) -> None:
        with matrix.connected(self.root) as connection:
            goal = goal_from_snapshot(self.snapshot, connection.identity)
            assert apply(connection, goal, self.state).result in {Result.DONE, Result.UNCHANGED}
        self.now = matrix.truth(self.root)
        values = {s.name: s.value.number for s in self.snapshot.settings}
        assert all(v == pytest.approx(values[n], rel=1e-6) for n, v in self.now.items() if n in values)

    @precondition(lambda self: not self.is_open)
    @rule(wanted=GOALS, uses=st.integers(1, 400))
    def be_killed_in_an_apply(self, wanted: dict[str, float], uses: int) -> None:
        receipt = matrix.killed_apply(self.root, wanted, uses)
        self.new = matrix.with_values(self.now, wanted)
        with matrix.connected(self.root) as connection:
            self.is_open = self.state.open_journal(connection.identity) is not None
        if self.is_open:
            self.old = self.now
            return
        after = matrix.truth(self.root)
        assert self.new(after) if receipt is not None else (after == self.now or self.new(after))
        self.now = after

    @precondition(lambda self: self.is_open)
    @rule(wanted=GOALS)
    def be_refused_while_a_journal_is_open(self, wanted: dict[str, float]) -> None:
        before = matrix.truth(self.root)
        with matrix.connected(self.root) as connection, pytest.raises(InDoubt):
            apply(connection, matrix.goal(wanted), self.state)
        assert matrix.truth(self.root) == before

    @precondition(lambda self: self.is_open)
    @rule(uses=st.integers(1, 300))
    def be_killed_in_a_recover(self, uses: int) -> None:
        try:
            with matrix.connected(self.root) as connection:
                connection.link = connection.runner.link = matrix.Deadly(connection.link, uses)
                recover(connection, self.state)
        except matrix.Killed:
            pass
        with matrix.connected(self.root) as connection:
            self.is_open = self.state.open_journal(connection.identity) is not None
        if not self.is_open:
            self.now = matrix.truth(self.root)
            assert self.now == self.old or self.new(self.now)

    @precondition(lambda self: self.is_open)
    @rule()
    def recover_the_vehicle(self) -> None:
        with matrix.connected(self.root) as connection:
            receipt = recover(connection, self.state)
        assert receipt is not None
        after = matrix.truth(self.root)
        assert self.new(after) if receipt.result is Result.DONE else after == self.old
        self.now, self.is_open = after, False

    @precondition(lambda self: not self.is_open)
    @rule(name=st.sampled_from(["RTL_SPEED", "FENCE_ALT_MAX", "LAND_SPEED"]), value=st.integers(31, 99))
    def be_changed_by_somebody_else(self, name: str, value: int) -> None:
        with Memory(next(self.root.glob("ardupilot-copter-*.log"))) as memory:
            memory.store(name, value)
        self.now = matrix.truth(self.root)

    @precondition(lambda self: not self.is_open)
    @invariant()
    def nothing_changes_between_works(self) -> None:
        assert matrix.truth(self.root) == self.now


TestStories = Stories.TestCase
TestStories.settings = settings(
    max_examples=12,
    stateful_step_count=10,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
