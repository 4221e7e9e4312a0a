"""`rules`: the policy rules, their reasons and sources."""

from __future__ import annotations

from typing import Annotated

from dronekit_cfg.cli.options import Common, RulesOption, argument, new_app, option, verb
from dronekit_cfg.cli.output import Output
from dronekit_cfg.text import t

__all__ = ["app", "explain", "list_rules"]

app = new_app(t("List and explain the policy rules."), no_args_is_help=True)


@verb(app, "list")
def list_rules(
    out: Output,
    options: Common,
    family: Annotated[str, option("--family", metavar="FAMILY", help=t("Only rules for this family."))] = "",
    rules: RulesOption = None,
) -> int:
    """List every rule: what it is about, and whether it stops an apply."""
    from dronekit_cfg.cli.judge import all_rules
    from dronekit_cfg.cli.render import simple_table
    from dronekit_cfg.rules.explain import listing

    del options
    known = [r for r in all_rules(tuple(rules or ())).values() if not family or family in r.families]
    rows = listing(known)
    heads = ("id", "severity", "applies", "title")
    out.document("rules list", 0, rules=[dict(zip(heads, row, strict=True)) for row in rows])
    out.show(simple_table((t("Rule"), t("Severity"), t("For"), t("About")), rows))
    return 0


@verb(app)
def explain(
    out: Output,
    options: Common,
    rule: Annotated[str, argument(metavar="ID", help=t("The id of a rule, as findings name it."))],
    rules: RulesOption = None,
) -> int:
    """Explain one rule: what, why, how it was measured, its source, an example that breaks it and one that does not."""
    from dronekit_cfg.cli.judge import all_rules
    from dronekit_cfg.rules.explain import explain as explanation_of

    del options
    explanation = explanation_of(rule, tuple(all_rules(tuple(rules or ())).values()))
    out.document("rules explain", 0, rule=explanation.data())
    out.write_text("\n".join(explanation.lines()))
    return 0
