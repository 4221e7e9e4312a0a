"""`plan`: what a profile would change, shown so that a person can judge it; writes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

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
    from dronekit_cfg.cli.render_plan import plan_summary, plan_view
    from dronekit_cfg.cli.session import ProfileRequest, prepare_request, sealed_data
    from dronekit_cfg.engine.judge import unaccepted
    from dronekit_cfg.formats.plan_json import dump_plan, save_plan

    request = ProfileRequest.of(profile, device)
    prepared = prepare_request(out, device, request, against)
    made = prepared.plan
    waiting = unaccepted(made, request.accept)
    code = 2 if made.errors else 1 if made.changes or made.missing or waiting else 0
    summary = plan_summary(made, waiting)
    if output is not None:
        save_plan(output, made)
    out.document("plan", code, summary=summary, plan=sealed_data(dump_plan(made)))
    out.detail(*plan_view(made, prepared.spec, out.console, first=first), "")
    out.write_text(summary + (t("; saved to {file}", file=output) if output else ""))
    return code
