"""What is left out is named in whatever comes of the work: a restore, a recover, an aircraft, a late change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.cli.render_aircraft import aircraft_headline
from dronekit_cfg.cli.render_receipt import receipt_headline
from dronekit_cfg.engine.aircraft import apply_aircraft
from dronekit_cfg.engine.aircraft_plan import AircraftOptions, Device, Host, Ready, prepare_aircraft
from dronekit_cfg.engine.connection import Connection, LinkOptions, connect
from dronekit_cfg.engine.goals import goal_from_snapshot
from dronekit_cfg.engine.judge import Terms
from dronekit_cfg.engine.recover import recover
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import ApplyOptions, apply
from dronekit_cfg.engine.work import Work
from dronekit_cfg.errors import FileProblems
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model import Identity, Kind, Origin, Result, Scalar, Snapshot, Value, Wanted
from dronekit_cfg.planner.plan import Goal

READONLY = Terms(accept=frozenset({"LEFT-READONLY"}))


class Killed(BaseException):
    """Stands for SIGKILL."""


def goal(**settings: Scalar) -> Goal:
    wanted = tuple(Wanted(name.replace("__", "."), value, Origin("p")) for name, value in settings.items())
    return Goal("p", "sha256:0", wanted)


@contextmanager
def at(url: str, root: Path) -> Iterator[Connection]:
    with connect(LinkOptions(url, state_dir=root), clock=VirtualClock()) as connection:
        yield connection


def test_a_restore_names_what_this_build_cannot_take_back(tmp_path: Path) -> None:
    state = StateDir(tmp_path)
    with at("sim:betaflight", tmp_path) as connection:
        found = connection.snapshot()
        with_receiver = tuple(
            replace(s, value=Value(Kind.TEXT, "ON")) if s.name == "feature.RX_SERIAL" else s for s in found.settings
        )
        before = replace(found, settings=with_receiver)
        receipt = apply(connection, goal_from_snapshot(before, connection.identity), state)
        same = apply(connection, goal_from_snapshot(found, connection.identity), state)
    assert receipt.result is Result.UNCHANGED
    assert [left.name for left in receipt.left_out] == ["feature.RX_SERIAL"]
    assert "NOT as wanted: feature.RX_SERIAL" in receipt_headline(receipt)[1]
    assert same.left_out == ()
    assert "NOT as wanted" not in receipt_headline(same)[1]


def test_work_that_was_cut_off_and_finished_names_it_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = StateDir(tmp_path)
    wish = goal(FENCE_ALT_MAX=77, FORMAT_VERSION=16)

    def killed(self: Work, because: str) -> None:
        raise Killed(because)

    with monkeypatch.context() as patch, at("sim:ardupilot-copter", tmp_path) as connection:
        patch.setattr(Work, "reboot", killed)
        with pytest.raises(Killed):
            apply(connection, wish, state, ApplyOptions(terms=READONLY))
    with at("sim:ardupilot-copter", tmp_path) as connection:
        receipt = recover(connection, state)
    assert receipt is not None
    assert receipt.result is Result.DONE
    assert [(left.name, str(left.found), str(left.wanted)) for left in receipt.left_out] == [
        ("FORMAT_VERSION", "120", "16")
    ]
    assert "NOT as wanted: FORMAT_VERSION" in receipt_headline(receipt)[1]


def test_what_was_as_wanted_and_is_changed_by_the_work_itself_is_rolled_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The vehicle moved a read-only value meanwhile: nobody accepted that, and nothing can write it."""
    state = StateDir(tmp_path)
    wish = goal(FENCE_ALT_MAX=77, FORMAT_VERSION=120)
    looked: list[int] = []
    real = Work.look

    def moved(self: Work, also: Sequence[str]) -> Snapshot:
        snapshot = real(self, also)
        looked.append(1)
        if len(looked) > 2:
            return snapshot
        changed = tuple(
            replace(s, value=Value(s.value.kind, 121)) if s.name == "FORMAT_VERSION" else s for s in snapshot.settings
        )
        return replace(snapshot, settings=changed)

    with at("sim:ardupilot-copter", tmp_path) as connection:
        monkeypatch.setattr(Work, "look", moved)
        receipt = apply(connection, wish, state)
        monkeypatch.undo()
        assert receipt.result is Result.ROLLED_BACK
        assert "FORMAT_VERSION is 121 by now and not 120" in " ".join(receipt.problems)
        assert str(connection.snapshot().value("FENCE_ALT_MAX")) == "100"


def test_a_module_that_is_not_as_wanted_is_accepted_and_named_as_one(tmp_path: Path) -> None:
    clock, state = VirtualClock(), StateDir(tmp_path)

    def opened(options: LinkOptions) -> Any:
        return connect(options, clock=clock)

    def ready(terms: Terms) -> tuple[Ready, ...]:
        vehicle = LinkOptions("sim:ardupilot-copter", state_dir=tmp_path)
        radio = LinkOptions("sim:sik-pair", family="sik", state_dir=tmp_path)

        def wish(found: Goal) -> Any:
            def of(identity: Identity) -> tuple[Goal, Terms]:
                del identity
                return found, terms

            return of

        main = Device("vehicle", vehicle, wish(goal(FENCE_ALT_MAX=77)))
        module = Device("radio", radio, wish(goal(FORMAT=25)))
        return prepare_aircraft(main, lambda _: (module,), host, writing=True)

    host = Host(opened, state, clock)
    with pytest.raises(FileProblems) as refused:
        apply_aircraft(ready(Terms()), host, AircraftOptions(profile="both"))
    assert "module radio: FORMAT stays 26 and does not become 25" in str(refused.value.problems[0])
    assert "--accept LEFT-READONLY" in refused.value.hint

    receipt = apply_aircraft(ready(READONLY), host, AircraftOptions(profile="both"))
    assert receipt.result is Result.DONE
    assert {part.role: [left.name for left in part.left_out] for part in receipt.parts} == {
        "vehicle": [],
        "radio": ["FORMAT"],
    }
    assert "NOT as wanted: FORMAT" in aircraft_headline(receipt)[1]
