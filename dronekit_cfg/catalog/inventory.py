"""What is fitted to a vehicle, as far as its settings tell, and whether that is what a build asks for.

ArduPilot and PX4 keep a device id for every sensor that they found or was calibrated with. What only a talk with the
vehicle tells (ESCs, radios, firmware of receivers) is in `talk.mavlink_parts` and `inventory_cli`; `engine.parts` joins
them. A part that is set up but does not answer is listed, and does not count as fitted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from dronekit_cfg.catalog._data import load_toml
from dronekit_cfg.model import Finding, Snapshot
from dronekit_cfg.model.part import Part
from dronekit_cfg.text import t

__all__ = [
    "KINDS",
    "Device",
    "Part",
    "compared_parts",
    "decode_device_id",
    "described",
    "inventory",
    "missing_parts",
    "requirement_error",
]

KINDS = (
    "board",
    "imu",
    "compass",
    "baro",
    "gps",
    "battery",
    "airspeed",
    "can",
    "component",
    "esc",
    "node",
    "output",
    "radio",
    "rangefinder",
    "flow",
)
"""Kinds of parts that a build can require."""
_ALIASES = {"gnss": "gps"}
_FIELDS = ("firmware", "type")
"""What can be required of the parts of a kind beside their number: `gnss.firmware: SPG 5.10`."""
_FREE = frozenset({"board", "can", "component", "esc", "node", "output", "radio"})
"""Kinds whose types no table lists."""


@dataclass(frozen=True, slots=True)
class Device:
    """A decoded device id: kind of bus ("I2C", "SPI", "DroneCAN" ...), its number, the address on it, and the type."""

    bus: str
    bus_number: int
    address: int
    type: str


@cache
def _types() -> Mapping[str, Any]:
    return load_toml("ardupilot-devices.toml")


def decode_device_id(device_id: int, kind: str) -> Device:
    """Decode an ArduPilot device id of a sensor of `kind` (imu, compass, baro). An unknown type is named by its number.

    Bits 0-2 kind of bus, 3-7 bus, 8-15 address, 16-23 type (AP_HAL/Device.h, DeviceStructure).
    """
    number = device_id >> 16 & 0xFF
    bus = _types()["bus"][device_id & 7]
    unknown = t("type {number}", number=number)
    # A compass on DroneCAN numbers the sensors of its node there instead of the chip (AP_Compass_UAVCAN.cpp).
    named = kind == "compass" and bus == "DroneCAN"
    name = t("DroneCAN compass") if named else _types().get(kind, {}).get(str(number), unknown)
    return Device(bus, device_id >> 3 & 0x1F, device_id >> 8 & 0xFF, name)


_SENSORS: tuple[tuple[str, tuple[str, ...]], ...] = (
    # The accelerometer names an IMU; its gyro is the same chip on all but the oldest boards.
    ("imu", ("INS_ACC_ID", "INS_ACC2_ID", "INS_ACC3_ID", "INS4_ACC_ID", "INS5_ACC_ID")),
    ("compass", ("COMPASS_DEV_ID", "COMPASS_DEV_ID2", "COMPASS_DEV_ID3", "COMPASS_DEV_ID4", "COMPASS_DEV_ID5")),
    ("compass", ("COMPASS_DEV_ID6", "COMPASS_DEV_ID7", "COMPASS_DEV_ID8")),
    ("baro", ("BARO1_DEVID", "BARO2_DEVID", "BARO3_DEVID")),
    ("airspeed", ("ARSPD_DEVID", "ARSPD2_DEVID")),
)
_COUNTED: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("gps", (("GPS1_TYPE", "GPS_TYPE"), ("GPS2_TYPE", "GPS_TYPE2"))),
    ("battery", (("BATT_MONITOR", ""), ("BATT2_MONITOR", ""))),
    ("can", (("CAN_P1_DRIVER", ""), ("CAN_P2_DRIVER", ""))),
    ("rangefinder", (("RNGFND1_TYPE", ""), ("RNGFND2_TYPE", ""))),
    ("flow", (("FLOW_TYPE", ""),)),
)
"""Parts that a setting switches on, under its names since 4.6 and before; 0 is off."""
_NAMED: dict[str, dict[int, str]] = {
    "gps": {1: "auto", 2: "u-blox", 5: "NMEA", 9: "DroneCAN", 10: "Septentrio", 11: "Trimble", 14: "MAVLink"},
    "battery": {3: "analog voltage", 4: "analog voltage and current", 7: "SMBus", 8: "DroneCAN", 9: "ESC telemetry"},
    "flow": {1: "PX4Flow", 2: "Pixart", 4: "CXOF", 5: "MAVLink", 6: "DroneCAN", 7: "MSP", 8: "UPFLOW", 10: "SITL"},
    "rangefinder": {10: "MAVLink", 16: "VL53L0X", 20: "Benewake", 24: "DroneCAN", 25: "Benewake", 32: "MSP"},
}
"""What the numbers stand for (AP_GPS, AP_BattMonitor, AP_OpticalFlow and AP_RangeFinder of ArduPilot)."""
_CAN = {0: "no protocol", 1: "DroneCAN", 4: "PiccoloCAN", 6: "EFI_NWPMU", 7: "USD1", 8: "KDECAN", 10: "scripting"}
"""CAN_Dn_PROTOCOL of ArduPilot; the rest is rare enough to be a number."""
_RECEIVERS = {1: "any protocol", 8: "SBUS", 512: "CRSF"}
_RCIN, _GPS, _ON_CAN = 23, 5, 9
_EXTERNAL = ("COMPASS_EXTERNAL", "COMPASS_EXTERN2", "COMPASS_EXTERN3")


def inventory(snapshot: Snapshot) -> tuple[Part, ...]:
    """Give the parts that the settings of a snapshot tell of."""
    family = snapshot.identity.family
    if family == "ardupilot":
        return (*_sensors(snapshot), *_counted(snapshot), *_radios(snapshot), *_nodes(snapshot))
    if family == "px4":
        from dronekit_cfg.catalog.inventory_px4 import px4_parts

        return px4_parts(snapshot)
    if family in {"betaflight", "inav"}:
        from dronekit_cfg.catalog.inventory_cli import cli_parts

        return cli_parts(snapshot)
    return ()


def _number(snapshot: Snapshot, name: str) -> int:
    found = snapshot.value(name) if name else None
    return int(float(found.raw)) if found is not None and not isinstance(found.raw, str) else 0


def _sensors(snapshot: Snapshot) -> Iterator[Part]:
    counts: dict[str, int] = {}
    for kind, names in _SENSORS:
        for name in names:
            device_id = _number(snapshot, name)
            if device_id:
                number = counts[kind] = counts.get(kind, 0) + 1
                device = decode_device_id(device_id, kind)
                external = _is_external(snapshot, number, device) if kind == "compass" else None
                yield Part(kind, number, device.type, _place(device), external, name, device_id)


def _is_external(snapshot: Snapshot, number: int, device: Device) -> bool:
    """Whether a compass is outside the autopilot: as its setting says (1, or 2 for forced), and always on DroneCAN."""
    said = _number(snapshot, _EXTERNAL[number - 1]) if number <= len(_EXTERNAL) else 0
    return said > 0 or device.bus in ("DroneCAN", "MSP")


def _place(device: Device) -> str:
    if device.bus == "DroneCAN":
        return t("DroneCAN bus {bus}, node {node}", bus=device.bus_number, node=device.address)
    return t(
        "{kind} bus {bus}, address 0x{address}", kind=device.bus, bus=device.bus_number, address=f"{device.address:02X}"
    )


def _counted(snapshot: Snapshot) -> Iterator[Part]:
    ports = _ports(snapshot, _GPS)
    for kind, settings in _COUNTED:
        for number, names in enumerate(settings, 1):
            name = next((n for n in names if n and snapshot.value(n) is not None), "")
            value = _number(snapshot, name)
            if value:
                known = _NAMED.get(kind, {}).get(value, t("type {number}", number=value))
                place = _gps_place(snapshot, number, value, ports) if kind == "gps" else ""
                if kind == "can":
                    known, place = _bus(snapshot, value)
                yield Part(kind, number, known, place, setting=name)


def _bus(snapshot: Snapshot, driver: int) -> tuple[str, str]:
    """Say what a CAN port speaks, and which ESCs its driver is told to command."""
    protocol = _number(snapshot, f"CAN_D{driver}_PROTOCOL")
    mask = _number(snapshot, f"CAN_D{driver}_UC_ESC_BM")
    escs = ", ".join(str(bit + 1) for bit in range(32) if mask >> bit & 1)
    name = _CAN.get(protocol, t("protocol {number}", number=protocol))
    return name, t("commands ESC {numbers}", numbers=escs) if escs else ""


def _ports(snapshot: Snapshot, protocol: int) -> list[str]:
    """Give the serial ports that a protocol is on, in the order in which the firmware hands them out."""
    return [f"SERIAL{n}" for n in range(10) if _number(snapshot, f"SERIAL{n}_PROTOCOL") == protocol]


def _gps_place(snapshot: Snapshot, number: int, kind: int, ports: list[str]) -> str:
    """Say where a receiver is: its DroneCAN node, or the next of the ports for receivers."""
    if kind == _ON_CAN:
        node = _number(snapshot, f"GPS{number}_CAN_NODEID") or _number(snapshot, f"GPS_CAN_NODEID{number}")
        return t("DroneCAN node {node}", node=node) if node else t("DroneCAN")
    return ports.pop(0) if ports else ""


def _radios(snapshot: Snapshot) -> Iterator[Part]:
    protocols = _number(snapshot, "RC_PROTOCOLS")
    name = _RECEIVERS.get(protocols, t("protocols {mask}", mask=protocols))
    for number, port in enumerate(_ports(snapshot, _RCIN), 1):
        yield Part("radio", number, t("RC receiver, {name}", name=name), port, setting=f"{port}_PROTOCOL")


def _nodes(snapshot: Snapshot) -> Iterator[Part]:
    """Give the DroneCAN nodes that sensors or receivers are on."""
    found: dict[int, str] = {}
    for kind, names in _SENSORS:
        for name in names:
            device_id = _number(snapshot, name)
            device = decode_device_id(device_id, kind) if device_id else None
            if device and device.bus == "DroneCAN":
                found.setdefault(device.address, name)
    for number in (1, 2):
        for name in (f"GPS{number}_CAN_NODEID", f"GPS_CAN_NODEID{number}"):
            if node := _number(snapshot, name):
                found.setdefault(node, name)
    for node, name in sorted(found.items()):
        yield Part("node", node, t("DroneCAN node"), t("node {node}", node=node), setting=name)


_COUNT = re.compile(r"(>=|<=|==|=|>|<)?\s*(\d+)")


def _kind_of(what: str) -> tuple[str, str]:
    """Take "gnss.firmware" apart into ("gps", "firmware")."""
    kind, _, field = what.partition(".")
    return _ALIASES.get(kind, kind), field


def requirement_error(what: str, wanted: str | int) -> str:
    """Say what is wrong with one line of `requires:`, "" when it can be checked."""
    kind, field = _kind_of(what)
    if kind not in KINDS:
        return t('"{kind}" is no kind of part: {known}', kind=kind, known=", ".join(KINDS))
    if field:
        known_field = field in _FIELDS
        return (
            ""
            if known_field
            else t("of {kind} one of these can be required: {fields}", kind=kind, fields=", ".join(_FIELDS))
        )
    if isinstance(wanted, int) or _COUNT.fullmatch(wanted) or wanted in ("fitted", "none"):
        return ""
    if wanted in ("external", "internal"):
        return "" if kind == "compass" else t("only a compass is external or internal")
    from dronekit_cfg.catalog.inventory_px4 import px4_types

    known = {*_types().get(kind, {}).values(), *px4_types(), *_NAMED.get(kind, {}).values()}
    if kind in _FREE or any(_names(wanted, name) or (kind == "gps" and _names(name, wanted)) for name in known):
        return ""
    return t('"{wanted}" is no type of {kind}', wanted=wanted, kind=kind)


def _names(wanted: str, told: str) -> bool:
    """Whether a name is meant by what a person wrote: the same, or whole words of it ("ELRS", "u-blox" of UBLOX)."""
    asked, said = (re.sub(r"[-_]", "", text) for text in (wanted, told))
    return re.search(rf"(?<!\w){re.escape(asked)}(?!\w)", said, re.IGNORECASE) is not None


def missing_parts(requires: Mapping[str, str | int], parts: Iterable[Part]) -> tuple[Finding, ...]:
    """Compare what a build requires with what is fitted; empty when everything is there. A mistake is a finding too."""
    fitted = tuple(parts)
    return tuple(f for kind, wanted in requires.items() for f in _judge(kind, wanted, fitted))


def compared_parts(
    requires: Mapping[str, str | int], parts: Iterable[Part]
) -> tuple[tuple[str, str, tuple[Part, ...], bool], ...]:
    """Give each requirement of a build with the parts of its kind, and whether they hold it."""
    fitted = tuple(parts)
    rows = []
    for what, wanted in requires.items():
        own = tuple(p for p in fitted if p.kind == _kind_of(what)[0])
        rows.append((what, str(wanted), own, not requirement_error(what, wanted) and _holds(what, wanted, own)))
    return tuple(rows)


def _judge(what: str, wanted: str | int, fitted: tuple[Part, ...]) -> Iterator[Finding]:
    own = tuple(p for p in fitted if p.kind == _kind_of(what)[0])
    error = requirement_error(what, wanted)
    if error:
        yield Finding("part-unknown", "error", what, error, t("correct requires: in the build"), None)
    elif not _holds(what, wanted, own):
        found = ", ".join(described(p, _kind_of(what)[1]) for p in own) or t("none")
        message = t(
            "the build requires {kind}: {wanted}, and fitted is: {found}", kind=what, wanted=wanted, found=found
        )
        remedy = t("fit it, connect it, or correct requires: in the build")
        if _kind_of(what) == ("gps", "firmware") and not any(p.firmware for p in own):
            remedy = t(
                "a vehicle tells it only when it finds the receiver; a u-blox one can be asked itself: {command}",
                command="dronekit-cfg info --inventory --link via:ardupilot:gps1+LINK",
            )
        yield Finding("part-missing", "error", own[0].setting if own else "", message, remedy, None)


def described(part: Part, field: str = "") -> str:
    """Say in a few words what a part is, with its firmware where that is asked for, and whether it answers."""
    words = [part.type]
    if field == "firmware":
        words.append(part.firmware or t("(tells no firmware)"))
    if part.external is not None and part.kind == "compass":
        words.append(t("(external)") if part.external else t("(internal)"))
    if part.answers is False:
        words.append(t("(does not answer)"))
    return " ".join(w for w in words if w)


def _holds(what: str, wanted: str | int, parts: Iterable[Part]) -> bool:
    field, text = _kind_of(what)[1], str(wanted)
    own = [p for p in parts if p.answers is not False]
    if field:
        return bool(own) and all(_names(text, getattr(p, field)) for p in own)
    if count := _COUNT.fullmatch(text):
        number, have = int(count[2]), len(own)
        return {
            ">=": have >= number,
            "<=": have <= number,
            ">": have > number,
            "<": have < number,
        }.get(count[1] or "=", have == number)
    words = {
        "fitted": bool(own),
        "none": not own,
        "external": any(p.external for p in own),
        "internal": any(p.external is False for p in own),
    }
    return words[text] if text in words else any(_names(text, p.type) for p in own)
