"""Features that a build lacks: told by the vehicle, and never taken for something that can be switched on."""

from __future__ import annotations

from pathlib import Path

from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.engine.judge import unaccepted
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model import Origin, Wanted
from dronekit_cfg.planner.plan import Goal, make_plan

HERE = Origin("modules", "p.yaml", 3, 3)


def test_what_a_build_lacks_cannot_be_set_and_is_said(tmp_path: Path) -> None:
    options = LinkOptions("sim:betaflight?fresh", state_dir=tmp_path)
    with connect(options, clock=VirtualClock()) as connection:
        snapshot = connection.snapshot()
        spec = connection.run(connection.driver.spec())
        assert spec is not None
        wanted = (
            Wanted("feature.RX_SERIAL", "ON", HERE),
            Wanted("feature.TELEMETRY", "ON", Origin("modules", "p.yaml", 4, 3), optional=True),
            Wanted("feature.RX_MSP", "ON", HERE),
        )
        plan = make_plan(Goal("modules", "sha256:0", wanted), snapshot, spec, connection.driver)
    # `feature` of the recorded 2026.12 simulator: RX_MSP is available, RX_SERIAL and TELEMETRY are not
    assert [c.name for c in plan.changes] == ["feature.RX_MSP"]
    assert [(f.name, f.severity) for f in plan.findings] == [("feature.RX_SERIAL", "warning")]
    assert [f.id for f in unaccepted(plan, ())] == ["LEFT-READONLY"]
    assert unaccepted(plan, ("LEFT-READONLY",)) == ()
    assert plan.notes == (
        "not set, because this firmware cannot change it: feature.RX_SERIAL",
        "left out, because this firmware was built without: feature.TELEMETRY",
    )
