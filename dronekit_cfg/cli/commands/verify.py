"""`verify`: whether the vehicle still is as a profile wants it; writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dronekit_cfg.cli.options import (
    AgainstOption,
    ProfileArgument,
    Profiled,
    new_app,
    verb,
)
from dronekit_cfg.cli.output import Output
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.cli.session import ProfileRequest
    from dronekit_cfg.engine.aircraft_plan import Ready

__all__ = ["app", "verify"]

app = new_app()


@verb(app)
def verify(
    out: Output,
    device: Profiled,
    profile: ProfileArgument,
    against: AgainstOption = None,
) -> int:
    """Compare the vehicle, or a snapshot of it, with a profile. Writes nothing.

    Exit code 0: as wanted; 1: drift or findings.
    """
    from dronekit_cfg.cli.aircraft_run import prepare_any
    from dronekit_cfg.cli.fitted import fitted_data, fitted_findings, fitted_view
    from dronekit_cfg.cli.render_drift import drift_data, drift_view
    from dronekit_cfg.cli.session import ProfileRequest
    from dronekit_cfg.formats.records import to_data

    request = ProfileRequest.of(profile, device)
    prepared = prepare_any(out, device, request, against)
    if isinstance(prepared, tuple):
        return _aircraft(out, prepared, request)
    plan = prepared.plan
    found = (*plan.findings, *fitted_findings(profile, prepared.snapshot))
    judged = [f for f in found if f.severity in {"error", "warning"} and f.id not in request.accept]
    code = 1 if plan.changes or plan.missing or judged else 0
    fitted = fitted_data(profile, prepared.snapshot)
    out.document(
        "verify",
        code,
        **({"fitted": fitted} if fitted else {}),
        identity=to_data(plan.identity),
        profile=plan.profile,
        profile_digest=plan.profile_digest,
        settings=len(plan.wanted),
        drift=drift_data(plan),
        findings=[to_data(f) for f in found],
        spec=plan.spec,
    )
    if fitted and not out.quiet:
        out.show(fitted_view(fitted), "")
    parts = drift_view(plan, prepared.spec, out.console, judged)
    out.show(*(parts if not out.quiet else parts[-1:]))
    return code


def _aircraft(out: Output, ready: tuple[Ready, ...], request: ProfileRequest) -> int:
    """Show what differs on any device of an aircraft."""
    from dronekit_cfg.cli.render import headline, plural
    from dronekit_cfg.cli.render_aircraft import aircraft_drift, drift_parts
    from dronekit_cfg.engine.aircraft_plan import in_order

    bad, documents = [], []
    for item in in_order(ready):
        plan = item.plan
        judged = tuple(f for f in plan.findings if f.severity in {"error", "warning"} and f.id not in request.accept)
        documents.append(aircraft_drift(item.role, plan, plan.findings))
        if plan.changes or plan.missing or judged:
            bad.append(item.role)
        parts = drift_parts(item.role, item.device.options.url, plan, item.prepared.spec, out.console, judged)
        out.detail(*parts)
    code = 1 if bad else 0
    out.document("verify", code, profile=request.stack, parts=documents)
    whole = plural(len(ready), t("device"), t("devices"))
    if bad:
        text = t("not as wanted: {roles}, of {devices}", roles=", ".join(bad), devices=whole)
        out.show(headline(t("FAIL"), text, good=False))
    else:
        out.show(headline(t("PASS"), t("AS WANTED: all {devices}", devices=whole), good=True))
    return code
