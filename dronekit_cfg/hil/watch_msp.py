"""Watches a vehicle that speaks MSP: it sends nothing by itself, so every sample is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dronekit_cfg.engine.connection import Connection
from dronekit_cfg.errors import NoAnswer
from dronekit_cfg.events import Progress, Stage
from dronekit_cfg.families.betaflight.cli_driver import CliDriver
from dronekit_cfg.hil.evidence import Evidence, Sample
from dronekit_cfg.talk.flow import Flow, Wait
from dronekit_cfg.text import t
from dronekit_cfg.wire.msp import Direction
from dronekit_cfg.wire.msp_sensors import INAV_ONLY, SENSOR_MESSAGES, read_sensor

__all__ = ["STATUS", "ask_sensor", "msp_driver", "watch_msp"]

STATUS = "STATUS"
"""The status of either firmware, whose fields are the same here."""
ANSWERS = "ANSWERS"
"""One sample per question: field `ok` tells whether the answer came and made sense."""
_STATUS_OF = {"betaflight": "MSP_STATUS_EX", "inav": "MSP2_INAV_STATUS"}
PATIENCE = 0.3


def msp_driver(connection: Connection) -> CliDriver | None:
    """Give the driver of a vehicle that speaks MSP, None for other vehicles."""
    driver = connection.driver
    return driver if isinstance(driver, CliDriver) else None


def _code(family: str, name: str) -> str:
    return _STATUS_OF[family] if name == STATUS else name


def ask_sensor(driver: CliDriver, name: str, tries: int = 2) -> Flow[Mapping[str, Any] | None]:
    """Ask for one message; None where the firmware refuses it. Raises NoAnswer, ValueError for a damaged reply."""
    wire = _code(driver.family, name)
    reply = yield from driver.calls.ask(SENSOR_MESSAGES[wire][0], patience=PATIENCE, tries=tries)
    return None if reply.direction is Direction.REFUSAL else read_sensor(wire, reply.payload, driver.api_minor)


def watch_msp(connection: Connection, driver: CliDriver, watches: Mapping[str, float], seconds: float) -> Evidence:
    """Ask for messages at rates in Hz for so many seconds. Raises LinkError when the vehicle stops answering."""
    evidence = Evidence(connection.identity)
    wanted = {
        name: hz
        for name, hz in watches.items()
        if driver.family == "inav" or _code(driver.family, name) not in INAV_ONLY
    }
    connection.run(_watch(driver, evidence, wanted, seconds))
    return evidence


def _watch(driver: CliDriver, evidence: Evidence, rates: Mapping[str, float], seconds: float) -> Flow[None]:

    now, report = driver.session.now, driver.session.report
    report(Stage(t("watch the vehicle for {seconds:.0f} s: do not touch it", seconds=seconds)))
    start = now()
    samples: dict[str, list[Sample]] = {ANSWERS: []}
    due = dict.fromkeys(rates, start)
    told = silent = 0
    while (at := now() - start) < seconds:
        for name in [n for n, when in due.items() if when <= now()]:
            due[name] = max(due[name] + 1 / rates[name], now())
            try:
                fields = yield from ask_sensor(driver, name)
            except ValueError:
                samples[ANSWERS].append(Sample(at, {"ok": False}))
                continue
            except NoAnswer:
                samples[ANSWERS].append(Sample(at, {"ok": False}))
                silent += 1
                if silent > _MOST_SILENT:
                    raise
                continue
            silent = 0
            samples[ANSWERS].append(Sample(at, {"ok": True}))
            if fields is None:
                del due[name]  # this firmware was built without it
            else:
                samples.setdefault(name, []).append(Sample(now() - start, fields))
        if int(at) > told:
            told = int(at)
            report(Progress(t("seconds"), min(told, int(seconds)), int(seconds)))
        pause = min([*due.values(), start + seconds])
        while now() < pause and (yield Wait(until=pause)) is not None:
            pass
    evidence.messages = samples
    evidence.seconds = now() - start
    evidence.asked = {name: hz for name, hz in rates.items() if name in due}


_MOST_SILENT = 5
"""Questions in a row without an answer before the link counts as lost."""
