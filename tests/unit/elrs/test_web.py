"""The web page of a module in Wi-Fi mode: binding phrase and domain, and a phrase that is nowhere afterwards."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.engine.goals import goal_from_snapshot
from dronekit_cfg.engine.state import StateDir
from dronekit_cfg.engine.transaction import apply
from dronekit_cfg.errors import LinkGarbage, LinkOpenError, UsageError
from dronekit_cfg.families.elrs.web import phrase_uid
from dronekit_cfg.links.clock import VirtualClock
from dronekit_cfg.model import Origin, Result, Scalar, Vault, Wanted
from dronekit_cfg.planner.plan import Goal
from dronekit_cfg.wire.http import END, HttpCodec, Response, request

PHRASE_TEXT = "correct horse battery staple"
OLD_UID = [9, 8, 7, 6, 5, 4]


class Page:
    """The web page of one module, by Python's own server. `away` requests get no answer after a restart."""

    def __init__(self) -> None:
        self.options: dict[str, Any] = {"uid": OLD_UID, "domain": 1, "wifi-on-interval": 60, "custom": "stays"}
        self.config: dict[str, Any] = {"config": {"product_name": "Ranger Micro 2.4GHz", "version": "3.5.3"}}
        self.stored = dict(self.options)
        self.keeps = True
        self.away = 0
        self.asked: list[str] = []
        page = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if page.gone():
                    return
                page.asked.append(self.path)
                found = {"/config": page.config, "/options.json": page.options}.get(self.path)
                self.send_response(200 if found else 404)
                self.end_headers()
                self.wfile.write(json.dumps(found).encode())

            def do_POST(self) -> None:
                if page.gone():
                    return
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/options.json":
                    page.options = json.loads(body)
                    page.stored = dict(page.options) if page.keeps else page.stored
                elif self.path == "/reboot":
                    page.options = dict(page.stored)
                    page.away = 2
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def gone(self) -> bool:
        self.away = max(0, self.away - 1)
        return self.away > 0

    @property
    def url(self) -> str:
        return f"http:127.0.0.1:{self.server.server_port}"


@pytest.fixture
def page() -> Iterator[Page]:
    found = Page()
    thread = threading.Thread(target=found.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield found
    found.server.shutdown()
    found.server.server_close()
    thread.join(5)


def options(page: Page, root: Path, **secrets: str) -> LinkOptions:
    return LinkOptions(page.url, state_dir=root, vault=Vault(secrets), record=root.parent / "record.jsonl")


def goal(**values: Scalar) -> Goal:
    return Goal("t", "sha256:0", tuple(Wanted(n, v, Origin("t")) for n, v in values.items()))


def test_a_phrase_means_the_uid_that_expresslrs_makes_of_it() -> None:
    assert list(phrase_uid("test")) == [79, 4, 253, 130, 33, 85]  # vectors from the facts of this project
    assert list(phrase_uid("my binding phrase")) == [179, 198, 95, 64, 254, 121]
    assert phrase_uid("") == bytes(6)


def test_phrase_and_domain_are_written_proved_and_put_back_and_the_phrase_is_nowhere(
    page: Page, tmp_path: Path
) -> None:
    root = tmp_path / "state"
    with connect(options(page, root, bind=PHRASE_TEXT), clock=VirtualClock()) as connection:
        before = connection.snapshot()
        assert connection.identity.board == "Ranger Micro 2.4GHz"
        receipt = apply(connection, goal(Binding_Phrase="<secret:bind>", Domain="EU868"), StateDir(root))
        assert (receipt.result, receipt.problems) == (Result.DONE, ())
        assert receipt.persistence_verified
        assert page.stored["uid"] == list(phrase_uid(PHRASE_TEXT))
        assert (page.stored["domain"], page.stored["custom"], page.stored["customised"]) == (2, "stays", True)
        again = apply(connection, goal(Binding_Phrase="<secret:bind>", Domain="EU868"), StateDir(root))
        assert again.result is Result.UNCHANGED
        back = apply(connection, goal_from_snapshot(before, connection.identity), StateDir(root))
        assert (back.result, back.problems) == (Result.DONE, ())
        assert page.stored["uid"] == OLD_UID
    traces = [PHRASE_TEXT, phrase_uid(PHRASE_TEXT).hex(), str(list(phrase_uid(PHRASE_TEXT))), bytes(OLD_UID).hex()]
    hexed = [json.dumps(list(phrase_uid(PHRASE_TEXT))).encode().hex(), json.dumps(OLD_UID).encode().hex()]
    for file in [f for f in tmp_path.rglob("*") if f.is_file()]:
        text = file.read_text("utf-8", "replace")
        assert not [trace for trace in [*traces, *hexed] if trace in text], file.name


def test_a_module_that_keeps_nothing_is_found_out_by_its_restart(page: Page, tmp_path: Path) -> None:
    page.keeps = False
    with connect(options(page, tmp_path / "s"), clock=VirtualClock()) as connection:
        receipt = apply(connection, goal(Domain="EU868"), StateDir(tmp_path / "s"))
        assert receipt.result is Result.ROLLED_BACK
    assert page.stored["domain"] == 1


def test_a_phrase_in_a_profile_and_one_that_is_not_given_are_refused(page: Page, tmp_path: Path) -> None:
    with connect(options(page, tmp_path / "s"), clock=VirtualClock()) as connection:
        with pytest.raises(ValueError, match="secret"):
            connection.driver.coerce("Binding_Phrase", "plain text", None)
        with pytest.raises(UsageError, match="bind"):
            connection.driver.coerce("Binding_Phrase", "<secret:bind>", None)
        with pytest.raises(ValueError, match="Domain"):
            connection.driver.coerce("Domain", "EU900", None)


def test_another_web_page_and_none_are_told_apart(page: Page, tmp_path: Path) -> None:
    page.config = {"config": {}}
    with pytest.raises(LinkGarbage, match="no ExpressLRS"), connect(options(page, tmp_path), clock=VirtualClock()):
        pass
    with pytest.raises(LinkOpenError), connect(LinkOptions("http:127.0.0.1:1", state_dir=tmp_path)):
        pass


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nWiki\r\n5\r\npedia\r\n0\r\n\r\n"
"""The example of chunks that everybody uses."""


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (CHUNKED, Response(200, b"Wikipedia")),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", Response(404, b"no")),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end" + END, Response(200, b"until the end")),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort" + END, Response(0, b"")),
        (b"SSH-2.0-OpenSSH\r\n" + END, Response(0, b"")),
        (END, Response(0, b"")),
    ],
)
def test_answers_are_read_in_any_split_and_never_taken_for_whole_when_cut(
    data: bytes, answer: Response, size: int
) -> None:
    codec = HttpCodec()
    said = data.removesuffix(END)
    for start in range(0, len(said), size):
        codec.receive_data(said[start : start + size])
    if data.endswith(END):
        codec.receive_data(END)  # a piece of its own, as the link gives it
    assert codec.next_event() == answer
    assert codec.next_event() is None


def test_a_request_is_plain_http() -> None:
    assert request("GET", "/config", "module") == b"GET /config HTTP/1.1\r\nHost: module\r\nConnection: close\r\n\r\n"
    assert request("POST", "/x", "m", b"{}").endswith(b"Content-Length: 2\r\n\r\n{}")
