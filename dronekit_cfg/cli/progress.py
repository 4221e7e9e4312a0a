"""Shows events while work goes on: a bar on a terminal, one line for each stage elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from dronekit_cfg.events import Event, Note, Progress, Stage, VehicleText
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from dronekit_cfg.cli.output import ProgressView

__all__ = ["BarView", "LineView", "make_view"]

LOUDEST_HIDDEN = 5
"""Texts of the vehicle from this syslog severity on (notice, info, debug) are not shown: a boot sends a dozen."""


def make_view(stream: TextIO) -> ProgressView:
    """Give the view that fits the stream."""
    return BarView(stream) if stream.isatty() else LineView(stream)


LONGEST = 200
"""A stage that names forty reasons is cut here; the receipt has them all."""


def _clipped(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 4].rstrip() + " ..."


class _Texts:
    """Turns notes and texts of the vehicle into lines; a text that repeats is said once."""

    def __init__(self) -> None:
        self._said: set[str] = set()

    def line(self, event: Event) -> str:
        """Give the line for `event`, or "" for none."""
        if isinstance(event, Note):
            text = _clipped(event.text)
            return t("warning: {text}", text=text) if event.level == "warning" else text
        if isinstance(event, VehicleText) and event.severity < LOUDEST_HIDDEN and event.text not in self._said:
            self._said.add(event.text)
            return t("vehicle says: {text}", text=event.text)
        return ""


class LineView:
    """One line for each stage; for logs, pipes and CI."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._texts = _Texts()

    def __call__(self, event: Event) -> None:
        """Write the line of a stage, note or text; progress within a stage is not shown."""
        line = f"- {_clipped(event.text)}" if isinstance(event, Stage) else self._texts.line(event)
        if line:
            self._stream.write(line + "\n" if isinstance(event, Stage) else f"  {line}\n")
            self._stream.flush()

    def settle(self) -> None:
        """Nothing to clear."""

    def finish(self, *, ok: bool) -> None:
        """Nothing to end."""
        del ok


class BarView:
    """A bar for the running stage, and a tick for each finished one."""

    def __init__(self, stream: TextIO) -> None:
        from dronekit_cfg.cli.render import glyphs_of, make_console

        self._console = make_console(stream)
        self._glyphs = glyphs_of(self._console)
        self._texts = _Texts()
        self._stage = ""
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def __call__(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, Stage):
            self._tick()
            self._stage = _clipped(event.text)
            self._start()
        elif isinstance(event, Progress):
            bar = self._start()
            if self._task is not None:
                bar.update(self._task, completed=event.done, total=event.total or None)
        else:
            line = self._texts.line(event)
            if line:
                warn = isinstance(event, VehicleText) or (isinstance(event, Note) and event.level == "warning")
                self._console.print(f"    {line}", style="yellow" if warn else "dim", markup=False)

    def _start(self) -> Bar:
        from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn
        from rich.progress import Progress as Bar

        if self._bar is None:
            self._bar = Bar(
                SpinnerColumn(self._glyphs.spinner),
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=24),
                MofNCompleteColumn(),
                console=self._console,
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task(self._stage, total=None)
        return self._bar

    def _tick(self, *, ok: bool = True) -> None:
        """End the running stage with a tick, or a cross."""
        self._clear()
        if self._stage:
            mark, style = (self._glyphs.good, "green") if ok else (self._glyphs.bad, "red")
            self._console.print(f"  [{style}]{mark}[/]", end=" ")
            self._console.print(self._stage, markup=False)
            self._stage = ""

    def settle(self) -> None:
        """Tick the running stage and take the bar away; the next event brings it back."""
        self._tick()

    def _clear(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
            self._task = None

    def finish(self, *, ok: bool) -> None:
        """Tick the last stage and take the bar away."""
        self._tick(ok=ok)
