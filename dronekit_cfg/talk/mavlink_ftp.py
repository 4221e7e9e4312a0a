"""Read and write files of a MAVLink vehicle; own client, from the specification.

The packed settings are made by the vehicle while they are read. So their size is not known before the end, all reads
of one session must be of one size (or values could be cut in two), and a block that was lost is read alone, never the
whole burst again. During a burst the vehicle answers nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from dronekit_cfg.errors import DronekitError, NoAnswer
from dronekit_cfg.events import Progress
from dronekit_cfg.talk.flow import Flow
from dronekit_cfg.talk.mavlink_conversation import Conversation, RoundTrip
from dronekit_cfg.talk.mavlink_ftp_session import (
    END_OF_FILE,
    MAX_DATA,
    NOT_OPEN,
    FtpOp,
    FtpRefused,
    FtpReply,
    FtpSession,
)
from dronekit_cfg.text import t

__all__ = ["BLOCK", "BLOCK_SLOW", "FtpRefused", "block_size", "download", "upload"]

BLOCK = MAX_DATA
BLOCK_SLOW = 80
"""Block size where long frames suffer: radios whose packets are small, and lines that damage many bits."""
DAMAGE = 1e-3
"""Bytes that ruin their frame, of all bytes, from which small blocks are faster. Measured on the simulated radio at
57600 baud: at a bit error rate of 5e-5 a download takes 3.4 s in blocks of 239 and 3.8 s in blocks of 80, at 1e-4 both
take 4.0 s, at 4e-4 11.4 s and 6.5 s."""
WINDOW = 4
"""Requests in flight, one less than the vehicle's queue holds."""
RESTARTS = 3
FRUITLESS = 8
"""Rounds without anything new until a transfer is given up."""
CLOSE_SECONDS = 5.0
"""Closing an upload applies it: up to four passes with pauses of 0.1 s for each subsystem that is enabled."""
MAX_FILE = 1 << 20
"""Bytes of the largest file that is taken: 1,400 packed settings are 18,000. Blocks beyond it are dropped."""
RECENT_REPLIES = 0x8000
"""Replies whose sequence number is so far ahead are really behind: they belong to an older transfer."""


def block_size(conversation: Conversation, *, slow: bool = False) -> int:
    """Give the block size for the next transfer; it must not change within one. `slow` asks for the small one."""
    return BLOCK_SLOW if slow or conversation.watch.damage > DAMAGE else BLOCK


@dataclass(slots=True)
class _File:
    """A file as far as it has arrived: blocks by offset, the size once it is known.

    `end` is the size, None while unknown; `asked` are reads in flight: by the sequence number of the reply, offset and
    when it was sent (-1 for those that wait for the end of the burst).
    """

    path: str
    block: int
    blocks: dict[int, bytes] = field(default_factory=dict)
    end: int | None = None
    started: int = 0
    bursting: bool = True
    asked: dict[int, tuple[int, float]] = field(default_factory=dict)
    lost: bool = False

    @property
    def top(self) -> int:
        """Offset behind the highest block that arrived."""
        return max(self.blocks, default=-self.block) + self.block

    @property
    def gaps(self) -> list[int]:
        stop = self.top if self.end is None else self.end
        return [offset for offset in range(0, stop, self.block) if offset not in self.blocks]

    @property
    def complete(self) -> bool:
        return self.end is not None and not self.gaps

    def take(self, reply: FtpReply) -> bool:
        """Take one reply; whether it brought something new. Replies of an older transfer are dropped."""
        behind = (reply.sequence - self.started) & 0xFFFF
        if reply.request not in (FtpOp.BURST, FtpOp.READ) or behind >= RECENT_REPLIES:
            return False
        if reply.request == FtpOp.READ:
            self.bursting = False  # nothing is answered during a burst, so its end was lost
        asked = self.asked.pop(reply.sequence, None)
        if asked is not None:
            # Requests are answered in order: what was asked before and is not answered yet is lost.
            self.asked = {k: v for k, v in self.asked.items() if k > reply.sequence}
        if reply.request == FtpOp.BURST and (reply.error or reply.complete):
            self.bursting = False
        if reply.error:
            return self._refused(reply, None if asked is None else asked[0])
        if reply.offset % self.block or not reply.data or reply.offset in self.blocks or reply.offset > MAX_FILE:
            return False
        self.blocks[reply.offset] = reply.data
        if len(reply.data) < self.block:
            self.end = reply.offset + len(reply.data)
        return True

    def _refused(self, reply: FtpReply, asked: int | None) -> bool:
        if reply.error == END_OF_FILE:
            # The end of a burst does not say where it is; that of a single read does.
            if self.end is None and asked == self.top:
                self.end = asked
                return True
            return False
        self.lost = self.lost or reply.error in NOT_OPEN
        if not self.lost:
            raise FtpRefused(self.path, reply.error, reply.data[1] if len(reply.data) > 1 else 0)
        return False

    def content(self) -> bytes:
        return b"".join(self.blocks[offset] for offset in sorted(self.blocks))


