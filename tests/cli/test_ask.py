"""Questions on the terminal: answered, not answered in time, stopped, and on a terminal that was closed."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import IO, Any

import pytest

from dronekit_cfg.cli.ask import terminal_question
from dronekit_cfg.errors import Interrupted


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[IO[str]]:
    """Give the end of a pipe on which somebody types."""
    read, write = os.pipe()
    with os.fdopen(read, encoding="utf-8") as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        with os.fdopen(write, "w", encoding="utf-8", buffering=1) as typed:
            yield typed
        time.sleep(0.1)  # the thread that reads sees the end


def question(idle: Callable[[], None]) -> Callable[[str, float], str | None]:
    out: Any = SimpleNamespace(say=lambda _text: None)
    return terminal_question(out, idle)


def test_an_answer_is_given_without_its_line_end_and_the_vehicle_is_kept_company(keyboard: IO[str]) -> None:
    calls: list[float] = []

    def idle() -> None:
        calls.append(time.monotonic())
        if len(calls) == 3:
            keyboard.write("props off\r\n")
        time.sleep(0.02)

    assert question(idle)("take them off", 10) == "props off"
    assert len(calls) >= 3


def test_silence_is_no_answer_and_a_line_that_comes_late_answers_nothing(keyboard: IO[str]) -> None:
    ask = question(lambda: time.sleep(0.01))
    assert ask("one", 0.05) is None
    keyboard.write("late\n")
    time.sleep(0.1)
    assert ask("two", 0.05) is None


def test_a_stop_request_ends_the_question_at_once(keyboard: IO[str]) -> None:
    del keyboard

    def stopped() -> None:
        raise Interrupted("stopped on request")

    with pytest.raises(Interrupted):
        question(stopped)("go on?", 60)


def test_a_closed_terminal_answers_nothing_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    ask, start = question(lambda: time.sleep(0.01)), time.monotonic()
    assert ask("one", 30) is None
    assert ask("two", 30) is None
    assert time.monotonic() - start < 5
