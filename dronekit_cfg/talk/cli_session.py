"""Hold a session with the text CLI of a vehicle: enter, run lines and see each answered, save or leave.

Nothing that is written in a session is stored until `save`; leaving without it reboots the vehicle and
drops everything. A vehicle stays in its CLI when a host goes away, with what that host had written: `enter` finds out.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from enum import Enum

from dronekit_cfg.errors import LinkLost, NoAnswer, WriteRefused
from dronekit_cfg.formats.cli_dump_dialect import Dialect
from dronekit_cfg.talk.flow import Flow, Session, Wait
from dronekit_cfg.text import t
from dronekit_cfg.wire.msp_port import PortCodec
from dronekit_cfg.wire.textcli import CliReply, CliText, Window, bad_line, split_replies, windows

__all__ = ["CliSession", "Entry"]

ENTRY_SECONDS = 1.5
"""A vehicle waits 100 ms for more MSP before it prints its banner; the rest is for slow links and busy computers."""
QUIET_SECONDS = 2.0
"""Silence after which a reply is given up. Output may stall behind a `# ` for some 100 ms; flash is slower."""
LONGEST_REPLY = 60.0
IN_FLIGHT = 240
"""Bytes on the way at once: the receive buffer of a vehicle's serial port holds 256."""
SAVE_SECONDS = 15.0
"""Erasing and writing flash takes seconds on real boards."""
_TAIL = 512


class Entry(Enum):
    """What was found when the CLI was entered."""

    FRESH = "fresh"
    """The banner came: nothing is staged."""
    LEFT_OPEN = "left open"
    """The vehicle was in its CLI already, with whatever another host had written there."""
    NONE = "none"
    """No CLI answers."""


