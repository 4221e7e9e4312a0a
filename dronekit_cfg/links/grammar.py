"""The words of link URLs, as tables: schemes, wrappers, their options, and what fits an option."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

__all__ = ["NICKNAMES", "SCHEMES", "WRAPPERS", "Option", "Options", "Scheme", "is_baud"]

_HIGHEST_BAUD = 12_000_000  # the fastest USB-serial converters (FT232H)

Option = tuple[Callable[[str], bool], str]
"""Whether a text fits the option, and an example."""

Options = Mapping[str, Option]
"""What is known of each option, by name."""


def _number(text: str, low: float, high: float) -> bool:
    try:
        return low <= float(text) <= high
    except ValueError:
        return False


def _share(text: str) -> bool:
    return _number(text, 0.0, 1.0)


def _seconds(text: str) -> bool:
    return _number(text, 0.0, 1e6)


def is_baud(text: str) -> bool:
    """Say whether `text` is a baud rate."""
    return text.isdecimal() and 0 < int(text) <= _HIGHEST_BAUD


def _whole(text: str) -> bool:
    return re.fullmatch(r"-?\d{1,18}", text) is not None


def _text(text: str) -> bool:
    return bool(text)


def _flag(text: str) -> bool:
    return text in ("", "1", "0", "true", "false")


def _peer(text: str) -> bool:
    host, _, port = text.rpartition(":") if re.search(r":\d+$", text) else (text, "", "1")
    return bool(host) and 0 < int(port) < 65536


WRAPPERS: Mapping[str, Options] = {
    "chaos": {
        "loss": (_share, "0.05"),
        "rx_loss": (_share, "0.05"),
        "tx_loss": (_share, "0.05"),
        "dup": (_share, "0.01"),
        "corrupt": (_share, "0.01"),
        "ber": (_share, "0.0001"),
        "reorder": (_share, "0.01"),
        "latency": (_seconds, "0.02"),
        "jitter": (_seconds, "0.01"),
        "baud": (is_baud, "57600"),
        "cut_after": (_seconds, "5"),
        "cut_for": (_seconds, "3"),
        "burst": (_share, "0.01"),
        "burst_units": (_seconds, "8"),
        "stall_after": (_seconds, "2"),
        "stall_for": (_seconds, "5"),
        "seed": (_whole, "7"),
    },
    "record": {"file": (_text, "session.jsonl")},
}


@dataclass(frozen=True, slots=True)
class Scheme:
    """A kind of link: an example, and its options."""

    example: str
    options: Options | None = field(default_factory=dict)  # None: its maker judges them


SCHEMES: Mapping[str, Scheme] = {
    "serial": Scheme("serial:/dev/ttyACM0@115200"),
    "udp": Scheme("udp:14550", {"peer": (_peer, "192.168.4.1")}),
    "udpout": Scheme("udpout:192.168.4.1:14555"),
    "tcp": Scheme("tcp:127.0.0.1:5760"),
    "http": Scheme("http:10.0.0.1"),
    "rfc2217": Scheme("rfc2217:bench1:4000@115200"),
    "replay": Scheme("replay:session.jsonl", {"strict": (_flag, "1")}),
    "sim": Scheme("sim:ardupilot-copter", None),
    "sitl": Scheme("sitl:arducopter", None),
    "labgrid": Scheme("labgrid:bench1", None),
    "via": Scheme("via:ardupilot:gps1+serial:/dev/ttyACM0", None),
}
NICKNAMES: Mapping[str, str] = {
    "udpin": "udp", "tcpin": "tcp", "tcpout": "tcp", "socket": "tcp", "telnet": "rfc2217", "com": "serial",
    "tty": "serial", "usb": "serial", "uart": "serial", "file": "replay", "simulator": "sim",
}  # fmt: skip
"""What other programs call these links."""
