"""A TCP port that takes the connection and says nothing: a simulator that hangs, told as such, in bounded time."""

from __future__ import annotations

from typing import Any

import pytest

from dronekit_cfg.engine import connection as module
from dronekit_cfg.engine.connection import LinkOptions, connect
from dronekit_cfg.errors import LinkGarbage, NoAnswer
from dronekit_cfg.links.clock import VirtualClock


class Silent:
    """A link on which `says` comes again and again, or nothing."""

    baud = 115200
    place = ""

    def __init__(self, url: str, clock: VirtualClock, says: bytes = b"") -> None:
        self.url, self.clock, self.says = url, clock, says

    def open(self) -> None: ...

    def reopen(self) -> None: ...

    def close(self) -> None: ...

    def write(self, data: bytes) -> None: ...

    def read(self, timeout: float) -> bytes:
        self.clock.sleep(max(timeout, 0.01))
        return self.says


def silent(monkeypatch: pytest.MonkeyPatch, url: str, family: str = "", says: bytes = b"") -> tuple[Any, float]:
    clock = VirtualClock()
    start = clock.now()
    monkeypatch.setattr(module, "open_link", lambda url, **_: Silent(url, clock, says))
    with pytest.raises((NoAnswer, LinkGarbage)) as caught, connect(LinkOptions(url, family=family), clock=clock):
        pass
    return caught.value, clock.now() - start


@pytest.mark.parametrize("family", ["", "betaflight", "inav", "ardupilot"])
@pytest.mark.parametrize("url", ["tcp:127.0.0.1:5761", "chaos+tcp:127.0.0.1:5761?loss=0.1"])
def test_a_silent_tcp_port_is_a_program_that_hangs(monkeypatch: pytest.MonkeyPatch, url: str, family: str) -> None:
    error, seconds = silent(monkeypatch, url, family)
    assert "took the connection and says nothing" in str(error)
    assert "ended and started again" in error.hint
    assert seconds < 30


def test_a_silent_serial_port_is_still_a_cable(monkeypatch: pytest.MonkeyPatch) -> None:
    error, _ = silent(monkeypatch, "serial:/dev/ttyACM0")
    assert "cable" in error.hint
    assert "simulator" not in error.hint


def test_bytes_that_make_no_sense_are_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    error, _ = silent(monkeypatch, "tcp:127.0.0.1:5761", says=b"$GNGGA,1,2,3*4B\r\n")
    assert isinstance(error, LinkGarbage)
