"""The ten promises of `apply`, kept by every family on every rig."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.engine import transaction
from dronekit_cfg.engine.goals import goal_from_snapshot
from dronekit_cfg.engine.journal import read_journal
from dronekit_cfg.engine.recover import recover
from dronekit_cfg.engine.transaction import ApplyOptions, apply, prepare
from dronekit_cfg.errors import Armed, FileProblems, VehicleError, WrongVehicle
from dronekit_cfg.formats.snapshot_json import read_snapshot
from dronekit_cfg.model import Result, Snapshot, Value, Verdict

Rig = Any  # the fixture's class lives in conftest, which cannot be imported


def steady(snapshot: Snapshot, protected: Any) -> dict[str, Value]:
    """Settings that do not change by themselves."""
    own = {"volatile", "read-only"}
    return {s.name: s.value for s in snapshot.settings if protected(s.name) not in own}


def no_metadata(connection: Any, root: Path) -> None:
    """Stand in for a firmware that we have no metadata of: then unknown names are tried on the vehicle."""


def test_the_same_vehicle_has_the_same_identity_every_time(rig: Rig) -> None:
    with rig.connect() as connection:
        first = connection.identity
    with rig.connect() as connection:
        assert not first.differences(connection.identity)
    assert first.family == rig.facts.family
    assert first.version[0].isdigit()


def test_a_snapshot_has_every_setting_with_its_type_and_the_defaults_that_the_vehicle_tells(rig: Rig) -> None:
    with rig.connect() as connection:
        one, two = connection.snapshot(), connection.snapshot()
        assert len(one.settings) >= rig.facts.at_least
        assert one.typed
        told = sum(1 for s in one.settings if s.default is not None)
        assert told >= rig.facts.defaults * len(one.settings)
        assert steady(one, connection.driver.protected) == steady(two, connection.driver.protected)


def test_an_apply_writes_only_differences_and_proves_them_after_a_reboot(rig: Rig) -> None:
    with rig.connect() as connection:
        receipt = apply(connection, rig.plain_goal, rig.state)
        assert (receipt.result, receipt.problems) == (Result.DONE, ())
        assert {r.name for r in receipt.records} == set(rig.facts.plain)
        assert receipt.persistence_verified
        assert receipt.reboots >= 1
        for record in receipt.records:
            assert record.verdict is Verdict.WRITTEN
            assert record.wanted.same(record.after_reboot)
            assert record.wanted.same(record.read_back)
        assert receipt.side_effects == ()
    with rig.connect() as connection:
        found = connection.values(list(rig.facts.plain))
        assert {n: float(str(v)) for n, v in found.items()} == pytest.approx(
            {n: float(v) for n, v in rig.facts.plain.items()}
        )


def test_a_second_apply_changes_nothing_and_says_so(rig: Rig) -> None:
    with rig.connect() as connection:
        apply(connection, rig.plain_goal, rig.state)
        again = apply(connection, rig.plain_goal, rig.state)
    assert (again.result, again.changed, again.records, again.reboots) == (Result.UNCHANGED, False, (), 0)


def test_the_snapshot_is_on_disk_before_the_first_write_and_brings_everything_back(rig: Rig) -> None:
    with rig.connect() as connection:
        before = connection.snapshot()
        receipt = apply(connection, rig.plain_goal, rig.state)
        stored = read_snapshot(Path(receipt.snapshot_file))
        assert stored.digest == receipt.snapshot_digest
        restored = apply(connection, goal_from_snapshot(stored, connection.identity), rig.state)
        assert restored.result is Result.DONE
        after = connection.snapshot()
        protected = connection.driver.protected
    assert steady(after, protected) == steady(before, protected)


def test_settings_that_are_hidden_until_another_is_on_are_reached(rig: Rig) -> None:
    if rig.facts.hidden is None:
        pytest.skip("this family hides no settings")
    root, on, child, wanted = rig.facts.hidden
    with rig.connect() as connection:
        before = connection.snapshot()
        assert child not in before.by_name
        receipt = apply(connection, rig.goal((child, wanted), (root, on)), rig.state)
        assert (receipt.result, receipt.problems) == (Result.DONE, ())
        assert str(connection.snapshot().value(child)) == str(wanted)
        back = apply(connection, goal_from_snapshot(before, connection.identity), rig.state)
        assert back.result is Result.DONE
        assert child not in connection.snapshot().by_name


def test_a_value_that_does_not_fit_is_refused_before_anything_is_written(rig: Rig) -> None:
    with rig.connect() as connection:
        before = connection.snapshot()
        with pytest.raises(FileProblems):
            apply(connection, rig.goal(*rig.facts.plain.items(), rig.facts.misfit), rig.state)
        assert steady(connection.snapshot(), connection.driver.protected) == steady(before, connection.driver.protected)


def test_a_setting_that_the_vehicle_does_not_know_rolls_everything_back(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transaction, "metadata", no_metadata)
    with rig.connect() as connection:
        before = connection.snapshot()
        receipt = apply(connection, rig.goal(*rig.facts.plain.items(), ("NO_SUCH_SETTING", 1)), rig.state)
        assert receipt.result is Result.ROLLED_BACK
        assert any("NO_SUCH_SETTING" in p for p in receipt.problems)
        assert steady(connection.snapshot(), connection.driver.protected) == steady(before, connection.driver.protected)


def test_an_armed_vehicle_is_refused_and_nothing_is_written(rig: Rig) -> None:
    with rig.connect() as connection:
        before = connection.values(list(rig.facts.plain))
        rig.facts.arm(connection)
        with pytest.raises(Armed):
            apply(connection, rig.plain_goal, rig.state)
        assert connection.values(list(rig.facts.plain)) == before
        assert list(rig.state.vehicle(connection.identity).glob("**/*.json*")) == []


def test_a_plan_of_another_vehicle_is_refused(rig: Rig) -> None:
    from dataclasses import replace

    with rig.connect() as connection:
        plan = prepare(connection, rig.plain_goal, rig.state).plan
        other = replace(plan, identity=replace(plan.identity, uid="00ff"))
        with pytest.raises(WrongVehicle):
            apply(connection, rig.plain_goal, rig.state, ApplyOptions(pinned=other))


def test_a_plan_that_the_vehicle_has_moved_away_from_is_refused(rig: Rig) -> None:
    with rig.connect() as connection:
        plan = prepare(connection, rig.plain_goal, rig.state).plan
        name, value = next(iter(rig.facts.plain.items()))
        assert not isinstance(value, str)
        assert apply(connection, rig.goal((name, value + 1)), rig.state).result is Result.DONE
        with pytest.raises(VehicleError, match=name):
            apply(connection, rig.plain_goal, rig.state, ApplyOptions(pinned=plan))


def test_drift_is_found_by_name(rig: Rig) -> None:
    name, value = next(iter(rig.facts.plain.items()))
    assert not isinstance(value, str)
    with rig.connect() as connection:
        apply(connection, rig.plain_goal, rig.state)
        assert not prepare(connection, rig.plain_goal, rig.state).plan.changes
        assert apply(connection, rig.goal((name, value + 1)), rig.state).result is Result.DONE
        assert [c.name for c in prepare(connection, rig.plain_goal, rig.state).plan.changes] == [name]


def test_every_write_is_announced_in_the_journal_with_the_value_to_go_back_to(rig: Rig) -> None:
    with rig.connect() as connection:
        before = connection.snapshot()
        receipt = apply(connection, rig.plain_goal, rig.state)
        story = read_journal(
            rig.state.vehicle(connection.identity) / "journals" / "ended" / _name(receipt.journal_file)
        )
    assert story.ended == "done"
    assert {n: str(v) for n, v in story.touched.items()} == {n: str(before.value(n)) for n in rig.facts.plain}


def test_there_is_nothing_to_recover_after_a_finished_apply(rig: Rig) -> None:
    with rig.connect() as connection:
        apply(connection, rig.plain_goal, rig.state)
        assert recover(connection, rig.state) is None


def _name(path: str) -> str:
    return path.replace("\\", "/").rsplit("/", 1)[-1]
