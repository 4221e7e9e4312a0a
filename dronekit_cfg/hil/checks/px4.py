"""Checks of a PX4 vehicle at rest, over the messages that only PX4 sends so, or that mean something else there.

Numbers: the bench table B04-B12 as for ArduPilot; innovation test ratios above 1 are rejected by the estimator (ekf2);
VIBRATION carries the accelerometer metric in its third field (mavlink streams of PX4). The sensors of the simulator are
noisy on purpose (0.14 rad/s and 0.6 m/s2), so the limits of noise are wider there, and the result says so.
"""

from __future__ import annotations

import math

from dronekit_cfg.hil.check import Check, Parameter, Params
from dronekit_cfg.hil.checks.navigation import EKF_FLAGS
from dronekit_cfg.hil.evidence import Evidence, mean, sigma
from dronekit_cfg.model.checked import Measure, Outcome
from dronekit_cfg.text import t

__all__ = ["CHECKS", "PX4"]

PX4 = frozenset({"px4"})
GRAVITY = 9.80665
MG = GRAVITY / 1000
FEWEST = 20
_IMUS = ("SCALED_IMU", "SCALED_IMU2", "SCALED_IMU3")
_WATCH = dict.fromkeys(_IMUS, 10.0)
SIMULATED = "SENS_EN_GPSSIM"
NOISIER = 100.0
"""How much wider the limits of noise are for simulated sensors."""
MEASURED_TURN = 3.0
ON_GROUND = 1
CONST_POS, GLITCH, ACCEL_ERROR = 128, 1024, 2048


def _simulated(evidence: Evidence) -> bool:
    return evidence.setting(SIMULATED, default=0) > 0


def _noted(evidence: Evidence) -> tuple[str, ...]:
    return (t("the sensors are simulated: limits of noise are wider"),) if _simulated(evidence) else ()


def _fitted(evidence: Evidence) -> list[tuple[int, str]]:
    return [(n, name) for n, name in enumerate(_IMUS, 1) if len(evidence.all(name)) >= FEWEST]


def _too_few(evidence: Evidence) -> Outcome:
    count = len(evidence.all(_IMUS[0]))
    return Outcome(faults=(t("only {n} SCALED_IMU messages came in {s:.0f} s", n=count, s=evidence.seconds),))


def _gravity(evidence: Evidence, params: Params) -> Outcome:
    """Judge the length of the mean vector: noise, which a mean of lengths would add up, averages out."""
    slack = params["slack"]
    measures = [
        Measure(
            t("acceleration {n}", n=n),
            math.hypot(*(mean(evidence.column(name, axis + "acc")) for axis in "xyz")) * MG,
            "m/s2",
            GRAVITY - slack,
            GRAVITY + slack,
        )
        for n, name in _fitted(evidence)
    ]
    return Outcome(tuple(measures)) if measures else _too_few(evidence)


def _gyro(evidence: Evidence, params: Params) -> Outcome:
    fitted = _fitted(evidence)
    simulated = _simulated(evidence)
    bias = MEASURED_TURN if simulated else params["bias"]
    noise = params["sigma"] * (NOISIER if simulated else 1.0)
    measures = []
    for n, name in fitted:
        for axis in "xyz":
            rates = [math.degrees(r / 1000) for r in evidence.column(name, axis + "gyro")]
            measures.append(Measure(f"gyro {n} {axis} bias", abs(mean(rates)), "deg/s", high=bias))
            measures.append(Measure(f"gyro {n} {axis} noise", sigma(rates), "deg/s", high=noise))
    return Outcome(tuple(measures), notes=_noted(evidence)) if measures else _too_few(evidence)


def _vibration(evidence: Evidence, params: Params) -> Outcome:
    if len(evidence.all("VIBRATION")) < 2:
        return Outcome(faults=(t("the vehicle tells no vibration"),))
    first, last = evidence.all("VIBRATION")[0].fields, evidence.last("VIBRATION")
    level = params["level"] * (2.0 if _simulated(evidence) else 1.0)
    clips = [
        Measure(f"clipping {n}", float(last[f"clipping_{n}"] - first[f"clipping_{n}"]), "", 0, params["clips"])
        for n in range(3)
    ]
    measure = Measure(t("vibration"), max(evidence.column("VIBRATION", "vibration_z")), "m/s2", 0, level)
    return Outcome((measure, *clips), notes=_noted(evidence))


def _compass(evidence: Evidence, params: Params) -> Outcome:
    if evidence.setting("SYS_HAS_MAG", default=1) == 0:
        return Outcome(skip=t("the vehicle is set to use no compass (SYS_HAS_MAG)"))
    fields = [(n, [mean(evidence.column(name, axis + "mag")) for axis in "xyz"]) for n, name in _fitted(evidence)]
    measures = [
        Measure(t("field {n}", n=n), math.hypot(*vector), "mG", params["field_low"], params["field_high"])
        for n, vector in fields
        if n == 1 or any(vector)
    ]
    return Outcome(tuple(measures)) if measures else _too_few(evidence)


