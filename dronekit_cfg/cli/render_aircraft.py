"""The plan, the drift and the receipt of a whole aircraft for a technician: device by device, then one line."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dronekit_cfg.cli.render import Verbatim, left_out_text, plural
from dronekit_cfg.cli.render_drift import drift_data, drift_view
from dronekit_cfg.cli.render_plan import plan_summary, plan_view
from dronekit_cfg.cli.render_receipt import outcome_view
from dronekit_cfg.formats.records import to_data
from dronekit_cfg.model import Finding, Plan, Result, Spec, Verdict
from dronekit_cfg.model.aircraft import AircraftPlan, AircraftReceipt, Part
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

__all__ = [
    "aircraft_drift",
    "aircraft_headline",
    "aircraft_plan_view",
    "aircraft_receipt_view",
    "aircraft_summary",
    "drift_parts",
    "part_heading",
]

_RESULTS = {
    Result.DONE: t("written and verified"),
    Result.UNCHANGED: t("not changed"),
    Result.ROLLED_BACK: t("rolled back, verified"),
    Result.IN_DOUBT: t("IN DOUBT"),
}


def part_heading(role: str, link: str) -> Text:
    """Give the line above what is said about one device."""
    from rich.text import Text

    name = t("flight controller") if role == "vehicle" else t("module {role}", role=role)
    return Text(f"== {name}  {link}", style="bold")


def aircraft_plan_view(
    plan: AircraftPlan, specs: Mapping[str, Spec | None], console: Console, *, first: int = 0, brief: bool = False
) -> list[RenderableType]:
    """Give the parts of the picture, in the order of the work."""
    from rich.text import Text

    parts: list[RenderableType] = []
    for part in plan.parts:
        parts += [part_heading(part.role, part.link)]
        parts += plan_view(part.plan, specs.get(part.role), console, first=first, brief=brief or not part.plan.changes)
        parts += [Text(plan_summary(part.plan)), Text("")]
    return parts


def aircraft_summary(plan: AircraftPlan) -> str:
    """Say in one line what an apply would do."""
    count = sum(len(part.plan.changes) for part in plan.parts)
    errors = sum(len(part.plan.errors) for part in plan.parts)
    if errors:
        return t("{errors}: this plan cannot be applied", errors=plural(errors, t("error"), t("errors")))
    left = [left for part in plan.parts for left in part.plan.left_out]
    if not count:
        return (
            left_out_text(t("nothing to write"), left)
            if left
            else t("nothing to do: the aircraft already is as wanted")
        )
    order = ", ".join(f"{part.role} {len(part.plan.changes)}" for part in plan.parts)
    text = t(
        "{changes}, in this order: {order}",
        changes=plural(count, t("setting changes"), t("settings change")),
        order=order,
    )
    return left_out_text(text, left)


def aircraft_drift(role: str, plan: Plan, findings: tuple[Finding, ...]) -> dict[str, Any]:
    """Give what `verify` found on one device, as plain data."""
    return {
        "role": role,
        "identity": to_data(plan.identity),
        "profile": plan.profile,
        "profile_digest": plan.profile_digest,
        "settings": len(plan.wanted),
        "drift": drift_data(plan),
        "findings": [to_data(f) for f in findings],
    }


def drift_parts(
    role: str, link: str, plan: Plan, spec: Spec | None, console: Console, judged: tuple[Finding, ...]
) -> list[RenderableType]:
    """Give the picture of what `verify` found on one device."""
    from rich.text import Text

    return [part_heading(role, link), *drift_view(plan, spec, console, judged), Text("")]


def aircraft_headline(receipt: AircraftReceipt) -> tuple[str, str]:
    """Give the word and the sentence of the last line."""
    word, text = _headline(receipt)
    left = [left for part in receipt.parts for left in part.left_out]
    reached = receipt.result in {Result.DONE, Result.UNCHANGED}
    return word, left_out_text(text, left) if reached else text


def _headline(receipt: AircraftReceipt) -> tuple[str, str]:
    written = sum(
        record.verdict is Verdict.WRITTEN for part in receipt.parts if part.receipt for record in part.receipt.records
    )
    devices = plural(sum(p.result is receipt.result for p in receipt.parts), t("device"), t("devices"))
    recovering = receipt.action == "recover"
    proven = all(p.receipt.persistence_verified for p in receipt.parts if p.receipt and p.result is Result.DONE)
    if receipt.result is Result.DONE and recovering:
        return t("PASS"), t("DONE: the interrupted work is finished on {devices}", devices=devices)
    if receipt.result is Result.DONE:
        count = plural(written, t("setting"), t("settings"))
        text = t("DONE: {count} on {devices} written and verified", count=count, devices=devices)
        if proven:
            return t("PASS"), t("{text}, also after their restarts", text=text)
        return t("PASS"), t("{text}; no restart has proven yet that they are stored", text=text)
    if receipt.result is Result.UNCHANGED:
        return t("PASS"), t("UNCHANGED: the aircraft already is as wanted; nothing was written")
    if receipt.result is Result.ROLLED_BACK:
        word = t("UNDONE") if recovering else t("FAIL")
        return word, t("ROLLED BACK: every device is exactly as before, and that was verified")
    return t("FAIL"), t("IN DOUBT: {devices} may hold old and new values. Do not fly it", devices=devices)


def aircraft_receipt_view(
    receipt: AircraftReceipt, console: Console, *, link: str, file: Path | None = None, brief: bool = False
) -> list[RenderableType]:
    """Give the parts of the picture; the line that matters comes last but for what to do next."""
    rows: list[tuple[str, str | Text]] = [(part.role, _part_text(part)) for part in receipt.parts]
    rows.append((t("took"), t("{seconds:.1f} s", seconds=receipt.seconds)))
    if receipt.result is not Result.UNCHANGED:
        rows += [(t("receipt"), Verbatim(file or "")), (t("before"), Verbatim(receipt.snapshot_file))]
    if receipt.result is Result.IN_DOUBT:
        rows.append((t("journal"), Verbatim(receipt.journal_file)))
    own = [n for part in receipt.parts if part.receipt for n in part.receipt.notes]
    return outcome_view(
        receipt,
        console,
        rows=rows,
        remarks=[*receipt.notes, *own],
        told=aircraft_headline(receipt),
        link=link,
        brief=brief,
    )


def _part_text(part: Part) -> str:
    who = f"{part.identity.family} {part.identity.vehicle} {part.identity.version_text}".strip()
    text = f"{who}: {_RESULTS[part.result]}"
    if part.receipt is not None and part.result is Result.DONE:
        count = plural(len(part.receipt.records), t("setting"), t("settings"))
        text += f" ({count})"
    return text
