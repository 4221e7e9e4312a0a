"""Stop requests are honoured where it is safe."""

from __future__ import annotations

import os
import signal

import pytest

from dronekit_cfg.engine.interrupt import Stop
from dronekit_cfg.errors import Interrupted


def test_without_a_request_nothing_happens() -> None:
    Stop().check()


def test_a_request_stops_unshielded_work() -> None:
    stop = Stop()
    stop.ask()
    with pytest.raises(Interrupted):
        stop.check()


def test_a_rollback_finishes_although_the_stop_was_asked_for() -> None:
    stop = Stop()
    stop.ask()
    with stop.shield():
        stop.check()


def test_a_first_request_during_a_rollback_waits_for_its_end() -> None:
    stop = Stop()
    with stop.shield():
        stop.ask()
        stop.check()
    with pytest.raises(Interrupted):
        stop.check()


def test_a_second_request_breaks_the_shield() -> None:
    stop = Stop()
    stop.ask()
    with stop.shield():
        stop.ask()
        with pytest.raises(Interrupted):
            stop.check()


def test_signals_become_requests_and_the_old_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    stop = Stop()
    with stop.on_signals():
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.asked
    assert signal.getsignal(signal.SIGINT) is before
