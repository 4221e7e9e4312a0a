"""`snapshot`: every setting of the vehicle, lossless, in a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from dronekit_cfg.cli.options import Device, new_app, option, verb
from dronekit_cfg.cli.output import Output
from dronekit_cfg.errors import UsageError
from dronekit_cfg.text import t

__all__ = ["app", "snapshot"]

app = new_app()


@verb(app)
def snapshot(
    out: Output,
    device: Device,
    output: Annotated[
        Path | None,
        option("--output", "-o", metavar="FILE", help=t("Where to save it; else it goes to the vehicle's own folder.")),
    ] = None,
) -> int:
    """Save every setting with its type and default to a file, from which `restore` brings it back. Writes nothing."""
    from dronekit_cfg import __version__
    from dronekit_cfg.cli.render import plural
    from dronekit_cfg.cli.session import sealed_data, vehicle
    from dronekit_cfg.formats.snapshot_json import dump_snapshot, save_snapshot

    if output is not None and output.exists() and not out.yes:
        raise UsageError(
            t("{file} exists, and a snapshot may be the only way back", file=output),
            hint=t("choose another name, or add --yes to replace it"),
        )
    tool = f"dronekit-cfg {__version__}"
    with vehicle(out, device) as (connection, state):
        taken = connection.snapshot()
    if output is None:
        output = state.save_snapshot(taken)
    else:
        save_snapshot(output, taken, tool=tool)
    out.document("snapshot", 0, file=str(output), snapshot=sealed_data(dump_snapshot(taken, tool=tool)))
    count = plural(len(taken.settings), t("setting"), t("settings"))
    out.write_text(t("{count} saved to {file}", count=count, file=output))
    return 0
