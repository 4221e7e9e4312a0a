"""How `verify` tells what is not as wanted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dronekit_cfg.cli.render import (
    bullets,
    facts,
    findings_view,
    glyphs_of,
    headline,
    identity_rows,
    left_out_text,
    plural,
)
from dronekit_cfg.cli.render_plan import changes_view
from dronekit_cfg.model import Finding, Plan, Spec
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

__all__ = ["drift_data", "drift_view"]


def drift_data(plan: Plan) -> list[dict[str, Any]]:
    """Give each setting that is not as wanted, as plain data; `found` is null where the vehicle does not show it."""
    return [
        {
            "name": c.name,
            "found": c.old.raw if c.old is not None else None,
            "wanted": c.wanted.raw,
            "because": c.because,
            "layer": c.origin.layer if c.origin else "",
            "file": c.origin.file if c.origin else "",
            "line": c.origin.line if c.origin else 0,
        }
        for c in plan.changes
    ]


def drift_view(plan: Plan, spec: Spec | None, console: Console, judged: Sequence[Finding] = ()) -> list[RenderableType]:
    """Give the parts of the picture; the line that matters comes last. `judged` are the findings that count."""
    from rich.text import Text

    parts: list[RenderableType] = [
        facts([*identity_rows(plan.identity), (t("profile"), plan.profile), (t("checked by"), plan.spec)], indent=0),
        Text(""),
    ]
    if plan.changes:
        head = t("Found {arrow} wanted", arrow=glyphs_of(console).arrow)
        parts += [Text(head, style="bold"), Text(""), *changes_view(plan.changes, spec, console), Text("")]
    if plan.notes:
        parts += [bullets(plan.notes, glyphs_of(console)), Text("")]
    if plan.findings:
        parts += [findings_view(plan.findings), Text("")]
    parts.append(_last_line(plan, judged))
    return parts


def _last_line(plan: Plan, judged: Sequence[Finding]) -> RenderableType:
    problems = [
        text
        for count, text in (
            (len(plan.changes), plural(len(plan.changes), t("setting differs"), t("settings differ"))),
            (len(plan.missing), plural(len(plan.missing), t("setting is not known"), t("settings are not known"))),
            (len(judged), plural(len(judged), t("finding"), t("findings"))),
        )
        if count
    ]
    if problems:
        word = t("DRIFT") if plan.changes or plan.missing else t("FINDINGS")
        return headline(t("FAIL"), f"{word}: {', '.join(problems)}", good=False)
    count = plural(len(plan.wanted), t("setting"), t("settings"))
    if plan.left_out:
        text = t("AS ACCEPTED: {count} of the profile are as they should be", count=count)
        return headline(t("PASS"), left_out_text(text, plan.left_out), good=True)
    return headline(t("PASS"), t("AS WANTED: all {count} of the profile are as they should be", count=count), good=True)
