"""The MAVFTP server of the simulated ArduCopter: one worker, one open file, and that file is `@PARAM/param.pck`.

Behaviour as read in ArduPilot's `GCS_FTP.cpp` and measured on the real SITL, oddities included: a request whose number
is one below that of the last reply is taken for a repetition and answered with that reply again; the session of a
silent client is taken over after 3 s; an upload is parsed when its session ends, and is acknowledged whatever it held.
"""

from __future__ import annotations

import struct
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import partial
from random import Random

from dronekit_cfg.families.ardupilot.simulated_pack import HEADER, MAGIC, PackQuery, pack, read_query
from dronekit_cfg.families.ardupilot.simulated_params import ParameterStore
from dronekit_cfg.sim.agenda import Agenda

__all__ = ["FtpServer", "Op", "Peer"]

_HEAD = struct.Struct("<HBBBBBxI")
DATA_LIMIT = 239
PAYLOAD_SIZE = 251
QUEUE_LIMIT = 5
IDLE_SECONDS = 3.0
WORK_SECONDS = 0.006
"""From a request to its reply; measured 5 to 11 ms."""
BURST_LIMIT = 500
_BYTE_RATE = 125_000
"""Rate from which the real SITL works out its pause between two blocks of a burst (5.8 ms measured for 239 bytes)."""
EINVAL = 22
BUSY_SESSION = 200
"""Session of the other ground station of the fault `ftp-busy`."""


class Op(IntEnum):
    """Operations, by their number on the wire."""

    NONE = 0
    TERMINATE = 1
    RESET = 2
    OPEN_RO = 4
    READ = 5
    CREATE = 6
    WRITE = 7
    OPEN_WO = 11
    CRC32 = 14
    BURST = 15
    ACK = 128
    NAK = 129


class _Refused(Exception):
    """A request that is answered with a NAK; `args` are the bytes of its data."""


FAIL, INVALID_SIZE, INVALID_SESSION, EOF, NOT_FOUND = (1,), (3,), (4,), (6,), (10,)


def _errno(number: int) -> tuple[int, int]:
    return (2, number)


@dataclass(frozen=True, slots=True)
class Peer:
    """Who asked: system and component."""

    system: int
    component: int


@dataclass(frozen=True, slots=True)
class _Frame:
    peer: Peer
    sequence: int
    session: int
    op: int
    size: int = 0
    request_op: int = 0
    burst_complete: bool = False
    offset: int = 0
    data: bytes = b""

    @classmethod
    def read(cls, payload: bytes, peer: Peer) -> _Frame:
        sequence, session, op, size, request_op, complete, offset = _HEAD.unpack_from(payload)
        return cls(peer, sequence, session, op, size, request_op, bool(complete), offset, payload[_HEAD.size :])

    def encoded(self) -> bytes:
        head = _HEAD.pack(
            self.sequence,
            self.session,
            self.op,
            self.size,
            self.request_op,
            self.burst_complete,
            self.offset,
        )
        return (head + self.data).ljust(PAYLOAD_SIZE, b"\0")


class _Download:
    """An open packed file. Its content is made at the first read, for that read size."""

    def __init__(self, store: ParameterStore, query: PackQuery) -> None:
        self._store = store
        self._query = query
        self._read_size = 0
        self._content = b""

    def read(self, offset: int, size: int) -> bytes:
        if not self._read_size and size:
            self._read_size = size
            try:
                self._content = pack(self._store, self._query, size)
            except ValueError:
                raise _Refused(*_errno(EINVAL)) from None
        if size != self._read_size or not self._content:
            raise _Refused(*_errno(EINVAL))
        return self._content[offset : offset + size]


class _Upload:
    """A file that is being written. The header makes it as long as it says, zero-filled."""

    def __init__(self) -> None:
        self.content = bytearray()

    def write(self, offset: int, data: bytes) -> None:
        needed = offset + len(data)
        if offset == 0 and len(data) >= HEADER.size:
            magic, _, length = HEADER.unpack_from(data)
            if magic == MAGIC:
                needed = max(needed, length)
        self.content.extend(bytes(max(0, needed - len(self.content))))
        self.content[offset : offset + len(data)] = data


