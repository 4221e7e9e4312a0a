r"""Speak the text CLI of Betaflight and INAV without any I/O: windows of lines go out, replies per line come back.

The prompt `# ` is no end marker: dumps print `\r\n# ` before each heading, and output may stall right there. So every
window ends in a comment line with a token of its own, `#dk17`. The vehicle only echoes a comment and prompts again,
so a window's output ends in `# #dk17\r\n\r\n# `, and `#` can be part of no value. Lines come back as

    <echo of the line>\r\n<reply>\r\n# <echo of the next line>\r\n ...

A real serial port of a vehicle buffers 256 bytes and has no flow control, so the lines of a window hold at most 200
bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dronekit_cfg.text import t
from dronekit_cfg.wire.decoder import Decoder

__all__ = ["CliReply", "CliText", "TextCli", "Window", "bad_line", "split_replies", "windows"]

_KEPT = 1 << 20
"""Most text kept while no end marker comes; the largest dump known is 60 kB."""
_MARKER = re.compile(rb"(?:# )?#(dk[0-9a-f]{1,8})(?:\r?\n|\r)+# ?")


@dataclass(frozen=True, slots=True)
class CliText:
    """Text that arrived; it shows that the vehicle is alive, and it may be the end of a session ("Rebooting")."""

    text: str


@dataclass(frozen=True, slots=True)
class CliReply:
    """All output up to the end marker `token`, echoes included, the marker itself left out."""

    token: str
    text: str


@dataclass(frozen=True, slots=True)
class Window:
    """Lines that are sent in one go, and the token that ends their output."""

    lines: tuple[str, ...]
    token: str

    @property
    def data(self) -> bytes:
        """The bytes to send."""
        return "".join(f"{line}\n" for line in (*self.lines, f"#{self.token}")).encode("ascii")


class TextCli(Decoder[CliReply | CliText]):
    """Collect CLI output and cut it at end markers. The buffer is bounded: of endless text the end is kept."""

    def receive_data(self, data: bytes) -> None:
        """Take bytes as they came."""
        if not data:
            return
        searched = max(0, len(self._buffer) - 64)
        self._buffer += data
        self._events.append(CliText(data.decode("latin-1")))
        while match := _MARKER.search(self._buffer, searched):
            if match.end() == len(self._buffer) and not match[0].endswith(b"# "):
                return
            text = bytes(self._buffer[: match.start()]).decode("latin-1")
            self._events.append(CliReply(match[1].decode(), text))
            del self._buffer[: match.end()]
            searched = 0
        if len(self._buffer) > _KEPT:
            del self._buffer[: len(self._buffer) - _KEPT // 2]


def bad_line(line: str, longest: int = 255) -> str:
    """Say why `line` must not be sent as it is, "" when it may.

    The vehicle would not refuse these: it cuts at `#`, completes at `?` and TAB, drops what is too long or no ASCII.
    """
    if len(line) > longest:
        return t("longer than the {longest} characters the vehicle keeps of a line", longest=longest)
    if not line.isascii() or not line.isprintable():
        return t("has characters outside printable ASCII, which the vehicle drops")
    if "#" in line:
        return t("has a #, which starts a comment in the vehicle's CLI")
    if "?" in line:
        return t("has a ?, which triggers completion in the vehicle's CLI")
    return ""


def windows(lines: Iterable[str], tokens: Iterator[str], limit: int = 200) -> Iterator[Window]:
    """Pack `lines` into windows of at most `limit` bytes and a marker; a longer line stands alone."""
    held: list[str] = []
    size = 0
    for line in lines:
        if held and size + len(line) + 1 > limit:
            yield Window(tuple(held), next(tokens))
            held, size = [], 0
        held.append(line)
        size += len(line) + 1
    if held:
        yield Window(tuple(held), next(tokens))


def split_replies(text: str, lines: Sequence[str]) -> tuple[str | None, ...]:
    """Give the reply to each of `lines` in `text`; None where the echo of the line is missing or damaged.

    `text` is the `text` of the window's CliReply. Replies come with LF line ends, outer blank lines removed.
    """
    text = text.replace("\r\n", "\n")
    starts: list[tuple[int, int] | None] = []
    place = 0
    for line in lines:
        found = _echo(text, line, place)
        starts.append(found)
        if found:
            place = found[1]
    replies: list[str | None] = []
    for number, start in enumerate(starts):
        if start is None:
            replies.append(None)
            continue
        following = starts[number + 1] if number + 1 < len(starts) else (len(text), 0)
        # A damaged echo behind this line would put foreign text into its reply, so this one counts as damaged too.
        replies.append(None if following is None else _strip(text[start[1] : following[0]]))
    return tuple(replies)


def _echo(text: str, line: str, place: int) -> tuple[int, int] | None:
    if place == 0:
        for head in (f"{line}\n", f"# {line}\n"):
            if text.startswith(head):
                return 0, len(head)
        # Output that was still under way when the window was sent stands before the first echo.
    at = text.find(f"\n# {line}\n", max(0, place - 1))
    if at >= 0:
        return at, at + len(line) + 4
    if place and text.startswith(f"# {line}\n", place):
        return place, place + len(line) + 3
    return None


def _strip(reply: str) -> str:
    while reply.endswith(("\n", "\n# ")) or reply == "# ":
        reply = reply[:-2] if reply.endswith("# ") else reply[:-1]
    return reply.strip("\n")
