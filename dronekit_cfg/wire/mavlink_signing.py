"""MAVLink 2 message signing: keys, signatures, and the clock that keeps old frames from being replayed.

A signature is link id, a 48-bit time in 10 us ticks since 2015-01-01, and the first 6 bytes of SHA-256 over key and
frame. Source: mavlink.io guide "Message Signing".
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import stat
import struct
from collections.abc import Callable
from pathlib import Path

from dronekit_cfg.errors import UsageError
from dronekit_cfg.text import t

__all__ = [
    "NO_KEY",
    "SIGNATURE_SIZE",
    "Signer",
    "make_signing_key",
    "parse_signing_key",
    "read_signing_key",
    "signing_ticks",
]

SIGNATURE_SIZE = 13
EPOCH = 1420070400
"""2015-01-01 00:00 UTC as Unix time."""
TICKS = 100_000
"""Ticks in a second."""
NEW_STREAM_AGE = 60 * TICKS
"""How far behind our clock the first frame of a stream may be: one minute, as the guide says."""
KEY_FILE_LIMIT = 4096
NO_KEY = bytes(32)
"""The key that means "do not sign"."""


def signing_ticks(unix: float) -> int:
    """Give a time of the clock as signatures carry it: 10 us since 2015."""
    return max(int((unix - EPOCH) * TICKS), 0)


def make_signing_key(path: Path) -> None:
    """Write a new random key, as hex, into a file that only its owner can read. Raises UsageError when it exists."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        handle = os.open(path, flags, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(handle)
    except OSError as error:
        raise UsageError(
            t("cannot make the signing key {path}: {why}", path=path, why=error.strerror or error),
            hint=t("name a file that is not there yet, in a folder that is yours"),
        ) from error


def parse_signing_key(data: bytes) -> bytes:
    """Turn the content of a key file into the 32-byte key.

    32 bytes that are not text are the key itself, 64 hex digits are the key in hex, any other one line of text is a
    passphrase whose SHA-256 is the key (as MAVProxy and QGroundControl do). Raises UsageError for anything else.
    """
    hint = t("a key file holds 32 raw bytes, 64 hex digits, or one line with a passphrase")
    if len(data) == 32 and not (data.isascii() and data.decode("ascii").isprintable()):
        return data
    try:
        text = data.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise UsageError(t("the signing key is neither 32 bytes nor text"), hint=hint) from error
    if not text.strip() or "\n" in text or "\0" in text:
        raise UsageError(t("the signing key must be one line of text that is not empty"), hint=hint)
    if len(text) == 64 and all(c in "0123456789abcdefABCDEF" for c in text):
        return bytes.fromhex(text)
    return hashlib.sha256(text.encode("utf-8")).digest()


def read_signing_key(path: Path) -> bytes:
    """Read a key file. Raises UsageError when it cannot be read or (POSIX) when other users can read it."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(KEY_FILE_LIMIT + 1)
    except OSError as error:
        raise UsageError(
            t("cannot read the signing key {path}: {why}", path=path, why=error.strerror or error),
            hint=t("give the path of a key file that you may read"),
        ) from error
    if os.name == "posix" and mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UsageError(
            t("other users of this computer can read the signing key {path}", path=path),
            hint=t("run `chmod 600 {path}`", path=path),
        )
    if len(data) > KEY_FILE_LIMIT:
        raise UsageError(t("{path} is too large to be a signing key", path=path), hint=t("choose the right file"))
    return parse_signing_key(data)


class Signer:
    """Signs our frames and checks those of others with one key.

    `now_unix` gives seconds since 1970. Times never go back: neither ours nor those accepted from one stream (link id,
    system, component).
    """

    def __init__(self, key: bytes, link_id: int, now_unix: Callable[[], float]) -> None:
        if len(key) != 32:
            raise ValueError(f"a signing key has 32 bytes, not {len(key)}")
        self._key = key
        self._link_id = link_id
        self._now_unix = now_unix
        self._latest = 0
        self._streams: dict[tuple[int, int, int], int] = {}

    def _clock(self) -> int:
        return signing_ticks(self._now_unix())

    def _mac(self, signed: bytes) -> bytes:
        return hashlib.sha256(self._key + signed).digest()[:6]

    def sign(self, frame: bytes) -> bytes:
        """Give `frame` (from its start byte to its CRC) with a signature behind it."""
        self._latest = max(self._clock(), self._latest + 1)
        signed = frame + struct.pack("<BQ", self._link_id, self._latest)[:7]
        return signed + self._mac(signed)

    def accepts(self, frame: bytes, system: int, component: int) -> bool:
        """Whether the signature at the end of `frame` is right and its time newer than the stream's last."""
        if not hmac.compare_digest(self._mac(frame[:-6]), frame[-6:]):
            return False
        ticks = int.from_bytes(frame[-12:-6], "little")
        stream = (frame[-13], system, component)
        last = self._streams.get(stream)
        if ticks <= last if last is not None else ticks + NEW_STREAM_AGE < max(self._clock(), self._latest):
            return False
        self._streams[stream] = ticks
        self._latest = max(self._latest, ticks)
        return True
