"""A plan as a person judges it: what changes from what to what, why, who asked for it, and which reboots it takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from dronekit_cfg.cli.render import (
    WIDE,
    Glyphs,
    bullets,
    facts,
    findings_view,
    glyphs_of,
    identity_rows,
    left_out_text,
    plural,
    some,
)
from dronekit_cfg.model import Change, Finding, Phase, Plan, Spec, StepKind, Value
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

__all__ = ["change_from", "change_to", "changes_view", "plan_summary", "plan_view", "profile_files"]

SNAPSHOT_LAYER = "snapshot"
"""The layer of all values of a restore; saying it for each of them would be noise."""

_TITLES = {
    Phase.ROOT: t("Before all: settings that give others new defaults"),
    Phase.ENABLE: t("First: settings that make others appear"),
    Phase.SET: t("Then: everything else"),
    Phase.LINK: t("Last: settings that can cut this link"),
}


def plan_summary(plan: Plan, waiting: Sequence[Finding] = ()) -> str:
    """Say in one line what an apply would do; `waiting` are warnings that nobody accepted yet."""
    if plan.errors:
        return t("{errors}: this plan cannot be applied", errors=plural(len(plan.errors), t("error"), t("errors")))
    text = t("nothing to do: the vehicle already is as wanted")
    if plan.changes:
        text = t(
            "{changes}, {reboots}",
            changes=plural(len(plan.changes), t("setting changes"), t("settings change")),
            reboots=plural(plan.reboots, t("reboot"), t("reboots")),
        )
    elif plan.left_out:
        text = t("nothing to write")
    text = left_out_text(text, plan.left_out)
    if not waiting:
        return text
    ids = " ".join(f"--accept {i}" for i in dict.fromkeys(f.id for f in waiting))
    return t("{text}; warnings to mend, or to accept: {ids}", text=text, ids=ids)


def change_from(change: Change, spec: Spec | None) -> str:
    """Say what a setting is now."""
    if change.old is None:
        if change.appears_after:
            return t("hidden until {name} is set", name=change.appears_after)
        return t("not shown yet")
    return _describe(spec, change.name, change.old)


def change_to(change: Change, spec: Spec | None) -> str:
    """Say what a setting becomes; of a bitmask that had bits before, only what is added and dropped."""
    facts_of = spec.get(change.name) if spec else None
    old, new = change.old, change.wanted
    if facts_of is None or not facts_of.bits or old is None or isinstance(old.raw, str) or isinstance(new.raw, str):
        return _describe(spec, change.name, new)
    before, after = int(old.raw), int(new.raw)
    if before <= 0 or after <= 0:
        return _describe(spec, change.name, new)
    words = [
        word.format(names=", ".join(names))
        for word, bits in ((t("adds {names}"), after & ~before), (t("drops {names}"), before & ~after))
        if (names := [facts_of.bits.get(b, t("bit {number}", number=b)) for b in range(32) if bits & (1 << b)])
    ]
    return f"{new} ({'; '.join(words)})"


def _describe(spec: Spec | None, name: str, value: Value) -> str:
    return spec.get(name).describe(value) if spec else str(value)


def plan_view(
    plan: Plan, spec: Spec | None, console: Console, *, first: int = 0, brief: bool = False
) -> list[RenderableType]:
    """Give the parts of the picture, top to bottom, to be printed one after the other.

    `first` cuts the changes, `brief` leaves out changes and steps.
    """
    from rich.text import Text

    glyphs = glyphs_of(console)
    profile = Text(plan.profile)
    if plan.profile_digest:
        profile.append(f"  {_short(plan.profile_digest)}", style="dim")
    rows: list[tuple[str, str | Text]] = [
        *identity_rows(plan.identity),
        (t("profile"), profile),
        (t("from"), ", ".join(profile_files(plan))),
        (t("checked by"), plan.spec),
    ]
    parts: list[RenderableType] = [facts(rows, indent=0)]
    if not brief:
        parts += _changes(plan, spec, console, plan.changes[:first] if first else plan.changes)
    parts += _remarks(plan, glyphs)
    if plan.findings:
        parts += [Text(""), Text(t("To be judged"), style="bold"), findings_view(plan.findings)]
    if plan.steps and not brief:
        parts += [Text(""), Text(t("Steps"), style="bold"), *_steps(plan)]
    return parts


def profile_files(plan: Plan) -> tuple[str, ...]:
    """Give the profile files that have a part in the plan; shipped ones by their place in the library."""
    from pathlib import Path

    from dronekit_cfg.formats.shipped import shipped

    library = shipped("profiles")
    files = dict.fromkeys(Path(w.origin.file) for w in plan.wanted if w.origin.line)
    return tuple(f.relative_to(library).as_posix() if f.is_relative_to(library) else str(f) for f in files)


def _changes(plan: Plan, spec: Spec | None, console: Console, shown: Sequence[Change]) -> list[RenderableType]:
    from rich.text import Text

    parts: list[RenderableType] = []
    for phase in Phase:
        changes = [c for c in shown if c.phase is phase]
        count = sum(c.phase is phase for c in plan.changes)
        if changes:
            title = _TITLES[phase] if count < len(plan.changes) else t("What changes")
            parts += [Text(""), Text(f"{title} ({count})", style="bold"), Text("")]
            parts += changes_view(changes, spec, console)
    if len(shown) < len(plan.changes):
        parts.append(Text(t("  ... and {count} more", count=len(plan.changes) - len(shown)), style="dim"))
    if any(c.reboot for c in shown):
        mark = glyphs_of(console).reboot
        parts += [Text(""), Text(t("{mark} takes effect after a reboot", mark=mark), style="dim")]
    return parts


def _short(digest: str) -> str:
    kind, _, value = digest.partition(":")
    return f"{kind}:{value[:12]}" if value else digest[:12]


def changes_view(changes: Sequence[Change], spec: Spec | None, console: Console) -> list[RenderableType]:
    """Give each change with its reason: one table on a wide console, two lines for each change on a narrow one."""
    glyphs = glyphs_of(console)
    return _wide(changes, spec, glyphs) if console.width >= WIDE else _narrow(changes, spec, console, glyphs)


def _why(change: Change, glyphs: Glyphs) -> str:
    layer = change.origin.layer if change.origin else ""
    if not change.because and layer == SNAPSHOT_LAYER:
        return ""
    return f" {glyphs.dot} ".join(part for part in (change.because, layer) if part)


def _narrow(changes: Sequence[Change], spec: Spec | None, console: Console, glyphs: Glyphs) -> list[RenderableType]:
    """Two lines for each change: what, and below it why."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    name_width = max(16, *(len(c.name) for c in changes))
    mark_width = max(len(glyphs.reboot), 1)
    rest = max(20, console.width - 2 - name_width - 2 - len(glyphs.arrow) - 4 - mark_width - 1)
    parts: list[RenderableType] = []
    for change in changes:
        before, after = change_from(change, spec), change_to(change, spec)
        left = _left_width(before, after, rest)
        row = Table.grid(padding=0)
        for width in (2, name_width + 2, left, len(glyphs.arrow) + 2, rest - left, mark_width + 1):
            row.add_column(width=width, overflow="fold")
        row.add_row(
            "",
            Text(change.name, style="bold"),
            Text(before, style="dim" if change.old is None else ""),
            Text(f" {glyphs.arrow} "),
            Text(after, style="green"),
            Text(f" {glyphs.reboot}" if change.reboot else "", style="yellow"),
        )
        parts.append(row)
        why = _why(change, glyphs)
        if why:
            parts.append(Padding(Text(why, style="dim"), (0, 0, 0, 6)))
    return parts


