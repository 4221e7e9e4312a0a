"""`restore`: bring the vehicle back to a snapshot; an apply like any other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from dronekit_cfg.cli.options import (
    Device,
    IncludeOption,
    ModuleLinkOption,
    NoRebootOption,
    ReceiptOption,
    RegionOption,
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

MODES = ("merge", "replace")


@verb(app)
def restore(
    out: Output,
    device: Device,
    snapshot: Annotated[
        Path, argument(metavar="SNAPSHOT", help=t("A snapshot file; Betaflight and INAV: also a `diff all` text."))
    ],
    mode: Annotated[
        str,
        option(
            "--mode",
            metavar="MODE",
            help=t("merge: write what the snapshot names. replace: all else goes back to its default."),
        ),
    ] = "merge",
    clone: Annotated[
        bool,
        option(
            "--clone", help=t("The snapshot is of another vehicle: write it here, without calibration and identity.")
        ),
    ] = False,
    include: IncludeOption = None,
    without: Annotated[
        list[str] | None, option("--without", metavar="NAME", help=t("Leave this setting out; repeatable."))
    ] = None,
    no_reboot: NoRebootOption = False,
    receipt: ReceiptOption = None,
    module_link: ModuleLinkOption = None,
    region: RegionOption = "",
) -> int:
    """Bring the vehicle back to a snapshot, verified twice.

    On the vehicle it was taken from, calibration and identity come back too. Settings of another firmware version are
    carried over to the names and units of this one. Exit codes are those of apply.
    """
    from dronekit_cfg.cli.aircraft import module_links
    from dronekit_cfg.cli.aircraft_run import aircraft_snapshot, restore_several
    from dronekit_cfg.cli.session import check_include, checked_region, vehicle
    from dronekit_cfg.cli.transact import transact
    from dronekit_cfg.engine.judge import Terms
    from dronekit_cfg.engine.knowledge import renames_for
    from dronekit_cfg.engine.restore import RestoreOptions, goal_from_snapshot, replacing
    from dronekit_cfg.formats.read_any import snapshot_of

    if mode not in MODES:
        raise UsageError(
            t("--mode {mode} is not known", mode=mode), hint=t("choose {names}", names=t(" or ").join(MODES))
        )
    classes = check_include(include)
    if classes and not clone:
        raise UsageError(
            t("--include goes with --clone"),
            hint=t("a vehicle's own snapshot is restored with calibration and identity anyway: leave --include out"),
        )
    place = checked_region("", region)
    whole = aircraft_snapshot(snapshot)
    if whole is not None:
        if clone or without or mode != "merge":
            message = t("--clone, --without and --mode are for one device, and this is the snapshot of an aircraft")
            raise UsageError(message, hint=t("leave them out"))
        links = module_links(module_link)
        return restore_several(
            out, device, whole, links=links, prove=not no_reboot, file=snapshot, receipt_file=receipt, region=place
        )
    found = snapshot_of(snapshot)
    saved = found.snapshot
    assert saved is not None
    lines = found.lines if found.kind == "cli-dump" else None
    options = RestoreOptions(str(snapshot), classes, clone, tuple(without or ()), lines)
    with vehicle(out, device) as (connection, state):
        goal = goal_from_snapshot(saved, connection.identity, options)
        if mode == "replace":
            now = connection.snapshot()
            goal = replacing(goal, now, connection.driver, renames_for(connection.identity))
        return transact(
            out,
            connection,
            state,
            goal,
            link=device.link,
            action="restore",
            terms=Terms({"region": place} if place else {}),
            prove=not no_reboot,
            receipt_file=receipt,
        )
