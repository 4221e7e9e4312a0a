"""Hold the AT mode of a SiK radio: enter between two silences, ask, leave; the far end answers over the air.

A radio takes one command at a time and there is no checksum on the line, so tables are read until two readings agree.
Whoever asks for the key of the encryption, or writes it, hushes the session's vault around it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from dronekit_cfg.errors import LinkGarbage, NoAnswer
from dronekit_cfg.talk.flow import Flow, Session, Wait
from dronekit_cfg.text import t
from dronekit_cfg.wire.at import AtCodec, Rssi, command, parse_rssi, parse_table

__all__ = ["SikAt", "Table"]

Table = dict[str, tuple[int, int]]
"""Number and value of every register by its name."""
GUARD = 1.05
"""The radio wants a second of silence on both sides of `+++`."""
LOCAL = 0.6
REMOTE = 2.0
"""Seconds that an answer may take. Over the air it waits for time slots, and may be lost."""
QUIET_LOCAL = 0.12
QUIET_REMOTE = 0.8
"""Silence after which a table is over: it has no end mark."""
TRIES = 4
_KEY = re.compile(r"[0-9A-F]{32}(?:[0-9A-F]{16}){0,2}")


class SikAt:
    """The AT mode of one connection; `open` is whether we are in it. Commands name the far end with `remote=True`."""

    def __init__(self, session: Session, codec: AtCodec) -> None:
        self._session = session
        self._codec = codec
        self.open = False

    def forget(self) -> None:
        """Take note that the radio restarted or the link was opened again."""
        self.open = False
        self._codec.reset()

    def enter(self) -> Flow[None]:
        """Enter, or find that the radio was left there. Raises NoAnswer, LinkGarbage."""
        for _ in range(2):
            yield from self.pause(GUARD)
            if (yield from self._expect(b"+++", GUARD + LOCAL, lambda line: line == "OK")) is not None:
                self.open = True
                return
            # A radio that was left in AT mode holds `+++` in its line now: end that line and see.
            if (yield from self._expect(b"\rAT\r", LOCAL, lambda line: line == "OK")) is not None:
                self.open = True
                return
        if self._codec.heard:
            raise LinkGarbage(
                t("bytes arrive, but no radio answers to +++"),
                hint=t(
                    "stop what else sends on this port, and check the baud rate (serial:PORT@57600 from the factory)"
                ),
            )
        raise NoAnswer(
            t("no radio answers to +++"),
            hint=t("check power and cable; radios come with 57600 baud"),
        )

    def leave(self) -> Flow[None]:
        """Go back to carrying data; does nothing outside of AT mode."""
        if self.open:
            self.open = False
            yield Wait(command("ATO"))

    def line(self, text: str, fits: Callable[[str], bool], *, remote: bool = False) -> Flow[str | None]:
        """Send a command and give the first line that `fits`; None when none came, however often it was sent."""
        name = "RT" if remote else "AT"
        for _ in range(TRIES):
            found = yield from self._expect(command(name + text), REMOTE if remote else LOCAL, fits)
            if found is not None:
                return found
        return None

    def confirmed(self, text: str, *, remote: bool = False) -> Flow[bool | None]:
        """Send a command that is answered by OK or ERROR; None when neither came."""
        found = yield from self.line(text, lambda line: line in {"OK", "ERROR"}, remote=remote)
        return None if found is None else found == "OK"

    def key(self, *, remote: bool = False) -> Flow[str | None]:
        """Read the key of the encryption, in capitals; None when none is told twice alike."""
        last: str | None = None
        with self._session.vault.hush():
            for _ in range(TRIES):
                found = yield from self.line("&E?", lambda line: _KEY.fullmatch(line) is not None, remote=remote)
                if found is None or found == last:
                    return found
                last = found
        return None

    def set_key(self, key: str, *, remote: bool = False) -> Flow[bool]:
        """Write the key. A radio answers OK even when it took another one: read it back."""
        with self._session.vault.hush():
            return bool((yield from self.confirmed(f"&E={key}", remote=remote)))

    def rssi(self, seconds: float) -> Flow[tuple[Rssi, ...]]:
        """Have the radio report signal and noise for a while, and end that. Raises NoAnswer."""
        if not (yield from self.confirmed("&T=RSSI")):
            raise NoAnswer(t("the radio does not report its signal"), hint=t("check the cable"))
        found = []
        until = self._session.now() + seconds
        while (event := (yield Wait(b"", until))) is not None:
            report = parse_rssi(event.text)
            if report is not None:
                found.append(report)
        yield from self.confirmed("&T")
        return tuple(found)

    def restart(self, *, remote: bool = False) -> Flow[None]:
        """Restart one end; it does not answer. The near end leaves its AT mode by that."""
        if not remote:
            self.open = False
        yield Wait(command("RTZ" if remote else "ATZ"))

    def answers(self) -> Flow[bool]:
        """Say whether the far end is there, by one question."""
        return (yield from self._expect(command("RTI"), REMOTE, lambda line: " on " in line)) is not None

    def table(self, *, remote: bool = False) -> Flow[Table | None]:
        """Read all registers until two readings agree. None when the far end is not there; else raises NoAnswer."""
        last: Table | None = None
        for _ in range(2 * TRIES):
            lines = yield from self._rows("RTI5" if remote else "ATI5", QUIET_REMOTE if remote else QUIET_LOCAL, remote)
            found = parse_table(lines)
            if found is not None and found == last:
                return found
            last = found or last
            if remote and not lines and last is None and not (yield from self.answers()):
                return None
        raise NoAnswer(
            t("no two readings of the {end} radio's table agree", end=t("far") if remote else t("near")),
            hint=t("bring the radios closer together") if remote else t("check the cable and the baud rate"),
        )

    def _rows(self, text: str, quiet: float, remote: bool) -> Flow[list[str]]:
        rows: list[str] = []
        send, until = command(text), self._session.now() + (REMOTE if remote else LOCAL)
        while (event := (yield Wait(send, until))) is not None:
            send = b""
            if event.text != text:
                rows.append(event.text)
                until = self._session.now() + quiet
        return rows

    def _expect(self, send: bytes, seconds: float, fits: Callable[[str], bool]) -> Flow[str | None]:
        until = self._session.now() + seconds
        while (event := (yield Wait(send, until))) is not None:
            send = b""
            if fits(event.text):
                text: str = event.text
                return text
        return None

    def pause(self, seconds: float) -> Flow[None]:
        """Let time pass; what arrives meanwhile is dropped."""
        until = self._session.now() + seconds
        while (yield Wait(b"", until)) is not None:
            pass