class CliSession:
    """The CLI of one connection. `open` is whether we are in it; `damaged` whether an error forbids `save`."""

    def __init__(self, session: Session, codec: PortCodec, dialect: Dialect) -> None:
        self._session = session
        self._codec = codec
        self.dialect = dialect
        self.open = False
        self.batch = False
        self.damaged = ""
        self.started_over = False
        """Whether the vehicle was reset to its defaults in this session."""
        # Tokens differ between runs, so that output a crashed host had asked for ends no window of ours.
        self._tokens = _tokens(int(session.now() * 1000) & 0xFFF)

    def forget(self) -> None:
        """Take note that the vehicle rebooted or the link was opened again."""
        self.open = self.batch = self.started_over = False
        self.damaged = ""

    def enter(self, *, expect_open: bool = False) -> Flow[Entry]:
        """Enter the CLI, or find that the vehicle is in it. The codec reads CLI text afterwards unless NONE.

        With `expect_open` the vehicle seems to be in its CLI already, and no banner is waited for.
        """
        self._codec.to_cli()
        text = "" if expect_open else (yield from self._until_banner())
        found = Entry.FRESH if text else Entry.NONE
        if not text:
            # A vehicle that was late takes the first marker for MSP and drops it, and enters its CLI behind it.
            reply = (yield from self._marker(QUIET_SECONDS)) or (yield from self._marker(QUIET_SECONDS))
            if reply is not None:
                fresh = re.search(self.dialect.banner, reply.text, re.MULTILINE)
                found = Entry.FRESH if fresh else Entry.LEFT_OPEN
        self.open = found is not Entry.NONE
        self.batch = self.started_over = False
        self.damaged = ""
        if not self.open:
            self._codec.to_msp()
        return found

    def run(self, lines: Sequence[str], *, quiet: float = QUIET_SECONDS) -> Flow[tuple[str | None, ...]]:
        """Send lines and give the reply to each, None where echo or reply came damaged or not at all.

        Raises ValueError for a line that the vehicle would mangle, NoAnswer when it falls silent, LinkLost when it
        reboots meanwhile.
        """
        for line in lines:
            if why := bad_line(line, self.dialect.max_line):
                raise ValueError(f"{line[:80]!r} {why}")
        replies: list[str | None] = []
        waiting = deque(windows(lines, self._tokens, self.dialect.window))
        flying: deque[Window] = deque()
        while waiting or flying:
            send = b""
            while waiting and (not flying or _size(flying) + len(waiting[0].data) <= IN_FLIGHT):
                flying.append(waiting.popleft())
                send += flying[-1].data
            replies += yield from self._landed(send, flying, quiet)
        return tuple(replies)

    def line(self, line: str, *, quiet: float = QUIET_SECONDS) -> Flow[str]:
        """Send one line and give its reply. Raises NoAnswer when it came damaged twice."""
        for _ in range(2):
            (reply,) = yield from self.run([line], quiet=quiet)
            if reply is not None:
                return reply
        raise NoAnswer(t("no whole answer to {line!r}", line=line), hint=t("check the cable and the baud rate"))

    def start_batch(self) -> Flow[None]:
        """Have the vehicle count errors from here on, so that it refuses to save after one. Does so once."""
        if not self.batch:
            yield from self.line(self.dialect.commands["batch_start"])
            self.batch = True

    def reset(self) -> Flow[None]:
        """Reset everything to its default inside this session, unless that was done; `leave` takes it back.

        Raises WriteRefused.
        """
        if self.started_over:
            return
        yield from self.start_batch()
        reply = yield from self.line(self.dialect.commands["defaults"], quiet=SAVE_SECONDS)
        self.started_over = True
        if error := self.dialect.error(reply):
            self.damaged = error
            raise WriteRefused(t("the vehicle refuses to reset to its defaults: {error}", error=error))

    def save(self) -> Flow[None]:
        """End the batch, save, and see the vehicle reboot. Raises WriteRefused when anything had gone wrong before.

        `save` is sent once: after an error in a batch a first `save` is refused and ends the batch, and a second one
        would store the faulty state.
        """
        if self.damaged:
            raise WriteRefused(
                t("not saved: {why}", why=self.damaged),
                hint=t("nothing was stored; look at the refused settings and apply again"),
            )
        if self.batch:
            reply = yield from self.line(self.dialect.commands["batch_end"])
            self.batch = False
            if self.dialect.error(reply) or not re.search(self.dialect.batch_ended, reply):
                self.damaged = self.dialect.error(reply) or reply
                raise WriteRefused(
                    t("the vehicle reports errors in the batch: {why}", why=self.damaged),
                    hint=t("nothing was stored; look at the refused settings and apply again"),
                )
        self.damaged = t("it was saved already")
        text = yield from self._last_words(self.dialect.commands["save"], SAVE_SECONDS)
        if error := self.dialect.error(text):
            raise WriteRefused(t("the vehicle refuses to save: {error}", error=error))
        self._closed()

    def leave(self) -> Flow[None]:
        """Leave without saving; the vehicle drops what was staged and reboots. Does nothing outside of the CLI."""
        if not self.open:
            return
        try:
            yield from self._last_words(self.dialect.commands["leave"], QUIET_SECONDS)
        except NoAnswer:
            # A damaged `exit` is sent again; a vehicle that had left already answers nothing to it.
            yield from self._last_words(self.dialect.commands["leave"], QUIET_SECONDS, silence_ends=True)
        self._closed()

    def _closed(self) -> None:
        self.forget()
        self._codec.reset()

    def _until_banner(self) -> Flow[str]:
        pattern = re.compile(self.dialect.banner, re.MULTILINE)
        text, send = "", self.dialect.commands["enter"].encode()
        until = self._session.now() + ENTRY_SECONDS
        while True:
            event = yield Wait(send, until)
            send = b""
            if event is None:
                return ""
            if isinstance(event, CliText):
                text += event.text
                match = pattern.search(text)
                if match and text.endswith("# "):
                    return text

    def _marker(self, patience: float) -> Flow[CliReply | None]:
        """Send an end marker alone, and give what comes before it."""
        token = next(self._tokens)
        return (yield from self._reply(b"\n" + Window((), token).data, [token], patience))

    def _reply(self, send: bytes, tokens: Collection[str], quiet: float) -> Flow[CliReply | None]:
        now = self._session.now()
        last = now + LONGEST_REPLY
        until = now + quiet
        while True:
            event = yield Wait(send, min(until, last))
            send = b""
            if event is None:
                return None
            if isinstance(event, CliText):
                until = self._session.now() + quiet
            elif isinstance(event, CliReply) and event.token in tokens:
                return event

    def _landed(self, send: bytes, flying: deque[Window], quiet: float) -> Flow[tuple[str | None, ...]]:
        """Send, wait for the next end marker, and give the replies to all lines before it.

        When a marker was damaged, the next one ends the output of both windows.
        """
        reply = yield from self._reply(send, [window.token for window in flying], quiet)
        if reply is None:
            reply = yield from self._marker(quiet)
        if reply is None:
            self.damaged = t("the vehicle fell silent")
            raise NoAnswer(
                t("the vehicle's CLI fell silent"),
                hint=t("check power and cable; nothing is stored until it is saved"),
            )
        if re.search(rf"^{self.dialect.rebooting}\s*$", reply.text, re.MULTILINE):
            self.forget()
            raise LinkLost(t("the vehicle rebooted"), hint=t("check its power supply"))
        lines: list[str] = []
        while flying:
            window = flying.popleft()
            lines += window.lines
            if window.token == reply.token:
                break
        return split_replies(reply.text, lines)

    def _last_words(self, line: str, patience: float, *, silence_ends: bool = False) -> Flow[str]:
        """Send the line that ends the session and give what comes until the vehicle reboots or is gone."""
        text = ""
        send = f"{line}\n".encode()
        pattern = re.compile(
            f"{self.dialect.rebooting}|{self.dialect.leaving}" if line != "save" else self.dialect.rebooting
        )
        until = self._session.now() + patience
        try:
            while True:
                event = yield Wait(send, until)
                send = b""
                if event is None and silence_ends:
                    return text
                if event is None:
                    raise NoAnswer(t("no answer to {line!r}", line=line), hint=t("check power and cable"))
                if isinstance(event, CliText):
                    text = (text + event.text)[-_TAIL:]
                    if pattern.search(text) or self._refused(text):
                        return text
        except LinkLost:
            # USB goes away with the reboot, sometimes before the last words arrive. What became of it is read back.
            if line == self.dialect.commands["save"] and not re.search(self.dialect.saving, text):
                raise
            return text

    def _refused(self, text: str) -> bool:
        return bool(self.dialect.error(text)) and text.endswith("# ")


def _size(flying: Collection[Window]) -> int:
    return sum(len(window.data) for window in flying)


def _tokens(start: int) -> Iterator[str]:
    number = start
    while True:
        number += 1
        yield f"dk{number & 0xFFF:x}"
