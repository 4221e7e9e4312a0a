"""Finds out which other programs have a device open (Linux, through /proc, as far as it may be read)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dronekit_cfg.text import t

__all__ = ["Holder", "busy_hint", "find_holders"]


@dataclass(frozen=True, slots=True)
class Holder:
    """A program that has the device open."""

    pid: int
    command: str

    def __str__(self) -> str:
        return f"{self.command} (pid {self.pid})"


def find_holders(device: str, proc: str | Path = "/proc") -> tuple[Holder, ...]:
    """Give the other processes that have `device` open; empty where /proc is missing or may not be read."""
    wanted = os.path.realpath(device)
    folders = (folder for folder in Path(proc).glob("[0-9]*") if int(folder.name) != os.getpid())
    return tuple(Holder(int(f.name), _command(f)) for f in sorted(folders) if _has_open(f, wanted))


def _has_open(folder: Path, wanted: str) -> bool:
    try:
        names = os.listdir(folder / "fd")  # noqa: PTH208  there are thousands: as Path objects it takes 4x as long
    except OSError:  # it ended meanwhile, or is not ours to look at
        return False
    return any(_leads_to(f"{folder}/fd/{name}", wanted) for name in names)


def _leads_to(link: str, wanted: str) -> bool:
    try:
        return os.readlink(link) == wanted  # noqa: PTH115  there are thousands of them, and a Path object for each costs 4x as long
    except OSError:  # closed meanwhile
        return False


def _command(folder: Path) -> str:
    try:
        return (folder / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return "?"


def _remedies() -> Mapping[str, str]:
    return {
        "ModemManager": t(
            "ModemManager tests every new port for a modem: wait half a minute, or stop it for good with "
            '"sudo systemctl disable --now ModemManager"'
        ),
        "brltty": t('brltty takes ports for Braille displays: "sudo apt remove brltty", then plug in again'),
        "gpsd": t('gpsd takes GNSS receivers: "sudo systemctl stop gpsd.socket gpsd"'),
    }


def busy_hint(holders: tuple[Holder, ...]) -> str:
    """Say what to do about a port that is taken."""
    for holder in holders:
        for name, remedy in _remedies().items():
            if holder.command.lower().startswith(name.lower()[:15]):  # the kernel keeps 15 characters
                return remedy
    if holders:
        return t("close {programs}, then try again", programs=", ".join(str(holder) for holder in holders))
    return t(
        "close the ground station or configurator that uses it (QGroundControl, Mission Planner, MAVProxy, "
        "Betaflight Configurator), on Linux also ModemManager, then try again"
    )
