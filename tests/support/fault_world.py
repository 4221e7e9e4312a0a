"""The small world that the fault tests play in: a vehicle with few settings, faults by name, and what is really stored.

Time is virtual. The judge does not ask the tool: it opens the memory of the twin.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import pytest
from usb_bus import UsbBus, UsbLink

from dronekit_cfg.catalog.store import spec_for
from dronekit_cfg.engine.connection import Connection, LinkOptions, connect
from dronekit_cfg.engine.journal import read_journal
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import apply
from dronekit_cfg.events import Event, Reporter, Stage, silent
from dronekit_cfg.families.ardupilot import simulated
from dronekit_cfg.families.ardupilot.quirks import protected
from dronekit_cfg.families.ardupilot.simulated_data import Firmware, load_firmware, single
from dronekit_cfg.families.ardupilot.simulated_params import ParameterStore
from dronekit_cfg.links.chaos import ChaosLink, Faults
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.links.url import parse
from dronekit_cfg.model import Origin, Receipt, Spec, Wanted
from dronekit_cfg.planner.plan import Goal
from dronekit_cfg.sim.memory import Memory

SIM = "sim:ardupilot-copter"
State = dict[str, float]
Dice = random.Random
IDENTITY = "MAV_SYSID"
"""The setting that holds our address of the vehicle: writing it changes who answers."""

FIRST: State = {
    "FENCE_ALT_MAX": 77,
    "FS_THR_VALUE": 960,
    "EK3_CHECK_SCALE": 110,
    "FS_EKF_THRESH": 0.7,
    "LOG_BITMASK": 180223,
    "BATT2_MONITOR": 4,
    "BATT2_CAPACITY": 5200,
    "RC_FS_TIMEOUT": 1.5,
}
SECOND: State = {
    "FENCE_ALT_MAX": 88.5,
    "FS_THR_VALUE": 970,
    "EK3_CHECK_SCALE": 100,
    "WPNAV_SPEED": 740,
    "LAND_SPEED": 45,
    "BATT2_MONITOR": 0,
}
OURS = "336431323139633763346335343034616100"
"""UID of the vehicle that everything is about."""
EVERY = 20
"""One of how many of the other settings the small vehicle has."""


@cache
def firmware(version: str = "4.7", *, whole: bool = False) -> Firmware:
    """Give a firmware with some 100 of its 1,400 settings: what the works touch, what governs it, and a sample."""
    full = load_firmware(version)
    if whole:
        return full
    groups = {c.switch for f in full.parameters if f.name in {*FIRST, *SECOND} for c in f.conditions}
    keep = {*FIRST, *SECOND, *groups, IDENTITY, "RTL_SPEED", "FORMAT_VERSION", "STAT_BOOTCNT", "STAT_RUNTIME"}
    chosen = (f for row, f in enumerate(full.parameters) if f.name in keep or row % EVERY == 0)
    return replace(full, parameters=tuple(chosen))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the small vehicle, unpack metadata once, and do not wait for a disk.

    The journal's lines are still handed to the operating system in their order; no power is cut in these tests.
    """
    monkeypatch.setattr(simulated, "load_firmware", firmware)
    monkeypatch.setattr("dronekit_cfg.engine.knowledge.spec_for_vehicle", lambda identity, _: _spec(identity.version))
    for module in ("engine.journal", "formats.files"):
        monkeypatch.setattr(f"dronekit_cfg.{module}.os", _os_without_fsync(), raising=False)


@cache
def _spec(version: str) -> Spec | None:
    return spec_for("ardupilot", "copter", version)


@cache
def _os_without_fsync() -> Any:
    import os

    return SimpleNamespace(**{**vars(os), "fsync": lambda _: None})


def goal(wanted: Mapping[str, float], name: str = "matrix") -> Goal:
    settings = tuple(Wanted(n, v, Origin("test")) for n, v in wanted.items())
    return Goal(name, f"sha256:{name}", settings, frozenset({"identity"}))


def memory_of(root: Path) -> Path | None:
    return next(root.glob("ardupilot-copter-*-1.log"), None)


