"""The simulated ArduCopter itself: takes bytes, gives bytes, boots and reboots. Implements `sim.vehicle`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

from dronekit_cfg.families.ardupilot.simulated_boot import FIRST_HEARTBEAT, plan_boot, plan_power_on
from dronekit_cfg.families.ardupilot.simulated_commands import Commands
from dronekit_cfg.families.ardupilot.simulated_core import Core, Severity, derived_identity
from dronekit_cfg.families.ardupilot.simulated_failsafes import Failsafes
from dronekit_cfg.families.ardupilot.simulated_ftp import FtpServer, Peer
from dronekit_cfg.families.ardupilot.simulated_other import OtherStation
from dronekit_cfg.families.ardupilot.simulated_ports import Ports
from dronekit_cfg.families.ardupilot.simulated_requests import Reader
from dronekit_cfg.families.ardupilot.simulated_scene import Scene
from dronekit_cfg.families.ardupilot.simulated_signing import Signing
from dronekit_cfg.families.ardupilot.simulated_telemetry import Telemetry
from dronekit_cfg.families.ardupilot.simulated_writes import Writer
from dronekit_cfg.sim.vehicle import SimulatedVehicle
from dronekit_cfg.wire.mavlink import Message

__all__ = ["SimulatedCopter"]

HANG_UP_SECONDS = 0.25
"""From the acknowledged reboot to the closed connection, as measured on the real SITL."""
BROWNOUT_SECONDS = 0.02
ON_FOR_SECONDS = 60.0
"""How long a vehicle has been on when a ground station finds it running."""
FIRST_SIGN_SECONDS = 0.05

_Handler: TypeAlias = Callable[[Message, float], None]


class SimulatedCopter:
    """One vehicle. `cold`: it boots when it is first connected; else it has been on for a minute by then.

    `stream_rate` sends all telemetry streams at that rate from the start; 0 leaves them to the parameters.
    `usb`: the link is its USB port, and not a telemetry port.
    """

    def __init__(
        self, core: Core, *, seed: int = 0, cold: bool = False, stream_rate: float = 0.0, usb: bool = True
    ) -> None:
        self._core = core
        self._cold = cold
        self._stream_rate = stream_rate
        self._started = False
        self._hung_up = False
        self._accepts_at = -math.inf
        self._requests = 0
        self._crashed = False
        faults = core.faults
        self._scene = Scene(seed)
        self._writer = Writer(core, self._after_write)
        self._reader = Reader(core)
        self._telemetry = Telemetry(core, self._scene)
        self._commands = Commands(core, self._telemetry, self._reboot_soon)
        self._ftp = FtpServer(
            core.agenda,
            core.store,
            self._send_ftp,
            self._writer.upload,
            lambda _: core.banner(),
            burst_ends_at_eof=core.firmware.burst_ends_at_eof,
            drop_rate=faults.drop_burst or 0.0,
            random=core.random,
        )
        self._ports = Ports(core)
        self.failsafes = Failsafes(core)
        self._signing = Signing(core, usb=usb)
        self._other = OtherStation(core, self._writer, self._reader)
        self._handlers: Mapping[str, _Handler] = {
            "AUTOPILOT_VERSION_REQUEST": lambda _message, _now: self._commands.send_version(),
            "COMMAND_INT": self._command_int,
            "COMMAND_LONG": self._command_long,
            "FILE_TRANSFER_PROTOCOL": self._file_transfer,
            "LOG_REQUEST_LIST": self._log_list,
            "MISSION_REQUEST_LIST": self._mission_list,
            "PARAM_REQUEST_LIST": lambda _message, now: self._reader.request_list(now),
            "PARAM_REQUEST_READ": self._param_read,
            "PARAM_SET": self._param_set,
            "REQUEST_DATA_STREAM": self._data_stream,
            "SERIAL_CONTROL": self._ports.control,
            "SETUP_SIGNING": self._signing.set_up,
            "TIMESYNC": self._timesync,
        }

    def attach(self, port: str, device: SimulatedVehicle) -> None:
        """Connect a simulated device to a port, such as "gps1"."""
        self._ports.attach(port, device)

    # --- the seam

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes from the ground side."""
        self._advance(now)
        if self._hung_up:
            return
        self._core.codec.receive_data(data)
        while (message := self._core.codec.next_event()) is not None:
            self._take(message, now)

    def poll(self, now: float) -> bytes:
        """Give the bytes that the vehicle has to send at `now`."""
        self._advance(now)
        data = bytes(self._core.out)
        self._core.out.clear()
        return b"" if self._mute else data

    def next_due(self, now: float) -> float:
        """When `poll` will next have something."""
        if not self._started or self._core.out:
            return now
        return self._core.agenda.next_due()

    def connected(self, now: float) -> None:
        """A ground station opened the link; a vehicle that rebooted goes on with its boot."""
        self._advance(now)
        self._core.codec.reset()
        if self._hung_up:
            self._hung_up = False
            self._boot(now)

    @property
    def hung_up(self) -> bool:
        """Whether the vehicle closed the link."""
        return self._hung_up

    # --- power

    def _advance(self, now: float) -> None:
        self._core.clock = max(self._core.clock, now)
        if not self._started:
            self._started = True
            if self._cold:
                self._boot(now)
            else:
                self._core.store.boot()
                plan_power_on(self._core, self._writer, now - ON_FOR_SECONDS, now)
                self._begin(now, now + FIRST_SIGN_SECONDS)
        self._core.agenda.run(now)

    def _boot(self, now: float) -> None:
        core = self._core
        if core.boots and core.faults.wrong_uid_after_reboot:
            core.identity = derived_identity(core.identity.system_id, "another")
        core.store.boot()
        core.mode, core.armed_at, core.heard = 0, None, False
        start = now + max(0.0, (core.faults.slow_boot or 0.0) - FIRST_HEARTBEAT)
        plan_boot(core, self._writer, self._scene.noise, start, again=core.boots > 0)
        core.boots += 1
        self._ports.restart()
        self._accepts_at = start + FIRST_HEARTBEAT
        self._begin(now, self._accepts_at)

    def _begin(self, now: float, first_heartbeat: float) -> None:
        core = self._core
        core.boots = max(core.boots, 1)
        core.take_address()
        self._signing.load(now)
        self._writer.reset()
        self._reader.reset()
        self._ftp.reset()
        self._telemetry.start(first_heartbeat, self._stream_rate)
        self._other.start(first_heartbeat)
        if core.faults.armed:
            core.armed_at = now
        if core.faults.ftp_busy:
            self._ftp.hold(now + core.faults.ftp_busy)

    def _reboot_soon(self, now: float) -> None:
        self._core.agenda.add(now + HANG_UP_SECONDS, self._go_down)

    def _go_down(self, _due: float) -> None:
        self._core.agenda.clear()
        self._hung_up = True

    def _crash(self, due: float) -> None:
        if self._core.faults.brownout is not None:
            self._writer.undo_last()
        self._core.out.clear()
        self._go_down(due)

    def _after_write(self, written: int, now: float) -> None:
        faults = self._core.faults
        self._other.written(written, now)
        if written == faults.arms_after:
            self._core.agenda.add(now, self._commands.take_off_guard)
        if written == faults.reboot_mid:
            self._core.agenda.add(now, self._crash)
        elif written == faults.brownout:
            self._core.agenda.add(now + BROWNOUT_SECONDS, self._crash)

    # --- messages

    @property
    def _mute(self) -> bool:
        limit = self._core.faults.mute_after
        return limit is not None and self._requests > limit

    def _take(self, message: Message, now: float) -> None:
        core = self._core
        core.heard = True
        if message.name == "HEARTBEAT":
            self.failsafes.beat(message, now)
        handler = self._handlers.get(message.name)
        if handler is None or core.faults.deaf or now < self._accepts_at:
            return
        if message.fields.get("target_system", 0) not in (0, core.codec.system):
            return
        handler(message, now)
        self._requests += 1
        core.agenda.run(now)

    def _param_read(self, message: Message, now: float) -> None:
        self._reader.request_read(message["param_id"], message["param_index"], now)

    def _param_set(self, message: Message, now: float) -> None:
        self._writer.write(message["param_id"], message["param_value"], now)

    def _command_long(self, message: Message, now: float) -> None:
        params = tuple(message[f"param{n}"] for n in range(1, 8))
        self._commands.run(message["command"], params, (message.system, message.component), now)

    def _command_int(self, message: Message, now: float) -> None:
        params = (*(message[f"param{n}"] for n in range(1, 5)), message["x"], message["y"], message["z"])
        self._commands.run(message["command"], params, (message.system, message.component), now)

    def _data_stream(self, message: Message, now: float) -> None:
        self._telemetry.request_stream(
            message["req_stream_id"], message["req_message_rate"], message["start_stop"], now
        )

    def _file_transfer(self, message: Message, now: float) -> None:
        if self._core.faults.no_ftp:
            self._core.say(Severity.WARNING, "failed to initialize MAVFTP")
        else:
            self._ftp.receive(message["payload"], Peer(message.system, message.component), now)

    def _send_ftp(self, payload: bytes, peer: Peer) -> None:
        self._core.send(
            "FILE_TRANSFER_PROTOCOL",
            target_network=0,
            target_system=peer.system,
            target_component=peer.component,
            payload=payload,
        )

    def _mission_list(self, message: Message, _now: float) -> None:
        self._core.send(
            "MISSION_COUNT",
            target_system=message.system,
            target_component=message.component,
            count=0,
            mission_type=message["mission_type"],
        )

    def _log_list(self, _message: Message, _now: float) -> None:
        self._core.send("LOG_ENTRY", id=0, num_logs=0, last_log_num=0, time_utc=0, size=0)

    def _timesync(self, message: Message, now: float) -> None:
        if message["tc1"] == 0:
            self._core.send("TIMESYNC", tc1=int(self._core.uptime(now) * 1e9), ts1=message["ts1"])
