"""Reads `via:FAMILY:PORT+LINK`: a link to a device behind a flight controller, which is reached by LINK.

`via:ardupilot:gps1+tcp:127.0.0.1:5760`, `via:betaflight:uart2+serial:/dev/ttyACM0`. Without `+LINK` it is the only
flight controller that is plugged in. Options of the way stand behind `?` with those of LINK.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from dronekit_cfg.errors import UsageError
from dronekit_cfg.events import Reporter, silent
from dronekit_cfg.links.base import Clock, Link
from dronekit_cfg.links.grammar import is_baud
from dronekit_cfg.links.url import LinkUrl
from dronekit_cfg.talk.mavlink_ports import PORTS
from dronekit_cfg.text import t

__all__ = ["INNER", "OPTIONS", "Through", "ViaUrl", "likely_family", "make_via", "split_via"]

INNER = "serial:auto"
"""What is meant where no link follows."""
OPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "port_baud": "the speed of the flight controller's port; it keeps its own where this is left out",
        "take": "1: take the port though another program seems to hold it",
        "pass": "SERIAL_PASS1/2 in the place of SERIAL_CONTROL, ended by so many seconds of silence (5 to 120)",
        "from": "with pass: the SERIALn that this link is connected to; 0 is USB",
    }
)
"""Options of the way, and what they mean."""
_UART = re.compile(r"uart([1-9]|10)|lpuart1|softserial[12]")
_LIKELY = {"gps1": "ublox", "gps2": "ublox"}


@dataclass(frozen=True, slots=True)
class ViaUrl:
    """A `via:` URL, taken apart: the flight controller's family, its port, the link to it, and our own options."""

    text: str
    family: str
    port: str
    inner: str
    options: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Through:
    """What the way needs to know: how the link below is made, and how the flight controller is addressed."""

    make: Callable[[str], Link]
    root: Path | None = None
    target: tuple[int, int | None] | None = None
    signing_key: bytes | None = None
    report: Reporter = silent


def likely_family(link: LinkUrl) -> str:
    """Give the family that is behind a port by its name; "" where it may be anything. Raises UsageError."""
    return _LIKELY.get(split_via(link).port, "")


def split_via(link: LinkUrl) -> ViaUrl:
    """Take the target of a `via:` URL apart. Raises UsageError."""
    from urllib.parse import quote

    way, _, inner = link.target.partition("+")
    family, _, port = way.partition(":")
    ours = {name: value for name, value in link.options.items() if name in OPTIONS}
    rest = "&".join(f"{n}={quote(v, safe='/:,+@')}" if v else n for n, v in link.options.items() if n not in OPTIONS)
    found = ViaUrl(link.text, family.lower(), port.lower(), (inner or INNER) + (f"?{rest}" if rest else ""), ours)
    _check(found)
    return found


def _check(url: ViaUrl) -> None:
    if url.family == "ardupilot":
        fits, known = url.port in PORTS, "telem1, telem2, gps1, gps2, serial0-9"
    elif url.family == "betaflight":
        fits, known = bool(_UART.fullmatch(url.port)), "uart1-10, lpuart1, softserial1-2"
    else:
        raise UsageError(
            t("{url}: there is no way through {family!r}", url=url.text, family=url.family),
            hint=t("write {a} or {b}", a="via:ardupilot:gps1+LINK", b="via:betaflight:uart2+LINK"),
        )
    if not fits:
        raise UsageError(
            t("{url}: {family} has no port {port!r}", url=url.text, family=url.family, port=url.port),
            hint=t("choose one of: {known}", known=known),
        )
    for name, value in url.options.items():
        if not _fits(name, value):
            raise UsageError(
                t("{url}: {name}={value} is not valid", url=url.text, name=name, value=value),
                hint=t("{name}: {meaning}", name=name, meaning=OPTIONS[name]),
            )
    if url.family == "betaflight" and url.options.keys() - {"port_baud"}:
        raise UsageError(t("{url}: take, pass and from are for ArduPilot", url=url.text), hint=t("leave them out"))


def _fits(name: str, value: str) -> bool:
    if name == "port_baud":
        return is_baud(value)
    if name == "take":
        return value in {"", "0", "1"}
    low, high = (5, 120) if name == "pass" else (0, 9)
    return value.isdecimal() and low <= int(value) <= high


def make_via(link: LinkUrl, clock: Clock, through: Through) -> Link:
    """Make the link that a `via:` URL names, not opened. Raises UsageError."""
    url = split_via(link)
    inner = through.make(url.inner)
    baud = int(url.options.get("port_baud", "0"))
    if url.family == "betaflight":
        from dronekit_cfg.links.via_betaflight import BetaflightPassthrough

        return BetaflightPassthrough(url.text, inner, url.port, baud, clock, through.report)
    from dronekit_cfg.links.via_ardupilot import ArdupilotPassthrough, ArdupilotPort, Way

    way = Way(
        url.port,
        through.root,
        through.target,
        through.signing_key,
        take=url.options.get("take", "0") != "0",
        baud=baud,
        passthrough=int(url.options.get("pass", "0")),
        from_port=int(url.options.get("from", "0")),
    )
    kind = ArdupilotPassthrough if way.passthrough else ArdupilotPort
    return kind(url.text, inner, way, clock, through.report)
