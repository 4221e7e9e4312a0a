"""`module`: what a radio module is asked to do, which no setting is: bind, Wi-Fi."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from dronekit_cfg.cli.options import Device, argument, new_app, verb
from dronekit_cfg.cli.output import Output
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.engine.connection import Connection
    from dronekit_cfg.families.elrs.driver import ElrsDriver

__all__ = ["app", "list_commands", "run"]

app = new_app(t("Commands of a radio module, such as bind; given only when asked for."), no_args_is_help=True)


@verb(app, "list")
def list_commands(out: Output, device: Device) -> int:
    """List the commands that the module knows. Gives none of them."""
    from dronekit_cfg.cli.session import vehicle

    with vehicle(out, device) as (connection, _):
        found = connection.run(_module(connection).commands())
    out.document("module list", 0, commands=list(found))
    out.show("\n".join(found) or t("This module has no commands."))
    return 0


@verb(app)
def run(
    out: Output,
    device: Device,
    command: Annotated[str, argument(metavar="COMMAND", help=t("A command of `module list`."))],
) -> int:
    """Give the module a command, such as Bind. Writes no setting; Wi-Fi ends with its next power cycle."""
    from dronekit_cfg.cli.session import vehicle

    with vehicle(out, device) as (connection, state), state.lease(connection.identity.key):
        module = _module(connection)
        connection.run(module.commands())
        if not out.confirm(t("Tell the module to do {command!r}?", command=command)):
            out.document("module run", 4, name=command, done=False)
            return 4
        words = connection.run(module.command(command, confirmed=True))
    out.document("module run", 0, name=command, done=True, says=words)
    out.show(t("{command}: done. {words}", command=command, words=words).strip())
    return 0


def _module(connection: Connection) -> ElrsDriver:
    from dronekit_cfg.errors import Unsupported
    from dronekit_cfg.families.elrs.driver import ElrsDriver

    driver = connection.driver
    if not isinstance(driver, ElrsDriver):
        raise Unsupported(
            t("{family} has no such commands", family=connection.identity.family),
            hint=t("ExpressLRS modules have: --family elrs"),
        )
    return driver
