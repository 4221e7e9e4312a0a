"""The program as a process among others: killed, told to stop, without disk, beside another one of itself."""

from __future__ import annotations

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dronekit_cfg.engine.connection import Connection, LinkOptions, connect
from dronekit_cfg.engine.journal import Journal, read_journal
from dronekit_cfg.engine.recover import recover
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import apply
from dronekit_cfg.errors import DronekitError, InDoubt, StateError
from dronekit_cfg.families.ardupilot.quirks import protected
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model import Origin, Result, Value, Wanted
from dronekit_cfg.planner.plan import Goal

SIM = "sim:ardupilot-copter"
WANTED: dict[str, float] = {
    "FENCE_ALT_MAX": 77,
    "FS_THR_VALUE": 960,
    "EK3_CHECK_SCALE": 110,
    "FS_EKF_THRESH": 0.7,
    "LOG_BITMASK": 180223,
    "BATT2_MONITOR": 4,
    "BATT2_CAPACITY": 5200,
}
GOAL = Goal("processes", "sha256:0", tuple(Wanted(n, v, Origin("test")) for n, v in WANTED.items()))
PROFILE = """format: dronekit-cfg/profile/v1
name: processes
version: 1.0.0
family: ardupilot
vehicle: copter
settings:
""" + "".join(f"  {name}: {value}\n" for name, value in WANTED.items())
APPLY_SECONDS = 5.0
"""How long an apply to the simulated vehicle takes at most on an idle machine: it waits for the boot."""
KILLS_AT_ONCE = 10
posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals of this kind")


@contextmanager
def connected(root: Path) -> Iterator[Connection]:
    with connect(LinkOptions(SIM, family="ardupilot", state_dir=root), clock=VirtualClock()) as connection:
        yield connection


def held(connection: Connection) -> dict[str, Value]:
    found = connection.snapshot(also=list(WANTED))
    return {s.name: s.value for s in found.settings if protected(s.name) not in {"volatile", "read-only"}}


def is_new(values: dict[str, Value]) -> bool:
    return all(n in values and values[n].number == pytest.approx(v, rel=1e-6) for n, v in WANTED.items())


@pytest.fixture(scope="session")
def old(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Value]:
    with connected(tmp_path_factory.mktemp("old")) as connection:
        return held(connection)


def is_old(values: dict[str, Value], before: dict[str, Value]) -> bool:
    return values == before


