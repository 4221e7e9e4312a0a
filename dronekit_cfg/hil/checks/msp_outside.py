"""Checks of what is connected to a Betaflight or INAV board: GNSS, receiver, battery, log (B09 to B12, B14)."""

from __future__ import annotations

import math

from dronekit_cfg.hil.bench import Bench
from dronekit_cfg.hil.check import Check, Needs, Parameter, Params
from dronekit_cfg.hil.checks.msp import MSP_FAMILIES
from dronekit_cfg.hil.evidence import Evidence, mean
from dronekit_cfg.hil.watch_msp import STATUS, ask_sensor, msp_driver
from dronekit_cfg.model.checked import Measure, Outcome
from dronekit_cfg.talk.flow import Flow, Wait
from dronekit_cfg.text import t
from dronekit_cfg.wire.msp_sensors import SENSOR_BITS

__all__ = ["CHECKS"]

STICKS = ("roll", "pitch", "yaw", "throttle")
"""Order of channels in MSP_RC whatever the transmitter's own order is [Betaflight src/main/msp/msp.c MSP_RC]."""
GNSS_BIT = SENSOR_BITS.index("GNSS")
BATTERY_STATES = {1: t("is low"), 2: t("is empty")}
CARD_STATES = {0: t("no card"), 1: t("the card does not work"), 2: t("the card starts"), 3: t("its file system starts")}
CARD_READY = 4
FIX_3D = {"betaflight": 1, "inav": 2}
"""Betaflight tells only whether there is a fix; INAV 1 for 2D, 2 for 3D [INAV src/main/io/gps.h]."""
LOST_LINK = frozenset({"RXLOSS", "FAILSAFE", "BADRX", "RC_LINK"})
POLL_SECONDS = 0.05


def _gnss(evidence: Evidence, params: Params) -> Outcome:
    if not evidence.last(STATUS).get("sensors", 0) >> GNSS_BIT & 1:
        return Outcome(skip=t("no GNSS receiver is in use"))
    last = evidence.last("MSP_RAW_GPS")
    if not last:
        return Outcome(faults=(t("the vehicle tells nothing of its GNSS receiver"),))
    measures = [
        Measure(t("fix"), last["fix"], "", low=FIX_3D[evidence.identity.family]),
        Measure(t("satellites"), last["satellites"], "", low=params["satellites"]),
    ]
    if "dop" in last:
        measures.append(Measure(t("dilution of precision"), last["dop"] / 100, "", 0.1, params["dop"]))
    return Outcome(tuple(measures))


def _signal(evidence: Evidence, params: Params) -> Outcome:
    seen = [s for s in evidence.last("MSP_GPSSVINFO").get("satellites", ()) if 0 < s["cn0"] < 99]
    if not seen:
        return Outcome(skip=t("the vehicle tells no signal strengths (only with a u-blox receiver, set up as such)"))
    best = sorted((s["cn0"] for s in seen), reverse=True)[: int(params["best"])]
    return Outcome((Measure(t("C/N0 of the best satellites"), mean(best), "dB-Hz", low=params["cn0"]),))


def _radio(evidence: Evidence, params: Params) -> Outcome:
    last = evidence.last("MSP_RC").get("channels", ())
    if len(last) < len(STICKS):
        return Outcome(faults=(t("no radio receiver is seen"),))
    reasons = evidence.last(STATUS).get("reasons", ())
    lost = [r for r in reasons if r in LOST_LINK]
    faults = [t("the radio link is lost: {reasons}", reasons=" ".join(lost))] if lost else []
    centre, dead = 1500.0, params["centre"]
    measures = [
        Measure(t("{stick} at rest", stick=name), float(pulse), "us", centre - dead, centre + dead)
        for name, pulse in zip(STICKS[:3], last, strict=False)
    ]
    measures.append(Measure(t("throttle at rest"), float(last[3]), "us", params["low"], params["throttle"]))
    rssi = evidence.last("MSP_ANALOG").get("rssi", 0)
    if rssi:
        measures.append(Measure(t("signal"), 100 * rssi / 1023, "%", low=params["rssi"]))
    return Outcome(tuple(measures), tuple(faults))


