"""A packed upload that is killed or cut off anywhere ends in exactly the old or exactly the wanted state."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.engine.connection import Connection, LinkOptions, connect
from dronekit_cfg.engine.recover import recover
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import apply
from dronekit_cfg.families.ardupilot import packed
from dronekit_cfg.families.ardupilot.quirks import phase_of, protected
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model import Kind, Origin, Phase, Result, Snapshot, Value, Wanted
from dronekit_cfg.planner.plan import Goal
from dronekit_cfg.wire.mavlink import MavlinkCodec

GROUPS = ("ATC_", "PSC_", "RC", "SERVO", "EK3_")
WRITE, TERMINATE = 7, 1


def other(value: Value) -> Value:
    if value.kind is Kind.REAL32:
        return Value(value.kind, value.number * 1.05 + 0.05)
    return Value(value.kind, value.number + (10 if value.number < 100 else -10))


def goal_for(snapshot: Snapshot) -> Goal:
    usual = [s for s in snapshot.settings if phase_of(s.name) is Phase.SET and not protected(s.name)]
    chosen = [s for s in usual if s.name.startswith(GROUPS) and not s.name.endswith(("_OPTION", "_FUNCTION"))]
    return Goal("x", "", tuple(Wanted(s.name, other(s.value).raw, Origin("x")) for s in chosen), known_state=True)


@contextmanager
def connected(root: Path, chaos: str = "") -> Iterator[Connection]:
    url = f"chaos+sim:ardupilot-copter?baud=19200&latency=0.02{chaos}"
    with connect(LinkOptions(url, family="ardupilot", state_dir=root, speed=19200), clock=VirtualClock()) as found:
        yield found


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it, nothing cleans up."""


def kill_after(connection: Connection, operation: int, number: int) -> None:
    """Let the process die right after it sent the n-th file message of this kind (1-based)."""
    decoder, write, left = MavlinkCodec(), connection.link.write, [number]

    def deadly(data: bytes) -> None:
        write(data)
        decoder.receive_data(data)
        while (message := decoder.next_event()) is not None:
            if message.name == "FILE_TRANSFER_PROTOCOL" and message["payload"][3] == operation:
                left[0] -= 1
                if left[0] == 0:
                    raise Killed

    connection.link.write = deadly  # type: ignore[method-assign]  # a trap for this one connection


def no_more(flow: Any, **_: Any) -> None:
    """Stand in for a runner of a process that is dead."""
    flow.close()


def values(snapshot: Snapshot, names: list[str]) -> list[Value | None]:
    return [snapshot.value(name) for name in names]


@pytest.fixture
def uploads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Count the settings of each packed upload, so that a test cannot pass without one."""
    counted: list[int] = []
    real = packed.write_bulk

    def spy(conversation: Any, changes: Any) -> Any:
        counted.append(len(changes))
        return real(conversation, changes)

    monkeypatch.setattr(packed, "write_bulk", spy)
    return counted


@pytest.mark.parametrize(("operation", "number"), [(WRITE, 1), (WRITE, 6), (WRITE, 12), (WRITE, 13), (TERMINATE, 2)])
def test_killed_in_mid_upload_recover_ends_in_the_old_or_the_new_state(
    operation: int, number: int, tmp_path: Path, uploads: list[int]
) -> None:
    state = StateDir(tmp_path)
    with connected(tmp_path) as connection:
        before = connection.snapshot()
        goal = goal_for(before)
        names = [w.name for w in goal.wanted]
    with connected(tmp_path) as connection:
        kill_after(connection, operation, number)
        with pytest.raises(Killed):
            apply(connection, goal, state)
        connection.runner.run = no_more  # type: ignore[assignment]  # a dead process says no goodbye
    assert uploads
    assert uploads[0] > 200
    with connected(tmp_path) as connection:
        receipt = recover(connection, state)
        after = connection.snapshot()
    assert receipt is not None
    if receipt.result is Result.DONE:
        assert [v.raw for v in values(after, names) if v] == pytest.approx([w.value for w in goal.wanted])
    else:
        assert receipt.result is Result.ROLLED_BACK
        assert values(after, names) == values(before, names)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("after", [10.0, 10.7, 11.4, 12.1])
def test_a_link_that_is_cut_in_mid_upload_and_comes_back_ends_in_the_wanted_state(
    after: float, seed: int, tmp_path: Path, uploads: list[int]
) -> None:
    with connected(tmp_path) as connection:
        goal = goal_for(connection.snapshot())
    with connected(tmp_path, f"&cut_after={after}&cut_for=1&loss=0.02&seed={seed}") as connection:
        receipt = apply(connection, goal, StateDir(tmp_path))
    assert uploads
    assert receipt.result is Result.DONE
    assert all(record.wanted.same(record.after_reboot) for record in receipt.records)
