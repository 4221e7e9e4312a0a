"""Checks of Betaflight and INAV over MSP: what stands for B01 to B05, B07 and B08 of the bench table, and B15, B16.

Numbers are those of the bench table where it has them. RAW_IMU has whole deg/s, so a gyro that rests shows 0 or 1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dronekit_cfg.engine.connection import describe
from dronekit_cfg.hil.check import Check, Parameter, Params
from dronekit_cfg.hil.evidence import Evidence, mean, sigma, slope
from dronekit_cfg.hil.watch_msp import ANSWERS, STATUS
from dronekit_cfg.model.checked import Measure, Outcome
from dronekit_cfg.text import t
from dronekit_cfg.wire.msp_sensors import SENSOR_BITS

__all__ = ["CHECKS", "MSP_FAMILIES"]

MSP_FAMILIES = frozenset({"betaflight", "inav"})
HARMLESS = frozenset({"MSP", "CLI", "ARM_SWITCH", "THROTTLE"})
"""Reasons not to arm that a vehicle on a bench may have: a tool is connected, the arm switch is on, the stick is up."""
PART_STATES = {2: t("is set up and not found"), 3: t("is found and does not work")}
"""States of MSP_SENSOR_STATUS that are faults [INAV src/main/sensors/diagnostics.h]."""


def _has(evidence: Evidence, part: str) -> bool:
    return bool(evidence.last(STATUS).get("sensors", 0) >> SENSOR_BITS.index(part) & 1)


def _axes(evidence: Evidence, which: str) -> list[tuple[float, float, float]]:
    return [(float(x), float(y), float(z)) for x, y, z in (s.fields[which] for s in evidence.all("MSP_RAW_IMU"))]


def _identity(evidence: Evidence, params: Params) -> Outcome:
    who = evidence.identity
    asked = evidence.all(ANSWERS)
    good = sum(bool(s.fields["ok"]) for s in asked)
    faults = () if who.uid else (t("the board tells no unique id"),)
    share = 100 * good / len(asked) if asked else math.nan
    return Outcome((Measure(t("questions answered"), share, "%", low=params["share"]),), faults, (describe(who),))


def _parts(evidence: Evidence, _params: Params) -> Outcome:
    if not evidence.last(STATUS):
        return Outcome(faults=(t("the vehicle tells no status"),))
    faults = [t("{part} is not there", part=part) for part in ("gyro", "accelerometer") if not _has(evidence, part)]
    states: Mapping[str, Any] = evidence.last("MSP_SENSOR_STATUS")
    faults += [f"{part} {PART_STATES[state]}" for part, state in states.items() if state in PART_STATES]
    found = [part for part in SENSOR_BITS if _has(evidence, part)]
    return Outcome((Measure(t("parts in use"), len(found), "", low=2),), tuple(faults), (", ".join(found),))


def _bus(evidence: Evidence, params: Params) -> Outcome:
    counts = evidence.column(STATUS, "i2c")
    if not counts:
        return Outcome(faults=(t("the vehicle tells no status"),))
    new = counts[-1] - counts[0]
    return Outcome((Measure(t("new I2C errors"), new, "", 0, params["errors"]),))


def _level(evidence: Evidence, params: Params) -> Outcome:
    roll = [v / 10 for v in evidence.column("MSP_ATTITUDE", "roll")]
    pitch = [v / 10 for v in evidence.column("MSP_ATTITUDE", "pitch")]
    if not roll:
        return Outcome(faults=(t("the vehicle tells no attitude"),))
    limit = params["angle"]
    return Outcome(
        (
            Measure(t("roll"), mean(roll), "deg", -limit, limit),
            Measure(t("pitch"), mean(pitch), "deg", -limit, limit),
        )
    )


def _gravity(evidence: Evidence, params: Params) -> Outcome:
    lengths = [math.hypot(*v) for v in _axes(evidence, "acc")]
    if not lengths or max(lengths) == 0:
        return Outcome(faults=(t("the accelerometer reads nothing"),))
    level = mean(lengths)
    scale = 2.0 ** round(math.log2(level))  # counts per g are a power of two: 256 (simulator), 512 (INAV), 2048 ...
    return Outcome(
        (
            Measure(t("gravity"), level / scale, "g", 1 - params["error"], 1 + params["error"]),
            Measure(t("noise"), sigma(lengths) / scale, "g", high=params["noise"]),
        ),
        notes=(t("{n:g} counts for one g", n=scale),),
    )


def _gyro(evidence: Evidence, params: Params) -> Outcome:
    rates = _axes(evidence, "gyro")
    if not rates:
        return Outcome(faults=(t("the gyro reads nothing"),))
    measures = []
    for name, column in zip("xyz", zip(*rates, strict=True), strict=True):
        measures.append(Measure(t("bias {axis}", axis=name), mean(column), "deg/s", -params["bias"], params["bias"]))
        measures.append(Measure(t("noise {axis}", axis=name), sigma(column), "deg/s", high=params["noise"]))
    return Outcome(tuple(measures))


def _compass(evidence: Evidence, params: Params) -> Outcome:
    if not _has(evidence, "compass"):
        return Outcome(skip=t("no compass is in use"))
    lengths = [math.hypot(*v) for v in _axes(evidence, "mag")]
    if not lengths or max(lengths) == 0:
        return Outcome(faults=(t("the compass reads nothing"),))
    spread = 100 * (max(lengths) - min(lengths)) / mean(lengths)
    return Outcome((Measure(t("field swing at rest"), spread, "%", high=params["swing"]),))


def _barometer(evidence: Evidence, params: Params) -> Outcome:
    if not _has(evidence, "barometer"):
        return Outcome(skip=t("no barometer is in use"))
    heights = [(s.at / 60, s.fields["altitude"] / 100) for s in evidence.all("MSP_ALTITUDE")]
    if len(heights) < 2:
        return Outcome(faults=(t("the vehicle tells no height"),))
    return Outcome(
        (
            Measure(t("height noise"), sigma([h for _, h in heights]), "m", high=params["noise"]),
            Measure(t("height drift"), abs(slope(heights)), "m/min", high=params["drift"]),
        )
    )


def _load(evidence: Evidence, params: Params) -> Outcome:
    loads = evidence.column(STATUS, "load")
    if not loads:
        return Outcome(faults=(t("the vehicle tells no status"),))
    return Outcome((Measure(t("processor load"), max(loads), "%", high=params["load"]),))


def _arming(evidence: Evidence, _params: Params) -> Outcome:
    statuses = evidence.all(STATUS)
    if not statuses:
        return Outcome(faults=(t("the vehicle tells no status"),))
    last: Mapping[str, Any] = statuses[-1].fields
    faults, notes = [], []
    for reason in last["reasons"]:
        if reason in HARMLESS:
            notes.append(t("{reason} is expected on a bench", reason=reason))
        elif who := evidence.who_explains(f"flag:{reason}"):
            notes.append(t("{reason} ({check} says why)", reason=reason, check=who))
        else:
            faults.append(t("arming is refused: {reason}", reason=reason))
    return Outcome((Measure(t("reasons not to arm"), len(faults), "", 0, 0),), tuple(faults), tuple(notes))


_WATCH_STATUS = {STATUS: 4.0}
_IMU = {"MSP_RAW_IMU": 20.0}
CHECKS = (
    Check(
        "msp-identity",
        "B01",
        t("The vehicle is known and answers"),
        t("check the cable, the baud rate and that no other program has the port open"),
        families=MSP_FAMILIES,
        watches=_WATCH_STATUS,
        parameters=(Parameter("share", 99, "%", t("least share of questions that are answered"), 50, 100),),
        judge=_identity,
    ),
    Check(
        "msp-sensors",
        "B02",
        t("All parts in use are found and work"),
        t("check the part's cable and its *_hardware setting; NONE where it is not fitted"),
        families=MSP_FAMILIES,
        watches={**_WATCH_STATUS, "MSP_SENSOR_STATUS": 2.0},
        explains=("flag:NOGYRO", "flag:HW_FAILURE"),
        judge=_parts,
    ),
    Check(
        "msp-bus",
        "B03",
        t("The sensor bus makes no errors"),
        t("shorten or shield the I2C wires to compass and barometer, away from motor wires"),
        families=MSP_FAMILIES,
        watches=_WATCH_STATUS,
        parameters=(Parameter("errors", 0, "", t("new errors in the window"), 0, 1000),),
        judge=_bus,
    ),
    Check(
        "msp-level",
        "B04",
        t("Level on a level bench"),
        t("level the bench; calibrate the accelerometer; check align_board_*"),
        families=MSP_FAMILIES,
        watches={"MSP_ATTITUDE": 10.0},
        parameters=(Parameter("angle", 2, "deg", t("largest roll and pitch"), 0.2, 20),),
        explains=("flag:ANGLE", "flag:NOT_LEVEL"),
        judge=_level,
    ),
    Check(
        "msp-gravity",
        "B04",
        t("The accelerometer reads one g"),
        t("calibrate the accelerometer; if that does not help, change the board"),
        families=MSP_FAMILIES,
        watches=_IMU,
        parameters=(
            Parameter("error", 0.05, "g", t("largest error of gravity"), 0.005, 0.3),
            Parameter("noise", 0.03, "g", t("largest standard deviation"), 0.001, 0.5),
        ),
        explains=("flag:NO_ACC_CAL", "flag:ACC_CAL"),
        judge=_gravity,
    ),
    Check(
        "msp-gyro",
        "B05",
        t("The gyro rests"),
        t("keep the vehicle still and power-cycle, so that it calibrates; a gyro that stays noisy is broken"),
        families=MSP_FAMILIES,
        watches=_IMU,
        parameters=(
            Parameter("bias", 0.5, "deg/s", t("largest mean rate"), 0.05, 10),
            Parameter("noise", 0.7, "deg/s", t("largest standard deviation; whole deg/s are told"), 0.1, 20),
        ),
        explains=("flag:CALIB", "flag:CALIBRATING"),
        judge=_gyro,
    ),
    Check(
        "msp-compass",
        "B07",
        t("The compass reads a steady field"),
        t("keep magnets and current away; check the compass's cable"),
        families=MSP_FAMILIES,
        watches={**_IMU, **_WATCH_STATUS},
        parameters=(Parameter("swing", 10, "%", t("largest swing of the field at rest"), 1, 50),),
        explains=("flag:COMPASS_CAL",),
        judge=_compass,
    ),
    Check(
        "msp-barometer",
        "B08",
        t("The height stands still"),
        t("cover the barometer with foam, keep wind and light off it"),
        families=MSP_FAMILIES,
        watches={"MSP_ALTITUDE": 5.0, **_WATCH_STATUS},
        parameters=(
            Parameter("noise", 0.3, "m", t("largest standard deviation of the height"), 0.02, 5),
            Parameter("drift", 3, "m/min", t("largest drift of the height"), 0.1, 60),
        ),
        judge=_barometer,
    ),
    Check(
        "msp-processor",
        "B15",
        t("The processor has room"),
        t("lower the PID loop rate, or switch off what is not used"),
        families=MSP_FAMILIES,
        watches=_WATCH_STATUS,
        parameters=(Parameter("load", 85, "%", t("largest load"), 10, 100),),
        explains=("flag:LOAD", "flag:OVERLOADED"),
        judge=_load,
    ),
    Check(
        "msp-arming",
        "B16",
        t("Nothing keeps it from arming"),
        t("mend what the vehicle names; `dronekit-cfg info` shows the reasons too"),
        families=MSP_FAMILIES,
        watches=_WATCH_STATUS,
        residual=True,
        judge=_arming,
    ),
)
