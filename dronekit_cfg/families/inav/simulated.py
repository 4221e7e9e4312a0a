"""Makes the simulated vehicle behind `sim:inav`; see `families.betaflight.simulated`."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

from dronekit_cfg.families.betaflight.simulated import make_twin
from dronekit_cfg.families.betaflight.simulated_cli import TwinState
from dronekit_cfg.families.inav.simulated_cli import InavCli
from dronekit_cfg.sim.vehicle import SimulatedVehicle
from dronekit_cfg.wire.msp import Direction, MspFrame
from dronekit_cfg.wire.msp_messages import Code, SettingInfo, SettingType, parse_setting_info

__all__ = ["TARGET", "VERSIONS", "make_simulated"]

TARGET = "inav"
VERSIONS: Mapping[str, str] = {"9.0": "9.0.0", "9.0.0": "9.0.0"}
_PROFILE = 16
"""Where the number of the active profile stands behind the name."""
_FORMATS = {
    SettingType.UINT8: "<B",
    SettingType.INT8: "<b",
    SettingType.UINT16: "<H",
    SettingType.INT16: "<h",
    SettingType.UINT32: "<I",
    SettingType.FLOAT: "<f",
}


def make_simulated(target: str, options: Mapping[str, str], *, state_dir: Path | None) -> SimulatedVehicle:
    """Make a simulated INAV vehicle; options and errors as for `sim:betaflight`."""
    return make_twin(TARGET, target, options, state_dir, VERSIONS, _answer, InavCli)


def _answer(request: MspFrame, state: TwinState, armed: bool) -> bytes | None:
    """Give the payload that INAV answers with, None for a refusal."""
    if request.code == Code.REBOOT:
        return None if armed else b""
    recorded = state.data.msp.get((request.code, request.payload))
    if request.code == Code.INAV_SETTING:
        asked = state.data.msp.get((Code.INAV_SETTING_INFO, request.payload))
        return _raw(asked, state) if asked and asked.direction is Direction.REPLY else None
    if recorded is None or recorded.direction is Direction.REFUSAL:
        return None
    if request.code == Code.INAV_SETTING_INFO:
        info = parse_setting_info(recorded.payload)
        head = bytearray(recorded.payload[: len(recorded.payload) - len(info.value)])
        if scope := state.data.scopes[info.name]:
            head[len(info.name) + _PROFILE] = int(state.values[scope]) - 1
        return bytes(head) + _raw(recorded, state)
    if armed and request.code == Code.INAV_STATUS:
        return recorded.payload[:9] + bytes([recorded.payload[9] | 4]) + recorded.payload[10:]
    return recorded.payload


def _raw(recorded: MspFrame, state: TwinState) -> bytes:
    """Give the current value of a setting as raw bytes."""
    info = parse_setting_info(recorded.payload)
    scope = state.data.scopes[info.name]
    name = f"{scope}.{state.values[scope]}.{info.name}" if scope else info.name
    return _encode(info, state.values[name])


def _encode(info: SettingInfo, text: str) -> bytes:
    if info.type is SettingType.STRING:
        return text.encode("latin-1").ljust(len(info.value), b"\0")
    if info.lookup:
        return struct.pack(_FORMATS[info.type], info.labels.index(text) + info.minimum)
    return struct.pack(_FORMATS[info.type], float(text) if info.type is SettingType.FLOAT else int(text))
