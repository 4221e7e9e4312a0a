"""Answers of a small web server, cut at any byte, in the three ways in which RFC 9112 ends them."""

from __future__ import annotations

import pytest

from dronekit_cfg.wire.http import END, LONGEST, HttpCodec, Response, request

SIZED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n" + b'{"a":1}'
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b'3;x=y\r\n{"a\r\n4\r\n":1}\r\n0\r\n\r\n'
UNTIL_CLOSED = b'HTTP/1.0 404 Not Found\r\n\r\n{"a":1}'


def answers(*pieces: bytes) -> list[Response]:
    codec, found = HttpCodec(), []
    for piece in pieces:
        codec.receive_data(piece)
        while (event := codec.next_event()) is not None:
            found.append(event)
    return found


@pytest.mark.parametrize(("data", "status"), [(SIZED, 200), (CHUNKED, 200), (UNTIL_CLOSED, 404)])
def test_an_answer_is_read_whole_wherever_it_is_cut(data: bytes, status: int) -> None:
    for cut in range(1, len(data)):
        assert answers(data[:cut], data[cut:], END)[0] == Response(status, b'{"a":1}')


@pytest.mark.parametrize("data", [SIZED, CHUNKED])
def test_an_answer_that_the_server_cuts_short_is_none(data: bytes) -> None:
    assert answers(data[:-9], END) == [Response(0, b"")]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xfd\x09\x00\x00",
        b"SSH-2.0-x\r\n\r\n",
        b"HTTP/1.1 20 OK\r\n\r\n",
        b"HTTP/1.1 " + b"2" * 5000 + b" OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabcdefgh\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1_0\r\nabcdefghijklmnop\r\n0\r\n\r\n",
    ],
)
def test_what_is_no_answer_is_told_as_none_when_the_server_closes(data: bytes) -> None:
    assert answers(data, END) == [Response(0, b"")]


def test_a_size_that_no_page_has_is_no_size() -> None:
    body = b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n{}"
    assert answers(body, END) == [Response(200, b"{}")]


def test_an_answer_longer_than_any_page_is_none_and_takes_no_memory() -> None:
    codec = HttpCodec()
    for _ in range(100):
        codec.receive_data(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 4096)
        assert len(codec._buffer) <= LONGEST
    codec.receive_data(END)
    assert codec.next_event() == Response(0, b"")


def test_a_request_says_its_size_and_that_the_connection_ends_with_it() -> None:
    assert request("POST", "/a", "module", b"{}") == (
        b"POST /a HTTP/1.1\r\nHost: module\r\nConnection: close\r\nContent-Type: application/json\r\n"
        b"Content-Length: 2\r\n\r\n{}"
    )
    assert request("GET", "/a", "module") == b"GET /a HTTP/1.1\r\nHost: module\r\nConnection: close\r\n\r\n"
