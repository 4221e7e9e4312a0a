"""The GNSS monitors on Betaflight and INAV, which are asked over MSP."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from dronekit_cfg.engine.connection import Connection
from dronekit_cfg.families.betaflight.cli_driver import CliDriver
from dronekit_cfg.hil.monitors import Alarm, Fix, GnssMonitors
from dronekit_cfg.hil.watch_msp import ask_sensor
from dronekit_cfg.talk.flow import Flow, Wait

__all__ = ["MspSource", "stream_msp"]

FIX_3D = {"betaflight": 1, "inav": 2}
PERIOD = 0.5
"""Seconds between two rounds of questions."""
TRIES = 5


class MspSource:
    """Feeds what one vehicle answers to `monitors`."""

    def __init__(self, monitors: GnssMonitors, family: str) -> None:
        self.monitors = monitors
        self._family = family

    def feed(self, at: float, name: str, f: Mapping[str, Any]) -> list[Alarm]:
        """Take an answer; give the alarms that begin with it."""
        if name == "MSP_RAW_GPS":
            good = f["fix"] >= FIX_3D[self._family]
            place = f["latitude"] * 1e-7, f["longitude"] * 1e-7, float(f["altitude"])
            return self.monitors.fix(at, 0, Fix(good, *place, f["satellites"], speed=f["speed"] / 100))
        if name == "MSP_GPSSVINFO":
            return self.monitors.strength(at, 0, [s["cn0"] for s in f["satellites"] if 0 < s["cn0"] < 99])
        # Betaflight tells a height that is made with GNSS too: it would agree with anything.
        return self.monitors.height(f["baro"] / 100) if "baro" in f else []


def stream_msp(
    connection: Connection, driver: CliDriver, source: MspSource, seconds: float, tell: Callable[[Alarm], None]
) -> None:
    """Ask for so many seconds, and tell each alarm. Raises NoAnswer when the vehicle falls silent."""
    connection.run(_stream(driver, source, seconds, tell))


def _stream(driver: CliDriver, source: MspSource, seconds: float, tell: Callable[[Alarm], None]) -> Flow[None]:
    now = driver.session.now
    start = now()
    names = ["MSP_RAW_GPS", "MSP_GPSSVINFO", *(["MSP_ALTITUDE"] if driver.family == "inav" else [])]
    while (at := now() - start) < seconds:
        for name in list(names):
            fields = None
            with contextlib.suppress(ValueError):  # damaged on its way; the next one comes soon
                fields = yield from ask_sensor(driver, name, TRIES)
                if fields is None:
                    names.remove(name)  # this firmware was built without it
            for alarm in source.feed(at, name, fields) if fields else ():
                tell(alarm)
        while (yield Wait(until=start + min(at + PERIOD, seconds))) is not None:
            pass
