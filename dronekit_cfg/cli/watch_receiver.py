"""`hil monitor` on a module that is asked itself: a GNSS receiver, a telemetry radio."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.cli.output import Output
    from dronekit_cfg.engine.connection import Connection
    from dronekit_cfg.hil.monitors import Alarm

__all__ = ["watch_radio", "watch_receiver"]

EVERY_SECONDS = 1.0
MARGIN_DB = 10.0
"""A fade margin below this is an alarm: 6 dB more are twice the range (SiK documentation), and some must be left."""


def watch_receiver(
    out: Output, connection: Connection, seconds: float, baseline: Path | None, save: Path | None
) -> list[Alarm]:
    """Look once a second for `seconds`; give the alarms, and write a baseline to `save`. Raises UsageError."""
    from dronekit_cfg.engine.connection import utc_now
    from dronekit_cfg.events import Note
    from dronekit_cfg.families.ublox.driver import UbloxDriver
    from dronekit_cfg.hil.monitor_gnss import Watch, load_baseline, make_baseline, save_baseline

    driver, clock = connection.driver, connection.runner.clock
    assert isinstance(driver, UbloxDriver)
    uid = connection.identity.uid
    watch = Watch(load_baseline(baseline, uid) if baseline else None)
    alarms: list[Alarm] = []
    looks = []
    start = clock.now()
    while (at := clock.now() - start) < seconds:
        heard = connection.run(driver.signals())
        looks.append(heard)
        if len(looks) == 1 and not (heard.jamming and heard.spoofing):
            text = t("the receiver does not tell both jamming and spoofing: 0 is unknown, not clean")
            out.report(Note(text, level="warning"))
        for alarm in watch.feed(at, heard):
            alarms.append(alarm)
            out.report(Note(t("{at:.0f} s: {alarm}", at=alarm.at, alarm=alarm), level="warning"))
        connection.stop.check()
        clock.sleep(EVERY_SECONDS)
    if save is not None:
        save_baseline(save, make_baseline(looks, uid, utc_now()))
        out.report(Note(t("baseline of {count} looks in {file}", count=len(looks), file=save)))
    return alarms


def watch_radio(out: Output, connection: Connection, seconds: float) -> list[Alarm]:
    """Have the radio report for `seconds`; give an alarm for the weakest moment when it was too weak."""
    from dronekit_cfg.events import Note
    from dronekit_cfg.families.sik.driver import SikDriver
    from dronekit_cfg.hil.monitors import Alarm

    driver = connection.driver
    assert isinstance(driver, SikDriver)
    heard = connection.run(driver.rssi(seconds))
    if not heard:
        return [Alarm(seconds, t("reports of the radio"), 0, 1, "")]
    weakest = min(heard, key=lambda report: report.margin)
    text = t(
        "weakest: {near}/{far} signal, {a}/{b} noise (near/far), {margin:g} dB of fade margin",
        near=weakest.near,
        far=weakest.far,
        a=weakest.near_noise,
        b=weakest.far_noise,
        margin=weakest.margin,
    )
    out.report(Note(text))
    return [Alarm(0, t("fade margin"), weakest.margin, MARGIN_DB, "dB")] if weakest.margin < MARGIN_DB else []
