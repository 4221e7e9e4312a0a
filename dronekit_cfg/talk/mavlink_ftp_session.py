"""One MAVLink file transfer session: requests, their replies, opening, and other stations in the way.

Facts (MAVLink FTP service; ArduPilot GCS_FTP.cpp): a vehicle has one session, freed after 3 s without use; requests
wait in a queue of 5 and are answered in order; the client chooses the session number; a reset of another number than
the open one does nothing, so ours never disturbs another station.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from dronekit_cfg.errors import NoAnswer, VehicleError
from dronekit_cfg.events import Note
from dronekit_cfg.talk.flow import Flow
from dronekit_cfg.talk.mavlink_conversation import Conversation, RoundTrip
from dronekit_cfg.talk.mavlink_others import others
from dronekit_cfg.text import t
from dronekit_cfg.wire.mavlink import Message

__all__ = ["END_OF_FILE", "MAX_DATA", "NOT_OPEN", "FtpOp", "FtpRefused", "FtpReply", "FtpSession"]

MAX_DATA = 239
"""Data bytes that fit one message."""
SESSION = 0xDC
"""Our session number: unlikely to be that of another station, and the same each time, so that a session which a
killed run left open is closed at once by our reset."""
IDLE_SECONDS = 3.7
"""A session of another station that is not used is freed after 3 s."""
BURST_REPLIES = 512
"""Sequence numbers that a burst may use: at most 500 blocks and the end."""
OPEN_TRIES = 6
CONFLICTS = 8
"""How often another station's session is waited out: 30 s, in which it reads all settings over a slow radio."""
_HEAD = struct.Struct("<HBBBBBxI")


class FtpOp(IntEnum):
    """What a request asks for, and the two kinds of replies."""

    TERMINATE = 1
    RESET = 2
    OPEN = 4
    READ = 5
    CREATE = 6
    WRITE = 7
    BURST = 15
    ACK = 128
    NAK = 129


FAIL, ERRNO, INVALID_SESSION, NO_SESSIONS, END_OF_FILE, NOT_FOUND = 1, 2, 4, 5, 6, 10
_REASONS = {
    FAIL: "it failed",
    ERRNO: "file system error",
    3: "wrong data size",
    INVALID_SESSION: "another station has a file open",
    NO_SESSIONS: "another station has a file open",
    END_OF_FILE: "end of file",
    7: "unknown command",
    8: "the file exists",
    9: "the file is protected",
    NOT_FOUND: "there is no such file",
}
_BUSY = frozenset({INVALID_SESSION, NO_SESSIONS})
_OPENERS = frozenset({FtpOp.RESET, FtpOp.OPEN, FtpOp.CREATE})
NOT_OPEN = frozenset({FAIL, INVALID_SESSION, NO_SESSIONS, NOT_FOUND})
"""Refusals of a read or write that mean that the file is not open (any more)."""


class FtpRefused(VehicleError):
    """The vehicle refused a file operation; `code` is the error number of the protocol, `who` who is in the way."""

    def __init__(self, path: str, code: int, errno: int = 0, who: str = "") -> None:
        reason = _REASONS.get(code, f"error {code}") + (f" {errno}" if errno else "")
        if who:
            reason = t("{who} has a file open", who=who)
        super().__init__(
            t("the vehicle refuses file {path}: {reason}", path=path, reason=reason),
            hint=t("disconnect other ground stations; file transfer may also be switched off on the vehicle"),
        )
        self.code = code


@dataclass(frozen=True, slots=True)
class FtpReply:
    """One reply; `request` is the kind of request that it answers."""

    sequence: int
    session: int
    op: int
    request: int
    complete: bool
    offset: int
    data: bytes

    @property
    def error(self) -> int:
        """Error number of a refusal, 0 of an acknowledgement."""
        return 0 if self.op != FtpOp.NAK else self.data[0] if self.data else FAIL


def _reply(conversation: Conversation, message: Message) -> FtpReply | None:
    """Take a message apart if it is a file transfer reply to us."""
    if message.name != "FILE_TRANSFER_PROTOCOL":
        return None
    codec = conversation.codec
    to = (message["target_system"], message["target_component"])
    if to[0] not in (0, codec.system) or to[1] not in (0, codec.component):
        conversation.watch.station(*to, conversation.now)
        return None
    payload: bytes = message["payload"]
    sequence, session, op, size, request, complete, offset = _HEAD.unpack_from(payload)
    if op not in (FtpOp.ACK, FtpOp.NAK) or size > MAX_DATA:
        return None
    return FtpReply(sequence, session, op, request, bool(complete), offset, payload[_HEAD.size : _HEAD.size + size])


