"""A link to a serial port of another machine (RFC 2217: ser2net, terminal servers, labgrid), by pyserial."""

from __future__ import annotations

from typing import ClassVar

from dronekit_cfg.links.base import Clock
from dronekit_cfg.links.common import open_error
from dronekit_cfg.links.serial_port import PortLink, serial_errors

__all__ = ["Rfc2217Link"]


class Rfc2217Link(PortLink):
    """The port behind `host`:`port`, set to `baud` there.

    Answers to control lines (DTR, RTS) are not waited for: ser2net does not send them for ports that have none.
    """

    _options: ClassVar[str] = "ign_set_control&timeout=3"

    def __init__(self, url: str, host: str, port: int, baud: int, clock: Clock) -> None:
        super().__init__(url, baud, clock)
        host = f"[{host}]" if ":" in host else host
        self.place = f"rfc2217-{host}-{port}"
        self._remote = f"rfc2217://{host}:{port}?{self._options}"

    def open(self) -> None:
        """Connect and set the remote port up; raises `LinkOpenError`."""
        if self._port is not None:
            return
        import serial

        try:
            # write_timeout is not known to rfc2217
            self._port = serial.serial_for_url(self._remote, baudrate=self.baud, timeout=0.02)
        except serial_errors() as error:
            raise open_error(self.url, error.__context__ or error) from error
