"""Checks of what the vehicle says about itself: sensors, errors, load, logging, radio input, telemetry, pre-arm."""

from __future__ import annotations

from dronekit_cfg.hil.check import Check, Parameter, Params
from dronekit_cfg.hil.evidence import Evidence
from dronekit_cfg.model.checked import Measure, Outcome
from dronekit_cfg.text import t

__all__ = ["CHECKS", "PREARM_BIT", "SENSORS"]

SENSORS = {
    0x1: "3D_GYRO",
    0x2: "3D_ACCEL",
    0x4: "3D_MAG",
    0x8: "ABSOLUTE_PRESSURE",
    0x20: "GPS",
    0x40: "OPTICAL_FLOW",
    0x100: "LASER_POSITION",
    0x10000: "RC_RECEIVER",
    0x20000: "3D_GYRO2",
    0x40000: "3D_ACCEL2",
    0x80000: "3D_MAG2",
    0x100000: "GEOFENCE",
    0x200000: "AHRS",
    0x400000: "TERRAIN",
    0x1000000: "LOGGING",
    0x2000000: "BATTERY",
    0x4000000: "PROXIMITY",
    0x40000000: "PROPULSION",
}
"""MAV_SYS_STATUS_SENSOR bits that stand for a part of the vehicle."""
PREARM_BIT = 1 << 28
LOGGING = 0x1000000
_STATUS = {"SYS_STATUS": 5.0}


def _sensors(evidence: Evidence, _params: Params) -> Outcome:
    last = evidence.last("SYS_STATUS")
    if not last:
        return Outcome(faults=(t("the vehicle sends no SYS_STATUS"),))
    enabled = last["onboard_control_sensors_enabled"] & last["onboard_control_sensors_present"]
    sick = [name for bit, name in SENSORS.items() if enabled & bit and not last["onboard_control_sensors_health"] & bit]
    faults, notes = [], []
    for name in sick:
        who = evidence.who_explains(f"bit:{name}")
        if who:
            notes.append(t("{sensor} is unhealthy; {check} says why", sensor=name, check=who))
        else:
            faults.append(t("{sensor} is unhealthy", sensor=name))
    if notes and not faults:
        return Outcome(notes=tuple(notes), skip="; ".join(notes))
    count = sum(1 for bit in SENSORS if enabled & bit)
    return Outcome((Measure(t("parts in use"), count, "", low=3),), tuple(faults), tuple(notes))


def _errors(evidence: Evidence, params: Params) -> Outcome:
    first, last = evidence.all("SYS_STATUS"), evidence.last("SYS_STATUS")
    if not last:
        return Outcome(faults=(t("the vehicle sends no SYS_STATUS"),))
    internal = last["errors_count1"] | last["errors_count2"] << 16
    dropped = last["errors_comm"] - first[0].fields["errors_comm"]
    return Outcome(
        (
            Measure(t("internal error bits"), float(internal), "", 0, 0),
            Measure(t("internal errors"), float(last["errors_count4"]), "", 0, 0),
            Measure(t("communication errors"), float(dropped), "", high=params["comm"]),
        )
    )


def _logging(evidence: Evidence, params: Params) -> Outcome:
    last = evidence.last("SYS_STATUS")
    if not last:
        return Outcome(faults=(t("the vehicle sends no SYS_STATUS"),))
    if not last["onboard_control_sensors_present"] & LOGGING:
        return Outcome(faults=(t("the vehicle keeps no log: no card, or LOG_BACKEND_TYPE is 0"),))
    faults = []
    if not last["onboard_control_sensors_health"] & LOGGING:
        faults.append(t("logging does not work: the card is full, missing or slow"))
    dropped = last["errors_count3"] - evidence.all("SYS_STATUS")[0].fields["errors_count3"]
    return Outcome((Measure(t("log records dropped"), float(dropped), "", high=params["drops"]),), tuple(faults))


def _load(evidence: Evidence, params: Params) -> Outcome:
    loads = evidence.column("SYS_STATUS", "load")
    if not loads:
        return Outcome(faults=(t("the vehicle sends no SYS_STATUS"),))
    measures = [Measure(t("processor load"), max(loads) / 10, "%", high=params["load"])]
    memory = evidence.last("MEMINFO")
    if memory:
        free = max(memory.get("freemem32", 0), memory.get("freemem", 0))
        measures.append(Measure(t("free memory"), free / 1024, "KiB", low=params["memory"]))
    slow = [x for _, _, x in evidence.texts if "Main loop slow" in x]
    return Outcome(tuple(measures), tuple(slow[:1]))


def _radio(evidence: Evidence, params: Params) -> Outcome:
    last = evidence.last("RC_CHANNELS")
    if not last or last["chancount"] == 0:
        return Outcome(faults=(t("no radio receiver is seen"),))
    order = [int(evidence.setting(f"RCMAP_{n}", default=i)) for i, n in enumerate(_STICKS, 1)]
    low, high, dead = params["low"], params["high"], params["centre"]
    measures = []
    for name, channel in zip(_STICKS, order, strict=True):
        pulse = float(last.get(f"chan{channel}_raw", 0))
        if name == "THROTTLE":
            bottom = evidence.setting(f"RC{channel}_MIN", default=1100) + params["throttle"]
            measures.append(Measure(t("throttle at rest"), pulse, "us", low, bottom))
            continue
        trim = evidence.setting(f"RC{channel}_TRIM", default=1500)
        measures.append(Measure(t("{stick} at rest", stick=name.lower()), pulse, "us", trim - dead, trim + dead))
    used = [n for n in range(1, min(last["chancount"], 16) + 1) if n not in order]
    measures += [
        Measure(t("channel {n}", n=n), float(last[f"chan{n}_raw"]), "us", low, high) for n in used if n in (5, 6, 7, 8)
    ]
    if last["rssi"] != 255:
        measures.append(Measure(t("signal"), 100 * last["rssi"] / 254, "%", low=params["rssi"]))
    return Outcome(tuple(measures))