def _estimator(evidence: Evidence, params: Params) -> Outcome:
    last = evidence.last("ESTIMATOR_STATUS")
    if not last:
        return Outcome(faults=(t("the vehicle sends no ESTIMATOR_STATUS"),))
    flags = last["flags"]
    items = [f"flag:{name}" for bit, name in EKF_FLAGS.items() if not flags & bit]
    names = {CONST_POS: "CONST_POS_MODE", GLITCH: "GPS_GLITCH", ACCEL_ERROR: "ACCEL_ERROR"}
    items += [f"flag:{name}" for bit, name in names.items() if flags & bit]
    faults, notes = [], []
    for item in items:
        name = item.removeprefix("flag:")
        if who := evidence.who_explains(item):
            notes.append(t("{flag} is not as it should be; {check} says why", flag=name, check=who))
        elif name in EKF_FLAGS.values():
            faults.append(t("the estimator has no {flag}", flag=name))
        else:
            faults.append(t("the estimator reports {flag}", flag=name))
    ratios = ("vel_ratio", "pos_horiz_ratio", "pos_vert_ratio", "mag_ratio")
    measures = [
        Measure(n.replace("_", " "), max(evidence.column("ESTIMATOR_STATUS", n)), "", high=params["ratio"])
        for n in (ratios[2:] if notes else ratios)  # without GNSS there is nothing to test the first two against
    ]
    if not notes:
        measures.append(Measure(t("horizontal accuracy"), last["pos_horiz_accuracy"], "m", high=params["accuracy"]))
    return Outcome(tuple(measures), tuple(faults), (*notes, t("flags {flags:#06x}", flags=flags)), "; ".join(notes))


def _battery(evidence: Evidence, params: Params) -> Outcome:
    if evidence.setting("BAT1_SOURCE", default=0) < 0:
        return Outcome(skip=t("the vehicle has no battery monitor set up (BAT1_SOURCE)"))
    last = evidence.last("BATTERY_STATUS")
    volts = [v / 1000 for v in evidence.column("SYS_STATUS", "voltage_battery") if v not in (0, 0xFFFF)]
    if not last or not volts:
        return Outcome(faults=(t("the vehicle measures no battery voltage"),))
    measures = [Measure(t("voltage swing"), max(volts) - min(volts), "V", high=params["swing"])]
    cells = evidence.setting("BAT1_N_CELLS", default=0)
    if cells > 0:
        measures.append(Measure(t("cell voltage"), mean(volts) / cells, "V", params["cell_low"], params["cell_high"]))
    if last["battery_remaining"] >= 0:
        measures.append(Measure(t("charge left"), float(last["battery_remaining"]), "%", low=params["remaining"]))
    faults = [t("the battery reports faults {bits:#x}", bits=last["fault_bitmask"])] if last["fault_bitmask"] else []
    return Outcome(tuple(measures), tuple(faults))


def _on_ground(evidence: Evidence, _params: Params) -> Outcome:
    last = evidence.last("EXTENDED_SYS_STATE")
    if not last:
        return Outcome(faults=(t("the vehicle sends no EXTENDED_SYS_STATE"),))
    states = {0: t("unknown"), 2: t("in the air"), 3: t("taking off"), 4: t("landing")}
    state = int(last["landed_state"])
    faults = () if state == ON_GROUND else (t("the land detector says: {state}", state=states.get(state, state)),)
    return Outcome((Measure(t("on the ground"), float(state == ON_GROUND), "", 1, 1),), faults)


def _prearm(evidence: Evidence, _params: Params) -> Outcome:
    last = evidence.last("SYS_STATUS")
    if not last:
        return Outcome(faults=(t("the vehicle sends no SYS_STATUS"),))
    telling = [e for e in evidence.events if e.group in _CHECKING and e.severity <= WARNING]
    said = [e.text for e in telling if e.name not in _OF_ONE_MODE]
    texts = [x.strip() for _, severity, x in evidence.texts if severity <= WARNING and x.startswith(_OPENINGS)]
    said += [_without_opening(x) for x in texts]
    faults, notes = [], []
    for text in dict.fromkeys(said):
        if who := evidence.who_explains(f"text:{text}"):
            notes.append(t("{text} ({check} says why)", text=text, check=who))
        else:
            faults.append(text)
    ready = bool(last["onboard_control_sensors_health"] & PREARM_BIT)
    if ready:  # warnings that do not keep it from arming
        return Outcome((Measure(t("ready to arm"), 1.0, "", 1, 1),), notes=(*notes, *faults))
    if not said:
        faults.append(t("the vehicle is not ready to arm and does not say why; it needs some 40 s after its start"))
    others = [e.text for e in telling if e.name in _OF_ONE_MODE]
    if notes and not faults:
        return Outcome(notes=(*notes, *others), skip=t("not ready to arm: {why}", why="; ".join(notes)))
    return Outcome((Measure(t("ready to arm"), 0.0, "", 1, 1),), tuple(faults), (*notes, *others))


