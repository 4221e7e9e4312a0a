"""Checks of a PX4 vehicle's settings and its radio: serial ports (B18), safety functions (B24), transmitter (B11).

Names and meanings: PX4 metadata of 2024-10 (COM_RC_IN_MODE, circuit breakers, `*_CONFIG` and `*_CFG`).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from dronekit_cfg.hil.check import Check, Parameter, Params
from dronekit_cfg.hil.checks import static, system
from dronekit_cfg.hil.checks.px4 import PX4, SIMULATED
from dronekit_cfg.hil.evidence import Evidence
from dronekit_cfg.model.checked import Measure, Outcome
from dronekit_cfg.text import t

__all__ = ["CHECKS"]

PORTS = (
    *("GPS_1_CONFIG", "GPS_2_CONFIG", "MAV_0_CONFIG", "MAV_1_CONFIG", "MAV_2_CONFIG", "RC_PORT_CONFIG"),
    *("RC_CRSF_PRT_CFG", "RC_DSM_PRT_CFG", "RC_GHST_PRT_CFG", "RC_SBUS_PRT_CFG", "TEL_FRSKY_CONFIG"),
    *("TEL_HOTT_CONFIG", "DSHOT_TEL_CFG", "MSP_OSD_CONFIG", "RTCM_CONFIG", "UXRCE_DDS_CFG"),
    *("SENS_CM8JL65_CFG", "SENS_LEDDAR1_CFG", "SENS_SF0X_CFG", "SENS_TFMINI_CFG", "SENS_ULAND_CFG"),
)
"""Settings that give a serial port (its number, 0 for none) to one driver."""
ETHERNET = 1000
"""The port number for which MAVLink and uXRCE-DDS use the network; several may share it."""
_STICKS = ("ROLL", "PITCH", "THROTTLE", "YAW")
_RADIO_IN, _MAVLINK_IN, _NOTHING_IN = "COM_RC_IN_MODE", 1, 4
_BREAKERS = {
    "CBRK_SUPPLY_CHK": (894281, t("the check of the power supply and of the battery")),
    "CBRK_USB_CHK": (197848, t("the check for a USB cable")),
    "CBRK_VTOLARMING": (159753, t("the check of the flight mode of a VTOL")),
}


def _ports(evidence: Evidence, _params: Params) -> Outcome:
    users: dict[int, list[str]] = defaultdict(list)
    for name in PORTS:
        number = int(evidence.setting(name, default=0))
        if number not in (0, ETHERNET):
            users[number].append(name)
    if not users:
        return Outcome(skip=t("no driver of this vehicle uses a serial port"))
    shared = {number: names for number, names in users.items() if len(names) > 1}
    faults = [t("{names} share serial port {n}", names=", ".join(names), n=number) for number, names in shared.items()]
    notes = (", ".join(f"{name}={number}" for number, names in sorted(users.items()) for name in names),)
    return Outcome((Measure(t("serial ports used twice"), len(shared), "", 0, 0),), tuple(faults), notes)


def _safety(evidence: Evidence, _params: Params) -> Outcome:
    simulated = evidence.setting(SIMULATED, default=0) > 0
    faults: list[str] = []
    notes: list[str] = []
    for name, (magic, what) in _BREAKERS.items():
        if evidence.setting(name, default=0) == magic:
            (notes if simulated else faults).append(t("{name} switches off {what}", name=name, what=what))
    if evidence.setting("EKF2_GPS_CHECK", default=1) == 0:
        faults.append(t("the estimator takes any fix: EKF2_GPS_CHECK = 0"))
    if evidence.setting("NAV_RCL_ACT", default=2) == 0:
        faults.append(t("the radio failsafe is off: NAV_RCL_ACT = 0"))
    if evidence.setting("COM_POS_FS_EPH", default=5) < 0:
        faults.append(t("the loss of position is hidden: COM_POS_FS_EPH < 0"))
    shown = ("NAV_RCL_ACT", "NAV_DLL_ACT", "COM_LOW_BAT_ACT", "GF_ACTION", "COM_ARM_WO_GPS")
    notes += [", ".join(f"{n} = {evidence.setting(n):g}" for n in shown if evidence.settings.get(n) is not None)]
    return Outcome((), tuple(faults), tuple(n for n in notes if n) or (t("no failsafe settings"),))


def _radio(evidence: Evidence, params: Params) -> Outcome:
    source = evidence.setting(_RADIO_IN, default=0)
    if source == _MAVLINK_IN:
        return Outcome(skip=t("sticks come over MAVLink (COM_RC_IN_MODE = 1)"))
    if source == _NOTHING_IN:
        return Outcome(skip=t("the vehicle takes no sticks (COM_RC_IN_MODE = 4)"))
    last = evidence.last("RC_CHANNELS")
    if not last or last["chancount"] == 0:
        return Outcome(faults=(t("no radio receiver is seen"),))
    measures = []
    faults = []
    for name in _STICKS:
        channel = int(evidence.setting(f"RC_MAP_{name}", default=0))
        if not channel:
            faults.append(t("no channel is the stick {stick}: RC_MAP_{name} = 0", stick=name.lower(), name=name))
            continue
        pulse = float(last[f"chan{channel}_raw"])
        rest = evidence.setting(f"RC{channel}_MIN" if name == "THROTTLE" else f"RC{channel}_TRIM", default=1500)
        measures.append(
            Measure(t("{stick} at rest", stick=name.lower()), pulse, "us", rest - params["off"], rest + params["off"])
        )
    if last["rssi"] != 255:
        measures.append(Measure(t("signal"), 100 * last["rssi"] / 254, "%", low=params["rssi"]))
    return Outcome(tuple(measures), tuple(faults))


def _like(check: Check, name: str, remedy: str) -> Check:
    """Give a check of ArduPilot with the remedy of PX4."""
    return replace(check, name=name, remedy=remedy, families=PX4)


_SHARED = {check.name: check for check in (*system.CHECKS, *static.CHECKS)}
CHECKS = (
    _like(
        _SHARED["logging"],
        "px4-logging",
        t("change or format the card; delete old logs; check SDLOG_MODE"),
    ),
    _like(
        _SHARED["processor"],
        "px4-processor",
        t("lower IMU_GYRO_RATEMAX or telemetry rates, switch off what is not used"),
    ),
    Check(
        "px4-radio",
        "B11",
        t("The transmitter is heard and its sticks rest"),
        t("switch the transmitter on, sticks at rest, throttle down; calibrate the radio"),
        families=PX4,
        watches={"RC_CHANNELS": 5.0},
        settings=(
            _RADIO_IN,
            *(f"RC_MAP_{n}" for n in _STICKS),
            *(f"RC{n}_{e}" for n in range(1, 9) for e in ("MIN", "TRIM")),
        ),
        parameters=(
            Parameter("off", 60, "us", t("how far a resting stick may be off"), 5, 300),
            Parameter("rssi", 50, "%", t("least signal"), 1, 100),
        ),
        explains=("bit:RC_RECEIVER", "text:*RC*", "text:*anual control*"),
        judge=_radio,
    ),
    Check(
        "px4-ports",
        "B18",
        t("Serial ports do not conflict"),
        t("give each driver a port of its own"),
        families=PX4,
        settings=PORTS,
        judge=_ports,
    ),
    Check(
        "px4-safety",
        "B24",
        t("Safety functions are on"),
        t("bring the vehicle to a profile: dronekit-cfg apply"),
        families=PX4,
        settings=(
            *(SIMULATED, *_BREAKERS, "EKF2_GPS_CHECK", "NAV_RCL_ACT", "NAV_DLL_ACT", "COM_POS_FS_EPH"),
            *("COM_LOW_BAT_ACT", "GF_ACTION", "COM_ARM_WO_GPS"),
        ),
        judge=_safety,
    ),
)
