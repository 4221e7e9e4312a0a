"""Gives back what a killed command had taken from a flight controller: ports of a `via:` link.

A taken port stays taken until somebody gives it back, and the flight controller is without its GNSS receiver or radio
meanwhile. So the next command on that vehicle, whatever it is, does it first.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dronekit_cfg.errors import DronekitError
from dronekit_cfg.events import Note
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.engine.connection import Connection

__all__ = ["give_back_ports"]


def give_back_ports(connection: Connection, root: Path) -> None:
    """Give back every port that is marked as taken by a command that is gone. Says what it did, or could not do."""
    folder = root / "vehicles" / connection.identity.key / "ports"
    if connection.identity.family != "ardupilot" or not folder.is_dir():
        return
    from dronekit_cfg.families.mavlink import MavlinkDriver
    from dronekit_cfg.links.port_marks import left_marks
    from dronekit_cfg.talk.mavlink_ports import release, set_parameters

    driver = connection.driver
    assert isinstance(driver, MavlinkDriver)  # there is no other for ArduPilot
    report = connection.session.report
    for mark in left_marks(root, connection.identity.key):
        try:
            if restore := mark.restore():
                connection.run(set_parameters(driver.conversation, {**restore, "SERIAL_PASS2": -1.0}))
            else:
                connection.run(release(driver.conversation, mark.port))
            mark.done()
            report(Note(t("a command that was killed held {port}: it is given back", port=mark.port), level="warning"))
        except DronekitError as error:
            report(Note(f"{error.message}; {error.hint}", level="warning"))
        finally:
            mark.let_go()
