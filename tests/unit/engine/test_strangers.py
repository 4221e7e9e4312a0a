"""Another vehicle on the same cable is never written to."""

from __future__ import annotations

from pathlib import Path

from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.engine.recover import recover
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import apply
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model import Origin, Result, Wanted
from dronekit_cfg.planner.plan import Goal

GOAL = Goal("test", "sha256:0", (Wanted("FENCE_ALT_MAX", 77, Origin("test")),))


def test_a_vehicle_that_comes_back_as_another_one_is_left_alone_and_the_work_stays_open(tmp_path: Path) -> None:
    state, clock = StateDir(tmp_path), VirtualClock()
    sent: list[bytes] = []
    url = "sim:ardupilot-copter?fault=wrong-uid-after-reboot"
    with connect(LinkOptions(url, state_dir=tmp_path), clock=clock) as connection:
        write = connection.link.write

        def watch(data: bytes) -> None:
            if connection._stranger is not None:
                sent.append(data)
            write(data)

        connection.link.write = watch  # type: ignore[method-assign]  # to see what a stranger would be sent
        receipt = apply(connection, GOAL, state)
    assert receipt.result is Result.IN_DOUBT
    assert any("another vehicle" in p for p in receipt.problems)
    assert not any(b"FENCE_ALT_MAX" in data for data in sent)
    with connect(LinkOptions("sim:ardupilot-copter", state_dir=tmp_path), clock=clock) as connection:
        undone = recover(connection, state)
        assert undone is not None
        assert undone.result in {Result.DONE, Result.ROLLED_BACK}
