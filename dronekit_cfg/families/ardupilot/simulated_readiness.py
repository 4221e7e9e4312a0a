"""Whether the simulated ArduCopter would arm, and what it says if not.

Texts as the real firmware has them; the times of the first two were recorded on the real SITL after a boot. Only
checks that settings of a vehicle at rest can fail are here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from dronekit_cfg.families.ardupilot.simulated_bench import complaints
from dronekit_cfg.families.ardupilot.simulated_core import Core
from dronekit_cfg.families.ardupilot.simulated_scene import Scene

__all__ = ["MODES_WITH_POSITION", "obstacles"]

ACCELS_SETTLE, GYROS_SETTLE = 13.0, 20.0
"""Seconds after the boot until the sensors have come together."""
MODES_WITH_POSITION = frozenset({3, 4, 5, 6, 7, 11, 16, 17, 20, 21, 23, 24, 25, 27})

_Check: TypeAlias = Callable[[Core, Scene, float], bool]


def _accels_apart(core: Core, _scene: Scene, now: float) -> bool:
    return core.uptime(now) < ACCELS_SETTLE


def _gyros_apart(core: Core, _scene: Scene, now: float) -> bool:
    return ACCELS_SETTLE <= core.uptime(now) < GYROS_SETTLE


def _throttle_failsafe_wrong(core: Core, _scene: Scene, _now: float) -> bool:
    value = core.parameter("FS_THR_VALUE")
    return bool(core.parameter("FS_THR_ENABLE")) and (value < 910 or core.parameter("RC3_MIN") <= value + 10)


def _angle_wrong(core: Core, _scene: Scene, _now: float) -> bool:
    return not 1000 <= core.parameter("ANGLE_MAX", 3000) <= 8000


def _battery_low(core: Core, scene: Scene, now: float) -> bool:
    return scene.voltage(core.uptime(now), armed=False) < core.parameter("BATT_ARM_VOLT")


def _battery_inverted(core: Core, _scene: Scene, _now: float) -> bool:
    low, critical = core.parameter("BATT_LOW_VOLT"), core.parameter("BATT_CRT_VOLT")
    return low > 0 and critical > 0 and critical >= low


def _no_position(core: Core, scene: Scene, now: float) -> bool:
    return core.mode in MODES_WITH_POSITION and not scene.aligned(core.uptime(now))


def _fence_blind(core: Core, scene: Scene, now: float) -> bool:
    horizontal = int(core.parameter("FENCE_TYPE")) & 6
    return bool(core.parameter("FENCE_ENABLE")) and horizontal != 0 and not scene.aligned(core.uptime(now))


_CHECKS: tuple[tuple[str, _Check], ...] = (
    ("Accels inconsistent", _accels_apart),
    ("Gyros inconsistent", _gyros_apart),
    ("Check FS_THR_VALUE", _throttle_failsafe_wrong),
    ("Check ANGLE_MAX", _angle_wrong),
    ("Battery 1 below minimum arming voltage", _battery_low),
    ("Battery 1 voltage failsafe critical >= low", _battery_inverted),
    ("Need Position Estimate", _no_position),
    ("Fence requires position", _fence_blind),
)


def obstacles(core: Core, scene: Scene, now: float) -> tuple[str, ...]:
    """Give what stands against arming, without the "PreArm:" or "Arm:" before it."""
    if not core.initialised:
        return ("System not initialised",)
    if core.parameter("ARMING_CHECK", 1) == 0:
        return ()
    if "arms-blind" in core.faults.bench:
        return ()
    return (*(text for text, fails in _CHECKS if fails(core, scene, now)), *complaints(core))
