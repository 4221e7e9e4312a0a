"""Whether a vehicle holds its profile: the settings that differ, for reports of flights and of benches."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dronekit_cfg.model.checked import Difference, Result, Verdict
from dronekit_cfg.model.plan import Plan
from dronekit_cfg.text import t

if TYPE_CHECKING:
    from dronekit_cfg.engine.connection import Connection
    from dronekit_cfg.engine.judge import Terms
    from dronekit_cfg.engine.state import StateDir
    from dronekit_cfg.planner.plan import Goal

__all__ = ["NAME", "differing", "holds_profile"]

NAME = "profile"
"""The name of the result."""


def differing(plan: Plan, why: Callable[[str], str] = lambda _: "") -> tuple[Difference, ...]:
    """Give the settings that a plan would have to change, with the reason that `why` gives for a name."""
    absent = t("not there")
    found = [Difference(c.name, str(c.wanted), str(c.old) if c.old else absent, why(c.name)) for c in plan.changes]
    found += [
        Difference(left.name, str(left.wanted), str(left.found) if left.found else absent, left.reason)
        for left in plan.left_out
    ]
    return tuple(found) + tuple(Difference(name, "", absent, t("the firmware lacks it")) for name in plan.missing)


def holds_profile(connection: Connection, goal: Goal, state: StateDir, terms: Terms) -> Result:
    """Compare the vehicle with the profile it should hold; writes nothing."""
    from dronekit_cfg.engine.transaction import prepare

    plan = prepare(connection, goal, state, terms).plan
    connection.leave()
    differs = differing(plan)
    names = ", ".join(d.name for d in differs[:5]) + (t(" and more") if len(differs) > 5 else "")
    return Result(
        NAME,
        t("The vehicle holds its profile"),
        Verdict.FAIL if differs else Verdict.PASS,
        t("{n} settings differ: {names}", n=len(differs), names=names) if differs else "",
        notes=(t("{n} settings of {profile} compared", n=len(plan.wanted), profile=plan.profile),),
        remedy=t("run `dronekit-cfg plan` with this profile to see what an apply would change") if differs else "",
        differs=differs,
    )
