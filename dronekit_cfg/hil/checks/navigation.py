"""Checks of barometers, GNSS and the estimator.

Numbers: bench table B08-B10; 6 satellites and HDOP 1.4 are the firmware's own gates. Pressure to height at sea level
8.43 m per hPa (ISA), scaled with the pressure.
"""

from __future__ import annotations

import math
from itertools import pairwise

from dronekit_cfg.hil.check import Check, Needs, Parameter, Params
from dronekit_cfg.hil.evidence import Evidence, mean, sigma, slope
from dronekit_cfg.model.checked import Measure, Outcome
from dronekit_cfg.text import t

__all__ = ["CHECKS", "EKF_FLAGS"]

METRES_PER_HPA = 8.43
SEA_LEVEL = 1013.25
UNKNOWN16, UNKNOWN32 = 0xFFFF, 0xFFFFFFFF
EARTH = 6371000.0
EKF_FLAGS = {
    1: "ATTITUDE",
    2: "HORIZ_VEL",
    4: "VERT_VEL",
    8: "HORIZ_POS_REL",
    16: "HORIZ_POS_ABS",
    32: "VERT_POS_ABS",
    512: "PRED_HORIZ_POS_ABS",
}
"""Flags of EKF_STATUS_REPORT that a vehicle ready for GNSS flight must show."""
CONST_POS, UNINITIALISED, GLITCH = 128, 1024, 32768
_BAROS = ("SCALED_PRESSURE", "SCALED_PRESSURE2")


def _heights(evidence: Evidence, name: str) -> list[tuple[float, float]]:
    """Give (seconds, metres) from the pressures, relative to their mean."""
    samples = [(s.at, float(s.fields["press_abs"])) for s in evidence.all(name)]
    middle = mean([p for _, p in samples])
    if not middle > 0:
        return []
    scale = METRES_PER_HPA * SEA_LEVEL / middle
    return [(at, -(p - middle) * scale) for at, p in samples]


def _baro(evidence: Evidence, params: Params) -> Outcome:
    measures, faults, levels = [], [], []
    for n, name in enumerate(_BAROS, 1):
        pressures = evidence.column(name, "press_abs")
        if not pressures:
            continue
        levels.append(mean(pressures))
        measures.append(
            Measure(t("pressure {n}", n=n), levels[-1], "hPa", params["pressure_low"], params["pressure_high"])
        )
        heights = _heights(evidence, name)
        line = slope(heights)
        rest = [h - line * at for at, h in heights]
        measures.append(Measure(t("noise {n}", n=n), sigma(rest), "m", high=params["sigma"]))
        measures.append(Measure(t("drift {n}", n=n), abs(line) * 60, "m/min", high=params["drift"]))
    if not levels:
        faults.append(t("no barometer reports"))
    if len(levels) == 2:
        apart = abs(levels[0] - levels[1]) * METRES_PER_HPA * SEA_LEVEL / max(levels[0], 1.0)
        measures.append(Measure(t("barometers apart"), apart, "m", high=params["apart"]))
    return Outcome(tuple(measures), tuple(faults))


def _accuracy(raw: int, scale: float, unknown: int) -> float:
    return math.nan if raw in (unknown, 0) else raw * scale


def _gnss(evidence: Evidence, params: Params) -> Outcome:
    last = evidence.last("GPS_RAW_INT")
    if not last:
        return Outcome(faults=(t("the vehicle reports no GNSS receiver"),))
    measures = [
        Measure(t("fix"), min(evidence.column("GPS_RAW_INT", "fix_type")), "", low=params["fix"]),
        Measure(
            t("satellites"), min(evidence.column("GPS_RAW_INT", "satellites_visible")), "", low=params["satellites"]
        ),
        Measure(t("HDOP"), _accuracy(last["eph"], 0.01, UNKNOWN16), "", high=params["hdop"]),
    ]
    for field, name, scale in (("h_acc", "horizontal accuracy", 1e-3), ("v_acc", "vertical accuracy", 1e-3)):
        value = _accuracy(last[field], scale, UNKNOWN32)
        if not math.isnan(value):  # old receivers do not tell
            measures.append(Measure(name, value, "m", high=params[field]))
    return Outcome(tuple(measures))


def _steady(evidence: Evidence, params: Params) -> Outcome:
    counts = evidence.column("GPS_RAW_INT", "satellites_visible")
    if not counts or max(counts) < 1:
        return Outcome(skip=t("no satellites to watch; see gnss"))
    lost = 100 * (max(counts) - min(counts)) / max(counts)
    fixes = evidence.column("GPS_RAW_INT", "fix_type")
    changes = sum(a != b for a, b in pairwise(fixes))
    return Outcome(
        (
            Measure(t("satellites lost in the window"), lost, "%", high=params["lost"]),
            Measure(t("changes of the fix"), changes, "", high=params["changes"]),
        )
    )


def _two(evidence: Evidence, params: Params) -> Outcome:
    if evidence.setting("GPS2_TYPE", "GPS_TYPE2", default=0) == 0:
        return Outcome(skip=t("one receiver only"))
    one, two = evidence.last("GPS_RAW_INT"), evidence.last("GPS2_RAW")
    if not two or two["fix_type"] < 3:
        return Outcome(faults=(t("the second receiver is set up and has no fix"),))
    if not one or one["fix_type"] < 3:
        return Outcome(skip=t("the first receiver has no fix; see gnss"))
    north = math.radians((one["lat"] - two["lat"]) * 1e-7) * EARTH
    east = math.radians((one["lon"] - two["lon"]) * 1e-7) * EARTH * math.cos(math.radians(one["lat"] * 1e-7))
    return Outcome((Measure(t("receivers apart"), math.hypot(north, east), "m", high=params["apart"]),))


