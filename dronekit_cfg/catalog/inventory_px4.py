"""What the settings of a PX4 vehicle tell of its parts: calibrated sensors, receivers, battery monitors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from dronekit_cfg.catalog._data import load_toml
from dronekit_cfg.model import Snapshot
from dronekit_cfg.model.part import Part
from dronekit_cfg.text import t

__all__ = ["px4_parts", "px4_types"]

_KINDS = (("imu", "CAL_ACC{i}_ID"), ("compass", "CAL_MAG{i}_ID"), ("baro", "CAL_BARO{i}_ID"))
_GPS = {0: "auto", 1: "u-blox", 2: "MTK", 3: "Trimble", 4: "Emlid", 5: "Femtomes", 6: "NMEA"}
_BATTERY = {0: "analog voltage and current", 1: "external", 2: "ESC telemetry"}
_PORTS = {101: "TELEM1", 102: "TELEM2", 103: "TELEM3", 104: "TELEM4", 201: "GPS1", 202: "GPS2", 203: "GPS3", 300: "RC"}


@cache
def _data() -> Mapping[str, Any]:
    return load_toml("px4-devices.toml")


def px4_types() -> tuple[str, ...]:
    """Give the names of all known types."""
    return tuple(_data()["type"].values())


def px4_parts(snapshot: Snapshot) -> tuple[Part, ...]:
    """Give the parts that the settings tell of. A sensor is known once it was calibrated."""
    return (*_sensors(snapshot), *_receivers(snapshot), *_rest(snapshot))


def _number(snapshot: Snapshot, name: str) -> int:
    found = snapshot.value(name)
    return int(float(found.raw)) if found is not None and not isinstance(found.raw, str) else 0


def _sensors(snapshot: Snapshot) -> Iterator[Part]:
    for kind, pattern in _KINDS:
        for index in range(4):
            name = pattern.format(i=index)
            if device_id := _number(snapshot, name):
                type_, bus, external = _decode(snapshot, kind, index, device_id)
                yield Part(kind, index + 1, type_, bus, external, name, device_id)


def _decode(snapshot: Snapshot, kind: str, index: int, device_id: int) -> tuple[str, str, bool | None]:
    bus = _data()["bus"][device_id & 7]
    number, address, code = device_id >> 3 & 0x1F, device_id >> 8 & 0xFF, device_id >> 16 & 0xFF
    type_ = _data()["type"].get(str(code), t("type {number}", number=code))
    place = t("{kind} bus {bus}, address 0x{address}", kind=bus, bus=number, address=f"{address:02X}")
    if bus == "DroneCAN":
        place = t("DroneCAN bus {bus}, node {node}", bus=number, node=address)
    # A rotation of an internal compass is -1 (CAL_MAGn_ROT of the metadata).
    rotation = snapshot.value(f"CAL_MAG{index}_ROT")
    external = None if kind != "compass" else bus == "DroneCAN" or (rotation is not None and rotation.number >= 0)
    return type_, place, external


def _receivers(snapshot: Snapshot) -> Iterator[Part]:
    for number in (1, 2):
        port = _number(snapshot, f"GPS_{number}_CONFIG")
        if port:
            kind = _GPS.get(_number(snapshot, f"GPS_{number}_PROTOCOL"), "auto")
            yield Part("gps", number, kind, _PORTS.get(port, str(port)), setting=f"GPS_{number}_CONFIG")
    if _number(snapshot, "UAVCAN_SUB_GPS") and _number(snapshot, "UAVCAN_ENABLE"):
        yield Part("gps", 3, "DroneCAN", t("DroneCAN"), setting="UAVCAN_SUB_GPS")
    for name, kind in (("RC_CRSF_PRT_CFG", "CRSF"), ("RC_SBUS_PRT_CFG", "SBUS")):
        if port := _number(snapshot, name):
            place = _PORTS.get(port, str(port))
            yield Part("radio", 1, t("RC receiver, {name}", name=kind), place, setting=name)


def _rest(snapshot: Snapshot) -> Iterator[Part]:
    for number in (1, 2, 3):
        name = f"BAT{number}_SOURCE"
        if snapshot.value(name) is not None and (source := _number(snapshot, name)) >= 0:
            yield Part("battery", number, _BATTERY.get(source, t("type {number}", number=source)), setting=name)
    if _number(snapshot, "UAVCAN_ENABLE"):
        yield Part("can", 1, "DroneCAN", setting="UAVCAN_ENABLE")