def download(conversation: Conversation, path: str, *, block: int = BLOCK) -> Flow[bytes]:
    """Read a whole file in blocks of `block` bytes. Raises FtpRefused, NoAnswer.

    When the vehicle closes the file under our hands (another station took the session) it is read from the start.
    """
    for _ in range(RESTARTS):
        session = FtpSession(conversation, path)
        file = _File(path, block)
        file.started = yield from session.open(FtpOp.OPEN, burst=block)
        if (yield from _receive(session, file)):
            # Not waited for: an old session of ours is closed by the reset of the next transfer anyway.
            _, close = session.request(FtpOp.TERMINATE)
            yield from conversation.next(close)
            conversation.session.report(Progress(t("bytes"), file.end or 0, file.end or 0))
            return file.content()
    raise NoAnswer(
        t("the vehicle closed {path} {n} times while it was read", path=path, n=RESTARTS),
        hint=t("disconnect other ground stations"),
    )


def _receive(session: FtpSession, file: _File) -> Flow[bool]:
    """Take the burst, then what is missing; False when the file is not open any more."""
    conversation = session.conversation
    gap = RoundTrip(first=1.0, lowest=0.3, highest=2.0)
    fruitless = 0
    last = conversation.now
    for early in session.early:
        file.take(early)
    send = b""
    while not file.complete:
        if file.lost:
            return False
        send += _ask(session, file)
        until = last + (gap if file.bursting else session.waits).wait(fruitless)
        reply = yield from session.next(send, until)
        send = b""
        now = conversation.now
        if reply is not None and _took(session, file, reply, gap, now - last):
            fruitless, last = 0, now
        elif now >= until:
            fruitless, last = fruitless + 1, now
            send = _again(session, file, fruitless)
        if fruitless >= FRUITLESS:
            raise NoAnswer(
                t("file transfer of {path} fell silent after {n} bytes", path=session.path, n=file.top),
                hint=t("check the link, then try again"),
            )
    return True


def _took(session: FtpSession, file: _File, reply: FtpReply, gap: RoundTrip, pause: float) -> bool:
    """Take one reply, measure and report; whether it brought something new."""
    conversation = session.conversation
    asked = file.asked.get(reply.sequence)
    if asked is not None and asked[1] >= 0:
        session.waits.measured(conversation.now - asked[1])
    bursting = file.bursting
    if not file.take(reply):
        return False
    if bursting:
        gap.measured(pause)
    if len(file.blocks) % 10 == 0:
        done = len(file.blocks) * file.block
        conversation.session.report(Progress(t("bytes"), done, file.end or max(session.size, done)))
    return True


def _again(session: FtpSession, file: _File, fruitless: int) -> bytes:
    """Nothing came in time: ask for another burst from where this one broke off, or else for single blocks."""
    file.asked.clear()
    file.bursting = file.end is None and file.bursting and fruitless % 2 == 1
    return session.request(FtpOp.BURST, offset=file.top, size=file.block)[1] if file.bursting else b""


