"""Commands to the simulated ArduCopter, with the results that the real SITL gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from dronekit_cfg.families.ardupilot.simulated_core import Core, Severity
from dronekit_cfg.families.ardupilot.simulated_readiness import MODES_WITH_POSITION, obstacles
from dronekit_cfg.families.ardupilot.simulated_telemetry import Telemetry

__all__ = ["Commands"]

ACCEPTED, TEMPORARILY_REJECTED, DENIED, UNSUPPORTED, FAILED = 0, 1, 2, 3, 4
FORCE_ARM, FORCE_DISARM, FORCE_REBOOT = 2989, 21196, 20190226
MODES: Mapping[int, str] = {
    0: "STABILIZE",
    1: "ACRO",
    2: "ALT_HOLD",
    3: "AUTO",
    4: "GUIDED",
    5: "LOITER",
    6: "RTL",
    7: "CIRCLE",
    9: "LAND",
    11: "DRIFT",
    13: "SPORT",
    14: "FLIP",
    15: "AUTOTUNE",
    16: "POSHOLD",
    17: "BRAKE",
    18: "THROW",
    19: "AVOID_ADSB",
    20: "GUIDED_NOGPS",
    21: "SMART_RTL",
    22: "FLOWHOLD",
    23: "FOLLOW",
    24: "ZIGZAG",
    25: "SYSTEMID",
    27: "AUTO RTL",
    28: "TURTLE",
}
NEED_MISSION = frozenset({3, 27})
CAPABILITY_FTP = 32
AUTOPILOT_VERSION = 148
MOTOR_TEST_LIMIT = 600.0
MAV_TYPE_MOTORS = 4
OUTPUT_OF_TEST = {1: 3, 2: 1, 3: 4, 4: 2}
"""Output by test order of a quad in plus: clockwise from the front [AP_MotorsMatrix.cpp]."""
TEST_FAILSAFES = ("FS_THR_ENABLE", "FS_GCS_ENABLE", "FS_EKF_ACTION")

_Params: TypeAlias = Sequence[float]
_Handler: TypeAlias = Callable[[_Params, float], int | None]


class Commands:
    """Answers COMMAND_LONG and COMMAND_INT. `reboot(now)` is called when a reboot was accepted."""

    def __init__(self, core: Core, telemetry: Telemetry, reboot: Callable[[float], None]) -> None:
        self._core = core
        self._telemetry = telemetry
        self._reboot = reboot
        self._after: list[Callable[[], Any]] = []
        self._testing: Mapping[str, float] | None = None
        self._tests = 0
        self._handlers: Mapping[int, _Handler] = {
            176: self._set_mode,
            209: self._motor_test,
            241: self._calibrate,
            245: self._storage,
            246: self._restart,
            400: self._arm,
            401: self._check,
            410: self._get_home,
            510: self._get_interval,
            511: self._set_interval,
            512: self._request_message,
            520: self._request_version,
        }

    def run(self, number: int, params: _Params, sender: tuple[int, int], now: float) -> None:
        """Run a command, acknowledge it, and then send what it asked for."""
        self._after.clear()
        handler = self._handlers.get(number)
        result = UNSUPPORTED if handler is None else handler(params, now)
        if result is not None:
            self._core.send(
                "COMMAND_ACK", command=number, result=result, target_system=sender[0], target_component=sender[1]
            )
        for action in self._after:
            action()

    def send_version(self) -> None:
        """Send AUTOPILOT_VERSION."""
        firmware = self._core.firmware
        hidden = CAPABILITY_FTP if self._core.faults.no_ftp else 0
        none = bytes(8)
        self._core.send(
            "AUTOPILOT_VERSION",
            capabilities=firmware.capabilities & ~hidden,
            flight_sw_version=firmware.flight_sw_version,
            middleware_sw_version=0,
            os_sw_version=0,
            board_version=0,
            flight_custom_version=firmware.git_hash.encode(),
            middleware_custom_version=none,
            os_custom_version=none,
            vendor_id=0,
            product_id=0,
            uid=0,
            uid2=self._core.identity.uid,
        )

    def _later(self, severity: int, text: str) -> None:
        self._after.append(lambda: self._core.say(severity, text))

    def _set_mode(self, params: _Params, now: float) -> int:
        mode = int(params[1])
        name = MODES.get(mode)
        if name is None:
            self._later(Severity.WARNING, f"No such mode {mode}")
            return FAILED
        reason = ""
        if mode in NEED_MISSION:
            reason = "init failed"
        elif mode in MODES_WITH_POSITION and not self._telemetry.scene.aligned(self._core.uptime(now)):
            reason = "requires position"
        if reason:
            self._later(Severity.WARNING, f"Mode change to {name} failed: {reason}")
            return FAILED
        self._core.mode = mode
        return ACCEPTED

    def _motor_test(self, params: _Params, now: float) -> int:
        seconds = params[3]
        refused = self._core.armed or "motor-refused" in self._core.faults.bench
        if refused or not 1 <= params[0] <= MAV_TYPE_MOTORS or not 0 <= seconds <= MOTOR_TEST_LIMIT:
            return FAILED
        if self._testing is None:
            self._later(Severity.INFO, "starting motor test")
        self._switch_failsafes_off()
        every = "motors-together" in self._core.faults.bench
        driven = range(1, MAV_TYPE_MOTORS + 1) if every else (OUTPUT_OF_TEST[int(params[0])],)
        self._core.turning = dict.fromkeys(driven, params[2] / 100)
        self._tests += 1
        latest = self._tests
        self._core.agenda.add(now + seconds, lambda _: self._end_motor_test(latest))
        return ACCEPTED

    def _switch_failsafes_off(self) -> None:
        """Do as the firmware: three failsafes are 0 while motors are tested."""
        store = self._core.store
        if self._testing is None:
            self._testing = {name: self._core.parameter(name) for name in TEST_FAILSAFES}
        for name in TEST_FAILSAFES:
            if (fact := store.find(name)) is not None:
                store.set(fact, 0)

    def _end_motor_test(self, latest: int) -> None:
        """End it, unless a later command went on with it: that one's time holds."""
        if latest != self._tests or self._testing is None:
            return
        self._core.say(Severity.INFO, "finished motor test")
        self._core.turning = {}
        put_back, self._testing = self._testing, None
        if "motor-test-keeps" in self._core.faults.bench:
            return
        for name, value in put_back.items():
            if (fact := self._core.store.find(name)) is not None:
                self._core.store.set(fact, value)

    def _calibrate(self, params: _Params, _now: float) -> int:
        if self._core.armed:
            return FAILED
        if params[2] == 1:
            self._later(Severity.INFO, "Updating barometer calibration")
            self._later(Severity.INFO, "Barometer calibration complete")
            return ACCEPTED
        return ACCEPTED if params[0] == 1 else UNSUPPORTED

    def _storage(self, params: _Params, _now: float) -> int:
        if params[0] != 2 or self._core.armed:
            return DENIED
        self._core.store.erase()
        self._later(Severity.WARNING, "All parameters reset, reboot board")
        return ACCEPTED

    def _restart(self, params: _Params, now: float) -> int:
        if params[0] not in (1, 3):
            return UNSUPPORTED
        if self._core.armed and params[5] != FORCE_REBOOT:
            return FAILED
        self._after.append(lambda: self._reboot(now))
        return ACCEPTED

    def _arm(self, params: _Params, now: float) -> int:
        if params[0] not in (0, 1):
            return UNSUPPORTED
        if params[0] == 0:
            return self._disarm(params[1] == FORCE_DISARM)
        if self._core.armed:
            return ACCEPTED
        against = obstacles(self._core, self._telemetry.scene, now)
        if against and params[1] not in (FORCE_ARM, FORCE_DISARM):
            for text in against:
                self._later(Severity.CRITICAL, f"Arm: {text}")
            return FAILED
        self._after.append(lambda: self.take_off_guard(now))
        return ACCEPTED

    def take_off_guard(self, now: float) -> None:
        """Arm: say so, and disarm again after a while without throttle, unless a fault keeps the vehicle armed."""
        core = self._core
        core.armed_at = now
        self._telemetry.send("GPS_GLOBAL_ORIGIN", now)
        self._telemetry.send("HOME_POSITION", now)
        core.say(Severity.INFO, "Arming motors")
        delay = core.parameter("DISARM_DELAY")
        if delay > 0 and not core.faults.armed and core.faults.arms_after is None:
            core.agenda.add(now + delay, lambda _: self._disarm_idle(now))

    def _disarm_idle(self, armed_at: float) -> None:
        if self._core.armed_at == armed_at:
            self._core.armed_at = None
            self._core.say(Severity.INFO, "Disarming motors")

    def _disarm(self, forced: bool) -> int:
        core = self._core
        flying = core.faults.armed or core.faults.arms_after is not None
        if core.armed and flying and not forced:
            return FAILED
        if core.armed:
            core.armed_at = None
            self._later(Severity.INFO, "Disarming motors")
        return ACCEPTED

    def _check(self, _params: _Params, now: float) -> int:
        if self._core.armed:
            return TEMPORARILY_REJECTED
        for text in obstacles(self._core, self._telemetry.scene, now):
            self._later(Severity.CRITICAL, f"PreArm: {text}")
        return ACCEPTED

    def _get_home(self, _params: _Params, now: float) -> int:
        self._telemetry.send("HOME_POSITION", now)
        self._telemetry.send("GPS_GLOBAL_ORIGIN", now)
        return ACCEPTED

    def _get_interval(self, params: _Params, _now: float) -> int:
        name = self._telemetry.name_of(int(params[0]))
        seconds = self._telemetry.interval(name) if name else 0.0
        self._core.send(
            "MESSAGE_INTERVAL", message_id=int(params[0]), interval_us=round(seconds * 1e6) if seconds else -1
        )
        return ACCEPTED

    def _set_interval(self, params: _Params, now: float) -> int:
        name = self._telemetry.name_of(int(params[0]))
        if name is None:
            self._later(Severity.INFO, f"No ap_message for mavlink id ({int(params[0])})")
            return DENIED
        if name != "HEARTBEAT":
            wanted = self._telemetry.default_interval(name) if params[1] == 0 else max(0.0, params[1] / 1e6)
            self._telemetry.set_interval(name, wanted, now)
        return ACCEPTED

    def _request_message(self, params: _Params, now: float) -> int:
        number = int(params[0])
        if number == AUTOPILOT_VERSION:
            self._after.append(self.send_version)
            return ACCEPTED
        name = self._telemetry.name_of(number)
        if name is None:
            return FAILED
        self._after.append(lambda: self._telemetry.send(name, now))
        return ACCEPTED

    def _request_version(self, params: _Params, _now: float) -> int:
        if params[0] == 1:
            self._after.append(self.send_version)
        return ACCEPTED
