"""`info`: who the vehicle is, whether it is armed, and whether earlier work on it was cut off."""

from __future__ import annotations

from typing import Annotated

from dronekit_cfg.cli.options import Device, new_app, option, verb
from dronekit_cfg.cli.output import Output
from dronekit_cfg.text import t

__all__ = ["app", "info"]

app = new_app()


@verb(app)
def info(
    out: Output,
    device: Device,
    inventory: Annotated[
        bool, option("--inventory", help=t("List what is fitted, as far as the vehicle tells."))
    ] = False,
) -> int:
    """Show who the vehicle is: family, version, board, UID, and whether it is armed. Writes nothing."""
    from dronekit_cfg.cli.fitted import parts_view
    from dronekit_cfg.cli.render import Verbatim, facts, identity_rows
    from dronekit_cfg.cli.session import vehicle
    from dronekit_cfg.engine.parts import fitted_parts
    from dronekit_cfg.formats.records import to_data

    with vehicle(out, device) as (connection, state):
        identity = connection.identity
        armed = connection.run(connection.driver.arm_state())
        uptime = connection.run(connection.driver.uptime())
        parts = fitted_parts(connection, connection.snapshot()) if inventory else ()
    story = state.open_journal(identity)
    out.document(
        "info",
        0,
        identity=to_data(identity),
        armed=armed.armed,
        arm_detail=armed.detail,
        uptime_seconds=uptime,
        link=device.link,
        folder=str(state.vehicle(identity)),
        unfinished=str(story.path) if story else None,
        **({"inventory": [to_data(part) for part in parts]} if inventory else {}),
    )
    state_text = t("ARMED: nothing will be written to it") if armed.armed else t("disarmed")
    rows = [
        *identity_rows(identity),
        (t("address"), identity.address),
        (t("state"), state_text + (f" ({armed.detail})" if armed.detail else "")),
        (t("up for"), t("{seconds:.0f} s", seconds=uptime) if uptime is not None else ""),
        (t("can"), ", ".join(identity.capabilities)),
        (t("files"), Verbatim(state.vehicle(identity))),
    ]
    out.show(facts(rows, indent=0))
    if inventory:
        out.show("", parts_view(parts) if parts else t("the settings of this vehicle do not tell what is fitted"))
    if story:
        out.say(t("warning: an earlier apply was cut off; run `dronekit-cfg recover --link {link}`", link=device.link))
    return 0