def _ask(session: FtpSession, file: _File) -> bytes:
    """Ask for the next gaps and, while the end is not known, for what follows, until the window is full.

    Gaps are asked for already during the burst: these reads wait in the vehicle's queue and are answered right behind
    it, without a round trip in which the line would be idle. How long that takes says nothing about the round trip.
    """
    flying = {offset for offset, _ in file.asked.values()}
    wanted = file.gaps[: WINDOW + len(flying)]
    when = -1.0 if file.bursting else session.conversation.now
    if file.end is None and not file.bursting:
        wanted += [file.top + i * file.block for i in range(WINDOW)]
    send = b""
    for offset in [o for o in wanted if o not in flying][: WINDOW - len(flying)]:
        sequence, frame = session.request(FtpOp.READ, offset=offset, size=file.block)
        file.asked[sequence] = (offset, when)
        send += frame
    return send


def upload(
    conversation: Conversation,
    path: str,
    data: bytes,
    *,
    block: int = BLOCK,
    before_last: Callable[[], Flow[None]] | None = None,
) -> Flow[None]:
    """Write a whole file; its first block goes last. Raises FtpRefused, NoAnswer, and what `before_last` raises.

    ArduPilot applies packed settings when the file is closed, also when a broken link closes it, and looks only at the
    first block to see whether it is whole. Sent last, a broken transfer changes nothing (tried on the 4.7-dev SITL).
    `before_last` runs when all but that block has arrived: the last moment to stop without an effect.

    An upload that was acknowledged need not be applied: ArduPilot skips without a word what it does not know or allow
    (docs/packed-upload.md). So what was uploaded must be read back.
    """
    session = FtpSession(conversation, path)
    yield from session.open(FtpOp.CREATE)
    try:
        yield from _write(session, data, list(range(block, len(data), block)), block)
        if before_last is not None:
            yield from before_last()
    except DronekitError:
        # Without its first block the file has no effect; it must not stay open for whoever comes next.
        yield from conversation.next(session.request(FtpOp.TERMINATE)[1])
        raise
    yield from _write(session, data, [0], block)
    for _ in range(RESTARTS):
        closed, send = session.request(FtpOp.TERMINATE)
        until = conversation.now + CLOSE_SECONDS
        while (reply := (yield from session.next(send, until))) is not None:
            send = b""
            if reply.sequence == closed and reply.request == FtpOp.TERMINATE:
                if reply.error:
                    raise FtpRefused(path, reply.error)
                return
    raise NoAnswer(
        t("the vehicle did not confirm the end of the upload of {path}", path=path),
        hint=t("read the settings again: they may have been applied"),
    )


def _write(session: FtpSession, data: bytes, offsets: list[int], block: int) -> Flow[None]:
    """Write these blocks, a few in flight, each until it is acknowledged."""
    conversation = session.conversation
    missing = dict.fromkeys(offsets)
    fruitless = 0
    while missing:
        flying: dict[int, int] = {}
        send = b""
        for offset in list(missing)[:WINDOW]:
            sequence, frame = session.request(FtpOp.WRITE, offset=offset, data=data[offset : offset + block])
            flying[sequence] = offset
            send += frame
        before = len(missing)
        until = conversation.now + session.waits.wait(fruitless)
        while flying and (reply := (yield from session.next(send, until))) is not None:
            send = b""
            written = flying.pop(reply.sequence, None)
            if reply.request != FtpOp.WRITE or written is None:
                continue
            if reply.error:
                raise FtpRefused(session.path, reply.error, reply.data[1] if len(reply.data) > 1 else 0)
            missing.pop(written, None)
        fruitless = 0 if len(missing) < before else fruitless + 1
        if fruitless >= FRUITLESS:
            raise NoAnswer(
                t("the upload of {path} fell silent; nothing was applied", path=session.path),
                hint=t("check the link, then try again"),
            )
