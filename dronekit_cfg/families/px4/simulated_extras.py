"""What the simulated PX4 copter carries and says beside its settings: files, metadata, and what is against arming."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dronekit_cfg.families.px4.simulated_bench import complaints
from dronekit_cfg.families.px4.simulated_files import GENERAL, FileServer
from dronekit_cfg.families.px4.simulated_state import State
from dronekit_cfg.sim.agenda import Agenda
from dronekit_cfg.sim.faults import Faults
from dronekit_cfg.talk.mavlink_metadata import crc32
from dronekit_cfg.wire.mavlink import Message

__all__ = ["Extras"]

ANSWER = 0.0004
CRITICAL = 2


class Extras:
    """Of one vehicle. `files` are what it carries, by path; without any it has no file transfer."""

    def __init__(self, files: Mapping[str, bytes], faults: Faults, agenda: Agenda, send: Callable[..., None]) -> None:
        self.files = files
        self._faults = faults
        self._agenda = agenda
        self._send = send
        self._server = FileServer(files)

    def metadata(self, now: float, state: State) -> None:
        """Say where the general metadata file is."""
        uptime = int((now - state.booted_at) * 1000)
        crc = crc32(self.files[GENERAL])
        self._send("COMPONENT_METADATA", time_boot_ms=uptime, file_crc=crc, uri=f"mftp:/{GENERAL}")

    def transfer(self, message: Message, now: float) -> None:
        """Answer a file transfer request."""
        if self._faults.no_ftp or not self.files:
            return
        to = {"target_network": 0, "target_system": message.system, "target_component": message.component}
        for number, payload in enumerate(self._server.answer(message["payload"])):

            def reply(_due: float, payload: bytes = payload) -> None:
                self._send("FILE_TRANSFER_PROTOCOL", payload=payload, **to)

            self._agenda.add(now + ANSWER * (1 + number), reply)

    def complain(self, now: float, state: State) -> None:
        """Check what is against arming, and say it as text and as event."""
        for text, event, arguments in complaints(self._faults):

            def say(due: float, text: str = text, event: int = event, arguments: bytes = arguments) -> None:
                if text:
                    self._send("STATUSTEXT", severity=CRITICAL, text=text)
                self._event(event, arguments, due, state)

            self._agenda.add(now + ANSWER, say)

    def _event(self, event: int, arguments: bytes, now: float, state: State) -> None:
        state.events += 1
        self._send(
            "EVENT",
            id=event,
            event_time_boot_ms=int((now - state.booted_at) * 1000),
            sequence=state.events,
            destination_component=0,
            destination_system=0,
            log_levels=CRITICAL << 4 | CRITICAL,
            arguments=arguments,
        )