PREARM_BIT = 1 << 28
WARNING = 4
_CHECKING = ("health", "arming_check")
_OF_ONE_MODE = ("check_modes_manual_control", "check_modes_mission", "check_modes_offboard_signal")
"""Events that only keep the vehicle from one flight mode; told as notes."""
_OPENINGS = ("Preflight Fail: ", "Preflight: ", "Low battery level", "Arming denied")


def _without_opening(text: str) -> str:
    for opening in ("Preflight Fail: ", "Preflight: "):
        text = text.removeprefix(opening)
    return text


_STILL = t("put the vehicle on a firm, level place, keep hands and wind off it, and run again; ")
_GNSS_TEXTS = ("text:GPS*", "text:*position estimate*", "text:*global position*")

CHECKS = (
    Check(
        "px4-gravity",
        "B04",
        t("Accelerometers measure gravity"),
        _STILL + t("then do the accelerometer calibration"),
        families=PX4,
        watches=_WATCH,
        parameters=(Parameter("slack", 0.25, "m/s2", t("allowed difference from 9.81 m/s2"), 0.02, 2),),
        explains=("bit:3D_ACCEL*", "text:*ccel*"),
        judge=_gravity,
    ),
    Check(
        "px4-gyro",
        "B05",
        t("Gyros are quiet and show no turn at rest"),
        _STILL + t("power-cycle without moving it; if it stays, look for a loose board"),
        families=PX4,
        watches=_WATCH,
        settings=(SIMULATED,),
        parameters=(
            Parameter("bias", 0.5, "deg/s", t("largest mean rate at rest"), 0.06, 10),
            Parameter("sigma", 0.2, "deg/s", t("largest standard deviation at rest"), 0.06, 5),
        ),
        explains=("bit:3D_GYRO*", "text:*yro*"),
        judge=_gyro,
    ),
    Check(
        "px4-vibration",
        "B06",
        t("No vibration at rest"),
        _STILL + t("look for a loose mount or a fan"),
        families=PX4,
        watches={"VIBRATION": 5.0},
        settings=(SIMULATED,),
        parameters=(
            Parameter("level", 2.0, "m/s2", t("largest vibration of the accelerometer at rest"), 0.1, 30),
            Parameter("clips", 0, "", t("accelerometer clippings in the window"), 0, 1000),
        ),
        judge=_vibration,
    ),
    Check(
        "px4-compass",
        "B07",
        t("Compasses see the earth's field"),
        t("move the vehicle away from steel, magnets and mains cables; check the compass cable, then calibrate"),
        families=PX4,
        watches=_WATCH,
        settings=("SYS_HAS_MAG",),
        parameters=(
            Parameter("field_low", 185, "mG", t("smallest field"), 50, 500),
            Parameter("field_high", 875, "mG", t("largest field"), 300, 2000),
        ),
        explains=("bit:3D_MAG*", "text:*ompass*", "text:*mag*"),
        judge=_compass,
    ),
    Check(
        "px4-estimator",
        "B09",
        t("The estimator is ready and content"),
        t("keep the vehicle still for a minute; mend the sensor whose ratio is high"),
        families=PX4,
        watches={"ESTIMATOR_STATUS": 5.0},
        parameters=(
            Parameter("ratio", 0.5, "", t("largest innovation test ratio (1 is rejected)"), 0.05, 1),
            Parameter("accuracy", 2.5, "m", t("largest horizontal accuracy estimate"), 0.05, 50),
        ),
        residual=True,
        judge=_estimator,
    ),
    Check(
        "px4-battery",
        "B12",
        t("The battery is charged and measured well"),
        t("charge or change the battery; if a meter shows another voltage, calibrate BAT1_V_DIV"),
        families=PX4,
        watches={"SYS_STATUS": 5.0, "BATTERY_STATUS": 2.0},
        settings=("BAT1_SOURCE", "BAT1_N_CELLS"),
        parameters=(
            Parameter("swing", 0.5, "V", t("largest change of the voltage at rest"), 0.05, 5),
            Parameter("cell_low", 3.7, "V", t("smallest cell voltage at rest"), 2.5, 4.2),
            Parameter("cell_high", 4.25, "V", t("largest cell voltage"), 3.6, 4.5),
            Parameter("remaining", 40, "%", t("least charge before a flight"), 5, 100),
        ),
        explains=("bit:BATTERY", "text:*attery*"),
        judge=_battery,
    ),
    Check(
        "px4-on-ground",
        "B01",
        t("The vehicle knows that it is on the ground"),
        _STILL + t("restart it where it stands"),
        families=PX4,
        watches={"EXTENDED_SYS_STATE": 2.0},
        judge=_on_ground,
    ),
    Check(
        "px4-prearm",
        "B16",
        t("Ready to arm"),
        t("mend what the vehicle names"),
        families=PX4,
        watches={"SYS_STATUS": 5.0, "EVENT": 0.0},
        residual=True,
        judge=_prearm,
    ),
)
