"""`plan`: what a profile would change, shown so that a person can judge it; writes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from dronekit_cfg.cli.options import (
    AgainstOption,
    ProfileArgument,
    Profiled,
    new_app,
    option,
    verb,
)
from dronekit_cfg.cli.output import Output
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.cli.session import ProfileRequest
    from dronekit_cfg.engine.aircraft_plan import Ready

__all__ = ["app", "plan"]

app = new_app()


@verb(app)
def plan(
    out: Output,
    device: Profiled,
    profile: ProfileArgument,
    against: AgainstOption = None,
    output: Annotated[
        Path | None, option("--output", "-o", metavar="FILE", help=t("Save the plan, to be applied later as it is."))
    ] = None,
    first: Annotated[
        int, option("--first", metavar="N", min=0, show_default=False, help=t("Show only the first N changes."))
    ] = 0,
) -> int:
    """Show what a profile would change, why, in which order, and with which reboots. Writes nothing.

    Exit code 0: nothing to do; 1: something would change; 2: the profile does not fit.
    """
    from dronekit_cfg.cli.aircraft_run import prepare_any
    from dronekit_cfg.cli.render_cost import cost_data, cost_view
    from dronekit_cfg.cli.render_plan import plan_summary, plan_view
    from dronekit_cfg.cli.session import ProfileRequest, sealed_data
    from dronekit_cfg.engine.judge import unaccepted
    from dronekit_cfg.formats.plan_json import dump_plan, save_plan

    request = ProfileRequest.of(profile, device)
    prepared = prepare_any(out, device, request, against)
    if isinstance(prepared, tuple):
        return _of_aircraft(out, prepared, request, output, first)
    made = prepared.plan
    waiting = unaccepted(made, request.accept)
    code = 2 if made.errors else 1 if made.changes or made.missing or waiting else 0
    summary = plan_summary(made, waiting)
    if output is not None:
        save_plan(output, made)
    cost = {"cost": cost_data(prepared.forecast)} if prepared.forecast else {}
    out.document("plan", code, summary=summary, plan=sealed_data(dump_plan(made)), **cost)
    out.detail(*plan_view(made, prepared.spec, out.console, first=first), *cost_view(made, prepared.forecast), "")
    out.write_text(summary + (t("; saved to {file}", file=output) if output else ""))
    return code


def _of_aircraft(
    out: Output, ready: tuple[Ready, ...], request: ProfileRequest, output: Path | None, first: int
) -> int:
    """Show, and save, the plans of all devices of an aircraft."""
    from dronekit_cfg.cli.render_aircraft import aircraft_plan_view, aircraft_summary
    from dronekit_cfg.cli.session import sealed_data
    from dronekit_cfg.engine.aircraft_plan import plan_of
    from dronekit_cfg.engine.judge import unaccepted
    from dronekit_cfg.formats.aircraft_json import dump_aircraft, save_aircraft

    plans = [item.plan for item in ready]
    waiting = any(unaccepted(made, request.accept) for made in plans)
    changes = any(made.changes or made.missing for made in plans)
    code = 2 if any(made.errors for made in plans) else 1 if changes or waiting else 0
    whole = plan_of(ready, request.stack)
    if output is not None:
        save_aircraft(output, whole)
    summary = aircraft_summary(whole)
    out.document("plan", code, summary=summary, plan=sealed_data(dump_aircraft(whole)))
    specs = {item.role: item.prepared.spec for item in ready}
    out.detail(*aircraft_plan_view(whole, specs, out.console, first=first))
    out.write_text(summary + (t("; saved to {file}", file=output) if output else ""))
    return code
