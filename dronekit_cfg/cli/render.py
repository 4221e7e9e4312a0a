"""How results look: the console, the marks that every terminal can show, and small tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TextIO

from dronekit_cfg.text import t

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

    from dronekit_cfg.model import Finding, Identity, LeftOut

__all__ = [
    "WIDE",
    "Glyphs",
    "Verbatim",
    "bullets",
    "command_text",
    "facts",
    "findings_view",
    "glyphs_of",
    "headline",
    "identity_rows",
    "left_out_text",
    "make_console",
    "plural",
    "simple_table",
    "some",
]

WIDE = 110
"""From this many columns on, a plan is one table; below, each change has a second line."""


@dataclass(frozen=True, slots=True)
class Glyphs:
    """Marks of a console; the ASCII ones serve old Windows code pages and logs."""

    arrow: str
    good: str
    bad: str
    reboot: str
    dot: str
    bullet: str
    spinner: str
    rule: str


UNICODE = Glyphs(arrow="→", good="✓", bad="✗", reboot="↻", dot="·", bullet="•", spinner="dots", rule="─")
ASCII = Glyphs(arrow="->", good="ok", bad="X", reboot="R", dot="|", bullet="-", spinner="line", rule="-")


def make_console(stream: TextIO) -> Console:
    """Make a console on `stream`: colour only on a terminal without NO_COLOR, 80 columns where there is no terminal."""
    from rich.console import Console

    return Console(file=stream, highlight=False, emoji=False, markup=True)


def glyphs_of(console: Console) -> Glyphs:
    """Give the marks that the console's encoding can carry."""
    return UNICODE if console.encoding.lower().replace("-", "") in {"utf8", "utf16"} else ASCII


def headline(word: str, text: str, *, good: bool, warn: bool = False) -> RenderableType:
    """Give the line that is read at arm's length: PASS or FAIL, and what it means."""
    from rich.table import Table
    from rich.text import Text

    colour = "yellow" if warn else "green" if good else "red"
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column()
    grid.add_row(Text(f" {word} ", style=f"bold white on {colour}"), Text(text, style=f"bold {colour}"))
    return grid


class Verbatim(str):
    """A path or command: printed on one line however long it is, so that it can be copied."""

    __slots__ = ()


def facts(rows: Sequence[tuple[str, str | Text]], *, indent: int = 2) -> RenderableType:
    """Give name and value pairs, aligned; pairs without a value are left out, `Verbatim` values are never folded."""
    from rich.console import Group
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    width = max((len(name) for name, value in rows if value), default=0)
    parts: list[RenderableType] = []
    for name, value in rows:
        if isinstance(value, Verbatim):
            line = Text(" " * indent, no_wrap=True, overflow="ignore")
            parts.append(line.append(f"{name:<{width}}  ", style="dim").append(value))
        elif value:
            grid = Table.grid(padding=(0, 2, 0, 0))
            grid.add_column(style="dim", width=width)
            grid.add_column(overflow="fold")
            grid.add_row(name, Text(value) if isinstance(value, str) else value)
            parts.append(Padding(grid, (0, 0, 0, indent)))
    return Group(*parts)


def identity_rows(identity: Identity) -> list[tuple[str, str | Text]]:
    """Give the facts that tell one vehicle from another."""
    vehicle = f"{identity.family} {identity.vehicle}".strip()
    rows: list[tuple[str, str | Text]] = [
        (t("vehicle"), f"{vehicle} {identity.version_text or identity.version}"),
        (t("board"), identity.board),
        (t("uid"), identity.uid or t("none: this board has no serial number")),
    ]
    return rows


def simple_table(heads: Sequence[str], rows: Sequence[Sequence[str | Text]]) -> RenderableType:
    """Give a table without lines, that folds long cells."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for number, head in enumerate(heads):
        table.add_column(head, overflow="fold", no_wrap=number == 0)
    for row in rows:
        table.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in row))
    return table


def bullets(lines: Sequence[str], glyphs: Glyphs, *, indent: int = 2) -> RenderableType:
    """Give a list whose long items hang under their first word."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for line in lines:
        grid.add_row(glyphs.bullet, Text(line))
    return Padding(grid, (0, 0, 0, indent))


def plural(number: int, one: str, many: str) -> str:
    """Give a number with its noun."""
    return f"{number} {one if number == 1 else many}"


def some(names: Sequence[str], limit: int = 6) -> str:
    """Give the first names of a list, and how many more there are."""
    text = ", ".join(names[:limit])
    return text if len(names) <= limit else t("{names} and {more} more", names=text, more=len(names) - limit)


def left_out_text(text: str, left_out: Sequence[LeftOut]) -> str:
    """Add to a line that says how something ended what is not as it was wanted."""
    names = list(dict.fromkeys(left.name for left in left_out))
    return t("{text}. NOT as wanted: {names}", text=text, names=some(names)) if names else text


def command_text(*words: str) -> str:
    """Give a command as a user would type it, with the quotes that a shell needs."""
    import shlex

    return shlex.join(("dronekit-cfg", *words))


_STYLES = {"error": "bold red", "warning": "yellow", "info": "cyan"}


def findings_view(findings: Sequence[Finding]) -> RenderableType:
    """Give what the planner or a rule has to say, the worst first, each with its place and remedy."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    order = list(_STYLES)
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for finding in sorted(findings, key=lambda f: order.index(f.severity) if f.severity in order else len(order)):
        text = Text(finding.message)
        if (
            finding.id.isupper() or "-R" in finding.id
        ):  # rules can be explained; the planner's findings explain themselves
            text.append(f" [{finding.id}]", style="dim")
        if finding.remedy:
            text.append("\n" + t("what to do: {remedy}", remedy=finding.remedy))
        if finding.origin is not None and finding.origin.file:
            text.append(f"\n{_place(finding)}", style="dim")
        grid.add_row(Text(t(finding.severity), style=_STYLES.get(finding.severity, "")), text)
    return Padding(grid, (0, 0, 0, 2))


def _place(finding: Finding) -> str:
    origin = finding.origin
    assert origin is not None
    parts = [origin.file, *(str(n) for n in (origin.line, origin.column) if n)]
    return ":".join(parts)