class FtpSession:
    """One session: numbers the requests and knows which reply belongs to which.

    `early` holds data that arrived before (or instead of) the acknowledgement of the opening; `size` is the file's
    size as the vehicle estimates it, 0 when it did not tell. `opened` says that our number is the one of the vehicle.
    """

    def __init__(self, conversation: Conversation, path: str) -> None:
        self.conversation = conversation
        self.path = path
        self.number = SESSION
        self.waits = RoundTrip(first=conversation.round_trip.known(0.3, 0.7), lowest=0.15, highest=2.0)
        self.early: list[FtpReply] = []
        self.size = 0
        self.opened = False
        self._told = ""

    def request(self, op: FtpOp, *, offset: int = 0, size: int = 0, data: bytes = b"") -> tuple[int, bytes]:
        """Give the sequence number that the reply will bear, and the frame."""
        conversation = self.conversation
        sequence = conversation.ftp_sequence
        conversation.ftp_sequence = (sequence + 1) & 0xFFFF
        if op is FtpOp.BURST:
            # Its replies are numbered on. A request numbered one below the last reply would be taken for a repeat of
            # the request before, and that reply sent again (ArduPilot; seen on the SITL).
            conversation.ftp_sequence = (sequence + BURST_REPLIES) & 0xFFFF
        head = _HEAD.pack(sequence, self.number, op, len(data) or size, 0, 0, offset)
        frame = conversation.codec.encode(
            "FILE_TRANSFER_PROTOCOL", target_network=0, **conversation.target, payload=head + data
        )
        return (sequence + 1) & 0xFFFF, frame

    def next(self, send: bytes, until: float) -> Flow[FtpReply | None]:
        """Send, and give the next reply, or None at `until`."""
        conversation = self.conversation
        while (message := (yield from conversation.next(send, until))) is not None:
            send = b""
            reply = _reply(conversation, message)
            if reply is not None and self._is_ours(reply):
                return reply
        return None

    def _is_ours(self, reply: FtpReply) -> bool:
        """Whether the reply is of our session: data of another station's must never get into our file.

        Stations that share a link through a router see each other's replies, and most of them are 255:190.
        """
        if not self.opened or reply.session == self.number or reply.request in _OPENERS:
            return True
        self._tell(t("{who} transfers files over this link at the same time", who=others(self.conversation)))
        return False

    def _tell(self, text: str) -> None:
        """Say it once, and again when it is known who the other station is."""
        if text != self._told:
            self._told = text
            self.conversation.session.report(Note(text, level="warning"))

    def open(self, op: FtpOp, *, burst: int = 0) -> Flow[int]:
        """Free our own old session and open or create the file.

        With `burst` (block size) a burst from the start is asked for in the same breath, which saves a round trip; the
        sequence number of its first reply is given. Another station's session is waited out a few times. Raises
        FtpRefused, NoAnswer.
        """
        conflicts = 0
        for attempt in range(OPEN_TRIES + CONFLICTS):
            self.early.clear()
            # The answer to a reset would count as use of the other station's session and keep it from being freed.
            reset = b"" if conflicts else self.request(FtpOp.RESET)[1]
            opened, send = self.request(op, data=self.path.encode("ascii"))
            started, ask = self.request(FtpOp.BURST, size=burst) if burst else (0, b"")
            reply = yield from self._opened(opened, started, reset + send + ask, self.waits.wait(attempt - conflicts))
            if reply is None:
                continue
            self.opened = not reply.error
            if not reply.error:
                if reply.request == FtpOp.OPEN and len(reply.data) == 4:
                    self.size = int.from_bytes(reply.data, "little")
                if burst and reply.session != self.number:
                    self.number = reply.session
                    started, ask = self.request(FtpOp.BURST, size=burst)
                    yield from self.conversation.next(ask)
                self.number = reply.session
                return started
            if reply.error == FAIL and attempt < OPEN_TRIES:
                # The file is open under our own number: the reset was lost.
                continue
            if reply.error not in _BUSY or conflicts == CONFLICTS:
                who = others(self.conversation) if reply.error in _BUSY else ""
                raise FtpRefused(self.path, reply.error, reply.data[1] if len(reply.data) > 1 else 0, who)
            conflicts += 1
            who = others(self.conversation)
            self._tell(t("{who} transfers files with the vehicle; waiting for it to end", who=who))
            yield from self._idle(IDLE_SECONDS)
        raise NoAnswer(
            t("the vehicle does not answer file transfer"), hint=t("check the link; file transfer may be switched off")
        )

    def _opened(self, opened: int, started: int, send: bytes, seconds: float) -> Flow[FtpReply | None]:
        """Wait for the answer to the opening; data of the burst that was asked for behind it is one, too."""
        until = self.conversation.now + seconds
        while (reply := (yield from self.next(send, until))) is not None:
            send = b""
            if reply.sequence == opened and reply.request in (FtpOp.OPEN, FtpOp.CREATE):
                return reply
            if started and reply.request == FtpOp.BURST and (reply.sequence - started) & 0xFFFF < 0x8000:
                if reply.error:
                    return None
                self.early.append(reply)
                return reply
        return None

    def _idle(self, seconds: float) -> Flow[None]:
        until = self.conversation.now + seconds
        while (yield from self.conversation.next(until=until)) is not None:
            pass
