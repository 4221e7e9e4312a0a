"""Ask a u-blox receiver what it hears: jamming, spoofing, strength. What it does not know is left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from dronekit_cfg.errors import NoAnswer
from dronekit_cfg.talk.flow import Flow
from dronekit_cfg.talk.ubx_calls import UbxCalls
from dronekit_cfg.wire.ubx_messages import NAV_STATUS
from dronekit_cfg.wire.ubx_signals import (
    MON_HW,
    MON_RF,
    NAV_SAT,
    SEC_SIG,
    Band,
    Signals,
    parse_hw,
    parse_rf,
    parse_sat,
    parse_security,
    parse_spoofing,
)

__all__ = ["Heard", "SignalCalls"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Heard:
    """One look. `jamming` and `spoofing` are the worst states that were told; 0 says nothing."""

    bands: tuple[Band, ...]
    signals: Signals
    jamming: int
    spoofing: int


class SignalCalls:
    """The questions of one connection; a message that the receiver does not know is asked for once."""

    def __init__(self, calls: UbxCalls) -> None:
        self._calls = calls
        self._absent: set[tuple[int, int]] = set()

    def look(self) -> Flow[Heard]:
        """Ask for everything once. Raises NoAnswer when the receiver is silent."""
        status = yield from self._calls.poll(NAV_STATUS, size=16)
        bands = yield from self._ask(MON_RF, 4, parse_rf)
        if bands is None:
            bands = yield from self._ask(MON_HW, 60, parse_hw)
        signals = yield from self._ask(NAV_SAT, 8, parse_sat)
        jamming, spoofing = (yield from self._ask(SEC_SIG, 4, parse_security)) or (0, 0)
        return Heard(
            bands or (),
            signals or Signals(0, 0.0),
            max(jamming, *(b.state for b in bands or ()), 0),
            max(spoofing, parse_spoofing(status.payload)),
        )

    def _ask(self, kind: tuple[int, int], size: int, parse: Callable[[bytes], T]) -> Flow[T | None]:
        """Give what a message tells; None when the receiver does not know it, or tells it in a layout of its own."""
        if kind in self._absent:
            return None
        try:
            frame = yield from self._calls.poll_if_known(kind, size=size, tries=2, patience=0.6)
        except NoAnswer:  # outside of the class CFG, what is not known is answered by silence
            frame = None
        if frame is None:
            self._absent.add(kind)
            return None
        try:
            return parse(frame.payload)
        except ValueError:  # a later firmware tells it in another way: that says nothing, like silence
            return None
