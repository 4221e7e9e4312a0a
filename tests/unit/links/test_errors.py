from __future__ import annotations

import errno
import importlib
import inspect
import pkgutil
import socket
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
import serial
from serial.serialutil import PortNotOpenError

from dronekit_cfg.errors import LinkError, LinkLost, LinkOpenError, UsageError
from dronekit_cfg.links.clock import RealClock
from dronekit_cfg.links.common import lost_error, open_error, opening, using
from dronekit_cfg.links.rfc2217 import Rfc2217Link
from dronekit_cfg.links.serial_port import SerialLink, serial_errors


def _serial_modules() -> Iterator[ModuleType]:
    """Give all modules of pyserial that can be imported on this system."""
    yield serial
    for info in pkgutil.walk_packages(serial.__path__, "serial."):
        if info.name.endswith("__main__"):
            continue
        try:
            yield importlib.import_module(info.name)
        except (ImportError, AttributeError, OSError):  # those of the other systems (Windows, Java, IronPython)
            continue


def _exception_classes() -> list[type[Exception]]:
    found: set[type[Exception]] = {OSError, TimeoutError, ConnectionResetError, BrokenPipeError}
    for module in _serial_modules():
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, Exception) and kind.__module__.startswith("serial"):
                found.add(kind)
    if "termios" in sys.modules:
        found.add(sys.modules["termios"].error)
    return sorted(found, key=lambda kind: kind.__name__)


def _make(kind: type[Exception]) -> Exception:
    return kind() if kind is PortNotOpenError else kind("something went wrong")


def test_the_walk_over_pyserial_finds_what_is_known_to_be_there() -> None:
    names = {kind.__name__ for kind in _exception_classes()}
    assert {"SerialException", "SerialTimeoutException", "PortNotOpenError"} <= names


class _Broken:
    """A port on which everything raises."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __getattr__(self, name: str) -> Any:
        raise self.error


@pytest.mark.parametrize("kind", _exception_classes(), ids=lambda kind: kind.__name__)
def test_every_exception_of_pyserial_becomes_ours(kind: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    error = _make(kind)

    def fail(*args: object, **kwargs: object) -> None:
        raise error

    monkeypatch.setattr(serial, "Serial", fail)
    monkeypatch.setattr(serial, "serial_for_url", fail)
    local = SerialLink("serial:x", "/dev/nothing", 115200, RealClock(), ports=lambda: (), holders=lambda _: ())
    remote = Rfc2217Link("rfc2217:x:1", "x", 1, 115200, RealClock())
    for link in (local, remote):
        with pytest.raises(LinkOpenError) as caught:
            link.open()
        assert caught.value.hint
        assert caught.value.__cause__ is error
        link._port = _Broken(error)  # type: ignore[assignment]  # stands in for a port
        with pytest.raises(LinkLost) as lost:
            link.read(0.01)
        assert lost.value.hint
        with pytest.raises(LinkLost):
            link.write(b"x")
        link.close()  # never raises


@pytest.mark.parametrize("kind", [NotImplementedError, ValueError, TypeError], ids=lambda kind: kind.__name__)
def test_what_pyserial_raises_besides_its_own_is_known(kind: type[Exception]) -> None:
    assert issubclass(kind, serial_errors())


_SYSTEM_ERRORS = [
    (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), "nothing listens there"),
    (OSError(errno.EADDRINUSE, "in use"), "already in use"),
    (OSError(errno.EADDRNOTAVAIL, "no"), "does not belong to this machine"),
    (PermissionError(errno.EACCES, "no"), "permission denied"),
    (OSError(errno.EHOSTUNREACH, "no"), "no route"),
    (OSError(errno.EMFILE, "no"), "too many open files"),
    (TimeoutError("timed out"), "does not answer"),
    (socket.gaierror(socket.EAI_NONAME, "no"), "host name is not known"),
    (UnicodeError("label too long"), "host name is not known"),
    (OSError(99999, "strange things"), "strange things"),
    (ValueError("bad"), "bad"),
]


@pytest.mark.parametrize(("error", "words"), _SYSTEM_ERRORS, ids=lambda value: str(value)[:30])
def test_system_errors_at_opening_are_explained_with_a_remedy(error: Exception, words: str) -> None:
    ours = open_error("tcp:x:1", error)
    assert words in ours.message
    assert ours.message.startswith("cannot open tcp:x:1")
    assert ours.hint
    assert ours.exit_code == 3


def _raise(error: Exception) -> None:
    raise error


def test_the_guards_map_system_errors_and_let_ours_pass() -> None:
    with pytest.raises(LinkOpenError), opening("x"):
        _raise(OSError("a"))
    with pytest.raises(LinkLost), using("x"):
        _raise(ConnectionResetError("a"))
    for guard in (opening, using):
        for ours in (UsageError("mine"), LinkError("mine")):
            with pytest.raises(type(ours)) as caught, guard("x"):
                _raise(ours)
            assert caught.value is ours
        with pytest.raises(ZeroDivisionError), guard("x"):  # a mistake of ours is not the link's fault
            _raise(ZeroDivisionError())


def test_a_lost_link_without_words_still_says_what_happened() -> None:
    assert "ConnectionResetError" in lost_error("x", ConnectionResetError()).message
