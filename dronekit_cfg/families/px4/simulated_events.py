"""Events of the simulated PX4 copter: what its broken parts say, and the metadata that puts the numbers into words.

Numbers, names and types of arguments are those of the PX4 of 2024-10; the texts are our own, short ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["COMPLAINTS", "EVENTS"]

COMPONENT = 1 << 24
_FIX, _BATTERY, _COMPASS, _BARO = 12369553, 5049764, 15388760, 5095593
_CPU, _POSITION = 1058956, 10011251
ALL_MODES = 0xFF
_HEAD = ({"type": "navigation_mode_group_t", "name": "modes"}, {"type": "uint8_t", "name": "health_component_index"})


def _entry(name: str, message: str, *more: str) -> dict[str, Any]:
    arguments = [*_HEAD, *({"type": kind, "name": f"arg{n}"} for n, kind in enumerate(more))]
    return {"name": name, "message": message, "arguments": arguments}


EVENTS: Mapping[str, Any] = {
    "version": 1,
    "components": {
        "1": {
            "namespace": "px4",
            "enums": {
                "navigation_mode_group_t": {
                    "type": "uint8_t",
                    "is_bitfield": True,
                    "entries": {"1": {"name": "manual"}},
                }
            },
            "event_groups": {
                "health": {
                    "events": {
                        str(_CPU): _entry("check_cpuload_too_high", "CPU load too high: {3:.1}%", "float"),
                        str(_COMPASS): _entry("check_mag_missing", "Compass sensor {3} missing", "uint8_t"),
                        str(_BARO): _entry("check_baro_missing", "Barometer {3} missing", "uint8_t"),
                    }
                },
                "arming_check": {
                    "events": {
                        str(_FIX): _entry("check_estimator_gps_fix_too_low", "GPS fix too low"),
                        str(_BATTERY): _entry("check_battery_low", "Low battery"),
                        str(_POSITION): _entry("check_modes_global_pos", "No valid global position"),
                    }
                },
            },
        }
    },
}
"""The file that the vehicle offers."""
_HEADER = bytes((ALL_MODES, 0))
COMPLAINTS: Mapping[str, tuple[str, int, bytes]] = {
    "dead-baro": ("", COMPONENT | _BARO, _HEADER + b"\0"),
    "dead-compass": ("", COMPONENT | _COMPASS, _HEADER + b"\0"),
    "low-voltage": ("Low battery level\t", COMPONENT | _BATTERY, _HEADER),
    "no-fix": ("Preflight: GPS fix too low", COMPONENT | _FIX, _HEADER),
    "prearm": ("", COMPONENT | _POSITION, _HEADER),
}
"""What a broken part has against arming: the text of older stations ("" for none), the event, its arguments."""
