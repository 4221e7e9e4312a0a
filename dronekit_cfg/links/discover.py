"""Lists the serial ports of this machine, the most likely flight controller first, and waits for hot plug."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dronekit_cfg.links.base import Clock
from dronekit_cfg.links.usb_ids import Kind, judge

__all__ = ["Candidate", "Kind", "list_candidates", "one_per_board", "same_device", "wait_for"]

_POLL_SECONDS = 0.25  # a USB device takes longer than this to come back, so none is missed
_BY_ID = "/dev/serial/by-id"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A serial port and what is known of the device behind it; texts are "" and ids None when unknown.

    `by_id` is the stable name on Linux. `location` is the place in the USB tree without the interface, `interface` the
    part behind its colon ("1.0"), which tells the ports of one device apart.
    """

    device: str
    kind: Kind
    guess: str
    by_id: str = ""
    description: str = ""
    manufacturer: str = ""
    product: str = ""
    vid: int | None = None
    pid: int | None = None
    serial_number: str = ""
    location: str = ""
    interface: str = ""

    @property
    def url(self) -> str:
        """The link URL of this port, with the stable name where there is one."""
        return f"serial:{self.by_id or self.device}"

    def __str__(self) -> str:
        product = self.product or self.description
        return f"{self.device} ({self.guess}{': ' + product if product else ''})"


def _comports() -> Iterable[Any]:
    from serial.tools.list_ports import comports

    return comports()


def _by_id_names(folder: Path) -> dict[str, str]:
    """Give the stable name of each device file."""
    try:
        links = sorted(folder.iterdir())
    except OSError:  # not Linux, or nothing plugged in
        return {}
    return {str(link.resolve()): str(link) for link in links}


def _candidate(info: Any, by_id: dict[str, str]) -> Candidate:
    device = str(info.device)
    manufacturer, product = info.manufacturer or "", info.product or ""
    location, _, interface = (info.location or "").partition(":")
    words = info.description if info.description not in (None, "n/a") else ""
    kind, guess = judge(info.vid, info.pid, manufacturer, product or words)
    if "rfcomm" in device or "Bluetooth" in words or "BTHENUM" in (info.hwid or ""):
        kind, guess = Kind.BLUETOOTH, "Bluetooth port"
    return Candidate(
        device=device,
        kind=kind,
        guess=guess,
        by_id=by_id.get(str(Path(device).resolve()), ""),
        description=words,
        manufacturer=manufacturer,
        product=product,
        vid=info.vid,
        pid=info.pid,
        serial_number=info.serial_number or "",
        location=location,
        interface=interface,
    )


def _natural(name: str) -> tuple[tuple[int, str], ...]:
    """Sort COM3 before COM10."""
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name) if part)


def list_candidates(
    comports: Callable[[], Iterable[Any]] = _comports, by_id: str | Path = _BY_ID
) -> tuple[Candidate, ...]:
    """Give all serial ports, most likely first. `comports` gives pyserial's ListPortInfo (or the like)."""
    names = _by_id_names(Path(by_id))
    found = [_candidate(info, names) for info in comports()]
    return tuple(sorted(found, key=lambda c: (c.kind, _natural(c.device))))


def _board(candidate: Candidate) -> tuple[object, ...]:
    if candidate.vid is None or not (candidate.serial_number or candidate.location):
        return (candidate.device,)
    return (candidate.vid, candidate.pid, candidate.serial_number, candidate.location)


def one_per_board(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Keep the first port of each device: boards with two USB ports speak MAVLink on the first."""
    first: dict[tuple[object, ...], Candidate] = {}
    for candidate in sorted(candidates, key=lambda c: (_natural(c.interface), _natural(c.device))):
        first.setdefault(_board(candidate), candidate)
    return tuple(sorted(first.values(), key=lambda c: (c.kind, _natural(c.device))))


def same_device(before: Candidate, now: Candidate) -> bool:
    """Say whether `now` is the port that was `before`, perhaps under another name.

    A board in its bootloader is not: it has the same serial number, but is not the vehicle yet. Without a serial number
    the place in the USB tree decides.
    """
    if (before.vid, before.pid, before.interface) != (now.vid, now.pid, now.interface) or before.vid is None:
        return False
    if before.kind != now.kind:
        return False
    if before.serial_number or now.serial_number:
        return before.serial_number == now.serial_number
    return bool(before.location) and before.location == now.location


def wait_for(
    match: Callable[[Candidate], bool],
    clock: Clock,
    seconds: float,
    *,
    ports: Callable[[], Sequence[Candidate]] = list_candidates,
) -> Candidate | None:
    """Wait until a port that fits is there, looking four times a second; None when `seconds` have passed."""
    deadline = clock.now() + seconds
    while True:
        for candidate in ports():
            if match(candidate):
                return candidate
        left = deadline - clock.now()
        if left <= 0:
            return None
        clock.sleep(min(_POLL_SECONDS, left))