def _battery(evidence: Evidence, params: Params) -> Outcome:
    last, analog = evidence.last("MSP_BATTERY_STATE"), evidence.last("MSP_ANALOG")
    centivolts = last.get("voltage") or 10 * last.get("legacy", 0) or analog.get("voltage") or 0
    if not last or (not centivolts and not params["required"]):
        return Outcome(skip=t("no battery is measured"))
    cells, volts = last["cells"], centivolts / 100
    faults = [t("the battery {state}", state=BATTERY_STATES[last["state"]])] if last["state"] in BATTERY_STATES else []
    measures = [Measure(t("voltage"), volts, "V", low=params["volts"])]
    if cells:
        measures.append(Measure(t("cell voltage"), volts / cells, "V", params["cell_low"], params["cell_high"]))
    if params["cells"]:
        measures.append(Measure(t("cells"), cells, "", params["cells"], params["cells"]))
    if params["meter"]:
        error = 100 * abs(volts - params["meter"]) / params["meter"]
        measures.append(Measure(t("error against the meter"), error, "%", high=params["meter_error"]))
    return Outcome(tuple(measures), tuple(faults))


def _logging(evidence: Evidence, params: Params) -> Outcome:
    flash, card = evidence.last("MSP_DATAFLASH_SUMMARY"), evidence.last("MSP_SDCARD_SUMMARY")
    if card.get("flags", 0) & 1:
        state = card["state"]
        if state != CARD_READY:
            return Outcome(faults=(CARD_STATES.get(state, t("card state {n}", n=state)),))
        return Outcome((Measure(t("free on the card"), card["free"] / 1024, "MiB", low=params["card"]),))
    if flash.get("flags", 0) & 2 and flash["size"]:
        free = 100 * (1 - flash["used"] / flash["size"])
        ready = flash["flags"] & 1
        faults = () if ready else (t("the flash chip is not ready"),)
        return Outcome((Measure(t("free in the flash chip"), free, "%", low=params["flash"]),), faults)
    return Outcome(skip=t("the board has no card and no flash chip for its log"))


def _failsafe(bench: Bench, params: Params) -> Outcome:
    """Transmitter off, on: the vehicle must notice both, and no channel may hold."""
    bench.connection.require_disarmed()
    if not bench.operator.done(t("Switch the transmitter ON, then wait.")):
        return Outcome(skip=t("nobody is at the transmitter"))
    if not math.isfinite(_until(bench, params["wait"], lost=False)):
        return Outcome(faults=(t("the radio link is lost before the test"),))
    if not bench.operator.done(t("Switch the transmitter OFF.")):
        return Outcome(skip=t("nobody switched the transmitter off"))
    noticed = _until(bench, params["wait"], lost=True)
    on_again = bench.operator.done(t("Switch the transmitter ON again."))
    back = _until(bench, params["wait"], lost=False) if on_again else math.nan
    faults = () if on_again else (t("nobody switched the transmitter on again"),)
    return Outcome(
        (
            Measure(t("loss noticed after"), noticed, "s", high=params["limit"]),
            Measure(t("link back after"), back, "s", high=params["wait"]),
        ),
        faults,
    )


def _until(bench: Bench, seconds: float, *, lost: bool) -> float:
    """Give seconds until the vehicle says that the link is lost (or back), NaN when it does not in time."""
    driver = msp_driver(bench.connection)
    assert driver is not None
    now = driver.session.now
    start = now()
    while now() < start + seconds:
        status = bench.run(ask_sensor(driver, STATUS)) or {}
        if bool(LOST_LINK & set(status.get("reasons", ()))) is lost:
            return now() - start
        bench.run(_pause(now() + POLL_SECONDS))
    return math.nan


def _pause(until: float) -> Flow[None]:
    yield Wait(until=until)


