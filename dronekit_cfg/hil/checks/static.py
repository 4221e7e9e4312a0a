"""Checks of identity and of settings that need no measurement: B01, B18, B24."""

from __future__ import annotations

import math

from dronekit_cfg.engine.connection import describe
from dronekit_cfg.hil.check import Check, Parameter, Params
from dronekit_cfg.hil.evidence import Evidence
from dronekit_cfg.model.checked import Measure, Outcome
from dronekit_cfg.text import t

__all__ = ["CHECKS"]

DANGEROUS = {"4.5.0": t("its CRSF parser can stop the board in flight (fixed in 4.5.1)")}
"""Released versions that must not fly, with the reason (ArduCopter release notes)."""
SERIALS = range(10)
RC_INPUT, GNSS, MAVLINK = 23, 5, (1, 2)
SERIAL_GNSS = frozenset({1, 2, 5, 6, 8, 10, 11, 13, 15, 16, 17, 18, 20, 24, 25, 26})
"""Values of GPSn_TYPE whose receiver is on a serial port."""


def _identity(evidence: Evidence, params: Params) -> Outcome:
    who = evidence.identity
    beats = evidence.all("HEARTBEAT")
    faults = []
    if reason := DANGEROUS.get(who.version):
        faults.append(t("firmware {version} must not fly: {reason}", version=who.version_text, reason=reason))
    if not who.uid:
        faults.append(t("the board tells no unique id"))
    slack = params["slack"] / 100
    rate = (len(beats) - 1) / (beats[-1].at - beats[0].at) if len(beats) > 2 else 0.0
    measures = (Measure(t("heartbeats"), rate, "Hz", 1 - slack, 1 + slack),)
    notes = (describe(who),)
    return Outcome(measures, tuple(faults), notes)


def _serial(evidence: Evidence, _params: Params) -> Outcome:
    use = {n: int(evidence.setting(f"SERIAL{n}_PROTOCOL", default=-1)) for n in SERIALS}
    rc = [n for n, protocol in use.items() if protocol == RC_INPUT]
    ports = sum(protocol == GNSS for protocol in use.values())
    types = (
        evidence.setting("GPS1_TYPE", "GPS_TYPE", default=0),
        evidence.setting("GPS2_TYPE", "GPS_TYPE2", default=0),
    )
    receivers = sum(int(kind) in SERIAL_GNSS for kind in types)
    faults = []
    if len(rc) > 1:
        names = ", ".join(f"SERIAL{n}" for n in rc)
        faults.append(t("{ports} are both receiver inputs; only one is used", ports=names))
    if receivers > ports:
        faults.append(t("{n} serial GNSS receivers are set up on {ports} ports", n=receivers, ports=ports))
    if not any(use[n] in MAVLINK for n in SERIALS):
        faults.append(t("no serial port speaks MAVLink"))
    notes = (", ".join(f"SERIAL{n}={p}" for n, p in use.items() if p >= 0),)
    return Outcome((Measure(t("receiver inputs"), len(rc), "", high=1),), tuple(faults), notes)


def _safety(evidence: Evidence, _params: Params) -> Outcome:
    skipped = evidence.setting("ARMING_SKIPCHK")
    checks = evidence.setting("ARMING_CHECK")
    faults = []
    if not math.isnan(skipped) and skipped != 0:  # NaN: the setting is not there
        faults.append(t("arming checks are left out: ARMING_SKIPCHK = {v:g}", v=skipped))
    if not math.isnan(checks) and int(checks) & 1 == 0:
        faults.append(t("arming checks are left out: ARMING_CHECK = {v:g}", v=checks))
    if evidence.setting("FS_EKF_THRESH", default=0.8) <= 0:
        faults.append(t("the estimator failsafe is off: FS_EKF_THRESH = 0"))
    if evidence.setting("FS_THR_ENABLE", default=1) == 0:
        faults.append(t("the radio failsafe is off: FS_THR_ENABLE = 0"))
    names = ("FENCE_ENABLE", "FENCE_TYPE", "DID_ENABLE", "BRD_SAFETY_DEFLT")
    values = [f"{n} = {evidence.setting(n):g}" for n in names if evidence.settings.get(n) is not None]
    return Outcome((), tuple(faults), (", ".join(values) or t("no fence, Remote ID or safety switch settings"),))


CHECKS = (
    Check(
        "identity",
        "B01",
        t("The vehicle is known and alive"),
        t("check the link; flash a firmware that may fly"),
        families=frozenset({"ardupilot", "px4"}),
        watches={"HEARTBEAT": 0.0},
        parameters=(Parameter("slack", 25, "%", t("how far heartbeats may be off 1 Hz"), 1, 90),),
        judge=_identity,
    ),
    Check(
        "serial-ports",
        "B18",
        t("Serial ports do not conflict"),
        t("give each device a port of its own: SERIALn_PROTOCOL"),
        settings=(
            *(f"SERIAL{n}_PROTOCOL" for n in SERIALS),
            *("GPS1_TYPE", "GPS_TYPE", "GPS2_TYPE", "GPS_TYPE2"),
        ),
        judge=_serial,
    ),
    Check(
        "safety-functions",
        "B24",
        t("Safety functions are on"),
        t("bring the vehicle to a profile: dronekit-cfg apply"),
        settings=(
            *("ARMING_CHECK", "ARMING_SKIPCHK", "FS_EKF_THRESH", "FS_THR_ENABLE", "FENCE_ENABLE", "FENCE_TYPE"),
            *("DID_ENABLE", "BRD_SAFETY_DEFLT"),
        ),
        judge=_safety,
    ),
)
