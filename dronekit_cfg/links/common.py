"""What all links share: the context manager, opening again, and turning the system's errors into ours."""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from dronekit_cfg.errors import DronekitError, LinkLost, LinkOpenError
from dronekit_cfg.text import t

__all__ = ["BaseLink", "lost_error", "not_open", "open_error", "opening", "using"]


class BaseLink(ABC):
    """The parts of `links.base.Link` that are the same everywhere.

    `with` opens and closes; `open` on an open link does nothing, so that `with make_link(...) as link` and a caller
    that opened by hand both work.
    """

    def __init__(self, url: str, baud: int = 0) -> None:
        self.url = url
        self.place = ""
        self.baud = baud

    @abstractmethod
    def open(self) -> None:
        """Open; raises `LinkOpenError` with a hint per cause."""

    @abstractmethod
    def read(self, timeout: float) -> bytes:
        """Give the bytes that are there, waiting at most `timeout` seconds for the first."""

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Send all of `data`."""

    @abstractmethod
    def close(self) -> None:
        """Close; never raises, may be called twice."""

    def set_baud(self, baud: int) -> bool:  # noqa: ARG002 - links with a speed take it as theirs
        """Say that this link has no speed that we can change."""
        return False

    def reopen(self) -> None:
        """Close and open again."""
        self.close()
        self.open()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def not_open(url: str) -> LinkLost:
    """Make the error of a link that is used before it was opened or after it was closed."""
    return LinkLost(t("{url} is not open", url=url), hint=t("open the link first"))


def _causes() -> tuple[tuple[frozenset[int], str, str], ...]:
    """Give errno numbers, what they mean to a user, and the remedy."""
    return (
        (
            frozenset({errno.ECONNREFUSED}),
            t("nothing listens there"),
            t("start the vehicle or simulator first, or check host and port"),
        ),
        (
            frozenset({errno.EADDRINUSE}),
            t("the port is already in use on this machine"),
            t("close the ground station or simulator that listens on it, or choose another port"),
        ),
        (
            frozenset({errno.EADDRNOTAVAIL}),
            t("the address does not belong to this machine"),
            t("listen on one of this machine's own addresses, or leave the address out: udp:14550"),
        ),
        (
            frozenset({errno.EACCES, errno.EPERM}),
            t("permission denied"),
            t("choose a port above 1023, and check the firewall"),
        ),
        (
            frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN}),
            t("there is no route to the host"),
            t("check the network: is this machine in the vehicle's WiFi or subnet?"),
        ),
        (
            frozenset({errno.ETIMEDOUT}),
            t("the host does not answer"),
            t("check address, power and network of the vehicle"),
        ),
        (
            frozenset({errno.EMFILE, errno.ENFILE}),
            t("this machine has too many open files"),
            t("close other links, or raise the limit (ulimit -n)"),
        ),
    )


def _explain(error: BaseException) -> tuple[str, str]:
    """Give cause and remedy of a system error in the user's words; the remedy is "" when none is known."""
    import socket

    if isinstance(error, socket.gaierror | socket.herror | UnicodeError):
        return t("the host name is not known"), t("check the spelling, or use the IP address")
    if isinstance(error, TimeoutError):
        error = OSError(errno.ETIMEDOUT, "")
    number = getattr(error, "errno", None)
    for numbers, cause, hint in _causes():
        if number in numbers:
            return cause, hint
    return str(error) or type(error).__name__, ""


def open_error(url: str, error: BaseException) -> LinkOpenError:
    """Turn what the system said at opening into our error."""
    cause, hint = _explain(error)
    return LinkOpenError(
        t("cannot open {url}: {cause}", url=url, cause=cause),
        hint=hint or t("check the link URL, and that nothing else uses it"),
    )


def lost_error(url: str, error: BaseException | str) -> LinkLost:
    """Turn what the system said while reading or writing into our error."""
    cause = error if isinstance(error, str) else (str(error) or type(error).__name__)
    return LinkLost(
        t("{url} was lost: {cause}", url=url, cause=cause),
        hint=t("check cable, power and network, then run the command again"),
    )


@contextmanager
def opening(url: str) -> Iterator[None]:
    """Map every system error inside to `LinkOpenError`."""
    try:
        yield
    except DronekitError:
        raise
    except (OSError, ValueError, EOFError, OverflowError) as error:
        raise open_error(url, error) from error


@contextmanager
def using(url: str) -> Iterator[None]:
    """Map every system error inside to `LinkLost`."""
    try:
        yield
    except DronekitError:
        raise
    except (OSError, ValueError, EOFError) as error:
        raise lost_error(url, error) from error
