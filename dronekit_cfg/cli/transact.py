"""Carry out a transaction for a verb: show the plan, ask, let the engine work, show the receipt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dronekit_cfg.text import t

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from rich.console import RenderableType

    from dronekit_cfg.cli.output import Output
    from dronekit_cfg.engine.connection import Connection
    from dronekit_cfg.engine.judge import Terms
    from dronekit_cfg.engine.state import StateDir
    from dronekit_cfg.model import Identity, Plan, Receipt
    from dronekit_cfg.model.aircraft import AircraftReceipt
    from dronekit_cfg.planner.plan import Goal

__all__ = ["show_ending", "show_receipt", "transact"]


def transact(
    out: Output,
    connection: Connection,
    state: StateDir,
    goal: Goal,
    *,
    link: str,
    action: str,
    prove: bool,
    terms: Terms | None = None,
    pinned: Plan | None = None,
    receipt_file: Path | None = None,
) -> int:
    """Bring the vehicle to `goal` and give the exit code; the plan is shown and confirmed before any write."""
    from dronekit_cfg.engine.judge import Terms
    from dronekit_cfg.engine.transaction import ApplyOptions, apply

    shown: list[Plan] = []

    def confirm(plan: Plan) -> bool:
        shown.append(plan)
        return _confirm(out, plan, state)

    options = ApplyOptions(
        action=action, prove=prove, confirm=confirm, pinned=pinned, terms=terms if terms is not None else Terms()
    )
    receipt = apply(connection, goal, state, options)
    return show_receipt(out, receipt, state, link=link, copy_to=receipt_file, introduced=bool(shown))


def _confirm(out: Output, plan: Plan, state: StateDir) -> bool:
    from dronekit_cfg.cli.render import plural
    from dronekit_cfg.cli.render_plan import plan_summary, plan_view
    from dronekit_cfg.engine.knowledge import spec_for_vehicle

    if not out.as_json:
        # With --yes nobody is asked to judge it, so the summary will do; the receipt records every change.
        spec = spec_for_vehicle(plan.identity, state.root)
        out.detail(*plan_view(plan, spec, out.console, brief=out.yes), "", plan_summary(plan), "")
    identity = plan.identity
    return out.confirm(
        t(
            "Write {count} to {vehicle}, uid {uid}?",
            count=plural(len(plan.changes), t("setting"), t("settings")),
            vehicle=f"{identity.family} {identity.vehicle}".strip(),
            uid=identity.uid or t("none"),
        )
    )


def show_receipt(
    out: Output,
    receipt: Receipt,
    state: StateDir,
    *,
    link: str,
    copy_to: Path | None = None,
    introduced: bool = False,
) -> int:
    """Show how it ended, save the copy that was asked for, and give the exit code."""
    from dronekit_cfg.cli.render_receipt import receipt_headline, receipt_view
    from dronekit_cfg.formats.receipt_json import dump_receipt, save_receipt

    return show_ending(
        out,
        receipt,
        summary=receipt_headline(receipt)[1],
        dumped=dump_receipt(receipt),
        stored=_stored(state, receipt.identity),
        copy_to=copy_to,
        save=lambda path: save_receipt(path, receipt),
        view=lambda file: receipt_view(
            receipt, out.console, link=link, file=file, introduced=introduced, brief=out.quiet
        ),
    )


def show_ending(
    out: Output,
    receipt: Receipt | AircraftReceipt,
    *,
    summary: str,
    dumped: str,
    stored: Path | None,
    copy_to: Path | None,
    save: Callable[[Path], None],
    view: Callable[[Path | None], Iterable[RenderableType]],
) -> int:
    """Show how work on a device or an aircraft ended, save the copy that was asked for, and give the exit code.

    `dumped` is the receipt as text, `stored` where it is kept; `view` gives what to show, told which file holds it.
    """
    from dronekit_cfg.cli.render_receipt import EXIT_CODES
    from dronekit_cfg.cli.session import sealed_data
    from dronekit_cfg.errors import StateError

    code, file = EXIT_CODES[receipt.result], stored
    if copy_to is not None:
        try:
            save(copy_to)
        except StateError as error:  # the vehicle's state is the news, not this file
            out.say(t("warning: {error}; the receipt is in {file}", error=error, file=file))
        else:
            file = copy_to
    out.document(
        receipt.action,
        code,
        result=receipt.result.value,
        changed=receipt.changed,
        summary=summary,
        receipt_file=str(file) if file else None,
        receipt=sealed_data(dumped),
    )
    out.show(*view(file))
    return code


def _stored(state: StateDir, identity: Identity) -> Path | None:
    """Give the newest stored receipt of the vehicle; the names of receipts sort by time."""
    return max((state.vehicle(identity) / "receipts").glob("*.json"), default=None)
