"""The simulated PX4 copter on its link: what it sends by itself, and what it answers.

Times and oddities are those of a recording of 2024-10: reads and writes are answered at once; a change is sent again
20 ms later together with everything that is not stored yet; a list begins with the checksum and leaves in passes of 20
every 20 ms; a message that was asked for comes 3 ms before the acknowledgement; unknown names and writes of the wrong
type are answered with silence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from dronekit_cfg.families.px4.simulated_bench import keeps_from_arming
from dronekit_cfg.families.px4.simulated_data import Fact, Firmware, bits_of
from dronekit_cfg.families.px4.simulated_extras import Extras
from dronekit_cfg.families.px4.simulated_motors import Motors
from dronekit_cfg.families.px4.simulated_state import State, Unit
from dronekit_cfg.families.px4.simulated_store import Store
from dronekit_cfg.families.px4.simulated_telemetry import Telemetry
from dronekit_cfg.model import Kind, Value
from dronekit_cfg.sim.agenda import Agenda
from dronekit_cfg.sim.faults import Faults
from dronekit_cfg.sim.memory import Memory
from dronekit_cfg.wire.mavlink import MavlinkCodec, Message
from dronekit_cfg.wire.mavlink_layout import layout_of_id

__all__ = ["SimulatedPx4"]

TYPES = {Kind.INT32: 6, Kind.REAL32: 9}
KINDS = {number: kind for kind, number in TYPES.items()}
UINT32 = 5
HASH = "_HASH_CHECK"
ANSWER, ACK, AGAIN = 0.0004, 0.003, 0.02
PASS_SECONDS, PASS_LIMIT = 0.0198, 20
FIRST_HEARTBEAT, ON_FOR = 1.5, 60.0
CHECKS_PASS = 36.0
"""Seconds after a boot until the vehicle may be armed; before, its heartbeat says "uninitialised"."""
DOWN_SECONDS = 0.4
ACCEPTED, REJECTED, DENIED, UNSUPPORTED = 0, 1, 2, 3
QUADROTOR, PX4 = 2, 12
HOLD_MODE = 50593792
STABLE, ARMED_FLAG = 29, 128
STANDBY, ACTIVE = 3, 4
AUTOPILOT_VERSION = 148
FTP_BIT = 32


class SimulatedPx4:
    """One vehicle; implements `sim.vehicle.SimulatedVehicle`. `cold`: it boots when it is first connected."""

    def __init__(
        self,
        firmware: Firmware,
        memory: Memory,
        unit: Unit,
        faults: Faults,
        *,
        flight_sw_version: int,
        random: Random,
        cold: bool = False,
        files: Mapping[str, bytes] | None = None,
    ) -> None:
        """`files` are what the vehicle carries, by path; without any it has no file transfer."""
        self._firmware = firmware
        self._unit = unit
        self._faults = faults
        self._random = random
        self._version = flight_sw_version
        self._store = Store(firmware.parameters, memory, limit=faults.storage_full)
        self._agenda = Agenda()
        self._codec = MavlinkCodec(1, 1)
        self._out = bytearray()
        self._state = State()
        self._cold = cold
        self._started = self._hung_up = False
        self._boots = 0
        self._extras = Extras(files or {}, faults, self._agenda, self._send)
        self._motors = Motors(faults, self._agenda, self._may_turn)
        self._telemetry = Telemetry(firmware, faults, self._agenda, random, self._send, self._heartbeat, self._motors)
        self._handlers: Mapping[str, Callable[[Message, float], None]] = {
            "COMMAND_LONG": self._command,
            "FILE_TRANSFER_PROTOCOL": self._extras.transfer,
            "PARAM_REQUEST_LIST": self._list,
            "PARAM_REQUEST_READ": self._read,
            "PARAM_SET": self._write,
        }
        self._commands: Mapping[int, Callable[[Sequence[float], float], int]] = {
            245: self._storage,
            246: self._restart,
            310: self._motors.test,
            400: self._arm,
            401: self._complain,
            511: lambda params, now: ACCEPTED if self._telemetry.interval(int(params[0]), params[1], now) else DENIED,
            512: self._request,
            520: lambda _params, now: self._request((AUTOPILOT_VERSION,), now),
        }

    # --- the seam

    def receive(self, data: bytes, now: float) -> None:
        """Take bytes from the ground side."""
        self._advance(now)
        if self._hung_up:
            return
        self._codec.receive_data(data)
        while (message := self._codec.next_event()) is not None:
            handler = self._handlers.get(message.name)
            meant = message.fields.get("target_system", 0) in (0, self._codec.system)
            if handler is None or not meant or self._faults.deaf or now < self._state.booted_at + FIRST_HEARTBEAT:
                continue
            handler(message, now)
            self._state.requests += 1
            self._agenda.run(now)

    def poll(self, now: float) -> bytes:
        """Give the bytes that the vehicle has to send at `now`."""
        self._advance(now)
        data = bytes(self._out)
        self._out.clear()
        limit = self._faults.mute_after
        return b"" if limit is not None and self._state.requests > limit else data

    def next_due(self, now: float) -> float:
        """When `poll` will next have something."""
        return now if not self._started or self._out else self._agenda.next_due()

    def connected(self, now: float) -> None:
        """A ground station opened the link; a vehicle that rebooted goes on with its boot."""
        self._advance(now)
        self._codec.reset()
        if self._hung_up:
            self._hung_up = False
            self._boot(now)

    @property
    def hung_up(self) -> bool:
        """Whether the vehicle closed the link, as USB does in a reboot."""
        return self._hung_up

    # --- power

    def _advance(self, now: float) -> None:
        if not self._started:
            self._started = True
            self._boot(now if self._cold else now - ON_FOR)
        self._agenda.run(now)

    def _boot(self, start: float) -> None:
        if self._boots and self._faults.wrong_uid_after_reboot:
            self._unit = Unit(self._unit.uid ^ 1, self._unit.uid2)
        if self._boots and self._faults.slow_boot:
            start += self._faults.slow_boot
        self._boots += 1
        self._store.boot()
        was = self._state
        self._state = State(start, requests=was.requests, written=was.written, echoes=was.echoes)
        self._codec.system = int(self._store.number("MAV_SYS_ID")) & 0xFF or 1
        if self._faults.armed:
            self._state.armed_at = start
        if self._cold or self._boots > 1:
            self._telemetry.boot(self._state, start + FIRST_HEARTBEAT)
        else:
            # What a vehicle sent before anybody listened is gone.
            now = start + ON_FOR
            seconds = {name: max(every, 0.1) for name, (every, _) in self._firmware.telemetry.items()}
            self._telemetry.boot(self._state, now + 0.05, {name: now + every for name, every in seconds.items()})

    def _go_down(self, _due: float) -> None:
        self._store.lose()
        self._agenda.clear()
        self._hung_up = True

    # --- what it says

    def _send(self, name: str, first_bytes: bytes = b"", **fields: Any) -> None:
        self._out += self._codec.encode(name, first_bytes, **fields)

    def _heartbeat(self, now: float) -> None:
        armed = self._state.armed_at is not None
        ready = now - self._state.booted_at >= CHECKS_PASS and not keeps_from_arming(self._faults)
        self._send(
            "HEARTBEAT",
            type=QUADROTOR,
            autopilot=PX4,
            base_mode=STABLE | (ARMED_FLAG if armed else 0),
            custom_mode=HOLD_MODE,
            system_status=ACTIVE if armed else STANDBY if ready else 0,
            mavlink_version=3,
        )

    def _version_message(self) -> None:
        firmware = self._firmware
        hash_bytes = firmware.flight_custom_version
        self._send(
            "AUTOPILOT_VERSION",
            capabilities=firmware.capabilities & ~(FTP_BIT if self._faults.no_ftp else 0),
            flight_sw_version=self._version,
            middleware_sw_version=self._version,
            os_sw_version=firmware.os_sw_version,
            board_version=firmware.board_version,
            flight_custom_version=hash_bytes,
            middleware_custom_version=hash_bytes,
            os_custom_version=bytes(8),
            vendor_id=0,
            product_id=0,
            uid=self._unit.uid,
            uid2=self._unit.uid2,
        )

    def _say(self, text: str) -> None:
        self._send("STATUSTEXT", severity=6, text=text)

    # --- settings

    def _value(self, fact: Fact, value: Value | None = None) -> None:
        value = value or self._store.value(fact.name)
        self._send(
            "PARAM_VALUE",
            bits_of(value),
            param_id=fact.name,
            param_value=0.0,
            param_type=TYPES[value.kind],
            param_count=len(self._store.listed),
            param_index=self._store.index(fact.name),
        )

    def _hash(self) -> None:
        self._send(
            "PARAM_VALUE",
            self._store.checksum().to_bytes(4, "little"),
            param_id=HASH,
            param_value=0.0,
            param_type=UINT32,
            param_count=len(self._store.listed),
            param_index=0xFFFF,
        )

    def _list(self, _message: Message, now: float) -> None:
        running = self._state.list_at is not None
        self._state.list_at = 0 if running else -1
        if not running:
            self._agenda.add(now + ANSWER, self._pass)

    def _pass(self, due: float) -> None:
        listed = self._store.listed
        for _ in range(PASS_LIMIT):
            at = self._state.list_at
            if at is None:
                return
            if at < 0:
                self._hash()
            else:
                self._value(listed[at])
            self._state.list_at = at + 1 if at + 1 < len(listed) else None
        self._agenda.add(due + PASS_SECONDS, self._pass)

    def _read(self, message: Message, now: float) -> None:
        name, index = message["param_id"], message["param_index"]
        if index < 0 and name == HASH:
            self._agenda.add(now + ANSWER, lambda _: self._hash())
            return
        listed = self._store.listed
        fact = self._store.find(name) if index < 0 else listed[index] if index < len(listed) else None
        if fact is not None:
            self._agenda.add(now + ANSWER, lambda _: self._value(fact))

    def _write(self, message: Message, now: float) -> None:
        name = message["param_id"]
        if name == HASH:
            self._state.list_at = None
            return
        fact = self._store.find(name)
        if fact is None or KINDS.get(message["param_type"]) is not fact.value.kind:
            return
        old = self._store.value(name)
        wanted = Store.read(fact.value.kind, message.payload[:4].ljust(4, b"\0"))
        limit = self._faults.clamp.get(name)
        if limit is not None and wanted.number > limit:
            wanted = Value(wanted.kind, limit)
        if name not in self._faults.deny:
            self._store.set(name, wanted)
        self._echo(fact, old, now)
        if self._store.unsaved and not self._state.save_planned:
            self._state.save_planned = True
            self._agenda.add(self._store.save_due(now), self._save)
        if not self._state.again_planned:
            self._state.again_planned = True
            self._agenda.add(now + AGAIN, self._again)
        self._state.written += 1
        self._after_write(now)

    def _echo(self, fact: Fact, old: Value, now: float) -> None:
        self._state.echoes += 1
        lost, stale = self._faults.echo_lost, self._faults.echo_old
        if lost is not None and (self._random.random() < lost if lost < 1 else self._state.echoes <= lost):
            return
        is_old = stale is not None and self._state.echoes <= stale
        self._agenda.add(now + ANSWER, lambda _: self._value(fact, old if is_old else None))

    def _again(self, _due: float) -> None:
        self._state.again_planned = False
        if self._faults.echo_lost is None and self._faults.echo_old is None:
            for fact in self._store.listed:
                if fact.name in self._store.unsaved:
                    self._value(fact)

    def _save(self, due: float) -> None:
        self._state.save_planned = False
        self._store.save(due)

    def _after_write(self, now: float) -> None:
        faults, written = self._faults, self._state.written
        if written == faults.arms_after:
            self._state.armed_at = now
        if written in (faults.reboot_mid, faults.brownout):
            self._agenda.add(now, self._go_down)

    # --- commands

    def _command(self, message: Message, now: float) -> None:
        number = message["command"]
        run = self._commands.get(number)
        result = UNSUPPORTED if run is None else run([message[f"param{n}"] for n in range(1, 8)], now)
        sender = (message.system, message.component)

        def acknowledge(_due: float) -> None:
            self._send(
                "COMMAND_ACK", command=number, result=result, target_system=sender[0], target_component=sender[1]
            )

        self._agenda.add(now + ACK, acknowledge)

    def _may_turn(self) -> bool:
        return self._state.armed_at is None and self._store.number("COM_MOT_TEST_EN") == 1

    def _request(self, params: Sequence[float], now: float) -> int:
        number = int(params[0])
        layout = layout_of_id(number)
        answer = self._answer(layout.name if layout else "")
        if answer is None:
            return DENIED
        self._agenda.add(now + ANSWER, answer)
        return ACCEPTED

    def _answer(self, name: str) -> Callable[[float], None] | None:
        """Give what sends the message that was asked for; None for one that this vehicle does not have."""
        answers: dict[str, Callable[[float], None]] = {
            "AUTOPILOT_VERSION": lambda _due: self._version_message(),
            "HEARTBEAT": self._heartbeat,
            "SYSTEM_TIME": self._system_time,
        }
        if self._extras.files:
            answers["COMPONENT_METADATA"] = lambda due: self._extras.metadata(due, self._state)
        if name not in answers and self._telemetry.has(name):
            return lambda due: self._telemetry.send(name, due)
        return answers.get(name)

    def _complain(self, _params: Sequence[float], now: float) -> int:
        self._extras.complain(now, self._state)
        return ACCEPTED

    def _system_time(self, now: float) -> None:
        self._send("SYSTEM_TIME", time_unix_usec=0, time_boot_ms=int((now - self._state.booted_at) * 1000))

    def _arm(self, params: Sequence[float], now: float) -> int:
        if params[0] == 0:
            if self._faults.armed or self._faults.arms_after is not None:
                return DENIED
            self._state.armed_at = None
            return ACCEPTED
        if now - self._state.booted_at < CHECKS_PASS:
            return REJECTED
        self._state.armed_at = now
        self._agenda.add(now + ACK, lambda _: self._say("Armed by external command\t"))
        self._agenda.add(now + ACK, self._heartbeat)
        delay = self._store.number("COM_DISARM_PRFLT")
        if delay > 0:
            self._agenda.add(now + delay, lambda _: self._disarm_idle(now))
        return ACCEPTED

    def _disarm_idle(self, armed_at: float) -> None:
        if self._state.armed_at == armed_at and not self._faults.armed:
            self._state.armed_at = None
            self._say("Disarmed by auto preflight disarming\t")

    def _restart(self, params: Sequence[float], now: float) -> int:
        if self._state.armed_at is not None or params[0] not in (0, 1):
            return DENIED
        if params[0] == 1:
            self._agenda.add(now + DOWN_SECONDS, self._go_down)
        return ACCEPTED

    def _storage(self, params: Sequence[float], _now: float) -> int:
        if params[0] != 2 or self._state.armed_at is not None:
            return DENIED
        self._store.wipe()
        return ACCEPTED
