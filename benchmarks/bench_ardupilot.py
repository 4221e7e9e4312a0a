"""How fast settings of an ArduPilot vehicle are read and written, beside its peers, on the same vehicle.

Run: python benchmarks/bench_ardupilot.py [URL] [--runs 5] [--links tcp,radio,lossy] [--peers all|none|NAME,...]
     python benchmarks/bench_ardupilot.py --targets     (what we promise, measured by us alone, in two minutes)

Without a URL (tcp:HOST:PORT, a vehicle whose settings may be changed and are put back) it starts `arducopter` from
PATH. The peers are installed by pip into virtual environments in a temporary folder, or in --venvs FOLDER where they
are kept. Prints a Markdown table of medians; bytes are counted on the emulated radio, both ways. "of the line" is the
time as a multiple of what the bytes to us need at that baud rate, those that got lost included. The table of targets
comes last; its peak memory is that of a whole `apply` with reboot on a vehicle of its own.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from targets import COMBINATIONS, peak_memory, target_rows
from vehicle import vehicle

from dronekit_cfg.engine.connection import Connection, LinkOptions, connect
from dronekit_cfg.errors import LinkError
from dronekit_cfg.families.ardupilot.quirks import phase_of, protected
from dronekit_cfg.model import INT_RANGES, Change, Phase, Snapshot, Value

HERE = Path(__file__).resolve().parent
BAUD = 57600
LINKS = {
    "tcp": ("TCP", ""),
    "radio": ("57600 baud, 20 ms, 2 % loss", f"baud={BAUD}&latency=0.02&loss=0.02"),
    "lossy": ("57600 baud, 20 ms, 20 % loss", f"baud={BAUD}&latency=0.02&loss=0.2"),
}
WORKS = {
    "download": ("download", 0, "full download"),
    "write170": ("write", 170, "170 writes, confirmed, full read-back"),
    "echo170": ("write-echo", 170, "170 writes, every echo compared"),
    "write900": ("write", 900, "900 writes (450 settings twice), confirmed, full read-back"),
}
RUN_SECONDS = 240
CONNECT_TRIES = 5
MOST = 500
OFF_LIMITS = (
    "BRD_",
    "CAN_",
    "COMPASS_",
    "EK3_",
    "FRAME",
    "GPS",
    "INS_",
    "LOG_",
    "MAV",
    "NET_",
    "SCHED_",
    "SERIAL",
    "SIM_",
)
"""Beginnings of integer settings that a simulator may not survive when they are changed at random."""


@dataclass(frozen=True)
class Tool:
    """One contestant: its script, what pip installs for it ("" for ourselves), and the works it can do."""

    name: str
    script: str
    package: str = ""
    works: frozenset[str] = frozenset({"download", "write"})


TOOLS = (
    Tool("dronekit-cfg", "ourselves.py", works=frozenset({"download", "write", "write-echo"})),
    Tool("pymavlink list, mavset", "pymavlink_list.py", "pymavlink"),
    Tool("pymavlink mavftp", "pymavlink_ftp.py", "pymavlink", frozenset({"download"})),
    Tool("MAVSDK", "mavsdk_param.py", "mavsdk"),
    Tool("MethodicConfigurator", "methodic.py", "ardupilot-methodic-configurator"),
)


@dataclass
class Tally:
    """What the runs of one tool at one work on one link came to."""

    seconds: list[float] = field(default_factory=list)
    connects: list[float] = field(default_factory=list)
    carried: list[int] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    wrong: int = 0
    problem: str = ""


class Bench:
    """Runs the tools and judges what they did with a connection of its own."""

    def __init__(self, url: str, folder: Path, venvs: Path) -> None:
        self.url = url
        self.folder = folder
        self.venvs = venvs
        self.versions: dict[str, str] = {}
        self.base = self.look()

    def look(self) -> Snapshot:
        with self._connected() as connection:
            return connection.snapshot()

    def put(self, values: dict[str, Value]) -> None:
        with self._connected() as connection:
            connection.run(connection.driver.write([Change(n, None, v, Phase.SET) for n, v in values.items()]))

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """Connect as the judge; the vehicle serves one client, and may not have let go of the last one yet."""
        for left in range(CONNECT_TRIES - 1, -1, -1):
            with ExitStack() as stack:
                try:
                    connection = stack.enter_context(connect(LinkOptions(self.url, family="ardupilot")))
                except LinkError:
                    if not left:
                        raise
                    time.sleep(1)
                    continue
                yield connection
                return

    def changes(self, count: int) -> list[Change]:
        """Give `count` writes of values next to those that are there: half of them whole numbers, if there are so many.

        More than MOST writes go to half as many settings, each twice: the storage of the vehicle holds no more.
        """
        if count > MOST:
            first = self.changes(count // 2)
            again = [Change(c.name, c.wanted, _next_to(c.wanted), c.phase) for c in first]
            return first + again
        usual = [s for s in self.base.settings if phase_of(s.name) is Phase.SET]
        usual = [s for s in usual if protected(s.name) in {"", "calibration"}]
        whole = [s for s in usual if s.value.kind.is_integer and not s.name.startswith(OFF_LIMITS)]
        broken = [s for s in usual if not s.value.kind.is_integer]
        chosen = whole[: max(count // 2, count - len(broken))] + broken[: count - min(count // 2, len(whole))]
        return [Change(s.name, s.value, _next_to(s.value), Phase.SET) for s in chosen[:count]]

    def python(self, tool: Tool) -> Path:
        """Give the interpreter that has the tool; makes its virtual environment when it is not there yet."""
        if not tool.package:
            return Path(sys.executable)
        home = self.venvs / tool.package
        found = home / ("Scripts/python.exe" if platform.system() == "Windows" else "bin/python")
        if not found.exists():
            print(f"installing {tool.package} ...", file=sys.stderr)
            subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
            subprocess.run([str(found), "-m", "pip", "install", "--quiet", tool.package], check=True)
        ask = f"from importlib.metadata import version; print(version({tool.package!r}))"
        answer = subprocess.run([str(found), "-c", ask], check=True, capture_output=True, text=True)
        self.versions[tool.package] = answer.stdout.strip()
        return found

    def run(self, tool: Tool, work: str, changes: list[Change], faults: str) -> tuple[dict[str, float], int | None]:
        """Let a tool do its work once; give what it said, and the bytes carried where they were counted."""
        python = self.python(tool)
        file = self.folder / "changes.json"
        file.write_text(
            json.dumps([[c.name, c.wanted.kind.value, c.wanted.raw, c.old.raw if c.old else 0] for c in changes])
        )
        with self._address(faults) as (address, carried):
            command = [str(python), str(HERE / "peers" / tool.script), address, work, str(file)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS, check=False)
        lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
        if done.returncode or not lines:
            raise RuntimeError((done.stderr.strip().splitlines() or ["it said nothing"])[-1][:100])
        said: dict[str, float] = json.loads(lines[-1])
        return said, carried[0] if carried else None

    @contextmanager
    def _address(self, faults: str) -> Iterator[tuple[str, list[int]]]:
        """Give host:port of the vehicle or of a radio in front of it, and a list that takes the bytes it carried."""
        carried: list[int] = []
        if not faults:
            yield self.url.removeprefix("tcp:"), carried
            return
        command = [sys.executable, str(HERE / "radio.py"), f"chaos+{self.url}?{faults}"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as radio:
            assert radio.stdout is not None
            try:
                yield f"127.0.0.1:{int(radio.stdout.readline())}", carried
                counts = json.loads(radio.communicate(timeout=10)[0])
                carried.append(counts["up"] + counts["down"])
            finally:
                radio.kill()

    def measure(self, tool: Tool, work: str, faults: str, runs: int) -> Tally:
        """Let a tool do one work several times on one link."""
        kind, count, _ = WORKS[work]
        changes, tally = self.changes(count), Tally()
        wanted = {c.name: c.wanted for c in changes}
        for number in range(runs):
            try:
                said, carried = self.run(tool, kind, changes, faults and f"{faults}&seed={number}")
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                tally.problem = f"over {RUN_SECONDS} s" if isinstance(error, subprocess.TimeoutExpired) else str(error)
                self._put_back(wanted)
                break
            tally.seconds.append(said["seconds"])
            tally.connects.append(said["connect"])
            if carried is not None:
                tally.carried.append(carried)
            if "received" in said and faults:
                lost = float(faults.partition("loss=")[2].partition("&")[0])
                tally.shares.append(said["seconds"] * BAUD / 10 * (1 - lost) / said["received"])
            tally.wrong += self._wrong(wanted, int(said["settings"]))
            self._put_back(wanted)
        return tally

    def _wrong(self, wanted: dict[str, Value], found: int) -> int:
        """Count what the vehicle holds otherwise than wanted or, for a download, what is missing."""
        if not wanted:
            return abs(len(self.base.settings) - found)
        now = self.look()
        return sum(not value.same(now.value(name)) for name, value in wanted.items())

    def _put_back(self, wanted: dict[str, Value]) -> None:
        time.sleep(0.3)  # a peer that was ended may still be letting go of the vehicle's one connection
        if wanted:
            self.put({name: old for name in wanted if (old := self.base.value(name)) is not None})


def _next_to(value: Value) -> Value:
    """Give a value near this one."""
    if not value.kind.is_integer:
        return Value(value.kind, value.number * 1.0005 + 0.0005)
    _, high = INT_RANGES[value.kind]
    return Value(value.kind, int(value.number) + (1 if value.number < high else -1))


def row(tool: Tool, tally: Tally) -> str:
    """Give one line of the table."""
    if not tally.seconds:
        return f"| {tool.name} | failed: {tally.problem} | | | | |"
    size = f"{statistics.median(tally.carried) / 1000:.1f} kB" if tally.carried else ""
    note = f" ({len(tally.seconds)} runs, then: {tally.problem})" if tally.problem else ""
    spread = f"{min(tally.seconds):.2f} to {max(tally.seconds):.2f}"
    share = f"{statistics.median(tally.shares):.2f}" if tally.shares else ""
    middle = statistics.median(tally.seconds)
    return (
        f"| {tool.name} | {middle:.2f} s ({spread}){note} | {statistics.median(tally.connects):.2f} s | {size} "
        f"| {share} | {tally.wrong} |"
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", nargs="?", default="")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--links", default="tcp,radio")
    parser.add_argument("--works", default="download,write170,echo170,write900")
    parser.add_argument("--peers", default="all")
    parser.add_argument("--venvs", type=Path)
    parser.add_argument("--targets", action="store_true", help="only what the table of targets needs, without peers")
    options = parser.parse_args()
    if options.targets:
        options.peers, options.links = "none", "tcp,radio,lossy"
    wanted = {"all": [t.name for t in TOOLS], "none": [TOOLS[0].name]}.get(options.peers, options.peers.split(","))
    tools = [t for t in TOOLS if t.name in wanted or t is TOOLS[0]]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, vehicle(options.url) as url:
        bench = Bench(url, Path(folder), options.venvs or Path(folder))
        print(f"{bench.base.identity.version_text}, {len(bench.base.settings)} settings; ", end="")
        print(
            f"{platform.system()} {platform.machine()}, Python {platform.python_version()}; {time.strftime('%Y-%m-%d')}"
        )
        ours: dict[tuple[str, str], Tally] = {}
        for link in options.links.split(","):
            title, faults = LINKS[link]
            for work in options.works.split(","):
                if (work, link) not in COMBINATIONS and (options.targets or link == "lossy"):
                    continue
                kind, _, text = WORKS[work]
                head = "| tool | median (range) | connect | carried | of the line | wrong or missing |"
                print(f"\n### {text}, {title}\n\n{head}\n|---|---|---|---|---|---|", flush=True)
                for tool in tools:
                    if kind in tool.works:
                        tally = bench.measure(tool, work, faults, options.runs)
                        print(row(tool, tally), flush=True)
                        if tool is TOOLS[0]:
                            ours[work, link] = tally
        seconds, shares = {k: v.seconds for k, v in ours.items()}, {k: v.shares for k, v in ours.items()}
        print("\n### Targets\n\n" + "\n".join(target_rows(seconds, shares, peak_memory())))
        print("\nversions: " + ", ".join(f"{n} {v}" for n, v in sorted(bench.versions.items())))


if __name__ == "__main__":
    main()
