"""`verify`: whether the vehicle still is as a profile wants it; writes nothing."""

from __future__ import annotations

from dronekit_cfg.cli.options import (
    AgainstOption,
    ProfileArgument,
    Profiled,
    new_app,
    verb,
)
from dronekit_cfg.cli.output import Output

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
    from dronekit_cfg.cli.fitted import fitted_findings
    from dronekit_cfg.cli.render_drift import drift_data, drift_view
    from dronekit_cfg.cli.session import ProfileRequest, prepare_request
    from dronekit_cfg.formats.records import to_data

    request = ProfileRequest.of(profile, device)
    prepared = prepare_request(out, device, request, against)
    plan = prepared.plan
    found = (*plan.findings, *fitted_findings(profile, prepared.snapshot))
    judged = [f for f in found if f.severity in {"error", "warning"} and f.id not in request.accept]
    code = 1 if plan.changes or plan.missing or judged else 0
    out.document(
        "verify",
        code,
        identity=to_data(plan.identity),
        profile=plan.profile,
        profile_digest=plan.profile_digest,
        settings=len(plan.wanted),
        drift=drift_data(plan),
        findings=[to_data(f) for f in found],
        spec=plan.spec,
    )
    parts = drift_view(plan, prepared.spec, out.console, judged)
    out.show(*(parts if not out.quiet else parts[-1:]))
    return code
