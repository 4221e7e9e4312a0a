"""What the law has against a radio's settings. No waiver, no --accept and no rule of a user takes anything from it.

It is asked twice: when the plan is judged, and again before every write, with what the radio will hold then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dronekit_cfg.model import Finding, Identity, Origin, Spec, Value
from dronekit_cfg.model.region import regions_of
from dronekit_cfg.rules.check import check
from dronekit_cfg.rules.shipped import shipped_rules

__all__ = ["law_findings"]

DOMAIN = "Domain"
"""The setting that shows the regulatory domain of an ExpressLRS module, where it is known."""


def law_findings(
    settings: Mapping[str, Value],
    identity: Identity,
    region: str,
    *,
    spec: Spec | None = None,
    origins: Mapping[str, Origin] | None = None,
) -> tuple[Finding, ...]:
    """Give what is illegal in `region` ("" or "unset": nobody said where, so nothing is known to be).

    Raises ValueError for a region that there is not. A rule of the law that cannot be judged is a finding too.
    """
    if not region:
        return ()
    rules = [rule for rule in shipped_rules() if rule.law]
    domain = settings.get(DOMAIN)
    found: dict[tuple[str, str], Finding] = {}
    for word in regions_of(identity.family, region, str(domain) if domain is not None else ""):
        results = check(
            rules,
            settings,
            family=identity.family,
            vehicle=identity.vehicle,
            version=identity.version,
            spec=spec,
            inputs={"region": word},
        )
        for result in results:
            finding = result.finding(origins)
            if finding is not None:
                source = f"{finding.message} ({result.rule.source})"
                found[finding.id, word] = replace(finding, severity="error", message=source)
    return tuple(found.values())
