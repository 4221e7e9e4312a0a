"""Lines of a SiK radio in its AT mode, without I/O, and what they say.

Commands end in CR; the radio echoes them in capitals and ends its own lines in CR LF or LF [SiK Firmware/radio/at.c].
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from dronekit_cfg.wire.decoder import Decoder

__all__ = [
    "LONGEST",
    "LONGEST_KEY",
    "AtCodec",
    "AtLine",
    "Banner",
    "Rssi",
    "command",
    "parse_banner",
    "parse_rssi",
    "parse_table",
]

LONGEST = 16
"""Characters that a radio takes of a line; one more throws it out of its AT mode without a word."""
LONGEST_KEY = 69
"""The same for a command with a key: `RT&E=` and 64 digits, which only radios with encryption take."""
_KEPT = 160
_KEPT_NOISE = 400
_ROW = re.compile(r"S(\d{1,2}):([A-Z0-9_/]{1,24})=(\d{1,10})")
_RSSI = re.compile(r"L/R RSSI: (\d+)/(\d+)\s+L/R noise: (\d+)/(\d+) pkts: (\d+).*")
_BANNER = re.compile(r"(?:.* )?SiK (\d+(?:\.\d+)*)\S* on (\S+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class AtLine:
    """One line without its end. Bytes outside of ASCII are replaced: they are radio traffic or damage."""

    text: str


@dataclass(frozen=True, slots=True)
class Banner:
    """What ATI tells: firmware version and board."""

    version: str
    board: str


@dataclass(frozen=True, slots=True)
class Rssi:
    """Signal and noise at the near and the far end, in the radio's own steps of about half a dB, and packets."""

    near: int
    far: int
    near_noise: int
    far_noise: int
    packets: int

    @property
    def margin(self) -> float:
        """The fade margin of the weaker end in dB: half of what the signal stands above the noise."""
        return min(self.near - self.near_noise, self.far - self.far_noise) / 2


class AtCodec(Decoder[AtLine]):
    """A `talk.flow.Codec` of `AtLine`. `heard` counts all bytes that came, `noise` are the last of them."""

    def __init__(self) -> None:
        super().__init__()
        self.heard = 0
        self.noise = b""

    def receive_data(self, data: bytes) -> None:
        """Take bytes as they came. Of a line without end, the last bytes are kept."""
        self.heard += len(data)
        self.noise = (self.noise + data)[-_KEPT_NOISE:]
        for byte in data:
            if byte in b"\r\n":
                if self._buffer:
                    self._events.append(AtLine(self._buffer.decode("ascii", "replace").strip()))
                    self._buffer.clear()
            else:
                self._buffer.append(byte)
        del self._buffer[:-_KEPT]

    def reset(self) -> None:
        """Forget everything that came."""
        super().reset()
        self.heard = 0
        self.noise = b""


def command(text: str) -> bytes:
    """Give a command as bytes. ValueError for one that would throw the radio out of its AT mode."""
    longest = LONGEST_KEY if text[2:5] == "&E=" else LONGEST
    if len(text) > longest or not text.isascii() or not text.isprintable():
        raise ValueError(f"{text[:5]!r}... is no command that a radio takes")
    return text.encode() + b"\r"


def parse_banner(line: str) -> Banner | None:
    """Read a line such as `SiK 1.9 on HM-TRP` or `RFD SiK 2.60 on RFD900A`; None for another line."""
    found = _BANNER.fullmatch(line)
    return Banner(found[1], found[2]) if found else None


def parse_rssi(line: str) -> Rssi | None:
    """Read a line of AT&T=RSSI or ATI7; None for another line."""
    found = _RSSI.fullmatch(line)
    return Rssi(*(int(number) for number in found.groups())) if found else None


def parse_table(lines: list[str]) -> dict[str, tuple[int, int]] | None:
    """Read the rows of ATI5: number and value by name. None when a row is missing, twice there or damaged."""
    rows = [_ROW.fullmatch(line) for line in lines]
    found = {row[2]: (int(row[1]), int(row[3])) for row in rows if row}
    numbers = [number for number, _ in found.values()]
    whole = all(rows) and len(found) == len(lines) and numbers == list(range(len(lines)))
    return found if whole and found else None
