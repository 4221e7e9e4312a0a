"""What stderr shows while work goes on."""

from __future__ import annotations

import io

from dronekit_cfg.cli.output import Output
from dronekit_cfg.cli.progress import BarView, LineView, make_view
from dronekit_cfg.events import Event, Note, Progress, Stage, VehicleText

EVENTS: tuple[Event, ...] = (
    Stage("connect to sim:x"),
    Note("ardupilot copter 4.7"),
    Stage("write 3 settings"),
    Progress("settings written", 1, 3),
    Progress("settings written", 3, 3),
    VehicleText(6, "ArduCopter V4.7"),
    VehicleText(2, "PreArm: no GPS"),
    VehicleText(2, "PreArm: no GPS"),
    Note("link trouble", level="warning"),
)


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def test_a_log_gets_one_line_for_each_stage_and_no_bar() -> None:
    stream = io.StringIO()
    view = LineView(stream)
    for event in EVENTS:
        view(event)
    view.finish(ok=True)
    assert stream.getvalue().splitlines() == [
        "- connect to sim:x",
        "  ardupilot copter 4.7",
        "- write 3 settings",
        "  vehicle says: PreArm: no GPS",
        "  warning: link trouble",
    ]


def test_a_terminal_gets_a_bar_and_a_tick_for_each_finished_stage() -> None:
    stream = Terminal()
    view = BarView(stream)
    for event in EVENTS:
        view(event)
    view.finish(ok=True)
    text = stream.getvalue()
    assert "connect to sim:x" in text
    assert text.count("✓") == 2
    assert "✗" not in text


def test_a_stage_that_fails_gets_a_cross() -> None:
    stream = Terminal()
    view = BarView(stream)
    view(Stage("connect"))
    view.finish(ok=False)
    assert "✗" in stream.getvalue()
    assert "✓" not in stream.getvalue()


def test_an_endless_stage_text_is_cut() -> None:
    stream = io.StringIO()
    LineView(stream)(Stage("roll back: " + "x" * 5000))
    assert len(stream.getvalue()) < 250


def test_the_stream_decides_which_view() -> None:
    assert isinstance(make_view(io.StringIO()), LineView)
    assert isinstance(make_view(Terminal()), BarView)


def test_quiet_silences_progress() -> None:
    out = Output(quiet=True)
    out.stderr = io.StringIO()
    for event in EVENTS:
        out.report(event)
    out.say("hello")
    assert out.stderr.getvalue() == ""
