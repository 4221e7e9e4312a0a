"""Whatever goes wrong with any device, at any moment, the whole aircraft ends exactly old or exactly new.

What the devices hold is read from the memory of their twins, not through the engine. The flight controller has a tenth
of its settings, and no disk is waited for, so that 500 runs stay quick.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.engine.aircraft import apply_aircraft
from dronekit_cfg.engine.aircraft_plan import AircraftOptions, Device, Host, prepare_aircraft
from dronekit_cfg.engine.aircraft_recover import recover_aircraft
from dronekit_cfg.engine.connection import Connection, LinkOptions, connect
from dronekit_cfg.engine.interrupt import Stop
from dronekit_cfg.engine.judge import Terms
from dronekit_cfg.engine.knowledge import spec_for_vehicle
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.errors import DronekitError, LinkLost
from dronekit_cfg.families.ardupilot import simulated
from dronekit_cfg.families.ardupilot.simulated_data import Firmware, load_firmware
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model import Identity, Origin, Result, Scalar, Spec, Wanted
from dronekit_cfg.model.aircraft import AircraftReceipt
from dronekit_cfg.planner.plan import Goal
from dronekit_cfg.sim.memory import Memory

TWINS = {"vehicle": "ardupilot-copter", "gnss": "ublox-m10", "radio": "sik-pair"}
FAMILIES = {"vehicle": "ardupilot", "gnss": "ublox", "radio": "sik"}
FILES = {"vehicle": "ardupilot-copter-4.7-dev-1.log", "gnss": "ublox-m10-1.log", "radio": "sik-pair-1.log"}
OLD: dict[str, dict[str, Scalar]] = {
    "vehicle": {"FENCE_ALT_MAX": 81, "FS_THR_VALUE": 971, "BATT2_MONITOR": 0},
    "gnss": {"CFG-NAVSPG-INFIL_MINELEV": 7, "CFG-RATE-MEAS": 500},
    "radio": {"NETID": 31, "remote.NETID": 31, "ECC": 0, "remote.ECC": 0},
}
NEW: dict[str, dict[str, Scalar]] = {
    "vehicle": {"FENCE_ALT_MAX": 77, "FS_THR_VALUE": 960, "BATT2_MONITOR": 4},
    "gnss": {"CFG-NAVSPG-INFIL_MINELEV": 10, "CFG-RATE-MEAS": 200},
    "radio": {"NETID": 112, "remote.NETID": 112, "ECC": 1, "remote.ECC": 1},
}
States = tuple[dict[str, Any], dict[str, Any], dict[str, bytes], int]
RESTLESS = ("STAT_", "INS_GYR", "INS_ACC", "COMPASS_DEC", "BARO", "boot", "uptime")


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it, nothing cleans up."""


@dataclass
class Trouble:
    """What happens at the n-th use of the links of one device (or of any), and the faults that its twin has."""

    role: str = ""
    at: int = 0
    kind: str = ""
    fault: str = ""
    uses: int = 0
    dead: bool = False

    def use(self, role: str, stop: Stop) -> None:
        if self.dead:
            raise Killed
        if self.role not in {"", role}:
            return
        self.uses += 1
        if self.uses != self.at:
            return
        if self.kind == "kill":
            self.dead = True
            raise Killed
        if self.kind == "stop":
            stop.ask()
        if self.kind == "cut":
            raise LinkLost("the cable was pulled")


class Watched:
    """A link that lets trouble happen when it is used."""

    def __init__(self, link: Any, role: str, trouble: Trouble, stop: Stop) -> None:
        self._link, self._role, self._trouble, self._stop = link, role, trouble, stop

    def read(self, timeout: float) -> bytes:
        self._trouble.use(self._role, self._stop)
        return bytes(self._link.read(timeout))

    def write(self, data: bytes) -> None:
        self._trouble.use(self._role, self._stop)
        self._link.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._link, name)


