"""Where a verb's words go: the result to stdout (text or one JSON document), progress and questions to stderr."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, NoReturn, Protocol, Self, TextIO

from dronekit_cfg.cli.failures import write_error
from dronekit_cfg.errors import Interrupted, UsageError
from dronekit_cfg.events import Event, Note, Stage, VehicleText
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from dronekit_cfg.model import Vault

__all__ = ["Output", "ProgressView", "no_reader"]


class ProgressView(Protocol):
    """Something that shows events on stderr."""

    def __call__(self, event: Event) -> None:
        """Show one event."""

    def settle(self) -> None:
        """End the running stage well and clear the terminal for a question or a result."""

    def finish(self, *, ok: bool) -> None:
        """End the view; `ok` says whether the last stage came to its end."""


class Output:
    """The one way a verb speaks. Exactly one of `document` and `show` carries the result.

    `as_json`: stdout gets one JSON document and nothing else. `quiet`: no progress, no details. `yes`: no questions.
    """

    def __init__(self, *, as_json: bool = False, quiet: bool = False, yes: bool = False) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self.yes = yes
        self.stdout: TextIO = sys.stdout
        self.stderr: TextIO = sys.stderr
        self._view: ProgressView | None = None
        self._console: Console | None = None
        self._vault: Vault | None = None

    def hide(self, vault: Vault | None) -> None:
        """Let no text of a secret of `vault` through from now on, whatever brings it here."""
        self._vault = vault

    def _hidden(self, text: str) -> str:
        return self._vault.redact(text) if self._vault is not None else text

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._finish(ok=error is None)

    def run(self, body: Callable[[], int | None]) -> int:
        """Run a verb's body and give the exit code; errors are written where they belong."""
        try:
            code = body() or 0
        except (Exception, KeyboardInterrupt) as error:
            self._finish(ok=False)
            if hasattr(error, "format_message") or type(error).__name__ == "Exit":
                raise  # typer's own: the caller of the app reports it
            return write_error(error, as_json=self.as_json, stdout=self.stdout, stderr=self.stderr, hidden=self._hidden)
        self._finish(ok=True)
        return code

    def report(self, event: Event) -> None:
        """Show an event of the library as progress on stderr."""
        if self.quiet:
            return
        if self._view is None:
            from dronekit_cfg.cli.progress import make_view

            self._view = make_view(self.stderr)
        if self._vault is not None and isinstance(event, Stage | Note | VehicleText):
            event = replace(event, text=self._hidden(event.text))
        try:
            self._view(event)
        except (OSError, SystemExit):  # nobody reads stderr any more (rich exits then): the work must go on
            self.quiet = True

    def _finish(self, *, ok: bool) -> None:
        view, self._view = self._view, None
        if view is not None:
            with contextlib.suppress(OSError):
                view.finish(ok=ok)

    def document(self, command: str, code: int, **data: object) -> int:
        """Write the JSON document of the verb (with --json; nothing otherwise) and give back its exit code."""
        if self.as_json:
            import json

            self._finish(ok=True)
            whole = {"command": command, "exit_code": code, **data}
            self._write(json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
        return code

    def _write(self, text: str) -> None:
        """Write to stdout. A reader that went away (`| head`) must neither end the work nor change its exit code."""
        try:
            self.stdout.write(self._hidden(text))
            self.stdout.flush()
        except BrokenPipeError:
            self.stdout = sys.stdout = no_reader()

    @property
    def console(self) -> Console:
        """The console of stdout."""
        if self._console is None:
            from dronekit_cfg.cli.render import make_console

            self._console = make_console(self.stdout)
        return self._console

    def show(self, *parts: RenderableType) -> None:
        """Print parts of the result (without --json)."""
        if self.as_json:
            return
        if self._view is not None:
            self._view.settle()
        for part in parts:
            # Cells are padded to their width; a file or pipe needs no blanks at the ends of lines.
            with self.console.capture() as printed:
                self.console.print(part, crop=False)
            text = printed.get()
            self._write(text if self.console.is_terminal else "".join(f"{x.rstrip()}\n" for x in text.splitlines()))

    def detail(self, *parts: RenderableType) -> None:
        """Print parts that --quiet leaves out."""
        if not self.quiet:
            self.show(*parts)

    def write_text(self, text: str) -> None:
        """Print `text` as it is, without folding (file contents, lists for other programs)."""
        if not self.as_json:
            self._write(text if text.endswith("\n") else text + "\n")

    def say(self, text: str) -> None:
        """Say something beside the result, on stderr."""
        if not self.quiet:
            if self._view is not None:
                self._view.settle()
            with contextlib.suppress(BrokenPipeError):
                self.stderr.write(self._hidden(text) + "\n")

    def confirm(self, question: str) -> bool:
        """Ask y/N on the terminal; True at once with --yes. Raises UsageError where there is nobody to ask."""
        if self.yes:
            return True
        if self.as_json or not (sys.stdin.isatty() and self.stderr.isatty()):
            raise UsageError(
                t("this needs a yes, and there is no terminal to ask on; nothing was written"),
                hint=t("look at the plan first (`dronekit-cfg plan`), then add --yes"),
            )
        if self._view is not None:
            self._view.settle()
        with _signals_raise():
            self.stderr.write(t("{question} [y/N] ", question=question))
            self.stderr.flush()
            try:
                answer = sys.stdin.readline()
            except Interrupted:
                self.stderr.write("\n")
                raise
        return answer.strip().lower() in {"y", "yes", t("y"), t("yes")}


def no_reader() -> TextIO:
    """Give the stream that replaces one whose reader went away."""
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - it stays until the end of the program


@contextmanager
def _signals_raise() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end a question at once: the engine's handlers only note them down."""

    def stop(number: int, frame: FrameType | None) -> NoReturn:
        del number, frame
        raise Interrupted(t("stopped; nothing was written to the vehicle"))

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    kept = [(number, signal.signal(number, stop)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in kept:
            signal.signal(number, handler)
