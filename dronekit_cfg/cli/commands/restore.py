"""`restore`: bring the vehicle back to a snapshot; an apply like any other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from dronekit_cfg.cli.options import (
    Device,
    IncludeOption,
    NoRebootOption,
    ReceiptOption,
    argument,
    new_app,
    option,
    verb,
)
from dronekit_cfg.cli.output import Output
from dronekit_cfg.errors import UsageError
from dronekit_cfg.text import t

__all__ = ["app", "restore"]

app = new_app()


@verb(app)
def restore(
    out: Output,
    device: Device,
    snapshot: Annotated[Path, argument(metavar="SNAPSHOT", help=t("A snapshot file."))],
    clone: Annotated[
        bool,
        option(
            "--clone", help=t("The snapshot is of another vehicle: write it here, without calibration and identity.")
        ),
    ] = False,
    include: IncludeOption = None,
    no_reboot: NoRebootOption = False,
    receipt: ReceiptOption = None,
) -> int:
    """Bring the vehicle back to a snapshot, verified twice.

    On the vehicle it was taken from, calibration and identity come back too. Exit codes are those of apply.
    """
    from dronekit_cfg.cli.session import check_include, vehicle
    from dronekit_cfg.cli.transact import transact
    from dronekit_cfg.engine.goals import goal_from_snapshot
    from dronekit_cfg.formats.snapshot_json import read_snapshot

    classes = check_include(include)
    if classes and not clone:
        raise UsageError(
            t("--include goes with --clone"),
            hint=t("a vehicle's own snapshot is restored with calibration and identity anyway: leave --include out"),
        )
    saved = read_snapshot(snapshot)
    with vehicle(out, device) as (connection, state):
        goal = goal_from_snapshot(saved, connection.identity, file=str(snapshot), include=classes, clone=clone)
        return transact(
            out,
            connection,
            state,
            goal,
            link=device.link,
            action="restore",
            prove=not no_reboot,
            receipt_file=receipt,
        )
