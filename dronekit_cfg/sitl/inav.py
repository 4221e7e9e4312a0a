"""The INAV simulator: a binary `inav_SITL` from the INAV releases, or built from its source.

UART1 listens on the base port, which we choose. It takes one client, and executes itself again when it reboots.
"""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

from dronekit_cfg.errors import LinkOpenError
from dronekit_cfg.links.base import Clock, Link
from dronekit_cfg.links.url import LinkUrl
from dronekit_cfg.sitl.link import SitlLink, state_folder
from dronekit_cfg.sitl.process import SimulatorProcess
from dronekit_cfg.text import t

__all__ = ["find_inav", "free_port_pair", "make_sitl_link"]

_NAMES = ("inav_SITL", "inav_SITL.exe")


def find_inav(binary: str = "") -> Path:
    """Find the simulator: `binary`, $DRONEKIT_CFG_INAV, then PATH. Raises LinkOpenError."""
    named = binary or os.environ.get("DRONEKIT_CFG_INAV", "")
    if named:
        if Path(named).is_file():
            return Path(named).resolve()
        raise LinkOpenError(t("{path} is no file", path=named), hint=t("give the path of the INAV SITL binary"))
    for name in _NAMES:
        if found := shutil.which(name):
            return Path(found).resolve()
    raise LinkOpenError(
        t("there is no INAV simulator on this computer"),
        hint=t("put `inav_SITL` of an INAV release on PATH, or name it in DRONEKIT_CFG_INAV"),
    )


def free_port_pair() -> int:
    """Give a port that is free together with the next one (UART1 and UART2). Raises LinkOpenError."""
    for _ in range(50):
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port
    raise LinkOpenError(t("no two free ports in a row"), hint=t("close other simulators"))


def make_sitl_link(url: LinkUrl, clock: Clock) -> Link:
    """Make the link behind `sitl:inav`; options `binary`, `dir`, and `fresh` for factory settings."""
    folder = state_folder("inav", url.options.get("dir", "")).resolve()
    memory = folder / "eeprom.bin"
    if "fresh" in url.options:
        memory.unlink(missing_ok=True)
    port = free_port_pair()
    command = [str(find_inav(url.options.get("binary", ""))), f"--path={memory}", f"--tcpbaseport={port}"]
    return SitlLink(url.text, SimulatorProcess(command, folder, clock), port, clock, ends=False)
