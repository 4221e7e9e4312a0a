"""Checks of gyros and accelerometers at rest.

Numbers: bench table B04-B06 and the firmware's own consistency limits (accelerometers 0.75 m/s2, gyros 5 deg/s).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from dronekit_cfg.hil.check import Check, Parameter, Params
from dronekit_cfg.hil.evidence import Evidence, mean, sigma
from dronekit_cfg.model.checked import Measure, Outcome
from dronekit_cfg.text import t

__all__ = ["CHECKS"]

GRAVITY = 9.80665
MG = GRAVITY / 1000
_IMUS = ("RAW_IMU", "SCALED_IMU2", "SCALED_IMU3")
_DEVICES = ("INS_ACC_ID", "INS_ACC2_ID", "INS_ACC3_ID")
_WATCH = dict.fromkeys(_IMUS, 10.0)
FEWEST = 20
"""Fewest samples that a sigma is believed from."""


def _present(evidence: Evidence) -> list[str]:
    """Give the messages that carry an IMU. The firmware sends a third one for a third compass alone, all zero."""
    return [n for i, n in enumerate(_IMUS) if len(evidence.all(n)) >= FEWEST and _fitted(evidence, i)]


def _fitted(evidence: Evidence, index: int) -> bool:
    known = evidence.setting(_DEVICES[index], default=0) != 0
    return index == 0 or known or any(evidence.column(_IMUS[index], _norm("acc")))


def _norm(prefixless: str) -> Any:
    def of(fields: Mapping[str, Any]) -> float:
        return math.sqrt(sum(float(fields[axis + prefixless]) ** 2 for axis in "xyz"))

    return of


def _too_few(evidence: Evidence, name: str = "RAW_IMU") -> Outcome | None:
    count = len(evidence.all(name))
    if count >= FEWEST:
        return None
    return Outcome(faults=(t("only {n} {name} messages came in {s:.0f} s", n=count, name=name, s=evidence.seconds),))


def _level(evidence: Evidence, params: Params) -> Outcome:
    if few := _too_few(evidence, "ATTITUDE"):
        return few
    limit = params["angle"]
    return Outcome(
        tuple(
            Measure(axis, math.degrees(mean(evidence.column("ATTITUDE", axis))), "deg", -limit, limit)
            for axis in ("roll", "pitch")
        )
    )


def _gravity(evidence: Evidence, params: Params) -> Outcome:
    if few := _too_few(evidence):
        return few
    slack = params["slack"]
    return Outcome(
        tuple(
            Measure(
                t("acceleration {n}", n=i + 1),
                mean(evidence.column(name, _norm("acc"))) * MG,
                "m/s2",
                GRAVITY - slack,
                GRAVITY + slack,
            )
            for i, name in enumerate(_IMUS)
            if name in _present(evidence)
        )
    )


def _gyro(evidence: Evidence, what: str, limit: float) -> Outcome:
    if few := _too_few(evidence):
        return few
    measures = []
    for i, name in enumerate(_IMUS):
        if name not in _present(evidence):
            continue
        for axis in "xyz":
            rates = [math.degrees(r / 1000) for r in evidence.column(name, axis + "gyro")]
            value = abs(mean(rates)) if what == "bias" else sigma(rates)
            measures.append(Measure(f"gyro {i + 1} {axis} {what}", value, "deg/s", high=limit))
    return Outcome(tuple(measures))


def _bias(evidence: Evidence, params: Params) -> Outcome:
    return _gyro(evidence, "bias", params["bias"])


def _noise(evidence: Evidence, params: Params) -> Outcome:
    return _gyro(evidence, "noise", params["sigma"])


def _apart(evidence: Evidence, params: Params) -> Outcome:
    present = _present(evidence)
    if len(present) < 2:
        return Outcome(skip=t("the vehicle shows one IMU only"))
    means = {n: {a: mean(evidence.column(n, a)) for a in ("xacc", "yacc", "zacc", *_GYROS)} for n in present}
    first = means[present[0]]
    measures = []
    for name in present[1:]:
        other = means[name]
        # The firmware halves the vertical difference: a warm board shifts that axis most.
        weights = {"xacc": 1.0, "yacc": 1.0, "zacc": 0.5}
        accel = math.sqrt(sum((w * (first[a] - other[a]) * MG) ** 2 for a, w in weights.items()))
        gyro = math.sqrt(sum(math.degrees((first[a] - other[a]) / 1000) ** 2 for a in _GYROS))
        pair = f"1-{_IMUS.index(name) + 1}"
        factor = 3.0 if name == "SCALED_IMU3" else 1.0
        measures.append(Measure(f"accelerometers {pair} apart", accel, "m/s2", high=params["accel"] * factor))
        measures.append(Measure(f"gyros {pair} apart", gyro, "deg/s", high=params["gyro"]))
    return Outcome(tuple(measures))


_GYROS = ("xgyro", "ygyro", "zgyro")


def _vibration(evidence: Evidence, params: Params) -> Outcome:
    if few := _too_few(evidence, "VIBRATION"):
        return few
    first, last = evidence.all("VIBRATION")[0].fields, evidence.last("VIBRATION")
    levels = [
        Measure(f"vibration {axis}", max(evidence.column("VIBRATION", f"vibration_{axis}")), "m/s2", 0, params["level"])
        for axis in "xyz"
    ]
    clips = [
        Measure(f"clipping {n}", float(last[f"clipping_{n}"] - first[f"clipping_{n}"]), "", 0, params["clips"])
        for n in range(3)
    ]
    return Outcome((*levels, *clips))


_STILL = t("put the vehicle on a firm, level place, keep hands and wind off it, and run again; ")

CHECKS = (
    Check(
        "level",
        "B04",
        t("Stands level"),
        _STILL + t("if it does stand level, do the level calibration"),
        families=frozenset({"ardupilot", "px4"}),
        watches={"ATTITUDE": 10.0},
        parameters=(Parameter("angle", 2.0, "deg", t("largest roll and pitch at rest"), 0.1, 15),),
        judge=_level,
    ),
    Check(
        "gravity",
        "B04",
        t("Accelerometers measure gravity"),
        _STILL + t("then do the accelerometer calibration"),
        watches=_WATCH,
        settings=_DEVICES,
        parameters=(Parameter("slack", 0.25, "m/s2", t("allowed difference from 9.81 m/s2"), 0.02, 2),),
        explains=("bit:3D_ACCEL", "bit:3D_ACCEL2", "text:Accel*", "text:*ccels*"),
        judge=_gravity,
    ),
    Check(
        "gyro-noise",
        "B04",
        t("Gyros are quiet"),
        _STILL + t("if it stays, look for a loose board or a failing gyro"),
        watches=_WATCH,
        settings=_DEVICES,
        parameters=(Parameter("sigma", 0.2, "deg/s", t("largest standard deviation at rest"), 0.06, 5),),
        explains=("text:Gyros*",),
        judge=_noise,
    ),
    Check(
        "gyro-bias",
        "B05",
        t("Gyros show no turn at rest"),
        _STILL + t("power-cycle without moving it"),
        watches=_WATCH,
        settings=_DEVICES,
        parameters=(Parameter("bias", 0.5, "deg/s", t("largest mean rate at rest"), 0.06, 10),),
        explains=("bit:3D_GYRO", "bit:3D_GYRO2", "text:Gyros*"),
        judge=_bias,
    ),
    Check(
        "imu-agreement",
        "B04",
        t("The IMUs agree"),
        _STILL + t("then calibrate the accelerometers; replace the board if it stays"),
        watches=_WATCH,
        settings=_DEVICES,
        parameters=(
            Parameter("accel", 0.75, "m/s2", t("largest difference of accelerometers (firmware: 0.75)"), 0.05, 3),
            Parameter("gyro", 5.0, "deg/s", t("largest difference of gyros (firmware: 5)"), 0.1, 20),
        ),
        explains=("text:Accels inconsistent*", "text:Gyros inconsistent*", "bit:3D_ACCEL*", "bit:3D_GYRO*"),
        judge=_apart,
    ),
    Check(
        "vibration",
        "B06",
        t("No vibration at rest"),
        _STILL + t("look for a loose mount or a fan"),
        watches={"VIBRATION": 10.0},
        parameters=(
            Parameter("level", 2.0, "m/s2", t("largest vibration level at rest"), 0.1, 30),
            Parameter("clips", 0, "", t("accelerometer clippings in the window"), 0, 1000),
        ),
        judge=_vibration,
    ),
)
