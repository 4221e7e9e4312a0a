"""Reads text files of any origin; writes files so that a crash leaves the old one or the new one, never half of one."""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
import secrets
from pathlib import Path

from dronekit_cfg.errors import FileProblems, Problem, StateError, UsageError
from dronekit_cfg.text import t

__all__ = ["MAX_BYTES", "decode", "is_html", "lines_of", "read_bytes", "read_text", "write_atomic"]

MAX_BYTES = 5_000_000
"""Files larger than this are refused: no settings file comes near it."""

_BOMS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_READ_HINTS: dict[type[OSError], str] = {
    FileNotFoundError: "check the name and the folder",
    IsADirectoryError: "name a file inside it",
    PermissionError: "check who may read it",
}

_WRITE_HINTS: dict[int, str] = {
    errno.ENOSPC: "the disk is full: free some space and run the command again",
    errno.EDQUOT: "your disk quota is used up: free some space and run the command again",
    errno.EROFS: "the disk is read-only: choose another folder",
    errno.EACCES: "you may not write there: choose another folder or change its permissions",
    errno.EPERM: "you may not write there: choose another folder or change its permissions",
    errno.ENOENT: "the folder does not exist: create it or choose another one",
    errno.EISDIR: "that is a folder: name a file",
}


def read_bytes(path: Path, *, limit: int = MAX_BYTES) -> bytes:
    """Read a whole file. Raises UsageError when it is missing, a folder, unreadable, or larger than `limit` bytes."""
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        hint = _READ_HINTS.get(type(error), "check the disk it is on")
        raise UsageError(
            t("cannot read {path}: {why}", path=path, why=error.strerror or error), hint=t(hint)
        ) from error
    if len(data) > limit:
        raise FileProblems(
            (
                Problem(
                    str(path),
                    0,
                    0,
                    t("the file is larger than {limit} bytes", limit=limit),
                    t("is it the right file? Settings files are small"),
                ),
            )
        )
    return data


def read_text(path: Path, *, limit: int = MAX_BYTES) -> str:
    """Read and `decode` a whole text file. Raises UsageError, and FileProblems when it is no text."""
    return decode(read_bytes(path, limit=limit), str(path))


def decode(data: bytes, file: str) -> str:
    """Turn the bytes of a text file into text: UTF-8, or UTF-16/32 as Windows tools save them, byte order mark dropped.

    Raises FileProblems when the bytes are not text or in another encoding; nothing is guessed.
    """
    encoding = next((name for bom, name in _BOMS if data.startswith(bom)), "") or _without_bom(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        problem = Problem(
            file,
            line,
            0,
            t("the file is not {encoding} text", encoding=encoding.upper().removesuffix("-SIG")),
            t("save it as UTF-8 in your editor; a binary file cannot be read here"),
        )
        raise FileProblems((problem,)) from error
    at = text.find("\0")
    if at >= 0:
        line = text.count("\n", 0, at) + 1
        message = t("this is a binary file, not text")
        raise FileProblems((Problem(file, line, 0, message, t("name the text file that your ground station saved")),))
    return text


def _without_bom(data: bytes) -> str:
    """Name the encoding of data without a mark: UTF-16 text in Latin letters has a zero in every second byte."""
    head = data[:400]
    pairs = len(head) // 2
    if pairs and not len(data) % 2:
        if head[1::2].count(0) > pairs * 0.6 and 0 not in head[0::2]:
            return "utf-16-le"
        if head[0::2].count(0) > pairs * 0.6 and 0 not in head[1::2]:
            return "utf-16-be"
    return "utf-8"


def lines_of(text: str) -> list[str]:
    """Split at LF, CRLF and CR only, so that line numbers agree with editors; no empty last line."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return lines


def is_html(text: str) -> bool:
    """Whether the text is a web page: a saved error page is a common "parameter file" (ArduPilot issue 8304)."""
    head = text[:2000].lstrip().lower()
    return head.startswith(("<!doctype html", "<html")) or "<html" in head


def write_atomic(path: Path, data: str | bytes) -> None:
    """Write a file so that it is old or new after a crash or power cut, and on disk when this returns.

    The data goes to a temporary file beside it, is synced, and renamed over it; the folder is synced where the system
    can. Text is written as UTF-8 with its line ends untouched. Raises StateError (full disk, no permission).
    """
    raw = data.encode() if isinstance(data, str) else data
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        try:
            _write_synced(temporary, raw)
            temporary.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise
        _sync_folder(path.parent)
    except OSError as error:
        hint = _WRITE_HINTS.get(error.errno or 0, "check the disk and choose another folder if need be")
        message = t("cannot write {path}: {why}", path=path, why=error.strerror or error)
        raise StateError(message, hint=t(hint)) from error


def _write_synced(path: Path, raw: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(path, flags, 0o666), "wb") as file:
        file.write(raw)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable. Windows cannot open folders, and some network disks refuse to sync them."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)
