"""Nothing is said of a vehicle that was not read from it: each way to skip a look is caught here, in little time.

The twin with the fault `forgetful` takes a value of BATT_CAPACITY, echoes it, reads it back, and holds another one
after each reboot: who does not look again believes in a value that is not there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.engine.connection import Connection, LinkOptions, connect
from dronekit_cfg.engine.recover import recover
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import ApplyOptions, apply
from dronekit_cfg.engine.work import Work
from dronekit_cfg.errors import DronekitError
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model import Change, Origin, Outcome, Receipt, Result, Scalar, Verdict, Wanted
from dronekit_cfg.planner.plan import Goal
from dronekit_cfg.talk.flow import Flow

COPTER = "sim:ardupilot-copter"
OLD = {"BATT_CAPACITY": "3300", "FENCE_ALT_MAX": "100"}
NEW: dict[str, Scalar] = {"BATT_CAPACITY": 7777, "FENCE_ALT_MAX": 77}


class Killed(BaseException):
    """Stands for SIGKILL."""


def goal(wanted: Mapping[str, Scalar]) -> Goal:
    return Goal("p", "sha256:0", tuple(Wanted(n, v, Origin("p")) for n, v in wanted.items()))


@contextmanager
def at(root: Path, url: str = COPTER) -> Iterator[Connection]:
    with connect(LinkOptions(url, state_dir=root), clock=VirtualClock()) as connection:
        yield connection


def applied(root: Path, wanted: Mapping[str, Scalar], url: str = COPTER) -> Receipt:
    with at(root, url) as connection:
        return apply(connection, goal(wanted), StateDir(root), ApplyOptions())


def held(root: Path, *names: str, url: str = COPTER) -> dict[str, str]:
    with at(root, url) as connection:
        return {name: str(value) for name, value in connection.values(names).items()}


def killed_at(root: Path, place: str, monkeypatch: pytest.MonkeyPatch, url: str = COPTER) -> None:
    """Apply NEW and die where `place` of Work is used."""

    def killed(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch, at(root, url) as connection:
        patch.setattr(Work, place, killed)
        with pytest.raises(Killed):
            apply(connection, goal(NEW), StateDir(root), ApplyOptions())


def recovered(root: Path, url: str = COPTER) -> Receipt:
    with at(root, url) as connection:
        receipt = recover(connection, StateDir(root))
    assert receipt is not None
    return receipt


def test_what_a_reboot_takes_back_is_not_done_and_what_a_rollback_does_not_bring_back_is_in_doubt(
    tmp_path: Path,
) -> None:
    receipt = applied(tmp_path, NEW, f"{COPTER}?fault=forgetful:1")
    assert receipt.result is Result.IN_DOUBT
    assert any("BATT_CAPACITY is 7778 after the reboot and not 7777" in text for text in receipt.problems)
    assert any("rollback: BATT_CAPACITY is 3301 and not 3300" in text for text in receipt.problems)


def test_what_was_written_and_taken_back_by_the_reboot_of_recover_is_not_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty = f"{COPTER}?fault=forgetful:1"
    killed_at(tmp_path, "reboot", monkeypatch, faulty)
    assert recovered(tmp_path, faulty).result is Result.IN_DOUBT


def test_recover_brings_back_what_it_calls_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Work.write

    def first_only(self: Work, changes: Sequence[Change]) -> tuple[Outcome, ...]:
        real(self, changes[:1])
        raise Killed

    with monkeypatch.context() as patch, at(tmp_path) as connection:
        patch.setattr(Work, "write", first_only)
        with pytest.raises(Killed):
            apply(connection, goal(NEW), StateDir(tmp_path), ApplyOptions())
    assert held(tmp_path, *OLD) != OLD
    assert recovered(tmp_path).result is Result.ROLLED_BACK
    assert held(tmp_path, *OLD) == OLD


def test_another_vehicle_after_the_reboot_is_never_taken_for_the_one_that_was_written(tmp_path: Path) -> None:
    receipt = applied(tmp_path, NEW, f"{COPTER}?fault=wrong-uid-after-reboot")
    assert receipt.result is Result.IN_DOUBT
    assert any("another vehicle" in text for text in receipt.problems)


@pytest.mark.parametrize("arrived", [True, False])
def test_a_write_without_an_answer_is_lost_until_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arrived: bool
) -> None:
    """Whether it arrived, only a look can tell: then it is right, or written again."""
    with at(tmp_path) as connection:
        real, calls = connection.driver.write, []

        def write(changes: Sequence[Change]) -> Flow[tuple[Outcome, ...]]:
            calls.append([c.name for c in changes])
            if len(calls) > 1:
                return (yield from real(changes))
            outcomes = yield from real(changes if arrived else changes[1:])
            done = {o.name: o for o in outcomes}
            silent = changes[0]
            lost = Outcome(silent.name, silent.wanted, None, Verdict.LOST, "no answer")
            return tuple(lost if c is silent else done[c.name] for c in changes)

        monkeypatch.setattr(connection.driver, "write", write)
        receipt = apply(connection, goal(NEW), StateDir(tmp_path), ApplyOptions())
    assert receipt.result is Result.DONE
    assert len(calls) == (1 if arrived else 2)
    lines = [json.loads(line) for line in Path(receipt.journal_file).read_text().splitlines()]
    outcomes = [
        name_and_verdict[:2] for line in lines if line["kind"] == "outcome" for name_and_verdict in line["batch"]
    ]
    assert [calls[0][0], "lost"] in outcomes
    record = next(r for r in receipt.records if r.name == calls[0][0])
    assert record.verdict is (Verdict.LOST if arrived else Verdict.WRITTEN)
    assert record.wanted.same(record.read_back)
    assert record.wanted.same(record.after_reboot)


def test_a_session_that_reads_back_something_else_is_not_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "sim:betaflight"
    with at(tmp_path, url) as connection:
        commits: list[int] = []
        values, commit = connection.values, connection.driver.commit

        def other(names: Sequence[str]) -> dict[str, Any]:
            found = values(names)
            return {n: v if n != "small_angle" or v is None else replace(v, raw=29) for n, v in found.items()}

        def counted() -> Flow[None]:
            commits.append(1)
            return commit()

        monkeypatch.setattr(connection, "values", other)
        monkeypatch.setattr(connection.driver, "commit", counted)
        receipt = apply(connection, goal({"small_angle": 30}), StateDir(tmp_path), ApplyOptions())
    assert (receipt.result, commits) == (Result.ROLLED_BACK, [])
    assert any("small_angle: 29 instead of 30 before saving" in text for text in receipt.problems)
    assert held(tmp_path, "small_angle", url=url) == {"small_angle": "25"}


def test_what_the_vehicle_changed_by_itself_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "sim:betaflight"
    assert applied(tmp_path, {"small_angle": 30}, url).side_effects == ()
    with at(tmp_path, url) as connection:
        snapshot, seen = connection.snapshot, []

        def drifted(also: Sequence[str] = ()) -> Any:
            found = snapshot(also)
            seen.append(1)
            if len(seen) == 1:
                return found
            settings = tuple(
                replace(s, value=replace(s.value, raw=1)) if s.name == "motor_poles" else s for s in found.settings
            )
            return replace(found, settings=settings)

        monkeypatch.setattr(connection, "snapshot", drifted)
        told = apply(connection, goal({"small_angle": 35}), StateDir(tmp_path), ApplyOptions())
    assert [(name, str(old), str(new)) for name, old, new in told.side_effects] == [("motor_poles", "14", "1")]


def test_a_vehicle_that_arms_between_two_batches_is_not_written_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dronekit_cfg.engine.work.BATCH", 1)
    with at(tmp_path, f"{COPTER}?fault=arms-after:1") as connection:
        written: list[str] = []
        real = connection.driver.write

        def write(changes: Sequence[Change]) -> Flow[tuple[Outcome, ...]]:
            written.extend(c.name for c in changes)
            return real(changes)

        monkeypatch.setattr(connection.driver, "write", write)
        try:
            receipt = apply(connection, goal(NEW), StateDir(tmp_path), ApplyOptions())
        except DronekitError as error:
            pytest.fail(f"the work had begun, so it ends in a receipt: {error}")
    assert receipt.result in {Result.ROLLED_BACK, Result.IN_DOUBT}
    assert len(written) == 1
    assert any("armed" in text for text in receipt.problems)