_STICKS = ("ROLL", "PITCH", "THROTTLE", "YAW")


def _telemetry(evidence: Evidence, params: Params) -> Outcome:
    rates = [
        Measure(
            t("{name} received", name=n), 100 * (len(evidence.all(n)) / evidence.seconds) / hz, "%", low=params["share"]
        )
        for n, hz in evidence.asked.items()
        if n in ("ATTITUDE", "RAW_IMU") and evidence.seconds > 0 and evidence.all(n)
    ]
    radio = evidence.last("RADIO_STATUS")
    if radio:
        margin = min(radio["rssi"] - radio["noise"], radio["remrssi"] - radio["remnoise"]) / 2
        rates.append(Measure(t("radio margin"), margin, "dB", low=params["margin"]))
        rates.append(Measure(t("radio buffer free"), float(radio["txbuf"]), "%", low=params["txbuf"]))
    if not rates:
        return Outcome(faults=(t("no telemetry came"),))
    return Outcome(tuple(rates))


def _prearm(evidence: Evidence, _params: Params) -> Outcome:
    last = evidence.last("SYS_STATUS")
    if not last:
        return Outcome(faults=(t("the vehicle sends no SYS_STATUS"),))
    texts = dict.fromkeys(x.removeprefix("PreArm: ") for _, _, x in evidence.texts if x.startswith("PreArm: "))
    faults, notes = [], []
    for text in texts:
        who = evidence.who_explains(f"text:{text}")
        if who:
            notes.append(t("{text} ({check} says why)", text=text, check=who))
        else:
            faults.append(text)
    ready = bool(last["onboard_control_sensors_health"] & PREARM_BIT)
    if not ready and not texts:
        faults.append(t("the vehicle is not ready to arm and does not say why"))
    if notes and not faults:
        return Outcome(notes=tuple(notes), skip=t("not ready to arm: {why}", why="; ".join(notes)))
    return Outcome((Measure(t("ready to arm"), float(ready), "", 1, 1),), tuple(faults), tuple(notes))


CHECKS = (
    Check(
        "sensors",
        "B02",
        t("All parts in use are healthy"),
        t("look at the vehicle's messages; check the cable of the part, or switch off what is not fitted"),
        families=frozenset({"ardupilot", "px4"}),
        watches=_STATUS,
        residual=True,
        judge=_sensors,
    ),
    Check(
        "errors",
        "B03",
        t("The firmware reports no internal error"),
        t("power-cycle; if it returns, change the board and report it to the firmware's developers"),
        watches=_STATUS,
        parameters=(Parameter("comm", 0, "", t("communication errors in the window"), 0, 1000),),
        explains=("text:Internal Error*", "text:Internal error*"),
        judge=_errors,
    ),
    Check(
        "logging",
        "B14",
        t("The vehicle keeps its log"),
        t("change or format the card; delete old logs"),
        watches=_STATUS,
        parameters=(Parameter("drops", 0, "", t("log records dropped in the window"), 0, 1000),),
        explains=("bit:LOGGING", "text:Logging*", "text:No SD card*", "text:No space*"),
        judge=_logging,
    ),
    Check(
        "processor",
        "B15",
        t("Processor and memory have room"),
        t("lower SCHED_LOOP_RATE or telemetry rates, stop scripts, switch off what is not used"),
        watches={**_STATUS, "MEMINFO": 2.0},
        parameters=(
            Parameter("load", 85, "%", t("largest load"), 10, 100),
            Parameter("memory", 16, "KiB", t("least free memory"), 1, 100000),
        ),
        explains=("text:*loop slow*", "text:*memory*"),
        judge=_load,
    ),
    Check(
        "radio",
        "B11",
        t("The transmitter is heard and its sticks rest"),
        t("switch the transmitter on, sticks at rest, throttle down; calibrate the radio"),
        watches={"RC_CHANNELS": 5.0},
        settings=(
            *(f"RCMAP_{n}" for n in _STICKS),
            *(f"RC{n}_{e}" for n in range(1, 9) for e in ("MIN", "TRIM")),
        ),
        parameters=(
            Parameter("low", 900, "us", t("shortest pulse"), 800, 1100),
            Parameter("high", 2100, "us", t("longest pulse"), 1900, 2200),
            Parameter("centre", 60, "us", t("how far a resting stick may be off its trim"), 5, 300),
            Parameter("throttle", 40, "us", t("how far the throttle may be above its minimum"), 5, 300),
            Parameter("rssi", 50, "%", t("least signal"), 1, 100),
        ),
        explains=("bit:RC_RECEIVER", "text:RC*", "text:*hrottle*", "text:*not neutral*"),
        judge=_radio,
    ),
    Check(
        "telemetry",
        "B17",
        t("Telemetry arrives"),
        t("ask for less, raise the baud rate, bring the radios closer"),
        families=frozenset({"ardupilot", "px4"}),
        watches={"ATTITUDE": 10.0, "RAW_IMU": 10.0, "RADIO_STATUS": 0.0},
        parameters=(
            Parameter("share", 90, "%", t("least share of the asked messages that arrives"), 10, 100),
            Parameter("margin", 20, "dB", t("least margin of the telemetry radio"), 1, 60),
            Parameter("txbuf", 50, "%", t("least free buffer of the telemetry radio"), 1, 100),
        ),
        judge=_telemetry,
    ),
    Check(
        "prearm",
        "B16",
        t("Ready to arm"),
        t("mend what the vehicle names"),
        watches=_STATUS,
        residual=True,
        judge=_prearm,
    ),
)
