"""As much of HTTP/1.1 as the web page of a radio module needs, without I/O: one request, one answer, then the end."""

from __future__ import annotations

from dataclasses import dataclass

from dronekit_cfg.wire.decoder import Decoder

__all__ = ["END", "HttpCodec", "Response", "request"]

END = b"\0dronekit-cfg: the server has closed\0"
"""What a link gives as the last piece of an answer: no HTTP message holds it."""
LONGEST = 1 << 18


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
        """Take bytes as they came."""
        self._buffer += data
        del self._buffer[LONGEST:]
        ended = self._buffer.endswith(END)
        if ended:
            del self._buffer[-len(END) :]
        found = self._read(ended=ended)
        if found is not None:
            self._events.append(found)
            self._buffer.clear()

    def _read(self, *, ended: bool) -> Response | None:
        head, gap, body = bytes(self._buffer).partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        words = lines[0].split()
        if not gap or len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdecimal():
            return Response(0, b"") if ended else None
        fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        if fields.get("transfer-encoding", "").lower() == "chunked":
            whole = _unchunked(body)
            return Response(int(words[1]), whole) if whole is not None else Response(0, b"") if ended else None
        size = fields.get("content-length", "")
        if size.isdecimal():
            if len(body) >= int(size):
                return Response(int(words[1]), body[: int(size)])
            return Response(0, b"") if ended else None
        return Response(int(words[1]), body) if ended else None


def _unchunked(body: bytes) -> bytes | None:
    """Join the chunks of a body; None while the last one is missing."""
    found = b""
    while True:
        size, gap, body = body.partition(b"\r\n")
        try:
            length = int(size.split(b";")[0], 16)
        except ValueError:
            return None
        if not gap or len(body) < length + 2:
            return found if gap and not length else None
        if not length:
            return found
        found, body = found + body[:length], body[length + 2 :]