def truth(root: Path) -> State:
    """Give what the vehicle would hold after its next start, from its memory: all that exists and stays by itself."""
    facts = vars(simulated)["load_firmware"]("4.7").parameters  # the small or the whole one, whichever is there
    with Memory(memory_of(root)) as memory:
        store = ParameterStore(facts, memory)
        store.boot()
        names = {f.name for f in facts if store.find(f.name) and store._shown(f)}
        return {n: float(store.value(n)) for n in names if not _restless(n)}


@cache
def _restless(name: str) -> bool:
    return protected(name) in {"volatile", "read-only"}


def with_values(state: State, wanted: Mapping[str, float]) -> Callable[[State], bool]:
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
def connected(
    root: Path, url: str = SIM, clock: VirtualClock | None = None, report: Reporter = silent
) -> Iterator[Connection]:
    options = LinkOptions(url, family="ardupilot", state_dir=root)
    with connect(options, clock=clock or VirtualClock(), report=report) as connection:
        yield connection


def is_open(root: Path) -> bool:
    """Whether a journal of our vehicle waits for `recover`."""
    paths = root.glob(f"vehicles/ardupilot-{OURS}/journals/*.jsonl")
    return any(read_journal(path).open for path in paths)


# --- the process dies


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
        return found if self.uses > 0 else self._die

    def _die(self, argument: bytes | float = 0) -> None:
        """Die; half of what was to be written still gets out."""
        if isinstance(argument, bytes):
            self._link.write(argument[: len(argument) // 2])
        raise Killed


def deadly(connection: Connection, uses: int) -> Deadly:
    connection.link = connection.runner.link = link = Deadly(connection.link, uses)
    return link


@cache
def uses_of_an_apply() -> tuple[int, int, int]:
    """Give how often an apply has used its link when it begins to write, when all is read back, and at its end."""
    many = 10**9
    stages: list[int] = []
    with TemporaryDirectory() as folder:

        def note(event: Event) -> None:
            if isinstance(event, Stage) and event.text.startswith(("write", "read everything back", "reboot")):
                stages.append(many - link.uses)

        with connected(Path(folder), report=note) as connection:
            link = deadly(connection, many)
            apply(connection, goal(FIRST), StateDir(Path(folder)))
            return stages[0], stages[-1], many - link.uses


def deadly_moment(dice: Dice) -> int:
    """Choose the use of the link at which to die, mostly one from the first write on."""
    begin, proved, end = uses_of_an_apply()
    return dice.choice((dice.randint(1, end), dice.randint(begin, begin + 40), dice.randint(begin, proved)))


def killed_apply(root: Path, wanted: Mapping[str, float], uses: int, url: str = SIM) -> Receipt | None:
    """Apply and be killed at that use of the link; the receipt when it was finished before."""
    with suppress(Killed), connected(root, url) as connection:
        deadly(connection, uses)
        return apply(connection, goal(wanted), StateDir(root))
    return None


# --- faults of the link and of the vehicle, by name

LINK_FAULTS: Mapping[str, Callable[[Dice], str]] = {
    "loss": lambda dice: f"loss={dice.choice((0.02, 0.1, 0.2, 0.35, 0.5))}",
    "one way": lambda dice: f"{dice.choice(('rx', 'tx'))}_loss={dice.choice((0.1, 0.3, 0.5))}",
    "bursts": lambda dice: f"burst={dice.choice((0.005, 0.02, 0.05))}&burst_units={dice.choice((4, 15, 40))}",
    "doubles": lambda dice: f"dup={dice.choice((0.05, 0.3))}",
    "order": lambda dice: f"reorder={dice.choice((0.02, 0.1))}",
    "damage": lambda dice: f"corrupt={dice.choice((0.01, 0.05, 0.15))}",
    "bit errors": lambda dice: f"ber={dice.choice((0.00005, 0.0003))}",
    "slow": lambda dice: f"baud={dice.choice((19200, 57600))}&latency={dice.choice((0.02, 0.3))}&jitter=0.02",
    "stall": lambda dice: f"stall_after={dice.uniform(0.05, 6):.2f}&stall_for={dice.choice((1, 4, 15))}",
    "cut": lambda dice: f"cut_after={dice.uniform(0.05, 8):.2f}&cut_for={dice.choice((0.3, 2, 8))}",
    "unplugged": lambda dice: f"cut_after={dice.uniform(0.05, 8):.2f}",
}
VEHICLE_FAULTS: Mapping[str, Callable[[Dice], str]] = {
    "reboot": lambda dice: f"reboot-mid:{dice.randrange(1, 12)}",
    "brownout": lambda dice: f"brownout:{dice.randrange(1, 12)}",
    "full": lambda dice: f"storage-full:{dice.randrange(10)}",
    "echo lost": lambda dice: f"echo-lost:{dice.choice(('0.3', '1', '4', '100'))}",
    "echo old": lambda dice: f"echo-old:{dice.choice((1, 4, 100))}",
    "clamp": lambda _: "clamp:FENCE_ALT_MAX:50",
    "deny": lambda dice: f"deny:{dice.choice(sorted(FIRST))}",
    "arms": lambda dice: f"arms-after:{dice.randrange(1, 12)}",
    "armed": lambda _: "armed",
    "second vehicle": lambda _: "second",
    # It writes what both goals want: what it changes elsewhere is a side effect that the receipt names.
    "second station": lambda dice: f"second-gcs:{dice.choice(('FENCE_ALT_MAX:33', 'FS_THR_VALUE:980'))}",
    "other vehicle": lambda _: "wrong-uid-after-reboot",
    "busy": lambda dice: f"ftp-busy:{dice.choice((2, 8))}",
    "no files": lambda _: "no-ftp",
    "lost blocks": lambda dice: f"drop-burst:{dice.choice((0.1, 0.5))}",
    "slow start": lambda dice: f"slow-boot:{dice.choice((5, 20, 60))}",
    "mute": lambda dice: f"mute-after:{dice.randrange(40)}",
    "deaf": lambda _: "deaf",
}
GOAL_FAULTS = ("own identity",)
USB_FAULTS = ("usb back", "usb renamed", "usb swapped", "usb other board")
FAULTS = (*LINK_FAULTS, *VEHICLE_FAULTS, *USB_FAULTS, *GOAL_FAULTS)
"""Every fault by its name."""


def faulty_url(dice: Dice, first: str = "", *, alone: bool = False) -> str:
    """Take the fault `first` and, unless it is to be alone, none to two others of each side."""
    names = [] if alone else dice.sample(sorted(LINK_FAULTS), dice.choice((0, 0, 0, 1, 2)))
    names += [first] if first in LINK_FAULTS and first not in names else []
    link = [LINK_FAULTS[n](dice) for n in names if n != "unplugged" or "cut" not in names]
    others = [] if alone else dice.sample(sorted(VEHICLE_FAULTS), dice.choice((0, 0, 1, 1, 2)))
    others += [first] if first in VEHICLE_FAULTS and first not in others else []
    options = [f"seed={dice.randrange(10**6)}", *link]
    if others:
        options.append("fault=" + ",".join(VEHICLE_FAULTS[n](dice) for n in others))
    return ("chaos+" if link else "") + SIM + "?" + "&".join(dict.fromkeys(options))


@contextmanager
def connected_by_usb(root: Path, url: str, kind: str, dice: Dice) -> Iterator[Connection]:
    """Connect over the bus, with the faults that `url` asks for."""
    clock = VirtualClock()
    wanted = parse(url)
    bus = UsbBus(url, root, clock, kind, dice.uniform(0.1, 6), powered=dice.random() < 0.5)
    link: Any = UsbLink(bus, clock)
    for wrapper in wanted.wrappers:
        link = ChaosLink(link, Faults.from_options(wrapper.options), clock)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dronekit_cfg.engine.connection.open_link", lambda *_, **__: link)
        with connected(root, url, clock) as connection:
            yield connection
