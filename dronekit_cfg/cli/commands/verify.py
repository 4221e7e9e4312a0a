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
    from dronekit_cfg.engine.connection import Connection
    from dronekit_cfg.engine.transaction import Prepared
    from dronekit_cfg.model.part import Part

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

    A build also says which parts must be fitted: they are asked for, and a snapshot is judged by its settings alone.
    Exit code 0: as wanted; 1: drift or findings.
    """
    from dronekit_cfg.catalog.inventory import inventory, missing_parts
    from dronekit_cfg.cli.aircraft_run import prepare_any
    from dronekit_cfg.cli.fitted import fitted_data, fitted_view, required_parts
    from dronekit_cfg.cli.render_drift import drift_data, drift_view
    from dronekit_cfg.cli.session import ProfileRequest
    from dronekit_cfg.engine.parts import fitted_parts
    from dronekit_cfg.formats.records import to_data

    request = ProfileRequest.of(profile, device)
    requires = required_parts(profile)
    told: list[Part] = []

    def look(connection: Connection, seen: Prepared) -> None:
        told.extend(fitted_parts(connection, seen.snapshot))

    prepared = prepare_any(out, device, request, against, look if requires else None)
    if isinstance(prepared, tuple):
        return _aircraft(out, prepared, request)
    plan = prepared.plan
    parts = told or inventory(prepared.snapshot)
    found = (*plan.findings, *missing_parts(requires, parts))
    judged = [f for f in found if f.severity in {"error", "warning"} and f.id not in request.accept]
    code = 1 if plan.changes or plan.missing or judged else 0
    fitted = fitted_data(requires, parts)
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
        out.show(fitted_view(requires, parts), "")
    shown = drift_view(plan, prepared.spec, out.console, judged)
    out.show(*(shown if not out.quiet else shown[-1:]))
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
