"""Find what makes a dump unfit for use: cut off, corrupted, saved twice, of another firmware, not a dump at all."""

from __future__ import annotations

from collections.abc import Iterator

from dronekit_cfg.errors import Problem
from dronekit_cfg.formats.cli_dump import Dump, Line, LineKind
from dronekit_cfg.model import Identity
from dronekit_cfg.text import t

__all__ = ["foreign", "problems"]


def problems(dump: Dump, file: str = "") -> tuple[Problem, ...]:
    """Give everything in `dump` for which it must be refused, in file order. Lines are counted from 1."""
    found = [
        Problem(file, number, column, message, hint)
        for number, line in enumerate(dump.lines, 1)
        for column, message, hint in _line_problems(line, dump)
    ]
    found += [Problem(file, number, 1, message, hint) for number, message, hint in _script_problems(dump)]
    if not dump.settings or not any(line.kind in _TELLING for line in dump.lines):
        message = t("this is no diff or dump of {title}", title=dump.dialect.title)
        found.insert(0, Problem(file, 1, 1, message, t("save the output of `diff all` or `dump all` as text")))
    return tuple(sorted(found, key=lambda p: p.line))


_TELLING = (LineKind.SET, LineKind.OBJECT, LineKind.FLAG, LineKind.SCOPE)


def _line_problems(line: Line, dump: Dump) -> Iterator[tuple[int, str, str]]:
    longest = dump.dialect.max_line
    if line.kind is LineKind.ERROR:
        hint = t("read the vehicle again; if the text stays, set the named setting on the vehicle and save")
        yield 1, t("the vehicle wrote an error into the dump: {text}", text=line.text.strip()), hint
        return
    if line.kind in (LineKind.COMMENT, LineKind.BLANK):
        return
    if len(line.text) > longest:
        hint = t("the vehicle would drop the rest of the line without a word: shorten it")
        message = t("the line has {length} characters, more than {longest}", length=len(line.text), longest=longest)
        yield longest + 1, message, hint
    for place, character in enumerate(line.text, 1):
        if not " " <= character <= "~" and character != "\t":
            hint = t("the vehicle's command line takes printable ASCII only")
            yield place, t("character {character!r} is not ASCII", character=character), hint
            break


def _script_problems(dump: Dump) -> Iterator[tuple[int, str, str]]:
    commands = dump.dialect.commands
    script = [(n, line.text.strip().lower()) for n, line in enumerate(dump.lines, 1) if line.kind in _ACTIVE]
    words = [text for _, text in script]
    saves = [number for number, text in script if text == commands["save"]]
    if len(saves) > 1:
        # After an error in a batch the first `save` is refused and ends the batch, and the second one then saves.
        yield saves[1], t("a second `save`"), t("leave one `save`, at the end: a second one would save past an error")
    if saves and saves[0] != script[-1][0]:
        yield saves[0], t("lines follow the first `save`"), t("a dump ends in `save`; take apart what was joined")
    if commands["batch_start"] in words and words[-1] not in (commands["save"], commands["batch_end"]):
        hint = t("read the vehicle again: a dump that was cut off lacks settings without showing it")
        yield len(dump.lines), t("the dump is cut off: it starts a batch and never ends it"), hint


_ACTIVE = tuple(kind for kind in LineKind if kind not in (LineKind.BLANK, LineKind.COMMENT, LineKind.ERROR))


def foreign(dump: Dump, identity: Identity) -> tuple[str, ...]:
    """Say in which ways `dump` comes from another kind of vehicle than `identity`; empty when it does not show."""
    header = dump.header
    if header is None:
        return ()
    found = []
    if header.family != identity.family:
        found.append(t("it is of {theirs}, the vehicle runs {ours}", theirs=header.family, ours=identity.family))
    elif header.version.split(".")[:2] != identity.version.split(".")[:2]:
        found.append(t("it was written by version {theirs}", theirs=header.version))
    if header.target.casefold() != identity.board.casefold():
        found.append(t("it is of board {theirs}, the vehicle is a {ours}", theirs=header.target, ours=identity.board))
    return tuple(found)
