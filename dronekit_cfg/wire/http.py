"""As much of HTTP/1.1 as the web page of a radio module needs, without I/O: one request, one answer, then the end."""

from __future__ import annotations

import re
from dataclasses import dataclass

from dronekit_cfg.wire.decoder import Decoder

__all__ = ["END", "HttpCodec", "Response", "request"]

END = b"\0dronekit-cfg: the server has closed\0"
"""What a link gives as the last piece of an answer: no HTTP message holds it."""
LONGEST = 1 << 18
_STATUS = re.compile(r"HTTP/1\.\S* (\d{3})(?!\d)")
_SIZE = re.compile(r"[0-9]{1,9}")
_CHUNK = re.compile(rb"[0-9A-Fa-f]{1,8}")


@dataclass(frozen=True, slots=True)
class Response:
    """One answer: its status and body."""

    status: int
    body: bytes


def request(method: str, path: str, host: str, body: bytes = b"", *, kind: str = "application/json") -> bytes:
    """Give a request; the answer ends with the connection."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
    if body or method == "POST":
        lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


class HttpCodec(Decoder[Response]):
    """A `talk.flow.Codec` of `Response`. An answer that is cut short is given with the status 0."""

    def receive_data(self, data: bytes) -> None:
        """Take bytes as they came; what is longer than any page of a module is cut short."""
        self._buffer += data
        ended = self._buffer.endswith(END)
        if ended:
            del self._buffer[-len(END) :]
        del self._buffer[LONGEST:]
        found = self._read(ended=ended)
        if found is not None:
            self._events.append(found)
            self._buffer.clear()

    def _read(self, *, ended: bool) -> Response | None:
        head, gap, body = bytes(self._buffer).partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        status = _STATUS.match(lines[0])
        if not gap or status is None or len(self._buffer) >= LONGEST:
            return Response(0, b"") if ended else None
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        if fields.get("transfer-encoding", "").lower() == "chunked":
            whole = _unchunked(body)
        elif _SIZE.fullmatch(fields.get("content-length", "")):
            size = int(fields["content-length"])
            whole = body[:size] if len(body) >= size else None
        else:
            whole = body if ended else None
        if whole is not None:
            return Response(int(status[1]), whole)
        return Response(0, b"") if ended else None


def _unchunked(body: bytes) -> bytes | None:
    """Join the chunks of a body; None while the last one is missing."""
    found = b""
    while True:
        size, gap, body = body.partition(b"\r\n")
        digits = size.partition(b";")[0].strip()
        if not gap or not _CHUNK.fullmatch(digits):
            return None
        length = int(digits, 16)
        if not length:
            return found
        if len(body) < length + 2:
            return None
        found, body = found + body[:length], body[length + 2 :]
