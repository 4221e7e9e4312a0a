"""Kill the program at random moments of an apply to a real simulator, recover, and judge: old or new state?

Run: python benchmarks/kill_sitl.py [arducopter|betaflight|px4] [--kills 50] [--seed 1]

Two of three kills are aimed at the time in which settings are written, read back and, where a family does that, saved;
the rest at the time from there to the end. The state is judged by reading every setting over a new connection, not by
what `recover` says of itself. The simulator lives on when the program is killed, as a vehicle does.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from vehicle import arducopter, betaflight, px4

from dronekit_cfg.engine.connection import Connection, LinkOptions, connect
from dronekit_cfg.engine.recover import recover
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import apply
from dronekit_cfg.errors import LinkError
from dronekit_cfg.model import Origin, Result, Value, Wanted
from dronekit_cfg.planner.plan import Goal

Values = Mapping[str, float | int]
TRIES = 5
INCLUDE = frozenset({"calibration"})


@dataclass(frozen=True)
class Rig:
    """A simulator, and many settings that are safe to change, so that writing them takes its time."""

    family: str
    wanted: Values
    start: Callable[[Path], AbstractContextManager[tuple[str, Callable[[], None]]]]


def always_on(
    start: Callable[[Path], AbstractContextManager[str]],
) -> Callable[[Path], AbstractContextManager[tuple[str, Callable[[], None]]]]:
    """Give a simulator that never needs its power switch."""

    @contextmanager
    def started(folder: Path) -> Iterator[tuple[str, Callable[[], None]]]:
        with start(folder) as url:
            yield url, lambda: None

    return started


RIGS: Mapping[str, Rig] = {
    "arducopter": Rig(
        "ardupilot",
        {
            "FENCE_ALT_MAX": 77,
            "FS_THR_VALUE": 960,
            "EK3_CHECK_SCALE": 110,
            "FS_EKF_THRESH": 0.7,
            "LOG_BITMASK": 180223,
            "BATT2_MONITOR": 4,
            "BATT2_CAPACITY": 5200,
            "WPNAV_SPEED": 740,
            "LAND_SPEED": 45,
            **{f"SERVO{n}_{end}": value for n in range(5, 17) for end, value in (("MIN", 1050), ("MAX", 1950))},
            **{f"RC{n}_DZ": 11 for n in range(5, 17)},
            **{f"RC{n}_{end}": value for n in range(5, 17) for end, value in (("MIN", 1005), ("MAX", 1995))},
        },
        always_on(arducopter),
    ),
    "betaflight": Rig(
        "betaflight",
        {
            "small_angle": 40,
            "failsafe_delay": 20,
            "failsafe_throttle": 1200,
            **{f"profile.{n}.{k}_{axis}": 44 for n in range(3) for k in "pid" for axis in ("pitch", "roll")},
            **{f"rateprofile.{n}.{axis}_srate": 61 for n in range(4) for axis in ("roll", "pitch", "yaw")},
        },
        betaflight,
    ),
    "px4": Rig(
        "px4",
        {
            "COM_RC_LOSS_T": 1.5,
            "COM_DL_LOSS_T": 15,
            "MPC_XY_VEL_MAX": 11.3,
            "EKF2_NOAID_TOUT": 4000000,
            "GF_MAX_HOR_DIST": 450,
            "TRIG_MODE": 1,
            "TRIG_INTERVAL": 50,
            **{f"RC{n}_{end}": value for n in range(7, 19) for end, value in (("MIN", 1010), ("MAX", 1990))},
        },
        always_on(px4),
    ),
}


@dataclass
class Bench:
    """One running simulator with a state folder, and the state that every kill begins with."""

    rig: Rig
    url: str
    power_cycle: Callable[[], None]
    root: Path
    profile: Path

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """Connect, patiently: the vehicle may be in the middle of its reboot."""
        last: LinkError | None = None
        with ExitStack() as stack:
            for number in range(1, 61):
                try:
                    options = LinkOptions(self.url, family=self.rig.family, state_dir=self.root)
                    connection = stack.enter_context(connect(options))
                    break
                except LinkError as error:
                    last = error
                    time.sleep(0.5)
                    if number % 4 == 0:
                        self.power_cycle()
            else:
                raise SystemExit(f"the simulator does not come back: {last}")
            yield connection

    def look(self) -> dict[str, Value]:
        """Give all settings that do not change by themselves."""
        with self.connected() as connection:
            found = connection.snapshot(also=list(self.rig.wanted)).settings
            keep = connection.driver.protected
            return {s.name: s.value for s in found if keep(s.name) not in {"volatile", "read-only"}}

    def program(self) -> subprocess.Popen[str]:
        """Start an apply as a user does, and wait until it begins to write; a vehicle that is booting gets time."""
        said: list[str] = []
        for _ in range(TRIES):
            process = self._start(said)
            if process is not None:
                return process
            time.sleep(2)
        raise SystemExit("it never began to write:\n" + "".join(said))

    def _start(self, said: list[str]) -> subprocess.Popen[str] | None:
        command = [sys.executable, "-m", "dronekit_cfg", "apply", str(self.profile), "--link", self.url, "--yes"]
        command += ["--include", *INCLUDE, "--state-dir", str(self.root)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        for line in process.stderr:
            said.append(line)
            if line.startswith("- write"):
                return process
        process.wait()
        return None

    def windows(self) -> tuple[float, float]:
        """Give how long an undisturbed apply takes from its first write to the next stage, and to its end."""
        process = self.program()
        start = time.monotonic()
        assert process.stderr is not None
        stages = [time.monotonic() - start for line in process.stderr if line.startswith("- ")]
        code = process.wait()
        if code:
            raise SystemExit(f"an apply that nobody disturbs ends in {code}")
        return stages[min(1, len(stages) - 1)], time.monotonic() - start

    def kill(self, moment: float) -> str:
        """Kill an apply `moment` seconds after its first write begins; give how the recovery ended."""
        process = self.program()
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        _, rest = process.communicate()
        last = [line for line in rest.splitlines() if line.startswith("- ")]
        with self.connected() as connection:
            receipt = recover(connection, StateDir(self.root))
        how = f"recover: {receipt.result}" if receipt else "no open journal"
        return f"{how:24} killed after {moment:6.3f} s, in: {last[-1][2:] if last else 'write settings'}"

    def put_back(self, old: Mapping[str, Value], now: Mapping[str, Value]) -> None:
        """Bring the old values back for the next kill."""
        changed = [n for n, v in old.items() if n in self.rig.wanted or (n in now and not v.same(now[n]))]
        values = tuple(Wanted(n, old[n].raw, Origin("kills")) for n in changed if n in old)
        for _ in range(TRIES):
            with self.connected() as connection:
                receipt = apply(connection, Goal("back", "sha256:0", values, INCLUDE), StateDir(self.root))
                if receipt.result is Result.IN_DOUBT:
                    recover(connection, StateDir(self.root))
            if receipt.result in {Result.DONE, Result.UNCHANGED}:
                return
        raise SystemExit(f"the old values cannot be put back: {receipt.problems}")


def differing(now: Mapping[str, Value], then: Mapping[str, Value]) -> list[str]:
    """Give the settings of `then` that are not so any more; what was hidden may be hidden again."""
    return [f"{n} {v} -> {now[n]}" for n, v in then.items() if n in now and not v.same(now[n])]


def verdict(now: Mapping[str, Value], old: Mapping[str, Value], new: Mapping[str, Value], wanted: Values) -> str:
    """Say which state this is. `new` was read after an apply that nobody disturbed."""
    not_old, not_new = differing(now, old), differing(now, new)
    if not not_old:
        return "old"
    missing = [n for n in wanted if n not in now]
    return f"NEITHER: not old {not_old}, not new {not_new} {missing}" if not_new or missing else "new"


def run(bench: Bench, kills: int, dice: random.Random) -> Counter[str]:
    """Kill, recover, judge, put back, as often as asked."""
    old = bench.look()
    writing, whole = bench.windows()
    print(f"writing takes {writing:.2f} s, all from there to the end {whole:.2f} s", flush=True)
    new = bench.look()
    if missing := [n for n, v in bench.rig.wanted.items() if abs(new[n].number - v) > 1e-6 * abs(v)]:
        raise SystemExit(f"the vehicle does not take {missing}")
    bench.put_back(old, new)
    tally: Counter[str] = Counter()
    for number in range(kills):
        how = bench.kill(dice.uniform(0, writing if dice.random() < 2 / 3 else whole))
        now = bench.look()
        state = verdict(now, old, new, bench.rig.wanted)
        tally[state] += 1
        print(f"{number + 1:3}  {state:4} {how}", flush=True)
        if state != "old":
            bench.put_back(old, now)
    return tally


def main() -> int:
    """Exit code 1 when a state was neither old nor new."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rig", nargs="?", choices=sorted(RIGS), default="arducopter")
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rig = RIGS[options.rig]
    kind = "" if rig.family == "betaflight" else "vehicle: copter\n"
    text = f"format: dronekit-cfg/profile/v1\nname: kills\nversion: 1.0.0\nfamily: {rig.family}\n{kind}settings:\n"
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        profile = home / "kills.yaml"
        profile.write_text(text + "".join(f"  {n}: {v}\n" for n, v in rig.wanted.items()))
        simulator = home / "simulator"
        simulator.mkdir()
        with rig.start(simulator) as (url, power_cycle):
            tally = run(
                Bench(rig, url, power_cycle, home / "state", profile), options.kills, random.Random(options.seed)
            )
    print(f"{options.rig}, seed {options.seed}, {options.kills} kills: {dict(tally)}")
    return 0 if set(tally) <= {"old", "new"} else 1


if __name__ == "__main__":
    raise SystemExit(main())
