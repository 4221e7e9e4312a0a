"""Judge a plan: every value against the metadata, and the vehicle as it will be against the policy rules.

What blocks: an error always, a warning of a rule, or about a wanted value that is left out, unless it is accepted or
waived. What the metadata has against a value (its range) is told and does not block. Neither does a rule that is
violated already and that nothing in the profile has to do with: this apply neither makes nor keeps it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime

from dronekit_cfg.catalog.renames import Renames
from dronekit_cfg.engine.law import law_findings
from dronekit_cfg.model import Finding, Identity, Plan, Scalar, Snapshot, Spec, Value, Waiver, is_secret
from dronekit_cfg.rules.builtin import BUILTIN
from dronekit_cfg.rules.check import Outcome, RuleResult, check
from dronekit_cfg.rules.rule import Rule
from dronekit_cfg.rules.shipped import shipped_rules
from dronekit_cfg.rules.values import check_values
from dronekit_cfg.rules.waivers import apply_waivers
from dronekit_cfg.text import t

__all__ = ["Terms", "facts_of", "judge_law", "judge_plan", "judge_settings", "unaccepted"]


@dataclass(frozen=True)
class Terms:
    """By what a vehicle is judged: `rules` are the user's own, `accept` ids of rules whose warning is accepted.

    `simulator`: what rules have against the profile is told and does not block, because a simulator is where its effect
    can be seen. Only the scenario runner sets it, for simulators that it started itself.
    """

    inputs: Mapping[str, Scalar] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    accept: frozenset[str] = frozenset()
    rules: tuple[Rule, ...] = ()
    strict: bool = False
    simulator: bool = False
    today: date | None = None

    @property
    def all_rules(self) -> tuple[Rule, ...]:
        """The shipped rules and the user's own."""
        return (*shipped_rules(), *self.rules)


def facts_of(identity: Identity, inputs: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Give the inputs that rules ask for, with what the vehicle itself tells: simulators have no board number."""
    return {"hardware": bool(identity.board), **inputs}


def judge_settings(
    settings: Mapping[str, Value],
    identity: Identity,
    spec: Spec | None,
    renames: Renames | None,
    terms: Terms,
) -> tuple[RuleResult, ...]:
    """Judge a whole configuration by every rule of its family."""
    return check(
        terms.all_rules,
        settings,
        family=identity.family,
        vehicle=identity.vehicle,
        version=identity.version,
        spec=spec,
        inputs=facts_of(identity, terms.inputs),
        flags=terms.flags,
        renames=renames,
    )


def judge_plan(plan: Plan, snapshot: Snapshot, spec: Spec | None, renames: Renames | None, terms: Terms) -> Plan:
    """Give `plan` with the findings about its values and about the vehicle as it will be."""
    before = {s.name: s.value for s in snapshot.settings}
    after = {**before, **{c.name: c.wanted for c in plan.changes}}
    wanted = {w.name: w for w in plan.wanted}
    origins = {name: w.origin for name, w in wanted.items()}
    found: list[Finding] = []

    def judged(name: str) -> bool:
        """Whether the value is up to this plan: a read-only one that is as wanted is not."""
        return spec is None or not spec.get(name).read_only

    if spec is not None:
        defaults = {s.name: s.default for s in snapshot.settings if s.default is not None}
        found += check_values(
            {name: after[name] for name in wanted if name in after and not is_secret(after[name]) and judged(name)},
            spec,
            defaults=defaults,
            renames=renames,
            strict=terms.strict,
            writing=True,
            origins=origins,
        )
    # What counts as already so must have been so without this profile: its flags and inputs are no part of the vehicle.
    bare = replace(terms, flags=(), inputs={})
    old = {
        r.rule.id for r in judge_settings(before, plan.identity, spec, renames, bare) if r.outcome is Outcome.VIOLATED
    }
    for result in judge_settings(after, plan.identity, spec, renames, terms):
        finding = result.finding(origins)
        if finding is None or result.rule.law:
            continue
        mine = result.rule.id not in old or any(name in wanted for name in result.settings)
        if terms.simulator:
            found.append(replace(finding, severity="info"))
        else:
            found.append(finding if mine else _already_so(finding))
    left = [replace(f, severity="info") if terms.simulator else f for f in plan.findings if f.id in BUILTIN]
    rest = tuple(f for f in plan.findings if f.id not in BUILTIN)
    waived = apply_waivers([*left, *found], terms.waivers, today=terms.today or _today(), rules=_by_id(terms))
    return judge_law(replace(plan, findings=(*rest, *waived.findings)), snapshot, spec, terms)


def judge_law(plan: Plan, snapshot: Snapshot, spec: Spec | None, terms: Terms) -> Plan:
    """Give `plan` with what the law has against it, which nothing lifts, and with the region that it is for."""
    region = str(terms.inputs.get("region", ""))
    after = {s.name: s.value for s in snapshot.settings} | {c.name: c.wanted for c in plan.changes}
    origins = {w.name: w.origin for w in plan.wanted}
    found = law_findings(after, plan.identity, region, spec=spec, origins=origins)
    return replace(plan, findings=(*plan.findings, *found), region=region)


def unaccepted(plan: Plan, accept: Iterable[str]) -> tuple[Finding, ...]:
    """Give the warnings of `plan` that block until somebody accepts or waives them.

    They are those of rules, the user's own too, and those about wanted values that are left out.
    """
    accepted = set(accept)
    return tuple(f for f in plan.findings if f.severity == "warning" and _blocks(f.id) and f.id not in accepted)


def _blocks(identifier: str) -> bool:
    return identifier not in BUILTIN or identifier.startswith("LEFT-")


def _already_so(finding: Finding) -> Finding:
    return replace(finding, severity="info", message=t("already so on this vehicle: {text}", text=finding.message))


def _today() -> date:
    return datetime.now(UTC).date()


def _by_id(terms: Terms) -> dict[str, Rule]:
    return {rule.id: rule for rule in terms.all_rules}
