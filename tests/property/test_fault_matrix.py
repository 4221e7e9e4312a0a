"""Every kind of work under every kind of fault: the vehicle ends exactly as it was or exactly as wanted, or says so.

Each run is one seed: it chooses a work, faults of the link and of the vehicle, and plays them in virtual time. The
judge does not ask the tool: it opens the memory of the twin. DRONEKIT_CFG_FAULT_RUNS sets the number of runs.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from dronekit_cfg.engine.connection import Connection, LinkOptions, connect
from dronekit_cfg.engine.goals import goal_from_snapshot
from dronekit_cfg.engine.recover import recover
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import apply, prepare
from dronekit_cfg.errors import DronekitError, UsageError
from dronekit_cfg.families.ardupilot.quirks import protected
from dronekit_cfg.families.ardupilot.simulated_data import load_firmware, single
from dronekit_cfg.families.ardupilot.simulated_params import ParameterStore
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model import Origin, Receipt, Result, Snapshot, Wanted
from dronekit_cfg.planner.plan import Goal
from dronekit_cfg.sim.memory import Memory

RUNS = int(os.environ.get("DRONEKIT_CFG_FAULT_RUNS", "320"))
CHUNK = 20
SIM = "sim:ardupilot-copter"

FIRST: dict[str, float] = {
    "FENCE_ALT_MAX": 77,
    "FS_THR_VALUE": 960,
    "EK3_CHECK_SCALE": 110,
    "FS_EKF_THRESH": 0.7,
    "LOG_BITMASK": 180223,
    "BATT2_MONITOR": 4,
    "BATT2_CAPACITY": 5200,
    "RC_FS_TIMEOUT": 1.5,
}
SECOND: dict[str, float] = {
    "FENCE_ALT_MAX": 88.5,
    "FS_THR_VALUE": 970,
    "EK3_CHECK_SCALE": 100,
    "WPNAV_SPEED": 740,
    "LAND_SPEED": 45,
    "BATT2_MONITOR": 0,
}
State = dict[str, float]


def goal(wanted: State, name: str = "matrix") -> Goal:
    return Goal(name, f"sha256:{name}", tuple(Wanted(n, v, Origin("test")) for n, v in wanted.items()))


def truth(root: Path) -> State:
    """Give what the vehicle would hold after its next start, from its memory: all that exists and stays by itself."""
    firmware = load_firmware("4.7")
    path = next(root.glob("ardupilot-copter-*.log"), None)
    with Memory(path) as memory:
        store = ParameterStore(firmware.parameters, memory)
        store.boot()
        names = {f.name for f in firmware.parameters if store.find(f.name) and store._shown(f)}
        return {n: float(store.value(n)) for n in names if protected(n) not in {"volatile", "read-only"}}


def with_values(state: State, wanted: State) -> Callable[[State], bool]:
    """Give a judge: are all wanted values there, and everything else as in `state`?"""

    def judge(now: State) -> bool:
        if any(name in now and now[name] != single(value) for name, value in wanted.items()):
            return False
        if any(name not in now for name, value in wanted.items() if value):
            return False
        # Groups appear and vanish with their switches; their other settings are not ours.
        return all(now[n] == v for n, v in state.items() if n in now and n not in wanted)

    return judge


def same(state: State) -> Callable[[State], bool]:
    return lambda now: now == state


@contextmanager
def connected(root: Path, url: str = SIM, clock: VirtualClock | None = None) -> Iterator[Connection]:
    options = LinkOptions(url, family="ardupilot", state_dir=root)
    with connect(options, clock=clock or VirtualClock()) as connection:
        yield connection


class Killed(BaseException):
    """Stands for SIGKILL."""


class Deadly:
    """A link that kills the process at its n-th use."""

    def __init__(self, link: Any, uses: int) -> None:
        self._link = link
        self.uses = uses

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._link, name)
        if name not in {"read", "write", "reopen"}:
            return found
        self.uses -= 1
        if self.uses <= 0:
            raise Killed
        return found


@cache
def uses_of_an_apply() -> int:
    """Give how often a whole apply uses its link, on the virtual clock."""
    many = 10**9
    with TemporaryDirectory() as folder, connected(Path(folder)) as connection:
        link = connection.link = connection.runner.link = Deadly(connection.link, many)
        apply(connection, goal(FIRST), StateDir(Path(folder)))
        return many - link.uses


def killed_apply(root: Path, wanted: State, uses: int, url: str = SIM) -> Receipt | None:
    """Apply and be killed at that use of the link; the receipt when it was finished before."""
    with suppress(Killed), connected(root, url) as connection:
        connection.link = connection.runner.link = Deadly(connection.link, uses)
        return apply(connection, goal(wanted), StateDir(root))
    return None


# --- the faults

LINK_FAULTS: dict[str, Callable[[random.Random], str]] = {
    "loss": lambda dice: f"loss={dice.choice((0.02, 0.1, 0.2, 0.35, 0.5))}",
    "one way": lambda dice: f"{dice.choice(('rx', 'tx'))}_loss={dice.choice((0.1, 0.3, 0.5))}",
    "doubles": lambda dice: f"dup={dice.choice((0.05, 0.3))}",
    "order": lambda dice: f"reorder={dice.choice((0.02, 0.1))}",
    "damage": lambda dice: f"corrupt={dice.choice((0.01, 0.05, 0.15))}",
    "slow": lambda dice: f"baud={dice.choice((19200, 57600))}&latency={dice.choice((0.02, 0.3))}&jitter=0.02",
    "cut": lambda dice: f"cut_after={dice.uniform(0.1, 12):.2f}&cut_for={dice.choice((0.3, 2, 8))}",
    "unplugged": lambda dice: f"cut_after={dice.uniform(0.1, 12):.2f}",
}
VEHICLE_FAULTS: dict[str, Callable[[random.Random], str]] = {
    "reboot": lambda dice: f"reboot-mid:{dice.randrange(1, 12)}",
    "brownout": lambda dice: f"brownout:{dice.randrange(1, 12)}",
    "full": lambda dice: f"storage-full:{dice.randrange(10)}",
    "echo lost": lambda dice: f"echo-lost:{dice.choice(('0.3', '1', '4', '100'))}",
    "echo old": lambda dice: f"echo-old:{dice.choice((1, 4, 100))}",
    "clamp": lambda _: "clamp:FENCE_ALT_MAX:50",
    "deny": lambda dice: f"deny:{dice.choice(sorted(FIRST))}",
    "arms": lambda dice: f"arms-after:{dice.randrange(1, 12)}",
    "armed": lambda _: "armed",
    "second": lambda _: "second",
    "other vehicle": lambda _: "wrong-uid-after-reboot",
    "busy": lambda dice: f"ftp-busy:{dice.choice((2, 8))}",
    "no files": lambda _: "no-ftp",
    "lost blocks": lambda dice: f"drop-burst:{dice.choice((0.1, 0.5))}",
    "slow start": lambda dice: f"slow-boot:{dice.choice((5, 20, 60))}",
    "mute": lambda dice: f"mute-after:{dice.randrange(40)}",
    "deaf": lambda _: "deaf",
}


def faulty_url(dice: random.Random) -> str:
    """Choose none to two faults of each side."""
    names = dice.sample(sorted(LINK_FAULTS), dice.choice((0, 0, 1, 1, 2)))
    link = [LINK_FAULTS[n](dice) for n in names if n != "unplugged" or "cut" not in names]
    vehicle = [VEHICLE_FAULTS[n](dice) for n in dice.sample(sorted(VEHICLE_FAULTS), dice.choice((0, 1, 1, 1, 2)))]
    options = [f"seed={dice.randrange(10**6)}", *link]
    if vehicle:
        options.append("fault=" + ",".join(vehicle))
    return ("chaos+" if link else "") + SIM + "?" + "&".join(dict.fromkeys(options))


# --- the works


@dataclass
class Run:
    """One seed: what was done, and what may be true after it."""

    seed: int
    root: Path
    dice: random.Random = field(init=False)
    url: str = field(init=False)
    story: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.url = faulty_url(self.dice)
        self.state = StateDir(self.root)

    def play(self) -> str:
        """Play it and give what was violated, "" for nothing."""
        work = self.dice.choice(sorted(WORKS))
        self.story.append(f"{work} over {self.url}")
        before = truth(self.root)
        wrong = WORKS[work](self, before)
        return f"seed {self.seed}: {wrong}; {' -> '.join(self.story)}" if wrong else ""

    def judge(self, result: Result | None, old: Callable[[State], bool], new: Callable[[State], bool]) -> str:
        """Hold what the tool said against the memory of the vehicle; recover while a journal is open."""
        with connected(self.root) as connection:
            is_open = self.state.open_journal(connection.identity) is not None
        if result is Result.IN_DOUBT and not is_open:
            return "in doubt, but no journal is open"
        if result in {Result.DONE, Result.UNCHANGED} and not new(truth(self.root)):
            return f"{result} with a value that differs: {self.differing()}"
        if result is Result.ROLLED_BACK and not old(truth(self.root)):
            return "rolled back with a value that differs"
        if not is_open:
            return "" if old(truth(self.root)) or new(truth(self.root)) else "neither old nor new, and no open journal"
        with connected(self.root) as connection:
            receipt = recover(connection, self.state)
            still = self.state.open_journal(connection.identity)
        self.story.append(f"recover {receipt and receipt.result}")
        if receipt is None or still is not None:
            return "recover on a sound vehicle leaves it in doubt"
        fits = new if receipt.result is Result.DONE else old
        return "" if fits(truth(self.root)) else f"recover says {receipt.result} with a value that differs"

    def differing(self) -> State:
        now = truth(self.root)
        return {n: now.get(n, -1e9) for n in {*FIRST, *SECOND}}

    def attempt(self, act: Callable[[Connection], Receipt | None]) -> Result | None:
        """Do it over the faulty link; the result it claims, None when it ended in an error of ours."""
        try:
            with connected(self.root, self.url) as connection:
                receipt = act(connection)
        except UsageError:
            raise
        except DronekitError as error:
            self.story.append(f"{type(error).__name__}: {error}")
            return None
        self.story.append(str(receipt.result) if receipt else "nothing")
        return receipt.result if receipt else None


def work_apply(run: Run, before: State) -> str:
    result = run.attempt(lambda connection: apply(connection, goal(FIRST), run.state))
    return run.judge(result, same(before), with_values(before, FIRST))


def work_restore(run: Run, _before: State) -> str:
    with connected(run.root) as connection:
        snapshot = connection.snapshot()
        assert apply(connection, goal(FIRST), run.state).result is Result.DONE
    before = truth(run.root)
    old_values = {s.name: s.value.number for s in snapshot.settings if s.name in FIRST}

    def act(connection: Connection) -> Receipt:
        return apply(connection, goal_from_snapshot(snapshot, connection.identity), run.state)

    return run.judge(run.attempt(act), same(before), with_values(before, old_values))


def work_recover(run: Run, before: State) -> str:
    receipt = killed_apply(run.root, FIRST, run.dice.randrange(1, uses_of_an_apply()))
    run.story.append(str(receipt.result) if receipt else "killed")
    new = with_values(before, FIRST)
    if receipt is not None:
        return run.judge(receipt.result, same(before), new)
    return run.judge(run.attempt(lambda connection: recover(connection, run.state)), same(before), new)


def reading(run: Run, read: Callable[[Connection], str]) -> str:
    """A work that only reads: what it says is true, and it changes nothing."""
    before = truth(run.root)
    wrong = ""
    try:
        with connected(run.root, run.url) as connection:
            wrong = read(connection)
    except UsageError:
        raise
    except DronekitError as error:
        run.story.append(f"{type(error).__name__}: {error}")
    return wrong or ("" if truth(run.root) == before else "a work that only reads changed something")


def wrong_values(snapshot: Snapshot, state: State) -> list[str]:
    found = {s.name: s.value.number for s in snapshot.settings}
    return [n for n, v in state.items() if n not in found or abs(found[n] - v) > 1e-6 * abs(v)]


def work_snapshot(run: Run, before: State) -> str:
    def read(connection: Connection) -> str:
        wrong = wrong_values(connection.snapshot(), before)
        return f"the snapshot is wrong in {wrong[:5]}" if wrong else ""

    return reading(run, read)


def work_verify(run: Run, before: State) -> str:
    changed = run.dice.sample(sorted(SECOND), 3)
    with connected(run.root) as connection:
        part = {n: SECOND[n] for n in changed}
        assert apply(connection, goal(part), run.state).result in {Result.DONE, Result.UNCHANGED}
    now = truth(run.root)

    def read(connection: Connection) -> str:
        plan = prepare(connection, goal(SECOND), run.state).plan
        found = {c.name for c in plan.changes}
        expected = {n for n, v in SECOND.items() if now[n] != single(v)}
        return "" if found == expected else f"verify names {sorted(found ^ expected)} wrongly"

    return reading(run, read)


WORKS: dict[str, Callable[[Run, State], str]] = {
    "apply": work_apply,
    "plan and verify": work_verify,
    "recover": work_recover,
    "restore": work_restore,
    "snapshot": work_snapshot,
}


@pytest.mark.parametrize("first", range(0, RUNS, CHUNK))
def test_every_work_under_any_faults_ends_old_or_new_or_in_a_doubt_that_recover_resolves(
    first: int, tmp_path: Path
) -> None:
    wrong = []
    for seed in range(first, first + CHUNK):
        root = tmp_path / str(seed)
        root.mkdir()
        wrong.append(Run(seed, root).play())
    assert not any(wrong), "\n".join(w for w in wrong if w)


def test_the_judge_sees_a_value_that_differs(tmp_path: Path) -> None:
    before = truth(tmp_path)
    assert same(before)(truth(tmp_path))
    with connected(tmp_path) as connection:
        assert apply(connection, goal(FIRST), StateDir(tmp_path)).result is Result.DONE
    now = truth(tmp_path)
    assert with_values(before, FIRST)(now)
    assert not same(before)(now)
    path = next(tmp_path.glob("ardupilot-copter-*.log"))
    with Memory(path) as memory:
        memory.store("FENCE_ALT_MAX", 78.0)
    assert not with_values(before, FIRST)(truth(tmp_path))
    with Memory(path) as memory:
        memory.store_many({"FENCE_ALT_MAX": 77.0, "RTL_SPEED": 3})
    assert not with_values(before, FIRST)(truth(tmp_path))