CHECKS = (
    Check(
        "msp-gnss",
        "B09",
        t("The GNSS receiver has a good fix"),
        t("give it a free sky and time; keep video transmitter and cameras away from its antenna"),
        families=MSP_FAMILIES,
        watches={"MSP_RAW_GPS": 2.0, STATUS: 4.0},
        parameters=(
            Parameter("satellites", 10, "", t("fewest satellites"), 4, 40),
            Parameter("dop", 2.5, "", t("largest dilution of precision"), 0.5, 20),
        ),
        explains=("flag:GPS", "flag:NAV_UNSAFE"),
        judge=_gnss,
    ),
    Check(
        "msp-gnss-signal",
        "B10",
        t("GNSS signals are strong"),
        t("switch off what transmits nearby, one by one: video, cameras, USB 3; move or shield the antenna"),
        families=MSP_FAMILIES,
        watches={"MSP_GPSSVINFO": 1.0},
        parameters=(
            Parameter("cn0", 35, "dB-Hz", t("least mean C/N0 of the best satellites"), 20, 55),
            Parameter("best", 6, "", t("how many of the best satellites count"), 1, 20),
        ),
        judge=_signal,
    ),
    Check(
        "msp-radio",
        "B11",
        t("The transmitter is heard and its sticks rest"),
        t("switch the transmitter on, sticks at rest, throttle down; check the receiver's wire and serialrx_provider"),
        families=MSP_FAMILIES,
        watches={"MSP_RC": 5.0, "MSP_ANALOG": 2.0, STATUS: 4.0},
        parameters=(
            Parameter("centre", 30, "us", t("how far a resting stick may be off 1500"), 5, 300),
            Parameter("low", 885, "us", t("shortest pulse of the throttle"), 800, 1000),
            Parameter("throttle", 1050, "us", t("longest pulse of the resting throttle"), 1001, 1200),
            Parameter("rssi", 50, "%", t("least signal"), 1, 100),
        ),
        explains=("flag:RXLOSS", "flag:FAILSAFE", "flag:BADRX", "flag:RC_LINK", "flag:ROLLPITCH"),
        judge=_radio,
    ),
    Check(
        "msp-radio-failsafe",
        "B11",
        t("A lost transmitter is noticed"),
        t("set the receiver to send no pulses when the link is lost"),
        families=MSP_FAMILIES,
        needs=frozenset({Needs.OPERATOR}),
        parameters=(
            Parameter("limit", 2.0, "s", t("longest time until the loss is noticed"), 0.2, 20),
            Parameter("wait", 15, "s", t("longest wait for anything"), 2, 60),
        ),
        act=_failsafe,
    ),
    Check(
        "msp-battery",
        "B12",
        t("The battery is charged and measured well"),
        t("charge or change the battery; if a meter shows another voltage, calibrate vbat_scale"),
        families=MSP_FAMILIES,
        watches={"MSP_BATTERY_STATE": 2.0, "MSP_ANALOG": 2.0},
        parameters=(
            Parameter("required", 0, "", t("1: a vehicle that measures no battery fails"), 0, 1),
            Parameter("volts", 3.0, "V", t("least voltage"), 1, 60),
            Parameter("cells", 0, "", t("cells in series that must be found; 0: any"), 0, 14),
            Parameter("cell_low", 3.7, "V", t("smallest cell voltage at rest"), 2.5, 4.2),
            Parameter("cell_high", 4.4, "V", t("largest cell voltage; 4.35 V for high-voltage packs"), 3.6, 4.5),
            Parameter("meter", 0, "V", t("what a voltmeter at the battery shows; 0: none"), 0, 120),
            Parameter("meter_error", 1.0, "%", t("largest error against the meter"), 0.1, 20),
        ),
        judge=_battery,
    ),
    Check(
        "msp-logging",
        "B14",
        t("There is room for the log"),
        t("erase the flash chip or change the card"),
        families=MSP_FAMILIES,
        watches={"MSP_DATAFLASH_SUMMARY": 1.0, "MSP_SDCARD_SUMMARY": 1.0},
        parameters=(
            Parameter("flash", 20, "%", t("least free share of the flash chip"), 1, 100),
            Parameter("card", 500, "MiB", t("least free room on the card"), 1, 100000),
        ),
        judge=_logging,
    ),
)
