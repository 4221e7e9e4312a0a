"""Kill the program at random moments of an apply to a real ArduCopter SITL, recover, and judge: old or new state?

Run: python benchmarks/kill_sitl.py [--kills 50] [--seed 1] [--seconds 12]

The state is judged by reading every setting over a new connection, not by what `recover` says of itself.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from vehicle import arducopter

from dronekit_cfg.engine.connection import Connection, LinkOptions, connect
from dronekit_cfg.engine.recover import recover
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import apply
from dronekit_cfg.errors import DronekitError
from dronekit_cfg.families.ardupilot.quirks import protected
from dronekit_cfg.model import Origin, Snapshot, Value, Wanted
from dronekit_cfg.planner.plan import Goal

WANTED: dict[str, float] = {
    "FENCE_ALT_MAX": 77,
    "FS_THR_VALUE": 960,
    "EK3_CHECK_SCALE": 110,
    "FS_EKF_THRESH": 0.7,
    "LOG_BITMASK": 180223,
    "BATT2_MONITOR": 4,
    "BATT2_CAPACITY": 5200,
    "WPNAV_SPEED": 740,
    "LAND_SPEED": 45,
    "SERVO9_MIN": 1050,
    "SERVO10_MIN": 1050,
    "RC9_DZ": 11,
}
PROFILE = (
    "format: dronekit-cfg/profile/v1\nname: kills\nversion: 1.0.0\nfamily: ardupilot\nvehicle: copter\nsettings:\n"
)


def look(connection: Connection) -> dict[str, Value]:
    """Give all settings that do not change by themselves."""
    return steady(connection.snapshot(also=list(WANTED)))


def steady(snapshot: Snapshot) -> dict[str, Value]:
    return {s.name: s.value for s in snapshot.settings if protected(s.name) not in {"volatile", "read-only"}}


def verdict(now: dict[str, Value], old: dict[str, Value]) -> str:
    """Say which state this is."""
    differs = [n for n, v in old.items() if n in now and not v.same(now[n])]
    if not differs:
        return "old"
    others = [n for n in differs if n not in WANTED]
    missing = [n for n, v in WANTED.items() if n not in now or abs(now[n].number - v) > 1e-6 * abs(v)]
    return f"NEITHER: {differs} {missing}" if others or missing else "new"


def one_kill(url: str, root: Path, profile: Path, moment: float) -> str:
    """Let it work until `moment` seconds after its first word, kill it, recover; give what the journal led to."""
    command = [sys.executable, "-m", "dronekit_cfg", "apply", str(profile), "--link", url, "--yes"]
    with subprocess.Popen(
        [*command, "--state-dir", str(root)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        process.stderr.readline()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(moment)
        finished = process.poll() is not None
        process.kill()
        last = [line.strip() for line in process.stderr if line.startswith("- ")]
    for _ in range(40):  # the vehicle may be in the middle of its reboot
        try:
            with connect(LinkOptions(url, family="ardupilot", state_dir=root)) as connection:
                receipt = recover(connection, StateDir(root))
            break
        except DronekitError as error:
            problem = str(error)
            time.sleep(0.5)
    else:
        return f"cannot recover: {problem}"
    how = f"recover: {receipt.result}" if receipt else "finished" if finished else "nothing to recover"
    return f"{how} (killed at: {last[-1] if last else 'connect'})"


def restore(url: str, root: Path, old: dict[str, Value]) -> None:
    """Bring the old values back for the next kill."""
    values = tuple(Wanted(n, old[n].raw, Origin("kills")) for n in WANTED if n in old)
    with connect(LinkOptions(url, family="ardupilot", state_dir=root)) as connection:
        apply(connection, Goal("back", "sha256:0", values), StateDir(root))


def main() -> int:
    """Kill, recover, judge; exit code 1 when a state was neither old nor new."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=12.0)
    options = parser.parse_args()
    dice = random.Random(options.seed)
    tally: Counter[str] = Counter()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        profile, root = home / "kills.yaml", home / "state"
        profile.write_text(PROFILE + "".join(f"  {n}: {v}\n" for n, v in WANTED.items()))
        with arducopter(home) as url:
            with connect(LinkOptions(url, family="ardupilot", state_dir=root)) as connection:
                old = look(connection)
            for number in range(options.kills):
                how = one_kill(url, root, profile, dice.uniform(0, options.seconds))
                with connect(LinkOptions(url, family="ardupilot", state_dir=root)) as connection:
                    state = verdict(look(connection), old)
                tally[state] += 1
                print(f"{number + 1:3}  {state:8} {how}", flush=True)
                if state != "old":
                    restore(url, root, old)
    print(dict(tally))
    return 0 if set(tally) <= {"old", "new"} else 1


if __name__ == "__main__":
    raise SystemExit(main())