def _ekf(evidence: Evidence, params: Params) -> Outcome:
    last = evidence.last("EKF_STATUS_REPORT")
    if not last:
        return Outcome(faults=(t("the vehicle sends no EKF_STATUS_REPORT"),))
    flags = last["flags"]
    items = [f"flag:{name}" for bit, name in EKF_FLAGS.items() if not flags & bit]
    items += ["flag:CONST_POS_MODE"] if flags & CONST_POS else []
    items += ["flag:UNINITIALISED"] if flags & UNINITIALISED else []
    items += ["flag:GPS_GLITCH"] if flags & GLITCH else []
    faults: list[str] = []
    notes: list[str] = []
    for item in items:
        who = evidence.who_explains(item)
        name = item.removeprefix("flag:")
        if who:
            notes.append(t("{flag} is not as it should be; {check} says why", flag=name, check=who))
        elif name in EKF_FLAGS.values():
            faults.append(t("the estimator has no {flag}", flag=name))
        else:
            faults.append(t("the estimator reports {flag}", flag=name))
    names = ("velocity_variance", "pos_horiz_variance", "pos_vert_variance", "compass_variance")
    measures = [
        Measure(n.replace("_", " "), max(evidence.column("EKF_STATUS_REPORT", n)), "", high=params["variance"])
        for n in names
    ]
    known = "; ".join(notes)
    return Outcome(tuple(measures), tuple(faults), (*notes, t("flags {flags:#06x}", flags=flags)), known)


_GNSS_EXPLAINS = ("bit:GPS", "bit:AHRS", "flag:HORIZ*", "flag:PRED*", "flag:CONST*", "flag:GPS*", "text:GPS*")
_GNSS_TEXTS = (
    *("text:Need Position*", "text:*requires position*", "text:AHRS: waiting for home*"),
    *("text:High GPS HDOP*", "text:*position estimate"),
)

CHECKS = (
    Check(
        "barometer",
        "B08",
        t("Barometers are steady and agree"),
        t("shield the barometer from wind and light; close the doors; replace the sensor if it stays"),
        families=frozenset({"ardupilot", "px4"}),
        watches=dict.fromkeys(_BAROS, 10.0),
        parameters=(
            Parameter("sigma", 0.3, "m", t("largest standard deviation"), 0.02, 5),
            Parameter("drift", 3.0, "m/min", t("largest drift in a short window"), 0.1, 60),
            Parameter("apart", 25.0, "m", t("largest difference of two barometers (both are good to 1.5 hPa)"), 1, 100),
            Parameter("pressure_low", 600, "hPa", t("smallest pressure on this planet's inhabited ground"), 300, 1000),
            Parameter("pressure_high", 1080, "hPa", t("largest pressure"), 1000, 1100),
        ),
        explains=("bit:ABSOLUTE_PRESSURE", "text:Baro*", "flag:VERT_POS*"),
        judge=_baro,
    ),
    Check(
        "gnss",
        "B09",
        t("GNSS has a good fix"),
        t("take the vehicle outdoors with a clear sky, wait two minutes, check the antenna"),
        families=frozenset({"ardupilot", "px4"}),
        watches={"GPS_RAW_INT": 5.0},
        needs=frozenset({Needs.SKY}),
        parameters=(
            Parameter("fix", 3, "", t("smallest fix type (3 is 3D)"), 2, 6),
            Parameter("satellites", 10, "", t("fewest satellites (firmware: 6)"), 4, 40),
            Parameter("hdop", 1.4, "", t("largest HDOP (firmware: 1.4)"), 0.5, 10),
            Parameter("h_acc", 2.5, "m", t("largest horizontal accuracy estimate"), 0.01, 50),
            Parameter("v_acc", 4.0, "m", t("largest vertical accuracy estimate"), 0.01, 50),
        ),
        explains=(*_GNSS_EXPLAINS, *_GNSS_TEXTS),
        judge=_gnss,
    ),
    Check(
        "gnss-steady",
        "B10",
        t("GNSS stays as it is"),
        t("look for what disturbs the receiver: switch video and payload radios off one by one"),
        families=frozenset({"ardupilot", "px4"}),
        watches={"GPS_RAW_INT": 5.0},
        needs=frozenset({Needs.SKY}),
        parameters=(
            Parameter("lost", 40, "%", t("largest loss of satellites in the window"), 5, 90),
            Parameter("changes", 2, "", t("changes of the fix type in the window"), 0, 20),
        ),
        judge=_steady,
    ),
    Check(
        "gnss-two",
        "B09",
        t("Two receivers agree"),
        t("check both antennas; a receiver that is far off is jammed, spoofed or broken"),
        watches={"GPS_RAW_INT": 5.0, "GPS2_RAW": 5.0},
        settings=("GPS2_TYPE", "GPS_TYPE2"),
        needs=frozenset({Needs.SKY}),
        parameters=(Parameter("apart", 5.0, "m", t("largest distance between the receivers"), 0.5, 100),),
        explains=("text:GPS positions differ*", "text:GPS 2*"),
        judge=_two,
    ),
    Check(
        "estimator",
        "B09",
        t("The estimator is ready and content"),
        t("keep the vehicle still for a minute; mend the sensor whose variance is high"),
        watches={"EKF_STATUS_REPORT": 5.0},
        needs=frozenset({Needs.SKY}),
        parameters=(Parameter("variance", 0.5, "", t("largest variance (0.8 is bad, 1 is a failure)"), 0.05, 1),),
        residual=True,
        judge=_ekf,
    ),
)