class Bench:
    """Three twins with one state folder and one clock that only runs when somebody waits."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.clock = VirtualClock()
        self.state = StateDir(root)

    def link(self, role: str, fault: str = "") -> LinkOptions:
        url = f"sim:{TWINS[role]}" + (f"?fault={fault}" if fault else "")
        return LinkOptions(url, family=FAMILIES[role], state_dir=self.root)

    def host(self, trouble: Trouble | None = None) -> Host:
        stop = Stop()
        roles = {twin: role for role, twin in TWINS.items()}

        @contextmanager
        def opened(options: LinkOptions) -> Iterator[Connection]:
            with connect(options, clock=self.clock, stop=stop) as connection:
                if trouble is not None:
                    role = roles[options.url.removeprefix("sim:").partition("?")[0]]
                    connection.link = connection.runner.link = Watched(connection.link, role, trouble, stop)
                yield connection

        return Host(opened, self.state, self.clock, stop)

    def apply(self, wanted: Mapping[str, Mapping[str, Scalar]], trouble: Trouble | None = None) -> AircraftReceipt:
        def device(role: str) -> Device:
            fault = trouble.fault if trouble is not None and trouble.role == role else ""
            return Device(role, self.link(role, fault), goal_of(wanted[role]))

        host = self.host(trouble)
        ready = prepare_aircraft(device("vehicle"), lambda _: [device("gnss"), device("radio")], host, writing=True)
        return apply_aircraft(ready, host, AircraftOptions(profile="test"))

    def recover(self, trouble: Trouble | None = None) -> AircraftReceipt | None:
        host = self.host(trouble)
        with host.open(self.link("vehicle")) as connection:
            story = self.state.open_aircraft(connection.identity.key)
        return recover_aircraft(story, host, lambda part: self.link(part.role)) if story else None

    def held(self) -> dict[str, dict[str, Any]]:
        """Give everything that the twins have stored, but for what changes by itself."""
        found = {}
        for role, file in FILES.items():
            with Memory(self.root / file) as memory:
                found[role] = {n: v for n, v in memory.values.items() if not any(w in n for w in RESTLESS)}
        if found["vehicle"].get("BATT2_MONITOR") == 0:  # the default: stored or not is the same
            del found["vehicle"]["BATT2_MONITOR"]
        return found

    def journals(self) -> list[Path]:
        return [p for p in self.root.glob("**/journals/*.jsonl") if p.stat().st_size]


def goal_of(values: Mapping[str, Scalar]) -> Callable[[Identity], tuple[Goal, Terms]]:
    wanted = tuple(Wanted(n, v, Origin("test")) for n, v in values.items())
    return lambda _: (Goal("test", "sha256:0", wanted), Terms())


@cache
def small_firmware(version: str) -> Firmware:
    """Give a firmware with what the works touch, what it needs to be one, and a sample of the rest."""
    full = load_firmware(version)
    keep = {*OLD["vehicle"], "MAV_SYSID", "FORMAT_VERSION", "STAT_BOOTCNT", "STAT_RUNTIME"}
    chosen = (fact for row, fact in enumerate(full.parameters) if fact.name in keep or row % 10 == 0)
    return replace(full, parameters=tuple(chosen))


@cache
def cached_spec(identity: Identity, root: Path | None = None) -> Spec | None:
    return spec_for_vehicle(identity)


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(simulated, "load_firmware", small_firmware)
        patch.setattr("dronekit_cfg.engine.knowledge.spec_for_vehicle", cached_spec)
        patch.setattr("os.fsync", lambda _: None)
        yield


@pytest.fixture(scope="module")
def states(
    quick: None, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], dict[str, Any], dict[str, bytes], int]:
    """What the twins hold in the old and in the new state, the files of the old one, and how long an apply is."""
    bench = Bench(tmp_path_factory.mktemp("states"))
    assert bench.apply(OLD).result is Result.DONE
    old = bench.held()
    files = {name: (bench.root / name).read_bytes() for name in FILES.values()}
    counter = Trouble(at=-1)
    assert bench.apply(NEW, counter).result is Result.DONE
    new = bench.held()
    assert all(old[role] != new[role] for role in TWINS)
    return old, new, files, counter.uses


def fresh(root: Path, files: Mapping[str, bytes]) -> Bench:
    for name, data in files.items():
        (root / name).write_bytes(data)
    return Bench(root)


TWIN_FAULTS = {
    "vehicle": ["deny:FENCE_ALT_MAX", "deny:FS_THR_VALUE", "clamp:FENCE_ALT_MAX:70", "reboot-mid:2"],
    "gnss": ["deny:CFG-RATE-MEAS", "clamp:CFG-NAVSPG-INFIL_MINELEV:9", "mute-after:1", "reboot-mid:1", "ram-only"],
    "radio": ["deny:remote.ECC", "clamp:NETID:50", "remote-gone:2", "reboot-mid:3", "ram-only", "mute-after:3"],
}


def trouble_of(seed: int, length: int) -> Trouble:
    """Draw what goes wrong: a kill, a stop, a pulled cable, or a fault of one device, alone or with a kill."""
    dice = random.Random(seed)
    kind = dice.choice(["kill", "kill", "kill", "cut", "stop", "fault", "fault+kill"])
    role = dice.choice(list(TWINS))
    if kind == "kill":
        return Trouble("", dice.randrange(1, length), "kill")
    if "fault" in kind:
        at = dice.randrange(1, length // 2) if "kill" in kind else 0
        return Trouble(role, at, "kill", dice.choice(TWIN_FAULTS[role]))
    return Trouble(role, dice.randrange(1, length // 2), kind)


BLOCK = 25


@pytest.mark.parametrize("block", range(500 // BLOCK))
def test_after_any_of_500_faults_all_devices_are_old_or_all_are_new(block: int, states: States, tmp_path: Path) -> None:
    old, new, files, length = states
    for seed in range(block * BLOCK, block * BLOCK + BLOCK):
        root = tmp_path / str(seed)
        root.mkdir()
        bench = fresh(root, files)
        trouble = trouble_of(seed, length)
        result: Result | None = None
        try:
            result = bench.apply(NEW, trouble).result
        except (DronekitError, Killed):
            if seed % 3 == 0 and bench.journals():  # killed again while it recovers
                again = Trouble("", random.Random(seed).randrange(1, length), "kill")
                with suppress(DronekitError, Killed):
                    bench.recover(again)
        for _ in range(3):
            if not bench.journals():
                break
            bench.recover()
        found = bench.held()
        story = f"seed {seed}: {trouble}, {result}"
        assert found in (old, new), story
        assert result is not Result.DONE or found == new, story
        assert result is not Result.ROLLED_BACK or found == old, story
        assert not bench.journals(), story
