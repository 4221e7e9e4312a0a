"""Checks of the compasses.

Numbers: the firmware's arming limits (field 185-875 mG; pairs at most 90 degrees in space, 60 degrees and 200 mG in the
plane; offsets at most COMPASS_OFFS_MAX).
"""

from __future__ import annotations

import math

from dronekit_cfg.hil.check import Check, Parameter, Params
from dronekit_cfg.hil.evidence import Evidence, mean, sigma
from dronekit_cfg.model.checked import Measure, Outcome
from dronekit_cfg.text import t

__all__ = ["CHECKS"]

_SOURCES = ("RAW_IMU", "SCALED_IMU2", "SCALED_IMU3")
_OFFSETS = (("COMPASS_OFS_", ""), ("COMPASS_OFS2_", "2"), ("COMPASS_OFS3_", "3"))
Vector = tuple[float, float, float]


def _in_use(evidence: Evidence) -> list[tuple[int, str]]:
    """Give number and message of the compasses that the vehicle is set to use."""
    if evidence.setting("COMPASS_ENABLE", default=1) == 0:
        return []
    uses = ("COMPASS_USE", "COMPASS_USE2", "COMPASS_USE3")
    return [
        (i + 1, name) for i, name in enumerate(_SOURCES) if evidence.setting(uses[i], default=0) and _seen(i, evidence)
    ]


def _seen(index: int, evidence: Evidence) -> bool:
    """A second or third compass that has no device is only a setting; the first one must be there."""
    if index == 0:
        return True
    return evidence.setting(f"COMPASS_DEV_ID{index + 1}", default=0) != 0 and bool(evidence.all(_SOURCES[index]))


def _vector(evidence: Evidence, name: str) -> Vector:
    x, y, z = (mean(evidence.column(name, axis + "mag")) for axis in "xyz")
    return x, y, z


def _angle(a: Vector, b: Vector, axes: int) -> float:
    dot = sum(a[i] * b[i] for i in range(axes))
    size = math.sqrt(sum(v * v for v in a[:axes]) * sum(v * v for v in b[:axes]))
    return math.degrees(math.acos(max(-1.0, min(1.0, dot / size)))) if size else math.nan


def _field(evidence: Evidence, params: Params) -> Outcome:
    compasses = _in_use(evidence)
    if not compasses:
        return Outcome(skip=t("the vehicle is set to use no compass"))
    vectors = {n: _vector(evidence, name) for n, name in compasses}
    measures = [
        Measure(t("field {n}", n=n), math.hypot(*v), "mG", params["field_low"], params["field_high"])
        for n, v in vectors.items()
    ]
    measures += [
        Measure(
            t("noise {n}", n=n),
            max(sigma(evidence.column(name, axis + "mag")) for axis in "xyz"),
            "mG",
            high=params["sigma"],
        )
        for n, name in compasses
    ]
    limit = evidence.setting("COMPASS_OFFS_MAX", default=1800)
    for n, _ in compasses:
        offsets = [evidence.setting(_OFFSETS[n - 1][0] + axis, default=0) for axis in "XYZ"]
        measures.append(Measure(t("offsets {n}", n=n), math.hypot(*offsets), "mG", high=limit))
    return Outcome(tuple(measures))


def _agreement(evidence: Evidence, params: Params) -> Outcome:
    compasses = _in_use(evidence)
    if len(compasses) < 2:
        return Outcome(skip=t("the vehicle uses one compass at most"))
    vectors = {n: _vector(evidence, name) for n, name in compasses}
    if any(math.hypot(*v) < 1 for v in vectors.values()):
        return Outcome(skip=t("a compass shows no field; see compass-field"))
    first, measures = vectors[compasses[0][0]], []
    for n, _ in compasses[1:]:
        other, pair = vectors[n], f"1-{n}"
        plane = math.hypot(first[0] - other[0], first[1] - other[1])
        measures.append(Measure(t("angle {pair}", pair=pair), _angle(first, other, 3), "deg", high=params["angle"]))
        measures.append(
            Measure(t("level angle {pair}", pair=pair), _angle(first, other, 2), "deg", high=params["plane"])
        )
        measures.append(Measure(t("level field {pair}", pair=pair), plane, "mG", high=params["difference"]))
    return Outcome(tuple(measures))


_SETTINGS = (
    "COMPASS_ENABLE",
    *("COMPASS_USE", "COMPASS_USE2", "COMPASS_USE3"),
    *("COMPASS_DEV_ID2", "COMPASS_DEV_ID3", "COMPASS_OFFS_MAX"),
    *(prefix + axis for prefix, _ in _OFFSETS for axis in "XYZ"),
)
_WATCH = dict.fromkeys(_SOURCES, 10.0)
_AWAY = t("move the vehicle away from steel, magnets and mains cables; ")

CHECKS = (
    Check(
        "compass-field",
        "B07",
        t("Compasses see the earth's field"),
        _AWAY + t("check the compass cable, then calibrate"),
        watches=_WATCH,
        settings=_SETTINGS,
        parameters=(
            Parameter("field_low", 185, "mG", t("smallest field (firmware: 185)"), 50, 500),
            Parameter("field_high", 875, "mG", t("largest field (firmware: 875)"), 300, 2000),
            Parameter("sigma", 15, "mG", t("largest standard deviation at rest"), 1, 200),
        ),
        explains=("bit:3D_MAG*", "text:Compass*", "text:Check mag field*", "flag:COMPASS*"),
        judge=_field,
    ),
    Check(
        "compass-agreement",
        "B07",
        t("The compasses agree"),
        _AWAY + t("check that each compass has its true orientation, then calibrate all of them"),
        watches=_WATCH,
        settings=_SETTINGS,
        parameters=(
            Parameter("angle", 90, "deg", t("largest angle in space (firmware: 90)"), 5, 180),
            Parameter("plane", 60, "deg", t("largest angle in the plane (firmware: 60)"), 5, 180),
            Parameter("difference", 200, "mG", t("largest difference in the plane (firmware: 200)"), 10, 1000),
        ),
        explains=("text:Compasses inconsistent*",),
        judge=_agreement,
    ),
)