class FtpServer:
    """Serves one vehicle, all its links and clients.

    `send(payload, peer)` puts a reply on the link. `upload(content, now)` applies an uploaded file and gives the
    seconds that takes. `opened(peer, now)` is told when somebody opened the packed file for reading. `drop_rate` of
    the burst blocks get lost, `burst_ends_at_eof` is how this firmware marks the last block.
    """

    def __init__(
        self,
        agenda: Agenda,
        store: ParameterStore,
        send: Callable[[bytes, Peer], None],
        upload: Callable[[bytes, float], float],
        opened: Callable[[float], None],
        *,
        burst_ends_at_eof: bool,
        drop_rate: float = 0.0,
        random: Random,
    ) -> None:
        self._agenda = agenda
        self._store = store
        self._send = send
        self._upload = upload
        self._opened = opened
        self._burst_ends_at_eof = burst_ends_at_eof
        self._drop_rate = drop_rate
        self._random = random
        self.reset()

    def reset(self) -> None:
        """Start anew after a reboot."""
        self._queue: deque[_Frame] = deque()
        self._working = False
        self._last: _Frame | None = None
        self._file: _Download | _Upload | None = None
        self._session = -1
        self._last_send = float("-inf")
        self._banner = False
        self._held = False

    def hold(self, until: float) -> None:
        """Let another ground station work in a session of its own until then; it ends its session properly."""
        self._file = _Download(self._store, PackQuery())
        self._session = BUSY_SESSION
        self._held = True
        self._agenda.add(until, self._release)

    def _release(self, _due: float) -> None:
        self._file, self._session, self._held = None, -1, False

    def receive(self, payload: bytes, peer: Peer, now: float) -> None:
        """Take a request. The queue holds five; more are lost without a word, as in the firmware."""
        if len(self._queue) < QUEUE_LIMIT:
            self._queue.append(_Frame.read(payload, peer))
        if not self._working:
            self._working = True
            self._agenda.add(now + WORK_SECONDS, self._work)

    def _work(self, now: float) -> None:
        if not self._queue:
            self._working = False
            return
        request = self._queue.popleft()
        last = self._last
        repeated = last is not None and (last.peer, last.session, last.sequence) == (
            request.peer,
            request.session,
            request.sequence + 1,
        )
        if last is not None and repeated:
            self._push(last, now)
            self._agenda.add(now + WORK_SECONDS, self._work)
        elif request.op in (Op.ACK, Op.NAK):
            self._agenda.add(now, self._work)
        else:
            self._follow(self._answers(request, now), now)

    def _follow(self, replies: Iterator[tuple[float, _Frame]], now: float) -> None:
        """Send the first of `replies` and come back for the next after its pause."""
        for pause, reply in replies:
            if pause:
                self._agenda.add(now + pause, partial(self._resume, reply, replies))
                return
            self._push(reply, now)
        self._agenda.add(now + WORK_SECONDS, self._work)

    def _resume(self, reply: _Frame, replies: Iterator[tuple[float, _Frame]], now: float) -> None:
        self._push(reply, now)
        self._follow(replies, now)

    def _push(self, reply: _Frame, now: float) -> None:
        self._last = reply
        self._last_send = float("-inf") if reply.request_op == Op.TERMINATE else now
        is_block = reply.request_op == Op.BURST and reply.op == Op.ACK
        if not (is_block and self._drop_rate and self._random.random() < self._drop_rate):
            self._send(reply.encoded(), reply.peer)
        if self._banner:
            self._banner = False
            self._opened(now)

    def _answers(self, request: _Frame, now: float) -> Iterator[tuple[float, _Frame]]:
        """Give the replies to one request, each with the pause before it."""
        following = request.sequence + 1 & 0xFFFF
        reply = _Frame(request.peer, following, request.session, Op.ACK, request_op=request.op)
        try:
            self._admit(request, now)
            if request.op in (Op.TERMINATE, Op.RESET):
                yield (self._close(now) if request.session == self._session else 0.0), reply
            elif request.op == Op.BURST:
                yield from self._burst(request, reply)
            else:
                yield 0.0, self._one(request, reply, now)
        except _Refused as refusal:
            yield 0.0, replace(reply, op=Op.NAK, size=len(refusal.args), data=bytes(refusal.args))

    def _admit(self, request: _Frame, now: float) -> None:
        """Refuse what is too long or of another session; take over a session that has been idle."""
        if request.size > DATA_LIMIT:
            raise _Refused(*INVALID_SIZE)
        ends = request.op in (Op.TERMINATE, Op.RESET)
        if self._file is None or request.session == self._session or ends:
            return
        if self._held or now - self._last_send < IDLE_SECONDS:
            raise _Refused(*INVALID_SESSION)
        self._close(now)

    def _one(self, request: _Frame, reply: _Frame, now: float) -> _Frame:
        match request.op:
            case Op.NONE:
                return reply
            case Op.OPEN_RO:
                return self._open(request, reply, now)
            case Op.CREATE | Op.OPEN_WO:
                if self._file is not None:
                    raise _Refused(*FAIL)
                self._query(request)
                self._file, self._session = _Upload(), request.session
                return reply
            case Op.READ:
                data = self._reading().read(request.offset, request.size)
                if not data:
                    raise _Refused(*EOF)
                return replace(reply, offset=request.offset, size=len(data), data=data)
            case Op.WRITE:
                self._writing().write(request.offset, request.data[: request.size])
                return replace(reply, offset=request.offset)
            case Op.CRC32:
                return replace(reply, size=4, data=struct.pack("<I", self._checksum(self._query(request))))
            case _:
                raise _Refused(*FAIL)

    def _open(self, request: _Frame, reply: _Frame, now: float) -> _Frame:
        if self._file is not None and now - self._last_send > IDLE_SECONDS:
            self._close(now)
        if self._file is not None:
            raise _Refused(*FAIL)
        self._file, self._session = _Download(self._store, self._query(request)), request.session
        self._banner = True
        # The size is an estimate of the firmware, 12 bytes a parameter, never the true one.
        return replace(reply, size=4, data=struct.pack("<I", self._store.count * 12))

    def _query(self, request: _Frame) -> PackQuery:
        text = request.data.split(b"\0", 1)[0]
        if not request.size or len(text) not in (request.size, request.size - 1):
            raise _Refused(*INVALID_SIZE)
        try:
            query = read_query(text.decode("latin-1"))
        except ValueError:
            raise _Refused(*_errno(EINVAL)) from None
        if query is None:
            raise _Refused(*NOT_FOUND)
        return query

    def _reading(self) -> _Download:
        if self._file is None:
            raise _Refused(*NOT_FOUND)
        if not isinstance(self._file, _Download):
            raise _Refused(*FAIL)
        return self._file

    def _writing(self) -> _Upload:
        if self._file is None:
            raise _Refused(*NOT_FOUND)
        if not isinstance(self._file, _Upload):
            raise _Refused(*FAIL)
        return self._file

    def _burst(self, request: _Frame, reply: _Frame) -> Iterator[tuple[float, _Frame]]:
        size = request.size or DATA_LIMIT
        pause = int(3000 * (PAYLOAD_SIZE + 3 - (DATA_LIMIT - size)) / _BYTE_RATE) / 1000
        file = self._reading()
        offset = request.offset
        for block in range(BURST_LIMIT):
            data = file.read(offset, size)
            if not data:
                yield pause, replace(reply, op=Op.NAK, size=1, data=bytes(EOF))
                return
            short = len(data) < size
            ends = block == BURST_LIMIT - 1 or (short and self._burst_ends_at_eof)
            reply = replace(reply, offset=offset, size=len(data), burst_complete=ends, data=data)
            yield pause if block else 0.0, reply
            # What the firmware leaves standing in its reply for the NAK that ends a burst: only a short block moves it.
            offset += len(data)
            following = reply.sequence + 1 & 0xFFFF
            reply = replace(reply, sequence=following, offset=offset if short else reply.offset)

    def _checksum(self, query: PackQuery) -> int:
        # ArduPilot's CRC-32 starts with 0 and does not invert the end; it reads 64 bytes at a time.
        return zlib.crc32(pack(self._store, query, 64), 0xFFFFFFFF) ^ 0xFFFFFFFF

    def _close(self, now: float) -> float:
        file, self._file, self._session = self._file, None, -1
        return self._upload(bytes(file.content), now) if isinstance(file, _Upload) else 0.0
