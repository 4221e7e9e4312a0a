"""Every kind of work under every kind of fault: the vehicle ends exactly as it was or exactly as wanted, or says so.

Each run is one seed: its number names the work and the first fault, so that all pairs come up in turn; its dice add
others, and it is played in virtual time. By hand, on all cores and as many as you like:

    DRONEKIT_CFG_FAULT_RUNS=100000 pytest -n auto tests/property/test_fault_matrix.py

DRONEKIT_CFG_FAULT_FIRST is the first seed (0): a run that failed is played alone with its seed and RUNS=1.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import fault_world as world
import pytest

from dronekit_cfg.engine.connection import Connection
from dronekit_cfg.engine.goals import goal_from_snapshot
from dronekit_cfg.engine.recover import recover
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import apply, prepare
from dronekit_cfg.errors import DronekitError, InDoubt, UsageError
from dronekit_cfg.families.ardupilot.simulated_data import single
from dronekit_cfg.model import Receipt, Result, Snapshot
from dronekit_cfg.sim.memory import Memory

quick = world.quick
State = dict[str, float]
Judge = Callable[[State], bool]
RUNS = int(os.environ.get("DRONEKIT_CFG_FAULT_RUNS", "1200"))
FIRST_SEED = int(os.environ.get("DRONEKIT_CFG_FAULT_FIRST", "0"))
CHUNK = 100
WHOLE_EVERY = 97
"""One of how many runs has a vehicle with all its settings."""


@dataclass
class Run:
    """One seed: what was done, and what may be true after it."""

    seed: int
    root: Path
    dice: random.Random = field(init=False)
    work: str = field(init=False)
    fault: str = field(init=False)
    url: str = field(init=False)
    wanted: State = field(init=False)
    on_ours: bool = True
    story: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        names = sorted(WORKS)
        self.work = names[self.seed % len(names)]
        self.fault = world.FAULTS[self.seed // len(names) % len(world.FAULTS)]
        self.url = world.faulty_url(self.dice, self.fault)
        self.wanted = dict(world.FIRST)
        if self.fault == "own identity" or self.dice.random() < 0.05:
            self.wanted[world.IDENTITY] = 7
        self.state = StateDir(self.root)

    def play(self) -> str:
        """Play it and give what was violated, "" for nothing."""
        self.story.append(f"{self.work} with {self.fault} over {self.url}")
        before = world.truth(self.root)
        wrong = WORKS[self.work](self, before)
        return f"seed {self.seed}: {wrong}; {' -> '.join(self.story)}" if wrong else ""

    def connected(self) -> AbstractContextManager[Connection]:
        """Connect through the faults."""
        if self.fault in world.USB_FAULTS:
            link: AbstractContextManager[Connection] = world.connected_by_usb(
                self.root, self.url, self.fault, self.dice
            )
            return link
        plain: AbstractContextManager[Connection] = world.connected(self.root, self.url)
        return plain

    def attempt(self, act: Callable[[Connection], Receipt | None]) -> Result | None:
        """Do it over the faulty link; the result it claims, None when it ended in an error of ours."""
        try:
            with self.connected() as connection:
                self.on_ours = connection.identity.uid == world.OURS
                receipt = act(connection)
        except UsageError:
            raise
        except DronekitError as error:
            self.story.append(f"{type(error).__name__}: {error}")
            return Result.IN_DOUBT if isinstance(error, InDoubt) else None
        self.story.append(str(receipt.result) if receipt else "nothing")
        return receipt.result if receipt else None

    def judge(self, result: Result | None, old: Judge, new: Judge) -> str:
        """Hold what the tool said against the memory of the vehicle; recover while a journal is open."""
        now = world.truth(self.root)
        if not self.on_ours:  # no other was heard on a bad link and none was named: that one it was done to
            result, new = None, new if self.work == "recover" else old
        is_open = world.is_open(self.root)
        if result is Result.IN_DOUBT and not is_open:
            return "in doubt, but no journal is open"
        if result in {Result.DONE, Result.UNCHANGED} and not new(now):
            return f"{result} with a value that differs: {self.differing()}"
        if result is Result.ROLLED_BACK and not old(now):
            return f"rolled back with a value that differs: {self.differing()}"
        if not is_open:
            return "" if old(now) or new(now) else f"neither old nor new, no open journal: {self.differing()}"
        return self.recovered(old, new)

    def recovered(self, old: Judge, new: Judge) -> str:
        """Recover without faults, and judge what that says."""
        with world.connected(self.root) as connection:
            receipt = recover(connection, self.state)
        self.story.append(f"recover {receipt and receipt.result}")
        if receipt is None or world.is_open(self.root):
            return "recover on a sound vehicle leaves it in doubt"
        fits = new if receipt.result is Result.DONE else old
        return "" if fits(world.truth(self.root)) else f"recover says {receipt.result}, but {self.differing()}"

    def differing(self) -> State:
        now = world.truth(self.root)
        return {n: now.get(n, -1e9) for n in {*self.wanted, *world.SECOND}}


# --- the works


def work_apply(run: Run, before: State) -> str:
    result = run.attempt(lambda connection: apply(connection, world.goal(run.wanted), run.state))
    return run.judge(result, world.same(before), world.with_values(before, run.wanted))


def work_restore(run: Run, _before: State) -> str:
    with world.connected(run.root) as connection:
        snapshot = connection.snapshot()
    with Memory(world.memory_of(run.root)) as memory:  # somebody changed it since
        memory.store_many(world.FIRST)
    before = world.truth(run.root)
    old_values = {s.name: s.value.number for s in snapshot.settings if s.name in world.FIRST}

    def act(connection: Connection) -> Receipt:
        return apply(connection, goal_from_snapshot(snapshot, connection.identity), run.state)

    return run.judge(run.attempt(act), world.same(before), world.with_values(before, old_values))


def work_recover(run: Run, before: State) -> str:
    receipt = world.killed_apply(run.root, run.wanted, world.deadly_moment(run.dice))
    run.story.append(str(receipt.result) if receipt else "killed")
    new = world.with_values(before, run.wanted)
    if receipt is not None:
        return run.judge(receipt.result, world.same(before), new)
    return run.judge(run.attempt(lambda connection: recover(connection, run.state)), world.same(before), new)


def reading(run: Run, read: Callable[[Connection], str]) -> str:
    """A work that only reads: what it says is true, and it changes nothing."""
    before = world.truth(run.root)
    wrong = ""
    try:
        with run.connected() as connection:
            if connection.identity.uid == world.OURS:  # else no other was heard on a bad link, and none was named
                wrong = read(connection)
    except UsageError:
        raise
    except DronekitError as error:
        run.story.append(f"{type(error).__name__}: {error}")
    return wrong or ("" if world.truth(run.root) == before else "a work that only reads changed something")


def wrong_values(snapshot: Snapshot, state: State) -> list[str]:
    found = {s.name: s.value.number for s in snapshot.settings}
    return [n for n, v in state.items() if n not in found or abs(found[n] - v) > 1e-6 * abs(v)]


def work_snapshot(run: Run, before: State) -> str:
    def read(connection: Connection) -> str:
        wrong = wrong_values(connection.snapshot(), before)
        return f"the snapshot is wrong in {wrong[:5]}" if wrong else ""

    return reading(run, read)


def work_plan(run: Run, before: State) -> str:
    """What a plan says has to change is what differs, with the old values that are there."""

    def read(connection: Connection) -> str:
        plan = prepare(connection, world.goal(run.wanted), run.state).plan
        found = {c.name: c.old.number for c in plan.changes if c.old is not None}
        names = {c.name for c in plan.changes}
        expected = {n for n, v in run.wanted.items() if before.get(n) != single(v)}
        lies = [n for n, v in found.items() if n in before and single(v) != before[n]]
        return "" if names == expected and not lies else f"the plan is wrong in {sorted(names ^ expected)} and {lies}"

    return reading(run, read)


def work_verify(run: Run, _before: State) -> str:
    """A vehicle that is partly as wanted: what drifted is found, and nothing else."""
    with Memory(world.memory_of(run.root)) as memory:
        memory.store_many({n: world.SECOND[n] for n in run.dice.sample(sorted(world.SECOND), 3)})
    now = world.truth(run.root)

    def read(connection: Connection) -> str:
        plan = prepare(connection, world.goal(world.SECOND), run.state).plan
        found = {c.name for c in plan.changes}
        expected = {n for n, v in world.SECOND.items() if now[n] != single(v)}
        return "" if found == expected else f"verify names {sorted(found ^ expected)} wrongly"

    return reading(run, read)


WORKS: dict[str, Callable[[Run, State], str]] = {
    "apply": work_apply,
    "plan": work_plan,
    "recover": work_recover,
    "restore": work_restore,
    "snapshot": work_snapshot,
    "verify": work_verify,
}


def play(seed: int) -> str:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        if seed % WHOLE_EVERY == 0:
            patch.setattr(
                "dronekit_cfg.families.ardupilot.simulated.load_firmware", lambda v: world.firmware(v, whole=True)
            )
        # A vehicle has a memory before anything is done to it.
        root = Path(folder)
        Memory(root / f"ardupilot-copter-{world.firmware().version}-1.log").close()
        try:
            return Run(seed, root).play()
        except Exception as error:
            raise AssertionError(f"seed {seed} ended in {type(error).__name__}") from error


@pytest.mark.parametrize("first", range(FIRST_SEED, FIRST_SEED + RUNS, CHUNK))
def test_every_work_under_any_faults_ends_old_or_new_or_in_a_doubt_that_recover_resolves(first: int) -> None:
    wrong = [play(seed) for seed in range(first, min(first + CHUNK, FIRST_SEED + RUNS))]
    assert not any(wrong), "\n".join(w for w in wrong if w)


def alone(fault: str, seed: int) -> tuple[str, int, frozenset[str]]:
    """Apply with this fault and no other; give how it ends, how often the link was used, and what was stored."""
    with TemporaryDirectory() as folder:
        run = Run(seed, Path(folder))
        run.fault, run.url = fault, world.faulty_url(run.dice, fault, alone=True)
        run.wanted = {**world.FIRST, **({world.IDENTITY: 7} if fault == "own identity" else {})}
        link: Any = None

        def act(connection: Connection) -> Receipt:
            nonlocal link
            link = world.deadly(connection, 10**9)
            return apply(connection, world.goal(run.wanted), run.state)

        result = run.attempt(act)
        used = 10**9 - link.uses if link is not None else 0
        stored = frozenset(f"{n}={v}" for n, v in world.truth(run.root).items())
        return f"{result} {run.story}", used, stored


@pytest.mark.parametrize("fault", world.FAULTS)
def test_every_fault_shows_when_it_is_alone(fault: str) -> None:
    undisturbed = alone("", 1)
    assert any(alone(fault, seed) != undisturbed for seed in range(1, 9))


def test_the_judge_sees_a_value_that_differs(tmp_path: Path) -> None:
    before = world.truth(tmp_path)
    assert world.same(before)(world.truth(tmp_path))
    with world.connected(tmp_path) as connection:
        assert apply(connection, world.goal(world.FIRST), StateDir(tmp_path)).result is Result.DONE
    now = world.truth(tmp_path)
    assert world.with_values(before, world.FIRST)(now)
    assert not world.same(before)(now)
    with Memory(world.memory_of(tmp_path)) as memory:
        memory.store("FENCE_ALT_MAX", 78.0)
    assert not world.with_values(before, world.FIRST)(world.truth(tmp_path))
    with Memory(world.memory_of(tmp_path)) as memory:
        memory.store_many({"FENCE_ALT_MAX": 77.0, "RTL_SPEED": 3})
    assert not world.with_values(before, world.FIRST)(world.truth(tmp_path))
