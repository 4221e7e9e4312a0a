"""The firmware changes more than it was asked for: an undone apply puts that back, too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dronekit_cfg.engine.connection import Connection, LinkOptions, connect
from dronekit_cfg.engine.recover import recover
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import apply
from dronekit_cfg.families.betaflight.simulated_vehicle import CliVehicle
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model import Origin, Result, Wanted
from dronekit_cfg.planner.plan import Goal

D, D_MAX = "profile.0.d_roll", "profile.0.d_max_roll"
GOAL = Goal("effects", "sha256:0", tuple(Wanted(n, v, Origin("test")) for n, v in ((D, 60), ("small_angle", 40))))


@pytest.fixture(autouse=True)
def d_max_is_at_least_d(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the real firmware does when it loads its configuration (measured on the SITL of 4.6.0)."""
    boot = CliVehicle._boot

    def repairing(vehicle: CliVehicle, now: float) -> None:
        boot(vehicle, now)
        values = vehicle.state.values
        values[D_MAX] = str(max(int(values[D]), int(values[D_MAX])))

    monkeypatch.setattr(CliVehicle, "_boot", repairing)


@contextmanager
def connected(root: Path) -> Iterator[Connection]:
    with connect(LinkOptions("sim:betaflight", family="betaflight", state_dir=root), clock=VirtualClock()) as found:
        yield found


def values(root: Path) -> dict[str, str]:
    with connected(root) as connection:
        return {s.name: str(s.value) for s in connection.snapshot().settings}


def test_the_receipt_of_an_apply_names_what_the_firmware_changed_by_itself(tmp_path: Path) -> None:
    with connected(tmp_path) as connection:
        receipt = apply(connection, GOAL, StateDir(tmp_path))
    assert receipt.result is Result.DONE
    assert [(name, str(now)) for name, _, now in receipt.side_effects] == [(D_MAX, "60")]


def cut_off_while_undoing(root: Path) -> dict[str, str]:
    """Leave a vehicle with all new values and a journal that says that a rollback had begun; its old values."""
    before = values(root)
    with connected(root) as connection:
        apply(connection, GOAL, StateDir(root))
        folder = StateDir(root).vehicle(connection.identity) / "journals"
    ended = next((folder / "ended").glob("*.jsonl"))
    lines = [*ended.read_text().splitlines()[:-1], '{"kind": "undo", "why": "test"}', ""]
    (folder / ended.name).write_text("\n".join(lines))
    ended.unlink()
    return before


def test_recover_puts_back_what_the_firmware_changed_by_itself(tmp_path: Path) -> None:
    before = cut_off_while_undoing(tmp_path)
    assert {n for n, v in values(tmp_path).items() if before[n] != v} == {D, D_MAX, "small_angle"}
    with connected(tmp_path) as connection:
        receipt = recover(connection, StateDir(tmp_path))
    assert receipt is not None
    assert receipt.result is Result.ROLLED_BACK
    assert values(tmp_path) == before


@pytest.mark.parametrize("damage", ["", "{}"])
def test_without_a_whole_snapshot_recover_still_puts_back_what_the_journal_tells(damage: str, tmp_path: Path) -> None:
    before = cut_off_while_undoing(tmp_path)
    for file in tmp_path.glob("vehicles/*/snapshots/*"):
        file.write_text(damage)
    with connected(tmp_path) as connection:
        receipt = recover(connection, StateDir(tmp_path))
    assert receipt is not None
    assert receipt.result is Result.ROLLED_BACK
    now = values(tmp_path)
    assert {n for n in before if now[n] != before[n]} == {D_MAX}
