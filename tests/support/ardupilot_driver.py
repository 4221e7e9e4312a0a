"""A driver that knows ArduPilot only: what answers as another autopilot is a stranger to it."""

from __future__ import annotations

from typing import Any

from dronekit_cfg.families.ardupilot.driver import Ardupilot
from dronekit_cfg.families.mavlink import MavlinkDriver
from dronekit_cfg.talk.flow import Session

__all__ = ["ArdupilotDriver"]


class ArdupilotDriver(MavlinkDriver):
    """One connection to one ArduPilot vehicle, and to no other one; options as for `MavlinkDriver`."""

    def __init__(self, session: Session, **options: Any) -> None:
        super().__init__(session, (Ardupilot(),), **options)
