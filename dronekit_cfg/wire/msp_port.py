"""Decode a port that speaks MSP and, once `#` was sent to it, the text CLI: one codec with a switch."""

from __future__ import annotations

from dronekit_cfg.wire.msp import MspDecoder, MspFrame, Noise
from dronekit_cfg.wire.textcli import CliReply, CliText, TextCli

__all__ = ["PortCodec", "PortEvent"]

PortEvent = MspFrame | Noise | CliReply | CliText


class PortCodec:
    """`in_cli` says which of the two protocols the bytes are read as; a conversation switches it, bytes never do."""

    def __init__(self) -> None:
        self._msp = MspDecoder()
        self._cli = TextCli()
        self.in_cli = False

    def receive_data(self, data: bytes) -> None:
        """Take bytes as they came."""
        (self._cli if self.in_cli else self._msp).receive_data(data)

    def next_event(self) -> PortEvent | None:
        """Give the next event of the protocol that is switched on."""
        return self._cli.next_event() if self.in_cli else self._msp.next_event()

    def reset(self) -> None:
        """Forget everything half received and read MSP, as a vehicle does after a reboot."""
        self._msp.reset()
        self._cli.reset()
        self.in_cli = False

    def to_cli(self) -> None:
        """Read what comes as CLI text from now on."""
        self._msp.reset()
        self.in_cli = True

    def to_msp(self) -> None:
        """Read what comes as MSP from now on."""
        self._cli.reset()
        self.in_cli = False

    def give_up_half_frame(self) -> None:
        """Look for MSP frames behind a header that promised more than came (a deadline has passed)."""
        self._msp.give_up_half_frame()