def program(root: Path, *arguments: str) -> subprocess.Popen[str]:
    """Start an apply to the simulated vehicle of `root`."""
    profile = root / "processes.yaml"
    profile.parent.mkdir(parents=True, exist_ok=True)
    profile.write_text(PROFILE)
    command = [sys.executable, "-m", "dronekit_cfg", "apply", str(profile), "--link", SIM, "--yes"]
    environment = {n: v for n, v in os.environ.items() if not n.startswith("DRONEKIT_CFG_")}
    return subprocess.Popen(
        [*command, "--state-dir", str(root), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


def wait_for(process: subprocess.Popen[str], text: str) -> None:
    """Read its progress until it comes to `text`."""
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    pytest.fail(f"it never said {text!r}")


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.parametrize("first", range(0, 50, KILLS_AT_ONCE))
def test_killed_at_a_random_moment_recover_ends_in_the_old_or_the_new_state(
    first: int, tmp_path: Path, old: dict[str, Value]
) -> None:
    seeds = range(first, first + KILLS_AT_ONCE)
    running = {seed: program(tmp_path / str(seed)) for seed in seeds}
    for process in running.values():
        wait_for(process, "connect")
    start = time.monotonic()
    moments = {seed: random.Random(seed).uniform(0, APPLY_SECONDS) for seed in seeds}
    for seed in sorted(seeds, key=lambda s: moments[s]):
        # Only which moment is hit depends on this; every one has to be right.
        with suppress(subprocess.TimeoutExpired):
            running[seed].wait(max(0.0, start + moments[seed] - time.monotonic()))
        running[seed].kill()
        finish(running[seed])
    for seed in seeds:
        root = tmp_path / str(seed)
        with connected(root) as connection:
            receipt = recover(connection, StateDir(root))
            now = held(connection)
            assert StateDir(root).open_journal(connection.identity) is None
        if receipt is None:
            assert is_old(now, old) or is_new(now), f"seed {seed}"
        elif receipt.result is Result.DONE:
            assert is_new(now), f"seed {seed}"
        else:
            assert receipt.result is Result.ROLLED_BACK, f"seed {seed}"
            assert is_old(now, old), f"seed {seed}"


@posix
@pytest.mark.parametrize(
    ("name", "moment"),
    [
        ("SIGINT", "read all settings"),
        ("SIGINT", "write 7 settings"),
        ("SIGTERM", "restart to prove"),
        ("SIGHUP", "write 7 settings"),
    ],
)
def test_told_to_stop_it_puts_the_old_state_back_and_says_so(
    name: str, moment: str, tmp_path: Path, old: dict[str, Value]
) -> None:
    process = program(tmp_path)
    wait_for(process, moment)
    process.send_signal(getattr(signal, name))
    code, _, err = finish(process)
    assert code == 130, err
    assert "stopped" in err
    with connected(tmp_path) as connection:
        assert StateDir(tmp_path).open_journal(connection.identity) is None
        assert is_old(held(connection), old)


def test_a_second_program_is_refused_while_the_first_holds_the_lease(tmp_path: Path, old: dict[str, Value]) -> None:
    with connected(tmp_path) as connection, StateDir(tmp_path).lease(connection.identity.key):
        code, out, err = finish(program(tmp_path))
        assert code == 4, out + err
        assert "another dronekit-cfg" in err
        assert is_old(held(connection), old)


@posix
def test_a_disk_without_room_for_the_snapshot_ends_before_the_first_write(
    tmp_path: Path, old: dict[str, Value]
) -> None:
    limits = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000)); "
    start = "from dronekit_cfg.cli.app import run; sys.exit(run(sys.argv[1:]))"
    profile = tmp_path / "processes.yaml"
    profile.write_text(PROFILE)
    options = ["apply", str(profile), "--link", SIM, "--yes", "--state-dir", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-B", "-c", limits + start, *options], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "what to do: check the disk" in done.stderr
    with connected(tmp_path) as connection:
        assert StateDir(tmp_path).open_journal(connection.identity) is None
        assert is_old(held(connection), old)


@pytest.mark.parametrize("nth", range(1, 12))
def test_a_disk_that_fills_up_at_any_line_of_the_journal_ends_in_the_old_or_the_new_state(
    nth: int, tmp_path: Path, old: dict[str, Value], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = 0

    def fsync(_: int) -> None:
        nonlocal lines
        lines += 1
        if lines >= nth:
            raise OSError(errno.ENOSPC, "No space left on device")

    state, result = StateDir(tmp_path), None
    with connected(tmp_path) as connection:
        with monkeypatch.context() as patch:
            patch.setattr("dronekit_cfg.engine.journal.os", SimpleNamespace(fsync=fsync))
            with suppress(StateError):  # any other error fails the test
                result = apply(connection, GOAL, state).result
        if state.open_journal(connection.identity) is not None:
            recover(connection, state)
        now = held(connection)
        assert state.open_journal(connection.identity) is None
    if result is Result.DONE:
        assert is_new(now)
    elif result is Result.ROLLED_BACK:
        assert is_old(now, old)
    else:
        assert is_old(now, old) or is_new(now)


def test_a_state_folder_that_cannot_be_written_is_named_before_the_vehicle_is_touched(
    tmp_path: Path, old: dict[str, Value]
) -> None:
    occupied = tmp_path / "occupied"
    occupied.write_text("a file where the folder should be")
    with connected(tmp_path) as connection:
        with pytest.raises(StateError, match="occupied") as caught:
            apply(connection, GOAL, StateDir(occupied))
        assert "--state-dir" in caught.value.hint
        assert is_old(held(connection), old)


def test_a_folder_on_a_read_only_disk_is_named_before_the_vehicle_is_touched(
    tmp_path: Path, old: dict[str, Value], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "state"
    make = Path.mkdir

    def mkdir(path: Path, *arguments: Any, **named: Any) -> None:
        if path.is_relative_to(root):
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        make(path, *arguments, **named)

    with connected(tmp_path) as connection:
        with monkeypatch.context() as patch:
            patch.setattr(Path, "mkdir", mkdir)
            with pytest.raises(StateError, match="Read-only") as caught:
                apply(connection, GOAL, StateDir(root))
        assert "--state-dir" in caught.value.hint
        assert is_old(held(connection), old)


# --- the clock of the computer


class Jumping(VirtualClock):
    """A clock that jumps once, as that of a laptop that slept: by `seconds`, at its `nth` question."""

    def __init__(self, nth: int, seconds: float) -> None:
        super().__init__()
        self.left, self.seconds = nth, seconds

    def now(self) -> float:
        self.left -= 1
        if self.left == 0:
            self.sleep(self.seconds)
        return super().now()


@pytest.mark.parametrize("seed", range(12))
def test_a_computer_that_sleeps_for_an_hour_in_the_middle_ends_in_the_old_or_the_new_state(
    seed: int, tmp_path: Path, old: dict[str, Value]
) -> None:
    clock, result = Jumping(random.Random(seed).randrange(50, 2000), 3600.0), None
    options = LinkOptions(SIM, family="ardupilot", state_dir=tmp_path)
    with suppress(DronekitError), connect(options, clock=clock) as connection:
        result = apply(connection, GOAL, StateDir(tmp_path)).result
    assert clock.left < 0
    with connected(tmp_path) as connection:
        if result is None or result is Result.IN_DOUBT:
            recover(connection, StateDir(tmp_path))
        now = held(connection)
        assert StateDir(tmp_path).open_journal(connection.identity) is None
    assert is_new(now) if result is Result.DONE else is_old(now, old) or (result is None and is_new(now))


def test_the_date_may_jump_back_between_a_cut_and_recover(
    tmp_path: Path, old: dict[str, Value], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Laptops of a field come up in 1970; the journal of "tomorrow" is still the one that is open."""
    state = StateDir(tmp_path)

    def at(when: str) -> None:
        for module in ("transaction", "recover", "connection", "receipts"):
            monkeypatch.setattr(f"dronekit_cfg.engine.{module}.utc_now", lambda: when)

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    at("2031-05-01T10:00:00Z")
    with connected(tmp_path) as connection:
        assert apply(connection, GOAL, state).result is Result.DONE
    back = Goal("back", "sha256:1", tuple(Wanted(n, old[n].raw, Origin("test")) for n in WANTED if n in old))
    with connected(tmp_path) as connection, monkeypatch.context() as patch:
        patch.setattr(Journal, "outcome", die)
        with pytest.raises(KeyboardInterrupt):
            apply(connection, back, state)
    at("1970-01-01T00:00:07Z")
    with connected(tmp_path) as connection:
        assert state.open_journal(connection.identity) is not None
        with pytest.raises(InDoubt):
            apply(connection, GOAL, state)
        assert recover(connection, state) is not None
        assert state.open_journal(connection.identity) is None
        now = held(connection)
        assert is_old(now, old) or is_new(now)
        assert apply(connection, GOAL, state).result in {Result.DONE, Result.UNCHANGED}
        assert is_new(held(connection))


# --- power cuts: what the journal and the vehicle hold at every moment


class Told:
    """Copies the vehicle's memory before each line of the journal, which is all that a power cut there leaves."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.copies: list[Path] = []
        self.write: Callable[..., None] = Journal.write

    def __call__(self, journal: Journal, kind: str, **fields: Any) -> None:
        memory = next(self.root.glob("ardupilot-copter-*.log"))
        copy = memory.with_suffix(f".{len(self.copies)}")
        shutil.copy(memory, copy)
        self.copies.append(copy)
        self.write(journal, kind, **fields)


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Told, bytes]:
    """Give an apply with its story: copies of the memory, and the whole journal."""
    root = tmp_path / "whole"
    root.mkdir()
    spy = Told(root)

    def write(journal: Journal, kind: str, **fields: Any) -> None:
        spy(journal, kind, **fields)

    with monkeypatch.context() as patch, connected(root) as connection:
        patch.setattr(Journal, "write", write)
        assert apply(connection, GOAL, StateDir(root)).result is Result.DONE
        journals = list((StateDir(root).vehicle(connection.identity) / "journals" / "ended").glob("*.jsonl"))
    return spy, journals[0].read_bytes()


def test_a_journal_cut_at_any_byte_is_read_as_the_lines_that_are_whole(
    told: tuple[Told, bytes], tmp_path: Path
) -> None:
    _, whole = told
    file = tmp_path / "cut.jsonl"
    begun = False
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        story = read_journal(file)
        lines = whole[:length].count(b"\n")
        assert story.open == (lines > 0)
        assert bool(story.touched) == (lines > 1)
        begun = begun or story.open
    assert begun


def test_after_a_power_cut_in_any_line_of_the_journal_recover_ends_old_or_new(
    told: tuple[Told, bytes], tmp_path: Path, old: dict[str, Value]
) -> None:
    spy, whole = told
    dice = random.Random(7)
    at = 0
    for number, line in enumerate(whole.splitlines(keepends=True)):
        for torn in {0, 1, dice.randrange(len(line)), len(line) - 1}:
            root = tmp_path / f"{number}-{torn}"
            with connected(root) as connection:
                folder = StateDir(root).vehicle(connection.identity) / "journals"
            folder.mkdir(parents=True)
            (folder / "20260101T000000Z-000.jsonl").write_bytes(whole[: at + torn])
            memory = next(root.glob("ardupilot-copter-*.log"))
            shutil.copy(spy.copies[number], memory)
            with connected(root) as connection:
                receipt = recover(connection, StateDir(root))
                now = held(connection)
                assert StateDir(root).open_journal(connection.identity) is None
            if receipt is not None and receipt.result is Result.DONE:
                assert is_new(now), (number, torn)
            else:
                assert is_old(now, old), (number, torn)
        at += len(line)