def _left_width(before: str, after: str, rest: int) -> int:
    """Share the space between old and new value: the old one gets half at most, unless the new one is short."""
    half = rest // 2
    if len(before) <= half:
        return max(len(before), min(14, half))
    return min(len(before), max(half, rest - len(after)))


def _wide(changes: Sequence[Change], spec: Spec | None, glyphs: Glyphs) -> list[RenderableType]:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    table.add_column(t("Setting"), style="bold", no_wrap=True)
    table.add_column(t("From"), ratio=3, overflow="fold")
    table.add_column(t("To"), ratio=4, overflow="fold", style="green")
    table.add_column("", style="yellow", no_wrap=True)
    table.add_column(t("Why"), ratio=5, overflow="fold")
    table.add_column(t("Layer"), overflow="fold", style="dim")
    for change in changes:
        table.add_row(
            change.name,
            Text(change_from(change, spec)),
            Text(change_to(change, spec)),
            glyphs.reboot if change.reboot else "",
            Text(change.because),
            Text(change.origin.layer if change.origin else ""),
        )
    return [Padding(table, (0, 0, 0, 2))]


def _remarks(plan: Plan, glyphs: Glyphs) -> list[RenderableType]:
    """Say what is not in the table: renamed, left alone, tried by name."""
    from rich.text import Text

    lines = list(plan.notes)
    if plan.missing:
        lines.append(
            t(
                "neither the vehicle nor the metadata knows {names}: tried by name, and all is undone when the vehicle"
                " does not know it either",
                names=", ".join(plan.missing),
            )
        )
    told = {f.name for f in plan.findings}
    silent = [name for name in plan.skipped if name not in told]
    if silent:
        lines.append(
            t(
                "{count} left alone (calibration, identity, statistics, read-only): {names}",
                count=plural(len(silent), t("setting"), t("settings")),
                names=some(silent),
            )
        )
    return [Text(""), Text(t("Good to know"), style="bold"), bullets(lines, glyphs)] if lines else []


def _steps(plan: Plan) -> list[RenderableType]:
    from rich.padding import Padding
    from rich.text import Text

    parts: list[RenderableType] = []
    for number, step in enumerate(plan.steps, start=1):
        text = Text(f"{number}. {_step_text(step.kind, len(step.names))}")
        if step.because:
            text.append(f" {step.because}", style="dim")
        parts.append(Padding(text, (0, 0, 0, 2)))
    return parts


def _step_text(kind: StepKind, names: int) -> str:
    if kind is StepKind.WRITE:
        return t("write {count}, each confirmed by the vehicle", count=plural(names, t("setting"), t("settings")))
    return t("reboot") if kind is StepKind.REBOOT else t("read everything back and compare")
