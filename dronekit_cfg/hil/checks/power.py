"""Checks of the battery and the board's supply. Numbers: bench table B12; lithium cells 3.5 to 4.25 V at rest."""

from __future__ import annotations

import math

from dronekit_cfg.hil.check import Check, Parameter, Params
from dronekit_cfg.hil.evidence import Evidence, mean
from dronekit_cfg.model.checked import Measure, Outcome
from dronekit_cfg.text import t

__all__ = ["CHECKS"]

UNKNOWN16 = 0xFFFF


def _battery(evidence: Evidence, params: Params) -> Outcome:
    if evidence.setting("BATT_MONITOR", default=math.nan) == 0:
        return Outcome(skip=t("the vehicle has no battery monitor set up"))
    volts = [v / 1000 for v in evidence.column("SYS_STATUS", "voltage_battery") if v not in (0, UNKNOWN16)]
    if not volts:
        return Outcome(faults=(t("the vehicle measures no battery voltage"),))
    level = mean(volts)
    warn = max(evidence.setting("BATT_LOW_VOLT", default=0.0), evidence.setting("BATT_ARM_VOLT", default=0.0))
    measures = [Measure(t("voltage"), level, "V", low=warn + params["margin"] if warn > 0 else 0.5)]
    measures.append(Measure(t("voltage swing"), max(volts) - min(volts), "V", high=params["swing"]))
    if params["cells"]:
        per_cell = level / params["cells"]
        measures.append(Measure(t("cell voltage"), per_cell, "V", params["cell_low"], params["cell_high"]))
    if params["meter"]:
        error = 100 * abs(level - params["meter"]) / params["meter"]
        measures.append(Measure(t("error against the meter"), error, "%", high=params["meter_error"]))
    amperes = [a / 100 for a in evidence.column("SYS_STATUS", "current_battery") if a >= 0]
    if amperes:
        measures.append(Measure(t("current at rest"), mean(amperes), "A", high=params["current"]))
    return Outcome(tuple(measures))


def _board(evidence: Evidence, params: Params) -> Outcome:
    volts = [v / 1000 for v in evidence.column("POWER_STATUS", "Vcc")]
    if not volts or max(volts) == 0:
        return Outcome(skip=t("the board does not measure its supply"))
    return Outcome(
        (
            Measure(t("lowest supply"), min(volts), "V", params["low"], params["high"]),
            Measure(t("highest supply"), max(volts), "V", params["low"], params["high"]),
        )
    )


CHECKS = (
    Check(
        "battery",
        "B12",
        t("The battery is charged and measured well"),
        t("charge or change the battery; if a meter shows another voltage, calibrate BATT_VOLT_MULT"),
        watches={"SYS_STATUS": 5.0},
        settings=("BATT_MONITOR", "BATT_LOW_VOLT", "BATT_ARM_VOLT"),
        parameters=(
            Parameter("margin", 0.2, "V", t("how far above BATT_LOW_VOLT the battery must be"), 0, 20),
            Parameter("swing", 0.5, "V", t("largest change of the voltage at rest"), 0.05, 5),
            Parameter("cells", 0, "", t("number of cells in series; 0: not judged by cell"), 0, 24),
            Parameter("cell_low", 3.7, "V", t("smallest cell voltage at rest"), 2.5, 4.2),
            Parameter("cell_high", 4.25, "V", t("largest cell voltage"), 3.6, 4.5),
            Parameter("meter", 0, "V", t("what a voltmeter at the battery shows; 0: none"), 0, 120),
            Parameter("meter_error", 1.0, "%", t("largest error against the meter"), 0.1, 20),
            Parameter("current", 5.0, "A", t("largest current at rest"), 0.1, 100),
        ),
        explains=("bit:BATTERY", "text:Batt*"),
        judge=_battery,
    ),
    Check(
        "board-supply",
        "B12",
        t("The board's supply is right"),
        t("measure the 5 V supply under load; change the regulator or the power module"),
        watches={"POWER_STATUS": 5.0},
        parameters=(
            Parameter("low", 4.8, "V", t("smallest supply voltage"), 3.0, 5.2),
            Parameter("high", 5.3, "V", t("largest supply voltage"), 4.9, 6.0),
        ),
        explains=("text:Board *",),
        judge=_board,
    ),
)
