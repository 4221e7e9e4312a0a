"""Turn an exception into what a person or a machine reads about it, and into the exit code."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TextIO

from dronekit_cfg.errors import DronekitError, FileProblems, Interrupted
from dronekit_cfg.text import t

__all__ = ["CRASH", "INTERRUPTED", "debugging", "error_document", "error_text", "exit_code_of", "write_error"]

CRASH = 70
"""Exit code for a mistake of ours (EX_SOFTWARE of sysexits.h); no documented outcome has it."""

INTERRUPTED = 130


def debugging() -> bool:
    """Whether DRONEKIT_CFG_DEBUG asks for tracebacks."""
    return os.environ.get("DRONEKIT_CFG_DEBUG", "") not in {"", "0"}


def exit_code_of(error: BaseException) -> int:
    """Give the documented exit code of any exception."""
    if isinstance(error, DronekitError):
        return error.exit_code
    if isinstance(error, KeyboardInterrupt):
        return INTERRUPTED
    # typer hides the classes of its usage errors; all of them can format themselves and know their code.
    if hasattr(error, "format_message"):
        return int(getattr(error, "exit_code", 2))
    return CRASH


def _message(error: BaseException) -> str:
    if isinstance(error, DronekitError):
        return error.message
    if isinstance(error, KeyboardInterrupt):
        return t("stopped")
    format_message = getattr(error, "format_message", None)
    if format_message is not None:
        return str(format_message()).rstrip(".")
    return t("internal error: {kind}: {error}", kind=type(error).__name__, error=error)


def _hint(error: BaseException) -> str:
    if isinstance(error, DronekitError):
        return error.hint
    if isinstance(error, KeyboardInterrupt):
        return ""
    if hasattr(error, "format_message"):
        context = getattr(error, "ctx", None)
        return t("`{command} --help` shows what there is", command=context.command_path if context else "dronekit-cfg")
    return t(
        "this is a mistake in dronekit-cfg: run it again with DRONEKIT_CFG_DEBUG=1 for the traceback, and report it;"
        " if a vehicle was being written, run `dronekit-cfg recover`"
    )


def error_document(error: BaseException) -> dict[str, object]:
    """Give the JSON document of an error."""
    detail: dict[str, object] = {
        "kind": type(error).__name__,
        "message": _message(error),
        "hint": _hint(error),
        "exit_code": exit_code_of(error),
    }
    if isinstance(error, FileProblems):
        detail["problems"] = [
            {"file": p.file, "line": p.line, "column": p.column, "message": p.message, "hint": p.hint}
            for p in error.problems
        ]
    return {"error": detail}


def error_text(error: BaseException) -> str:
    """Give the text of an error: what happened, where, and what to do; no line end at the end."""
    lines: list[str] = []
    if isinstance(error, FileProblems):
        lines += _problem_lines(error)
    else:
        word = t("stopped") if isinstance(error, KeyboardInterrupt) else t("error")
        message = _message(error)
        if isinstance(error, Interrupted) and message.startswith(word):
            lines.append(message)
        else:
            lines.append(message if message == word else f"{word}: {message}")
        if _hint(error):
            lines.append(t("  what to do: {hint}", hint=_hint(error)))
    return "\n".join(lines)


def _problem_lines(error: FileProblems) -> list[str]:
    """Give all problems of a file, each with its place and remedy; equal remedies are said once, at the end."""
    same = len({p.hint or error.hint for p in error.problems}) == 1
    lines = []
    for problem in error.problems:
        lines.append(t("error: {problem}", problem=problem))
        if problem.hint and not same:
            lines.append(t("  what to do: {hint}", hint=problem.hint))
    if same and error.hint:
        lines.append(t("  what to do: {hint}", hint=error.hint))
    if len(error.problems) > 1:
        lines.append(t("{count} problems; nothing was written", count=len(error.problems)))
    return lines


def write_error(
    error: BaseException, *, as_json: bool, stdout: TextIO, stderr: TextIO, hidden: Callable[[str], str] = str
) -> int:
    """Write the error where it belongs and give the exit code; `hidden` takes secrets out of a text."""
    if debugging() and not isinstance(error, KeyboardInterrupt):
        import traceback

        stderr.write(hidden("".join(traceback.format_exception(error))))
    if as_json:
        import json

        stdout.write(hidden(json.dumps(error_document(error), indent=2, ensure_ascii=False)) + "\n")
        stdout.flush()
    else:
        stderr.write(hidden(error_text(error)) + "\n")
    return exit_code_of(error)
