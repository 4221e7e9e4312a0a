"""`hil monitor` on a vehicle, and on a recorded log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.cli.output import Output
    from dronekit_cfg.engine.connection import Connection
    from dronekit_cfg.hil.monitors import Alarm

__all__ = ["tell_alarms", "watch_log", "watch_vehicle"]


def watch_vehicle(out: Output, connection: Connection, seconds: float) -> int:
    """Watch a vehicle, tell alarms as they come, and give the exit code. Raises Unsupported for a module."""
    from dronekit_cfg.errors import Unsupported
    from dronekit_cfg.events import Note
    from dronekit_cfg.families.mavlink import MavlinkDriver
    from dronekit_cfg.hil.bench import Bench
    from dronekit_cfg.hil.monitor_mavlink import WATCHES, MavlinkSource
    from dronekit_cfg.hil.monitor_msp import MspSource, stream_msp
    from dronekit_cfg.hil.monitors import NAMES, GnssMonitors
    from dronekit_cfg.hil.operator import Operator
    from dronekit_cfg.hil.watch_msp import msp_driver

    clock, monitors = connection.runner.clock, GnssMonitors()
    start = clock.now()
    alarms: list[Alarm] = []

    def tell(alarm: Alarm) -> None:
        alarms.append(alarm)
        out.report(Note(t("{at:.0f} s: {alarm}", at=alarm.at, alarm=alarm), level="warning"))

    if (driver := msp_driver(connection)) is not None:
        stream_msp(connection, driver, MspSource(monitors, connection.identity.family), seconds, tell)
    elif isinstance(connection.driver, MavlinkDriver):
        source = MavlinkSource(monitors)

        def each(name: str, fields: Mapping[str, Any]) -> None:
            for alarm in source.feed(clock.now() - start, name, fields):
                tell(alarm)

        Bench(connection, Operator()).stream(WATCHES, seconds, each)
    else:
        raise Unsupported(
            t(
                "the monitor watches vehicles, u-blox receivers and SiK radios, and this is {family}",
                family=connection.identity.family,
            ),
            hint=t("reach the receiver itself: --link via:betaflight:uart2+LINK --family ublox, or its own port"),
        )
    watched = [name for key, name in NAMES.items() if key in monitors.watched]
    missing = [name for key, name in NAMES.items() if key not in monitors.watched]
    return tell_alarms(out, seconds, alarms, watched, missing)


def watch_log(out: Output, log: Path) -> int:
    """Judge a log and give the exit code. Raises UsageError."""
    from dronekit_cfg.events import Note
    from dronekit_cfg.hil.logs.read import judge_log

    found = judge_log(log)
    out.report(Note(t("{kind} of {seconds:.0f} s", kind=found.kind, seconds=found.seconds)))
    if found.skipped:
        out.report(Note(t("{n} damaged bytes were left out", n=found.skipped)))
    return tell_alarms(out, found.seconds, found.alarms, found.watched, found.missing)


def tell_alarms(
    out: Output,
    seconds: float,
    alarms: Sequence[Alarm],
    watched: Sequence[str] | None = None,
    missing: Sequence[str] = (),
) -> int:
    """Show alarms and what was watched; gives the exit code. Nothing watched is no clean bill: exit code 1."""
    from dataclasses import asdict

    blind = watched is not None and not watched
    code = 1 if alarms or blind else 0
    told = {} if watched is None else {"watched": list(watched), "not_told": list(missing)}
    out.document("hil monitor", code, seconds=seconds, alarms=[asdict(a) for a in alarms], **told)
    lines = [t("{at:.0f} s  {alarm}", at=a.at, alarm=a) for a in alarms]
    if watched:
        lines.append(t("Watched: {names}.", names=", ".join(watched)))
    if missing:
        lines.append(t("Nothing was told of: {names}.", names=", ".join(missing)))
    if blind:
        lines.append(t("Nothing could be judged."))
    elif not alarms:
        lines.append(t("No alarm in {seconds:g} s.", seconds=round(seconds)))
    out.show("\n".join(lines))
    return code
